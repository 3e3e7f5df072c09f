"""How a connection ends (requirements translator.close.*, session.framing)."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import View
from conformance.judge.verdict import Verdict
from conformance.transcript import Ended, Ending
from protocol.wire import Party

_LISTED = (1000, 1001, 1003, 1011)
_LABELS = {
    1000: "normal closure",
    1001: "endpoint unavailable",
    1003: "invalid message type",
    1011: "internal server error",
}


def echo(view: View) -> Findings:
    """translator.close.echo: the client's close is answered, and then the connection ends."""
    ours, theirs = view.close_of(Party.CLIENT), view.close_of(Party.SERVER)
    if ours is None or not view.opened or (theirs is not None and theirs[0] < ours[0]):
        return
    name = "translator.close.echo"
    if theirs is not None:
        yield kept(name, theirs[0])
        return
    ended = next(((at, entry) for at, entry in enumerate(view.entries) if isinstance(entry, Ended)), None)
    expired = view.expired("close frame")
    if expired is not None:
        yield broken(name, expired[0], "a close frame", f"nothing for {expired[1].budget:.1f} s", Verdict.VIOLATION)
    elif ended is not None and ended[1].by is Party.SERVER:
        yield broken(name, ended[0], "a close frame", f"the connection ended ({ended[1].how.value})")


def started_by_server(view: View) -> Findings:
    """translator.close.listed-code, reason, label: what a close that the server starts says."""
    theirs, ours = view.close_of(Party.SERVER), view.close_of(Party.CLIENT)
    if theirs is None or (ours is not None and ours[0] < theirs[0]):
        return
    at, frame = theirs
    name = "translator.close.listed-code"
    if frame.code in _LISTED:
        yield kept(name, at)
    else:
        yield broken(name, at, "close code 1000, 1001, 1003 or 1011", str(frame.code))
    name = "translator.close.reason"
    yield kept(name, at) if frame.reason else broken(name, at, "a reason", "an empty one")
    label = _LABELS.get(frame.code, "")
    name = "translator.close.label"
    if label and frame.reason.lower().startswith(label):
        yield kept(name, at)
    elif label and frame.reason:
        yield broken(name, at, f"a reason that begins with {label!r}", repr(frame.reason[:60]))


def framing(view: View) -> Findings:
    """translator.session.framing: what the server sends is WebSocket, and it ends it by the closing handshake."""
    if not view.opened:
        return
    name = "translator.session.framing"
    for at, entry in enumerate(view.entries):
        if not isinstance(entry, Ended) or entry.by is not Party.SERVER:
            continue
        if entry.how is Ending.UNREADABLE:
            yield broken(name, at, "WebSocket frames", entry.detail)
            return
        if view.close_of(Party.SERVER) is None and view.close_of(Party.CLIENT) is None:
            expected = "a close frame before the end of the connection"
            yield broken(name, at, expected, f"the connection ended ({entry.how.value})", Verdict.VIOLATION)
            return
    if view.close_of(Party.SERVER) is not None:
        yield kept(name, len(view.entries) - 1)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, echo, "translator.close.echo"),
    rule(
        Party.SERVER,
        started_by_server,
        "translator.close.listed-code",
        "translator.close.reason",
        "translator.close.label",
    ),
    rule(Party.SERVER, framing, "translator.session.framing"),
)
