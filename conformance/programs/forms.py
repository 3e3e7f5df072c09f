"""The special forms in which a client may say the same: each names the requirement by which a server has to take it.

A step without a form is said as nearly every client says it. Words that a conversation could do without (`OPTIONAL`)
name a requirement by being there at all. Where a conversation goes wrong that is legal, it is played again without
each of them: so it is found out, and not guessed, what the server did not take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from conformance.programs.program import (
    AUDIO,
    COMMIT,
    CONFIG,
    CONTEXT,
    END,
    EVENT,
    HEADER,
    LATE,
    OTHER,
    PING,
    TELEMETRY,
    Program,
    Step,
    Talk,
)
from protocol import requirements

_TEXTS: Final = (CONFIG, CONTEXT, TELEMETRY)
_HEADED: Final = (*_TEXTS, EVENT, HEADER, AUDIO, END)

FORMS: Final[Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]] = {
    "speech": {
        "order": ("read.header-order", _HEADED),
        "case": ("read.header-case", _HEADED),
        "blank": ("read.space-after-colon", _HEADED),
        "extra": ("read.unknown-header", _HEADED),
        "digits": ("read.timestamp-digits", _HEADED),
        "epoch": ("read.timestamp-free", _HEADED),
        "untyped": ("read.content-type-absent", _TEXTS),
        "stream": ("read.stream-id", (HEADER, AUDIO, END)),
        "frames": ("read.fragmented-message", _HEADED),
        "split": ("audio.header-split", (HEADER,)),
        "samples": ("audio.header-with-samples", (HEADER,)),
        "large": ("audio.chunk-size", (AUDIO,)),
        "small": ("audio.chunk-size", (AUDIO,)),
        "mode-case": ("context.mode-case", (CONTEXT,)),
        "keys-case": ("context.keys-case", (CONTEXT,)),
        "open": ("context.open", (CONTEXT,)),
        "members": ("config.open", (CONFIG,)),
        "anonymous": ("config.without-request-id", (CONFIG,)),
        "drawn": ("telemetry.tolerated", (TELEMETRY,)),
        "upper": ("turn.id-echo", (CONTEXT,)),
        "zeros": ("turn.id-echo", (CONTEXT,)),
        "repeated": ("audio.end-repeated", (END,)),
    },
    "translator": {
        "split": ("audio.header-split", (HEADER,)),
        "with-audio": ("audio.header-with-audio", (HEADER,)),
        "46": ("audio.header-46", (HEADER,)),
        "chunks": ("audio.extra-chunks", (HEADER,)),
        "sizes": ("audio.true-sizes", (HEADER,)),
        "any-size": ("audio.chunk-any-size", (AUDIO,)),
        "odd": ("audio.odd-bytes", (AUDIO,)),
        "empty": ("audio.empty-message", (AUDIO,)),
        "frames": ("audio.fragmented", (HEADER, AUDIO)),
    },
}
"""By folder and form: the requirement, and the steps that can have it."""

REQUESTS: Final[Mapping[str, Mapping[str, str]]] = {
    "speech": {
        "upper-id": "handshake.connection-id-case",
        "id-in-query": "handshake.connection-id-query",
        "sub-protocol": "handshake.sub-protocol-offered",
        "header": "handshake.extra-headers",
        "parameter": "query.unknown",
    },
    "translator": {
        "order": "handshake.parameter-order",
        "names": "handshake.parameter-name-case",
        "words": "handshake.feature-case",
        "parameter": "handshake.unknown-parameter",
        "empty": "handshake.empty-parameter",
        "trace": "handshake.trace-headers",
    },
}
"""The same of the request that opens a connection."""

OPTIONAL: Final[Mapping[str, Mapping[str, str]]] = {
    "speech": {
        TELEMETRY: "telemetry.tolerated",
        EVENT: "event.unknown-id",
        f"{EVENT} finished": "event.finished-id",
        f"{EVENT} open": "event.targets",
        COMMIT: "commit.headers-only",
        f"{OTHER} text": "unknown.text-path",
        f"{OTHER} binary": "unknown.binary-path",
        LATE: "audio.late-id",
        f"{CONFIG} again": "config.repeated",
        PING: "read.ping",
    },
    "translator": {PING: "audio.ping"},
}
"""By folder, what can be left out of a conversation (word and kind), with the requirement by which it is taken."""


def taken(program: Program) -> frozenset[str]:
    """Return the requirements, in full, by which the special forms and the optional words of a program are taken."""
    asked, formed, optional = _special(program)
    return frozenset((*asked, *formed, *optional))


def _requested(program: Program, talk: Talk) -> str:
    folder = requirements.folder(program.dialect)
    return f"{folder}.{REQUESTS[folder][talk.form]}" if talk.form else ""


def _in_form(program: Program, step: Step) -> str:
    if not step.form:
        return ""
    folder = requirements.folder(program.dialect)
    return f"{folder}.{FORMS[folder][step.form][0]}"


def by_itself(program: Program, step: Step) -> str:
    """Return the requirement, in full, by which a server has to take a step that can be left out; else ""."""
    folder = requirements.folder(program.dialect)
    name = OPTIONAL[folder].get(f"{step.does} {step.what}" if step.what else step.does)
    return f"{folder}.{name}" if name else ""


def without_each(program: Program) -> list[tuple[str, Program]]:
    """Return each requirement by which something special of a program is taken, and the program without that.

    First special forms become the usual one, kind by kind, then what is optional is left out: the less is changed, the
    more it says.
    """
    asked, formed, optional = _special(program)
    return [
        *((name, _asked_plainly(program, name)) for name in asked),
        *((name, _said_plainly(program, name)) for name in formed),
        *((name, _left_out(program, name)) for name in optional),
    ]


def _special(program: Program) -> tuple[Iterable[str], Iterable[str], Iterable[str]]:
    """Return the requirements by which something special is taken: upgrades, forms of messages, optional words."""
    asked = dict.fromkeys(name for talk in program.talks if (name := _requested(program, talk)))
    formed = dict.fromkeys(name for step in program.steps if (name := _in_form(program, step)))
    optional = dict.fromkeys(name for step in program.steps if (name := by_itself(program, step)))
    return asked, formed, optional


def _asked_plainly(program: Program, requirement: str) -> Program:
    talks = tuple(
        replace(talk, form="", at=()) if _requested(program, talk) == requirement else talk for talk in program.talks
    )
    return replace(program, talks=talks)


def _said_plainly(program: Program, requirement: str) -> Program:
    steps = tuple(
        replace(step, form="", at=(), body="") if _in_form(program, step) == requirement else step
        for step in program.steps
    )
    return replace(program, steps=steps)


def _left_out(program: Program, requirement: str) -> Program:
    steps = tuple(step for step in program.steps if by_itself(program, step) != requirement)
    return replace(program, steps=steps)
