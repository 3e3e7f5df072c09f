"""A time-out that says something about the peer, and nothing about whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final

_LATE_S: Final = 0.05
_AT_MOST: Final = 10


class Limit:
    """`asyncio.timeout` that is fair: with it, a peer that only has too much to do is not called silent.

    Where the event loop comes late to the end of the time, what came meanwhile has not been read, and there is as much
    time again as it is late. Where many ask at a time, the time begins anew with whatever the peer says to any of
    them: it is silent when all of them have heard nothing. No wait gets longer than ten times what was asked for.
    """

    def __init__(self, seconds: float, heard: Callable[[], float] | None = None) -> None:
        """Limit a wait to `seconds`; `heard` returns the loop's time at which the peer said something to anybody."""
        self._seconds = seconds
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._due = self._until = 0.0
        self._timeout = asyncio.timeout(None)

    def _end(self) -> None:
        now = self._loop.time()
        late = now - self._due
        due = now + late if late > _LATE_S else now
        if self._heard is not None:
            due = max(due, self._heard() + self._seconds)
        if now < due <= self._until:
            self._due = due
            self._handle = self._loop.call_at(due, self._end)
        else:
            self._timeout.reschedule(now)

    async def __aenter__(self) -> None:
        """Begin to count; raise TimeoutError at the end of the time."""
        await self._timeout.__aenter__()
        now = self._loop.time()
        self._due, self._until = now + self._seconds, now + _AT_MOST * self._seconds
        self._handle = self._loop.call_at(self._due, self._end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._handle.cancel()
        await self._timeout.__aexit__(kind, error, trace)
