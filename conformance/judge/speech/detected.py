"""Where speech begins and ends (requirements speech.detected.*)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.outcomes import LONG_SILENCE
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said, ticks
from conformance.judge.speech.turn import Turn
from conformance.judge.verdict import Verdict
from protocol.speech.handshake import Mode
from protocol.validate import validator
from protocol.wire import Party

_FORMS = {
    spoken.START_DETECTED: ("speech/start-detected", "speech.detected.start-form"),
    spoken.END_DETECTED: ("speech/end-detected", "speech.detected.end-form"),
}

_FIRST_MESSAGES, _DATA_SIZE, _FIRST_BYTES = 20, 4, 640


def forms(view: View) -> Findings:
    """speech.detected.start-form, end-form: an object with an Offset; an end without one is what the service sends."""
    for said in view.server_said:
        if said.path not in _FORMS:
            continue
        schema, name = _FORMS[said.path]
        if said.body is None:
            if said.path == spoken.END_DETECTED and not said.payload:
                yield broken(name, said.at, "a JSON object", "an empty body")
            continue
        errors = validator(schema).errors(said.body)
        for error in errors:
            yield broken(error.requirement, said.at, f"{error.expected} at {error.at}", error.observed)
        if not errors:
            yield kept("speech.result.ticks", said.at)
            if "Offset" in said.body:
                yield kept(name, said.at)
            else:
                yield broken(name, said.at, "an Offset", "none", Verdict.NON_STRICT)


def once(view: View) -> Findings:
    """speech.detected.start-once, end-once: at most one of each in a turn."""
    names = {spoken.START_DETECTED: "speech.detected.start-once", spoken.END_DETECTED: "speech.detected.end-once"}
    for turn in view.turns:
        for path, name in names.items():
            found = _of(turn, path)
            for said in found[1:]:
                yield broken(name, said.at, f"one {path} in a turn", "another one")
            if len(found) == 1:
                yield kept(name, found[0].at)


def places(view: View) -> Findings:
    """speech.detected.start-order, end-order: the start before the first words, the end behind the start."""
    for turn in view.turns:
        start, end = (next(iter(_of(turn, path)), None) for path in (spoken.START_DETECTED, spoken.END_DETECTED))
        words = next((result for result in turn.results if result.speaks or (not result.final and result.text)), None)
        if start is not None:
            name = "speech.detected.start-order"
            late = words is not None and words.at < start.at
            expected = "speech.startDetected before the first result with text"
            yield broken(name, start.at, expected, "behind it") if late else kept(name, start.at)
        if end is not None:
            name = "speech.detected.end-order"
            early = start is not None and end.at < start.at
            expected = "speech.endDetected behind speech.startDetected"
            yield broken(name, end.at, expected, "before it") if early else kept(name, end.at)


def positive(view: View) -> Findings:
    """speech.detected.start-positive: the first speech of a connection begins behind the silence before it."""
    name = "speech.detected.start-positive"
    found = [said for turn in view.turns[:1] if _begins_silent(turn) for said in _of(turn, spoken.START_DETECTED)]
    for said in found[:1]:
        offset = ticks(said.body.get("Offset")) if said.body is not None else None
        if offset is not None:
            yield kept(name, said.at) if offset > 0 else broken(name, said.at, "an Offset above 0", str(offset))


def _begins_silent(turn: Turn) -> bool:
    """Tell whether the first samples that the client sent in a turn, 20 ms of them, are nothing but zeros."""
    sent = b"".join(said.payload for said in turn.client[:_FIRST_MESSAGES] if said.path == spoken.AUDIO)
    first = sent.partition(b"data")[2][_DATA_SIZE:][:_FIRST_BYTES]
    return len(first) == _FIRST_BYTES and not any(first)


def continuous(view: View) -> Findings:
    """speech.detected.end-silence: continuous speech has no speech.endDetected behind each phrase."""
    name = "speech.detected.end-silence"
    for turn in view.turns:
        if turn.wanted.mode not in (Mode.CONVERSATION, Mode.DICTATION) or turn.provoked:
            continue
        for said in _of(turn, spoken.END_DETECTED):
            behind = [final for final in turn.finals if final.speaks and final.at > said.at]
            before = [final for final in turn.finals if final.at < said.at]
            long = any((ticks(final.speech.get("Duration")) or 0) > LONG_SILENCE for final in before if final.silent)
            if len(behind) > 1 and before and not long:
                yield broken(name, said.at, "none in continuous speech", f"{len(behind)} finals behind it")


def _of(turn: Turn, path: str) -> list[Said]:
    return [said for said in turn.answers if said.path == path]


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        forms,
        "speech.detected.start-form",
        "speech.detected.end-form",
        "speech.result.ticks",
        "speech.frame.text-json",
    ),
    rule(Party.SERVER, once, "speech.detected.start-once", "speech.detected.end-once"),
    rule(Party.SERVER, places, "speech.detected.start-order", "speech.detected.end-order"),
    rule(Party.SERVER, positive, "speech.detected.start-positive"),
    rule(Party.SERVER, continuous, "speech.detected.end-silence"),
)
