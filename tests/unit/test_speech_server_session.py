from __future__ import annotations

from typing import Any

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
)
from protocol.speech import framing, order
from protocol.speech.handshake import SpeechRequest
from protocol.speech.messages import V1, V2
from protocol.speech.server.policy import Policy
from protocol.wire import Close, Kind, Party, PeerClosed, Tick
from tests.unit.speech_talk import HEADER, ONE, SECOND, STAMP, THREE, TWO, VOICE, VOICED, Talk, context


def client_of(talk: Talk) -> str:
    """Return where the session believes its client to be."""
    return talk.session.order.state(Party.CLIENT)


class TestATurn:
    def test_starts_with_its_first_audio_and_echoes_the_id(self) -> None:
        mixed = "AbCdEf" + "0" * 26
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", mixed, context())
        assert talk.said == []
        talk.audio(HEADER, mixed)
        assert talk.said == [("turn.start", mixed)]
        assert len(talk.bodies[0]["context"]["serviceTag"]) == 32

    def test_is_followed_through_the_order_table(self) -> None:
        talk = Talk()
        assert client_of(talk.text("speech.config", "")) == order.CONFIGURED
        assert client_of(talk.text("speech.context", ONE, context())) == order.READY
        assert client_of(talk.audio(HEADER)) == order.STREAMING
        assert client_of(talk.audio(b"")) == order.ENDED
        assert client_of(talk.pass_time(0.2).found(Drained(0))) == order.CONFIGURED

    def test_hands_the_audio_to_the_pipeline(self) -> None:
        talk = Talk().begin()
        started, audio = talk.orders[-2:]
        assert isinstance(started, AudioStarted)
        assert (started.task.source, started.task.targets) == ("en-US", ("pt",))
        assert audio == Audio(bytes(SECOND))

    def test_an_odd_byte_waits(self) -> None:
        talk = Talk().begin().audio(b"\1").audio(b"\2\3")
        assert talk.orders[-1] == Audio(b"\1\2")

    def test_tells_everything_in_order(self) -> None:
        talk = Talk().begin(**VOICED)
        span = Span(3200, 6400)
        talk.found(Begun(0, 3200))
        talk.found(Begun(0, 9600))
        talk.found(Hypothesis(0, span, "Hello", ("Olá",), targets=("pt",)))
        talk.found(Hypothesis(0, span, "", ("",), targets=("pt",)))
        talk.phrase()
        assert talk.orders[-1] == Speak("Olá.", "pt-BR-Daniel")
        talk.found(Speech(0, VOICE))
        assert talk.paths == [
            "turn.start",
            "speech.startDetected",
            "translation.response",
            "translation.response",
            "audio.start",
            "audio",
            "audio.end",
        ]
        assert talk.bodies[1] == {"Offset": 1_000_000}

    def test_v1_has_its_own_paths(self) -> None:
        talk = Talk(V1).begin(**VOICED)
        talk.found(Hypothesis(0, Span(0, 6400), "Hello", ("Olá",), targets=("pt",))).phrase().found(Speech(0, VOICE))
        assert talk.paths == [
            "turn.start",
            "translation.hypothesis",
            "translation.phrase",
            "translation.synthesis",
            "translation.synthesis.end",
        ]

    def test_the_first_offset_is_never_nought(self) -> None:
        talk = Talk().begin().found(Begun(0, 0))
        assert talk.last("speech.startDetected") == {"Offset": 1}

    def test_another_context_abandons_it(self) -> None:
        talk = Talk().begin().found(Hypothesis(0, Span(0, 6400), "Hello", ("Olá",), targets=("pt",)))
        talk.text("speech.context", TWO, context())
        assert talk.orders[-1] == AudioEnded(flush=False)
        talk.audio(HEADER, TWO)
        assert talk.said[-1] == ("turn.start", TWO)
        assert talk.closed is None

    def test_its_context_may_come_again_before_the_audio_and_means_nothing_behind_it(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context())
        talk.text("speech.context", ONE, context("Interactive")).audio(HEADER).audio(bytes(SECOND))
        talk.text("speech.context", ONE, context())
        talk.phrase()
        assert talk.paths[-1] == "turn.end"
        assert talk.session.ignored == 1


