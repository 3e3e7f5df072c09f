"""Engines, and parts of engines, that installed distributions offer: entry points, found by their names.

Whatever is wrong with one of them harms no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib.metadata import EntryPoint, distributions
from typing import Any


class Group(StrEnum):
    """A group of entry points."""

    ENGINE = "speechwire.engines"
    PART = "speechwire.parts"

    @property
    def one(self) -> str:
        """What one of them is called in a sentence."""
        return self.name.lower()


class PluginError(Exception):
    """Why something is not to be had: one sentence."""


def names(group: Group) -> tuple[str, ...]:
    """Return the names that there are, in alphabetical order."""
    return tuple(sorted({entry.name for entry in _entries(group)}))


def known(group: Group, name: str) -> str:
    """Return the name. Raises PluginError, with those that there are, if there is no such one."""
    unreadable: list[str] = []
    found = {entry.name for entry in _entries(group, unreadable)}
    if name not in found:
        there = f"there is no {group.one} '{name}'; there are {', '.join(sorted(found))}"
        raise PluginError("; ".join([there, *unreadable]))
    return name


def load(group: Group, name: str) -> Callable[..., Any]:
    """Return what an entry point names. Raises PluginError."""
    known(group, name)
    found = tuple(entry for entry in _entries(group) if entry.name == name)
    if len(found) > 1:
        owners = " and ".join(sorted(map(_owner, found)))
        raise PluginError(f"{owners} both have the {group.one} '{name}'; uninstall one of them")
    (entry,) = found
    what = f"the {group.one} '{name}' of {_owner(entry)}"
    try:
        loaded = entry.load()
    except Exception as error:  # whatever somebody else's module does
        raise PluginError(f"{what} cannot be imported ({_told(error)})") from error
    if not callable(loaded):
        raise PluginError(f"{what} is no callable: {entry.value} is a {type(loaded).__name__}")
    factory: Callable[..., Any] = loaded
    return factory


def make(group: Group, name: str, given: object, refusals: tuple[type[Exception], ...]) -> Any:
    """Return what the factory behind an entry point makes of `given`.

    Raises:
        PluginError: It cannot be had, or it fails.
        Exception: One of `refusals`, the errors that are the factory's own.
    """
    factory = load(group, name)
    try:
        return factory(given)
    except refusals:
        raise
    except Exception as error:  # whatever somebody else's factory does
        raise PluginError(f"the factory of the {group.one} '{name}' fails ({_told(error)})") from error


def _told(error: Exception) -> str:
    """Return somebody else's error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _owner(entry: EntryPoint) -> str:
    return "an unknown distribution" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _entries(group: Group, unreadable: list[str] | None = None) -> Iterator[EntryPoint]:
    """Give the entry points of a group; `unreadable` takes a sentence for each distribution whose are not readable."""
    seen = set()
    for distribution in distributions():
        name = str(distribution.name).lower().replace("_", "-")
        if name in seen:  # what is found first is what would be imported
            continue
        seen.add(name)
        try:
            yield from distribution.entry_points.select(group=group)
        except Exception as error:  # noqa: BLE001 - whatever somebody else's file says
            if unreadable is not None:
                unreadable.append(f"the entry points of {distribution.name} cannot be read ({_told(error)})")
