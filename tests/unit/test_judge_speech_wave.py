"""The header of a client's audio, as far as it takes to measure what follows."""

from __future__ import annotations

import pytest

from conformance.judge.speech.wave import Wave, begins_like_one, read_wave
from protocol.audio import PcmFormat
from protocol.riff import build_header

HEADER = build_header(PcmFormat(16_000))
MU_LAW = bytes.fromhex(
    "524946460000000057415645666d7420100000000700010040 1f0000401f0000010008006461746100000000".replace(" ", "")
)


class TestRead:
    def test_is_measured(self) -> None:
        found = read_wave(HEADER + bytes(100))
        assert found == Wave(1, 1, 16_000, 32_000, 16, 44)
        assert found.ticks(32_000) == 10_000_000

    def test_takes_any_format(self) -> None:
        assert read_wave(MU_LAW) == Wave(7, 1, 8000, 8000, 8, 44)
        assert read_wave(build_header(PcmFormat(48_000, 2))) == Wave(1, 2, 48_000, 192_000, 16, 44)

    def test_may_have_other_chunks_and_a_longer_fmt(self) -> None:
        found = read_wave(build_header(PcmFormat(8000), fmt_size=18, extra_chunks=((b"LIST", b"abc"),)))
        assert found is not None
        assert found.length == 44 + 2 + 12

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            HEADER[:43],
            b"RIFF1234WAVX" + HEADER[12:],
            b"OggS" + bytes(60),
            HEADER[:12] + HEADER[36:],
            HEADER[:28] + bytes(4) + HEADER[32:],
        ],
        ids=["empty", "part", "no wave", "another container", "no fmt", "no byte rate"],
    )
    def test_what_cannot_be_measured_is_none(self, data: bytes) -> None:
        assert read_wave(data) is None


class TestBeginnings:
    @pytest.mark.parametrize("data", [HEADER, b"RI", b"OggS...", b"#!SILK_V3"])
    def test_of_containers_are_known(self, data: bytes) -> None:
        assert begins_like_one(data)

    @pytest.mark.parametrize("data", [bytes(44), b"RIFX", b"R0"])
    def test_of_samples_are_not(self, data: bytes) -> None:
        assert not begins_like_one(data)
