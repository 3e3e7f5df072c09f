"""The bodies that a client sends as JSON: speech.config, speech.context, and the event that changes languages.

Reading is lenient, since clients differ: names of members and words compare without case (facts Z-17, S-01 to S-08),
unknown members mean nothing, and a member of another type counts as absent. What the schemas demand of a client is for
the judge to say. What a context leaves open the query of the handshake decides, and then speech.config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import PeerViolation
from protocol.speech.handshake import Mode, Profanity, SpeechRequest

CONTEXT_JSON = "speech.malformed.context-json"

OPEN_RANGES = ("UND", "OPENRANGE")
"""The candidates that stand for every language (fact P-22), in capitals; JS before 1.44 uses the longer one."""

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices that were asked for: by the language tag that each is for, and the tags that are to be spoken."""

    by_language: tuple[tuple[str, str], ...]
    spoken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What one speech.context says; None where it says nothing.

    Attributes:
        mode: How the turn is segmented.
        source: Language tag of the speech.
        candidates: Language tags among which the language is to be found out; `UND` alone for all.
        targets: Language tags to translate into.
        voices: What is to be spoken.
        profanity: Treatment.
        detailed: Whether NBest is wanted.
        interims: Whether hypotheses are wanted.
        initial_silence_ms: Audio without speech that ends the turn; 0 switches that limit off (fact S-07).
        segmentation_ms: Silence that ends an utterance.
        forced_ms: Length at which an utterance is cut.
        resumed: Whether it continues an earlier turn.
    """

    mode: Mode | None = None
    source: str | None = None
    candidates: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    voices: Voices | None = None
    profanity: Profanity | None = None
    detailed: bool | None = None
    interims: bool = True
    initial_silence_ms: int | None = None
    segmentation_ms: int | None = None
    forced_ms: int | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """The event `updateLanguage`: new targets, and new voices where it has some."""

    targets: tuple[str, ...]
    voices: Voices | None


def read_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a body; PeerViolation (speech.malformed.context-json) if it is something else."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise PeerViolation(CONTEXT_JSON, "body", "a JSON object", "something else") from None
    if not isinstance(members, dict):
        raise PeerViolation(CONTEXT_JSON, "body", "a JSON object", f"a JSON {type(members).__name__}")
    return members


def read_config(body: bytes) -> Mode | None:
    """Return the mode that a speech.config names, if it does (fact C-02); PeerViolation for what is no object."""
    return Mode.of(member(read_object(body), "recognition"))


def read_context(body: bytes) -> Context:
    """Return what a speech.context says; PeerViolation for what is no object."""
    members = read_object(body)
    detection, translation = part(members, "phraseDetection"), part(members, "translation")
    mode = Mode.of(member(detection, "mode"))
    segmentation = part(part(detection, mode.value if mode else "conversation"), "segmentation")
    output = part(members, "phraseOutput")
    interims = member(part(part(translation, "output"), "interimResults"), "mode")
    targets = _texts(member(translation, "targetLanguages"))
    if targets is None:
        targets = _texts(member(part(members, "translationcontext"), "to"))
    return Context(
        mode=mode,
        source=_text(member(detection, "language")),
        candidates=_texts(member(part(members, "languageId"), "languages")) or (),
        targets=targets,
        voices=_voices(part(members, "synthesis"), _word(member(part(translation, "onSuccess"), "action"))),
        profanity=Profanity.of(member(part(detection, "enrichment"), "profanity")),
        detailed=None if (form := _word(member(output, "format"))) is None else form == "detailed",
        interims=_word(interims) != "none",
        initial_silence_ms=_milliseconds(member(detection, "initialSilenceTimeout")),
        segmentation_ms=_milliseconds(member(segmentation, "segmentationSilenceTimeoutMs"))
        or _milliseconds(member(detection, "trailingSilenceTimeout")),
        forced_ms=_milliseconds(member(segmentation, "segmentationForcedTimeoutMs")),
        resumed=bool(part(members, "continuation")),
    )


def read_event(body: bytes) -> Update | None:
    """Return the change of languages that an event asks for (fact C-09), None for any other event.

    PeerViolation for what is no object.
    """
    members = read_object(body)
    targets = _texts(member(members, "to"))
    if _word(member(members, "name")) != "updatelanguage" or targets is None:
        return None
    return Update(targets, _voices(part(members, "synthesis"), None))


def _voices(synthesis: Mapping[str, Any], action: str | None) -> Voices | None:
    """Return what is to be spoken: synthesizedLanguages, else every language that a voice is named for."""
    named = part(synthesis, "defaultVoices")
    by_language = tuple((tag, voice) for tag, voice in named.items() if isinstance(voice, str) and voice)
    if not by_language or action == "none":
        return None
    return Voices(
        by_language, _texts(member(synthesis, "synthesizedLanguages")) or tuple(tag for tag, _ in by_language)
    )


def member(members: Mapping[str, Any], name: str) -> Any:
    """Return the value of a member, its name compared without case, or None."""
    if name in members:
        return members[name]
    wanted, length = name.lower(), len(name)
    return next((value for key, value in members.items() if len(key) == length and key.lower() == wanted), None)


def part(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that is an object; an empty one if it is absent or something else."""
    found = member(members, name)
    return found if isinstance(found, dict) else _EMPTY


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _word(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and value else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(item for item in value if isinstance(item, str) and item))


def _milliseconds(value: object) -> int | None:
    """Return a time; some clients write it as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What holds for one turn, from context, query and configuration together.

    Attributes are those of `Context`, settled; `translated` tells a translation from plain recognition.
    """

    mode: Mode | None
    source: str | None
    candidates: tuple[str, ...]
    targets: tuple[str, ...]
    translated: bool
    voices: Voices | None
    profanity: Profanity
    detailed: bool
    interims: bool
    initial_silence_ms: int | None
    segmentation_ms: int | None
    forced_ms: int | None
    resumed: bool


def settle(request: SpeechRequest, recognition: Mode | None, context: Context) -> Wanted:
    """Return what holds: the context beats the query, and the query beats speech.config (decision; fact P-12)."""
    targets = request.targets if context.targets is None else context.targets
    voices = context.voices
    if voices is None and request.voice is not None:
        voices = Voices(tuple((tag, request.voice) for tag in targets), targets)
    return Wanted(
        mode=context.mode or request.mode or recognition,
        source=context.source or request.source,
        candidates=context.candidates,
        targets=targets,
        translated=bool(targets) or request.dialect == "speech-v1",
        voices=voices,
        profanity=context.profanity or request.profanity or Profanity.MASKED,
        detailed=request.detailed if context.detailed is None else context.detailed,
        interims=context.interims,
        initial_silence_ms=_given(context.initial_silence_ms, request.initial_silence_ms),
        segmentation_ms=_given(context.segmentation_ms, request.segmentation_ms),
        forced_ms=context.forced_ms,
        resumed=context.resumed,
    )


def _given(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
