"""The server's side of a conversation in `translator`: a class for each group of requirements."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.audio import PcmFormat
from protocol.errors import LocalViolation
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Silence,
    Span,
    Speech,
)
from protocol.riff import build_header
from protocol.translator import order
from protocol.translator.handshake import Feature, ProfanityAction, ProfanityMarker, SpeechRequest
from protocol.translator.policy import Policy
from protocol.translator.session import LABELS, Output, ServerSession
from protocol.wire import Close, Fragment, Kind, Message, Party, PeerClosed, Tick

PARTIAL, TIMING, TTS = Feature.PARTIAL, Feature.TIMING_INFO, Feature.TEXT_TO_SPEECH
PCM = PcmFormat(16_000)
HEADER = build_header(PCM)
OPENED = 100.0
EARLY = "translator.session.no-server-message-before-audio"
SECOND = PCM.bytes_per_second


class Stage:
    """A session with a pipeline played by the test."""

    def __init__(self, *features: Feature, policy: Policy | None = None, **request: Any) -> None:
        asked = SpeechRequest("en-US", "it", frozenset(features), **request)
        self.session = ServerSession(asked, policy or Policy(), OPENED)

    def hear(self, data: bytes, at: float = OPENED, kind: Kind = Kind.BINARY) -> list[Output]:
        return self.session.receive(Fragment(at, kind, data))

    def begin(self, header: bytes = HEADER) -> None:
        self.hear(header)

    def tick(self, at: float) -> list[Output]:
        return self.session.receive(Tick(at))

    def guess(self, end: int, *, start: int = 0, text: str = "he", at: float = OPENED) -> list[dict[str, Any]]:
        return members(self.session.result(Hypothesis(at, Span(start, end - start), text, (f"it:{text}",))))

    def phrase(self, start: int = 0, size: int = SECOND, text: str = "hello") -> list[dict[str, Any]]:
        return members(self.session.result(phrase(start, size, text)))


def phrase(start: int = 0, size: int = SECOND, text: str = "hello", **more: Any) -> Phrase:
    return Phrase(OPENED, Span(start, size), text, (f"it:{text}" if text else "",), **more)


def members(outputs: list[Output]) -> list[dict[str, Any]]:
    """Return the JSON of what is sent: text messages in one frame, and nothing else."""
    found = []
    for output in outputs:
        assert isinstance(output, Message)
        assert output.kind is Kind.TEXT
        (data,) = output.fragments
        found.append(json.loads(data))
    return found


class TestHeader:
    """translator.audio.header-*, header-first, format, extra-chunks, rates."""

    def test_starts_the_pipeline_with_its_format(self) -> None:
        assert Stage().hear(HEADER) == [AudioStarted(PCM)]

    def test_audio_in_the_same_message_follows_at_once(self) -> None:
        assert Stage().hear(HEADER + b"\1\2\3\4") == [AudioStarted(PCM), Audio(b"\1\2\3\4")]

    @pytest.mark.parametrize("rate", [8000, 22050, 48000])
    def test_the_rate_is_the_clients_choice(self, rate: int) -> None:
        stream = PcmFormat(rate)
        assert Stage().hear(build_header(stream)) == [AudioStarted(stream)]

    def test_may_have_46_bytes_and_extra_chunks(self) -> None:
        header = build_header(PCM, fmt_size=18, extra_chunks=[(b"LIST", b"abc")])
        assert Stage().hear(header + b"\1\2") == [AudioStarted(PCM), Audio(b"\1\2")]

    @given(st.lists(st.integers(0, len(HEADER) + 6), max_size=8))
    def test_may_be_split_anywhere(self, cuts: list[int]) -> None:
        stage, wire = Stage(), HEADER + b"\1\2\3\4\5\6"
        places = sorted({0, len(wire), *cuts})
        outputs = [out for start, end in pairwise(places) for out in stage.hear(wire[start:end])]
        assert outputs[0] == AudioStarted(PCM)
        assert b"".join(out.data for out in outputs[1:] if isinstance(out, Audio)) == b"\1\2\3\4\5\6"

    @pytest.mark.parametrize("size", [2, 3200, 0xFFFFFFFF])
    def test_audio_goes_on_past_the_size_that_it_declares(self, size: int) -> None:
        stage = Stage()
        stage.begin(build_header(PCM, data_size=size))
        assert stage.hear(bytes(6400)) == [Audio(bytes(6400))]

    def test_something_else_is_closed_with_1003_and_the_place(self) -> None:
        assert Stage().hear(b"\0\0\0\0") == [
            AudioEnded(flush=False),
            Close(1003, "Invalid Message Type: audio header, offset 0: expected 0x52 of b'RIFF', got 0x00"),
        ]

    def test_a_format_that_is_not_taken_is_closed_with_1003_and_the_field(self) -> None:
        stage = Stage()
        _, close = stage.hear(build_header(PcmFormat(16_000, channels=2)))
        assert close == Close(1003, "Invalid Message Type: audio header, offset 22: expected 1 channel, got 2")
        assert not stage.session.open

    @pytest.mark.parametrize("name", [b"\xc3\xa9\xff\xff", b"\0\0\0\0"])
    def test_the_reason_fits_into_a_close_frame(self, name: bytes) -> None:
        _, close = Stage().hear(HEADER[:12] + name)
        assert isinstance(close, Close)
        assert 0 < len(close.reason.encode()) <= 123

    def test_until_it_is_complete_nothing_happens(self) -> None:
        stage = Stage()
        assert stage.hear(HEADER[:20]) == []
        assert stage.session.order.state(Party.SERVER) == order.MUTE


class TestAudio:
    """translator.audio.chunk-any-size, fragmented, unfinished-message, empty-message, text-message."""

    def test_is_passed_on_as_it_comes(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.hear(bytes(3200)) == [Audio(bytes(3200))]
        assert stage.hear(b"\1\2") == [Audio(b"\1\2")]

    def test_is_taken_frame_by_frame_also_of_a_message_that_never_ends(self) -> None:
        stage = Stage()
        stage.begin()
        for number in range(5):
            part = Fragment(OPENED, Kind.BINARY, b"\1\2", first=number == 0, final=False)
            assert stage.session.receive(part) == [Audio(b"\1\2")]

    @pytest.mark.parametrize("header", [b"", HEADER], ids=["before the header", "behind it"])
    def test_an_empty_message_is_ignored_and_counts_as_no_audio(self, header: bytes) -> None:
        stage = Stage()
        stage.begin(header)
        before = stage.session.next_deadline
        assert stage.hear(b"", at=OPENED + 50) == []
        assert stage.session.next_deadline == before

    @pytest.mark.parametrize("header", [b"", HEADER], ids=["before the header", "behind it"])
    def test_a_text_message_is_closed_with_1003(self, header: bytes) -> None:
        stage = Stage()
        stage.begin(header)
        ended, close = stage.hear(b"hello", kind=Kind.TEXT)
        assert ended == AudioEnded(flush=False)
        assert close == Close(1003, "Invalid Message Type: text messages are not taken; send audio in binary messages")


class TestOddBytes:
    """translator.audio.odd-bytes: an odd byte waits for its partner."""

    def test_half_a_sample_is_held_back(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.hear(b"\1\2\3") == [Audio(b"\1\2")]
        assert stage.hear(b"\4\5") == [Audio(b"\3\4")]
        assert stage.hear(b"\6") == [Audio(b"\5\6")]

    def test_a_single_byte_alone_gives_nothing(self) -> None:
        stage = Stage()
        assert stage.hear(HEADER + b"\1") == [AudioStarted(PCM)]
        assert stage.hear(b"\2") == [Audio(b"\1\2")]

    @given(st.lists(st.binary(max_size=7)))
    def test_samples_stay_whole_and_none_is_lost(self, parts: list[bytes]) -> None:
        stage = Stage()
        stage.begin()
        passed = [out.data for part in parts for out in stage.hear(part) if isinstance(out, Audio)]
        whole = b"".join(parts)
        assert all(len(data) % 2 == 0 and data for data in passed)
        assert b"".join(passed) == whole[: len(whole) & ~1]


class TestPartials:
    """translator.partial.*: only on request, at most one for every 300 ms of audio."""

    def test_are_not_sent_unless_asked_for(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.guess(SECOND) == []

    def test_have_type_id_and_both_texts(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        assert stage.guess(SECOND) == [{"type": "partial", "id": "0.1", "recognition": "he", "translation": "it:he"}]

    def test_the_first_waits_until_its_utterance_has_300_ms(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        assert stage.guess(9598) == []
        assert len(stage.guess(9600)) == 1

    def test_the_next_waits_for_300_ms_more(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        ids = [found["id"] for end in range(9600, 48001, 3200) for found in stage.guess(end)]
        assert ids == ["0.1", "0.2", "0.3", "0.4", "0.5"]

    def test_the_interval_is_audio_time_at_the_streams_own_rate(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin(build_header(PcmFormat(8000)))
        assert len(stage.guess(4800)) == 1
        assert stage.guess(9598) == []
        assert len(stage.guess(9600)) == 1

    def test_the_interval_is_a_policy(self) -> None:
        stage = Stage(PARTIAL, policy=Policy(partial_interval_ms=0))
        stage.begin()
        assert [found["id"] for _ in range(2) for found in stage.guess(2)] == ["0.1", "0.2"]

    def test_a_new_utterance_counts_its_own_audio(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        stage.guess(SECOND)
        stage.phrase(0, SECOND)
        assert stage.guess(SECOND + 9598, start=SECOND) == []
        assert stage.guess(SECOND + 9600, start=SECOND)[0]["id"] == "1.1"


class TestIds:
    """translator.final.id-*, partial.major-shared, minor-grows."""

    def test_finals_count_from_0(self) -> None:
        stage = Stage()
        stage.begin()
        assert [found["id"] for _ in range(3) for found in stage.phrase()] == ["0", "1", "2"]

    def test_partials_bear_the_number_of_the_final_that_will_follow(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        heard = [*stage.guess(9600), *stage.guess(19200), *stage.phrase(), *stage.guess(9600), *stage.phrase()]
        assert [found["id"] for found in heard] == ["0.1", "0.2", "0", "1.1", "1"]

    def test_partials_that_were_held_back_leave_no_gap(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        heard = [*stage.guess(9600), *stage.guess(9602), *stage.guess(19200)]
        assert [found["id"] for found in heard] == ["0.1", "0.2"]


class TestFinals:
    """translator.final.always, fields, empty-translation."""

    def test_come_whatever_was_asked_for(self) -> None:
        for features in ((), (PARTIAL,), (TIMING,), (TTS,)):
            stage = Stage(*features)
            stage.begin()
            (found,) = stage.phrase()
            assert (found["type"], found["recognition"], found["translation"]) == ("final", "hello", "it:hello")

    def test_of_nothing_said_have_empty_texts(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.phrase(text="") == [{"type": "final", "id": "0", "recognition": "", "translation": ""}]


class TestTiming:
    """translator.timing.*: four integers on request, ticks that follow from the bytes."""

    def test_is_not_sent_unless_asked_for(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        for found in (*stage.guess(9600), *stage.phrase()):
            assert not any(name.startswith("audio") for name in found)

    def test_partials_and_finals_have_it(self) -> None:
        stage = Stage(PARTIAL, TIMING)
        stage.begin()
        partial, final = *stage.guess(41600, start=32000), *stage.phrase(32000, 16000)
        assert [partial[name] for name in order_of_timing()] == [10_000_000, 3_000_000, 32000, 9600]
        assert [final[name] for name in order_of_timing()] == [10_000_000, 5_000_000, 32000, 16000]

    def test_ticks_are_those_of_the_streams_own_rate(self) -> None:
        stage = Stage(TIMING)
        stage.begin(build_header(PcmFormat(22050)))
        (final,) = stage.phrase(44100, 22050)
        assert (final["audioTimeOffset"], final["audioTimeSize"]) == (10_000_000, 5_000_000)


def order_of_timing() -> tuple[str, ...]:
    return ("audioTimeOffset", "audioTimeSize", "audioStreamPosition", "audioSizeBytes")


class TestProfanity:
    """translator.profanity.*: both texts, partials too."""

    RUDE = frozenset({"damn"})

    def test_the_default_marks_with_asterisks(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        guess = Hypothesis(OPENED, Span(0, 9600), "damn it", ("damn esso",), self.RUDE)
        final = Phrase(OPENED, Span(0, 9600), "damn it", ("damn esso",), self.RUDE)
        for found in (*members(stage.session.result(guess)), *members(stage.session.result(final))):
            assert (found["recognition"], found["translation"]) == ("*** it", "*** esso")

    @pytest.mark.parametrize(
        ("action", "marker", "expected"),
        [
            (ProfanityAction.NO_ACTION, ProfanityMarker.ASTERISK, "damn it"),
            (ProfanityAction.MARKED, ProfanityMarker.TAG, "<profanity>damn</profanity> it"),
            (ProfanityAction.DELETED, ProfanityMarker.ASTERISK, " it"),
        ],
    )
    def test_the_request_may_ask_for_another_treatment(
        self, action: ProfanityAction, marker: ProfanityMarker, expected: str
    ) -> None:
        stage = Stage(profanity=action, marker=marker)
        stage.begin()
        final = Phrase(OPENED, Span(0, 9600), "damn it", ("",), self.RUDE)
        assert members(stage.session.result(final))[0]["recognition"] == expected

    def test_a_translation_that_is_deleted_altogether_has_no_voice(self) -> None:
        stage = Stage(TTS, profanity=ProfanityAction.DELETED)
        stage.begin()
        stage.session.result(Phrase(OPENED, Span(0, 2), "damn", ("damn",), self.RUDE))
        assert stage.session.order.state(Party.SERVER) == order.LISTENING


class TestVoice:
    """translator.voice.*: one message behind the final, in frames of bounded size."""

    def test_follows_its_final_in_frames_of_16_kib(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.phrase()
        (voice,) = stage.session.result(Speech(OPENED, bytes(40_000)))
        assert isinstance(voice, Message)
        assert voice.kind is Kind.BINARY
        assert [len(part) for part in voice.fragments] == [16_384, 16_384, 7_232]

    def test_is_due_before_the_next_result(self) -> None:
        stage = Stage(TTS, PARTIAL)
        stage.begin()
        stage.phrase()
        for event in (Hypothesis(OPENED, Span(SECOND, SECOND), "a", ("b",)), phrase()):
            with pytest.raises(LocalViolation) as caught:
                stage.session.result(event)
            assert caught.value.requirement == "translator.voice.before-next-text"
        stage.session.result(Speech(OPENED, b"RIFF"))
        assert stage.phrase()[0]["id"] == "1"

    def test_there_is_none_for_an_empty_translation(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.phrase(text="")
        with pytest.raises(LocalViolation) as caught:
            stage.session.result(Speech(OPENED, b"RIFF"))
        assert caught.value.requirement == "translator.voice.one-message"
        assert stage.phrase()[0]["id"] == "1"

    def test_there_is_none_unless_asked_for(self) -> None:
        stage = Stage()
        stage.begin()
        stage.phrase()
        with pytest.raises(LocalViolation):
            stage.session.result(Speech(OPENED, b"RIFF"))


class TestIdle:
    """translator.close.idle: 600 s without audio, then 1000."""

    def test_the_deadline_is_600_s_after_the_last_audio(self) -> None:
        stage = Stage()
        assert stage.session.next_deadline == OPENED + 600
        stage.begin()
        stage.hear(b"\1\2", at=OPENED + 30)
        assert stage.session.next_deadline == OPENED + 630

    def test_before_it_nothing_happens(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.tick(OPENED + 599.9) == []

    def test_without_a_header_the_session_closes_at_once(self) -> None:
        stage = Stage()
        assert stage.tick(OPENED + 600) == [
            AudioEnded(flush=False),
            Close(1000, "Normal closure: no audio was received for too long"),
        ]

    def test_with_audio_what_is_in_flight_comes_first(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.tick(OPENED + 600) == [AudioEnded(flush=True)]
        assert stage.phrase()[0]["id"] == "0"
        _, close = stage.session.result(Drained(OPENED + 601))
        assert close == Close(1000, "Normal closure: no audio was received for too long")

    def test_half_a_header_counts_as_audio_that_came(self) -> None:
        stage = Stage()
        stage.hear(HEADER[:20], at=OPENED + 10)
        assert stage.session.next_deadline == OPENED + 610


class TestMaximumDuration:
    """translator.close.max-duration: 90 minutes, then 1000."""

    def test_comes_however_busy_the_client_is(self) -> None:
        stage = Stage()
        stage.begin()
        for minute in range(90):
            stage.hear(b"\1\2", at=OPENED + 60 * minute + 1)
        stage.hear(b"\1\2", at=OPENED + 5399)
        assert stage.session.next_deadline == OPENED + 5400
        assert stage.tick(OPENED + 5399.9) == []
        assert stage.tick(OPENED + 5400) == [AudioEnded(flush=True)]
        _, close = stage.session.result(Drained(OPENED + 5400))
        assert close == Close(1000, "Normal closure: the maximum session duration is reached")


class TestSilence:
    """translator.close.silence: 180 s of audio that is silence, then 1000."""

    def test_below_the_limit_goes_on(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.session.result(Silence(OPENED + 9, 180 * SECOND - 2)) == []
        assert stage.session.takes_audio

    def test_at_the_limit_ends(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.session.result(Silence(OPENED + 9, 180 * SECOND)) == [AudioEnded(flush=True)]
        _, close = stage.session.result(Drained(OPENED + 9))
        assert close == Close(1000, "Normal closure: silence was received for too long")

    def test_is_audio_time_at_the_streams_own_rate(self) -> None:
        stage = Stage()
        stage.begin(build_header(PcmFormat(8000)))
        assert stage.session.result(Silence(OPENED, 180 * 16_000)) == [AudioEnded(flush=True)]

    def test_is_no_news_to_a_session_that_ends_already(self) -> None:
        stage = Stage()
        stage.begin()
        stage.session.shutdown(OPENED)
        assert stage.session.result(Silence(OPENED, 180 * SECOND)) == []


class TestDraining:
    """An ending session takes no more audio, lets results out, and does not wait for ever."""

    def test_audio_is_dropped(self) -> None:
        stage = Stage()
        stage.begin()
        stage.tick(OPENED + 600)
        assert not stage.session.takes_audio
        assert stage.hear(bytes(3200), at=OPENED + 600.5) == []
        assert stage.hear(b"text", kind=Kind.TEXT) == []

    def test_results_and_voices_still_go_out(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.session.shutdown(OPENED)
        assert stage.phrase()[0]["id"] == "0"
        assert len(stage.session.result(Speech(OPENED, b"RIFF"))) == 1

    def test_the_pipeline_has_10_s(self) -> None:
        stage = Stage()
        stage.begin()
        stage.session.shutdown(OPENED + 5)
        assert stage.session.next_deadline == OPENED + 15
        assert stage.tick(OPENED + 14.9) == []
        assert stage.tick(OPENED + 15) == [
            AudioEnded(flush=False),
            Close(1001, "Endpoint Unavailable: the server is going away"),
        ]
        assert stage.session.next_deadline is None

    def test_drained_without_an_end_means_nothing(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.session.result(Drained(OPENED)) == []
        assert stage.session.takes_audio


class TestShutdown:
    """translator.close.going-away: finals in flight, then 1001."""

    def test_without_audio_closes_at_once(self) -> None:
        assert Stage().session.shutdown(OPENED) == [
            AudioEnded(flush=False),
            Close(1001, "Endpoint Unavailable: the server is going away"),
        ]

    def test_with_audio_finals_come_first(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.session.shutdown(OPENED) == [AudioEnded(flush=True)]
        stage.phrase()
        assert stage.session.result(Drained(OPENED)) == [
            AudioEnded(flush=False),
            Close(1001, "Endpoint Unavailable: the server is going away"),
        ]

    def test_a_session_that_ends_already_keeps_its_reason(self) -> None:
        stage = Stage()
        stage.begin()
        stage.tick(OPENED + 600)
        assert stage.session.shutdown(OPENED + 601) == []
        _, close = stage.session.result(Drained(OPENED + 602))
        assert close == Close(1000, "Normal closure: no audio was received for too long")

    def test_a_session_that_is_over_stays_so(self) -> None:
        stage = Stage()
        stage.session.shutdown(OPENED)
        assert stage.session.shutdown(OPENED) == []


class TestFault:
    """translator.close.server-error: the engine's failure ends the session with its code."""

    @pytest.mark.parametrize("draining", [False, True])
    def test_closes_at_once(self, draining: bool) -> None:
        stage = Stage()
        stage.begin()
        if draining:
            stage.session.shutdown(OPENED)
        assert stage.session.result(Fault(OPENED, 1011, "the recogniser failed")) == [
            AudioEnded(flush=False),
            Close(1011, "Internal Server Error: the recogniser failed"),
        ]
        assert not stage.session.open


