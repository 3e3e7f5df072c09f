"""How a connection ends, and what must not be answered (requirements speech.close.*, telemetry.*, event.*)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from conformance.judge.speech.turn import Turn
from conformance.judge.verdict import Verdict
from conformance.transcript import CloseFrame, Ended, Ending, Frame, Vantage
from protocol.speech.handshake import Mode
from protocol.wire import Party

_LISTED = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 4000, 4429)
_REACTION_S = 0.05  # so long behind turn.end a close has been seen to do no harm (sheet of experiments, section 4)


def answer(view: View) -> Findings:
    """speech.close.answer, no-data-after: the client's close is answered, and nothing follows a close."""
    if not view.opened:
        return
    ours, theirs = view.close_of(Party.CLIENT), view.close_of(Party.SERVER)
    if theirs is not None:
        name = "speech.close.no-data-after"
        late = next((at for at, entry in enumerate(view.entries) if at > theirs[0] and _data_of_server(entry)), None)
        yield kept(name, theirs[0]) if late is None else broken(name, late, "nothing behind the close", "a message")
    if ours is None or (theirs is not None and theirs[0] < ours[0]):
        return
    name = "speech.close.answer"
    if theirs is not None:
        yield kept(name, theirs[0])
        return
    expired, ended = view.expired("close frame"), _ended(view)
    if expired is not None:
        yield broken(name, expired[0], "a close frame", f"nothing for {expired[1].budget:.1f} s", Verdict.VIOLATION)
    elif ended is not None and ended[1].by is Party.SERVER:
        yield broken(name, ended[0], "a close frame", f"the connection ended ({ended[1].how.value})")


def _data_of_server(entry: object) -> bool:
    return isinstance(entry, Frame) and entry.sender is Party.SERVER


def framing(view: View) -> Findings:
    """speech.close.framing: what the server sends is WebSocket, and it ends it by the closing handshake.

    A connection that breaks off beside its client is the server's doing; on a longer way it may be the network's.
    """
    ended = _ended(view)
    if not view.opened:
        return
    name = "speech.close.framing"
    if ended is not None and ended[1].by is Party.SERVER:
        closed = view.close_of(Party.SERVER) is not None or view.close_of(Party.CLIENT) is not None
        if ended[1].how is Ending.UNREADABLE:
            yield broken(name, ended[0], "WebSocket frames", ended[1].detail)
            return
        if not closed and not view.provoked(ended[0]):
            verdict = Verdict.VIOLATION if view.transcript.vantage is Vantage.CLIENT else Verdict.NON_STRICT
            observed = f"the connection ended ({ended[1].how.value})"
            yield broken(name, ended[0], "a close frame before the end of the connection", observed, verdict)
            return
    if view.close_of(Party.SERVER) is not None:
        yield kept(name, len(view.entries) - 1)


def _ended(view: View) -> tuple[int, Ended] | None:
    return next(((at, entry) for at, entry in enumerate(view.entries) if isinstance(entry, Ended)), None)


def codes(view: View) -> Findings:
    """speech.close.listed-code, reason: what a close that the server starts says."""
    if view.started_close is None:
        return
    at, frame = view.started_close
    name = "speech.close.listed-code"
    yield kept(name, at) if frame.code in _LISTED else broken(name, at, "a code that clients know", str(frame.code))
    if frame.code != 1000:
        name = "speech.close.reason"
        yield kept(name, at) if frame.reason else broken(name, at, "a reason", "an empty one")


def moments(view: View) -> Findings:
    """speech.close.idle-1000, mid-turn-not-1000, behind-turn-end: the code fits the moment, and leaves time to react.

    A turn that the client has begun and the server has not is neither idle nor the middle of a turn.
    """
    if view.started_close is None or view.provoked(view.started_close[0]):
        return
    at, frame = view.started_close
    turns = [turn for turn in view.turns if turn.begun < at]
    if not turns:
        return
    last = turns[-1]
    if last.start is None:
        return
    if last.end is None:
        name = "speech.close.mid-turn-not-1000"
        yield broken(name, at, "a code other than 1000", "1000") if frame.code == 1000 else kept(name, at)
        return
    name = "speech.close.idle-1000"
    yield kept(name, at) if frame.code == 1000 else broken(name, at, "code 1000", str(frame.code))
    yield from _behind(view, last, last.end, at, frame)


def _behind(view: View, turn: Turn, end: Said, at: int, frame: CloseFrame) -> Findings:
    name = "speech.close.behind-turn-end"
    reacted = any(end.at < said.at < at and said.path in _REACTIONS for said in view.client_said)
    waited = frame.time - end.seen.ended
    if reacted or waited >= _REACTION_S:
        yield kept(name, at)
        return
    # Whoever has sent all of its audio, or speaks but once, is done with the turn.
    done = turn.stopped is not None or turn.wanted.mode is Mode.INTERACTIVE
    expected = "the client's telemetry or its next speech.context before the close, or time for it"
    yield broken(name, at, expected, f"a close {waited * 1000:.0f} ms behind", Verdict.NON_STRICT if done else None)


_REACTIONS = (spoken.TELEMETRY, spoken.CONTEXT)


def unanswered(view: View) -> Findings:
    """speech.telemetry.unanswered, event.unanswered: neither gets an answer.

    An answer is a message of the same path, or one with the same id that no turn has, or that is no message of a
    turn. Whatever comes else behind it shows that there was none.
    """
    for said in view.client_said:
        if said.path not in (spoken.TELEMETRY, spoken.EVENT):
            continue
        name = f"speech.{said.path}.unanswered"
        behind = [one for one in view.server_said if one.at > said.at]
        reply = next((one for one in behind if one.path == said.path or _replies(view, one, said.key)), None)
        if reply is not None:
            yield broken(name, reply.at, "no answer", reply.path[:60] or "a message without a path")
        elif behind or view.close_of(Party.SERVER) is not None:
            yield kept(name, said.at)


def _replies(view: View, said: Said, key: str) -> bool:
    # A message that has the path of the client's other kind answers that one.
    others = (*spoken.SERVER_PATHS, spoken.TELEMETRY, spoken.EVENT)
    return said.key == key and (said in view.strays or said.path not in others)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, answer, "speech.close.answer", "speech.close.no-data-after"),
    rule(Party.SERVER, framing, "speech.close.framing"),
    rule(Party.SERVER, codes, "speech.close.listed-code", "speech.close.reason"),
    rule(
        Party.SERVER,
        moments,
        "speech.close.idle-1000",
        "speech.close.mid-turn-not-1000",
        "speech.close.behind-turn-end",
    ),
    rule(Party.SERVER, unanswered, "speech.telemetry.unanswered", "speech.event.unanswered"),
)
