"""What the strategies of both folders draw alike: connections side by side, special forms with their numbers, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Protocol, TypeVar

from hypothesis import strategies as st

from conformance.programs.forms import FORMS
from conformance.programs.program import HEADER, Program, Step, Talk
from conformance.strategies.schemas import valid

_T = TypeVar("_T")
STOP: Final = ""
LONGEST: Final = 16  # draws of one connection
TEN: Final = st.integers(0, 9)
PAUSES: Final = st.integers(1, 40)
MILLISECONDS: Final = st.integers(1, 600)

_CONNECTIONS: Final = {"one": 1, "two": 2, "three": 3, "wrong": 1, "wrong beside": 2}
_PLAIN: Final = 7  # steps of ten that have no special form
_OWN: Final = 3  # a header comes once, and has many places in which it can be split

_SMALL = st.integers(0, 60)
_CUT = st.sampled_from([*range(8), *range(0, 300, 7)])  # most that can go wrong is where a message begins
_MASK = st.integers(0, (1 << 24) - 1)


@dataclass(frozen=True, slots=True)
class Able:
    """What a server is taken to offer: what it does not is not drawn.

    Attributes:
        utterances: How many there are to be said; 0 where a server recognises nothing.
        voice: Whether translations can be spoken.
        without: Words of `--without`.
    """

    utterances: int = 3
    voice: bool = True
    without: frozenset[str] = frozenset()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_LEAVES = st.none() | st.booleans() | st.integers(-9, 1 << 40) | st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    _LEAVES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text("abcXYZ.-_ ", max_size=6), part, max_size=3),
    max_leaves=5,
).map(_json)
"""Any JSON, as text."""

_NUMBERS: Final[Mapping[str, st.SearchStrategy[tuple[int, ...]]]] = {
    "order": st.tuples(st.integers(0, 119)),
    "case": st.tuples(_MASK),
    "words": st.tuples(_MASK),
    "names": st.tuples(_MASK),
    "mode-case": st.tuples(_MASK),
    "keys-case": st.tuples(_MASK),
    "extra": st.tuples(st.integers(0, 999)),
    "stream": st.tuples(st.integers(0, 99)),
    "frames": st.lists(_CUT, min_size=1, max_size=3).map(tuple),
    "split": st.lists(_SMALL, min_size=1, max_size=3).map(tuple),
    "samples": st.tuples(st.integers(1, 800).map(lambda count: 2 * count)),
    "with-audio": st.tuples(st.integers(1, 1600)),
    "large": st.tuples(st.integers(4097, 16_000).map(lambda count: 2 * count)),
    "small": st.lists(st.integers(1, 1600).map(lambda count: 2 * count), min_size=1, max_size=3).map(tuple),
    "any-size": st.lists(st.integers(1, 12_000).map(lambda count: 2 * count), min_size=1, max_size=3).map(tuple),
    "odd": st.lists(st.integers(0, 3200).map(lambda count: 2 * count + 1), min_size=1, max_size=3).map(tuple),
    "empty": st.tuples(st.integers(0, 9)),
    "zeros": st.tuples(st.integers(1, 24)),
    "chunks": st.lists(st.integers(0, 40), min_size=1, max_size=3).map(tuple),
    "sizes": st.tuples(st.integers(1, 40_000).map(lambda count: 2 * count)),
}
_BODIES: Final[Mapping[str, st.SearchStrategy[str]]] = {
    "open": JSON,
    "members": JSON,
    "drawn": valid("speech/telemetry").map(_json),
}


class Walk(Protocol):
    """One connection that is being drawn: the client's way through the order table."""

    number: int
    talk: Talk

    def on(self) -> bool:
        """Draw what comes next; False when nothing does."""

    def err(self) -> None:
        """Draw a mistake that can be made now, and make it."""

    def finish(self) -> None:
        """Bring to its end what has been begun, or hang up in the middle of it."""


def together(
    dialect: str, shapes: tuple[str, ...], begun: Callable[[st.DrawFn, int, list[Step]], Walk]
) -> st.SearchStrategy[Program]:
    """Return a strategy for programs on one connection or several, and on the first of some a mistake.

    Args:
        dialect: The dialect.
        shapes: Keys of `_CONNECTIONS`, each so often as it is to be drawn.
        begun: Begins to draw a connection, with its number and the steps of all of them.
    """

    @st.composite
    def drawn(draw: st.DrawFn) -> Program:
        shape = draw(one_of(shapes))
        steps: list[Step] = []
        walks = [begun(draw, number, steps) for number in range(_CONNECTIONS[shape])]
        going = list(walks)
        while going:
            walk = going[draw(below(len(going)))] if len(going) > 1 else going[0]
            if not walk.on():
                going.remove(walk)
                if shape.startswith("wrong") and walk.number == 0:
                    walk.err()
        for walk in walks:
            walk.finish()
        return Program(dialect, tuple(walk.talk for walk in walks), tuple(steps))

    return drawn()


@cache
def one_of(options: tuple[_T, ...]) -> st.SearchStrategy[_T]:
    """Return a strategy that takes one of some: a new one would be validated first, which takes longer than drawing."""
    return st.sampled_from(options)


@cache
def below(count: int) -> st.SearchStrategy[int]:
    """Return a strategy for a number that is less than `count`."""
    return st.integers(0, count - 1)


def numbers(draw: st.DrawFn, form: str) -> tuple[int, ...]:
    """Draw the numbers of a form."""
    return draw(_NUMBERS[form]) if form in _NUMBERS else ()


def choices(folder: str, words: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return words with the special forms that they can have, each so often as it is to be drawn, plain ones first.

    One choice instead of two: most of the time that a program takes to draw goes into the number of its choices.
    """
    plain, special = [], []
    for word, weight in words.items():
        forms = [
            form
            for form, (_, having) in FORMS[folder].items()
            for _ in range(_OWN if having == (HEADER,) else 1)
            if word in having
        ]
        plain += [(word, "")] * (weight * (_PLAIN if forms else 10))
        special += [(word, forms[turn % len(forms)]) for turn in range(weight * (10 - _PLAIN))] if forms else []
        special += [(word, form) for form in forms[weight * (10 - _PLAIN) :]]
    return plain + special


def formed(draw: st.DrawFn, step: Step, form: str) -> Step:
    """Return a step in a special form, of which numbers and body are drawn."""
    if not form:
        return step
    body = draw(_BODIES[form]) if form in _BODIES else ""
    return replace(step, form=form, at=numbers(draw, form), body=body)
