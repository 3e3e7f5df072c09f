"""What a client reports of a turn behind its end: the message `telemetry` (facts K-01 to K-05).

The times of the shell's clock are floats; the session is given a function that writes one as the documents want it,
in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

Stamp = Callable[[float], str]
"""Writes a time of the shell's clock in UTC: `yyyy-MM-ddTHH:mm:ss.fffffffZ` (speech.client.timestamp-form)."""

MOST_TIMES: Final = 50
"""Times that are reported of one path, as official SDKs do it (requirement speech.client.telemetry-received)."""

_ERRORS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    408: "Timeout",
    429: "NoResources",
    503: "ServerUnavailable",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to connect: from when to when, and how it failed, in a word of the documents."""

    begun: float
    ended: float
    error: str | None = None

    def metric(self, connection_id: str, stamp: Stamp) -> dict[str, str]:
        """Return the metric `Connection`."""
        times = {"Start": stamp(self.begun), "End": stamp(self.ended)}
        error = {} if self.error is None else {"Error": self.error}
        return {"Name": "Connection", "Id": connection_id, **times, **error}


def error_word(status: int) -> str:
    """Return the word for a refused handshake, of at most 50 characters (requirement speech.client.telemetry-error)."""
    return _ERRORS.get(status) or ("ServerError" if status >= 500 else "ClientError")


@dataclass
class Report:
    """What happened in one turn, as far as its telemetry tells.

    Attributes:
        connected: The attempt that opened the connection, in the connection's first turn.
        microphone: Times of the first and the last audio.
    """

    connected: Attempt | None = None
    microphone: tuple[float, float] | None = None
    _received: dict[str, list[float]] = field(default_factory=dict)

    def received(self, path: str, time: float) -> None:
        """Note a message of the turn (requirement speech.client.telemetry-received)."""
        times = self._received.setdefault(path, [])
        if len(times) < MOST_TIMES:
            times.append(time)

    def listened(self, time: float) -> None:
        """Note that audio was sent."""
        self.microphone = (time if self.microphone is None else self.microphone[0], time)

    def body(self, connection_id: str, stamp: Stamp) -> dict[str, Any]:
        """Return the body of the message (requirement speech.client.telemetry-form)."""
        metrics = [] if self.connected is None else [self.connected.metric(connection_id, stamp)]
        if self.microphone is not None:
            start, end = self.microphone
            metrics.append({"Name": "Microphone", "Start": stamp(start), "End": stamp(end)})
        received = [{path: [stamp(time) for time in times]} for path, times in self._received.items()]
        return {"ReceivedMessages": received, "Metrics": metrics}


def failures(attempts: Iterable[Attempt], connection_id: str, stamp: Stamp) -> dict[str, Any]:
    """Return the body that reports attempts that failed, once a later one has succeeded (fact K-05)."""
    return {"Metrics": [attempt.metric(connection_id, stamp) for attempt in attempts]}
