"""How a conversation can be made shorter and stay what it is: legal, or wrong in the same one place.

Hypothesis shrinks what was drawn, choice by choice. It does not see that a whole turn, or a form that stands in several
places, can go; here that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.programs.forms import without_each
from conformance.programs.program import (
    AUDIO,
    AWAIT,
    CLOSE,
    CONFIG,
    FINAL,
    PAUSE,
    PING,
    SILENCE,
    SPEECH,
    VOICE,
    Program,
    Step,
)

_ENDS_MS = 2000  # so much silence is there to end what was said before it


def reductions(program: Program) -> Iterator[Program]:
    """Yield shorter conversations, those first from which most is gone; no talk with the mistake in it is left out."""
    kept = program.wrong.talk if program.wrong is not None else None
    for talk in range(len(program.talks)):
        if len(program.talks) > 1 and talk != kept:
            yield _without_talk(program, talk)
    for talk in range(len(program.talks)):
        turns = sorted({step.turn for step in program.steps if step.talk == talk})
        for turn in turns if len(turns) > 1 else ():
            yield from _without_turn(program, talk, turn)
    for place, step in enumerate(program.steps):
        if step.what == SPEECH and not step.wrong:
            yield _without_utterance(program, place)
    for _, other in without_each(program):
        if other.wrong == program.wrong:
            yield other
    for place, step in enumerate(program.steps):
        if _idle(step):
            yield replace(program, steps=program.steps[:place] + program.steps[place + 1 :])


def _without_talk(program: Program, talk: int) -> Program:
    talks = program.talks[:talk] + program.talks[talk + 1 :]
    steps = tuple(replace(step, talk=step.talk - (step.talk > talk)) for step in program.steps if step.talk != talk)
    return Program(program.dialect, talks, steps)


def _without_turn(program: Program, talk: int, turn: int) -> Iterator[Program]:
    """Yield the conversation without one of the turns of a connection, unless the mistake needs it."""
    wrong = program.wrong
    needed = () if wrong is None else (wrong.turn, wrong.turn - 1) if wrong.wrong == "reused-id" else (wrong.turn,)
    if wrong is not None and wrong.talk == talk and turn in needed:
        return
    later = min((step.turn for step in program.steps if step.talk == talk and step.turn > turn), default=turn)
    inherited = program.context_of(talk, later) if later > turn else None
    steps = tuple(
        replace(step, turn=later) if step is inherited else step
        for step in program.steps
        if step.talk != talk or step.turn != turn or (step.does == CONFIG and step.what != "again") or step is inherited
    )
    yield replace(program, steps=steps)


def _without_utterance(program: Program, place: int) -> Program:
    """Return the conversation without something that is said, the silence that ends it, and the wait for it."""
    said = program.steps[place]
    number = sum(step.what == SPEECH and _beside(step, said) for step in program.steps[: place + 1])
    behind = program.steps[place + 1 : place + 2]
    ends = [step for step in behind if step.does == AUDIO and step.what == SILENCE and _beside(step, said)]
    kept: list[Step] = []
    for step in (*program.steps[:place], *program.steps[place + 1 + len(ends) :]):
        awaited = step.does == AWAIT and step.what in (FINAL, VOICE) and _beside(step, said) and step.count >= number
        other = replace(step, count=step.count - 1) if awaited else step
        if not awaited or (other.count and other not in kept):
            kept.append(other)
    return replace(program, steps=tuple(kept))


def _beside(step: Step, other: Step) -> bool:
    return (step.talk, step.turn) == (other.talk, other.turn)


def _idle(step: Step) -> bool:
    """Tell whether a step can go by itself: what is said in it has no answer, and ends nothing."""
    if step.wrong or step.what == SPEECH:
        return False
    sound = step.does == AUDIO and not (step.what == SILENCE and step.count > _ENDS_MS)
    return sound or step.does in (PAUSE, PING, CLOSE)
