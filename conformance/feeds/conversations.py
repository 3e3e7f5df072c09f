"""The property tier: conversations that nobody wrote, and the shortest of those that fail.

Two passes. In the first one Hypothesis draws whole programs and learns nothing of them; they are played side by side.
Where some depart from a requirement, the same seed draws them once more, and now Hypothesis is told, requirement by
requirement, which of them depart, and shrinks them: what has been played is known, only what is new is played.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.cases.context import Busy, Context
from conformance.cases.registry import CONVERSATIONS, Case
from conformance.cases.target import Target
from conformance.feeds.searching import Strategy, draw, replayed, shrink
from conformance.judge.verdict import SEVERITY, departure
from conformance.peers.budget import Budget
from conformance.programs.blame import blamed
from conformance.programs.outcome import Departure, asks_for, departures
from conformance.programs.player import Played, play
from conformance.programs.program import AWAIT, PAUSE, Program
from conformance.programs.reducing import reductions
from conformance.programs.sending import Speaker
from conformance.runner import Slots
from protocol import requirements
from protocol.wire import Party

_FIRST: Final = 100  # of a server that is wrong, some of these say so
_BATCH: Final = 500  # each lasts as long as its longest conversation
_BATCHES: Final = 1 << 20  # of one seed, at most
_BLAMING: Final = 16  # at a time: what is to blame may be a matter of time
_IN_VAIN: Final = 150  # conversations held to find a shorter one, before it is left at that
_MOST_BUSY: Final = 5  # times in a row that a server has no room for a single connection
_REPEATS: Final = 2


async def _nothing(_: object) -> None:
    """Do nothing: the tier has no coroutine of a case."""


@dataclass
class Players:
    """Plays programs against one server, some at a time, and remembers what came of them.

    Attributes:
        played: How many conversations were held in all.
        failing: Of each program that has departed from something, how that went the first time.
    """

    dialect: str
    target: Target
    budget: Budget
    speaker: Speaker
    seed: int
    slots: Slots
    played: int = 0
    failing: dict[Program, Played] = field(default_factory=dict)
    _known: dict[Program, tuple[Departure, ...]] = field(default_factory=dict)
    _blamed: dict[Program, tuple[Departure, ...]] = field(default_factory=dict)

    async def play(self, program: Program) -> Played:
        """Hold a conversation, whether it is known or not."""
        self.played += 1
        identity = f"{self.seed}/{self.played}"  # before there is anything to wait for: others are counted meanwhile
        case = Case(CONVERSATIONS, self.dialect, Party.SERVER, (), (), len(program.talks), "fast", "", _nothing)
        context = Context(case, self.target, self.budget, self.seed)
        taken = await self.slots.take(len(program.talks))
        try:
            return await play(program, self.speaker, context, identity, time.time())
        finally:
            self.slots.give(taken)

    async def outcome(self, program: Program) -> tuple[Departure, ...]:
        """Return what is to be said of a program as it was played the first time."""
        if program not in self._known:
            played = await self.play(program)
            self._known[program] = departures(played)
            if self._known[program]:
                self.failing[program] = played
        return self._known[program]

    async def departures(self, program: Program) -> tuple[Departure, ...]:
        """Return in what a program departs, with what is to blame for it found out; nothing while that cannot be."""
        if program not in self._blamed:
            try:
                found = await self.outcome(program)
                self._blamed[program] = await blamed(program, found, self.outcome) if found else ()
            except Busy:
                return ()
        return self._blamed[program]

    def knows(self, program: Program) -> bool:
        """Tell whether a program has been played."""
        return program in self._known


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the tier goes on: until so many conversations were held, or so many seconds have passed.

    Attributes:
        conversations: How many at most.
        seconds: How long at most, without the time for shrinking; what was begun is brought to its end.
        shrinking: How many seconds the search for the shortest conversation has, for each requirement; all of them
            together have `seconds`. With 0 none is looked for.
        kept: Where failing programs are kept, and looked for first; None to keep none.
        until: The requirement with the first departure from which to end; None to go on.
    """

    conversations: int
    seconds: float
    shrinking: float = 15.0
    kept: Path | None = None
    until: str | None = None


