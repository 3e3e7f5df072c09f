"""What results say together: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.outcomes import RULES
from conformance.judge.speech.reading import View
from tests.unit.speech_transcript import ONE, SECOND, TWO, V1, V2, SpeechTalk, entry

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"
LONG = 2 * SECOND
TOKEN = "X-Client-Commit-Token"


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return SpeechTalk(request.param).connect()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect()


class TestPartials:
    """speech.result.partial-before-final, no-partial-after-final."""

    def test_before_their_final_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin().interim().phrase(duration=LONG)
        assert talk.said(BENCH, "result.partial-before-final") == ["kept"]
        assert talk.said(BENCH, "result.no-partial-after-final") == []

    def test_none_before_a_long_one_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().interim().phrase(duration=LONG).phrase(offset=5 * SECOND, duration=LONG)
        assert talk.said(BENCH, "result.partial-before-final")[1:] == [
            "none before a final of 2000 ms; expected an interim"
        ]

    def test_none_is_needed_where_there_is_little_or_none_wanted(self, talk: SpeechTalk) -> None:
        wanted: dict[str, Any] = {
            "translation": {"targetLanguages": ["de"], "output": {"interimResults": {"mode": "None"}}}
        }
        talk.begin().phrase(duration=SECOND).phrase(None, LONG, LONG, "NoMatch").phrase(speech={"Duration": "x"})
        talk.begin(identity=TWO, **wanted).phrase(duration=LONG, identity=TWO)
        assert talk.said(BENCH, "result.partial-before-final") == []

    def test_of_an_utterance_whose_final_has_come_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=SECOND).interim(offset=5 * SECOND).interim(offset=SECOND)
        assert talk.said(BENCH, "result.no-partial-after-final") == [
            "kept",
            "Offset 10000000; expected no interim of an utterance whose final has come",
        ]

    def test_without_an_offset_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().interim(speech={"Offset": None})
        assert talk.said(BENCH, "result.no-partial-after-final") == []

    def test_an_acknowledgement_is_no_utterance(self, talk: SpeechTalk) -> None:
        talk.begin().interim().phrase(None, 0, status="EndOfDictation").phrase(duration=LONG)
        assert talk.said(BENCH, "result.partial-before-final") == ["kept"]


class TestContents:
    """speech.result.empty-success, bad-target-keeps-text, failure-reason."""

    def test_text_and_translations_are_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin().phrase().said(BENCH, "result.empty-success") == ["kept"]

    def test_an_empty_translation_is_broken_unless_a_reason_is_given(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(translations=[entry("de", ""), entry("fr")])
        assert talk.said(BENCH, "result.empty-success") == [
            "an empty one into de; expected a translation that is not empty"
        ]
        talk.entries.pop()
        talk.phrase(translations=[entry("de", "")], translation={"FailureReason": "de failed"})
        assert talk.said(BENCH, "result.empty-success") == ["kept"]

    def test_an_empty_text_is_broken_where_there_was_speech(self, talk: SpeechTalk) -> None:
        talk.begin().phrase("").interim("hel").phrase("", translations=[])
        assert talk.said(BENCH, "result.empty-success") == ["an empty one; expected the text of what was said"]

    def test_a_failed_translation_keeps_the_text(self, talk: SpeechTalk) -> None:
        failed: dict[str, Any] = {"TranslationStatus": "Error", "FailureReason": "no zz"}
        talk.begin().phrase(translation=failed).phrase("", translation=failed)
        assert talk.said(BENCH, "result.bad-target-keeps-text") == ["kept", "none; expected the text"]
        assert talk.said(BENCH, "result.failure-reason") == ["kept", "kept"]
        assert talk.said(BENCH, "result.empty-success") == []

    def test_a_failed_translation_without_a_reason_is_the_schemas_matter(self, v2: SpeechTalk) -> None:
        v2.begin().phrase(None, status="NoMatch", translation={"TranslationStatus": "Error"})
        assert v2.said(BENCH, "result.failure-reason") == v2.said(BENCH, "result.bad-target-keeps-text") == []


LANGUAGES: dict[str, Any] = {"languageId": {"languages": ["en-US", "de-DE"]}}
DETAILED: dict[str, Any] = {"phraseOutput": {"format": "Detailed"}}
NBEST = {"NBest": [{"Confidence": 0.9, "Lexical": "a", "ITN": "a", "MaskedITN": "a", "Display": "A."}]}


class TestDetails:
    """speech.result.detailed, plain.detailed, simple-without-nbest."""

    def test_that_were_asked_for_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin(**DETAILED).phrase(speech=NBEST)
        assert talk.said(BENCH, "result.detailed") == ["kept"]

    def test_that_are_missing_are_broken(self, talk: SpeechTalk) -> None:
        talk.begin(**DETAILED).phrase().phrase("")
        assert talk.said(BENCH, "result.detailed") == ["none; expected NBest beside Offset"]

    def test_of_recognition_alone_have_their_own(self, v2: SpeechTalk) -> None:
        v2.begin(translation={}, **DETAILED).phrase(shape="plain", speech=NBEST).phrase(shape="plain")
        assert v2.said(BENCH, "plain.detailed") == ["kept", "none; expected NBest beside Offset"]

    def test_that_were_not_asked_for_are_told(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().phrase(speech=NBEST)
        assert talk.said(BENCH, "result.simple-without-nbest") == [
            "kept",
            "one; expected no NBest: it was not asked for",
        ]


def output(kind: str) -> dict[str, Any]:
    results = {"resultType": kind}
    return {"phraseOutput": {"phraseResults": results, "interimResults": results}}


class TestExtraPhrases:
    NAME = "result.no-extra-phrase"

    def test_the_translation_alone_is_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin().interim().phrase().said(BENCH, self.NAME) == ["kept", "kept"]

    def test_a_plain_one_beside_it_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().interim(shape="plain").phrase(shape="plain")
        assert talk.said(BENCH, self.NAME) == [
            "speech.hypothesis; expected the translation alone",
            "speech.phrase; expected the translation alone",
        ]

    @pytest.mark.parametrize("kind", ["None", "NONE"])
    def test_one_that_is_forbidden_is_broken(self, v2: SpeechTalk, kind: str) -> None:
        assert v2.begin(**output(kind)).phrase(shape="plain").wrong(BENCH) == [self.NAME]

    def test_one_that_was_asked_for_is_not(self, v2: SpeechTalk) -> None:
        assert v2.begin(**output("Always")).phrase(shape="plain").said(BENCH, self.NAME) == []

    def test_identification_brings_them_unless_they_are_forbidden(self, v2: SpeechTalk) -> None:
        v2.begin(**LANGUAGES).phrase(shape="plain").phrase()
        assert v2.said(BENCH, "language.no-plain-results") == ["kept"]
        v2.begin(identity=TWO, **LANGUAGES, **output("None")).phrase(shape="plain", identity=TWO)
        assert v2.said(BENCH, "language.no-plain-results")[1:] == ["speech.phrase; expected the translation alone"]

    def test_a_turn_without_a_context_wants_no_plain_ones(self) -> None:
        talk = SpeechTalk(V1).connect("to=de").riff().says("turn.start").phrase(shape="plain")
        assert talk.wrong(BENCH) == [self.NAME]

    def test_where_no_translation_was_asked_for_none_comes(self, v2: SpeechTalk) -> None:
        v2.begin(translation={}).interim().phrase().interim(shape="plain").phrase(shape="plain")
        assert v2.said(BENCH, "plain.hypothesis") == ["translation.response; expected speech.hypothesis"]
        assert v2.said(BENCH, "plain.phrase") == ["translation.response; expected speech.phrase"]


class TestSilences:
    def silence(
        self, talk: SpeechTalk, offset: int = 0, seconds: float = 15.0, mode: str = "Conversation"
    ) -> SpeechTalk:
        talk.begin(mode)
        return self.final(talk, offset, seconds)

    def final(self, talk: SpeechTalk, offset: int, seconds: float) -> SpeechTalk:
        duration = int(seconds * SECOND)
        if talk.dialect == V1:
            return talk.phrase(None, offset, duration, "NoMatch")
        return talk.phrase("", offset, duration, translations=[])

    def test_a_long_one_is_as_the_service_has_it(self, talk: SpeechTalk) -> None:
        self.silence(talk).detected("end", 15 * SECOND).done()
        names = ("status.silence-phrase", "status.silence-phrase-form", "status.silence-offset", "detected.end-silence")
        assert list(talk.both(BENCH, *names)) == [["kept"]] * 4

    @pytest.mark.parametrize("seconds", [10.5, 15.5, 20.0])
    def test_of_another_length_is_broken(self, talk: SpeechTalk, seconds: float) -> None:
        found = self.silence(talk, seconds=seconds).said(BENCH, "status.silence-phrase")
        assert found == [f"{seconds:.1f} s; expected 10.5 to 15.4 s of silence in one final"]

    def test_a_short_one_is_noise(self, talk: SpeechTalk) -> None:
        assert self.silence(talk, seconds=8.0).done().said(BENCH, "status.silence-phrase") == []

    def test_one_after_which_the_turn_goes_on_is_broken(self, talk: SpeechTalk) -> None:
        self.silence(talk).interim(offset=16 * SECOND).phrase(offset=16 * SECOND).done()
        assert talk.said(BENCH, "status.silence-phrase")[0].endswith("expected turn.end behind the final of a silence")
        assert talk.said(BENCH, "detected.end-silence") == []

    def test_one_in_an_open_turn_shows_no_end(self, talk: SpeechTalk) -> None:
        self.silence(talk)
        assert talk.said(BENCH, "status.silence-phrase") == talk.said(BENCH, "detected.end-silence") == []

    def test_one_without_an_end_or_with_two_is_broken(self, talk: SpeechTalk) -> None:
        assert self.silence(talk).done().said(BENCH, "detected.end-silence") == ["0; expected one speech.endDetected"]

    def test_of_another_form_is_broken(self) -> None:
        first, second = SpeechTalk(V1).connect().begin(), SpeechTalk(V2).connect().begin()
        first.phrase("", 0, 15 * SECOND).done()
        second.phrase(None, 0, 15 * SECOND, "NoMatch").done()
        assert first.said(BENCH, "status.silence-phrase-form") == [
            "Success of other content; expected NoMatch without a text"
        ]
        assert second.said(BENCH, "status.silence-phrase-form")[0].startswith("NoMatch of other content;")

    def test_of_recognition_alone_has_no_translations_to_be_empty(self, v2: SpeechTalk) -> None:
        v2.begin(translation={}).phrase("", 0, 15 * SECOND, shape="plain").done()
        assert v2.said(BENCH, "status.silence-phrase-form") == []
        assert v2.said(BENCH, "status.silence-phrase") == ["kept"]

    def test_begins_where_the_last_final_ended(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=SECOND, duration=SECOND)
        self.final(talk, 2 * SECOND, 15)
        assert talk.said(BENCH, "status.silence-offset") == ["kept"]
        talk.entries.pop()
        self.final(talk, 3 * SECOND, 15)
        assert talk.said(BENCH, "status.silence-offset") == ["30000000; expected Offset 20000000"]

    def test_of_unknown_places_shows_nothing_or_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(speech={"Duration": "?"})
        self.final(talk, 3 * SECOND, 15)
        assert talk.said(BENCH, "status.silence-offset") == ["kept"]
        talk.begin(identity=TWO).phrase(None, 0, 15 * SECOND, "NoMatch", speech={"Offset": "?"}, identity=TWO).phrase(
            None, status="NoMatch", speech={"Duration": "?"}, identity=TWO
        )
        assert talk.said(BENCH, "status.silence-offset") == ["kept"]

    def test_is_judged_in_conversations_that_go_their_way(self, talk: SpeechTalk) -> None:
        assert self.silence(talk, mode="Interactive").done().said(BENCH, "status.silence-phrase") == []
        provoked = SpeechTalk().connect().tells("event", deliberate=MARK)
        assert self.silence(provoked).done().said(BENCH, "status.silence-phrase") == []


class TestLongSpeech:
    NAME = "status.long-speech"

    def test_that_is_cut_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(duration=30 * SECOND).phrase(duration=5 * SECOND).phrase(speech={"Duration": "?"})
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_that_is_not_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.begin().phrase(duration=36 * SECOND).said(BENCH, self.NAME) == [
            "36.0 s; expected a final of about 30 s at the most"
        ]


class TestCommits:
    NAME = "commit.acknowledged"

    def commit(self, talk: SpeechTalk, number: str = "1", **frame: Any) -> SpeechTalk:
        return talk.tells("audio.commit", b"", ONE, ((TOKEN, number),), **frame)

    def test_that_are_given_back_are_kept(self, talk: SpeechTalk) -> None:
        self.commit(talk.begin()).phrase(speech={"clientAudioMetadata": {TOKEN: "1"}})
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_that_are_not_are_broken(self, talk: SpeechTalk) -> None:
        self.commit(talk.begin(ms=2000)).phrase().stop().done()
        assert talk.said(BENCH, self.NAME) == [f"none; expected a final with {TOKEN} 1"]

    def test_of_an_utterance_that_is_cut_are_broken(self, talk: SpeechTalk) -> None:
        self.commit(talk.begin(ms=1500)).speech(500).phrase().stop().done()
        assert talk.said(BENCH, self.NAME) == [f"none; expected a final with {TOKEN} 1"]

    def test_that_force_nothing_show_nothing(self, talk: SpeechTalk) -> None:
        """Behind silence an utterance is over by itself, and one commit forces what the next one finds done."""
        self.commit(talk.begin(ms=2101)).phrase().stop().done()
        assert talk.said(BENCH, self.NAME) == []
        silent = self.commit(SpeechTalk().connect().begin(ms=2000)).phrase(None, status="NoMatch").stop().done()
        assert silent.said(BENCH, self.NAME) == []
        void = self.commit(SpeechTalk().connect().begin(ms=1900).stop().speech(100)).phrase().stop().done()
        assert void.said(BENCH, self.NAME) == []
        twice = self.commit(self.commit(SpeechTalk().connect().begin(ms=2000)), "2")
        twice.phrase(speech={"clientAudioMetadata": {TOKEN: "1"}}).stop().done()
        assert twice.said(BENCH, self.NAME) == ["kept"]

    def test_that_may_have_crossed_with_the_end_show_nothing(self, talk: SpeechTalk) -> None:
        assert self.commit(talk.begin()).phrase().done().said(BENCH, self.NAME) == []
        open_still = self.commit(SpeechTalk().connect().begin().stop()).phrase()
        assert open_still.said(BENCH, self.NAME) == []
        assert open_still.done().said(BENCH, self.NAME) == []

    def test_that_were_meant_badly_show_nothing(self, talk: SpeechTalk) -> None:
        self.commit(talk.begin(), deliberate=MARK).tells("audio.commit").phrase().stop().done()
        assert talk.said(BENCH, self.NAME) == []

    def test_of_a_provoked_turn_show_nothing(self, talk: SpeechTalk) -> None:
        self.commit(talk.begin().chunk(b"", deliberate=MARK)).stop().done()
        assert talk.said(BENCH, self.NAME) == []
