from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Begun,
    Blame,
    Commit,
    Drained,
    Fault,
    Hypothesis,
    Retarget,
    Silence,
    Span,
    Speak,
    Speech,
    Task,
)
from protocol.languages import PUBLISHED
from protocol.speech.context import Context, settle
from protocol.speech.framing import UspMessage
from protocol.speech.handshake import Mode, SpeechRequest
from protocol.speech.messages import V1, V2, TurnEnd
from protocol.speech.server.policy import Policy
from protocol.speech.server.results import Heard
from protocol.speech.server.turn import Turn
from protocol.wire import Close, Kind
from tests.unit.speech_talk import HEADER, ONE, SECOND, THREE, TWO, VOICE, VOICED, Talk, context

WITHOUT_INTERIMS = {"targetLanguages": ["pt"], "output": {"interimResults": {"mode": "None"}}}


class TestTheEndOfTheAudio:
    def test_waits_for_more_audio_of_the_same_id(self) -> None:
        talk = Talk().begin().audio(b"").pass_time(0.1).audio(bytes(SECOND))
        talk.pass_time(1)
        assert talk.orders[-1] == Audio(bytes(SECOND))
        talk.audio(b"").pass_time(0.2)
        assert talk.orders[-1] == AudioEnded(flush=True)

    def test_does_not_wait_in_a_first_turn_with_speech(self) -> None:
        talk = Talk().begin().found(Begun(0, 0)).audio(b"")
        assert talk.orders[-1] == AudioEnded(flush=True)

    def test_waits_in_a_turn_that_continues_another(self) -> None:
        talk = Talk().begin(continuation={"previousServiceTag": "x"}).found(Begun(0, 0)).audio(b"")
        assert talk.orders[-1] != AudioEnded(flush=True)

    def test_may_be_said_twice(self) -> None:
        talk = Talk().begin().audio(b"").audio(b"").pass_time(0.2).audio(b"").audio(bytes(SECOND))
        assert talk.orders[-1] == AudioEnded(flush=True)
        talk.found(Drained(0))
        assert talk.paths[-1] == "turn.end"

    def test_the_last_final_covers_all_audio_up_to_a_whole_millisecond(self) -> None:
        talk = Talk().begin().audio(bytes(2 * 3)).found(Begun(0, 0)).audio(b"").phrase(last=True)
        phrase = talk.last("translation.response")["SpeechPhrase"]
        assert (phrase["Offset"], phrase["Offset"] + phrase["Duration"]) == (1_000_000, 10_010_000)

    def test_what_is_left_is_acknowledged_without_a_sound(self) -> None:
        talk = Talk().begin().phrase().audio(b"").pass_time(0.2).found(Drained(0))
        phrase = talk.last("translation.response")["SpeechPhrase"]
        assert (phrase["RecognitionStatus"], phrase["Offset"], phrase["Duration"]) == (
            "EndOfDictation",
            6_000_000,
            4_000_000,
        )
        assert talk.paths[-2:] == ["translation.response", "turn.end"]

    def test_nothing_is_left_when_nothing_was_sent(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context()).audio(b"").pass_time(0.2)
        assert talk.paths == ["turn.start", "turn.end"]

    def test_a_header_alone_is_no_audio(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context()).audio(HEADER[:20]).audio(b"")
        assert talk.pass_time(0.2).paths == ["turn.start", "turn.end"]

    def test_without_a_whole_header_is_where_the_audio_would_begin(self) -> None:
        talk = Talk().text("speech.config", "").text("speech.context", ONE, context("Interactive"))
        assert talk.audio(HEADER[:20]).audio(b"").pass_time(0.2).last("speech.endDetected") == {"Offset": 0}

    @pytest.mark.parametrize("dialect", [V1, V2])
    def test_a_one_shot_always_has_a_final(self, dialect: str) -> None:
        talk = Talk(dialect).begin(mode="Interactive").audio(b"").pass_time(0.2).found(Drained(0))
        assert talk.paths[-3:] == [talk.paths[-3], "speech.endDetected", "turn.end"]
        body = talk.bodies[-3]
        assert body.get("SpeechPhrase", body)["RecognitionStatus"] == "NoMatch"


