"""What a fault is, and the catalogue of all of them.

A fault is a wire mutator: it changes what crosses the boundary between a session and the wire, on one connection,
and knows nothing of the server's inside. It may instead override fields of the session's policy. It breaks exactly
one requirement; `implies` names the others (three at most) that cannot be kept once that one is broken.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from conformance.faults.mutator import Mutator
from conformance.judge.benches import BENCHES
from protocol import requirements
from protocol.wire import Party
from reference_server.policy import Settings

_MOST_IMPLIED = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break one requirement.

    Attributes:
        id: `requirement/how`.
        requirement: The requirement that it breaks.
        party: The party that it makes break it.
        summary: What it does, in a sentence.
        implies: Requirements that break with it of necessity.
        mutator: Makes the mutator of one connection.
        dialects: The dialects that it is for; None for all of its folder in which its requirement holds.
        policy: Fields of the session's policy that it overrides.
        path: The path by which the suite is led to the server; None for the usual one.
        needs: `generation` for one that only conversations find which were drawn; "" for one that the cases find.
    """

    id: str
    requirement: str
    party: Party
    summary: str
    implies: tuple[str, ...]
    mutator: type[Mutator]
    dialects: Collection[str] | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    needs: str = ""

    def settings(self, sound: Settings) -> Settings:
        """Return the settings of a server that has this fault."""
        folder = _folder_of(self.id)
        return replace(sound, **{folder: replace(getattr(sound, folder), **self.policy)})


_FAULTS: dict[str, Fault] = {}
_M = TypeVar("_M", bound=type[Mutator])


def fault(
    requirement: str,
    how: str,
    *,
    implies: tuple[str, ...] = (),
    dialects: Collection[str] | None = None,
    path: str | None = None,
    needs: str = "",
    **policy: object,
) -> Callable[[_M], _M]:
    """Register a mutator class as a fault of the folder in which it stands; its docstring is the summary.

    Requirements are named without the folder's prefix.
    """
    if needs not in ("", "generation"):
        raise ValueError(f"fault {requirement}/{how} needs {needs}; known is generation")
    if len(implies) > _MOST_IMPLIED:
        raise ValueError(f"fault {requirement}/{how} implies more than {_MOST_IMPLIED} other requirements")

    def register(mutator: _M) -> _M:
        folder = mutator.__module__.split(".")[2]
        identity = f"{folder}.{requirement}/{how}"
        if identity in _FAULTS:
            raise ValueError(f"there are two faults named {identity}")
        _FAULTS[identity] = Fault(
            id=identity,
            requirement=f"{folder}.{requirement}",
            party=Party.CLIENT if requirement.startswith("client.") else Party.SERVER,
            summary=(mutator.__doc__ or "").partition("\n")[0],
            implies=tuple(f"{folder}.{name}" for name in implies),
            mutator=mutator,
            dialects=dialects,
            policy=policy,
            path=path,
            needs=needs,
        )
        return mutator

    return register


def load(dialect: str) -> tuple[Fault, ...]:
    """Return the faults of a dialect, those whose requirement holds in it: by file, then as they stand in it."""
    rows = requirements.load(dialect)
    return tuple(
        found
        for found in _of_folder(requirements.folder(dialect))
        if found.requirement in rows and (found.dialects is None or dialect in found.dialects)
    )


def everything() -> Mapping[str, Fault]:
    """Return all faults of all dialects by id."""
    folders = dict.fromkeys(requirements.folder(dialect) for dialect in BENCHES)
    return {found.id: found for folder in folders for found in _of_folder(folder)}


def get(identity: str) -> Fault:
    """Return a fault by its id; KeyError if there is none."""
    return everything()[identity]


@cache
def _of_folder(folder: str) -> tuple[Fault, ...]:
    package = importlib.import_module(f"conformance.faults.{folder}")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"conformance.faults.{folder}.{module}")
    return tuple(found for found in _FAULTS.values() if _folder_of(found.id) == folder)


def _folder_of(identity: str) -> str:
    return identity.partition(".")[0]
