"""What a conversation in the speech dialects asks for, and how a client says so: in the query, and in JSON bodies.

Everything is said in both places, as one of the official SDKs does in both dialects. In `speech-v1` the query has to do
where the context says nothing; in `speech-v2` it means little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.cases.context import Context, NotOffered
from conformance.cases.target import Target
from protocol.speech.handshake import Mode, build_target

INTERACTIVE, CONVERSATION, DICTATION = Mode.INTERACTIVE, Mode.CONVERSATION, Mode.DICTATION

_VOICES: Final[Mapping[str, str]] = {
    "ar": "ar-EG-SalmaNeural",
    "de": "de-DE-KatjaNeural",
    "en": "en-US-JennyNeural",
    "es": "es-ES-ElviraNeural",
    "fr": "fr-FR-DeniseNeural",
    "it": "it-IT-ElsaNeural",
    "ja": "ja-JP-NanamiNeural",
    "ko": "ko-KR-SunHiNeural",
    "pt": "pt-BR-FranciscaNeural",
    "ru": "ru-RU-SvetlanaNeural",
    "zh": "zh-CN-XiaoxiaoNeural",
}
"""A voice by the first subtag of the language that it speaks: names that the service and its users know."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of a turn.

    Attributes:
        source: Language tag of the speech.
        targets: Language tags to translate into; none for plain recognition.
        mode: How the turn is segmented; None to leave that open.
        voices: The voice of each target that is to be spoken.
        members: Further members of speech.context, merged into those that follow from the rest.
        shape: What is done to speech.context at last.
    """

    source: str | None
    targets: tuple[str, ...]
    mode: Mode | None = INTERACTIVE
    voices: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    shape: Callable[[dict[str, Any]], dict[str, Any]] = dict


def usual(context: Context, **changes: Any) -> Ask:
    """Return what the user wants: source and target, one utterance, nothing spoken. `changes` are fields of `Ask`."""
    target = context.target
    return Ask(**{"source": target.source, "targets": (target.target,), **changes})


def spoken(context: Context, *targets: str) -> dict[str, str]:
    """Return a voice for each of the targets, by default for the user's.

    Raises:
        NotOffered: There is none that we know; the user can name one.
    """
    chosen: dict[str, str] = {}
    for target in targets or (context.target.target,):
        voice = voice_for(context.target, target)
        if voice is None:
            raise NotOffered(f"no voice for {target} is known here: name one with --voice")
        chosen[target] = voice
    return chosen


def voice_for(target: Target, tag: str) -> str | None:
    """Return a voice that speaks a target language: the user's own, else one that we know, if any."""
    return target.voice if target.voice and tag == target.target else _VOICES.get(short(tag))


def other_targets(target: Target) -> tuple[str, ...]:
    """Return the targets that are neither the user's nor the language of the recordings."""
    taken = {short(target.target), short(target.source)}
    return tuple(tag for tag in target.others if short(tag) not in taken)


def another_target(context: Context) -> str:
    """Return a target that is neither the user's nor the language of the recordings.

    Raises:
        NotOffered: There is none.
    """
    others = other_targets(context.target)
    if not others:
        raise NotOffered(f"{context.target.target} is the only language found that the server translates into")
    return others[0]


def with_region(tag: str) -> str:
    """Return a language tag with the region where most of its speakers are taken to be: `pt-BR` for `pt`."""
    voice = _VOICES.get(short(tag))
    return f"{tag}-{tag.upper()}" if voice is None else "-".join(voice.split("-")[:2])


def short(tag: str) -> str:
    """Return the first subtag of a language tag in lower case: servers answer long tags and short ones."""
    return tag.lower().partition("-")[0]


def speech_target(context: Context, ask: Ask | None = None, *, extra: Iterable[tuple[str, str]] = ()) -> str:
    """Return the request target of a good upgrade; `extra` pairs stand last in the query."""
    ask = usual(context) if ask is None else ask
    voice = next(iter(ask.voices.values()), None)
    return build_target(
        context.target.path, source=ask.source, targets=ask.targets, mode=ask.mode, voice=voice, extra=extra
    )


def config_body(ask: Ask) -> dict[str, Any]:
    """Return the body of speech.config, complete as the documents want it."""
    maker = {"manufacturer": "speechwire", "model": "conformance"}
    return {
        "context": {
            "system": {"name": "speechwire", "version": "2026.1", "build": "Python", "lang": "Python"},
            "os": {"platform": "Linux", "name": "Linux", "version": "6"},
            "device": {**maker, "version": "1"},
            "audio": {
                "source": {
                    **maker,
                    "connectivity": "Unknown",
                    "type": "File",
                    "samplerate": 16_000,
                    "bitspersample": 16,
                    "channelcount": 1,
                }
            },
        },
        **({} if ask.mode is None else {"recognition": ask.mode.value}),
    }


def context_body(ask: Ask) -> dict[str, Any]:
    """Return the body of speech.context; its members are those that both official SDKs send."""
    body: dict[str, Any] = {"phraseDetection": _detection(ask), "phraseOutput": {}}
    if ask.targets:
        action = {"action": "Synthesize" if ask.voices else "None"}
        body["translation"] = {
            "targetLanguages": list(ask.targets),
            "output": {"includePassThroughResults": True, "interimResults": {"mode": "Always"}},
            "onSuccess": action,
            "onPassthrough": action,
        }
    if ask.voices:
        body["synthesis"] = {"defaultVoices": dict(ask.voices), "synthesizedLanguages": list(ask.voices)}
    return ask.shape(merged(body, ask.members))


def _detection(ask: Ask) -> dict[str, Any]:
    detection: dict[str, Any] = {"enrichment": {}}
    if ask.mode is not None:
        detection["mode"] = ask.mode.name.capitalize()
    if ask.source is not None:
        detection["language"] = ask.source
    if ask.targets:
        detection["onSuccess"] = detection["onInterim"] = {"action": "Translate"}
    return detection


def merged(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return members with changes merged into them, objects member by member."""
    result = dict(members)
    for name, value in changes.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
