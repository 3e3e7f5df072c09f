"""Knows the recordings of the speech corpus by how their utterances begin.

A fingerprint is 20 frames of 20 ms: how loud each one is, and how often its signal crosses zero. Both are taken at
8 kHz, so that the sender's rate does not matter, relative to their mean, so that its level does not, and compared at
shifts of 5 ms, so that it does not matter where an utterance was found to begin.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import soxr

import schemas
from protocol.audio import PcmFormat
from protocol.events import Span
from protocol.riff import parse_file
from reference_server.endpointing import Ended, Endpointer, Endpointing

NEEDED_MS = 400
"""How much of an utterance has to be heard before it can be known."""

_RATE = 8000
_FRAME = _RATE // 50
_FRAMES = NEEDED_MS // 20
_HOP = _FRAME // 4
_SHIFT_MS = 60  # to either side
_DYNAMICS_DB = 40.0
_CROSSING_DB = 60.0  # what crossing zero at each sample weighs against loudness
_THRESHOLD_DB = 4.0

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Known:
    """An utterance of the corpus: `part` counts those of `recording` from 0."""

    recording: str
    part: int


@dataclass(frozen=True, slots=True)
class _Library:
    """The fingerprints of the corpus, one for each shift: `prints[n]` is one of `known[n]`."""

    known: tuple[Known, ...]
    prints: _Floats


def recognise(pcm: bytes, pcm_format: PcmFormat) -> Known | None:
    """Return which utterance of the corpus begins like this one, or None; also if less than NEEDED_MS is there."""
    needed = pcm_format.ms_to_bytes(NEEDED_MS)
    if len(pcm) < needed:
        return None
    heard = _centred(_features(_resampled(pcm[:needed], pcm_format.rate), _FRAME)[:_FRAMES])
    library = _library()
    distances = 2 * np.mean(np.abs(library.prints - heard), axis=(1, 2))
    nearest = int(np.argmin(distances))
    return library.known[nearest] if distances[nearest] < _THRESHOLD_DB else None


@cache
def parts() -> dict[str, int]:
    """Return how many utterances each recording of the corpus has."""
    counts = {str(entry["id"]): 0 for entry in _manifest()}
    for known in set(_library().known):
        counts[known.recording] += 1
    return counts


@cache
def languages() -> dict[str, str]:
    """Return the speech key of what is spoken in each recording of the corpus."""
    return {str(entry["id"]): str(entry["language"]) for entry in _manifest()}


def _centred(features: _Floats) -> _Floats:
    loudness = np.maximum(features[:, 0], features[:, 0].max() - _DYNAMICS_DB)
    return np.column_stack((loudness - loudness.mean(), features[:, 1]))


def _features(samples: _Floats, hop: int) -> _Floats:
    """Return loudness in dB and weighed zero crossings of each whole frame, one frame for each `hop` samples."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::hop]
    frames = frames - frames.mean(axis=1, keepdims=True)
    loudness = 10 * np.log10(np.maximum(np.mean(frames**2, axis=1), 1e-9))
    crossings = np.mean(np.signbit(frames[:, 1:]) != np.signbit(frames[:, :-1]), axis=1)
    return np.column_stack((loudness, crossings * _CROSSING_DB))


def _resampled(pcm: bytes, rate: int) -> _Floats:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768.0
    if rate == _RATE:
        return samples
    resampled: _Floats = soxr.resample(samples, rate, _RATE)
    return resampled


@cache
def _library() -> _Library:
    found = [pair for entry in _manifest() for pair in _prints(str(entry["id"]), str(entry["file"]))]
    return _Library(tuple(known for known, _ in found), np.stack([one for _, one in found]))


def _prints(recording: str, file: str) -> Iterator[tuple[Known, _Floats]]:
    """Yield the fingerprints of a recording's utterances, at every shift."""
    header, pcm = parse_file((schemas.corpus_dir() / file).read_bytes())
    pcm_format = header.format
    margin = pcm_format.ms_to_bytes(_SHIFT_MS)
    step = _FRAME // _HOP
    reach = step * (_FRAMES - 1) + 1
    for part, span in enumerate(_spans(pcm, pcm_format)):
        begin = span.start - margin
        end = span.start + pcm_format.ms_to_bytes(NEEDED_MS) + margin
        # An utterance at the very start of its recording has silence before it, as at the start of a stream.
        stretch = bytes(max(0, -begin)) + pcm[max(0, begin) : end]
        features = _features(_resampled(stretch, pcm_format.rate), _HOP)
        for at in range(len(features) - reach + 1):
            yield Known(recording, part), _centred(features[at : at + reach : step])


def _spans(pcm: bytes, pcm_format: PcmFormat) -> list[Span]:
    endpointer = Endpointer(pcm_format, Endpointing(growth_ms=None))
    found = [*endpointer.feed(pcm), endpointer.finish()]
    return [event.span for event in found if isinstance(event, Ended)]


@cache
def _manifest() -> tuple[dict[str, object], ...]:
    manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_bytes())
    return tuple(manifest["recordings"])
