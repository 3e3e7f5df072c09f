"""What an adapter hands to the shell once an upgrade is accepted: how the session begins, and how it may be ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from protocol.events import FromPipeline, ToPipeline
from protocol.wire import Close, Inbound, Outbound

Output = Outbound | ToPipeline


class Session(Protocol):
    """A conversation without I/O, as the shell sees it."""

    @property
    def open(self) -> bool:
        """Whether either side may still send."""

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None once the session is over."""

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the client, or the passing of time; return what to do."""

    def result(self, event: FromPipeline) -> list[Output]:
        """Take a finding of the pipeline; return what to do."""

    def shutdown(self, time: float) -> list[Output]:
        """End the session because the server goes away."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An upgrade request that is accepted.

    Attributes:
        session: How its session begins, given the time.
        flooded: How the shell closes on a client that keeps it busy with what is no payload.
        failed: How the shell closes when the server itself fails.
    """

    session: Callable[[float], Session]
    flooded: Close
    failed: Close
