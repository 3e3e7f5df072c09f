"""What changes a turn while it is open: events, which name other languages, and commits, which end an utterance."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, another_target, usual
from conformance.cases.speech.dialogue import new_id, open_session
from conformance.cases.speech.hearing import (
    answers,
    commit,
    hear,
    judge_beside_turns,
    language,
    languages,
    need_results,
    need_turns,
    silence,
    update_languages,
)
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import served
from conformance.cases.utterances import briefest, utterance

_TOKENS: Final = (1, 4_294_967_295)


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
    started = [message for message in session.stray if message.path == "turn.start"]
    kept = all(served(turn) for turn in turns) and len(turns) == 2 and not started
    observed = f"{len(started)} turns of other ids; {turns[-1].state}"
    expected = "two turns with a result, and no other turn"
    await judge_beside_turns(context, "event.unknown-id", kept, expected, observed, CONVERSATION)


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
    starts = len(old.at("turn.start"))
    for targets in ((user, other), (other,)):
        await update_languages(session, old.id, targets)
    new = await session.begin(usual(context, targets=(other,)))
    await new.say()
    await new.finished()
    await session.close()
    kept = served(new) and len(old.at("turn.start")) == starts
    expected = "a result of the next turn, and no other one"
    await judge_beside_turns(context, "event.finished-id", kept, expected, new.state)
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
        if session.ended is not None:
            await need_turns(context, CONVERSATION)
            context.broken("commit.headers-only", "an audio.commit of headers alone to be taken", turn.state)
            return
        expected = "a final for the speech before audio.commit, without any silence behind it"
        await judge_beside_turns(context, "commit.phrase", came, expected, turn.state, CONVERSATION)
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
        await need_turns(context, CONVERSATION)
        context.broken("commit.headers-only", "a result for speech behind an audio.commit of headers alone", turn.state)
        return
    context.kept("commit.headers-only")


def _token(final: Heard) -> object:
    metadata = final.speech.get("clientAudioMetadata")
    return metadata.get("X-Client-Commit-Token") if isinstance(metadata, dict) else None
