"""What a run spends on a peer: every wait comes from here, and how much is read before a connection is given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from conformance.peers.limit import Limit

HANDSHAKE = "handshake"
RESULT = "result"
CLOSE = "close"
HTTP = "http"
BUSY = "busy"

_FIRST: Final = {HANDSHAKE: 5.0, RESULT: 8.0, CLOSE: 5.0, HTTP: 5.0, BUSY: 3.5}
_FACTOR = 20.0
_FLOOR, _SLOWEST = 2.0, 20.0
_PROMPT = 0.2
_AFTER_ANOTHER = 1.0
_AFTER_TIMEOUT = 0.5
_TOGETHER_S = 2.0
_FACTOR_AFTER_TIMEOUT = 4.0
_HALVED_EVERY = 4
_LEAST = 0.05
_CONTROL_S = 5.0  # of audio in the positive control, about
_SPEED = 2.0  # as fast as clients send; a server has to keep up with that

_ROOM = 4 << 20
_ROOM_AFTER_FLOOD = 1 << 16
_ROOM_FACTOR = 4
_MOST_FLOODS = 20


@dataclass
class Budget:
    """How long to wait for a peer, and how much to take from it.

    Before the positive control each kind of wait has a fixed cap. `measured` then sets it to 20 times what the peer
    took, between 2 s and 20 s: a green run never waits that long, since waits end when the answer comes. After
    the first time-out of a kind, later waits of that kind take half a second, and less and less while nothing comes,
    down to 50 ms, but never less than four times what the peer took at most; the first that does come makes it half
    a second again. A first time-out also brings kinds of which nothing is known yet to one second. So a peer that is
    silent is found silent once, not three hundred times, and one that is slow is not called silent.

    Attributes:
        scale: Factor on every wait, for slow machines.
        crowded: Whether so many ask at a time that the peer may have too much to do (`Limit`).
    """

    scale: float = 1.0
    crowded: bool = False
    _vain: list[tuple[float, float]] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=lambda: dict(_FIRST))
    _took: dict[str, float] = field(default_factory=dict)
    _measured: dict[str, float] = field(default_factory=dict)
    _row: dict[str, int] = field(default_factory=dict)
    _floods: int = 0
    _heard_at: float = field(default=float("-inf"), compare=False)

    def wait(self, kind: str) -> float:
        """Return the seconds to wait for an answer of this kind."""
        return self._seconds[kind] * self.scale

    def limit(self, seconds: float) -> Limit:
        """Return the time-out for a wait of so many seconds."""
        return Limit(seconds, (lambda: self._heard_at) if self.crowded else None)

    @contextmanager
    def crowd(self) -> Iterator[None]:
        """Let so many ask, as long as this lasts, that the peer may have too much to do."""
        self.crowded = True
        try:
            yield
        finally:
            self.crowded = False

    def heard(self, at: float) -> None:
        """Note that the peer said something, by the loop's time."""
        self._heard_at = at

    def measured(self, kind: str, seconds: float) -> None:
        """Set a kind's budget from the time that the peer took in the positive control."""
        self._took[kind] = seconds
        self._seconds[kind] = self._measured[kind] = min(_SLOWEST, max(_FLOOR, seconds * _FACTOR))

    def patience(self, milliseconds: int) -> float:
        """Return the seconds to wait for what follows from audio of this length that was sent in a burst.

        Beside the usual wait a peer has the time to hear it: half as long as it is, but no more than four times what
        it took for the audio of the positive control, scaled up. One that has not even answered that has none.
        """
        seconds = milliseconds / 1000
        known = self._took.get(RESULT, 0.0) / _CONTROL_S * seconds * _FACTOR_AFTER_TIMEOUT
        return min(seconds / _SPEED, known) * self.scale + self.wait(RESULT)

    def connections(self, most: int) -> int:
        """Return how many connections may ask at a time, so that one that waits for all others still is in time.

        A peer with real models is no faster when more ask it; it only seems to be silent.
        """
        took = self._took.get(RESULT, 0.0)
        return most if took * most <= _TOGETHER_S else max(1, int(_TOGETHER_S / took))

    def is_known(self, kind: str) -> bool:
        """Tell whether the peer has answered in this kind in the positive control."""
        return kind in self._took

    def is_prompt(self, kind: str) -> bool:
        """Tell whether the peer answered in this kind, in the positive control, as fast as if there were no work."""
        return self._took.get(kind, _PROMPT) < _PROMPT

    def came(self, kind: str, took: float = 0.0) -> None:
        """Note that what was due came in time, so many seconds after the last that was sent."""
        if kind in self._took:
            self._took[kind] = max(self._took[kind], took)
        if self._row.get(kind):
            self._row[kind] = 0
            self._seconds[kind] = max(self._seconds[kind], self._after_timeout(kind))

    def relax(self) -> None:
        """Wait as long again as before the first time-out: what is to be proved now must not hang on short waits."""
        self._row.clear()
        self._seconds.update(self._measured)

    def expired(self, kind: str, begun: float, ended: float) -> None:
        """Note a wait in vain, by the loop's time, and shorten later waits."""
        self._vain.append((begun, ended))
        self._row[kind] = self._row.get(kind, 0) + 1
        self._seconds[kind] = min(self._seconds[kind], self._after_timeout(kind))
        for other in self._seconds.keys() - self._took.keys():
            self._seconds[other] = min(self._seconds[other], _AFTER_ANOTHER)

    def _after_timeout(self, kind: str) -> float:
        shrunk = max(_LEAST, _AFTER_TIMEOUT * 0.5 ** (self._row[kind] // _HALVED_EVERY))
        return min(_SLOWEST, max(shrunk, self._took.get(kind, 0.0) * _FACTOR_AFTER_TIMEOUT))

    @property
    def waited(self) -> float:
        """Seconds of the run in which some connection waited in vain; what overlaps counts once."""
        total, until = 0.0, float("-inf")
        for begun, ended in sorted(self._vain):
            total += max(0.0, ended - max(begun, until))
            until = max(until, ended)
        return total

    def room(self, sent: int) -> int:
        """Return how many bytes a peer may answer on a connection to so many; more than that is a flood.

        Four times what was sent is more than the longest voice, and some is free. After the first flood little is.
        """
        return (_ROOM_AFTER_FLOOD if self._floods else _ROOM) + _ROOM_FACTOR * sent

    def flooded(self) -> None:
        """Note a flood."""
        self._floods += 1

    @property
    def spent(self) -> bool:
        """Whether there were so many floods that there is no point in opening another connection."""
        return self._floods >= _MOST_FLOODS
