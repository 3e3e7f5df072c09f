"""The order of what a client sends, and the bodies of it (requirements speech.client.*).

A turn is walked with the shared order table, up to its turn.end: what a client still sends then has crossed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import schemas
from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.client_frames import meant
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from conformance.judge.speech.wave import begins_like_one
from conformance.transcript import CloseFrame, Ended
from protocol.errors import PeerViolation
from protocol.order import Conversation
from protocol.speech import order
from protocol.validate import validator
from protocol.wire import Kind, Party

_PATIENCE_S = 5.0
_SCHEMAS = {
    spoken.CONFIG: ("speech/speech-config", "speech.client.config-form"),
    spoken.CONTEXT: ("speech/speech-context", "speech.client.context-form"),
    spoken.EVENT: ("speech/event", "speech.client.event-form"),
}
_COMMIT: Mapping[str, Any] = schemas.read("speech/audio-commit")["properties"]
_WORDS = {spoken.CONTEXT: order.CONTEXT, spoken.COMMIT: order.COMMIT}


def config_first(view: View) -> Findings:
    """speech.client.config-first: speech.config is the first message of a connection."""
    name = "speech.client.config-first"
    for said in view.client_said[:1]:
        if not said.seen.deliberate:
            good = said.path == spoken.CONFIG
            yield kept(name, said.at) if good else broken(name, said.at, "speech.config first", said.path or "another")


def walk(view: View) -> Findings:
    """Walk the order table over each turn of the client: context, header, audio, the end of it."""
    for turn in view.turns:
        conversation = Conversation(order.TABLES[view.dialect], None)
        conversation.step(Party.CLIENT, order.CONFIG)
        until = len(view.entries) if turn.end is None else turn.end.at
        heard = False
        for said in turn.client:
            if said.at > until or (said.path == spoken.CONTEXT and said is not turn.context):
                continue  # crossed, or a second context: another requirement's matter
            word = _word(said, heard=heard)
            heard = heard or word in (order.HEADER, order.AUDIO)
            if word is not None:
                yield from _step(conversation, said, word)


def _word(said: Said, *, heard: bool) -> str | None:
    if said.path != spoken.AUDIO:
        return _WORDS.get(said.path)
    if not said.payload:
        return order.END
    starts = said.payload[:4] == b"RIFF" if heard else begins_like_one(said.payload)
    return order.HEADER if starts else order.AUDIO


_SHOWS = {
    order.CONTEXT: "speech.client.context-first",
    order.HEADER: "speech.client.audio-header",
    order.COMMIT: "speech.client.commit-after-audio",
}


def _step(conversation: Conversation, said: Said, word: str) -> Findings:
    try:
        conversation.step(Party.CLIENT, word)
    except PeerViolation as error:
        conversation.resume(Party.CLIENT, word)
        if not said.seen.deliberate:
            yield broken(error.requirement, said.at, error.expected, f"{error.observed} in {error.at}")
        return
    if word in _SHOWS:
        yield kept(_SHOWS[word], said.at)


def contexts(view: View) -> Findings:
    """speech.client.context-once, request-id-fresh: one context a turn, and an id of its own."""
    keys: set[str] = set()
    for turn in view.turns:
        found = [said for said in turn.client if said.path == spoken.CONTEXT and not said.seen.deliberate]
        for said in found[1:]:
            yield broken("speech.client.context-once", said.at, "one speech.context in a turn", "another one")
        if len(found) == 1:
            yield kept("speech.client.context-once", found[0].at)
        first = turn.client[0]
        name, used = "speech.client.request-id-fresh", turn.key in keys
        keys.add(turn.key)
        if not first.seen.deliberate:
            yield broken(name, first.at, "an id that no turn has had", turn.id) if used else kept(name, first.at)


def bodies(view: View) -> Findings:
    """speech.client.config-form, config-device, context-form, event-form: what the schemas say of a body."""
    for said in meant(view):
        if said.path not in _SCHEMAS or said.seen.kind is not Kind.TEXT:
            continue
        schema, name = _SCHEMAS[said.path]
        if said.body is None:
            yield broken(name, said.at, "a JSON object", "something else" if said.payload else "nothing")
            continue
        wrong = {error.requirement: error for error in reversed(validator(schema).errors(said.body))}
        for requirement, error in wrong.items():
            yield broken(requirement, said.at, f"{error.expected} at {error.at}", error.observed)
        if name not in wrong:
            yield kept(name, said.at)
        if said.path == spoken.CONFIG and "speech.client.config-device" not in wrong:
            context = said.body.get("context")
            given = isinstance(context, dict) and "device" in context
            device = "speech.client.config-device"
            yield kept(device, said.at) if given else broken(device, said.at, "device in the context", "none")


def commits(view: View) -> Findings:
    """speech.client.commit-form: headers alone, with a token that counts from 1."""
    name = "speech.client.commit-form"
    for said in meant(view):
        if said.path != spoken.COMMIT or said.message is None:
            continue
        fields = {field: value for field in _COMMIT if (value := said.message.get(field)) is not None}
        errors = validator("speech/audio-commit").errors(fields)
        if said.payload:
            yield broken(name, said.at, "no body", f"{len(said.payload)} bytes")
        elif errors:
            yield broken(name, said.at, f"{errors[0].expected} at {errors[0].at}", errors[0].observed)
        else:
            yield kept(name, said.at)


def endings(view: View) -> Findings:
    """speech.client.close, closes, waits-for-turn-end: it stays for turn.end, and then closes with 1000 by itself."""
    ours, theirs = view.close_of(Party.CLIENT), view.close_of(Party.SERVER)
    if theirs is not None and (ours is None or theirs[0] < ours[0]):
        return
    name = "speech.client.closes"
    if ours is None:
        ended = next(((at, entry) for at, entry in enumerate(view.entries) if isinstance(entry, Ended)), None)
        if ended is not None and ended[1].by is Party.CLIENT and view.turns and view.turns[-1].end is not None:
            yield broken(name, ended[0], "a close frame", ended[1].detail or f"the end ({ended[1].how.value})")
        return
    at, frame = ours
    if frame.deliberate:
        return
    if view.turns and view.turns[-1].end is not None:
        yield kept(name, at)
    name = "speech.client.close"
    yield kept(name, at) if frame.code == 1000 else broken(name, at, "code 1000", str(frame.code))
    yield from _waits(view, at, frame)


def _waits(view: View, at: int, frame: CloseFrame) -> Findings:
    """Judge whether the last turn was waited for; one that keeps a client waiting for long is given up."""
    name, turn = "speech.client.waits-for-turn-end", view.turns[-1] if view.turns else None
    if turn is None or turn.stopped is None or turn.stopped.at > at:
        return
    if turn.end is not None and turn.end.at < at:
        yield kept(name, at)
    elif frame.time - turn.stopped.seen.ended < _PATIENCE_S:
        yield broken(name, at, "turn.end before the close", "a close behind the end of the stream")


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, config_first, "speech.client.config-first"),
    rule(
        Party.CLIENT,
        walk,
        "speech.client.context-first",
        "speech.client.audio-header",
        "speech.client.commit-after-audio",
        "speech.client.nothing-after-end",
    ),
    rule(Party.CLIENT, contexts, "speech.client.context-once", "speech.client.request-id-fresh"),
    rule(
        Party.CLIENT,
        bodies,
        "speech.client.config-form",
        "speech.client.config-device",
        "speech.client.context-form",
        "speech.client.event-form",
    ),
    rule(Party.CLIENT, commits, "speech.client.commit-form"),
    rule(
        Party.CLIENT,
        endings,
        "speech.client.close",
        "speech.client.closes",
        "speech.client.waits-for-turn-end",
    ),
)
