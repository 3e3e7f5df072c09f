"""What is spoken, and the files that it is sent as."""

from __future__ import annotations

import pytest

from protocol.audio import PcmFormat, rms_dbfs
from protocol.languages import PUBLISHED, Voice
from protocol.riff import parse_file
from reference_server.endpointing import Ended, Endpointer, Endpointing
from reference_server.engines.base import LONGEST_VOICE_S, VOICE_RATE
from reference_server.engines.tones import speak
from reference_server.voice import mp3, wav

MARIA, DANIEL = PUBLISHED.voices["pt-BR-Maria"], PUBLISHED.voices["pt-BR-Daniel"]
TEXT = "Eu gostaria de uma xícara de café."


def spoken(text: str = TEXT, voice: Voice = MARIA) -> bytes:
    return b"".join(speak(text, voice, 60, -20.0))


class TestTones:
    def test_are_the_same_each_time(self) -> None:
        assert spoken() == spoken()

    def test_differ_by_voice_and_by_text(self) -> None:
        assert len({spoken(), spoken(voice=DANIEL), spoken("Bom dia a todos, e muito obrigado.")}) == 3

    def test_are_as_long_as_the_text(self) -> None:
        assert len(spoken()) == len(TEXT) * 1920

    @pytest.mark.parametrize("text", ["a", TEXT, "我想要一杯咖啡。", "\N{GRINNING FACE}", "a b c d e f g"])
    def test_are_audible(self, text: str) -> None:
        assert rms_dbfs(spoken(text)) > -30

    def test_are_speech_to_our_own_ear(self) -> None:
        endpointer = Endpointer(PcmFormat(VOICE_RATE), Endpointing(growth_ms=None))
        found = endpointer.feed(spoken() + bytes(64_000))
        (ended,) = [event for event in found if isinstance(event, Ended)]
        assert ended.span.size > 0.95 * len(spoken())

    def test_end_where_nobody_would_listen_any_more(self) -> None:
        assert len(spoken("a" * 4000)) == LONGEST_VOICE_S * VOICE_RATE * 2

    def test_of_nothing_are_nothing(self) -> None:
        assert spoken("") == b""


class TestWav:
    def test_is_a_complete_file(self) -> None:
        header, pcm = parse_file(b"".join(wav(spoken())))
        assert header.format == PcmFormat(VOICE_RATE)
        assert pcm == spoken()


class TestMp3:
    def test_is_a_mono_stream_of_64_kbit_per_second(self) -> None:
        data = b"".join(mp3(spoken()))
        head = int.from_bytes(data[:4], "big")
        assert head >> 21 == 0x7FF, "frame sync"
        assert head >> 19 & 3 == 2, "MPEG version 2, which has 16 kHz"
        assert head >> 17 & 3 == 1, "layer III"
        assert head >> 12 & 15 == 8, "64 kbit/s"
        assert head >> 10 & 3 == 2, "16 kHz"
        assert head >> 6 & 3 == 3, "mono"
        seconds = len(spoken()) / 32_000
        assert len(data) == pytest.approx(8000 * seconds, rel=0.15)

    def test_comes_in_pieces_of_a_second(self) -> None:
        assert len(list(mp3(spoken()))) == 4