class TestReason:
    """translator.close.reason, label: the documented name of the code, then why, in at most 123 bytes."""

    @pytest.mark.parametrize(
        ("code", "why", "reason"),
        [
            (1011, "", "Internal Server Error"),
            (4000, "out of tea", "out of tea"),
            (1011, "é" * 100, "Internal Server Error: " + "é" * 50),
            (1011, "e" * 200, "Internal Server Error: " + "e" * 100),
            (1000, "x" + "é" * 100, "Normal closure: x" + "é" * 53),
        ],
    )
    def test_of_a_fault(self, code: int, why: str, reason: str) -> None:
        _, close = Stage().session.result(Fault(OPENED, code, why))
        assert close == Close(code, reason)

    def test_of_every_close_begins_with_a_label_of_the_documents(self) -> None:
        assert LABELS == {
            1000: "Normal closure",
            1001: "Endpoint Unavailable",
            1003: "Invalid Message Type",
            1011: "Internal Server Error",
        }


class TestErrors:
    """What our own side does wrong is an error, and leaves the session as it was."""

    @pytest.mark.parametrize(
        "event",
        [Hypothesis(OPENED, Span(0, SECOND), "a", ("b",)), phrase(), Speech(OPENED, b"RIFF"), Silence(OPENED, SECOND)],
    )
    def test_results_before_the_header(self, event: FromPipeline) -> None:
        stage = Stage(PARTIAL, TTS)
        with pytest.raises(LocalViolation) as caught:
            stage.session.result(event)
        assert caught.value.requirement == EARLY
        assert stage.session.order.state(Party.SERVER) == order.MUTE
        stage.begin()
        assert stage.phrase()[0]["id"] == "0"

    def test_a_text_that_cannot_be_sent(self) -> None:
        stage = Stage(PARTIAL, TTS)
        stage.begin()
        half = "\ud83d"
        for event in (
            Hypothesis(OPENED, Span(0, SECOND), half, ("",)),
            phrase(text=half),
            phrase(text=half),
        ):
            with pytest.raises(LocalViolation) as caught:
                stage.session.result(event)
            assert caught.value.requirement == "translator.result.text-json"
            assert stage.session.order.state(Party.SERVER) == order.LISTENING
        assert stage.guess(SECOND)[0]["id"] == "0.1"
        assert stage.phrase()[0]["id"] == "0"

    def test_a_voice_for_a_partial(self) -> None:
        stage = Stage(PARTIAL, TTS)
        stage.begin()
        stage.guess(SECOND)
        with pytest.raises(LocalViolation) as caught:
            stage.session.result(Speech(OPENED, b"RIFF"))
        assert caught.value.requirement == "translator.voice.never-for-partial"
        assert stage.guess(2 * SECOND)[0]["id"] == "0.2"


