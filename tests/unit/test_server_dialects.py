"""The table of dialects, and what the adapter of `translator` makes of a request."""

from __future__ import annotations

import pytest

from protocol.languages import PUBLISHED
from protocol.rejection import Rejected
from protocol.translator.handshake import build_target
from protocol.translator.policy import Policy
from protocol.translator.session import ServerSession
from protocol.wire import HttpRequest
from reference_server.auth import Authority
from reference_server.dialects import Opening, dialects
from reference_server.endpointing import Endpointing
from reference_server.engines.base import Job, Text
from reference_server.engines.scripted import ScriptedEngine
from reference_server.pipeline import Spoken
from reference_server.policy import Settings
from reference_server.voice import mp3, wav

KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)
SAID = Text("My jackass.", ("Meu idiota.",), frozenset({"jackass", "idiota"}))


def admit(policy: Policy | None = None, headers: tuple[tuple[str, str], ...] = KEY, **wanted: str | None) -> Opening:
    settings = Settings(translator=policy or Policy())
    table = dialects(settings, Authority(settings.keys, settings.secret), ScriptedEngine())
    target = build_target(source=wanted.pop("source", "en-US"), target=wanted.pop("target", "pt"), **wanted)  # type: ignore[arg-type]
    return table["/speech/translate"].admit(HttpRequest("GET", target, headers))


class TestAdmission:
    def test_credentials_come_before_parameters(self) -> None:
        for headers, status in (((), 401), (KEY, 400)):
            with pytest.raises(Rejected) as refusal:
                admit(headers=headers, source="xx")
            assert refusal.value.rejection.status == status

    def test_the_languages_are_the_resolved_ones(self) -> None:
        assert admit(source="en", target="it-IT").plan.job == Job("en-US", ("it",))

    def test_a_session_begins_at_its_time(self) -> None:
        session = admit().session(100.0)
        assert isinstance(session, ServerSession)
        assert session.next_deadline == 700.0


class TestPlan:
    def test_follows_the_policy(self) -> None:
        policy = Policy(endpoint_silence_ms=500, max_utterance_ms=10_000, partial_interval_ms=400)
        assert admit(policy, features="Partial").plan.endpointing == Endpointing(500, 10_000, 400)

    def test_has_no_hypotheses_unless_asked_for(self) -> None:
        assert admit().plan.endpointing.growth_ms is None

    def test_speaks_only_if_asked_for(self) -> None:
        assert admit().plan.spoken(SAID) == ()

    def test_speaks_the_translation_by_the_chosen_voice(self) -> None:
        plan = admit(features="TextToSpeech", voice="pt-BR-Daniel", profanity="NoAction").plan
        assert plan.spoken(SAID) == (Spoken("Meu idiota.", PUBLISHED.voices["pt-BR-Daniel"], wav),)

    def test_speaks_mp3(self) -> None:
        assert admit(features="TextToSpeech", format="audio/mp3").plan.spoken(SAID)[0].encode is mp3

    @pytest.mark.parametrize(
        ("action", "marker", "words"),
        [
            ("Marked", "Asterisk", "Meu ***."),
            ("Marked", "Tag", "Meu idiota."),
            ("Deleted", None, "Meu ."),
        ],
    )
    def test_speaks_what_is_left_of_profanities(self, action: str, marker: str | None, words: str) -> None:
        plan = admit(features="TextToSpeech", profanity=action, marker=marker).plan
        assert [spoken.text for spoken in plan.spoken(SAID)] == [words]

    def test_does_not_speak_nothing(self) -> None:
        assert admit(features="TextToSpeech").plan.spoken(Text("", ("",))) == ()
