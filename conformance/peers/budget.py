"""Every wait of a run comes from here: one measured budget, capped, that shrinks where waiting has proved useless."""

from __future__ import annotations

from dataclasses import dataclass, field

HANDSHAKE = "handshake"
RESULT = "result"
CLOSE = "close"
HTTP = "http"

_FIRST = {HANDSHAKE: 5.0, RESULT: 8.0, CLOSE: 5.0, HTTP: 5.0}
_FACTOR = 20.0
_FLOOR = 2.0
_AFTER_TIMEOUT = 0.5
_FACTOR_AFTER_TIMEOUT = 4.0


@dataclass
class Budget:
    """How long to wait for a peer.

    Before the positive control each kind of wait has a fixed cap. `measured` then sets it to 20 times what the peer
    took, between 2 s and the cap: a green run never waits that long, since waits end when the answer comes. After
    the first time-out of a kind, later waits of that kind take half a second, or four times what the peer took if
    that is more: a peer that is silent is found silent once, not fifty times, and one that is slow is not called
    silent.

    Attributes:
        scale: Factor on every wait, for slow machines.
        waited: Seconds spent waiting so far, over all connections.
    """

    scale: float = 1.0
    waited: float = 0.0
    _seconds: dict[str, float] = field(default_factory=lambda: dict(_FIRST))
    _took: dict[str, float] = field(default_factory=dict)

    def wait(self, kind: str) -> float:
        """Return the seconds to wait for an answer of this kind."""
        return self._seconds[kind] * self.scale

    def measured(self, kind: str, seconds: float) -> None:
        """Set a kind's budget from the time that the peer took in the positive control."""
        self._took[kind] = seconds
        self._seconds[kind] = min(_FIRST[kind], max(_FLOOR, seconds * _FACTOR))

    def expired(self, kind: str) -> None:
        """Shorten later waits of a kind that has timed out."""
        needed = self._took.get(kind, 0.0) * _FACTOR_AFTER_TIMEOUT
        self._seconds[kind] = min(self._seconds[kind], max(_AFTER_TIMEOUT, needed))
