"""Both ends of a WebSocket connection without I/O: bytes in, events out; messages in, bytes out.

A thin typed layer over the sans-I/O classes of `websockets`. It keeps what a conformance suite has to see and a
high-level API hides: frames, pongs, how a connection ended. After every call the shell writes `take()` to the
transport; `take()` also says when to half-close it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass

from websockets.client import ClientProtocol
from websockets.datastructures import Headers as WebSocketHeaders
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import BINARY, CLOSE, CONT, PONG, TEXT, Frame
from websockets.frames import Close as CloseContent
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, Protocol
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from protocol.reframe import Reframer
from protocol.wire import (
    Abort,
    Close,
    Fragment,
    Headers,
    HttpRequest,
    HttpResponse,
    Kind,
    Outbound,
    PeerClosed,
    header,
)

ABNORMAL = 1006
_MESSAGE = 64 * 2**20  # no voice is longer; a server that floods its client ends here with 1009
_DATA = frozenset({TEXT, BINARY, CONT})
_ANY_REQUEST = b"GET / HTTP/1.1\r\n\r\n"  # brings the parser behind the request, which the HTTP front has read


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong came."""

    time: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The peer's bytes are not WebSocket. `code` is what our close frame says, `reason` what is wrong."""

    time: float
    code: int
    reason: str


Event = Fragment | PeerClosed | Pong | Unreadable


class _ClosesAnywhere(Protocol):
    """Takes a close frame between the frames of a message, as RFC 6455 §5.4 allows for every control frame.

    `websockets` answers it with 1002. A client that streams one endless message (fact A11) can close no other way.
    """

    def recv_frame(self, frame: Frame) -> None:
        """Forget the open message before the close is judged."""
        if frame.opcode is CLOSE:
            self.current_size = None
        super().recv_frame(frame)


class _Server(_ClosesAnywhere, ServerProtocol):
    """The accepting end of `websockets`."""


class _Client(_ClosesAnywhere, ClientProtocol):
    """The asking end of `websockets`, which reads on behind the server's close frame.

    RFC 6455 §5.5.1 has data discarded there; whoever judges the server has to see that it was sent.
    """

    def recv_frame(self, frame: Frame) -> None:
        """Put a close frame before what `discard` has read behind it already."""
        before = len(self.events)
        super().recv_frame(frame)
        if frame.opcode is CLOSE:
            self.events[before:] = [frame, *self.events[before:-1]]

    def discard(self) -> Generator[None]:
        """Report data frames behind a close frame, up to the end or to what is no frame."""
        if self.close_rcvd is not None:
            with contextlib.suppress(ProtocolError, EOFError, PayloadTooBig):
                while not (yield from self.reader.at_eof()):
                    frame = yield from Frame.parse(
                        self.reader.read_exact, mask=False, max_size=_MESSAGE, extensions=self.extensions
                    )
                    if frame.opcode in _DATA:
                        self.events.append(frame)
        yield from super().discard()


class Endpoint:
    """What both ends share once the handshake is over."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._kind = Kind.BINARY
        self._ended = False

    @property
    def open(self) -> bool:
        """Whether data may be sent."""
        return self._protocol.state is OPEN

    @property
    def close_expected(self) -> bool:
        """Whether the transport should end soon; the shell ends it itself when that takes too long."""
        return self._protocol.close_expected()

    def receive(self, data: bytes, time: float) -> list[Event]:
        """Take bytes from the transport; an empty string is its end. Return what they mean, in order."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        events = self._events(self._protocol.events_received(), time)
        return events + self._end(time, eof=not data)

    def send(self, event: Outbound) -> None:
        """Send a message or start the closing handshake; nothing once the connection is closing."""
        if not self.open or isinstance(event, Abort):
            return
        if isinstance(event, Close):
            self._protocol.send_close(event.code, event.reason)
            return
        last = len(event.fragments) - 1
        for index, data in enumerate(event.fragments):
            self.send_fragment(event.kind, data, first=index == 0, final=index == last)

    def send_fragment(self, kind: Kind, data: bytes, *, first: bool, final: bool) -> None:
        """Send one frame of a message whose other frames may follow much later, or never."""
        if not first:
            self._protocol.send_continuation(data, final)
        elif kind is Kind.TEXT:
            self._protocol.send_text(data, final)
        else:
            self._protocol.send_binary(data, final)

    def ping(self, data: bytes) -> None:
        """Send a ping."""
        if self.open:
            self._protocol.send_ping(data)

    def take(self) -> tuple[bytes, bool]:
        """Return the bytes to write, and whether to half-close the transport behind them."""
        writes = self._protocol.data_to_send()
        return b"".join(writes), b"" in writes

    def _events(self, received: Iterable[Request | Response | Frame], time: float) -> list[Event]:
        return [event for frame in received if isinstance(frame, Frame) for event in self._frame(frame, time)]

    def _frame(self, frame: Frame, time: float) -> list[Event]:
        if frame.opcode is CLOSE:
            received = CloseContent.parse(frame.data)
            self._ended = True
            return [PeerClosed(time, received.code, received.reason)]
        if frame.opcode is PONG:
            return [Pong(time, bytes(frame.data))]
        if frame.opcode not in _DATA:
            return []
        first = frame.opcode is not CONT
        if first:
            self._kind = Kind.TEXT if frame.opcode is TEXT else Kind.BINARY
        return [Fragment(time, self._kind, bytes(frame.data), first, frame.fin)]

    def _end(self, time: float, *, eof: bool) -> list[Event]:
        """Report the end of a connection that did not end with the peer's close frame, once."""
        if self._ended:
            return []
        error = self._protocol.parser_exc
        if error is not None and not isinstance(error, EOFError):
            self._ended = True
            sent = self._protocol.close_sent
            return [Unreadable(time, ABNORMAL if sent is None else sent.code, str(error))]
        if eof:
            self._ended = True
            return [PeerClosed(time, ABNORMAL, "")]
        return []


