"""The base of every fault: a tap that passes everything on, with one hook for each thing that can be changed.

A dialect folder has a base of its own on top of it, which takes the messages apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar
from urllib.parse import quote, urlencode

from protocol.request import parse_query
from protocol.wire import (
    Abort,
    Close,
    Fragment,
    Headers,
    HttpRequest,
    HttpResponse,
    Message,
    Outbound,
    PeerClosed,
)
from reference_server.tap import Tap

CLOSE, PONG = 8, 10
"""Opcodes of the control frames that a server answers with."""


class Mutator(Tap):
    """Sits on one connection of the reference server. Subclasses override the hooks below; all pass on by default.

    Attributes:
        shared: Whether the mutators of all connections know of each other, so that none can be tried by itself.
        asked: The request as it came, before `on_request` has changed it.
        came: Whether a frame has come from the client.
        began_close: Whether the server has begun the closing handshake.
    """

    shared: ClassVar[bool] = False
    asked: HttpRequest
    came: bool = False
    _asked_to_close: bool = False
    began_close: bool = False

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Change what the server reads as the request."""
        return request

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change an HTTP response, the 101 included."""
        return response

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment | Abort]:
        """Change what the session reads as a frame of the client."""
        return (fragment,)

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Change a message of the server."""
        return (message,)

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change a close that the server starts."""
        return (close,)

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Change a WebSocket frame of the server, control frames included, as it goes out (RFC 6455 §5.2)."""
        return (frame,)

    # The tap.

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Note the request and let it be changed."""
        self.asked = request
        return self.on_request(request)

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Let a response be changed."""
        return self.on_response(response)

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed | Abort]:
        """Let a frame be changed."""
        if isinstance(event, Fragment):
            self.came = True
            return self.on_fragment(event)
        self._asked_to_close = True
        return (event,)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        """Let a message or a close be changed."""
        if isinstance(event, Message):
            return self.on_message(event)
        if isinstance(event, Close):
            self.began_close = True
            return self.on_close(event)
        return (event,)

    def written(self, data: bytes, time: float) -> bytes:
        """Let frames be changed."""
        if type(self).on_frame is Mutator.on_frame:
            return data
        return b"".join(changed for opcode, frame in _frames(data) for changed in self.on_frame(opcode, frame))

    # What subclasses ask.

    def answers_close(self, opcode: int) -> bool:
        """Tell whether a frame that goes out is the answer to the client's close frame."""
        return opcode == CLOSE and self._asked_to_close and not self.began_close

    @property
    def parameters(self) -> dict[str, str]:
        """The query as it came, under lower-case names."""
        return {name.lower(): value for name, value in parse_query(self.asked.query)}


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and bytes of each of a server's frames, which are not masked."""
    while data:
        size, head = data[1], 2
        if size > 125:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[2:head])
        yield data[0] & 0x0F, data[: head + size]
        data = data[head + size :]


def with_query(request: HttpRequest, changes: Mapping[str, str | None]) -> HttpRequest:
    """Return a request with parameters replaced, added or (None) removed; names compare without case."""
    gone = {name.lower() for name in changes}
    kept = [(name, value) for name, value in parse_query(request.query) if name.lower() not in gone]
    added = [(name, value) for name, value in changes.items() if value is not None]
    query = urlencode([*kept, *added], quote_via=quote)
    return HttpRequest(request.method, f"{request.path}?{query}", request.headers, request.body)


def without(headers: Headers, *names: str) -> Headers:
    """Return headers without these fields."""
    gone = {name.lower() for name in names}
    return tuple((name, value) for name, value in headers if name.lower() not in gone)


def with_headers(request: HttpRequest, headers: Headers) -> HttpRequest:
    """Return a request with these header fields instead of its own."""
    return HttpRequest(request.method, request.target, headers, request.body)
