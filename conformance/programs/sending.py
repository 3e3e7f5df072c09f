"""What the player needs of one connection's client side, whatever dialect it speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from conformance.peers.link import Received
from conformance.programs.program import Step, Talk
from protocol.wire import Headers, Kind


@dataclass(frozen=True, slots=True)
class Sent:
    """A message to send: the parts that go into a frame each, and the requirement that it breaks on purpose."""

    kind: Kind
    parts: Sequence[bytes]
    deliberate: str | None = None


class Side(Protocol):
    """The client's side of one connection; it keeps count of what has come."""

    texts: list[str]
    """What has been said in it."""

    def request(self) -> tuple[str, Headers]:
        """Return the request target and the header fields of the upgrade."""

    def messages(self, step: Step, wall: float) -> Iterable[Sent]:
        """Return the messages of a step; `wall` is the time in seconds since 1970."""

    def hear(self, answer: Received) -> None:
        """Take in a message of the server."""

    def came(self, step: Step) -> bool:
        """Tell whether what a step waits for has come."""

    def in_vain(self, step: Step) -> bool:
        """Tell whether it cannot come any more."""


class Speaker(Protocol):
    """Makes the client's side of connections to one server."""

    def side(self, talk: Talk, identity: str) -> Side:
        """Return a side; ids follow from `identity`, a text that no other connection of the run has."""
