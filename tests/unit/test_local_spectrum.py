"""The spectrum that Whisper looks at, against a slow formula that shares nothing with the fast one."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from reference_server.engines.local.spectrum import RATE, Floats, filters, log_mel

FRAME, HOP = 400, 160


def tone(hertz: float, level: float = 0.5, seconds: float = 1.0) -> Floats:
    at = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(level * np.sin(2 * np.pi * hertz * at), dtype=np.float32)


def corner(mel: float) -> float:
    """Hertz: 200 for 3 mel up to 1 kHz; above that 27 mel make it 6.4 times as much."""
    return mel * 200 / 3 if mel <= 15 else 1000 * math.pow(6.4, (mel - 15) / 27)


def weight(band: int, bands: int, hertz: float) -> float:
    """The filter's triangle, whose area is 1 Hz."""
    top = 15 + 27 * math.log(8) / math.log(6.4)
    low, middle, high = (corner(top * (band + i) / (bands + 1)) for i in range(3))
    if not low < hertz < high:
        return 0.0
    side = (hertz - low) / (middle - low) if hertz <= middle else (high - hertz) / (high - middle)
    return side * 2 / (high - low)


def slow(samples: Floats, frame: int, bands: int) -> list[float]:
    """The powers of ten of one frame's bands; what lies before the first sample is its mirror image."""
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / FRAME) for n in range(FRAME)]
    heard = [float(samples[abs(frame * HOP - FRAME // 2 + n)]) * window[n] for n in range(FRAME)]
    turn = -2j * math.pi / FRAME
    powers = [abs(sum(h * cmath.exp(turn * k * n) for n, h in enumerate(heard))) ** 2 for k in range(FRAME // 2 + 1)]
    totals = (sum(weight(band, bands, k * RATE / FRAME) * p for k, p in enumerate(powers)) for band in range(bands))
    return [math.log10(max(total, 1e-10)) for total in totals]


class TestLogMel:
    @pytest.mark.parametrize("bands", [80, 128])
    def test_is_what_the_formula_says(self, bands: int) -> None:
        noise = 0.1 * np.random.default_rng(4).standard_normal(RATE)
        samples = np.asarray(noise + tone(440) + tone(3100, 0.2), dtype=np.float32)
        found = log_mel(samples, 1.0, bands)
        for frame in (0, 1, 2, 50, 96):
            expected = [(level + 4) / 4 for level in slow(samples, frame, bands)]
            assert found[:, frame] == pytest.approx(expected, abs=1e-4)

    @pytest.mark.parametrize(("seconds", "bands", "frames"), [(1.0, 80, 100), (15.0, 80, 1500), (30.0, 128, 3000)])
    def test_has_a_hundred_frames_a_second(self, seconds: float, bands: int, frames: int) -> None:
        found = log_mel(tone(440), seconds, bands)
        assert found.shape == (bands, frames)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous

    def test_fills_up_with_silence(self) -> None:
        samples = tone(440)
        filled = np.concatenate([samples, np.zeros(RATE, dtype=np.float32)])
        assert np.array_equal(log_mel(samples, 2.0, 80), log_mel(filled, 2.0, 80))

    def test_cuts_off_what_is_longer(self) -> None:
        assert np.array_equal(log_mel(tone(440, seconds=3.0), 2.0, 80), log_mel(tone(440, seconds=2.0), 2.0, 80))

    @pytest.mark.parametrize("length", [0, 1, 199])
    def test_takes_what_is_shorter_than_a_frame(self, length: int) -> None:
        assert np.isfinite(log_mel(np.full(length, 0.1, dtype=np.float32), 1.0, 80)).all()

    def test_of_silence_is_the_least_there_is(self) -> None:
        assert log_mel(np.zeros(RATE, dtype=np.float32), 1.0, 80) == pytest.approx(-1.5, abs=1e-6)

    def test_a_tenth_of_the_amplitude_is_half_a_unit(self) -> None:
        loud, quiet = (float(log_mel(tone(1000, level), 1.0, 80).max()) for level in (0.5, 0.05))
        assert loud - quiet == pytest.approx(0.5, abs=1e-3)

    def test_spans_eight_powers_of_ten(self) -> None:
        found = log_mel(tone(1000), 2.0, 80)
        assert float(found.max() - found.min()) == pytest.approx(2.0, abs=1e-5)

    @pytest.mark.parametrize("hertz", [200, 1000, 2500, 6000])
    def test_a_tone_is_in_the_band_that_is_nearest(self, hertz: int) -> None:
        found = log_mel(tone(hertz), 1.0, 80)[:, 50]
        assert int(found.argmax()) == max(range(80), key=lambda band: weight(band, 80, hertz))


class TestFilters:
    def test_of_whisper(self) -> None:
        """The second number is one that is published with the models."""
        assert filters(80)[0, 1] == pytest.approx(0.02486259400844574, abs=1e-8)

    @pytest.mark.parametrize("bands", [80, 128])
    def test_cover_the_spectrum(self, bands: int) -> None:
        found = filters(bands)
        assert found.shape == (bands, FRAME // 2 + 1)
        assert found.min() >= 0
        assert (found.max(axis=1) > 0).all()
