"""Voices (speech.synthesis.*); what a voice has to be like, and what it may come between, is judged on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, INTERACTIVE, Ask, another_target, spoken, usual, with_region
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import (
    behind_end,
    language,
    languages,
    need_results,
    open_or_refused,
    update_languages,
)
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import one_turn
from conformance.cases.utterances import recording
from conformance.judge.verdict import Verdict
from protocol.speech.messages import V1, V2
from protocol.wire import HttpResponse

_NEEDS: Final = ("tts",)
_SYNTHESIZE: Final = {"action": "Synthesize"}


async def _pair(context: Context, ask: Ask) -> Turn:
    """Say two sentences in one burst, so that the text of the second has to wait for the voice of the first one."""
    session = await open_session(context, ask)
    turn = await session.begin()
    await turn.say(recording(context, "pair"))
    await turn.finished()
    if turn.over:
        following = await session.begin()  # what is late for the first turn has come by the end of this one
        await following.say()
        await following.finished()
    await session.close()
    return turn


def _failed_ends(turn: Turn) -> list[Heard]:
    """Return the ends of voices that are errors."""
    return [
        end for end in turn.voice_ends if "Error" in (end.members.get("Status"), end.members.get("SynthesisStatus"))
    ]


def _streams(turn: Turn) -> list[str]:
    """Return the language of each voice that began, as far as the server names it."""
    found = [start.members.get("TranslationLanguage") for start in turn.at("audio.start")]
    return [language(tag) for tag in found if isinstance(tag, str) and tag]


def _voices(turn: Turn) -> int:
    """Return how many voices were heard, as well as can be told without one of their messages."""
    return max(len(turn.at("audio.start")), len(turn.voice_ends) - len(_failed_ends(turn)), 1 if turn.voice else 0)


@case("synthesis.voice", "synthesis.on-request", "synthesis.before-turn-end", "synthesis.end", needs=_NEEDS)
async def voice(context: Context) -> None:
    """Ask for a voice, as one shot and in a conversation of two sentences: each final is spoken before turn.end."""
    for mode in (INTERACTIVE, CONVERSATION):
        turn = await _pair(context, usual(context, voices=spoken(context), mode=mode))
        told = [final for final in need_results(turn) if any(text for _, text in final.translations)]
        if not told:
            raise Blocked(f"nothing was translated that could be spoken: {turn.state}")
        chunks = sum(message.is_chunk for message in turn.heard)
        expected = f"a voice for each of {len(told)} finals"
        observed = f"{len(turn.voice_ends)} ends of voices, {chunks} chunks, {len(turn.voice)} bytes; {turn.state}"
        context.check("synthesis.on-request", bool(turn.voice), expected, observed)
        if not turn.voice:
            continue
        context.check("synthesis.end", len(turn.voice_ends) == len(told), expected, observed)
        late = [message for message in behind_end(turn) if message.is_chunk or message.is_voice_end]
        expected = "all of a voice before turn.end"
        context.check("synthesis.before-turn-end", not late, expected, f"{len(late)} messages of a voice behind it")


@case("synthesis.two-languages", "synthesis.languages", "synthesis.first-target", needs=_NEEDS)
async def two_languages(context: Context) -> None:
    """Ask for two targets with a voice each: v2 speaks both, one after another, v1 one of them."""
    targets = (context.target.target, another_target(context))
    turn = await _pair(context, usual(context, targets=targets, voices=spoken(context, *targets), mode=CONVERSATION))
    told = need_results(turn)
    if not turn.voice:
        raise Blocked(f"no voice came: {turn.state}")
    heard = _streams(turn)
    wanted = [tag for final in told for tag in languages(final)]
    if heard:  # without a name nobody knows
        right = sorted(heard) == sorted(wanted)
        context.check("synthesis.languages", right, f"voices in {wanted}", f"voices in {heard}")
    expected = f"one voice for each of {len(told)} finals"
    context.check("synthesis.first-target", _voices(turn) == len(told), expected, turn.state)


@case("synthesis.languages", "synthesis.languages", dialects=(V2,), needs=_NEEDS)
async def chosen_languages(context: Context) -> None:
    """Name voices for two targets: those of synthesizedLanguages are spoken, and without that member all of them."""
    targets = (context.target.target, another_target(context))
    voices = spoken(context, *targets)
    chosen: tuple[tuple[Mapping[str, Any], tuple[str, ...]], ...] = (
        ({"synthesizedLanguages": [targets[0]]}, targets[:1]),
        ({"synthesizedLanguages": [targets[1]]}, targets[1:]),
        ({}, targets),
    )
    for members, due in chosen:
        synthesis = {"defaultVoices": voices, **members}
        actions = {"onSuccess": _SYNTHESIZE, "onPassthrough": _SYNTHESIZE}
        # Not by `voices`, with which a context always has synthesizedLanguages.
        ask = usual(context, targets=targets, members={"synthesis": synthesis, "translation": actions})
        session = await open_session(context, ask)
        turn = await session.begin()
        await turn.say()
        await turn.finished()
        await session.close()
        need_results(turn)
        if not turn.voice:
            raise Blocked(f"no voice came: {turn.state}")
        heard, wanted = sorted(_streams(turn)), sorted(language(tag) for tag in due)
        if heard:
            expected = f"voices in {', '.join(wanted)} for {members or 'defaultVoices alone'}"
            context.check("synthesis.languages", heard == wanted, expected, ", ".join(heard))


@case("synthesis.bad-voice", "synthesis.bad-voice", "synthesis.end-reason", needs=_NEEDS)
async def bad_voice(context: Context) -> None:
    """Ask for a voice that nobody has: no audio, an end of status Error, and both sentences translated all the same."""
    good = await _pair(context, usual(context, voices=spoken(context), mode=CONVERSATION))
    need_results(good)
    if not good.voice:
        raise Blocked(f"a good voice is not heard: {good.state}")
    name = f"Nobody{context.random.getrandbits(32):08x}"
    opened = await open_or_refused(context, usual(context, voices={context.target.target: name}, mode=CONVERSATION))
    expected = "no audio, and an end message of status Error for each final"
    if isinstance(opened, HttpResponse):
        context.broken("synthesis.bad-voice", expected, f"status {opened.status}")
        return
    turn = await opened.begin()
    await turn.say(recording(context, "pair"))
    await turn.finished()
    await opened.close()
    failed, told = _failed_ends(turn), len(turn.results)
    kept = told >= len(good.results) and not turn.voice and len(failed) == len(turn.voice_ends) == told
    context.check("synthesis.bad-voice", kept, expected, f"{len(turn.voice)} bytes of audio; {turn.state}")
    for end in failed:
        reason = bool(end.members.get("FailureReason"))
        context.check("synthesis.end-reason", reason, "a FailureReason beside the status Error", "none")


@case("synthesis.voice-locale", "synthesis.voice-locale", needs=_NEEDS)
async def voice_locale(context: Context) -> None:
    """Ask for a voice that only has a known locale, and for one voice under two targets, as one client does."""
    user, other = context.target.target, another_target(context)
    unheard = {user: f"{with_region(user)}-SpeechwireNeural"}
    shared = dict.fromkeys((user, other), spoken(context)[user])
    for voices, count in ((unheard, 1), (shared, 1 if context.case.dialect == V1 else 2)):
        session = await open_session(context, usual(context, targets=tuple(voices), voices=voices))
        turn = await session.begin()
        await turn.say()
        await turn.finished()
        await session.close()
        need_results(turn)
        heard = bool(turn.voice) and _voices(turn) == count
        if not heard:
            good = await one_turn(context, usual(context, voices=spoken(context)))
            if not good.voice:
                raise Blocked(f"a good voice is not heard: {good.state}")
        names = ", ".join(f"{name} for {tag}" for tag, name in voices.items())
        context.check("synthesis.voice-locale", heard, f"{count} voices for {names}", turn.state)


@case("synthesis.update", "event.targets", "synthesis.on-request", needs=("tts", "event"))
async def update(context: Context) -> None:
    """Change the target in the middle of a turn, with its voice: the next sentences are translated and spoken so."""
    other = another_target(context)
    session = await open_session(context, usual(context, voices=spoken(context), mode=CONVERSATION))
    turn = await session.begin()
    await turn.say()
    await turn.need_final()
    await turn.line.until(lambda: len(turn.voice_ends), 1, "the end of a voice")
    await update_languages(session, turn.id, (other,), spoken(context, other))
    before = len(turn.heard)
    for _ in range(2):
        await turn.say()
    await turn.finished()
    await session.close()
    need_results(turn, 2)
    last, later = turn.results[-1], turn.heard[before:]
    changed = languages(last) == [language(other)]
    context.check("event.targets", changed, f"a translation into {other} alone", f"{languages(last)}; {turn.state}")
    if changed:
        heard = any(message.is_chunk for message in later)
        verdict = Verdict.NON_STRICT  # what the service makes of voices in an event is not known
        context.check("synthesis.on-request", heard, f"voices behind the event for {other}", turn.state, verdict)
