"""What a case is, and the catalogue of all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from protocol.wire import Party

OPTIONS: Final = ("auth", "languages", "mp3", "partial", "profanity", "recognition", "timing", "token", "tts")
"""What a peer may be declared to be without (`--without`), and what cases name in `needs`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation that shows something about some requirements.

    Attributes:
        id: Stable name, `group.what`; never a number.
        dialect: Dialect that it speaks.
        party: Whom it judges.
        requirements: Ids of the requirements on which it gives a verdict.
        needs: What the peer has to offer; where it does not, the case is not-applicable.
        connections: How many connections it holds at once.
        time: `fast`, or `waits` for one that lets time pass, be it only with some peers.
        summary: What it does, in a sentence.
        run: The coroutine function; its argument is the dialect's context.
    """

    id: str
    dialect: str
    party: Party
    requirements: tuple[str, ...]
    needs: tuple[str, ...]
    connections: int
    time: str
    summary: str
    run: Callable[[Any], Awaitable[None]]


_CASES: dict[str, Case] = {}


def case(
    identity: str,
    *requirements: str,
    needs: Collection[str] = (),
    connections: int = 1,
    time: str = "fast",
    party: Party = Party.SERVER,
) -> Callable[[Callable[[Any], Awaitable[None]]], Callable[[Any], Awaitable[None]]]:
    """Register a coroutine function as a case of the dialect in whose folder it stands.

    Requirements are named without the dialect's prefix. The first line of the docstring is the summary.
    """
    unknown = [word for word in needs if word not in OPTIONS]
    if unknown:
        raise ValueError(f"case {identity}: unknown needs {unknown}; known are {', '.join(OPTIONS)}")

    def register(run: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        dialect = run.__module__.split(".")[2]
        if identity in _CASES:
            raise ValueError(f"there are two cases named {identity}")
        _CASES[identity] = Case(
            id=identity,
            dialect=dialect,
            party=party,
            requirements=tuple(f"{dialect}.{name}" for name in requirements),
            needs=tuple(needs),
            connections=connections,
            time=time,
            summary=(run.__doc__ or "").partition("\n")[0],
            run=run,
        )
        return run

    return register


@cache
def load(dialect: str, party: Party = Party.SERVER) -> tuple[Case, ...]:
    """Return the cases of a dialect about a party, in catalogue order: by file, then as they stand in it."""
    package = importlib.import_module(f"conformance.cases.{dialect}")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"conformance.cases.{dialect}.{module}")
    mine = [found for found in _CASES.values() if found.dialect == dialect and found.party is party]
    return tuple(sorted(mine, key=lambda found: found.run.__module__))  # whichever module was imported first
