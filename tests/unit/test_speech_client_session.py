from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.speech import framing
from protocol.speech.client.hearing import Failure, Heard, Trouble, Voice
from protocol.speech.client.opening import System, Wish
from protocol.speech.client.session import ClientPolicy, ClientSession, Dial, Lost, Output, Over
from protocol.speech.framing import UspMessage
from protocol.speech.handshake import Mode
from protocol.validate import validator
from protocol.wire import Close, Fragment, Kind, Message, PeerClosed, Tick

STREAM = PcmFormat(16_000)
CHUNK = 3200
SECOND = 32_000
TICKS = 10_000_000
CONNECTION = "c" * 32
GONE = PeerClosed(2.0, 1006, "")


def at(time: float) -> str:
    return f"2026-01-01T00:00:{time:010.7f}Z"


CONNECTED = {"Name": "Connection", "Id": CONNECTION, "Start": at(0.5), "End": at(1.0)}


def session(
    *,
    mode: Mode = Mode.CONVERSATION,
    policy: ClientPolicy | None = None,
    stream: PcmFormat = STREAM,
    ids: Iterable[str] = (),
) -> ClientSession:
    return ClientSession(
        "speech-v2",
        stream,
        Wish("en-US", ("de", "fr"), mode=mode),
        system=System("speechwire", "1", "Linux", "Debian", "12"),
        connection_id=CONNECTION,
        ids=iter([*ids, *(f"{number:032x}" for number in range(1, 20))]),
        stamp=at,
        policy=policy,
    )


def opened(*, mode: Mode = Mode.CONVERSATION, policy: ClientPolicy | None = None) -> ClientSession:
    """Return a session with an open connection, in the turn with the id 1."""
    one = session(mode=mode, policy=policy)
    one.start()
    one.opened(0.5, 1.0)
    return one


def written(outputs: list[Output]) -> list[UspMessage]:
    return [framing.read(output.kind, output.data) for output in outputs if isinstance(output, Message)]


def paths(outputs: list[Output]) -> list[str]:
    return [message.path for message in written(outputs)]


def told(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if not isinstance(output, Message)]


def samples(outputs: list[Output]) -> bytes:
    """Return the samples of outputs, without any header."""
    audio = [message for message in written(outputs) if message.path == "audio"]
    return b"".join(message.body for message in audio if message.get("Content-Type") is None)


def body(message: UspMessage) -> Any:
    return json.loads(message.body)


def say(path: str, time: float = 2.0, turn: int = 1, /, **members: Any) -> Fragment:
    return Fragment(time, Kind.TEXT, framing.write(framing.text(path, f"{turn:032x}", members)).data)


def final(end_s: float, time: float = 2.0, turn: int = 1, status: str = "Success") -> Fragment:
    """Return a final that reaches from the turn's begin to `end_s`."""
    phrase = {"RecognitionStatus": status, "Offset": 0, "Duration": int(end_s * TICKS)}
    if status != "Success":
        return say(
            "translation.response", time, turn, SpeechPhrase=phrase, TranslationStatus="Success", Translations=[]
        )
    phrase["DisplayText"] = "Good morning."
    texts = [{"Language": "de", "Text": "Guten Morgen."}]
    return say("translation.response", time, turn, SpeechPhrase=phrase, TranslationStatus="Success", Translations=texts)


def ended(time: float = 3.0, turn: int = 1) -> Fragment:
    return say("turn.end", time, turn)


