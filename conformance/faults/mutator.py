"""The base of every fault: a tap that passes everything on, with one hook for each thing that can be changed.

A dialect folder has a base of its own on top of it, which takes the messages apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar
from urllib.parse import quote, urlencode

from protocol.request import parse_query
from protocol.wire import (
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


class Mutator(Tap):
    """Sits on one connection of the reference server. Subclasses override the hooks below; all pass on by default.

    Attributes:
        shared: Whether the mutators of all connections know of each other, so that none can be tried by itself.
        asked: The request as it came, before `on_request` has changed it.
    """

    shared: ClassVar[bool] = False
    asked: HttpRequest

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Change what the server reads as the request."""
        return request

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change an HTTP response, the 101 included."""
        return response

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Change what the session reads as a frame of the client."""
        return (fragment,)

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Change a message of the server."""
        return (message,)

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change a close that the server starts."""
        return (close,)

    # The tap.

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Note the request and let it be changed."""
        self.asked = request
        return self.on_request(request)

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Let a response be changed."""
        return self.on_response(response)

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed]:
        """Let a frame be changed."""
        return self.on_fragment(event) if isinstance(event, Fragment) else (event,)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        """Let a message or a close be changed."""
        if isinstance(event, Message):
            return self.on_message(event)
        return self.on_close(event) if isinstance(event, Close) else (event,)

    # What subclasses ask.

    @property
    def parameters(self) -> dict[str, str]:
        """The query as it came, under lower-case names."""
        return {name.lower(): value for name, value in parse_query(self.asked.query)}


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
