"""The order of a turn, from turn.start to turn.end (requirements speech.turn.*).

The order is walked with the shared order table, each turn by itself: what belongs to which turn is read from the
request ids, so that what crossed on the wire is nobody's fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said, read_result
from conformance.judge.speech.turn import Turn
from protocol.errors import PeerViolation
from protocol.order import Conversation
from protocol.speech import order
from protocol.validate import validator
from protocol.wire import Kind, Party

_TAIL_TICKS = 1_000_000  # native's chunk of 100 ms: a rest is less than that
_VOICE_PATHS = (spoken.SYNTHESIS, spoken.SYNTHESIS_END, spoken.AUDIO, spoken.AUDIO_START, spoken.AUDIO_END)
_WORDS = {
    spoken.TURN_START: order.TURN_START,
    spoken.TURN_END: order.TURN_END,
    spoken.START_DETECTED: order.START_DETECTED,
    spoken.END_DETECTED: order.END_DETECTED,
    spoken.HYPOTHESIS: order.INTERIM,
    spoken.PLAIN_HYPOTHESIS: order.INTERIM,
    spoken.PHRASE: order.FINAL,
    spoken.PLAIN_PHRASE: order.FINAL,
    spoken.SYNTHESIS: order.CHUNK,
    spoken.AUDIO: order.STREAM_CHUNK,
    spoken.AUDIO_START: order.VOICE_START,
    spoken.SYNTHESIS_END: order.VOICE_END,
    spoken.AUDIO_END: order.VOICE_END,
}
_BESIDE = (order.START_DETECTED, order.END_DETECTED, order.INTERIM)
"""What may come while a voice is being sent; its place is judged elsewhere."""


_SHOWS = {
    (order.DUE, order.TURN_START): ("speech.turn.start-first", "speech.turn.start-once"),
    (order.HEARING, order.FINAL): ("speech.result.final-always",),
    (order.SPEAKING, order.VOICE_END): ("speech.synthesis.before-next-phrase",),
}


def word(said: Said) -> str | None:
    """Return the order table's word for what a server said; None where the table does not speak of it."""
    if said.path == spoken.RESPONSE:
        result = read_result(said)
        return None if result is None else order.FINAL if result.final else order.INTERIM
    if (said.path in spoken.SERVER_BINARIES) is not (said.seen.kind is Kind.BINARY):
        return None
    return _WORDS.get(said.path)


def walk(view: View) -> Findings:
    """Walk the order table over each turn; a step that it refuses breaks the requirement that it names."""
    for turn in view.turns:
        conversation = Conversation(order.TABLES[view.dialect], None)
        conversation.step(Party.CLIENT, order.CONFIG)
        conversation.step(Party.CLIENT, order.CONTEXT)
        streams: set[str | None] = set()
        for said in turn.answers:
            step = word(said)
            state = conversation.state(Party.SERVER)
            if step is None or (state == order.SPEAKING and step in _BESIDE):
                continue
            stream = said.message.stream_id if said.message is not None else None
            late = step == order.STREAM_CHUNK and stream in streams  # of a stream that others have cut into
            cut = step == order.TURN_END and (turn.abandoned or turn.provoked)  # may end at any point
            streams |= {stream} if step == order.VOICE_START else set()
            yield from _step(conversation, said, step, excused=late or cut)


def _step(conversation: Conversation, said: Said, step: str, *, excused: bool) -> Findings:
    state = conversation.state(Party.SERVER)
    try:
        conversation.step(Party.SERVER, step)
    except PeerViolation as error:
        conversation.resume(Party.SERVER, step)
        if not excused:
            yield broken(error.requirement, said.at, error.expected, f"{error.observed} in {error.at}")
        return
    for name in _SHOWS.get((state, step), ()):
        yield kept(name, said.at)


def ends(view: View) -> Findings:
    """speech.turn.end-last, end-once, nothing-after-end: turn.end comes, once, and ends the turn."""
    for turn in view.turns:
        if turn.end is None:
            yield from _missing(view, turn)
            continue
        late = [said for said in turn.server if said.at > turn.end.at]
        again = [said for said in late if said.path == spoken.TURN_END]
        for said in again:
            yield broken("speech.turn.end-once", said.at, "one turn.end", "another one")
        others = [said for said in late if said.path not in (spoken.TURN_END, *_VOICE_PATHS)]
        for said in others:
            yield broken("speech.turn.nothing-after-end", said.at, "nothing more of this turn", _named(said))
        if not turn.provoked or not late:
            yield kept("speech.turn.end-last", turn.end.at)
            yield from () if again else (kept("speech.turn.end-once", turn.end.at),)
            yield from () if others else (kept("speech.turn.nothing-after-end", turn.end.at),)


