"""A whole conversation as data: the program that is drawn, played, shrunk, and kept in a bundle.

A program is one sequence of steps over one connection or several. Nothing in it depends on what a server answers:
waits are steps, too, and ids and times are made when it is played. Equal programs are the same conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

CONFIG, CONTEXT, HEADER, AUDIO, END = "config", "context", "header", "audio", "end"
TELEMETRY, EVENT, COMMIT, OTHER, CLOSE = "telemetry", "event", "commit", "other", "close"
"""Steps that send what the order tables name so."""

LATE: Final = "late"
"""A step that sends audio of a turn that is over."""

PING, PAUSE, AWAIT = "ping", "pause", "await"
"""Steps that are no message: a ping and its pong, some milliseconds, a wait for something of the server."""

FINAL, TURN_END, VOICE = "final", "turn.end", "voice"
"""What can be awaited."""

_MOMENT_MS: Final = 100
_ANSWER_MS: Final = 10

SILENCE, NOISE, SPEECH = "silence", "noise", "speech"
"""What audio is made of; speech is an utterance of the recordings, whole."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a conversation.

    Attributes:
        talk: Number of the connection.
        does: What is done: a word of the order table, or one of the others above.
        turn: Number of the turn within its connection; 0 where there are none.
        what: What of it: what audio is made of, what is awaited, what kind of message, if there is a choice.
        count: How much: of silence and noise milliseconds, of speech the number of the utterance, of what is awaited
            how many of it in the turn.
        form: In which special form it is sent (`forms`), or ""; `at` are the numbers of the form, `body` is JSON.
        wrong: The name of the mistake (`mistakes`) that it is, or "".
    """

    talk: int
    does: str
    turn: int = 0
    what: str = ""
    count: int = 0
    form: str = ""
    at: tuple[int, ...] = ()
    body: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection of a program: what it asks for, and the special form of its request, as in a step.

    Attributes:
        asks: Words: the mode and `voice` in the speech dialects, features in `translator`.
        form: The special form of the upgrade, or "".
        at: The numbers of the form.
    """

    asks: tuple[str, ...] = ()
    form: str = ""
    at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """A conversation on one connection or on several at once; steps are taken one behind the other."""

    dialect: str
    talks: tuple[Talk, ...]
    steps: tuple[Step, ...]

    @property
    def wrong(self) -> Step | None:
        """The step that is a mistake; None in a legal conversation."""
        return next((step for step in self.steps if step.wrong), None)

    @property
    def size(self) -> int:
        """How long it is: its steps, of which special forms count twice."""
        return len(self.steps) + sum(bool(step.form) for step in self.steps) + sum(bool(t.form) for t in self.talks)

    @property
    def before_wrong(self) -> Program | None:
        """The conversation up to its mistake; None for a legal one. It ends with a look at the connection."""
        if self.wrong is None:
            return None
        place = self.steps.index(self.wrong)
        return Program(self.dialect, self.talks, (*self.steps[:place], *_look(self.wrong.talk)))

    def alone(self, talk: int) -> Program:
        """Return the same conversation without what is said on other connections; it ends with a look at its own.

        The time that the others take is let pass: it may be what matters.
        """
        steps: list[Step] = []
        for step in self.steps:
            if step.talk == talk:
                steps += [replace(step, talk=0)] if step.does != CLOSE else []
            elif step.does == PAUSE:
                steps.append(replace(step, talk=0))
            elif step.does in (AWAIT, PING) or step.wrong:
                steps.append(Step(0, PAUSE, count=_MOMENT_MS if step.wrong else _ANSWER_MS))
        return Program(self.dialect, (self.talks[talk],), (*steps, *_look(0)))

    def without_abandoned(self, talk: int) -> Program:
        """Return the same conversation without the turns of a connection that others have abandoned."""
        mine = [step for step in self.steps if step.talk == talk]
        last = max((step.turn for step in mine), default=0)
        awaited = {step.turn for step in mine if step.does == AWAIT and step.what == TURN_END}
        steps = tuple(
            step
            for step in self.steps
            if step.talk != talk or step.turn == last or step.turn in awaited or step.does == CONFIG
        )
        return Program(self.dialect, self.talks, steps)

    def only_turn(self, talk: int, turn: int) -> Program:
        """Return the same conversation without all turns of a connection but one."""
        context = self.context_of(talk, turn)
        steps = tuple(
            replace(step, turn=0) if step.talk == talk else step
            for step in self.steps
            if step.talk != talk or step.turn == turn or step.does == CONFIG or step is context
        )
        return Program(self.dialect, self.talks, steps)

    def context_of(self, talk: int, turn: int) -> Step | None:
        """Return the context that holds in a turn: its own, or that of the last turn before it that has one."""
        said = [step for step in self.steps if step.talk == talk and step.does == CONTEXT and step.turn <= turn]
        return said[-1] if said else None


def _look(talk: int) -> tuple[Step, ...]:
    """Return what shows whether a connection is open: a ping, once the server has had time for what came before it."""
    return Step(talk, PAUSE, count=_MOMENT_MS), Step(talk, PING)


def to_json(program: Program) -> dict[str, Any]:
    """Return the JSON form of a program; what is empty is left out."""
    return {
        "dialect": program.dialect,
        "talks": [_filled(asdict(talk), ()) for talk in program.talks],
        "steps": [_filled(asdict(step), ("talk", "does")) for step in program.steps],
    }


def _filled(members: Mapping[str, Any], always: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in members.items()
        if value or name in always
    }


def from_json(document: Mapping[str, Any]) -> Program:
    """Return the program of a JSON form that is valid against the schema `bundle`."""
    talks = tuple(Talk(**_tupled(talk)) for talk in document["talks"])
    return Program(document["dialect"], talks, tuple(Step(**_tupled(step)) for step in document["steps"]))


def _tupled(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in members.items()}
