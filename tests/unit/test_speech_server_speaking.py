from __future__ import annotations

from collections.abc import Iterable

from protocol.events import Phrase, Span, Speak, Speech
from protocol.languages import PUBLISHED
from protocol.speech.context import Voices
from protocol.speech.handshake import Profanity
from protocol.speech.messages import V1, V2, SynthesisChunk, SynthesisEnd, SynthesisStart
from protocol.speech.server import results
from protocol.speech.server.results import Heard
from protocol.speech.server.speaking import Speaking

BOTH = Voices((("pt", "pt-BR-FranciscaNeural"), ("fr", "fr-FR-DeniseNeural")), ("pt", "fr"))
PHRASE = Phrase(0, Span(0, 2), "Hello.", ("Olá damn.", "Salut."), frozenset({"damn"}), targets=("pt", "fr"))
FILE = bytes(range(100))


def speaking(
    voices: Voices | None, dialect: str = V2, profanity: Profanity = Profanity.MASKED, chunk: int = 64
) -> Speaking:
    return Speaking(Heard(dialect, PUBLISHED, dialect == V2), voices, profanity, chunk)


def order(subject: Speaking, *tags: str) -> list[object]:
    return list(subject.order(PHRASE, results.targets_of(tags or ("pt", "fr"), PUBLISHED, ("en-US",))))


def languages(orders: Iterable[object]) -> list[str]:
    return [one.voice[:2] for one in orders if isinstance(one, Speak)]


class TestOrders:
    def test_nothing_where_no_voice_was_asked_for(self) -> None:
        subject = speaking(None)
        assert order(subject) == []
        assert not subject.busy

    def test_every_language_in_v2(self) -> None:
        subject = speaking(BOTH)
        assert languages(order(subject)) == ["pt", "fr"]
        assert subject.busy

    def test_those_that_are_to_be_spoken(self) -> None:
        assert languages(order(speaking(Voices(BOTH.by_language, ("FR",))))) == ["fr"]

    def test_one_in_v1_by_the_locale_of_the_voice(self) -> None:
        assert languages(order(speaking(Voices((("x", "fr-FR-Y"),), ("x",)), V1))) == ["fr"]
        assert languages(order(speaking(Voices((("x", "de-DE-Y"),), ("x",)), V1))) == ["pt"]

    def test_no_language_that_is_bad_or_has_no_text(self) -> None:
        voices = Voices((("zz", "pt-BR-X"), ("es", "es-ES-X")), ("zz", "es"))
        assert order(speaking(voices), "zz", "es") == []

    def test_what_is_heard_has_no_markup(self) -> None:
        assert order(speaking(BOTH, profanity=Profanity.TAGGED))[0] == Speak("Olá damn.", "pt-BR-Daniel")
        assert order(speaking(BOTH))[0] == Speak("Olá ****.", "pt-BR-Daniel")


class TestTells:
    def test_a_stream_of_its_own_for_each_language_in_v2(self) -> None:
        subject = speaking(BOTH)
        order(subject)
        assert list(subject.tell(Speech(0, FILE))) == [
            SynthesisStart("1", "pt"),
            SynthesisChunk("1", FILE[:64]),
            SynthesisChunk("1", FILE[64:]),
            SynthesisEnd("1", "Success"),
        ]
        assert next(subject.tell(Speech(0, FILE))) == SynthesisStart("2", "fr")
        assert not subject.busy

    def test_chunks_and_an_end_in_v1(self) -> None:
        subject = speaking(BOTH, V1, chunk=1000)
        order(subject)
        assert list(subject.tell(Speech(0, FILE))) == [SynthesisChunk(None, FILE), SynthesisEnd(None, "Success")]

    def test_a_voice_that_failed(self) -> None:
        subject = speaking(BOTH)
        order(subject)
        assert list(subject.tell(Speech(0, b"", "hoarse"))) == [SynthesisEnd("1", "Error", "hoarse")]

    def test_voices_that_nobody_has_when_their_turn_comes(self) -> None:
        unknown = "Translation request failed: Unsupported voice name Nobody."
        subject = speaking(Voices((("pt", "Nobody"), ("fr", "fr-FR-X")), ("pt", "fr")))
        first, second = order(subject)
        assert isinstance(first, Speak)
        assert second == SynthesisEnd("1", "Error", unknown)
        subject = speaking(Voices((("pt", "pt-BR-X"), ("fr", "Nobody")), ("pt", "fr")))
        assert len(order(subject)) == 1
        assert list(subject.tell(Speech(0, FILE)))[-1] == SynthesisEnd("2", "Error", unknown)

    def test_that_what_is_due_will_not_come(self) -> None:
        subject = speaking(BOTH)
        order(subject)
        assert list(subject.give_up("gone")) == [SynthesisEnd("1", "Error", "gone"), SynthesisEnd("2", "Error", "gone")]
