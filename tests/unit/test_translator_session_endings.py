"""How a conversation in `translator` ends: a class for each group of requirements."""

from __future__ import annotations

import pytest

from protocol.audio import PcmFormat
from protocol.errors import LocalViolation
from protocol.events import (
    AudioEnded,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Silence,
    Span,
    Speech,
)
from protocol.riff import build_header
from protocol.translator import order
from protocol.translator.session import LABELS
from protocol.wire import Close, Kind, Party, PeerClosed
from tests.unit.translator_stage import EARLY, HEADER, OPENED, PARTIAL, SECOND, TTS, Stage, phrase


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
        assert stage.session.result(Silence(OPENED + 9, 180 * SECOND - 2, 180 * SECOND - 2)) == []
        assert stage.session.takes_audio

    def test_at_the_limit_ends(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.session.result(Silence(OPENED + 9, 180 * SECOND, 180 * SECOND)) == [AudioEnded(flush=True)]
        _, close = stage.session.result(Drained(OPENED + 9))
        assert close == Close(1000, "Normal closure: silence was received for too long")

    def test_is_audio_time_at_the_streams_own_rate(self) -> None:
        stage = Stage()
        stage.begin(build_header(PcmFormat(8000)))
        assert stage.session.result(Silence(OPENED, 180 * 16_000, 180 * 16_000)) == [AudioEnded(flush=True)]

    def test_is_no_news_to_a_session_that_ends_already(self) -> None:
        stage = Stage()
        stage.begin()
        stage.session.shutdown(OPENED)
        assert stage.session.result(Silence(OPENED, 180 * SECOND, 180 * SECOND)) == []


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

    @pytest.mark.parametrize(
        "status", ["Error", "BadRequest", "Forbidden", "TooManyRequests", "ServiceUnavailable", "Whatever"]
    )
    def test_a_recognition_that_failed_is_one(self, status: str) -> None:
        stage = Stage(TTS)
        stage.begin()
        assert stage.session.result(phrase(status=status)) == [
            AudioEnded(flush=False),
            Close(1011, f"Internal Server Error: the recognition failed: {status}"),
        ]


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
        [
            Hypothesis(OPENED, Span(0, SECOND), "a", ("b",)),
            phrase(),
            Speech(OPENED, b"RIFF"),
            Silence(OPENED, SECOND, SECOND),
        ],
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
            Silence(OPENED, 1 << 40, 1 << 40),
            Fault(OPENED, 1011, "late"),
            Drained(OPENED),
        ):
            assert stage.session.result(event) == []
        assert stage.session.next_deadline is None
        assert not stage.session.takes_audio