class TestLateMessages:
    @pytest.fixture
    def finished(self) -> Talk:
        return Talk().begin(mode="Interactive").phrase()

    def test_are_discarded_and_counted(self, finished: Talk) -> None:
        said = len(finished.said)
        finished.audio(bytes(3200)).audio(b"").text("telemetry", ONE).text("audio.commit", ONE).text("event", ONE)
        finished.text("event", THREE, {"name": "updateLanguage", "to": ["fr"]})
        finished.text("made.up", ONE).send(framing.binary("made.up", ONE, b"x"))
        assert (len(finished.said), finished.closed, finished.session.ignored) == (said, None, 8)

    def test_audio_of_an_unknown_id_opens_nothing(self, finished: Talk) -> None:
        assert finished.audio(HEADER, THREE).closed is None
        assert finished.said[-1] == ("turn.end", ONE)

    def test_only_a_context_may_not_use_the_id_again(self, finished: Talk) -> None:
        finished.text("speech.context", ONE.upper(), context())
        assert finished.closed is None
        assert finished.pass_time(0.1).closed == Close(
            1002, "Invalid request. Reuse of request identifiers is not allowed."
        )

    def test_another_turn_follows_on_the_same_connection(self, finished: Talk) -> None:
        finished.text("telemetry", ONE).text("speech.context", TWO, context()).audio(HEADER, TWO)
        assert finished.said[-1] == ("turn.start", TWO)


class TestWhatComesOutOfOrder:
    def test_telemetry_before_anything(self) -> None:
        assert Talk().text("telemetry", ONE).session.ignored == 1

    def test_a_commit_of_another_turn(self) -> None:
        assert Talk().begin().text("audio.commit", TWO).session.ignored == 1

    def test_an_end_behind_the_end(self) -> None:
        talk = Talk().begin().audio(b"").pass_time(0.2).audio(b"")
        assert talk.session.next_deadline == 0.2 + Policy().idle_s


class TestAudioWithoutAContext:
    def test_of_a_finished_turn_opens_nothing_however_its_id_is_written(self) -> None:
        asked = SpeechRequest(V1, "c" * 32, source="en-US", targets=("pt",))
        talk = Talk(V1, request=asked).begin("a" * 32, mode="Interactive").phrase()
        assert talk.audio(HEADER, "A" * 32).paths.count("turn.start") == 1

    def test_opens_a_turn_in_v1(self) -> None:
        asked = SpeechRequest(V1, "c" * 32, source="en-US", targets=("pt", "fr"))
        talk = Talk(V1, request=asked)
        talk.text("speech.config", "").audio(HEADER).audio(bytes(SECOND))
        assert talk.said == [("turn.start", ONE)]
        assert [order.task.targets for order in talk.orders if isinstance(order, AudioStarted)] == [("pt", "fr")]
        talk.found(Hypothesis(0, Span(0, 6400), "x", ("y", "z"), targets=("pt", "fr")))
        assert talk.audio(HEADER, TWO).said[-1] == ("turn.start", TWO)
        assert talk.audio(bytes(10), THREE).session.ignored == 1

    def test_closes_in_v2_when_there_was_never_a_context(self) -> None:
        talk = Talk()
        assert talk.text("speech.config", "").audio(HEADER).closed == Close(
            1002, "Invalid request. Audio came before speech.context."
        )

    @pytest.mark.parametrize("dialect", [V1, V2])
    def test_closes_before_speech_config(self, dialect: str) -> None:
        talk = Talk(dialect).audio(HEADER)
        assert talk.closed is not None
        assert talk.closed.code == 1002
        assert talk.audio(HEADER).said == []

    def test_a_context_before_speech_config_closes(self) -> None:
        closed = Talk().text("speech.context", ONE, context()).closed
        assert closed is not None
        assert closed.code == 1002


class TestAudioThatIsWrong:
    def test_without_a_header(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context()).audio(bytes(3200))
        assert talk.closed is not None
        assert talk.closed.code == 1007

    def test_without_a_header_where_the_policy_takes_it(self) -> None:
        talk = Talk(policy=Policy(headerless_audio=True))
        talk.text("speech.config", "").text("speech.context", ONE, context()).audio(b"\1" * 3200)
        assert talk.closed is None
        assert talk.orders[-1] == Audio(b"\1" * 3200)

    def test_with_a_header_where_the_policy_needs_none(self) -> None:
        talk = Talk(policy=Policy(headerless_audio=True)).begin()
        assert talk.orders[-1] == Audio(bytes(SECOND))

    def test_a_malformed_frame(self) -> None:
        assert Talk().raw(Kind.BINARY, b"\0").closed == Close(
            1007, "Incorrect message format. Binary message has invalid header size prefix."
        )

    def test_a_config_that_is_no_json(self) -> None:
        talk = Talk().raw(Kind.TEXT, b"Path:speech.config\r\nX-Timestamp:1\r\n\r\n[]")
        assert talk.closed is not None
        assert talk.closed.code == 1007


