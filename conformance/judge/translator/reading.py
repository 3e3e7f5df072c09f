"""How the judge reads a transcript of `translator`.

Reading is lenient where judging is strict: a final with a wrong id is still a final, so that one departure is
reported once and not as a dozen others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from conformance.transcript import Answered, Asked, CloseFrame, Expired, Frame, Transcript
from protocol.errors import PeerViolation
from protocol.riff import HeaderReader, HeaderRules, RiffHeader
from protocol.translator.handshake import SPEECH_PATH, parse_query
from protocol.translator.messages import Final, Partial, parse
from protocol.wire import HttpRequest, HttpResponse, Kind, Party

STREAM_RULES = HeaderRules("translator.client.header-first", "translator.client.pcm-format")


@dataclass(frozen=True, slots=True)
class Seen:
    """A data message: the entries of its first and last frame, their times, and whether the last frame came."""

    first: int
    last: int
    started: float
    ended: float
    kind: Kind
    data: bytes
    complete: bool
    deliberate: str | None


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


def assemble(transcript: Transcript, party: Party) -> tuple[Seen, ...]:
    """Return the data messages of a party, in the order in which they began; an unfinished one is last."""
    messages: list[Seen] = []
    open_at: list[int] = []
    frames: list[Frame] = []
    for index, entry in enumerate(transcript.entries):
        if not isinstance(entry, Frame) or entry.sender is not party:
            continue
        if entry.first:
            open_at, frames = [], []
        open_at.append(index)
        frames.append(entry)
        if entry.final:
            messages.append(_seen(open_at, frames, complete=True))
            open_at, frames = [], []
    if frames:
        messages.append(_seen(open_at, frames, complete=False))
    return tuple(messages)


def _seen(indexes: list[int], frames: list[Frame], *, complete: bool) -> Seen:
    return Seen(
        indexes[0],
        indexes[-1],
        frames[0].time,
        frames[-1].time,
        frames[0].kind,
        b"".join(frame.data for frame in frames),
        complete,
        next((frame.deliberate for frame in frames if frame.deliberate), None),
    )


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


class View:
    """A transcript as the rules want to see it. Everything is computed when first asked for."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.entries = transcript.entries

    @cached_property
    def asked(self) -> tuple[int, Asked] | None:
        """The HTTP request, with its index."""
        return next(((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Asked)), None)

    @cached_property
    def answered(self) -> tuple[int, Answered] | None:
        """The HTTP response, with its index."""
        return next(((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Answered)), None)

    @property
    def request(self) -> HttpRequest | None:
        """The HTTP request, if one was seen."""
        return self.asked[1].request if self.asked else None

    @property
    def response(self) -> HttpResponse | None:
        """The HTTP response, if one was seen."""
        return self.answered[1].response if self.answered else None

    @property
    def opened(self) -> bool:
        """Whether this is a conversation: the upgrade was accepted."""
        return self.response is not None and self.response.status == 101

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
    def from_server(self) -> tuple[Seen, ...]:
        """The data messages of the server."""
        return assemble(self.transcript, Party.SERVER)

    @cached_property
    def from_client(self) -> tuple[Seen, ...]:
        """The data messages of the client."""
        return assemble(self.transcript, Party.CLIENT)

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

    def close_of(self, party: Party) -> tuple[int, CloseFrame] | None:
        """Return a party's close frame with its index."""
        found = ((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, CloseFrame))
        return next((pair for pair in found if pair[1].sender is party), None)

    def expired(self, word: str) -> tuple[int, Expired] | None:
        """Return the first wait in vain for something whose name has `word` in it."""
        found = ((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Expired))
        return next((pair for pair in found if word in pair[1].what), None)
