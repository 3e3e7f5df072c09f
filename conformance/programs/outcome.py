"""What is to be said of a program that was played: what the wire shows, what did not come, how a mistake was answered.

All of it follows from what was recorded, so that a bundle can be judged again without any server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conformance.judge.benches import judge
from conformance.judge.verdict import Verdict, departure
from conformance.peers.link import Received
from conformance.programs import speech, translator
from conformance.programs.forms import taken
from conformance.programs.mistakes import BESIDE, MISTAKES, Mistake
from conformance.programs.player import REACTION, Played
from conformance.programs.program import AWAIT, FINAL, PING, TURN_END, VOICE, Program, Step
from conformance.transcript import Answered, CloseFrame, Ended, Ending, Expired, Frame, Transcript
from protocol import requirements
from protocol.wire import Party

_HANDSHAKE: Final = "handshake.accept"
_MISSED: Final = {
    "speech": {
        FINAL: "result.final-always",
        TURN_END: "turn.end-last",
        VOICE: "synthesis.on-request",
        PING: "read.ping",
    },
    "translator": {FINAL: "final.always", VOICE: "voice.follows-final", PING: "audio.ping"},
}
MIXED: Final = {"speech": "turn.isolation", "translator": "session.isolation"}
_RECOGNISED: Final = {"speech": speech.recognised, "translator": translator.recognised}
_GOES_ON: Final = "a conversation that goes on"
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Departure:
    """One way in which a server departed from what a program expects of it.

    Attributes:
        requirement: Id of the requirement, in full.
        verdict: How grave it is.
        expected: What would have been right.
        observed: What was there; it may quote the peer.
        talk: Number of the connection that shows it.
        step: Number of the step at which something did not come; None for what the wire shows, and for answers.
    """

    requirement: str
    verdict: Verdict
    expected: str
    observed: str
    talk: int
    step: int | None = None


def departures(played: Played) -> tuple[Departure, ...]:
    """Return everything that is to be said of a program that was played; nothing where all is well."""
    return tuple(_all(played))


def _all(played: Played) -> Iterator[Departure]:
    folder = requirements.folder(played.program.dialect)
    wrong = played.program.wrong
    for number, transcript in enumerate(played.transcripts):
        for finding in judge(transcript, Party.SERVER):
            if not finding.kept:
                verdict = finding.verdict or departure(requirements.get(finding.requirement))
                yield Departure(finding.requirement, verdict, finding.expected, finding.observed, number)
        if wrong is not None and wrong.talk == number:
            yield from _answered(played, folder, wrong, number)
        elif (stopped := played.stopped[number]) is not None:
            yield _missed(played, folder, number, stopped)
    yield from _mixed(played, folder)


def _missed(played: Played, folder: str, number: int, stopped: int) -> Departure:
    """Say what did not come; beside a mistake on another connection, that this one was not to notice it."""
    step, transcript = played.program.steps[stopped], played.transcripts[number]
    if (refused := _refused(transcript)) is not None:
        name, expected, observed = _HANDSHAKE, "status 101", refused
    else:
        name = _MISSED[folder][step.what if step.does == AWAIT else step.does]
        expected, observed = _expected(step), _end(transcript) or "the end of the turn"
    if played.program.wrong is not None and played.program.wrong.talk != number:
        name, expected = BESIDE[folder], f"{expected}, whatever is sent on another connection"
    return _departure(folder, name, expected, observed, number, stopped)


def _departure(folder: str, name: str, expected: str, observed: str, talk: int, step: int | None) -> Departure:
    row = requirements.get(f"{folder}.{name}")
    return Departure(row.id, departure(row), expected, observed, talk, step)


def _expected(step: Step) -> str:
    if step.does == PING:
        return "a pong"
    turn = f" of turn {step.turn + 1}" if step.what in (FINAL, TURN_END) and step.turn else ""
    return f"{step.what} {step.count}{turn}" if step.count > 1 else f"{step.what}{turn}"


def _refused(transcript: Transcript) -> str | None:
    """Return how an upgrade was refused; None where it was not."""
    status = [entry.response.status for entry in transcript.entries if isinstance(entry, Answered)]
    if status and status[-1] == 101:
        return None
    return f"status {status[-1]}" if status else "no HTTP response"


def _end(transcript: Transcript) -> str | None:
    """Return how the server ended a connection, or let it hang, for a person; None where it did neither."""
    for entry in transcript.entries:
        if isinstance(entry, CloseFrame):
            if entry.sender is Party.SERVER:
                return f"close {entry.code} {entry.reason!r}"
            return None
        if isinstance(entry, Ended) and entry.by is Party.SERVER:
            what = f"what cannot be read: {entry.detail}" if entry.how is Ending.UNREADABLE else "no close frame"
            return f"the end of the connection with {what}"
        if isinstance(entry, Expired) and entry.what != REACTION:
            return f"nothing more for {entry.budget:.1f} s"
    return None


def asks_for(program: Program) -> frozenset[str]:
    """Return the requirements, in full, on which a program gives a verdict beside those of the wire."""
    folder = requirements.folder(program.dialect)
    names = {_HANDSHAKE}
    names |= {_MISSED[folder][step.what] for step in program.steps if step.does == AWAIT}
    if program.wrong is not None:
        names.add(MISTAKES[folder][program.wrong.wrong].requirement)
        names |= {BESIDE[folder]} if len(program.talks) > 1 else set()
    return frozenset(f"{folder}.{name}" for name in names) | taken(program)


# Mistakes.


def _answered(played: Played, folder: str, wrong: Step, number: int) -> Iterator[Departure]:
    """Judge the answer to a mistake: a close with the right code, and at the least no connection that hangs."""
    mistake = MISTAKES[folder][wrong.wrong]
    transcript = played.transcripts[number]
    if not any(isinstance(entry, Frame) and entry.deliberate for entry in transcript.entries):
        if (stopped := played.stopped[number]) is not None:
            yield _missed(played, folder, number, stopped)
        return
    code = _code(transcript)
    if code is not None and (not mistake.codes or code in mistake.codes):
        return
    observed = _end(transcript) or _GOES_ON
    yield _departure(folder, mistake.requirement, _wanted(mistake, wrong), observed, number, None)
    if code is None and played.stopped[number] is not None:
        yield _departure(folder, BESIDE[folder], f"a close with a code, or {_GOES_ON}", observed, number, None)


def _code(transcript: Transcript) -> int | None:
    """Return the code with which the server closed before the client did; None where it did not."""
    for entry in transcript.entries:
        if isinstance(entry, CloseFrame):
            return entry.code if entry.sender is Party.SERVER else None
    return None


def _wanted(mistake: Mistake, wrong: Step) -> str:
    answer = f"close {' or '.join(map(str, mistake.codes))}" if mistake.codes else "a close"
    return f"{answer} for {wrong.does} with the mistake {wrong.wrong!r}"


# Several connections at once.


def _mixed(played: Played, folder: str) -> Iterator[Departure]:
    """Look for words that were said on another connection, and not on the one that hears them."""
    if len(played.transcripts) == 1:
        return
    for number, transcript in enumerate(played.transcripts):
        own = [_words(text) for text in played.said[number]]
        others = [_words(text) for talk, said in enumerate(played.said) if talk != number for text in said]
        for text in map(_RECOGNISED[folder], _messages(transcript)):
            words = _words(text)
            if words in others and not any(words & mine for mine in own):
                expected = f"results of {', '.join(played.said[number]) or 'silence'}"
                yield _departure(folder, MIXED[folder], expected, repr(text), number, None)


def _messages(transcript: Transcript) -> Iterator[Received]:
    """Yield the whole messages of the server."""
    parts: list[bytes] = []
    for entry in transcript.entries:
        if isinstance(entry, Frame) and entry.sender is Party.SERVER:
            parts = [entry.data] if entry.first else [*parts, entry.data]
            if entry.final:
                yield Received(entry.time, entry.time, entry.kind, b"".join(parts), len(parts))


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