class TestLanguagesThatAreWrong:
    @pytest.mark.parametrize(
        "wanted",
        [
            {"phraseDetection": {"mode": "Conversation", "language": "zz-ZZ"}},
            {"languageId": {"languages": ["zz-ZZ"]}},
            {"phraseDetection": {"mode": "Conversation"}},
        ],
    )
    def test_close_late(self, wanted: dict[str, Any]) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, {**context(), **wanted}).audio(HEADER)
        assert (talk.closed, talk.said) == (None, [])
        assert talk.audio(bytes(SECOND)).closed is not None
        assert talk.closed is not None
        assert talk.closed.code == 1007

    def test_close_by_themselves_when_no_audio_comes(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, {"phraseDetection": {"language": "zz"}})
        assert talk.pass_time(0.05).closed is None
        assert talk.pass_time(0.05).closed is not None

    def test_v1_needs_a_target(self) -> None:
        talk = Talk(V1)
        talk.text("speech.config", "").text("speech.context", ONE, {"phraseDetection": {"language": "en-US"}})
        closed = talk.pass_time(0.1).closed
        assert closed == Close(1007, "Invalid request. There is no target language.")


class TestSizes:
    def test_messages_come_in_frames(self) -> None:
        raw = framing.write(framing.text("speech.config", "", {}, (STAMP,))).data
        talk = Talk().raw(Kind.TEXT, raw[:10], final=False).raw(Kind.TEXT, raw[10:], first=False)
        assert talk.text("speech.context", ONE, context()).closed is None

    def test_are_stamped(self) -> None:
        raw = framing.write(framing.text("speech.config", "", {}))
        assert Talk().raw(raw.kind, raw.data).closed == Close(1002, "Missing/Empty header. X-Timestamp.")

    @pytest.mark.parametrize(("kind", "size"), [(Kind.TEXT, 11), (Kind.BINARY, 8205)])
    def test_have_bounds(self, kind: Kind, size: int) -> None:
        talk = Talk(policy=Policy(text_bytes=10, binary_bytes=10)).raw(kind, bytes(size))
        assert talk.closed is not None
        assert talk.closed.code == 1009

    def test_turns_have_one(self) -> None:
        talk = Talk(policy=Policy(turns=1)).begin(mode="Interactive").phrase()
        assert talk.text("speech.context", TWO, context()).closed == Close(1007, "too many turns on one connection")
        talk = Talk(V1, Policy(turns=0), SpeechRequest(V1, "c" * 32, source="en-US", targets=("pt",)))
        talk.text("speech.config", "").audio(HEADER)
        assert (talk.closed, talk.said) == (Close(1007, "too many turns on one connection"), [])


class TestLimits:
    def test_an_idle_connection_closes_normally(self) -> None:
        talk = Talk().text("speech.config", "")
        assert talk.pass_time(179).closed is None
        assert talk.pass_time(1).closed == Close(1000, "the connection was idle for too long")
        assert talk.session.next_deadline is None

    def test_an_old_connection_closes_normally_when_idle_and_abruptly_in_a_turn(self) -> None:
        talk = Talk(policy=Policy(idle_s=1e9))
        assert talk.pass_time(600).closed == Close(1000, "the connection has reached its maximum age")
        talk = Talk(policy=Policy(idle_s=1e9)).begin()
        assert talk.pass_time(600).closed == Close(1001, "the connection has reached its maximum age")
        assert talk.paths == ["turn.start"]
        assert talk.orders[-1] == AudioEnded(flush=False)

    def test_an_early_tick_means_nothing(self) -> None:
        talk = Talk()
        assert talk.take(talk.session.receive(Tick(1.0))).closed is None

    def test_an_end_may_be_taken_back_for_200_ms(self) -> None:
        talk = Talk().begin().audio(b"")
        assert talk.session.next_deadline == 0.2
        assert talk.session.receive(Tick(0.1999)) == []
        assert talk.session.receive(Tick(0.2)) == [AudioEnded(flush=True)]


