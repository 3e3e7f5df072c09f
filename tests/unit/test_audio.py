"""Linear PCM: bytes, ticks and milliseconds, loudness, and other samples that become PCM."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.audio import TICKS_PER_SECOND, Codec, PcmFormat, rms_dbfs, to_mono16

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


@dataclass(frozen=True, slots=True)
class Sound:
    """Says how samples are written, as a header does."""

    format: PcmFormat
    codec: Codec = Codec.PCM


def mono(data: bytes, channels: int = 1, bits: int = 16, codec: Codec = Codec.PCM) -> tuple[int, ...]:
    """Return the samples of the 16-bit mono PCM that these bytes become."""
    pcm = to_mono16(data, Sound(PcmFormat(16000, channels, bits), codec))
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def decision_of_alaw(code: int) -> int:
    """Return a sample by the words of G.711: the middle of its interval, in 16 bits."""
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 15
    size = 16 * step + 8 if segment == 0 else (16 * step + 8 + 256) << segment - 1
    return size if code >= 128 else -size


def decision_of_mulaw(code: int) -> int:
    """Return a sample by the words of G.711, in 16 bits."""
    code = 255 - code
    size = (((2 * (code & 15) + 33) << (code >> 4 & 7)) - 33) * 4
    return -size if code >= 128 else size


class TestToMono16:
    def test_what_is_so_already_stays(self) -> None:
        data = struct.pack("<4h", 1, -2, 32767, -32768)
        assert to_mono16(data, Sound(PCM16K)) == data

    def test_no_audio_is_no_audio(self) -> None:
        for shape in (PCM16K, PcmFormat(8000, channels=8), PcmFormat(8000, bits=8)):
            assert to_mono16(b"", Sound(shape)) == b""

    @pytest.mark.parametrize(
        ("samples", "channels", "expected"),
        [
            ((100, 200, -100, -200), 2, (150, -150)),
            ((32767, 32767, -32768, -32768), 2, (32767, -32768)),
            ((1, 2, -1, -2), 2, (2, -1)),
            ((3, 3, 4), 3, (3,)),
            ((8, 0, 0, 0, 0, 0, 0, 0), 8, (1,)),
        ],
    )
    def test_channels_are_averaged(self, samples: tuple[int, ...], channels: int, expected: tuple[int, ...]) -> None:
        assert mono(struct.pack(f"<{len(samples)}h", *samples), channels) == expected

    def test_eight_bits_of_pcm_are_unsigned(self) -> None:
        assert mono(bytes([128, 129, 127, 0, 255]), bits=8) == (0, 256, -256, -32768, 32512)
        assert mono(bytes([129, 127]), channels=2, bits=8) == (0,)

    def test_alaw_is_that_of_g711(self) -> None:
        every = bytes(range(256))
        assert mono(every, bits=8, codec=Codec.ALAW) == tuple(map(decision_of_alaw, every))
        assert mono(bytes([0xD5, 0x55, 0xAA, 0x2A]), bits=8, codec=Codec.ALAW) == (8, -8, 32256, -32256)

    def test_mulaw_is_that_of_g711(self) -> None:
        every = bytes(range(256))
        assert mono(every, bits=8, codec=Codec.MULAW) == tuple(map(decision_of_mulaw, every))
        assert mono(bytes([0xFF, 0x7F, 0x80, 0x00]), bits=8, codec=Codec.MULAW) == (0, 0, 32124, -32124)

    def test_coded_channels_are_averaged_as_sound(self) -> None:
        assert mono(bytes([0x80, 0xFF]), channels=2, bits=8, codec=Codec.MULAW) == (16062,)

    @pytest.mark.parametrize(("channels", "bits", "size"), [(1, 16, 3), (2, 16, 2), (2, 8, 1)])
    def test_half_a_block_is_refused(self, channels: int, bits: int, size: int) -> None:
        with pytest.raises(ValueError, match=f"{size} bytes are no whole blocks of {channels * bits // 8} bytes"):
            mono(bytes(size), channels, bits)

    @pytest.mark.parametrize(
        ("bits", "codec", "words"), [(24, Codec.PCM, "24 bits in PCM"), (16, Codec.MULAW, "16 bits in mu-law")]
    )
    def test_other_samples_are_refused(self, bits: int, codec: Codec, words: str) -> None:
        with pytest.raises(ValueError, match=f"samples of {words} are not taken"):
            mono(bytes(6), bits=bits, codec=codec)

    def test_codecs_have_names(self) -> None:
        assert [codec.label for codec in Codec] == ["PCM", "A-law", "mu-law"]
