"""A session of `translator` on the stage: the test plays its client and its pipeline."""

from __future__ import annotations

import json
from typing import Any

from protocol.audio import PcmFormat
from protocol.events import (
    Hypothesis,
    Phrase,
    Span,
    Speak,
    Task,
)
from protocol.riff import build_header
from protocol.translator.handshake import Feature, SpeechRequest
from protocol.translator.policy import Policy
from protocol.translator.session import Output, ServerSession
from protocol.wire import Fragment, Kind, Message, Tick

PARTIAL, TIMING, TTS = Feature.PARTIAL, Feature.TIMING_INFO, Feature.TEXT_TO_SPEECH
PCM = PcmFormat(16_000)
HEADER = build_header(PCM)
OPENED = 100.0
EARLY = "translator.session.no-server-message-before-audio"
SECOND = PCM.bytes_per_second
TASK = Task("en-US", ("it",), silence_ms=800, longest_ms=30_000, growth_ms=None)
ELSA = "it-IT-Elsa"


class Stage:
    """A session with a pipeline played by the test."""

    def __init__(self, *features: Feature, policy: Policy | None = None, **request: Any) -> None:
        voice = ELSA if TTS in features else None
        asked = SpeechRequest("en-US", "it", frozenset(features), **{"voice": voice, **request})
        self.session = ServerSession(asked, policy or Policy(), OPENED)

    def hear(self, data: bytes, at: float = OPENED, kind: Kind = Kind.BINARY) -> list[Output]:
        return self.session.receive(Fragment(at, kind, data))

    def begin(self, header: bytes = HEADER) -> None:
        self.hear(header)

    def tick(self, at: float) -> list[Output]:
        return self.session.receive(Tick(at))

    def guess(self, end: int, *, start: int = 0, text: str = "he", at: float = OPENED) -> list[dict[str, Any]]:
        return members(self.session.result(Hypothesis(at, Span(start, end - start), text, (f"it:{text}",))))

    def phrase(self, start: int = 0, size: int = SECOND, text: str = "hello") -> list[dict[str, Any]]:
        results = self.session.result(phrase(start, size, text))
        return members([result for result in results if not isinstance(result, Speak)])


def phrase(start: int = 0, size: int = SECOND, text: str = "hello", **more: Any) -> Phrase:
    return Phrase(OPENED, Span(start, size), text, (f"it:{text}" if text else "",), **more)


def members(outputs: list[Output]) -> list[dict[str, Any]]:
    """Return the JSON of what is sent: text messages in one frame, and nothing else."""
    found = []
    for output in outputs:
        assert isinstance(output, Message)
        assert output.kind is Kind.TEXT
        (data,) = output.fragments
        found.append(json.loads(data))
    return found
