"""Engines, and parts of engines, that installed distributions offer: entry points, found by their names.

Whatever is wrong with one of them harms no other.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
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
    return tuple(sorted(entry_points(group=group).names))


def known(group: Group, name: str) -> str:
    """Return the name. Raises PluginError, with those that there are, if there is no such one."""
    if name not in names(group):
        raise PluginError(f"there is no {group.one} '{name}'; there are {', '.join(names(group))}")
    return name


def load(group: Group, name: str) -> Callable[..., Any]:
    """Return what an entry point names. Raises PluginError."""
    found = tuple(entry_points(group=group, name=known(group, name)))
    if len(found) > 1:
        owners = " and ".join(sorted(map(_owner, found)))
        raise PluginError(f"{owners} both have the {group.one} '{name}'; uninstall one of them")
    (entry,) = found
    what = f"the {group.one} '{name}' of {_owner(entry)}"
    try:
        loaded = entry.load()
    except Exception as error:  # whatever somebody else's module does
        raise PluginError(f"{what} cannot be imported ({told(error)})") from error
    if not callable(loaded):
        raise PluginError(f"{what} is no callable: {entry.value} is a {type(loaded).__name__}")
    factory: Callable[..., Any] = loaded
    return factory


def told(error: Exception) -> str:
    """Return somebody else's error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _owner(entry: EntryPoint) -> str:
    return "an unknown distribution" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
