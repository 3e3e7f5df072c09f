"""What comes for a turn too late: behind its end, and behind the end of its stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.dialogue import Session, open_session
from conformance.cases.speech.hearing import commit, judge_beside_turns, sentence, silence, update_languages
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import served

_NOTHING_AFTER_END: Final = "speech.client.nothing-after-end"
_REST_MS: Final = 20

Late = Callable[[Session, Turn], Awaitable[None]]


async def _audio(_: Session, old: Turn) -> None:
    """Send samples and ends of the stream with the id of an ended turn, as both official clients do."""
    for body in (silence(100), b"", silence(_REST_MS), b""):
        await old.audio(body, deliberate=_NOTHING_AFTER_END)


async def _telemetry(session: Session, old: Turn) -> None:
    """Send telemetry of an ended turn for the second and the third time."""
    bodies: tuple[Mapping[str, Any], ...] = (
        {"ReceivedMessages": [], "Metrics": []},
        {"Metrics": [{"PhraseLatencyMs": [120]}]},
    )
    for body in bodies:
        await session.json("telemetry", old.id, body, deliberate="speech.client.telemetry-once")


async def _event(session: Session, old: Turn) -> None:
    """Send an event that changes nothing."""
    await update_languages(session, old.id, old.ask.targets)


async def _commit(session: Session, old: Turn) -> None:
    """Commit the audio of an ended turn."""
    await commit(session, old.id, 1)


_LATE: Final[Mapping[str, tuple[str, Late]]] = {
    "audio.late-id": ("audio", _audio),
    "telemetry.tolerated": ("telemetry", _telemetry),
    "event.finished-id": ("an event", _event),
    "commit.headers-only": ("an audio.commit", _commit),
}
"""What is sent for a turn that is over, by the requirement that says what becomes of it."""


@case("turn.late-messages", *_LATE)
async def late_messages(context: Context) -> None:
    """Send audio, telemetry, an event and a commit of an ended turn, between two turns and within the next one."""
    first, second, undisturbed = await _two_turns(context, [send for _, send in _LATE.values()])
    if not served(first):
        raise Blocked(f"the first turn gives no result: {first.state}")
    if undisturbed:
        for requirement in _LATE:
            context.kept(requirement)
        return
    _, second, undisturbed = await _two_turns(context, ())
    if not undisturbed:
        raise Blocked(f"the second of two turns gives no result, whatever is sent: {second.state}")
    for requirement, (what, send) in _LATE.items():
        _, second, undisturbed = await _two_turns(context, (send,))
        expected = f"{what} of an ended turn discarded, and a result in the next one"
        context.check(requirement, undisturbed, expected, second.state)


async def _two_turns(context: Context, late: Sequence[Late]) -> tuple[Turn, Turn, bool]:
    """Hold two turns, and send what is late behind the first and within the second one.

    Return both turns, and whether the second one came to its result and the first one was not begun again.
    """
    session = await open_session(context)
    old = await session.begin()
    await old.say()
    await old.finished()
    starts = len(old.at("turn.start"))
    for send in late:
        await send(session, old)
    new = await session.begin()
    await new.pcm(silence(200))
    for send in late:
        await send(session, old)
    await new.say()
    await new.finished()
    await session.close()
    return old, new, served(new) and len(old.at("turn.start")) == starts


@case("turn.end-voided", "audio.end-voided")
async def end_voided(context: Context) -> None:
    """Send 20 ms, an empty message, and speech of the same id at once in a one-shot turn, as one client replays it."""
    session = await open_session(context)
    first = await session.begin()
    await first.say()
    await first.finished()
    if not served(first):
        raise Blocked(f"the first turn gives no result: {first.state}")
    turn = await session.begin()
    await turn.pcm(silence(_REST_MS))
    await turn.audio(b"")
    await turn.pcm(sentence(context), deliberate=_NOTHING_AFTER_END)
    await turn.finished()
    await session.close()
    expected = "the speech behind an empty message in a result"
    await judge_beside_turns(context, "audio.end-voided", served(turn), expected, turn.state)
