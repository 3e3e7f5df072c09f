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
    """

    scale: float = 1.0
    _spent: list[tuple[float, float]] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=lambda: dict(_FIRST))
    _took: dict[str, float] = field(default_factory=dict)

    def wait(self, kind: str) -> float:
        """Return the seconds to wait for an answer of this kind."""
        return self._seconds[kind] * self.scale

    def measured(self, kind: str, seconds: float) -> None:
        """Set a kind's budget from the time that the peer took in the positive control."""
        self._took[kind] = seconds
        self._seconds[kind] = min(_FIRST[kind], max(_FLOOR, seconds * _FACTOR))

    def expired(self, kind: str, begun: float, ended: float) -> None:
        """Note a wait in vain, and shorten later waits of its kind."""
        needed = self._took.get(kind, 0.0) * _FACTOR_AFTER_TIMEOUT
        self._seconds[kind] = min(self._seconds[kind], max(_AFTER_TIMEOUT, needed))
        self.let_pass(begun, ended)

    def let_pass(self, begun: float, ended: float) -> None:
        """Note time that was let pass: in vain, or on purpose to speak at the pace of speech."""
        self._spent.append((begun, ended))

    @property
    def waited(self) -> float:
        """Seconds of the run in which some connection let time pass; what overlaps counts once."""
        total, until = 0.0, float("-inf")
        for begun, ended in sorted(self._spent):
            total += max(0.0, ended - max(begun, until))
            until = max(until, ended)
        return total