def pcm(seconds: float) -> bytes:
    size = int(seconds * SECOND)
    return bytes(index // 2 % 251 for index in range(size))


class TestOpening:
    def test_asks_for_a_connection_first(self) -> None:
        assert session().start() == [Dial()]

    def test_config_context_and_the_header_alone(self) -> None:
        config, context, header = written(session().opened(0.5, 1.0))
        assert (config.path, config.get("X-RequestId")) == ("speech.config", None)
        assert (context.path, context.request_id) == ("speech.context", f"{1:032x}")
        assert (header.path, header.body, header.request_id) == ("audio", build_header(STREAM), context.request_id)
        assert header.get("Content-Type") == "audio/x-wav"
        assert {message.get("X-Timestamp") for message in (config, context, header)} == {at(1.0)}

    def test_config_and_context_say_the_same_mode(self) -> None:
        config, context, _ = written(session(mode=Mode.DICTATION).opened(0.5, 1.0))
        assert body(config)["recognition"] == "dictation"
        assert body(context)["phraseDetection"]["mode"] == "Dictation"

    @pytest.mark.parametrize("mode", list(Mode))
    def test_what_it_says_is_as_the_schemas_have_it(self, mode: Mode) -> None:
        one = session(mode=mode)
        one.failed(0.0, 0.5, "Timeout", "nobody answers", retry=True)
        config, failed, context, _ = written(one.opened(0.5, 1.0))
        one.finish(1.0)
        one.receive(final(0.0))
        telemetry, *_ = written(one.receive(ended(turn=2)))
        validator("speech/speech-config").check(body(config))
        validator("speech/speech-context").check(body(context))
        validator("speech/telemetry").check(body(failed))
        validator("speech/telemetry").check(body(telemetry))

    def test_audio_that_is_there_already_follows(self) -> None:
        one = session()
        assert one.audio(bytes(CHUNK), 0.1) == []
        assert one.finish(0.2) == []
        assert paths(one.opened(0.5, 1.0))[3:] == ["audio", "audio"]


class TestAudio:
    def test_goes_in_chunks_of_100_ms_and_is_ended_by_an_empty_one(self) -> None:
        one = opened()
        outputs = one.audio(pcm(0.25), 1.0) + one.finish(1.0)
        assert [len(message.body) for message in written(outputs)] == [CHUNK, CHUNK, 1600, 0]
        assert samples(outputs) == pcm(0.25)
        assert {message.request_id for message in written(outputs)} == {f"{1:032x}"}

    def test_no_chunk_is_longer_than_8192_bytes(self) -> None:
        one = session(stream=PcmFormat(48_000, channels=2))
        one.opened(0.5, 1.0)
        assert [len(message.body) for message in written(one.audio(bytes(20_000), 1.0))] == [8192, 8192]

    def test_after_five_seconds_at_twice_the_pace_of_speech(self) -> None:
        one = opened()
        assert len(samples(one.audio(pcm(10), 1.0) + one.finish(1.0))) == 5 * SECOND
        assert one.next_deadline == 1.05
        assert samples(one.receive(Tick(1.04))) == b""
        assert len(samples(one.receive(Tick(2.0)))) == 2 * SECOND
        assert paths(one.receive(Tick(3.5)))[-1] == "audio"
        assert one.next_deadline == 43.5, "now it waits for the server"

    def test_without_a_limit_in_one_burst(self) -> None:
        one = opened(policy=ClientPolicy(speed=None))
        assert samples(one.audio(pcm(10), 1.0)) == pcm(10)

    def test_there_is_nothing_to_wait_for_while_more_is_to_come(self) -> None:
        one = opened()
        one.audio(pcm(0.25), 1.0)
        assert one.next_deadline is None
        assert one.receive(Tick(1000.0)) == []


class TestResults:
    def test_are_told_with_all_their_translations(self) -> None:
        one = opened()
        one.audio(pcm(2), 1.0)
        one.receive(say("turn.start"))
        hypothesis = {"Text": "good", "Offset": TICKS, "Duration": TICKS}
        [interim] = one.receive(
            say("translation.response", SpeechHypothesis=hypothesis, TranslationStatus="Success", Translations=[])
        )
        [result] = one.receive(final(1.5))
        assert isinstance(interim, Heard)
        assert isinstance(result, Heard)
        assert (interim.id, interim.offset, result.id) == ("0.1", TICKS, "0")
        assert [translation.text for translation in result.result.translations] == ["Guten Morgen."]

    def test_of_another_turn_are_no_matter(self) -> None:
        one = opened()
        assert one.receive(final(1.0, 2.0, 7)) == []

    def test_what_breaks_the_format_is_told_and_the_session_goes_on(self) -> None:
        one = opened()
        for broken in (Fragment(2.0, Kind.TEXT, b"nothing"), say("speech.startDetected", Offset="now")):
            [trouble] = one.receive(broken)
            assert isinstance(trouble, Trouble)
        assert len(one.receive(final(1.0))) == 1

    def test_an_id_in_another_spelling_breaks_the_echo(self) -> None:
        one = session(ids=["a" * 32])
        one.opened(0.5, 1.0)
        [trouble] = one.receive(Fragment(2.0, Kind.TEXT, framing.write(framing.text("turn.start", "A" * 32, {})).data))
        assert isinstance(trouble, Trouble)
        assert trouble.violation.requirement == "speech.turn.id-echo"

    def test_a_voice_is_joined(self) -> None:
        one = opened()
        one.receive(final(0.0))
        stream = (("X-StreamId", "1"),)
        start = framing.text("audio.start", f"{1:032x}", {"TranslationLanguage": "de"}, stream)
        end = framing.text("audio.end", f"{1:032x}", {"Status": "Success"}, stream)
        chunks = [framing.binary("audio", f"{1:032x}", data, stream) for data in (b"RI", b"FF")]
        outputs = [
            output
            for message in (start, *chunks, end)
            for output in one.receive(Fragment(2.0, message.kind, framing.write(message).data))
        ]
        assert outputs == [Voice(2.0, "0", "de", b"RIFF")]

    def test_a_message_or_a_voice_without_end_is_not_collected_for_ever(self) -> None:
        one = opened(policy=ClientPolicy(voice_bytes=200))
        close, over = one.receive(Fragment(2.0, Kind.BINARY, bytes(201), final=False))
        assert close == Close(1009, "a message is too long")
        assert over == Over(2.0, 1009, "a message is too long", False)
        one = opened(policy=ClientPolicy(voice_bytes=200))
        chunk = framing.write(framing.binary("audio", f"{1:032x}", bytes(110))).data
        assert one.receive(Fragment(2.0, Kind.BINARY, chunk)) == []
        close, over = one.receive(Fragment(3.0, Kind.BINARY, chunk))
        assert over == Over(3.0, 1009, "a voice is too long", False)


class TestTheEndOfATurn:
    def test_telemetry_lists_what_was_received_and_the_connection(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.5)
        one.finish(1.6)
        one.receive(say("turn.start", 1.7))
        one.receive(final(1.0))
        telemetry, *_ = written(one.receive(ended()))
        assert (telemetry.path, telemetry.request_id) == ("telemetry", f"{1:032x}")
        assert body(telemetry) == {
            "ReceivedMessages": [
                {"turn.start": [at(1.7)]},
                {"translation.response": [at(2.0)]},
                {"turn.end": [at(3.0)]},
            ],
            "Metrics": [CONNECTED, {"Name": "Microphone", "Start": at(1.5), "End": at(1.5)}],
        }

    def test_when_everything_is_acknowledged_the_client_closes(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        one.finish(1.0)
        one.receive(final(0.9995))
        assert told(one.receive(ended())) == [Close(1000, ""), Over(3.0, 1000, "", True)]
        assert one.next_deadline is None

    def test_what_is_not_gets_a_turn_of_its_own(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        one.finish(1.0)
        one.receive(final(0.75))
        outputs = one.receive(ended())
        assert paths(outputs) == ["telemetry", "speech.context", "audio", "audio", "audio", "audio", "audio"]
        assert samples(outputs) == pcm(1)[3 * SECOND // 4 :]
        assert {message.request_id for message in written(outputs)[1:]} == {f"{2:032x}"}
        outputs = one.receive(ended(4.0, 2))
        assert told(outputs) == [Close(1000, ""), Over(4.0, 1000, "", True)]
        [telemetry] = written(outputs)
        assert [metric["Name"] for metric in body(telemetry)["Metrics"]] == ["Microphone"]

    def test_in_mid_stream_the_next_turn_goes_on_behind_what_was_acknowledged(self) -> None:
        one = opened()
        one.audio(pcm(2), 1.0)
        one.receive(final(1.5))
        assert samples(one.receive(ended())) == pcm(2)[3 * SECOND // 2 :]
        [heard] = one.receive(final(0.25, 4.0, 2))
        assert isinstance(heard, Heard)
        assert heard.offset == 1.5 * TICKS
        assert samples(one.audio(pcm(1), 4.0)) == pcm(1)

    def test_after_end_detected_no_more_audio_is_sent_in_this_turn(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        one.receive(final(1.0))
        [empty] = written(one.receive(say("speech.endDetected", Offset=TICKS)))
        assert (empty.path, empty.body) == ("audio", b"")
        assert one.receive(say("speech.endDetected", Offset=TICKS)) == []
        assert one.audio(pcm(1), 2.5) == []
        assert samples(one.receive(ended())) == pcm(1)

    def test_turns_that_acknowledge_nothing_do_not_go_on_for_ever(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        for turn in range(1, 5):
            assert "speech.context" in paths(one.receive(ended(2.0, turn)))
        assert told(one.receive(ended(3.0, 5))) == [Close(1000, ""), Over(3.0, 1000, "", False)]

    def test_a_final_counts_them_anew(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        for turn in range(1, 5):
            one.receive(ended(2.0, turn))
        one.receive(final(0.5, 2.0, 5))
        for turn in range(5, 10):
            assert "speech.context" in paths(one.receive(ended(3.0, turn)))
        assert told(one.receive(ended(4.0, 10)))[-1] == Over(4.0, 1000, "", False)

    def test_nor_do_such_as_acknowledge_next_to_nothing(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        one.finish(1.0)
        for turn in range(1, 5):
            one.receive(final(0.05, 2.0, turn))
            assert "speech.context" in paths(one.receive(ended(2.0, turn)))
        one.receive(final(0.05, 2.0, 5))
        assert told(one.receive(ended(3.0, 5)))[-1] == Over(3.0, 1000, "", False)

    def test_such_as_acknowledge_a_message_each_do(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        for turn in range(1, 7):
            one.receive(final(0.1, 2.0, turn))
            assert "speech.context" in paths(one.receive(ended(2.0, turn)))

    def test_a_status_of_failure_ends_the_session(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        assert one.receive(final(1.0, status="TooManyRequests")) == [Failure(2.0, "TooManyRequests", "", True)]
        assert told(one.receive(ended())) == [Close(1000, ""), Over(3.0, 1000, "", False)]


class TestOneShot:
    def test_one_final_is_the_end(self) -> None:
        one = opened(mode=Mode.INTERACTIVE)
        one.audio(pcm(2), 1.0)
        outputs = one.receive(final(1.0))
        assert [message.body for message in written(outputs)] == [b""]
        assert one.audio(pcm(1), 2.5) == []
        assert told(one.receive(ended())) == [Close(1000, ""), Over(3.0, 1000, "", True)]

    def test_also_one_that_nobody_said_anything(self) -> None:
        one = opened(mode=Mode.INTERACTIVE)
        [heard, *_] = one.receive(final(5.0, status="InitialSilenceTimeout"))
        assert isinstance(heard, Heard)
        assert told(one.receive(ended()))[-1] == Over(3.0, 1000, "", True)

    def test_a_turn_without_a_final_is_incomplete(self) -> None:
        one = opened(mode=Mode.INTERACTIVE)
        one.receive(final(1.0, status="EndOfDictation"))
        assert told(one.receive(ended()))[-1] == Over(3.0, 1000, "", False)


class TestWaiting:
    def test_a_server_that_says_nothing_is_left(self) -> None:
        one = opened()
        one.finish(2.0)
        assert one.next_deadline == 42.0
        assert one.receive(Tick(41.9)) == []
        assert one.receive(Tick(42.0)) == [Close(1000, ""), Over(42.0, 1000, "", False)]

    def test_one_that_never_comes_to_an_end_too(self) -> None:
        one = opened()
        one.finish(2.0)
        for second in range(3, 122):
            one.receive(say("speech.startDetected", float(second), Offset=1))
        assert one.next_deadline == 122.0
        assert one.receive(Tick(122.0))[-1] == Over(122.0, 1000, "", False)


class TestReconnect:
    def test_after_250_ms_everything_that_was_not_acknowledged_is_sent_again(self) -> None:
        one = opened()
        one.audio(pcm(2), 1.0)
        one.receive(final(0.5))
        assert one.receive(GONE) == [Lost(2.0, 1006, "")]
        assert one.audio(pcm(1), 2.1) == [], "it waits for the next connection"
        assert one.next_deadline == 2.25
        assert one.receive(Tick(2.2)) == []
        assert one.receive(Tick(2.25)) == [Dial()]
        assert one.next_deadline is None
        outputs = one.opened(2.25, 2.5)
        assert paths(outputs)[:3] == ["speech.config", "speech.context", "audio"]
        assert {message.request_id for message in written(outputs)[1:]} == {f"{2:032x}"}
        assert samples(outputs) == (pcm(2) + pcm(1))[SECOND // 2 :]

    def test_offsets_go_on(self) -> None:
        one = opened()
        one.audio(pcm(2), 1.0)
        one.receive(final(0.5))
        one.receive(GONE)
        one.opened(2.25, 2.5)
        [heard] = one.receive(final(0.5, 3.0, 2))
        assert isinstance(heard, Heard)
        assert (heard.id, heard.offset) == ("1", TICKS // 2)

    def test_a_result_of_the_old_connection_no_longer_counts(self) -> None:
        one = opened()
        one.receive(GONE)
        assert one.receive(final(1.0)) == []
        assert one.receive(GONE) == []

    def test_attempts_that_failed_are_reported_on_the_next_connection(self) -> None:
        one = opened()
        one.receive(GONE)
        one.receive(Tick(2.25))
        assert one.failed(2.25, 3.0, "NoNetwork", "nobody is there", retry=True) == [Lost(3.0, 1006, "nobody is there")]
        one.receive(Tick(3.25))
        _, telemetry, context, _ = written(one.opened(3.25, 3.5))
        assert (telemetry.path, context.path) == ("telemetry", "speech.context")
        assert len({telemetry.request_id, context.request_id, f"{1:032x}"}) == 3
        assert body(telemetry) == {"Metrics": [CONNECTED | {"Start": at(2.25), "End": at(3.0), "Error": "NoNetwork"}]}
        one.receive(GONE)
        assert paths(one.opened(4.0, 4.5))[1] == "speech.context", "once"

    def test_gives_up_after_four_of_them(self) -> None:
        one = opened()
        for attempt in range(4):
            assert isinstance(one.receive(PeerClosed(float(attempt), 1011, "no"))[0], Lost)
            one.receive(Tick(attempt + 0.25))
            one.opened(attempt + 0.25, attempt + 0.5)
        assert one.receive(PeerClosed(9.0, 1011, "no")) == [Over(9.0, 1011, "no", False)]
        assert one.next_deadline is None
        assert one.receive(Tick(10.0)) == []

    def test_acknowledged_audio_counts_them_anew(self) -> None:
        one = opened()
        one.audio(pcm(1), 1.0)
        for attempt in range(4):
            one.receive(PeerClosed(float(attempt), 1011, "no"))
            one.opened(attempt + 0.25, attempt + 0.5)
        one.receive(final(0.5, 5.0, 5))
        for attempt in range(4):
            assert isinstance(one.receive(PeerClosed(9.0 + attempt, 1011, "no"))[0], Lost)
            one.opened(attempt + 9.25, attempt + 9.5)
        assert isinstance(one.receive(PeerClosed(19.0, 1011, "no"))[0], Over)

    @pytest.mark.parametrize("code", [1002, 1003, 1007, 4000])
    def test_not_where_the_next_one_would_end_alike(self, code: int) -> None:
        assert opened().receive(PeerClosed(2.0, code, "no")) == [Over(2.0, code, "no", False)]

    def test_not_after_a_refusal_that_stays(self) -> None:
        one = session()
        one.start()
        assert one.failed(0.5, 1.0, "Unauthorized", "401", retry=False) == [Over(1.0, 1006, "401", False)]
