"""What v2 alone has: the language of the speech is found out (speech.language.*), and recognition without a translation
(speech.plain.*).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, INTERACTIVE, Ask, speech_target, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import need_results
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import need_reference, one_turn, served
from conformance.cases.utterances import recording
from protocol.speech.messages import V2

_OPEN_RANGE: Final = "UND"
_CONFIDENCES: Final = ("Unknown", "Low", "Medium", "High")
_NEEDS: Final = ("language-id", "recognition")
_MEMBERS: Final = frozenset({"RecognitionStatus", "DisplayText", "Offset", "Duration"})
_DETAILED: Final = {"phraseOutput": {"format": "Detailed"}}


def _found_out(context: Context, tags: Sequence[str], **changes: Any) -> Ask:
    """Return what to ask for so that the language is found out, as both official clients do it."""
    none = {"resultType": "None"}
    members = {
        "languageId": {
            "languages": list(tags),
            "mode": "DetectAtAudioStart",
            "onSuccess": {"action": "Recognize"},
            "onUnknown": {"action": "None"},
            "priority": "PrioritizeLatency",
        },
        "phraseOutput": {"interimResults": none, "phraseResults": none},
    }
    return usual(context, source=None, members=members, **changes)


async def _results(context: Context, ask: Ask) -> list[Heard]:
    """Say a sentence, and return its interims and its results."""
    session = await open_session(context, ask)
    turn = await session.begin()
    await turn.say(recording(context, "clear-1"))
    await turn.finished()
    await session.close()
    return [*turn.interims, *need_results(turn)]


def _judge(context: Context, results: Sequence[Heard]) -> list[str]:
    """Judge that each result says which language was spoken, and finals how sure that is; return the languages."""
    found: list[str] = []
    for result in results:
        tag = result.language
        what = "final" if result.is_final else "hypothesis"
        context.check("language.primary", bool(tag), f"PrimaryLanguage with a Language in a {what}", "none")
        found += [tag] if tag else []
        if result.is_final and tag:
            members = result.speech.get("PrimaryLanguage")
            confidence = members.get("Confidence") if isinstance(members, dict) else None
            good = confidence in _CONFIDENCES
            context.check("language.confidence", good, f"Confidence {' or '.join(_CONFIDENCES)}", repr(confidence))
    return found


@case(
    "language.candidates",
    "language.candidates",
    "language.primary",
    "language.confidence",
    dialects=(V2,),
    needs=_NEEDS,
)
async def candidates(context: Context) -> None:
    """Name the language of the speech and another one, in both orders and in both modes: one of the two is found."""
    source = context.target.source
    other = "de-DE" if not source.lower().startswith("de") else "fr-FR"
    for tags, mode in (((source, other), INTERACTIVE), ((other, source), CONVERSATION)):
        for tag in _judge(context, await _results(context, _found_out(context, tags, mode=mode))):
            context.check("language.candidates", tag in tags, " or ".join(tags), tag)


@case(
    "language.open-range",
    "language.open-range",
    "language.primary",
    "language.confidence",
    dialects=(V2,),
    needs=_NEEDS,
)
async def open_range(context: Context) -> None:
    """Leave the language quite open: what is found is a language without a region."""
    for tag in _judge(context, await _results(context, _found_out(context, (_OPEN_RANGE,)))):
        context.check("language.open-range", "-" not in tag, "a bare code, such as de", tag)


async def _written_down(context: Context, ask: Ask, form: str) -> Turn:
    """Say a sentence, as a client does that only wants to have it written down; return the turn.

    Raises:
        Blocked: A translation gives no result, either.
    """
    extra = (("language", context.target.source), ("format", form))
    session = await open_session(context, ask, target=speech_target(context, ask, extra=extra))
    turn = await session.begin()
    await turn.say(recording(context, "clear-1"))
    await turn.finished()
    await session.close()
    if not turn.over:
        await need_reference(context)
    return turn


def _named(found: list[Heard]) -> str:
    return ", ".join(f"{message.path} of {', '.join(message.members)}" for message in found)


@case("plain.recognition", "plain.phrase", "plain.hypothesis", dialects=(V2,), needs=("plain", "recognition"))
async def recognition(context: Context) -> None:
    """Ask for no translation, in both modes: the answers are speech.hypothesis and speech.phrase."""
    for mode in (INTERACTIVE, CONVERSATION):
        turn = await _written_down(context, usual(context, targets=(), mode=mode), "simple")
        phrases = turn.at("speech.phrase")
        told = [phrase for phrase in phrases if phrase.status == "Success" and phrase.text]
        if not told and not served(await one_turn(context, usual(context, mode=mode))):
            raise Blocked(f"a translation gives no result, either: {turn.state}")
        whole = bool(told) and all(phrase.members.keys() >= _MEMBERS for phrase in told)
        expected = f"speech.phrase with {', '.join(sorted(_MEMBERS))}"
        context.check("plain.phrase", whole, expected, _named(turn.finals) or turn.state)
        if turn.interims:
            other = [message for message in turn.interims if message.path != "speech.hypothesis"]
            context.check("plain.hypothesis", not other, "speech.hypothesis", _named(other))


@case("plain.detailed", "plain.detailed", dialects=(V2,), needs=("plain", "detailed", "recognition"))
async def detailed(context: Context) -> None:
    """Ask for no translation and for the detailed form: the phrase has NBest at top level."""
    turn = await _written_down(context, usual(context, targets=(), members=_DETAILED), "detailed")
    if not served(turn):
        raise Blocked(f"nothing was recognised: {turn.state}")
    phrase = turn.finals[0].speech  # at top level, unless it has another shape, which is judged elsewhere
    kept = bool(phrase.get("NBest"))
    context.check("plain.detailed", kept, "NBest beside RecognitionStatus", ", ".join(phrase))