class TestAOneShot:
    @pytest.mark.parametrize("mode", ["interactive", "INTERACTIVE", "nothing"])
    def test_ends_behind_its_first_final_and_voice(self, mode: str) -> None:
        talk = Talk().begin(mode=mode, **VOICED).phrase()
        assert talk.paths[-1] == "translation.response"
        talk.found(Begun(0, 0)).phrase().found(Hypothesis(0, Span(0, 6400), "x", ("y",), targets=("pt",)))
        talk.found(Silence(0, 20 * SECOND, 21 * SECOND)).found(Speech(0, VOICE))
        assert talk.paths[-3:] == ["audio.end", "speech.endDetected", "turn.end"]
        assert talk.orders[-1] == AudioEnded(flush=False)
        assert talk.paths.count("translation.response") == 1

    def test_gives_up_on_silence_without_a_text(self) -> None:
        talk = Talk().begin(mode="Interactive")
        talk.found(Silence(0, 4 * SECOND, 4 * SECOND))
        assert talk.paths[-1] == "turn.start"
        talk.found(Silence(0, 5 * SECOND, 5 * SECOND))
        phrase = talk.last("translation.response")["SpeechPhrase"]
        assert (phrase["RecognitionStatus"], phrase["Offset"], phrase["Duration"]) == (
            "InitialSilenceTimeout",
            0,
            50_000_000,
        )
        assert "DisplayText" not in phrase
        assert talk.paths[-1] == "turn.end"

    def test_gives_up_when_the_client_wants(self) -> None:
        detection = {"mode": "Interactive", "language": "en-US", "initialSilenceTimeout": 2000}
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context(phraseDetection=detection) | {})
        talk.text("speech.context", ONE, {**context(), "phraseDetection": detection}).audio(HEADER)
        talk.audio(bytes(SECOND)).found(Silence(0, 2 * SECOND, 2 * SECOND))
        assert talk.paths[-1] == "turn.end"

    def test_is_not_ended_by_the_drain_behind_its_final(self) -> None:
        talk = Talk().begin(mode="Interactive", **VOICED).phrase().audio(b"").pass_time(0.2).found(Speech(0, VOICE))
        talk.found(Drained(0))
        assert talk.paths.count("turn.end") == 1

    def test_takes_its_mode_from_scenario_and_config(self) -> None:
        plain = {key: value for key, value in context().items() if key != "phraseDetection"}
        asked = SpeechRequest(V1, "c" * 32, source="en-US", mode=Mode.CONVERSATION)
        talk = Talk(V1, request=asked)
        talk.text("speech.config", "", {"recognition": "interactive"}).text("speech.context", ONE, plain)
        talk.audio(HEADER).audio(bytes(SECOND)).phrase()
        assert talk.paths[-1] == "translation.phrase"
        asked = replace(asked, mode=None)
        talk = Talk(V1, request=asked)
        talk.text("speech.config", "", {"recognition": "conversation"}).text("speech.context", ONE, plain)
        talk.audio(HEADER).audio(bytes(SECOND)).phrase()
        assert talk.paths[-1] == "translation.phrase"


class TestALongSilence:
    @pytest.mark.parametrize(("dialect", "status"), [(V1, "NoMatch"), (V2, "Success")])
    def test_ends_the_turn_with_one_final_and_one_end_detected(self, dialect: str, status: str) -> None:
        talk = Talk(dialect).begin().phrase()
        talk.found(Silence(0, 14 * SECOND, 15 * SECOND))
        assert "turn.end" not in talk.paths
        talk.found(Silence(0, 15 * SECOND, 16 * SECOND))
        assert talk.paths[-2:] == ["speech.endDetected", "turn.end"]
        body = talk.bodies[-3]
        phrase = body.get("SpeechPhrase", body)
        assert (phrase["RecognitionStatus"], phrase["Offset"], phrase["Duration"]) == (status, 6_000_000, 154_000_000)
        assert body.get("Translations", []) == []

    def test_of_plain_recognition_is_no_match(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, {"phraseDetection": context()["phraseDetection"]})
        talk.audio(HEADER).audio(bytes(SECOND)).found(Silence(0, 15 * SECOND, 15 * SECOND))
        assert talk.last("speech.phrase")["RecognitionStatus"] == "NoMatch"


