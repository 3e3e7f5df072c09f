"""Where utterances begin and end: speech and silence told apart by energy, without I/O.

The stream is cut into frames of 20 ms counted from its first sample, so that nothing depends on how the audio came
in messages. A frame is speech when it is louder than -50 dBFS and 9 dB louder than the noise floor, which follows
the quietest frames: at once downwards, slowly upwards, and never above -47 dBFS. Steady noise up to about -40 dBFS
is silence therefore, and whatever is louder than -38 dBFS is speech, however steady.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from protocol.audio import PcmFormat
from protocol.events import Span

FRAMES_PER_SECOND = 50

_SPEECH_DBFS = -50.0
_ABOVE_FLOOR_DB = 9.0
_LOWEST_FLOOR, _HIGHEST_FLOOR = -80.0, -47.0
_FALL = 0.25  # of the way down to a quieter frame
_RISE_DB = 0.12  # a frame: 6 dB a second
_ONSET_FRAMES = 6  # 120 ms; less is a click, or the last sound of what a client repeats
_ONSET_GAP_MS = 200  # within which these frames have to come
_SILENCE_STEP_MS = 500
_FULL_SCALE = 1.0 / 32768.0


@dataclass(frozen=True, slots=True)
class Endpointing:
    """When an utterance ends, and how often its growth is told: silence, length and interval in ms of audio.

    Without `growth_ms` growth is not told at all.
    """

    silence_ms: int = 800
    longest_ms: int = 30_000
    growth_ms: int | None = 300


@dataclass(frozen=True, slots=True)
class Started:
    """Speech has begun at byte `start`; it is an utterance, since there is enough of it."""

    start: int


@dataclass(frozen=True, slots=True)
class Grown:
    """The open utterance reaches this far, up to its last speech."""

    span: Span


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over; the silence behind it is not part of `span`. It was seen at position `at`."""

    span: Span
    at: int


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was said for the last `size` bytes, up to position `end`."""

    size: int
    end: int


Found = Started | Grown | Ended | Silent


class Endpointer:
    """Follows one stream of 16-bit mono PCM. Positions are bytes from its first sample.

    Args:
        pcm: The stream's format.
        policy: When an utterance ends.
    """

    def __init__(self, pcm: PcmFormat, policy: Endpointing) -> None:
        self._frame = pcm.rate // FRAMES_PER_SECOND * pcm.block_align
        self._silence = pcm.ms_to_bytes(policy.silence_ms)
        self._longest = pcm.ms_to_bytes(policy.longest_ms)
        self._growth = None if policy.growth_ms is None else pcm.ms_to_bytes(policy.growth_ms)
        self._onset_gap = pcm.ms_to_bytes(_ONSET_GAP_MS)
        self._silence_step = pcm.ms_to_bytes(_SILENCE_STEP_MS)
        self._held = b""
        self._floor: float | None = None
        self._position = 0
        self._start: int | None = None
        self._open = False
        self._frames = 0
        self._heard = 0
        self._grown = 0
        self._silent_from = 0
        self._silence_told = 0

    @property
    def needed_from(self) -> int:
        """The first byte that a later span can still begin with; what lies before it may be forgotten."""
        return self._position if self._start is None else self._start

    @property
    def position(self) -> int:
        """Where the audio that was fed ends."""
        return self._position + len(self._held)

    def feed(self, pcm: bytes) -> list[Found]:
        """Take the next audio; return what it shows, in order."""
        found: list[Found] = []
        for level in self._levels(pcm):
            begin = self._position
            self._position += self._frame
            if self._is_speech(level):
                self._speech(begin, found)
            else:
                self._pause(found)
            if self._open and self._start is not None and self._position - self._start + self._frame > self._longest:
                found.append(self._end(self._start))
        return found

    def finish(self) -> Ended | None:
        """End the open utterance, if there is one; what comes behind it belongs to another."""
        if self._open and self._start is not None:
            return self._end(self._start)
        self._start = None
        return None

    def _levels(self, pcm: bytes) -> list[float]:
        """Return the loudness of each frame that is now complete, in dBFS, a constant offset not counted."""
        data = self._held + pcm
        whole = len(data) - len(data) % self._frame
        self._held = data[whole:]
        if not whole:
            return []
        samples = np.frombuffer(data, dtype="<i2", count=whole // 2).astype(np.float32) * np.float32(_FULL_SCALE)
        frames = samples.reshape(-1, self._frame // 2)
        size = frames.shape[1]
        power = np.einsum("ij,ij->i", frames, frames) / size - (np.add.reduce(frames, axis=1) / size) ** 2
        levels: list[float] = (10.0 * np.log10(np.maximum(power, 1e-12))).tolist()
        return levels

    def _is_speech(self, level: float) -> bool:
        if self._floor is None:
            self._floor = level
        elif level < self._floor:
            self._floor += _FALL * (level - self._floor)
        else:
            self._floor = min(self._floor + _RISE_DB, level)
        self._floor = min(max(self._floor, _LOWEST_FLOOR), _HIGHEST_FLOOR)
        return level > max(_SPEECH_DBFS, self._floor + _ABOVE_FLOOR_DB)

    def _speech(self, begin: int, found: list[Found]) -> None:
        if self._start is None:
            self._start, self._frames = begin, 0
        self._frames += 1
        self._heard = self._position
        if not self._open and self._frames >= _ONSET_FRAMES:
            self._open = True
            self._grown = self._start
            found.append(Started(self._start))
        if self._open and self._growth is not None and self._heard - self._grown >= self._growth:
            self._grown = self._heard
            found.append(Grown(Span(self._start, self._heard - self._start)))

    def _pause(self, found: list[Found]) -> None:
        if self._start is not None:
            quiet = self._position - self._heard
            if self._open and quiet >= self._silence:
                found.append(self._end(self._start))
            elif not self._open and quiet >= self._onset_gap:
                self._start = None
        if not self._open and self._position - self._silence_told >= self._silence_step:
            self._silence_told = self._position
            found.append(Silent(self._position - self._silent_from, self._position))

    def _end(self, start: int) -> Ended:
        ended = Ended(Span(start, self._heard - start), self._position)
        self._start, self._open = None, False
        self._silent_from = self._silence_told = self._heard
        return ended