class TestPeerCloses:
    """A close of the client drops what is open."""

    @pytest.mark.parametrize("header", [b"", HEADER], ids=["before the header", "behind it"])
    @pytest.mark.parametrize("code", [1000, 1006])
    def test_ends_the_pipeline_without_its_results(self, header: bytes, code: int) -> None:
        stage = Stage()
        stage.begin(header)
        assert stage.session.receive(PeerClosed(OPENED, code, "")) == [AudioEnded(flush=False)]
        assert not stage.session.open

    def test_also_while_the_session_drains(self) -> None:
        stage = Stage()
        stage.begin()
        stage.session.shutdown(OPENED)
        assert stage.session.receive(PeerClosed(OPENED, 1000, "")) == [AudioEnded(flush=False)]
        assert stage.session.result(Drained(OPENED)) == []


class TestNothingAfterTheEnd:
    """translator.session.no-data-after-close."""

    @pytest.mark.parametrize("own", [True, False])
    def test_nothing_is_taken_and_nothing_is_said(self, own: bool) -> None:
        stage = Stage(PARTIAL, TTS)
        stage.begin()
        if own:
            stage.hear(b"text", kind=Kind.TEXT)
        else:
            stage.session.receive(PeerClosed(OPENED, 1000, ""))
        assert stage.hear(bytes(3200)) == []
        assert stage.tick(OPENED + 10_000) == []
        assert stage.session.receive(PeerClosed(OPENED, 1000, "")) == []
        for event in (
            Hypothesis(OPENED, Span(0, SECOND), "a", ("b",)),
            phrase(),
            Speech(OPENED, b"RIFF"),
            Silence(OPENED, 1 << 40),
            Fault(OPENED, 1011, "late"),
            Drained(OPENED),
        ):
            assert stage.session.result(event) == []
        assert stage.session.next_deadline is None
        assert not stage.session.takes_audio
