"""What a client says before its audio: `speech.config` once a connection, `speech.context` once a turn.

The context is the one of both official SDKs, as far as they agree. It says everything that the query of `speech-v1`
says too: where both speak, the context decides (requirement speech.context.beats-query).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from protocol.audio import PcmFormat
from protocol.speech.handshake import Mode


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of the service.

    Attributes:
        source: Locale of the speech, e.g. `en-US`.
        targets: Languages to translate into, e.g. `de`.
        voices: The voice of each target that is to be spoken.
        mode: How long a turn is.
        profanity: `Masked`, `Removed` or `Raw`; None for the service's own choice.
    """

    source: str
    targets: tuple[str, ...]
    voices: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.CONVERSATION
    profanity: str | None = None


@dataclass(frozen=True, slots=True)
class System:
    """Who the client is, and what it runs on."""

    name: str
    version: str
    platform: str
    os_name: str
    os_version: str


def config_body(system: System, format: PcmFormat, mode: Mode) -> dict[str, Any]:  # noqa: A002 - called so everywhere
    """Return the body of `speech.config`, complete as the documents want it (requirement speech.client.config-form)."""
    product = {"manufacturer": system.name, "model": "File"}
    source = {
        **product,
        "connectivity": "Unknown",
        "type": "File",
        "samplerate": format.rate,
        "bitspersample": format.bits,
        "channelcount": format.channels,
    }
    return {
        "context": {
            "system": {"name": system.name, "version": system.version, "build": "Python", "lang": "Python"},
            "os": {"platform": system.platform, "name": system.os_name, "version": system.os_version},
            "device": {**product, "version": system.version},
            "audio": {"source": source},
        },
        "recognition": mode.value,
    }


def context_body(wish: Wish) -> dict[str, Any]:
    """Return the body of `speech.context`, the same for every turn (requirement speech.client.context-form)."""
    translate = {"action": "Translate"}
    detection = {
        "mode": wish.mode.value.capitalize(),
        "language": wish.source,
        "onSuccess": translate,
        "onInterim": translate,
        "enrichment": {} if wish.profanity is None else {"profanity": wish.profanity},
    }
    speak = {"action": "Synthesize" if wish.voices else "None"}
    translation = {
        "targetLanguages": list(wish.targets),
        "output": {"includePassThroughResults": True, "interimResults": {"mode": "Always"}},
        "onSuccess": speak,
        "onPassthrough": speak,
    }
    body: dict[str, Any] = {"phraseDetection": detection, "translation": translation, "phraseOutput": {}}
    if wish.voices:
        body["synthesis"] = {"synthesizedLanguages": list(wish.voices), "defaultVoices": dict(wish.voices)}
    return body
