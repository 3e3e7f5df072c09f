"""HTTP/1.1 in front of everything: requests read within limits, responses written, by h11 and no hand.

A plain WebSocket listener cannot parse a request with a body, and one known client of the token service sends one
(fact K1): so every connection begins here, and an upgraded one goes on in `connection`.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import uuid
from collections.abc import Callable
from http import HTTPStatus

import h11
from h11._state import MIGHT_SWITCH_PROTOCOL

from protocol.rejection import Rejection
from protocol.wire import Headers, HttpRequest, HttpResponse, header
from reference_server.policy import Limits
from reference_server.responses import refuse

READ_BYTES = 1 << 16
_LINGER_BYTES = 1 << 20
_ABSOLUTE = ("http://", "https://", "ws://", "wss://")


class HttpFront:
    """The HTTP side of one connection.

    Args:
        reader: The connection's incoming bytes.
        writer: Its outgoing ones.
        limits: Times and sizes.
        wall_clock: Seconds since 1970, for the header Date.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits,
        wall_clock: Callable[[], float],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._limits = limits
        self._wall_clock = wall_clock
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.header_bytes)
        self._method = ""
        self._first = True
        self.idle = True

    # Requests.

    async def request(self, body_limit: Callable[[HttpRequest], int]) -> HttpRequest | HttpResponse | None:
        """Return the next request with its body, or the response that a broken one gets; None when there is none.

        A body is read up to what `body_limit` allows the request and left unread beyond; the declared length stays in
        the headers for the resource to refuse.
        """
        try:
            if not await self._something_came():
                return None
            self.idle = False
            async with asyncio.timeout(self._limits.header_s):
                head = await self._head()
                if head is None:
                    return None
                body = await self._body(head, body_limit(head))
        except TimeoutError:
            return _broken(408, "RequestTimeout", f"a whole request within {self._limits.header_s:g} s")
        except h11.RemoteProtocolError as error:
            return _broken(error.error_status_hint, "BadRequest", f"an HTTP/1.1 request ({error})")
        except OSError:
            return None
        return HttpRequest(head.method, head.target, head.headers, body)

    async def _something_came(self) -> bool:
        """Wait for the first byte of a request, within the time that a silent connection may stay open."""
        seconds = self._limits.header_s if self._first else self._limits.keep_alive_s
        self._first, self.idle = False, True
        if self._h11.trailing_data[0]:
            return True
        try:
            async with asyncio.timeout(seconds):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            return False
        self._h11.receive_data(data)
        return bool(data)

    async def _head(self) -> HttpRequest | None:
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        if not event.http_version.startswith(b"1."):
            raise h11.RemoteProtocolError("this server speaks HTTP/1.1", error_status_hint=505)
        self._method = _latin(event.method)
        headers = tuple((_latin(name), _latin(value)) for name, value in event.headers.raw_items())
        return HttpRequest(self._method, _origin_form(_latin(event.target)), headers)

    async def _body(self, head: HttpRequest, limit: int) -> bytes:
        declared = header(head.headers, "Content-Length")
        if declared is not None and int(declared) > limit:
            return b""
        if self._h11.they_are_waiting_for_100_continue:
            self._write(self._h11.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")))
        body = bytearray()
        while len(body) <= limit:
            event = await self._event()
            if not isinstance(event, h11.Data):
                break
            body += event.data
        return bytes(body[: limit + 1])

    async def _event(self) -> object:
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            self._h11.receive_data(await self._reader.read(READ_BYTES))
        return event

    def early(self) -> bytes:
        """Return the bytes that came behind an upgrade request."""
        return self._h11.trailing_data[0]

    # Responses.

    def complete(self, response: HttpResponse) -> HttpResponse:
        """Return the response with what every one carries (requirement translator.handshake.request-id-on-errors)."""
        extra: Headers = (("X-RequestId", str(uuid.uuid4())),)
        if header(response.headers, "Date") is None:
            extra = (*extra, ("Date", email.utils.formatdate(self._wall_clock(), usegmt=True)))
        return HttpResponse(response.status, (*response.headers, *extra), response.body)

    async def respond(self, response: HttpResponse) -> bool:
        """Send a response, its length added; return whether the connection can carry another request."""
        unread = self._h11.their_state not in {h11.DONE, MIGHT_SWITCH_PROTOCOL, h11.MUST_CLOSE}
        refused = self._h11.their_state is MIGHT_SWITCH_PROTOCOL  # a client that wanted a WebSocket wants nothing else
        headers = response.headers
        if response.status != 204:
            headers = (*headers, ("Content-Length", str(len(response.body))))
        if unread or refused:
            headers = (*headers, ("Connection", "close"))
        event = h11.Response(
            status_code=response.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            reason=phrase(response.status).encode(),
        )
        self._write(self._h11.send(event))
        if self._method != "HEAD":
            self._write(self._h11.send(h11.Data(data=response.body)))
        self._write(self._h11.send(h11.EndOfMessage()))
        await asyncio.sleep(0)  # requests that came in one piece are answered by turns with other connections
        try:
            async with asyncio.timeout(self._limits.drain_s):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            return False
        except OSError:
            return False
        if unread:
            await self.linger()
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def linger(self) -> None:
        """Half-close and read on for a while: closing at once on unread bytes would take the response back."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
            taken = 0
            async with asyncio.timeout(self._limits.close_s):
                while taken < _LINGER_BYTES and (data := await self._reader.read(READ_BYTES)):
                    taken += len(data)
                    await asyncio.sleep(0)

    def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)


def _broken(status: int, code: str, expected: str) -> HttpResponse:
    return refuse(Rejection(status, code, f"request: expected {expected}"))


def phrase(status: int) -> str:
    """Return the reason phrase of a status, empty for one that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _latin(raw: bytes) -> str:
    return raw.decode("latin-1")


def _origin_form(target: str) -> str:
    """Return a target as path and query; a client behind a proxy may send it with scheme and host."""
    if target.lower().startswith(_ABSOLUTE):
        rest = target.partition("://")[2]
        cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        target = rest[cut:]
    return target if target.startswith("/") or target == "*" else f"/{target}"
