"""What clients send beside audio: telemetry, events, commits, and messages of other paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, another_target, usual
from conformance.cases.speech.dialogue import JSON, Session, new_id, open_session
from conformance.cases.speech.hearing import (
    answers,
    commit,
    hear,
    language,
    languages,
    need_results,
    silence,
    update_languages,
)
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import served
from conformance.cases.utterances import briefest, utterance
from protocol.wire import Kind

_ONCE: Final = "speech.client.telemetry-once"
_TOKENS: Final = (1, 4_294_967_295)

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
    kept = served(turn) and not session.stray
    context.check("telemetry.tolerated", kept, "a result in the turn that is open when late telemetry comes", turn.state)


@case("event.targets", "event.targets", needs=("event",))
async def event_targets(context: Context) -> None:
    """Change the targets between the sentences of a conversation: another one, then both, hold for what follows."""
    user, other = context.target.target, another_target(context)
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.say()
    if not await hear(turn):
        raise Blocked(f"speech gives no result: {turn.state}")
    for targets in ((other,), (user, other)):
        before = len(need_results(turn))
        await update_languages(session, turn.id, targets)
        await turn.say()
        if not await hear(turn, before + 1):
            raise Blocked(f"speech behind an event gives no result: {turn.state}")
        given, wanted = languages(turn.results[-1]), [language(tag) for tag in targets]
        expected = f"a translation into {' and '.join(wanted)} behind the event"
        context.check("event.targets", sorted(given) == sorted(wanted), expected, ", ".join(given) or "none")
    await turn.finished()
    await session.close()


@case("event.unknown-id", "event.unknown-id")
async def event_unknown_id(context: Context) -> None:
    """Send events with made-up ids, as one client does: before all turns, within one, between two. Nothing starts."""
    ask = usual(context, mode=CONVERSATION)
    session = await open_session(context, ask)
    turns: list[Turn] = []
    for _ in range(2):
        await update_languages(session, new_id(context), ask.targets)
        turn = await session.begin()
        turns.append(turn)
        await turn.pcm(silence(200))
        await update_languages(session, new_id(context), ask.targets)
        await turn.say()
        await turn.finished()
        if session.ended is not None:
            break
    await session.close()
    good = all(served(turn) for turn in turns) and len(turns) == 2
    if not good:
        other = await _undisturbed(context)
        if not served(other):
            raise Blocked(f"a conversation gives no result, without any event: {other.state}")
    stray = ", ".join(message.path for message in session.stray)
    observed = f"{stray or 'nothing'} with other ids; {turns[-1].state}"
    context.check("event.unknown-id", good and not stray, "two turns with a result, and nothing else", observed)


async def _undisturbed(context: Context) -> Turn:
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.say()
    await turn.finished()
    await session.close()
    return turn


@case("event.between-turns", "event.finished-id", "context.beats-query")
async def event_between_turns(context: Context) -> None:
    """Change the targets between two turns as one client does: events of the ended turn, then a new speech.context."""
    user, other = context.target.target, another_target(context)
    session = await open_session(context)
    old = await session.begin()
    await old.say()
    await old.finished()
    if not served(old):
        raise Blocked(f"the first turn gives no result: {old.state}")
    seen = len(session.heard)
    for targets in ((user, other), (other,)):
        await update_languages(session, old.id, targets)
    new = await session.begin(usual(context, targets=(other,)))
    await new.say()
    await new.finished()
    await session.close()
    between = [message.path for message in session.heard[seen:] if message not in new.heard]
    observed = f"{', '.join(between) or 'nothing'} between; {new.state}"
    context.check("event.finished-id", served(new) and not between, "nothing, and a result of the next turn", observed)
    if new.results:
        given = languages(new.results[0])
        expected = f"a translation into {other} alone, as the new speech.context says"
        context.check("context.beats-query", given == [language(other)], expected, ", ".join(given) or "none")


@case("commit.phrase", "commit.phrase", "commit.acknowledged", "commit.headers-only", needs=("commit", "recognition"))
async def commit_phrase(context: Context) -> None:
    """Commit speech behind which no silence comes: its final comes at once, with the token; then go on speaking."""
    spoken = utterance(*briefest(context.target.corpus))
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    for number, token in enumerate(_TOKENS, start=1):
        await turn.pcm(spoken)
        await commit(session, turn.id, token)
        came = await hear(turn, number)
        expected = "a final for the speech before audio.commit, without any silence behind it"
        context.check("commit.phrase", came, expected, turn.state)
        if session.ended is not None:
            context.broken("commit.headers-only", "an audio.commit of headers alone to be taken", turn.state)
            return
        if not came:
            break
        given = _token(answers(turn)[number - 1])
        expected = f"X-Client-Commit-Token {str(token)!r} in clientAudioMetadata"
        context.check("commit.acknowledged", given == str(token), expected, repr(given))
    before = len(answers(turn))
    await turn.say()
    await turn.finished()
    await session.close()
    if not turn.over or (before == len(_TOKENS) and len(answers(turn)) <= before):
        other = await _undisturbed(context)
        if not served(other):
            raise Blocked(f"a conversation gives no result, without any commit: {other.state}")
        context.broken("commit.headers-only", "a result for speech behind an audio.commit of headers alone", turn.state)
        return
    context.kept("commit.headers-only")


def _token(final: Heard) -> object:
    metadata = final.speech.get("clientAudioMetadata")
    return metadata.get("X-Client-Commit-Token") if isinstance(metadata, dict) else None


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
            other = await _undisturbed(context) if other is None else other
            if not served(other):
                raise Blocked(f"a turn gives no result in any case: {other.state}")
        what = "text" if send is texts else "binary"
        context.check(requirement, served(turn), f"a result on a connection with {what} of unknown paths", turn.state)
