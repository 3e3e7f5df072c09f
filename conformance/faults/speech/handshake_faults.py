"""Servers that get paths and the upgrade wrong."""

from __future__ import annotations

from typing import ClassVar

from conformance.faults.mutator import with_headers, without
from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, refuse
from protocol.speech.handshake import CONNECTION_ID, PATHS
from protocol.wire import HttpRequest, HttpResponse, header

_NOWHERE = "/nowhere"
_ALL = tuple(path for paths in PATHS.values() for path in paths)
_SHORT = PATHS["speech-v2"][1]
_SOMEBODY = "0" * 32
_OFFERS = frozenset({"sec-websocket-protocol", "sec-websocket-extensions", "x-unheard-of"})


class Elsewhere(Mutator):
    """Does not serve some requests; `lost` says which."""

    def lost(self, request: HttpRequest) -> bool:
        """Tell whether a request is for a path that this server does not have."""
        return False

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Send it nowhere."""
        if not self.lost(request):
            return request
        return HttpRequest(request.method, _NOWHERE, request.headers, request.body)


class Refusing(Mutator):
    """Refuses some upgrades that others accept; `refuses` says which."""

    def refuses(self, request: HttpRequest) -> bool:
        """Tell whether this server does not accept a request."""
        return False

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Have it refused with 400."""
        return refuse(request) if self.for_speech and self.refuses(request) else request


@fault("endpoint.v2-short-path", "not-found")
class NoShortPath(Elsewhere):
    """Does not serve the short path."""

    def lost(self, request: HttpRequest) -> bool:
        """Lose it."""
        return request.path == _SHORT


@fault("endpoint.path-case", "sensitive")
class CaseSensitive(Elsewhere):
    """Compares paths letter for letter."""

    def lost(self, request: HttpRequest) -> bool:
        """Lose other spellings."""
        return self.for_speech and request.path not in _ALL


@fault("endpoint.unknown-path", "accepted")
class AnyPath(Mutator):
    """Serves every path below /speech."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace the path."""
        if self.for_speech or not request.path.startswith("/speech/"):
            return request
        return HttpRequest(request.method, _ALL[0], request.headers, request.body)


@fault("endpoint.other-status", "200", implies=("endpoint.unknown-path",))
class NotFoundWith200(Mutator):
    """Answers with 200 that there is nothing."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the status, but for paths that are served."""
        lost = response.status == 404 and not self.for_speech
        return HttpResponse(200, response.headers, response.body) if lost else response


@fault("endpoint.upgrade-required", "bad-request")
class BadRequest(Mutator):
    """Answers a plain GET with 400."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the status."""
        return HttpResponse(400, response.headers, response.body) if response.status == 426 else response


@fault("endpoint.redirect-lookup", "page")
class PageForLookup(Mutator):
    """Answers a lookup with a page."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Say that all is well."""
        lookup = "generateredirectresponse" in self.parameters
        return HttpResponse(200, response.headers, response.body) if lookup else response


@fault("handshake.accept", "wrong-proof")
class WrongProof(Mutator):
    """Accepts an upgrade without the right proof of having read it."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the field."""
        if response.status != 101:
            return response
        return HttpResponse(101, (*without(response.headers, "Sec-WebSocket-Accept"), ("Sec-WebSocket-Accept", "x")))


@fault("handshake.connection-id-required", "optional")
class NoConnectionId(Mutator):
    """Does not miss the connection id."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Make one up."""
        given = header(request.headers, CONNECTION_ID) or self.parameters.get(CONNECTION_ID.lower())
        if not self.for_speech or given:
            return request
        return with_headers(request, (*without(request.headers, CONNECTION_ID), (CONNECTION_ID, _SOMEBODY)))


@fault("handshake.connection-id-form", "any")
class AnyConnectionId(Mutator):
    """Takes any text for a connection id."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace one of another form."""
        given = (header(request.headers, CONNECTION_ID) or "").replace("-", "")
        good = len(given) == 32 and all(digit in "0123456789abcdefABCDEF" for digit in given)
        if not self.for_speech or not given or good:
            return request
        return with_headers(request, (*without(request.headers, CONNECTION_ID), (CONNECTION_ID, _SOMEBODY)))


@fault("handshake.connection-id-query", "refused")
class NoIdInQuery(Refusing):
    """Looks for the connection id in the header alone."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse one in the query."""
        return CONNECTION_ID.lower() in self.parameters


@fault("handshake.connection-id-case", "upper-refused")
class LowerCaseId(Refusing):
    """Takes connection ids in lower case alone."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse another one."""
        given = header(request.headers, CONNECTION_ID) or ""
        return given != given.lower()


@fault("handshake.connection-id-reuse", "refused")
class FreshId(Refusing):
    """Takes a connection id once."""

    shared = True
    seen: ClassVar[set[str]] = set()

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse one that was there."""
        given = header(request.headers, CONNECTION_ID) or ""
        known = given in self.seen
        self.seen.add(given)
        names = {name.lower() for name, _ in request.headers}
        return known and bool(given) and given == given.lower() and not names & _OFFERS


@fault("handshake.sub-protocol-offered", "refused")
class NoSubProtocol(Refusing):
    """Refuses whoever offers a sub-protocol."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse the offer."""
        return header(request.headers, "Sec-WebSocket-Protocol") is not None


@fault("handshake.sub-protocol-absent", "selects-one")
class SelectsSubProtocol(Mutator):
    """Selects a sub-protocol that nobody offered."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Add the field."""
        if response.status != 101 or header(self.asked.headers, "Sec-WebSocket-Protocol"):
            return response
        return HttpResponse(101, (*response.headers, ("Sec-WebSocket-Protocol", "usp")), response.body)


@fault("handshake.extra-headers", "refused")
class KnownHeaders(Refusing):
    """Refuses whoever sends a header that it does not know."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse one."""
        return header(request.headers, "X-Unheard-Of") is not None


@fault("handshake.compression-offer", "refused")
class NoCompression(Refusing):
    """Refuses whoever offers compression."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse the offer."""
        return header(request.headers, "Sec-WebSocket-Extensions") is not None
