"""What a client streams: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.client_audio import RULES
from conformance.judge.speech.reading import View
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import Headers, Party
from tests.unit.speech_transcript import TWO, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"
CHUNK = 3200


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect().config().context()


def said(talk: SpeechTalk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


class TestHeader:
    """speech.client.audio-format, audio-content-type."""

    def test_of_16_khz_with_its_type_is_kept(self, talk: SpeechTalk) -> None:
        talk.riff().speech(100)
        assert said(talk, "audio-format") == said(talk, "audio-content-type") == ["kept"]

    @pytest.mark.parametrize("shape", [PcmFormat(48_000), PcmFormat(16_000, 2), PcmFormat(16_000, bits=8)])
    def test_of_another_shape_is_told(self, talk: SpeechTalk, shape: PcmFormat) -> None:
        seen = f"format 1, {shape.channels} channels, {shape.bits} bits at {shape.rate} Hz"
        assert said(talk.chunk(build_header(shape)), "audio-format") == [
            f"{seen}; expected mono 16-bit PCM at 16000 Hz"
        ]

    @pytest.mark.parametrize(("headers", "seen"), [((), "none"), ((("Content-Type", "audio/mpeg"),), "'audio/mpeg'")])
    def test_of_another_type_is_told(self, talk: SpeechTalk, headers: Headers, seen: str) -> None:
        talk.chunk(build_header(PcmFormat(16_000)), headers=headers)
        assert said(talk, "audio-content-type") == [f"{seen}; expected audio/x-wav"]

    def test_none_shows_no_format(self, talk: SpeechTalk) -> None:
        talk.speech(100)
        assert said(talk, "audio-format") == []
        assert said(talk, "audio-content-type") == ["none; expected audio/x-wav"]

    def test_is_not_judged_where_there_is_none_or_it_was_meant_badly(self, talk: SpeechTalk) -> None:
        assert talk.stop().places(BENCH, Party.CLIENT).keys() == {
            "client.chunk-size",
            "client.end",
            "client.nothing-after-end",
        }
        talk.chunk(b"RIFF?", deliberate=MARK)
        assert said(talk, "audio-content-type") == []


class TestChunks:
    NAME = "chunk-size"

    def test_up_to_8192_bytes_are_kept(self, talk: SpeechTalk) -> None:
        assert said(talk.riff().chunk(bytes(8192)), self.NAME) == ["kept"]

    def test_more_is_told_once_a_turn(self, talk: SpeechTalk) -> None:
        talk.riff().chunk(bytes(8193)).chunk(bytes(9000))
        assert said(talk, self.NAME) == [
            "8193 bytes in one, 2 such messages; expected 8192 bytes in an audio message at the most"
        ]

    def test_what_was_meant_badly_or_is_missing_shows_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk, self.NAME) == []
        assert said(talk.chunk(bytes(9000), deliberate=MARK), self.NAME) == []


class TestPace:
    NAME = "pace"

    def stream(self, talk: SpeechTalk, chunks: int, gap: float) -> SpeechTalk:
        talk.riff()
        for _ in range(chunks):
            talk.chunk(bytes(CHUNK))
            talk.wait(gap - 0.1)
        return talk

    def test_five_seconds_at_once_are_kept(self, talk: SpeechTalk) -> None:
        assert said(self.stream(talk, 50, 0.001), self.NAME) == ["kept"]

    def test_twice_real_time_is_kept(self, talk: SpeechTalk) -> None:
        assert said(self.stream(talk, 150, 0.05), self.NAME) == ["kept"]

    def test_more_is_told(self, talk: SpeechTalk) -> None:
        assert said(self.stream(talk, 100, 0.001), self.NAME)[0].endswith(
            "expected 5 s of audio at once and 2 s in a second from then on"
        )

    def test_what_cannot_be_measured_or_was_meant_so_shows_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk.riff(), self.NAME) == []
        assert said(SpeechTalk().connect().context().speech(9000).speech(9000), self.NAME) == []
        assert said(talk.speech(9000).chunk(b"", deliberate=MARK), self.NAME) == []


class TestEnds:
    """speech.client.end, nothing-after-end."""

    def test_an_empty_message_at_the_end_is_kept(self, talk: SpeechTalk) -> None:
        talk.riff().speech().stop()
        assert said(talk, "end") == said(talk, "nothing-after-end") == ["kept"]

    def test_none_before_the_close_is_told(self, talk: SpeechTalk) -> None:
        talk.riff().speech().client_closes()
        assert said(talk, "end") == ["none; expected an empty audio message before the close"]

    def test_none_is_needed_where_the_client_has_not_done(self) -> None:
        ends = [SpeechTalk().connect().begin() for _ in range(5)]
        ends[0].done().client_closes()
        ends[1].chunk(bytes(9000), deliberate=MARK).client_closes()
        ends[2].context(identity=TWO).client_closes()
        ends[3].server_closes(1001).client_closes()
        for talk in ends:
            assert said(talk, "end") == []
        silent = SpeechTalk().connect().context()
        silent.client_closes()
        assert said(silent, "end") == []

    @pytest.mark.parametrize(("payload", "seen"), [(b"12", "2 bytes"), (b"", "a second empty message")])
    def test_more_behind_it_is_told_also_behind_turn_end(self, talk: SpeechTalk, payload: bytes, seen: str) -> None:
        talk.riff().stop().says("turn.start").done().chunk(payload)
        assert said(talk, "nothing-after-end") == [f"{seen}; expected no more audio of this turn"]

    def test_what_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        talk.riff().stop().chunk(b"12", deliberate=MARK)
        assert said(talk, "nothing-after-end") == ["kept"]
        bad = SpeechTalk().connect().context().riff().chunk(b"", deliberate=MARK).speech()
        assert said(bad, "nothing-after-end") == said(bad, "end") == []


class TestAfterDetection:
    NAME = "stops-at-end-detected"

    def test_a_client_that_stops_is_kept(self, talk: SpeechTalk) -> None:
        talk.riff().says("turn.start").detected("end").speech().stop().wait(5).context(identity=TWO)
        assert said(talk, self.NAME) == ["kept"]

    def test_a_client_that_leaves_is_kept(self, talk: SpeechTalk) -> None:
        talk.riff().says("turn.start").detected("end").client_closes()
        assert said(talk, self.NAME) == ["kept"]

    def test_a_client_that_goes_on_is_told(self, talk: SpeechTalk) -> None:
        talk.riff().says("turn.start").detected("end").wait(2).speech()
        assert said(talk, self.NAME) == ["some 2.1 s behind it; expected no audio behind speech.endDetected"]

    def test_a_client_that_may_still_do_either_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.riff().says("turn.start")
        assert said(talk, self.NAME) == []
        assert said(talk.detected("end").speech(), self.NAME) == []
