"""What a client streams, and how it ends: each finding from both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conformance.judge.findings import Bench
from conformance.judge.translator.client_audio import RULES
from conformance.judge.translator.reading import View
from conformance.transcript import Ending
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
HEADER = build_header(PcmFormat(16_000))
AT_THE_LIMIT, ABOVE = (160).to_bytes(2, "little"), (-161).to_bytes(2, "little", signed=True)


def said(talk: Talk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


@pytest.fixture
def speaking(talk: Talk) -> Talk:
    """A client that has said something."""
    return talk.open().header().audio(100)


class TestHeader:
    """translator.client.header-first, pcm-format."""

    def test_of_16_khz_keeps_both(self, talk: Talk) -> None:
        talk.open().header().audio()
        assert said(talk, "header-first") == ["kept"]
        assert said(talk, "pcm-format") == ["kept"]

    def test_may_be_split_and_wait_behind_an_empty_message(self, talk: Talk) -> None:
        talk.open().sends(b"").sends(HEADER[:7]).sends(HEADER[7:])
        assert said(talk, "header-first") == ["kept"]
        assert {
            found.at for found in BENCH.judge(talk.transcript(), Party.CLIENT) if "header" in found.requirement
        } == {3}

    def test_of_another_rate_breaks_the_format(self, talk: Talk) -> None:
        talk.open().header(8000)
        assert said(talk, "header-first") == ["kept"]
        assert said(talk, "pcm-format") == ["8000 Hz; expected 16000 Hz"]

    def test_of_another_shape_breaks_the_format(self, talk: Talk) -> None:
        talk.open().sends(build_header(PcmFormat(16_000, channels=2)))
        assert said(talk, "header-first") == ["kept"]
        assert said(talk, "pcm-format") == ["2; expected 1 channel at offset 22"]

    def test_that_is_missing_is_broken(self, talk: Talk) -> None:
        talk.open().audio()
        assert said(talk, "header-first") == ["0x00; expected 0x52 of b'RIFF' at offset 0"]
        assert said(talk, "pcm-format") == []

    def test_that_stays_incomplete_is_broken(self, talk: Talk) -> None:
        assert said(talk.open().sends(HEADER[:43]), "header-first") == [
            "43 bytes of one; expected a complete RIFF/WAVE header"
        ]

    def test_without_audio_or_conversation_nothing_is_said(self, talk: Talk, new_talk: Callable[[], Talk]) -> None:
        assert said(talk.open().sends(b"").sends(b"text", kind=Kind.TEXT), "header-first") == []
        assert said(new_talk().ask().answer(400).header(), "header-first") == []


class TestBinaryOnly:
    """translator.client.binary-only."""

    NAME = "binary-only"

    def test_binary_messages_are_kept(self, speaking: Talk) -> None:
        assert said(speaking, self.NAME) == ["kept"]

    def test_a_text_message_is_broken_the_first_of_them(self, speaking: Talk) -> None:
        speaking.sends(b"hello \xff", kind=Kind.TEXT).sends(b"again", kind=Kind.TEXT)
        assert said(speaking, self.NAME) == ["a text message 'hello \ufffd'; expected binary messages only"]

    def test_no_message_shows_nothing(self, talk: Talk) -> None:
        assert said(talk.open(), self.NAME) == []


class TestChunks:
    """translator.client.chunk-size."""

    NAME = "chunk-size"

    def test_up_to_8_kib_behind_the_header_are_kept(self, talk: Talk) -> None:
        talk.open().sends(HEADER + bytes(8192)).sends(bytes(8192))
        assert said(talk, self.NAME) == ["kept"]

    def test_more_is_broken_and_counted(self, talk: Talk) -> None:
        talk.open().header().sends(bytes(8238)).sends(bytes(9000)).sends(bytes(64_000), kind=Kind.TEXT)
        assert said(talk, self.NAME) == [
            "8238 bytes in one, 2 such messages; expected messages of at most 256 ms (8236 bytes)"
        ]

    def test_a_message_is_measured_over_all_its_frames(self, talk: Talk) -> None:
        talk.open().header().sends(bytes(8000), final=False).sends(bytes(8000), first=False)
        assert said(talk, self.NAME)[0].startswith("16000 bytes in one, 1 such")

    def test_the_rate_is_that_of_the_stream(self, talk: Talk) -> None:
        talk.open().header(8000).sends(bytes(5000))
        assert said(talk, self.NAME)[0].endswith("256 ms (4140 bytes)")

    def test_without_a_good_header_nothing_is_said(self, talk: Talk) -> None:
        assert said(talk.open().sends(bytes(99_999)), self.NAME) == []


class TestSilence:
    """translator.client.silence: 2.5 s behind the last utterance."""

    NAME = "silence"

    def test_2_500_ms_are_kept(self, speaking: Talk) -> None:
        assert said(speaking.audio(2500, loud=False).wait(5).client_closes(), self.NAME) == ["kept"]

    def test_a_sample_less_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.sends(bytes(2 * 39_999)).client_closes(), self.NAME)[0].startswith("2499 ms;")

    def test_less_of_a_client_that_leaves_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.audio(2400, loud=False).client_closes(), self.NAME) == [
            "2400 ms; expected 2500 ms of silence behind the last utterance"
        ]

    def test_less_of_a_client_that_stops_and_waits_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.audio(1000, loud=False).wait(3).final(), self.NAME)[0].startswith("1000 ms;")
        assert said(speaking.wait(3).client_closes(), self.NAME)[0].startswith("1000 ms;")

    def test_less_of_a_client_that_waits_in_vain_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.wait(2.1).barrier(), self.NAME) == [
            "0 ms; expected 2500 ms of silence behind the last utterance"
        ]

    def test_less_is_enough_when_the_final_comes_at_once(self, speaking: Talk) -> None:
        assert said(speaking.audio(800, loud=False).wait(0.5).final().client_closes(), self.NAME) == []

    def test_a_client_that_may_still_be_sending_shows_nothing(self, speaking: Talk) -> None:
        assert said(speaking.audio(100).wait(1).barrier(), self.NAME) == []

    def test_a_session_that_the_server_ends_shows_nothing(self, speaking: Talk) -> None:
        assert said(speaking.wait(9).server_closes().client_closes(), self.NAME) == []
        assert said(speaking, self.NAME) == []

    def test_an_answered_close_does_not_excuse_it(self, speaking: Talk) -> None:
        assert said(speaking.client_closes().server_closes(), self.NAME)[0].startswith("0 ms;")

    def test_a_stream_of_silence_alone_shows_nothing(self, talk: Talk) -> None:
        assert said(talk.open().header().audio(100, loud=False).client_closes(), self.NAME) == []

    def test_a_stream_without_a_header_shows_nothing(self, talk: Talk) -> None:
        assert said(talk.open().audio().client_closes(), self.NAME) == []

    @pytest.mark.parametrize(("sample", "quiet"), [(AT_THE_LIMIT, "2000 ms"), (ABOVE, "0 ms")])
    def test_what_nobody_hears_is_silence(self, speaking: Talk, sample: bytes, quiet: str) -> None:
        assert said(speaking.sends(sample * 32_000).client_closes(), self.NAME)[0].startswith(f"{quiet};")

    def test_half_a_sample_at_the_end_is_left_out(self, speaking: Talk) -> None:
        assert said(speaking.audio(2500, loud=False).sends(b"\x7f").client_closes(), self.NAME) == ["kept"]


class TestEnding:
    """translator.client.closes, close-code."""

    def test_a_close_with_1000_keeps_both(self, speaking: Talk) -> None:
        speaking.client_closes().server_closes()
        assert said(speaking, "closes") == ["kept"]
        assert said(speaking, "close-code") == ["kept"]

    def test_another_code_is_broken(self, speaking: Talk) -> None:
        speaking.client_closes(1001)
        assert said(speaking, "closes") == ["kept"]
        assert said(speaking, "close-code") == ["1001; expected close code 1000"]

    def test_an_end_without_a_close_frame_is_broken(self, speaking: Talk) -> None:
        speaking.final().ended(Party.CLIENT, Ending.RESET)
        assert said(speaking, "closes") == ["the connection ended (reset); expected a close frame"]
        assert said(speaking, "close-code") == []

    def test_a_client_that_is_still_there_shows_nothing(self, speaking: Talk) -> None:
        assert said(speaking, "closes") == []

    def test_an_end_that_the_server_brought_about_shows_nothing(
        self, speaking: Talk, new_talk: Callable[[], Talk]
    ) -> None:
        assert said(speaking.ended(Party.SERVER), "closes") == []
        for talk in (
            new_talk().open().header().server_closes().ended(Party.CLIENT),
            new_talk().open().header().server_closes().client_closes(1001),
        ):
            assert said(talk, "closes") == []
            assert said(talk, "close-code") == []

    def test_a_client_that_never_streamed_may_end_as_it_likes(self, talk: Talk) -> None:
        assert said(talk.open().ended(Party.CLIENT), "closes") == []
        assert said(talk.audio().ended(Party.CLIENT), "closes") == []


class TestWaitsForFinal:
    """translator.client.waits-for-final."""

    NAME = "waits-for-final"

    def test_a_close_behind_the_final_of_the_last_word_is_kept(self, speaking: Talk) -> None:
        assert said(speaking.audio(2500, loud=False).final().client_closes(), self.NAME) == ["kept"]

    def test_a_close_before_any_result_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.client_closes(), self.NAME) == [
            "a close before it; expected the final of the last utterance before the close"
        ]

    def test_a_close_behind_a_partial_is_broken(self, speaking: Talk) -> None:
        assert said(speaking.partial().client_closes(), self.NAME)[0].startswith("a close behind a partial;")

    def test_the_final_of_an_earlier_utterance_is_not_enough(self, speaking: Talk) -> None:
        assert said(speaking.final().audio().client_closes(), self.NAME)[0].startswith("a close before it;")

    def test_the_last_word_may_be_the_first_sample_of_its_message(self, speaking: Talk) -> None:
        speaking.final().sends(ABOVE + bytes(3198)).client_closes()
        assert said(speaking, self.NAME)[0].startswith("a close before it;")

    def test_the_last_word_may_be_the_last_sample_of_its_message(self, speaking: Talk) -> None:
        speaking.sends(bytes(3198) + ABOVE).final().sends(bytes(3200)).client_closes()
        assert said(speaking, self.NAME) == ["kept"]

    def test_a_final_that_comes_behind_the_close_is_too_late(self, speaking: Talk) -> None:
        assert said(speaking.client_closes().final().server_closes(), self.NAME)[0].startswith("a close before it;")

    def test_a_session_that_the_server_ends_shows_nothing(self, speaking: Talk) -> None:
        assert said(speaking.server_closes().client_closes(), self.NAME) == []

    def test_a_client_that_said_nothing_has_nothing_to_wait_for(self, talk: Talk) -> None:
        assert said(talk.open().header().audio(loud=False).client_closes(), self.NAME) == []

    def test_a_client_that_stays_shows_nothing(self, speaking: Talk) -> None:
        assert said(speaking.final(), self.NAME) == []


class TestPlaces:
    """Findings stand at the entry that shows them."""

    def test_of_what_is_said_and_left(self, speaking: Talk) -> None:
        speaking.audio(200, loud=False).final().barrier().client_closes(1001).server_closes()
        assert speaking.places(BENCH, Party.CLIENT) == {
            "client.header-first": [2],
            "client.pcm-format": [2],
            "client.binary-only": [2],
            "client.chunk-size": [4],
            "client.closes": [7],
            "client.close-code": [7],
            "client.waits-for-final": [7],
        }

    def test_of_what_is_wrong(self, speaking: Talk) -> None:
        speaking.sends(b"x", kind=Kind.TEXT).audio(1000, loud=False).wait(5).barrier().ended(Party.CLIENT)
        assert speaking.places(BENCH, Party.CLIENT) == {
            "client.header-first": [2],
            "client.pcm-format": [2],
            "client.binary-only": [4],
            "client.chunk-size": [5],
            "client.silence": [5],
            "client.closes": [7],
        }

    def test_of_a_close_that_comes_too_soon(self, speaking: Talk) -> None:
        places = speaking.audio(2500, loud=False).barrier().client_closes().places(BENCH, Party.CLIENT)
        assert places["client.silence"] == [4]
        assert places["client.close-code"] == places["client.waits-for-final"] == [6]
