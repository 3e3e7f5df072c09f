"""How the judge reads a transcript of `translator`.

Reading is lenient where judging is strict: a final with a wrong id is still a final, so that one departure is
reported once and not as a dozen others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from conformance.judge.reading import BaseView, Seen
from conformance.transcript import Frame
from protocol.errors import PeerViolation
from protocol.riff import HeaderReader, HeaderRules, RiffHeader
from protocol.translator.handshake import SPEECH_PATH, parse_query
from protocol.translator.messages import Final, Partial, parse
from protocol.wire import Kind, Party

STREAM_RULES = HeaderRules("translator.client.header-first", "translator.client.pcm-format")


@dataclass(frozen=True, slots=True)
class Result:
    """A text message that means to be a result. `message` is None where it breaks its format; `error` says how."""

    seen: Seen
    final: bool
    id: str
    recognition: str
    translation: str
    message: Partial | Final | None
    error: PeerViolation | None


def read_result(seen: Seen) -> Result | None:
    """Return what a text message of the server says, or None if it is not even a JSON object of a known type."""
    try:
        message = parse(seen.data)
    except PeerViolation as error:
        return _lenient(seen, error)
    return Result(seen, isinstance(message, Final), message.id, message.recognition, message.translation, message, None)


def _lenient(seen: Seen, error: PeerViolation) -> Result | None:
    try:
        members = json.loads(seen.data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    kind = str(members.get("type")).lower()
    if kind not in {"final", "partial"}:
        return None
    identity, recognition, translation = (str(members.get(name, "")) for name in ("id", "recognition", "translation"))
    return Result(seen, kind == "final", identity, recognition, translation, None, error)


class View(BaseView):
    """A transcript as the rules want to see it. Everything is computed when first asked for."""

    @property
    def for_speech(self) -> bool:
        """Whether the request is for the speech endpoint."""
        return self.request is not None and self.request.path.lower().endswith(SPEECH_PATH)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query's parameters under lower-case names; of a repeated one, the first."""
        found: dict[str, str] = {}
        for name, value in parse_query(self.request.query) if self.request else ():
            found.setdefault(name.lower(), value)
        return found

    @cached_property
    def features(self) -> frozenset[str]:
        """The words of `features`, in lower case."""
        words = self.parameters.get("features", "").lower().split(",")
        return frozenset(word.strip() for word in words if word.strip())

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The results among the server's messages."""
        texts = (seen for seen in self.from_server if seen.kind is Kind.TEXT)
        return tuple(result for seen in texts if (result := read_result(seen)) is not None)

    @property
    def finals(self) -> tuple[Result, ...]:
        """The final results."""
        return tuple(result for result in self.results if result.final)

    @cached_property
    def stream(self) -> tuple[RiffHeader, int] | PeerViolation | None:
        """The header of the client's stream with its length, or what is wrong with it, or None if it is not there."""
        reader = HeaderReader(STREAM_RULES)
        for entry in self.entries:
            if isinstance(entry, Frame) and entry.sender is Party.CLIENT and entry.kind is Kind.BINARY:
                try:
                    found = reader.feed(entry.data)
                except PeerViolation as error:
                    return error
                if found is not None:
                    return found[0], found[0].length
        return None

    @property
    def header(self) -> RiffHeader | None:
        """The header of the client's stream, if it is a good one."""
        return self.stream[0] if isinstance(self.stream, tuple) else None

    def audio_before(self, index: int) -> int:
        """Return the bytes of binary data, header included, that the client sent before an entry."""
        return sum(
            len(entry.data)
            for entry in self.entries[:index]
            if isinstance(entry, Frame) and entry.sender is Party.CLIENT and entry.kind is Kind.BINARY
        )
