"""What clients send beside audio: telemetry in every form and at every time, and messages of paths of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.dialogue import JSON, Session, new_id, open_session
from conformance.cases.speech.hearing import need_turns, silence
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import reference, served
from protocol.wire import Kind

_ONCE: Final = "speech.client.telemetry-once"

Bodies = Sequence[Mapping[str, Any]]
Report = tuple[str, Callable[[Session], Bodies], str | None]
"""A form of telemetry for a person, what it says, and what is wrong with it by the documents."""


def _array(session: Session) -> Bodies:
    stamp = session.stamp(session.link.now())
    return ({"ReceivedMessages": [{"turn.start": [stamp]}, {"turn.end": stamp}], "Metrics": []},)


def _object(session: Session) -> Bodies:
    stamp = session.stamp(session.link.now())
    metrics = [{"PhraseLatencyMs": [120]}, {"FirstHypothesisLatencyMs": [80]}]
    return ({"Metrics": metrics, "ReceivedMessages": {"turn.start": [stamp], "turn.end": [stamp]}},)


def _several(session: Session) -> Bodies:
    return (*_array(session), {"Metrics": [{"Name": "device", "DeviceId": "1"}]}, *_array(session))


def _none(_: Session) -> Bodies:
    return ()


_REPORTS: Final[Sequence[Report]] = (
    ("a list", _array, None),
    ("one object", _object, "speech.client.telemetry-form"),
    ("three messages", _several, _ONCE),
    ("no telemetry", _none, None),
    ("nothing else", _none, None),
)


@case("telemetry.forms", "telemetry.tolerated")
async def telemetry_forms(context: Context) -> None:
    """Hold turns on one connection and report on them in every way that clients have: the next turn does not mind."""
    session = await open_session(context)
    session.telemetry = False
    last: str | None = None
    for what, write, deliberate in _REPORTS:
        turn = await session.begin()
        await turn.say()
        await turn.finished()
        if last is None and not served(turn):
            raise Blocked(f"the first turn gives no result: {turn.state}")
        if last is not None:
            if not served(turn):
                await need_turns(context, telemetry=False)
            expected = f"a result in the turn behind {last}"
            context.check("telemetry.tolerated", served(turn), expected, turn.state)
        for body in write(session):
            await session.json("telemetry", turn.id, body, deliberate=deliberate)
        last = what
        if session.ended is not None:
            return
    await _late_telemetry(context, session)


async def _late_telemetry(context: Context, session: Session) -> None:
    """Report on an old turn, and on one that nobody knows, in the middle of a turn."""
    old = next(iter(session.turns.values()))
    turn = await session.begin()
    await turn.pcm(silence(200))
    for identity in (old.id, new_id(context)):
        await session.json("telemetry", identity, _array(session)[0], deliberate=_ONCE)
    await turn.say()
    await turn.finished()
    await session.close()
    expected = "a result in the turn that is open when late telemetry comes"
    context.check("telemetry.tolerated", served(turn), expected, turn.state)


@case("unknown.paths", "unknown.text-path", "unknown.binary-path")
async def unknown_paths(context: Context) -> None:
    """Send messages of paths that nobody knows, before a turn and within it, as applications can: nothing happens."""

    async def texts(session: Session, identity: str) -> None:
        await session.json("speechwire.note", identity, {"text": "one"})
        await session.send(Kind.TEXT, "speechwire.note", identity, b"not JSON", content_type="text/plain")
        await session.send(Kind.TEXT, "speechwire.empty", identity, b"", content_type=JSON)

    async def binaries(session: Session, identity: str) -> None:
        for body in (b"\x00\x01\x02\x03", b""):
            await session.send(Kind.BINARY, "speechwire.data", identity, body)

    other: Turn | None = None
    for requirement, send in (("unknown.text-path", texts), ("unknown.binary-path", binaries)):
        session = await open_session(context)
        await send(session, session.first)
        turn = await session.begin()
        await turn.pcm(silence(200))
        await send(session, turn.id)
        await turn.say()
        await turn.finished()
        await session.close()
        if not served(turn):
            other = await reference(context) if other is None else other
            if not served(other):
                raise Blocked(f"a turn gives no result in any case: {other.state}")
        what = "text" if send is texts else "binary"
        context.check(requirement, served(turn), f"a result on a connection with {what} of unknown paths", turn.state)
