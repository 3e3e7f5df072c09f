"""What every case holds in its hands: connections to the target, and a place to put its verdicts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.judge.verdict import Check, Verdict, departure
from conformance.peers.address import DialError
from conformance.peers.budget import BUSY, Budget
from conformance.peers.link import Link, dial, fetch
from conformance.transcript import Recorder, Transcript, Vantage
from protocol import requirements
from protocol.requirements import Requirement
from protocol.wire import Headers, HttpRequest, HttpResponse

_RETRIES = (1 / 7, 2 / 7, 4 / 7)  # shares of the patience with a busy server
_BUSY = (429, 503)
_Answer = TypeVar("_Answer", bound=Link | HttpResponse)


class Blocked(Exception):
    """The case could not get to what it wants to see; the reason is about something else."""


class Busy(Blocked):
    """The server says that it has too much to do, and goes on saying so; that is no answer to what was asked."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(f"the server is busy: status {response.status}")
        self.response = response


class NotOffered(Exception):
    """The target shows that it does not offer what the case needs; the reason says how."""


@dataclass
class Context:
    """One run of one case. `checks` fills up while it runs; every connection leaves a transcript."""

    case: Case
    target: Target
    budget: Budget
    seed: int
    checks: list[Check] = field(default_factory=list)
    recorders: list[Recorder] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.seed}/{self.case.id}")  # noqa: S311 - reproducible, not secret

    @property
    def transcripts(self) -> tuple[Transcript, ...]:
        """What was seen on every connection so far."""
        return tuple(recorder.transcript() for recorder in self.recorders)

    # Verdicts.

    def kept(self, requirement: str) -> None:
        """Say that a requirement was kept."""
        self._add(requirement, Verdict.OK, "", "")

    def broken(self, requirement: str, expected: str, observed: str, verdict: Verdict | None = None) -> None:
        """Say that a requirement was broken; the verdict follows from level and basis unless it is given."""
        self._add(requirement, verdict or departure(self.row(requirement)), expected, observed)

    def check(self, requirement: str, kept: bool, expected: str, observed: str, verdict: Verdict | None = None) -> None:
        """Say whether a requirement was kept."""
        if kept:
            self.kept(requirement)
        else:
            self.broken(requirement, expected, observed, verdict)

    def not_applicable(self, requirement: str, reason: str) -> None:
        """Say that the target does not offer what the requirement is about."""
        self._add(requirement, Verdict.NOT_APPLICABLE, "", reason)

    def row(self, requirement: str) -> Requirement:
        """Return a requirement of the case's folder; KeyError if there is none."""
        return requirements.get(self._id(requirement))

    def _id(self, requirement: str) -> str:
        return f"{requirements.folder(self.case.dialect)}.{requirement}"

    def _add(self, requirement: str, verdict: Verdict, expected: str, observed: str) -> None:
        """Add a verdict; one on what holds in other dialects only is none, so that one case can serve them all."""
        name = self._id(requirement)
        if name in self.case.elsewhere:
            return
        if name not in self.case.requirements:
            raise LookupError(f"case {self.case.id} gives a verdict on {name}, which it does not name")
        self.checks.append(
            Check(case=self.case.id, requirement=name, verdict=verdict, expected=expected, observed=observed)
        )

    def decided(self) -> frozenset[str]:
        """Return the requirements that have a verdict."""
        return frozenset(check.requirement for check in self.checks)

    # Connections.

    def recorder(self) -> Recorder:
        """Return a recorder for the next connection."""
        made = Recorder(self.case.dialect, Vantage.CLIENT, self.case.id, len(self.recorders))
        self.recorders.append(made)
        return made

    async def dial(
        self,
        target: str,
        headers: Headers,
        *,
        leave_out: frozenset[str] = frozenset(),
        deliberate: str | None = None,
    ) -> Link | HttpResponse:
        """Make an opening handshake; a busy server is asked again, a few times, more and more slowly.

        Raises:
            Busy: It is busy each time.
            Blocked: There was no HTTP response.
        """

        async def attempt() -> Link | HttpResponse:
            return await dial(
                self.target.address,
                target,
                (*headers, *self.target.headers),
                self.recorder(),
                self.budget,
                leave_out=leave_out,
                deliberate=deliberate,
            )

        opened = await self._patiently(attempt)
        if isinstance(opened, Link):
            self.links.append(opened)
        return opened

    async def fetch(self, request: HttpRequest, *, deliberate: str | None = None) -> HttpResponse:
        """Make a plain HTTP exchange; patience with a busy server and errors as for `dial`."""
        request = HttpRequest(request.method, request.target, (*request.headers, *self.target.headers), request.body)
        return await self._patiently(
            lambda: fetch(self.target.address, request, self.recorder(), self.budget, deliberate=deliberate)
        )

    async def _patiently(self, attempt: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Make an attempt, again and again while the server says that it is busy."""
        begun, patience = Link.now(), self.budget.wait(BUSY)
        busy: HttpResponse
        for share in (*_RETRIES, None):
            try:
                answer = await attempt()
            except DialError as error:
                raise Blocked(error.reason) from error
            if not isinstance(answer, HttpResponse) or answer.status not in _BUSY:
                self.budget.came(BUSY)
                return answer
            busy = answer
            if share is not None:
                await asyncio.sleep(share * patience)
        self.budget.expired(BUSY, begun, Link.now())
        raise Busy(busy)

    async def leave(self, links: Sequence[Link] | None = None) -> None:
        """Close what is still open."""
        await asyncio.gather(*(link.finish() for link in (self.links if links is None else links)))

    def guid(self) -> str:
        """Return a GUID that depends on the seed and the case alone."""
        return as_guid(f"{self.random.getrandbits(128):032x}")


def as_guid(digits: str) -> str:
    """Return a random GUID (version 4) of 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
