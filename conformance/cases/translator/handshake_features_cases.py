"""Features and what goes with them: how their words may be written, and when voice and format count."""

from __future__ import annotations

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import case
from conformance.cases.replies import judge_accepted, judge_refused
from conformance.cases.translator.dialogue import open_session, speech_target
from conformance.cases.translator.knocking import control, knock
from conformance.cases.translator.offer import Offer, offered

_WORDS = {"Partial": "partial", "TimingInfo": "timing", "TextToSpeech": "tts"}
_NOBODY = "xx-XX-Nobody"
_UNKNOWN = "translator.client.features-known"


def _words(context: Context, offer: Offer) -> list[str]:
    """Return the features that can be asked for, in the documents' spelling."""
    words = [word for word, option in _WORDS.items() if option not in context.target.without]
    return words if offer.speaks else [word for word in words if word != "TextToSpeech"]


@case("handshake.features", "handshake.feature-case", "handshake.feature-blanks", "handshake.feature-bad")
async def features(context: Context) -> None:
    """Write features in lower and upper case, with blanks and doubled, and beside a word that does not exist."""
    words = _words(context, await offered(context))
    if not words:
        raise NotOffered("no feature can be asked for")
    await control(context, speech_target(context, words))

    taken = True
    for written in (",".join(words).lower(), ",".join(reversed(words)).upper()):
        reply = await knock(context, speech_target(context, written.split(",")))
        judge_accepted(context, "handshake.feature-case", reply, f"features={written}")
        taken = taken and reply.accepted

    loose = f" {words[0]} ,,{', '.join(words)} ,{words[0]}"
    voice = context.target.voice if "TextToSpeech" in words else None
    reply = await knock(context, speech_target(context, loose.split(","), voice=voice))
    judge_accepted(context, "handshake.feature-blanks", reply, f"features={loose!r}")

    reply = await knock(context, speech_target(context, (*words, "Telepathy")), deliberate=_UNKNOWN)
    judge_refused(context, "handshake.feature-bad", reply, "the feature Telepathy")
    if taken and "TimingInfo" in words:
        await _counts(context)


async def _counts(context: Context) -> None:
    """A word in another letter case has to do what it says, not only be let through: TimingInfo can be seen."""
    if not await _timed(context, "TIMINGINFO") and await _timed(context, "TimingInfo"):
        expected = "TIMINGINFO to mean TimingInfo, which gives finals their timing"
        context.broken("handshake.feature-case", expected, "a final without timing")


async def _timed(context: Context, word: str) -> bool:
    dialogue = await open_session(context, (word,))
    await dialogue.say(context.target.corpus["clear-1"])
    final = await dialogue.need_final()
    await dialogue.close()
    return b'"audioTimeOffset"' in final.seen.data


@case("handshake.voice-without-tts", "handshake.voice-without-tts")
async def voice_without_tts(context: Context) -> None:
    """Name a voice and a format without asking for speech."""
    await control(context, speech_target(context))
    offer = await offered(context)
    voice = offer.voice(speaking=True) or context.target.voice or next(iter(offer.voices), _NOBODY)
    for arguments in ({"voice": voice}, {"voice": voice, "format": "audio/mp3"}):
        reply = await knock(context, speech_target(context, **arguments))
        what = " and ".join(f"{name}={value}" for name, value in arguments.items())
        judge_accepted(context, "handshake.voice-without-tts", reply, f"{what} without TextToSpeech")


@case(
    "handshake.speech-values",
    "handshake.voice-bad",
    "handshake.format-bad",
    "handshake.voice-mismatch",
    "handshake.empty-parameter",
    needs=("tts",),
)
async def speech_values(context: Context) -> None:
    """Ask for speech with a voice and a format that do not exist, a voice of another language, and empty values."""
    offer = await offered(context)
    if not offer.speaks:
        raise NotOffered(f"no voice speaks {context.target.target}")
    tts = ("TextToSpeech",)
    await control(context, speech_target(context, tts))

    empty = (("voice", ""), ("format", ""))
    reply = await knock(context, speech_target(context, tts, voice=None, extra=empty))
    judge_accepted(context, "handshake.empty-parameter", reply, "empty voice and format with TextToSpeech")

    reply = await knock(context, speech_target(context, tts, voice=_NOBODY), deliberate="translator.client.voice-known")
    judge_refused(context, "handshake.voice-bad", reply, f"voice={_NOBODY}")

    reply = await knock(
        context, speech_target(context, tts, format="audio/smell"), deliberate="translator.client.format-known"
    )
    judge_refused(context, "handshake.format-bad", reply, "format=audio/smell")

    stranger = offer.voice(speaking=False)
    if stranger is None:
        context.not_applicable("handshake.voice-mismatch", "no voice of another language is known")
        return
    reply = await knock(
        context, speech_target(context, tts, voice=stranger), deliberate="translator.client.voice-matches"
    )
    judge_refused(context, "handshake.voice-mismatch", reply, f"voice={stranger} with to={context.target.target}")


@case(
    "handshake.values",
    "handshake.api-version-bad",
    "handshake.profanity-bad",
    "handshake.source-missing",
    "handshake.target-missing",
    "handshake.repeated-target",
)
async def values(context: Context) -> None:
    """Leave out or spoil one parameter of a good request after another."""
    await control(context, speech_target(context))
    offer = await offered(context)
    second = next(key for key in (offer.source_language, *offer.text, "xx") if key != offer.target_language)
    for requirement, mark, what, changes in (
        ("api-version-bad", "api-version", "api-version=2.0", {"api_version": "2.0"}),
        ("source-missing", "source-key", "a request without from", {"source": None}),
        ("target-missing", "target-key", "a request without to", {"target": None}),
        ("repeated-target", "target-key", "to given twice", {"extra": (("to", second),)}),
        ("repeated-target", "target-key", "two languages in to", {"target": f"{context.target.target},{second}"}),
    ):
        target = speech_target(context, **changes)
        reply = await knock(context, target, deliberate=f"translator.client.{mark}")
        judge_refused(context, f"handshake.{requirement}", reply, what)
    reply = await knock(context, speech_target(context, api_version=None), deliberate="translator.client.api-version")
    judge_accepted(context, "handshake.api-version-bad", reply, "a request without api-version")
    await _profanity(context)


async def _profanity(context: Context) -> None:
    good, mark = speech_target(context, profanity="Marked", marker="Asterisk"), "translator.client.profanity-known"
    if "profanity" in context.target.without:
        context.not_applicable("handshake.profanity-bad", "the target was declared to be without profanity")
        return
    if not (await knock(context, good)).accepted:
        raise Blocked("ProfanityAction=Marked and ProfanityMarker=Asterisk are not accepted")
    for arguments in ({"profanity": "Shouted"}, {"profanity": "Marked", "marker": "Stars"}):
        reply = await knock(context, speech_target(context, **arguments), deliberate=mark)
        judge_refused(context, "handshake.profanity-bad", reply, " with ".join(arguments.values()))
