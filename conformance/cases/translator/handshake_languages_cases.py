"""Languages and voices in the upgrade: all that the server lists is accepted, what names nothing is refused.

The keys that are tried come from the server's own `/languages`: a sample that the seed decides, and the user's pair.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import case
from conformance.cases.replies import Reply, judge_accepted, judge_refused
from conformance.cases.translator.dialogue import Dialogue, speech_target, upgrade
from conformance.cases.translator.knocking import control, knock
from conformance.cases.translator.offer import Offer, offered, sample
from conformance.judge.verdict import Verdict
from protocol.languages import PUBLISHED
from protocol.wire import HttpResponse, PeerClosed

_OTHER_4XX: Final = frozenset(range(400, 500)) - {400}
_POLITE_CLOSE: Final = 1007
_SOURCE, _TARGET = "translator.client.source-key", "translator.client.target-key"


@case("handshake.listed-languages", "handshake.source-accepted", "handshake.target-accepted")
async def listed_languages(context: Context) -> None:
    """Ask for the user's pair, then for up to six pairs of languages that the server lists itself."""
    offer, user = await offered(context), context.target
    sources = sample(offer.speech, [user.source], context.random)
    targets = sample(offer.text, [user.target], context.random)
    await control(context, speech_target(context))
    context.kept("handshake.source-accepted")
    context.kept("handshake.target-accepted")
    for given, wanted in zip_longest(sources, targets):
        source, target = given or user.source, wanted or user.target
        reply = await _pair(context, source, target)
        if reply.accepted:
            _judge(context, "source", source, reply)
            _judge(context, "target", target, reply)
        else:  # Which of the two is it? Each is tried beside the user's other half.
            _judge(context, "source", source, await _pair(context, source, user.target))
            _judge(context, "target", target, await _pair(context, user.source, target))


async def _pair(context: Context, source: str, target: str) -> Reply:
    return await knock(context, speech_target(context, source=source, target=target))


def _judge(context: Context, half: str, value: str, reply: Reply) -> None:
    name = "from" if half == "source" else "to"
    judge_accepted(context, f"handshake.{half}-accepted", reply, f"{name}={value}")


@case("handshake.listed-voices", "handshake.voice-accepted", needs=("tts",))
async def listed_voices(context: Context) -> None:
    """Ask for speech with up to six voices that the server lists itself, each beside its language as target."""
    offer = await offered(context)
    if offer.trouble:
        raise Blocked(offer.trouble)
    if not offer.voices:
        raise NotOffered("the server lists no voices")
    await control(context, speech_target(context))
    own = offer.voice(speaking=True)
    voices = [own] if own is not None else []
    voices += sample(offer.voices, voices, context.random)[: None if own is None else -1]
    for voice in voices:
        language = offer.voices[voice][1]
        reply = await knock(context, speech_target(context, ("TextToSpeech",), voice=voice, target=language))
        judge_accepted(context, "handshake.voice-accepted", reply, f"voice={voice} with to={language}")


@case("handshake.bad-languages", "handshake.source-bad", "handshake.target-bad")
async def bad_languages(context: Context) -> None:
    """Ask for a source and for a target that are no language; where that opens a session, speak into it."""
    await control(context, speech_target(context))
    for requirement, name, value, target, mark in (
        ("handshake.source-bad", "from", "xx-XX", speech_target(context, source="xx-XX"), _SOURCE),
        ("handshake.target-bad", "to", "xx", speech_target(context, target="xx"), _TARGET),
    ):
        reply = await knock(context, target, deliberate=mark)
        if reply.status == 101:
            await _speak_anyway(context, requirement, f"{name}={value}", target, mark)
        else:
            judge_refused(context, requirement, reply, f"{name}={value}", milder=_OTHER_4XX)


async def _speak_anyway(context: Context, requirement: str, what: str, target: str, mark: str) -> None:
    """Judge a session that should not be: closing it, or leaving the translation out, is milder than answering."""
    opened = await upgrade(context, target, deliberate=mark)
    if isinstance(opened, HttpResponse):
        raise Blocked(f"{what} was accepted, and then refused with status {opened.status}")
    dialogue = Dialogue(context, opened)
    await dialogue.header()
    await dialogue.say(context.target.corpus["clear-1"])
    heard, ended = await dialogue.final(), dialogue.ended
    verdict = Verdict.VIOLATION
    if heard:
        final = dialogue.finals[0]
        says = f"a final with the translation {final.translation[:60]!r}"
        if requirement.endswith("target-bad") and final.recognition and not final.translation:
            verdict = Verdict.NON_STRICT
    elif isinstance(ended, PeerClosed):
        says = f"close {ended.code} {ended.reason!r}"
        if ended.code == _POLITE_CLOSE and not dialogue.results:
            verdict = Verdict.NON_STRICT
    else:
        says = "no result at all"
    context.broken(requirement, f"status 400 for {what}", f"status 101, then {says}", verdict)


@case("handshake.written-otherwise", "handshake.target-locale", "handshake.source-alias", "handshake.same-language")
async def written_otherwise(context: Context) -> None:
    """Write the target as a locale and the source as its bare language, and ask for a transcript."""
    await control(context, speech_target(context))
    offer = await offered(context)
    await _locales(context, offer)

    source, language = context.target.source, offer.source_language
    swapped = source.lower() if source != source.lower() else source.upper()
    known = ["zh-CHS"] if "zh-CN" in offer.speech else []
    for alias in dict.fromkeys([swapped, language, *known]):
        reply = await knock(context, speech_target(context, source=alias), deliberate=_SOURCE)
        judge_accepted(context, "handshake.source-alias", reply, f"from={alias}")

    reply = await knock(context, speech_target(context, target=language))
    judge_accepted(context, "handshake.same-language", reply, f"from={source} with to={language}")


async def _locales(context: Context, offer: Offer) -> None:
    """Try locales that the server names itself; without a list of its own, the published ones of the user's target."""
    locales = dict(offer.locales())
    if not offer.text:
        voices, wanted = PUBLISHED.voices_for(offer.target_language), offer.target_language
        locales = {voice.locale: wanted for voice in voices if voice.locale.partition("-")[0] == wanted}
    if not locales:
        context.not_applicable("handshake.target-locale", "no locale is known whose language is a target")
        return
    nearest = [key for key, language in locales.items() if language == offer.target_language][:1]
    for locale in [*nearest, *sample(locales, nearest, context.random)[:2]]:
        reply = await knock(context, speech_target(context, target=locale), deliberate=_TARGET)
        judge_accepted(context, "handshake.target-locale", reply, f"to={locale}")
