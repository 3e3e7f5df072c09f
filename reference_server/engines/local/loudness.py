"""Voices of one loudness, whoever speaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from reference_server.engines.base import LONGEST_VOICE_S, VOICE_RATE

LOUDNESS_DBFS = -20.0
_PEAK = 0.98
_SILENT = 1e-4


def voice(samples: npt.NDArray[Any], rate: int) -> bytes:
    """Return samples between -1 and 1 as 16-bit mono PCM at VOICE_RATE, their speech at LOUDNESS_DBFS (RMS)."""
    samples = np.asarray(samples, dtype=np.float32)[: LONGEST_VOICE_S * rate]
    if rate != VOICE_RATE and len(samples):
        samples = np.asarray(soxr.resample(samples, rate, VOICE_RATE), dtype=np.float32)
    loud = np.abs(samples) > _SILENT
    if not loud.any():
        return bytes(2 * len(samples))
    level = float(np.sqrt(np.mean(np.square(samples[loud], dtype=np.float64))))
    gain = min(10 ** (LOUDNESS_DBFS / 20) / level, _PEAK / float(np.abs(samples).max()))
    return np.rint(samples * gain * 32767).astype("<i2").tobytes()
