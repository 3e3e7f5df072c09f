"""What results hold: offsets, languages, failures, details (speech.result.*), whichever engine gives them."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, another_target, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import (
    answers,
    lasts,
    length,
    near,
    need_results,
    sentence,
    silence,
    starts_at,
    unheard,
)
from conformance.cases.speech.profanities import RECORDING, Profanities
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import STREAM, Turn
from conformance.cases.speech.ways import need_reference
from conformance.cases.utterances import briefest, recording
from protocol.audio import TICKS_PER_SECOND

_PREFIX_MS: Final = 5_000
_ENDING_S: Final = 3.5  # silence at the end may count for others
_BURST: Final = 8
_ENTRY: Final = frozenset({"Confidence", "Lexical", "ITN", "MaskedITN", "Display"})


@case("result.offsets", "result.turn-relative", "result.ticks", "result.offsets-grow", needs=("timing",))
async def offsets(context: Context) -> None:
    """Say a sentence twice in one turn, then behind 5 s of silence in the next one: its times move with it."""
    spoken = recording(context, "clear-1")
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    for _ in range(2):
        await turn.say(spoken)
    await turn.need_end()
    behind = await session.begin()
    await behind.pcm(silence(_PREFIX_MS), pace=0)
    await behind.say(spoken)
    await behind.need_end()
    await session.close()
    if len(answers(turn)) < 2 or not answers(behind):
        raise Blocked(f"three sentences do not give three results: {turn.state}; {behind.state}")
    first, second, moved = (starts_at(final) for final in (*answers(turn)[:2], answers(behind)[0]))
    distance, prefix = length(spoken), _PREFIX_MS / 1000
    begins = spoken.utterances[0].start_ms / 1000
    sizes = [lasts(final) for final in (*answers(turn)[:2], answers(behind)[0])]
    voiced = (spoken.utterances[0].end_ms - spoken.utterances[0].start_ms) / 1000
    grows = near(second - first, distance)
    expected = f"Offsets of the same sentence {distance:.1f} s apart"
    context.check("result.offsets-grow", grows, expected, f"{first:.2f} s and {second:.2f} s")
    expected = f"a Duration of about {voiced * TICKS_PER_SECOND:.0f} ticks"
    plausible = all(voiced / 2 <= size <= voiced + _ENDING_S for size in sizes) or not grows
    observed = " and ".join(f"{size * TICKS_PER_SECOND:.0f}" for size in sizes)
    context.check("result.ticks", plausible, expected, observed)
    kept = near(first, begins) and near(moved - first, prefix)
    expected = (
        f"an Offset of about {begins:.1f} s, and of {begins + prefix:.1f} s in a turn with {prefix:.0f} s before it"
    )
    context.check("result.turn-relative", kept, expected, f"{first:.2f} s and {moved:.2f} s")


@case("result.burst", "result.final-always", needs=("timing",))
async def eight_at_once(context: Context) -> None:
    """Send eight sentences in one burst and end the stream: each of them is in a final."""
    spoken, index = briefest(context.target.corpus)
    once = sentence(context)
    bounds = spoken.utterances[index]
    seconds, middle = len(once) / STREAM.bytes_per_second, (bounds.end_ms - bounds.start_ms) / 2000
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.pcm(once * _BURST, pace=0)
    await turn.end()
    await turn.ends(budget=context.budget.patience(round(_BURST * seconds * 1000)))
    await session.close()
    lost = unheard(answers(turn), [seconds * number + middle for number in range(_BURST)])
    if not answers(turn):
        await need_reference(context)
    observed = f"nothing about the speech at {', '.join(f'{moment:.1f} s' for moment in lost)}; {turn.state}"
    context.check("result.final-always", not lost, f"each of {_BURST} sentences in a final", observed)


@case("result.detailed", "result.detailed", "result.simple-without-nbest", needs=("detailed",))
async def detailed(context: Context) -> None:
    """Ask for the detailed form, as one shot and in a conversation, then for the simple one on the same connection."""
    form = {"phraseOutput": {"format": "Detailed"}}
    session = await open_session(context)
    asks = [usual(context, members=form), usual(context, mode=CONVERSATION, members=form), usual(context)]
    turns: list[Turn] = []
    for ask in asks:
        turns.append(await session.begin(ask))
        await turns[-1].say()
        await turns[-1].need_end()
    await session.close()
    for turn in turns[:2]:
        for final in need_results(turn):
            entries = _best(final)
            whole = bool(entries) and all(entry.keys() >= _ENTRY for entry in entries)
            expected = f"NBest, of entries with {', '.join(sorted(_ENTRY))}, beside the text"
            observed = "; ".join(", ".join(entry) for entry in entries) or "no NBest"
            context.check("result.detailed", whole, expected, observed)
    for final in need_results(turns[2]):
        without = "NBest" not in final.speech
        context.check("result.simple-without-nbest", without, "no NBest in the simple form", "NBest")


def _best(final: Heard) -> list[dict[str, object]]:
    entries = final.speech.get("NBest")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


@case("result.profanity", "result.profanity", needs=("profanity", "recognition"))
async def profanity(context: Context) -> None:
    """Say a profanity with Raw; where it is heard, say it with Masked and Removed, in three turns of a connection.

    One target is the language of the speech, so that a translation has the word, too.
    """
    words = Profanities(context)
    targets = (context.target.source.partition("-")[0], another_target(context))
    session = await open_session(context, usual(context, targets=targets))

    async def say(action: str) -> list[str]:
        members = {"phraseDetection": {"enrichment": {"profanity": action}}}
        turn = await session.begin(usual(context, targets=targets, members=members))
        await turn.say(recording(context, RECORDING))
        await turn.need_end()
        need_results(turn)
        results = [*turn.interims, *turn.results]
        return [text for result in results for text in (result.text, *(text for _, text in result.translations))]

    plain = [text for text in await say("Raw") if words.in_(text)]
    if not plain:
        return
    for action, kept in (("Masked", words.masked), ("Removed", words.removed)):
        texts = await say(action)
        left = [text for text in texts if words.in_(text)]
        treated = [text for text in texts if kept(text)]
        good = not left and bool(treated)
        expected = f"no {words.first(plain[0])!r} in text and translations with {action}"
        context.check("result.profanity", good, expected, repr((left or texts)[0]))
    await session.close()