class TestGoingAway:
    def test_an_idle_connection_closes_at_once(self) -> None:
        talk = Talk()
        talk.take(talk.session.shutdown(0))
        assert talk.closed == Close(1000, "the server is going away")
        assert talk.session.shutdown(0) == []

    def test_a_turn_comes_to_its_end_and_the_client_reacts_first(self) -> None:
        talk = Talk().begin()
        talk.take(talk.session.shutdown(0))
        assert talk.orders[-1] == AudioEnded(flush=True)
        assert talk.session.shutdown(0) == []
        talk.phrase(last=True).found(Drained(0))
        assert (talk.paths[-1], talk.closed) == ("turn.end", None)
        assert talk.text("telemetry", ONE).closed == Close(1000, "the server is going away")

    def test_the_next_context_is_a_reaction_too(self) -> None:
        talk = Talk().begin()
        talk.take(talk.session.shutdown(0))
        talk.text("speech.context", TWO, context())
        assert talk.closed is None
        talk.found(Drained(0)).text("speech.context", THREE, context())
        assert talk.closed == Close(1000, "the server is going away")

    def test_no_reaction_is_waited_for_longer_than_a_second(self) -> None:
        talk = Talk().begin()
        talk.take(talk.session.shutdown(0))
        talk.found(Drained(0))
        assert talk.pass_time(0.9).closed is None
        assert talk.pass_time(0.2).closed == Close(1000, "the server is going away")

    def test_a_turn_that_takes_too_long_is_cut(self) -> None:
        talk = Talk().begin()
        talk.take(talk.session.shutdown(0))
        talk.pass_time(10)
        assert talk.last("translation.response")["SpeechPhrase"]["RecognitionStatus"] == "Error"
        assert talk.pass_time(1).closed == Close(1000, "the server is going away")

    def test_a_turn_without_audio_has_its_start_and_end(self) -> None:
        talk = Talk()
        talk.text("speech.config", "").text("speech.context", ONE, context("Interactive"))
        talk.take(talk.session.shutdown(0))
        assert talk.paths == ["turn.start", "translation.response", "speech.endDetected", "turn.end"]

    def test_no_turn_opens_any_more(self) -> None:
        talk = Talk(V1, request=SpeechRequest(V1, "c" * 32, source="en-US", targets=("pt",)))
        talk.text("speech.config", "").audio(HEADER)
        talk.take(talk.session.shutdown(0))
        assert talk.audio(HEADER, TWO).said == [("turn.start", ONE)]


class TestTheClientsEnd:
    def test_drops_everything(self) -> None:
        talk = Talk().begin()
        talk.take(talk.session.receive(PeerClosed(1.0, 1000, "")))
        assert talk.orders[-1] == AudioEnded(flush=False)
        assert (talk.session.open, talk.session.next_deadline) == (False, None)
        assert client_of(talk) == order.CLOSED
        assert talk.phrase().audio(HEADER).said == [("turn.start", ONE)]
        assert talk.session.receive(Tick(9.0)) == talk.session.shutdown(9.0) == []

    def test_before_anything(self) -> None:
        talk = Talk()
        talk.take(talk.session.receive(PeerClosed(1.0, 1006, "")))
        assert not talk.session.open


class TestWhatAPipelineFinds:
    def test_is_told_in_its_turn(self) -> None:
        talk = Talk().begin(**VOICED).found(Begun(0, 3200)).phrase().found(Speech(0, VOICE))
        talk.found(Silence(0, 15 * SECOND, 16 * SECOND))
        assert talk.paths[-2:] == ["speech.endDetected", "turn.end"]

    def test_that_it_failed(self) -> None:
        assert Talk().begin().found(Fault(0, 1011, "broken")).paths[-1] == "turn.end"

    def test_that_a_script_wants_the_connection_closed(self) -> None:
        assert Talk().begin().found(Fault(0, 1012, "gone", Blame.SCRIPT)).closed == Close(1012, "gone")

    def test_that_it_is_drained(self) -> None:
        talk = Talk().begin().audio(b"").pass_time(0.2).found(Drained(0))
        assert talk.paths[-1] == "turn.end"

    def test_at_once_where_there_was_speech_in_a_first_turn(self) -> None:
        assert Talk().begin().found(Begun(0, 0)).audio(b"").orders[-1] == AudioEnded(flush=True)

    def test_events_and_commits_reach_it(self) -> None:
        talk = Talk().begin().text("event", THREE, {"name": "updateLanguage", "to": ["fr"]})
        assert talk.orders[-1] == Retarget(("fr",))
        assert talk.text("audio.commit", ONE).orders[-1] == Commit("")
        assert talk.text("event", THREE, {"name": "else"}).session.ignored == 1
