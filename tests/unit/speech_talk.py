"""A speech session under test: what it is told, and what it says and orders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from protocol.audio import PcmFormat
from protocol.events import (
    FromPipeline,
    Phrase,
    Span,
)
from protocol.languages import PUBLISHED
from protocol.riff import build_header
from protocol.speech import framing
from protocol.speech.framing import UspMessage
from protocol.speech.handshake import SpeechRequest
from protocol.speech.messages import V2
from protocol.speech.server.policy import Policy
from protocol.speech.server.session import Output, ServerSession
from protocol.wire import Close, Fragment, Kind, Message, Tick

PCM = PcmFormat(16_000)
SECOND = PCM.bytes_per_second
STAMP = ("X-Timestamp", "2026-01-01T00:00:00.000Z")
ONE, TWO, THREE = ("1" * 32, "2" * 32, "3" * 32)
HEADER = build_header(PCM)
VOICE = b"RIFF" + bytes(100)


def context(mode: str = "Conversation", **more: Any) -> dict[str, Any]:
    """Return a context that translates en-US into pt."""
    detection = {"mode": mode, "language": "en-US"}
    return {"phraseDetection": detection, "translation": {"targetLanguages": ["pt"]}, **more}


VOICED: dict[str, Any] = {"synthesis": {"defaultVoices": {"pt": "pt-BR-FranciscaNeural"}}}


@dataclass
class Talk:
    """A session, the time, and what the session has said and ordered."""

    dialect: str = V2
    policy: Policy = field(default_factory=Policy)
    request: SpeechRequest | None = None
    time: float = 0.0
    said: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    closed: Close | None = None

    def __post_init__(self) -> None:
        asked = self.request or SpeechRequest(self.dialect, "c" * 32)
        self.session = ServerSession(asked, self.policy, PUBLISHED, self.time)

    def take(self, outputs: list[Output]) -> Talk:
        """Sort outputs into what was said, ordered and closed."""
        for output in outputs:
            if isinstance(output, Message):
                message = framing.read(output.kind, output.data)
                self.said.append((message.path, message.request_id))
                self.streams += [] if message.stream_id is None else [message.stream_id]
                text = message.kind is Kind.TEXT
                self.bodies.append(json.loads(message.body) if text else message.body)
            elif isinstance(output, Close):
                self.closed = output
            else:
                self.orders.append(output)
        return self

    def send(self, message: UspMessage) -> Talk:
        """Send a message in one frame, stamped."""
        raw = framing.write(replace(message, headers=(*message.headers, STAMP)))
        return self.take(self.session.receive(Fragment(self.time, raw.kind, raw.data)))

    def raw(self, kind: Kind, data: bytes, *, first: bool = True, final: bool = True) -> Talk:
        """Send a frame."""
        return self.take(self.session.receive(Fragment(self.time, kind, data, first, final)))

    def text(self, path: str, request_id: str, body: Mapping[str, Any] | None = None) -> Talk:
        """Send a text message."""
        return self.send(framing.text(path, request_id, body or {}))

    def audio(self, data: bytes, request_id: str = ONE) -> Talk:
        """Send audio; empty data ends the stream."""
        return self.send(framing.binary("audio", request_id, data))

    def begin(self, request_id: str = ONE, **wanted: Any) -> Talk:
        """Configure, open a turn and send its header and a second of audio."""
        self.text("speech.config", "")
        self.text("speech.context", request_id, context(**wanted))
        return self.audio(HEADER, request_id).audio(bytes(SECOND), request_id)

    def found(self, event: FromPipeline) -> Talk:
        """Hand in what the pipeline found."""
        return self.take(self.session.result(event))

    def phrase(self, start_ms: int = 100, size_ms: int = 500, **more: Any) -> Talk:
        """Find a phrase."""
        span = Span(PCM.ms_to_bytes(start_ms), PCM.ms_to_bytes(size_ms))
        values: dict[str, Any] = {"recognition": "Hello.", "translations": ("Olá.",), "targets": ("pt",), **more}
        return self.found(Phrase(self.time, span, **values))

    def pass_time(self, seconds: float) -> Talk:
        """Let time pass and call the session at its deadline if that is reached."""
        self.time += seconds
        due = self.session.next_deadline
        return self.take(self.session.receive(Tick(self.time))) if due is not None and due <= self.time else self

    @property
    def paths(self) -> list[str]:
        """The paths of what was said."""
        return [path for path, _ in self.said]

    def last(self, path: str) -> Any:
        """Return the body of the last message of a path."""
        return next(
            body for (name, _), body in reversed(list(zip(self.said, self.bodies, strict=True))) if name == path
        )
