"""What is to blame where something legal did not get its answer: found out by leaving parts of the program out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from conformance.judge.verdict import departure
from conformance.programs.forms import by_itself, without_each
from conformance.programs.outcome import MIXED, Departure
from conformance.programs.program import Program, Step
from protocol import requirements

Outcome = Callable[[Program], Awaitable[Sequence[Departure]]]
"""Plays a program, or remembers what came of it."""

_ABANDONS: Final = "speech.turn.new-id-abandons"
_LATER_TURN: Final = "speech.turn.several"


async def blamed(program: Program, found: Sequence[Departure], outcome: Outcome) -> tuple[Departure, ...]:
    """Return departures in which each answer that did not come is laid to the requirement that makes it come.

    A special form is to blame if the same conversation without it is served; other connections, and earlier turns, if
    it is served without them. Where nothing of that heals it, the answer itself is what is missing.
    """
    legal = program.before_wrong
    if legal is not None and _lost(await outcome(legal)) is not None:
        return ()  # what went wrong before the mistake is for the conversations in which there is none
    return tuple([await _one(program, one, outcome) for one in found])


async def _one(program: Program, one: Departure, outcome: Outcome) -> Departure:
    if one.step is None:
        return one
    folder, step = requirements.folder(program.dialect), program.steps[one.step]
    if len(program.talks) > 1:
        alone = program.alone(one.talk)
        lost = _lost(await outcome(alone))
        if lost is not None:
            return replace(await _one(alone, lost, outcome), talk=one.talk, step=one.step)
        return _of(one, one.requirement if program.wrong else f"{folder}.{MIXED[folder]}")
    without = _without_each(program, step)
    if step.turn:
        given_up = program.without_abandoned(one.talk)
        without += [(_ABANDONS, given_up)] if step in given_up.steps else []
        without.append((_LATER_TURN, program.only_turn(one.talk, step.turn)))
    for name, other in without:
        if _lost(await outcome(other)) is None:
            return _of(one, name)
    # Or several things are not taken: one after the other goes, and with the last of them what is left is served.
    less = program
    while without := _without_each(less, step):
        name, less = without[0]
        if _lost(await outcome(less)) is None:
            return _of(one, name)
    return one


def _without_each(program: Program, step: Step) -> list[tuple[str, Program]]:
    """Return the program without each thing that is special, but the step: without it nothing is missed."""
    return [(name, other) for name, other in without_each(program) if name != by_itself(program, step)]


def _lost(found: Sequence[Departure]) -> Departure | None:
    return next((one for one in found if one.step is not None), None)


def _of(one: Departure, name: str) -> Departure:
    row = requirements.get(name)
    return replace(one, requirement=row.id, verdict=departure(row))
