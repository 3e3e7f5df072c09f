"""Linear PCM: bytes, ticks and milliseconds, and loudness."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.audio import TICKS_PER_SECOND, PcmFormat, rms_dbfs

PCM16K = PcmFormat(16000)

formats = st.builds(
    PcmFormat,
    rate=st.integers(8000, 48000),
    channels=st.integers(1, 8),
    bits=st.sampled_from([8, 16, 24, 32]),
)


class TestPcmFormat:
    def test_the_documented_stream_is_16_bit_mono(self) -> None:
        assert PcmFormat(rate=16000, channels=1, bits=16) == PCM16K
        assert PCM16K.block_align == 2
        assert PCM16K.bytes_per_second == 32000

    def test_other_shapes_can_be_described(self) -> None:
        assert PcmFormat(44100, channels=2, bits=24).block_align == 6
        assert PcmFormat(44100, channels=2, bits=24).bytes_per_second == 264_600
        assert PcmFormat(1, channels=1, bits=8).bytes_per_second == 1

    @pytest.mark.parametrize(
        ("rate", "channels", "bits"), [(0, 1, 16), (-8000, 1, 16), (8000, 0, 16), (8000, 1, 0), (8000, 1, 12)]
    )
    def test_a_shape_that_no_sound_has_is_refused(self, rate: int, channels: int, bits: int) -> None:
        with pytest.raises(ValueError, match=f"no PCM has {rate} Hz, {channels} channels and {bits} bits"):
            PcmFormat(rate, channels, bits)


class TestTicks:
    """Media time on the wire is in ticks of 100 ns; at 32,000 bytes per second a byte is 312.5 of them."""

    @pytest.mark.parametrize(
        ("size", "ticks"),
        [(0, 0), (2, 625), (3200, 1_000_000), (32000, TICKS_PER_SECOND), (1, 313), (3, 938), (5, 1563)],
    )
    def test_bytes_to_ticks_rounds_half_a_tick_upwards(self, size: int, ticks: int) -> None:
        assert PCM16K.bytes_to_ticks(size) == ticks

    @pytest.mark.parametrize(
        ("rate", "size", "ticks"), [(8000, 2, 1250), (22050, 2, 454), (22050, 44100, 10_000_000), (48000, 2, 208)]
    )
    def test_the_streams_own_rate_counts(self, rate: int, size: int, ticks: int) -> None:
        assert PcmFormat(rate).bytes_to_ticks(size) == ticks

    @pytest.mark.parametrize(("ticks", "size"), [(0, 0), (312, 0), (313, 2), (625, 2), (937, 2), (938, 4)])
    def test_ticks_to_bytes_gives_whole_samples(self, ticks: int, size: int) -> None:
        assert PCM16K.ticks_to_bytes(ticks) == size

    def test_no_precision_is_lost_in_ninety_minutes(self) -> None:
        size = 90 * 60 * 96000 - 2
        assert PcmFormat(48000).bytes_to_ticks(size) == 90 * 60 * TICKS_PER_SECOND - 208

    @given(pcm=formats, instants=st.integers(0, 1 << 40))
    def test_whole_instants_survive_the_way_through_ticks(self, pcm: PcmFormat, instants: int) -> None:
        size = instants * pcm.block_align
        assert pcm.ticks_to_bytes(pcm.bytes_to_ticks(size)) == size

    @given(pcm=formats, size=st.integers(0, 1 << 40))
    def test_ticks_are_off_by_half_a_tick_at_most(self, pcm: PcmFormat, size: int) -> None:
        error = pcm.bytes_to_ticks(size) * pcm.bytes_per_second - size * TICKS_PER_SECOND
        assert abs(error) * 2 <= pcm.bytes_per_second


class TestMilliseconds:
    @pytest.mark.parametrize(
        ("rate", "ms", "size"),
        [(16000, 100, 3200), (16000, 2500, 80000), (8000, 1, 16), (22050, 1, 44), (22050, 10, 442), (16000, 0, 0)],
    )
    def test_ms_to_bytes_gives_whole_samples(self, rate: int, ms: int, size: int) -> None:
        assert PcmFormat(rate).ms_to_bytes(ms) == size

    @given(pcm=formats, ms=st.integers(0, 1 << 32))
    def test_milliseconds_and_ticks_agree(self, pcm: PcmFormat, ms: int) -> None:
        assert pcm.ms_to_bytes(ms) == pcm.ticks_to_bytes(ms * 10_000)


class TestLoudness:
    @pytest.mark.parametrize("pcm", [b"", bytes(3200)])
    def test_silence_has_no_loudness(self, pcm: bytes) -> None:
        assert rms_dbfs(pcm) == float("-inf")

    @pytest.mark.parametrize(
        ("sample", "dbfs"), [(-32768, 0.0), (16384, -6.0206), (-16384, -6.0206), (328, -39.9915), (1, -90.309)]
    )
    def test_a_square_wave_has_the_loudness_of_its_level(self, sample: int, dbfs: float) -> None:
        assert rms_dbfs(struct.pack("<h", sample) * 800) == pytest.approx(dbfs, abs=1e-3)

    def test_a_full_sine_is_three_decibels_below_a_full_square(self) -> None:
        samples = [round(32767 * math.sin(math.tau * n / 40)) for n in range(16000)]
        assert rms_dbfs(struct.pack("<16000h", *samples)) == pytest.approx(-3.01, abs=0.01)

    def test_half_a_sample_is_refused(self) -> None:
        with pytest.raises(ValueError, match="multiple"):
            rms_dbfs(b"\1\2\3")