class TestFailures:
    def test_of_the_engine_are_told_in_the_turn(self) -> None:
        talk = Talk().begin().found(Fault(0, 1011, "broken"))
        phrase = talk.last("translation.response")["SpeechPhrase"]
        assert (phrase["RecognitionStatus"], phrase["Duration"]) == ("Error", 0)
        assert (talk.paths[-1], talk.closed) == ("turn.end", None)
        assert talk.found(Fault(0, 1011, "again")).paths.count("turn.end") == 1

    def test_of_an_engine_with_too_much_to_do(self) -> None:
        talk = Talk(V1).begin().found(Fault(0, 1013, "busy", Blame.OVERLOAD))
        assert talk.last("translation.phrase")["RecognitionStatus"] == "TooManyRequests"

    def test_of_an_engine_that_is_speaking(self) -> None:
        talk = Talk().begin(**VOICED).phrase().found(Fault(0, 1011, "broken"))
        assert talk.paths[-4:] == ["audio.end", "translation.response", "speech.endDetected", "turn.end"]

    def test_of_a_voice_alone(self) -> None:
        talk = Talk().begin(**VOICED).phrase().found(Speech(0, b"", "no breath"))
        assert talk.last("audio.end") == {"SynthesisStatus": "Error", "Status": "Error", "FailureReason": "no breath"}
        assert "turn.end" not in talk.paths

    def test_that_a_script_wants_close_the_connection(self) -> None:
        talk = Talk().begin().found(Fault(0, 1012, "gone", Blame.SCRIPT))
        assert talk.closed == Close(1012, "gone")

    @pytest.mark.parametrize("status", ["Error", "BadRequest", "Forbidden", "TooManyRequests", "ServiceUnavailable"])
    def test_as_a_status_end_the_turn(self, status: str) -> None:
        talk = Talk().begin().phrase(recognition="", translations=("",), status=status)
        assert talk.last("translation.response")["SpeechPhrase"]["RecognitionStatus"] == status
        assert talk.paths[-1] == "turn.end"

    def test_nothing_is_heard_of_a_pipeline_between_turns(self) -> None:
        talk = Talk().begin(mode="Interactive").phrase()
        said = len(talk.said)
        assert len(talk.phrase().said) == said


class TestTheTask:
    @staticmethod
    def of(talk: Talk) -> list[Task]:
        return [order.task for order in talk.orders if isinstance(order, AudioStarted)]

    def test_is_what_the_policy_has_where_a_client_wants_nothing(self) -> None:
        policy = Policy(endpoint_silence_ms=500, max_utterance_ms=9000, partial_interval_ms=200)
        assert self.of(Talk(policy=policy).begin()) == [Task("en-US", ("pt",), (), 500, 9000, 200)]

    def test_is_what_the_client_wants_where_the_policy_lets_it(self) -> None:
        timeouts = {"segmentationSilenceTimeoutMs": 700, "segmentationForcedTimeoutMs": 20_000}
        detection = {"mode": "Conversation", "language": "en-US", "conversation": {"segmentation": timeouts}}
        talk = Talk().begin(phraseDetection=detection, translation=WITHOUT_INTERIMS)
        assert self.of(talk) == [Task("en-US", ("pt",), (), 700, 20_000, None)]
        talk = Talk(policy=Policy(max_utterance_ms=9000)).begin(phraseDetection=detection)
        assert self.of(talk) == [Task("en-US", ("pt",), (), 700, 9000, 300)]


class TestEventsAndCommits:
    def test_an_event_changes_the_targets_whatever_its_id(self) -> None:
        talk = Talk().begin()
        update = {"id": "translation", "name": "updateLanguage", "to": ["pt", "fr"]}
        talk.text("event", THREE, update)
        assert talk.orders[-1] == Retarget(("pt", "fr"))
        talk.phrase(translations=("Olá.", "Salut."), targets=("pt", "fr"))
        assert [one["Language"] for one in talk.last("translation.response")["Translations"]] == ["pt", "fr"]

    def test_an_event_before_the_audio(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context())
        talk.text("event", ONE, {"name": "updateLanguage", "to": ["fr"], **VOICED}).audio(HEADER).audio(bytes(SECOND))
        assert [order.task.targets for order in talk.orders if isinstance(order, AudioStarted)] == [("fr",)]

    def test_a_commit_is_acknowledged_with_its_token(self) -> None:
        talk = Talk().begin()
        commit = UspMessage(
            Kind.TEXT, (("Path", "audio.commit"), ("X-RequestId", ONE), ("X-Client-Commit-Token", "7")), b""
        )
        assert talk.send(commit).orders[-1] == Commit("7")
        talk.phrase(commit="7")
        assert talk.last("translation.response")["SpeechPhrase"]["clientAudioMetadata"] == {
            "X-Client-Commit-Token": "7"
        }
        talk.audio(b"").pass_time(0.2)
        assert talk.send(commit).orders[-1] == AudioEnded(flush=True)