def _duration(program: Program) -> int:
    """Return how long a program takes, compared with others: by what it waits for, and how much it says."""
    return sum(step.does in (AWAIT, PAUSE) for step in program.steps) * 10 + len(program.steps)


def _gravity(found: tuple[str, Program]) -> int:
    """Return how grave a departure from a requirement is, by its place: there may not be time to shrink all of them."""
    return SEVERITY.index(departure(requirements.get(found[0])))


@dataclass(frozen=True, slots=True)
class Example:
    """The shortest conversation found that departs from a requirement.

    Attributes:
        departure: In what it departs.
        played: The conversation, as it was held last with this result.
        failed: In how many of `runs` it departed.
        runs: How often it was held.
        count: How many of the conversations departed from the requirement.
    """

    departure: Departure
    played: Played
    failed: int
    runs: int
    count: int


@dataclass(frozen=True, slots=True)
class Explored:
    """What came of the tier: how many conversations were held, on what they gave a verdict, and what failed."""

    held: int
    tested: Mapping[str, int]
    examples: tuple[Example, ...]


async def explore(players: Players, strategy: Strategy, limits: Limits, connections: int) -> Explored:
    """Hold conversations that a strategy draws, as many as the limits allow; find the shortest that fail."""
    gc.freeze()  # all that has been imported is there to stay, and need not be looked through again and again
    exploration = _Exploration(players, strategy, limits, connections)
    if limits.kept is not None:
        await exploration.recall(limits.kept)
    batch, count = 0, _FIRST
    while not exploration.over:
        await exploration.batch(players.seed * _BATCHES + batch, count)
        batch, count = batch + 1, min(2 * count, _BATCH)
    return await exploration.result()


