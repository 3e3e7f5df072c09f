"""Frozen values that flow through every room: what crosses the wire, and what a session answers.

Time is a field. It is a float in seconds on the observer's monotonic clock (real or virtual); only differences
mean anything. Sizes are bytes. Media time on the wire is in ticks of 100 ns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Party(Enum):
    """Who a requirement binds, and who sent something."""

    CLIENT = "client"
    SERVER = "server"

    __hash__ = object.__hash__  # which is that of an Enum in C: tables are keyed by parties


class Kind(Enum):
    """The two data message types of WebSocket."""

    TEXT = "text"
    BINARY = "binary"


Headers = tuple[tuple[str, str], ...]
"""HTTP header fields in wire order, spelled as on the wire."""


def header(headers: Headers, name: str) -> str | None:
    """Return the first value of the field `name`, compared without case, or None."""
    wanted, length = name.lower(), len(name)  # by length first: this is asked thousands of times a second
    for key, value in headers:
        if len(key) == length and key.lower() == wanted:
            return value
    return None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP/1.1 request head, and its body if it was read. `target` is the raw path and query."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The raw query, without the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP/1.1 response; 101 for an accepted upgrade."""

    status: int
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One data frame as it came in.

    `kind` is that of the message, also on continuation frames; `first` and `final` say where in the message the
    frame stands. A message in one frame is both.
    """

    time: float
    kind: Kind
    data: bytes
    first: bool = True
    final: bool = True


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The peer's close frame came, or its connection ended without one (`code` 1006).

    The `reason` is then empty, or says what was sent that is not WebSocket.
    """

    time: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; due when a session's `next_deadline` is reached."""

    time: float


@dataclass(frozen=True, slots=True)
class Message:
    """A whole data message to send: one frame for each item of `fragments` (at least one)."""

    kind: Kind
    fragments: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """The message's payload."""
        return b"".join(self.fragments)

    @classmethod
    def text(cls, text: str) -> Message:
        """Return an unfragmented text message."""
        return cls(Kind.TEXT, (text.encode(),))

    @classmethod
    def binary(cls, data: bytes, frame_size: int | None = None) -> Message:
        """Return a binary message, in frames of at most `frame_size` bytes if that is given."""
        if frame_size is None or len(data) <= frame_size:
            return cls(Kind.BINARY, (data,))
        return cls(Kind.BINARY, tuple(data[at : at + frame_size] for at in range(0, len(data), frame_size)))


@dataclass(frozen=True, slots=True)
class Close:
    """Start the closing handshake with this code and reason (at most 123 bytes of UTF-8)."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """End the TCP connection without a closing handshake."""


Inbound = Fragment | PeerClosed | Tick
"""What a session receives."""

Outbound = Message | Close | Abort
"""What a session, or a fault on top of it, gives to the shell to send."""