def _missing(view: View, turn: Turn) -> Findings:
    """Judge a turn.end that was waited for in vain, and was due."""
    expired = view.expired(spoken.TURN_END)
    if expired is None or not turn.owed or view.turn_at(expired[0]) is not turn:
        return
    at, observed = expired[0], f"nothing for {expired[1].budget:.1f} s"
    yield broken("speech.turn.end-last", at, "turn.end", observed)
    if turn.stopped is not None:
        yield broken("speech.audio.end", at, "turn.end behind the empty audio message", observed)
    else:
        yield broken("speech.turn.one-shot-ends", at, "turn.end behind the final of a one-shot turn", observed)


def stream_ends(view: View) -> Findings:
    """speech.audio.end, turn.tail, turn.several: turn.end answers the end of a stream, in every turn."""
    for turn in view.turns:
        if turn.end is None or turn.start is None or turn.provoked:
            continue
        if turn.number:
            yield kept("speech.turn.several", turn.start.at)
        if turn.stopped is not None:
            yield kept("speech.audio.end", turn.end.at)
            heard = turn.heard(turn.end.at)
            if turn.number and heard is not None and heard < _TAIL_TICKS:
                yield kept("speech.turn.tail", turn.end.at)


def abandons(view: View) -> Findings:
    """speech.turn.new-id-abandons: once the next turn has started, nothing more comes of one that was left open."""
    name = "speech.turn.new-id-abandons"
    for turn, following in zip(view.turns, view.turns[1:], strict=False):
        if not turn.abandoned or following.start is None:
            continue
        limit = following.start.at
        late = [said for said in turn.server if said.at > limit and (turn.end is None or said.at <= turn.end.at)]
        for said in late:
            yield broken(name, said.at, "nothing more of the turn that was abandoned", _named(said))
        if not late:
            yield kept(name, limit)


def starts(view: View) -> Findings:
    """speech.turn.start-form, end-form, service-tag-unique: what the two ends of a turn hold."""
    tags: set[str] = set()
    for said in view.server_said:
        name = "speech.turn.start-form"
        if said.path == spoken.TURN_START and said.body is not None:
            errors = validator("speech/turn-start").errors(said.body)
            if errors:
                yield broken(name, said.at, f"{errors[0].expected} at {errors[0].at}", errors[0].observed)
                continue
            yield kept(name, said.at)
            tag = said.body["context"]["serviceTag"]
            name = "speech.turn.service-tag-unique"
            yield broken(name, said.at, "a serviceTag of its own", tag) if tag in tags else kept(name, said.at)
            tags.add(tag)
        elif said.path == spoken.TURN_END:
            name, good = "speech.turn.end-form", said.body is not None or not said.payload
            yield kept(name, said.at) if good else broken(name, said.at, "nothing, or a JSON object", "something else")


def identities(view: View) -> Findings:
    """speech.turn.id-echo, frame.request-id-known: every message has the id of its turn, letter for letter."""
    echo, known = "speech.turn.id-echo", "speech.frame.request-id-known"
    for turn in view.turns:
        for said in turn.server:
            given = said.message.request_id if said.message is not None else ""
            yield kept(known, said.at)
            yield kept(echo, said.at) if given == turn.id else broken(echo, said.at, turn.id, given)
    own: set[str] = set()  # ids of turns that the server has begun itself, which native allows
    for said in view.strays:
        if said.key in view.client_keys:
            continue  # an answer to something else than a turn
        present = view.turn_at(said.at)
        shown = said.message.request_id if said.message is not None else ""
        if present is not None and present.start is None and not present.provoked and said.key not in own:
            yield broken(echo, said.at, present.id, shown)
            continue
        own |= {said.key} if said.path == spoken.TURN_START else set()
        yield broken(known, said.at, "the id of a message of the client", shown)


def _named(said: Said) -> str:
    return said.path[:60] or "a message without a path"


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        walk,
        "speech.turn.start-first",
        "speech.turn.start-once",
        "speech.result.final-always",
        "speech.synthesis.v1-paths",
        "speech.synthesis.start",
        "speech.synthesis.after-phrase",
        "speech.synthesis.before-next-phrase",
        "speech.synthesis.one-stream-at-a-time",
        "speech.synthesis.end",
    ),
    rule(
        Party.SERVER,
        ends,
        "speech.turn.end-last",
        "speech.turn.end-once",
        "speech.turn.nothing-after-end",
        "speech.audio.end",
        "speech.turn.one-shot-ends",
    ),
    rule(Party.SERVER, stream_ends, "speech.audio.end", "speech.turn.tail", "speech.turn.several"),
    rule(Party.SERVER, abandons, "speech.turn.new-id-abandons"),
    rule(Party.SERVER, starts, "speech.turn.start-form", "speech.turn.end-form", "speech.turn.service-tag-unique"),
    rule(Party.SERVER, identities, "speech.turn.id-echo", "speech.frame.request-id-known"),
)