class _Exploration:
    """The tier while it runs."""

    def __init__(self, players: Players, strategy: Strategy, limits: Limits, connections: int) -> None:
        self._players = players
        self._strategy = strategy
        self._limits = limits
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + limits.seconds
        self._shrinking = limits.seconds
        self._held: dict[Program, None] = {}
        self._counts: dict[str, int] = {}
        self._shortest: dict[str, Program] = {}
        self._vain = 0

    @property
    def over(self) -> bool:
        """Whether the limits are reached."""
        return (
            self._limits.until in self._shortest
            or len(self._held) >= self._limits.conversations
            or self._loop.time() >= self._until
        )

    async def recall(self, kept: Path) -> None:
        """Hold the conversations again that failed in an earlier run; they are the shortest already."""

        async def fails(program: Program) -> bool:
            return bool(await self._players.departures(program))

        for program in await replayed(self._strategy, fails, kept):
            self._held[program] = None
            for one in await self._players.departures(program):
                self._counts[one.requirement] = self._counts.get(one.requirement, 0) + 1
                self._shortest.setdefault(one.requirement, program)

    async def batch(self, seed: int, count: int) -> None:
        """Draw some programs, play those that are new, and shrink what departs as nothing before did."""
        drawn = draw(self._strategy, seed, count)
        fresh = [program for program in drawn if program not in self._held]
        waiting = deque(sorted(fresh, key=_duration, reverse=True))  # else all wait for a long one that began last
        with self._players.budget.crowd():
            async with asyncio.TaskGroup() as group:
                for _ in range(self._connections):
                    group.create_task(self._hold(waiting))
            failing = deque(program for program in fresh if program in self._players.failing)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._connections, _BLAMING)):
                    group.create_task(self._blame(failing))
        new: dict[str, Program] = {}
        for program in (program for program in fresh if program in self._held):
            for requirement in dict.fromkeys(one.requirement for one in await self._players.departures(program)):
                self._counts[requirement] = self._counts.get(requirement, 0) + 1
                if requirement not in self._shortest:
                    new[requirement] = min(new.get(requirement, program), program, key=lambda found: found.size)
        begun, known = self._loop.time(), set(drawn)
        last = begun + self._shrinking
        for requirement, program in sorted(new.items(), key=_gravity):
            self._shortest[requirement] = await self._shrunk(requirement, program, known, (seed, count), last)
        took = self._loop.time() - begun
        self._shrinking -= took
        self._until += took  # to look for short ones takes no time from looking for others

    async def _hold(self, waiting: deque[Program]) -> None:
        """Play what waits, on one connection; where a server has too much to do, on one less from then on."""
        while waiting and not self.over:
            program = waiting.popleft()
            self._held[program] = None
            try:
                await self._players.outcome(program)
            except Busy:
                del self._held[program]
                if len(program.talks) == 1:
                    waiting.append(program)  # for one with several connections there may never be room
                if self._connections > 1:
                    self._connections -= 1
                    return
                self._vain += 1
                if self._vain > _MOST_BUSY:
                    self._until = self._loop.time()
            else:
                self._vain = 0

    async def _blame(self, failing: deque[Program]) -> None:
        """Find out what is to blame where conversations have failed."""
        while failing:
            await self._players.departures(failing.popleft())

    async def _shrunk(
        self, requirement: str, first: Program, batch: Container[Program], drawn: tuple[int, int], last: float
    ) -> Program:
        """Find the shortest program that departs from a requirement as one of a batch does."""
        if not self._limits.shrinking:
            return first
        until = min(last, self._loop.time() + self._limits.shrinking)
        best, vain = first.size, 0

        async def fails(program: Program) -> bool | None:
            """Tell whether a program departs from the requirement; None where there is no time to find out."""
            if program in batch and program != first:
                return False  # Hypothesis begins with the first that fails; it is to be the shortest
            nonlocal best, vain
            known = self._players.knows(program)
            if not known and (self._loop.time() >= until or vain > _IN_VAIN):
                return None
            failed = any(one.requirement == requirement for one in await self._players.departures(program))
            vain += not known
            if failed and program.size < best:
                best, vain = program.size, 0
            return failed

        async def reduced(program: Program) -> Program:
            """Take out whole parts, for as long as what is left fails."""
            for shorter in reductions(program):
                if shorter.size < program.size and shorter not in batch and await fails(shorter):
                    return await reduced(shorter)
            return program

        # Whole parts first: where there is little time, most of it would go into single choices of a long conversation.
        shortest = await reduced(first)
        best, vain = first.size, 0
        found = await shrink(self._strategy, *drawn, fails, self._limits.kept)
        vain = 0
        return shortest if found is None else min(shortest, await reduced(found), key=lambda program: program.size)

    async def result(self) -> Explored:
        """Hold what failed again, and say how often it did; sum up the rest."""
        self._players.budget.relax()
        with self._players.budget.crowd():
            examples = await asyncio.gather(*(self._confirmed(*found) for found in self._shortest.items()))
        tested: dict[str, int] = {}
        for program in self._held:
            for requirement in asks_for(program):
                tested[requirement] = tested.get(requirement, 0) + 1
        return Explored(len(self._held), tested, tuple(examples))

    async def _confirmed(self, requirement: str, program: Program) -> Example:
        first = next(one for one in await self._players.departures(program) if one.requirement == requirement)
        failed, runs = [(first, self._players.failing[program])], 1
        with contextlib.suppress(Busy):
            while runs <= _REPEATS:
                played = await self._players.play(program)
                found = await blamed(program, departures(played), self._players.outcome)
                failed += [(one, played) for one in found if one.requirement == requirement][:1]
                runs += 1
        return Example(*failed[-1], len(failed), runs, self._counts[requirement])
