"""What a case is, and the catalogue of all of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from protocol import requirements
from protocol.wire import Party

OPTIONS: Final = (
    "auth",
    "commit",
    "detailed",
    "event",
    "language-id",
    "languages",
    "mp3",
    "partial",
    "plain",
    "profanity",
    "recognition",
    "timing",
    "token",
    "tts",
)
"""What a peer may be declared to be without (`--without`), and what cases name in `needs`."""


CONVERSATIONS: Final = "conversations"
"""What conversations that nobody wrote have as a name, where cases have their id."""


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
        elsewhere: Ids of requirements that it also names and that hold in other dialects only: what it says of them
            counts for nothing in this one.
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
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Declared:
    """A case as it stands in its folder: for the dialects that it names, or for all of the folder."""

    case: Case
    dialects: Collection[str] | None

    def of(self, dialect: str, rows: Collection[str]) -> Case | None:
        """Return the case in a dialect that has these requirements; None where it shows nothing there."""
        if self.dialects is not None and dialect not in self.dialects:
            return None
        held = tuple(name for name in self.case.requirements if name in rows)
        if not held:
            return None
        elsewhere = frozenset(self.case.requirements) - frozenset(held)
        return replace(self.case, dialect=dialect, requirements=held, elsewhere=elsewhere)


_CASES: dict[tuple[str, str], _Declared] = {}


def case(
    identity: str,
    *names: str,
    dialects: Collection[str] | None = None,
    needs: Collection[str] = (),
    connections: int = 1,
    time: str = "fast",
    party: Party = Party.SERVER,
) -> Callable[[Callable[[Any], Awaitable[None]]], Callable[[Any], Awaitable[None]]]:
    """Register a coroutine function as a case of the folder in which it stands.

    Requirements are named without the folder's prefix. Without `dialects` it is a case of every dialect of the folder
    in which at least one of them holds. The first line of the docstring is the summary.
    """
    unknown = [word for word in needs if word not in OPTIONS]
    if unknown:
        raise ValueError(f"case {identity}: unknown needs {unknown}; known are {', '.join(OPTIONS)}")

    def register(run: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        folder = run.__module__.split(".")[2]
        if (folder, identity) in _CASES:
            raise ValueError(f"there are two cases named {identity}")
        written = Case(
            id=identity,
            dialect=folder,
            party=party,
            requirements=tuple(f"{folder}.{name}" for name in names),
            needs=tuple(needs),
            connections=connections,
            time=time,
            summary=(run.__doc__ or "").partition("\n")[0],
            run=run,
        )
        _CASES[folder, identity] = _Declared(written, dialects)
        return run

    return register


@cache
def load(dialect: str, party: Party = Party.SERVER) -> tuple[Case, ...]:
    """Return the cases of a dialect about a party, in catalogue order: by file, then as they stand in it.

    Raises KeyError for an unknown dialect, and for a case that names a requirement which is in no register.
    """
    folder = requirements.folder(dialect)
    rows = requirements.load(dialect)
    package = importlib.import_module(f"conformance.cases.{folder}")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"conformance.cases.{folder}.{module}")
    mine: list[Case] = []
    for (home, _), declared in _CASES.items():
        if home != folder or declared.case.party is not party:
            continue
        for name in declared.case.requirements:
            requirements.get(name)
        if (found := declared.of(dialect, rows)) is not None:
            mine.append(found)
    return tuple(sorted(mine, key=lambda found: found.run.__module__))  # whichever module was imported first