class TestVoices:
    def test_have_streams_that_no_other_turn_has(self) -> None:
        talk = Talk().begin(mode="Interactive", **VOICED).phrase().found(Speech(0, VOICE))
        talk.text("speech.context", TWO, context(**VOICED)).audio(HEADER, TWO).audio(bytes(SECOND), TWO)
        talk.phrase().found(Speech(0, VOICE))
        assert talk.streams == ["1", "1", "1", "2", "2", "2"]


class TestTranslations:
    def test_are_told_while_somebody_speaks(self) -> None:
        talk = Talk().begin().found(Hypothesis(0, Span(0, 6400), "Hello", ("Olá",), targets=("pt",)))
        assert talk.last("translation.response")["SpeechHypothesis"]["Text"] == "hello"

    def test_that_failed_are_not_spoken(self) -> None:
        talk = Talk().begin(**VOICED).phrase(failures={"pt": "no"})
        assert talk.last("translation.response")["TranslationStatus"] == "Error"
        assert [order for order in talk.orders if isinstance(order, Speak)] == []


class TestHeaders:
    def test_come_in_parts(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context())
        talk.audio(HEADER[:7]).audio(HEADER[7:] + b"\1\2")
        assert talk.orders[-1] == Audio(b"\1\2")

    def test_may_be_absent_where_the_policy_says_so(self) -> None:
        talk = Talk(policy=Policy(headerless_audio=True))
        talk.text("speech.config", "").text("speech.context", ONE, context()).audio(b"\1" * 3200)
        assert talk.orders[-1] == Audio(b"\1" * 3200)
        assert Talk(policy=Policy(headerless_audio=True)).begin().orders[-1] == Audio(bytes(SECOND))

    def test_are_needed_before_the_pipeline_finds_anything(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context())
        with pytest.raises(RuntimeError, match="before there was audio"):
            talk.phrase()


class TestWhatComesTooLate:
    def test_audio_and_orders_behind_the_end(self) -> None:
        turn = _turn()
        assert [type(one) for one in turn.flush()] == [AudioEnded, TurnEnd]
        assert [*turn.audio(HEADER), *turn.flush(), *turn.drained(), *turn.fault(Fault(0, 1011, "x"))] == []

    def test_a_second_flush(self) -> None:
        talk = Talk().begin().found(Begun(0, 0)).audio(b"").audio(b"").audio(bytes(10))
        assert talk.orders.count(AudioEnded(flush=True)) == 1

    def test_an_empty_hypothesis(self) -> None:
        talk = Talk().begin().found(Hypothesis(0, Span(0, 6400), "", ("",), targets=("pt",)))
        assert talk.paths == ["turn.start"]

    def test_a_hypothesis_behind_the_final_of_a_one_shot(self) -> None:
        talk = Talk().begin(mode="Interactive", **VOICED).phrase()
        talk.found(Hypothesis(0, Span(0, 6400), "x", ("y",), targets=("pt",))).phrase().found(Begun(0, 0))
        assert talk.paths == ["turn.start", "translation.response"]

    def test_a_start_of_speech_is_told_once(self) -> None:
        talk = Talk().begin().found(Begun(0, 0)).found(Begun(0, 9600))
        assert talk.paths == ["turn.start", "speech.startDetected"]
        assert talk.last("speech.startDetected") == {"Offset": 1}


def _turn() -> Turn:
    wanted = settle(SpeechRequest(V2, "c" * 32, source="en-US", targets=("pt",)), None, Context(mode=Mode.CONVERSATION))
    return Turn(ONE, 0, wanted, Heard(V2, PUBLISHED, True), "en-US", (), Policy())