class ServerEnd(Endpoint):
    """The accepting end. Give it the request that the HTTP front has read, then send the response."""

    def __init__(self, frame_bytes: int) -> None:
        self._server = _Server(max_size=(None, frame_bytes))
        super().__init__(self._server)
        self._reframer = Reframer(frame_bytes)

    def accept(self, request: HttpRequest) -> HttpResponse:
        """Return the response to an upgrade request: 101, or 400/405/426 when it is not one."""
        self._server.receive_data(_ANY_REQUEST)
        self._server.events_received()
        response = self._server.accept(Request(request.target, _to_websockets(request.headers), request.method))
        return HttpResponse(response.status_code, tuple(response.headers.raw_items()), bytes(response.body))

    def accepted(self, response: HttpResponse) -> bytes:
        """Switch to WebSocket with this response, which the caller may have changed; return its bytes."""
        self._server.send_response(Response(response.status, "Switching Protocols", _to_websockets(response.headers)))
        return self.take()[0]

    def receive(self, data: bytes, time: float) -> list[Event]:
        """Take bytes; a long frame is handed on in pieces while it arrives, so none is ever held whole."""
        if not data:
            return super().receive(data, time)
        pieces = self._reframer.feed(data)
        return super().receive(pieces, time) if pieces else []


class ClientEnd(Endpoint):
    """The asking end. `request` gives the bytes of the handshake; the response comes out of `handshake`."""

    def __init__(self, host: str, port: int, *, secure: bool, target: str) -> None:
        path, _, query = target.partition("?")
        self._target = target
        self._client = _Client(WebSocketURI(secure, host, port, path, query), max_size=(_MESSAGE, None))
        super().__init__(self._client)
        self._early: list[Request | Response | Frame] = []

    def request(self, headers: Headers, *, method: str = "GET", leave_out: frozenset[str] = frozenset()) -> HttpRequest:
        """Return the handshake request with further headers, without those named in `leave_out`.

        Its bytes are sent with `take()`.
        """
        request = self._client.connect()
        request.path = self._target
        request.method = method
        for name in filter(request.headers.__contains__, leave_out):
            del request.headers[name]
        for name, value in headers:
            request.headers[name] = value
        self._offer(headers)
        self._client.send_request(request)
        return HttpRequest(method, self._target, tuple(request.headers.raw_items()))

    def _offer(self, headers: Headers) -> None:
        """Be ready for a server that agrees to a sub-protocol or to the compression that these headers offer."""
        if protocols := header(headers, "Sec-WebSocket-Protocol"):
            self._client.available_subprotocols = [Subprotocol(word.strip()) for word in protocols.split(",")]
        if "permessage-deflate" in (header(headers, "Sec-WebSocket-Extensions") or ""):
            self._client.available_extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]

    def handshake(self, data: bytes) -> HttpResponse | None:
        """Take bytes until the response is complete; None means more are needed.

        Bytes behind the response stay inside; fetch their events with `early`.

        Raises:
            ValueError: The peer does not speak HTTP; the message says what came.
        """
        if data:
            self._client.receive_data(data)
        else:
            self._client.receive_eof()
        events = self._client.events_received()
        if not events:
            if self._client.handshake_exc is not None:
                raise ValueError(str(self._client.handshake_exc.__cause__ or self._client.handshake_exc))
            return None
        response, *self._early = events
        assert isinstance(response, Response)  # noqa: S101 - the first event on this side
        return HttpResponse(response.status_code, tuple(response.headers.raw_items()), bytes(response.body))

    def early(self, time: float) -> list[Event]:
        """Return the events of bytes that came in one piece with the response."""
        received, self._early = self._early, []
        return self._events(received, time) + self._end(time, eof=False)

    @property
    def refused(self) -> str | None:
        """Why the response does not open a connection, in one sentence; None if it does."""
        return None if self._client.handshake_exc is None else str(self._client.handshake_exc)


def _to_websockets(headers: Headers) -> WebSocketHeaders:
    return WebSocketHeaders(headers)
