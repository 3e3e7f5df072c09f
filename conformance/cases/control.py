"""The positive control: what a dialect gives to the doctor so that it can hold one good conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Protocol

from conformance.cases.context import Context
from conformance.judge.verdict import Verdict
from conformance.peers.link import Link
from protocol.wire import HttpResponse

CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Step:
    """One layer: what was tried, whether it worked, one sentence about it, and what to try if it did not.

    A step that failed because the peer broke a requirement names it, with the verdict. One that has found out which
    languages the peer translates into beside the user's names those.
    """

    layer: str
    works: bool
    says: str
    advice: str = ""
    requirement: str | None = None
    verdict: Verdict | None = None
    others: tuple[str, ...] | None = None


class Control(Protocol):
    """What a dialect gives to the doctor (a module)."""

    REQUIREMENT: str
    """The requirement that a server breaks which never answers a good upgrade."""

    def upgrade(self, context: Context) -> Awaitable[Link | HttpResponse]:
        """Ask for a good session."""

    def converse(self, context: Context, link: Link) -> AsyncIterator[Step]:
        """Hold one good conversation on an open link, a step at a time, and measure the budget."""
