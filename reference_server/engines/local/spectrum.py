"""What Whisper looks at: the logarithm of the energy in bands of the mel scale, a hundred times a second."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

RATE = 16_000
HOP = 160
_FRAME = 400
_DYNAMICS = 8.0  # in powers of ten

Floats = npt.NDArray[np.float32]


def log_mel(samples: Floats, seconds: float, bands: int) -> Floats:
    """Return `bands` x frames of samples between -1 and 1 at 16 kHz, cut or filled with silence to so many seconds."""
    length = int(seconds * RATE)
    padded = np.pad(samples[:length], (0, max(0, length - len(samples))))
    padded = np.pad(padded, _FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::HOP][: length // HOP]
    power = np.abs(np.fft.rfft(frames * _window(), axis=1)) ** 2
    levels = np.log10(np.maximum(power @ filters(bands).T, 1e-10)).T
    levels = np.maximum(levels, levels.max() - _DYNAMICS)
    return np.ascontiguousarray((levels + 4) / 4, dtype=np.float32)


@cache
def filters(bands: int) -> Floats:
    """Return the triangular filters, bands x 201, each of the same area (Slaney's mel scale)."""
    frequencies = np.linspace(0, RATE / 2, _FRAME // 2 + 1)
    corners = _hertz(np.linspace(0.0, float(_mel(RATE / 2)), bands + 2))
    width = np.diff(corners)
    distance = corners[:, None] - frequencies[None]
    rising, falling = -distance[:-2] / width[:-1, None], distance[2:] / width[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * (2 / (corners[2:] - corners[:-2]))[:, None], dtype=np.float32)


@cache
def _window() -> Floats:
    return np.asarray(np.hanning(_FRAME + 1)[:-1], dtype=np.float32)


# The scale is linear up to 1 kHz, which is 15 mel, and logarithmic above: 27 mel for each factor of 6.4.


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))
