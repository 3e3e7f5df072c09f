"""Servers whose token service gets it wrong."""

from __future__ import annotations

import string
from typing import ClassVar

from conformance.faults.mutator import with_headers, with_query, without
from conformance.faults.registry import fault
from conformance.faults.translator.service_faults import ServiceFault
from protocol.wire import HttpRequest, HttpResponse, header


def _resized(response: HttpResponse, body: bytes) -> HttpResponse:
    headers = (*without(response.headers, "Content-Length"), ("Content-Length", str(len(body))))
    return HttpResponse(response.status, headers, body)


@fault("token.issue", "500")
class NoTokens(ServiceFault):
    """Fails to issue tokens."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the status."""
        failed = self.for_token and self.asked.method == "POST" and response.status == 200
        return HttpResponse(500, without(response.headers, "Content-Length")) if failed else response


@fault("token.jwt", "opaque")
class OpaqueToken(ServiceFault):
    """Issues tokens that nobody can look into."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Write a token as one word."""
        issued = self.for_token and self.asked.method == "POST" and response.status == 200
        return _resized(response, response.body.hex().encode()) if issued else response

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Read such a word."""
        given = header(request.headers, "Authorization") or ""
        if given.startswith("Bearer "):
            kept = without(request.headers, "Authorization")
            request = with_headers(request, (*kept, ("Authorization", f"Bearer {_read(given[7:])}")))
        word = self.parameters.get("access_token")
        return with_query(request, {"access_token": _read(word)}) if word else request


def _read(word: str) -> str:
    hexadecimal = len(word) % 2 == 0 and set(word) <= set(string.hexdigits)
    return bytes.fromhex(word).decode("latin-1") if hexadecimal else word


@fault("token.body-tolerated", "refused")
class NoBody(ServiceFault):
    """Wants token requests without a body or a word about one."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Refuse others."""
        told = header(self.asked.headers, "Content-Type") or self.asked.body
        odd = self.for_token and told and response.status == 200
        return HttpResponse(415, without(response.headers, "Content-Length")) if odd else response


@fault("token.body-limit", "none")
class AnyBody(ServiceFault):
    """Takes token requests of any size."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take a large body away."""
        if not self.for_token or int(header(request.headers, "Content-Length") or 0) <= 4096:
            return request
        return HttpRequest(request.method, request.target, without(request.headers, "Content-Length"))


@fault("token.reuse", "one-at-a-time")
class OneSessionAToken(ServiceFault):
    """Refuses a token with which a session is open."""

    shared = True
    _used: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self._token = ""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Spoil a token that is in use."""
        token = header(request.headers, "Authorization") or ""
        if not self.for_speech or not token.startswith("Bearer ey"):
            return request
        if token in OneSessionAToken._used:
            kept = without(request.headers, "Authorization")
            return with_headers(request, (*kept, ("Authorization", "Bearer used")))
        self._token = token
        OneSessionAToken._used.add(token)
        return request

    def finished(self, time: float) -> None:
        """Let it be used again."""
        OneSessionAToken._used.discard(self._token)


@fault("token.cors", "none")
class TokensForNoPage(ServiceFault):
    """Admits no other origin to the token service."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop the header."""
        if not self.for_token:
            return response
        return HttpResponse(response.status, without(response.headers, "Access-Control-Allow-Origin"), response.body)


@fault("token.bare-text", "json")
class TokenInJson(ServiceFault):
    """Puts the token into quotes."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Quote the body."""
        if not self.for_token or response.status != 200:
            return response
        body = b'"' + response.body + b'"'
        headers = (*without(response.headers, "Content-Length"), ("Content-Length", str(len(body))))
        return HttpResponse(200, headers, body)


@fault("token.key-query", "ignored")
class TokenKeyInHeader(ServiceFault):
    """Issues tokens for a key in the header only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take the key out of the query."""
        if not self.for_token or not request.query:
            return request
        return with_query(request, {"subscription-key": None})


@fault("token.bad-key", "accepted")
class TokenForAnyKey(ServiceFault):
    """Issues tokens for any key."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace a key in the header."""
        if not self.for_token or not header(request.headers, "Ocp-Apim-Subscription-Key"):
            return request
        kept = without(request.headers, "Ocp-Apim-Subscription-Key")
        return with_headers(request, (*kept, ("Ocp-Apim-Subscription-Key", "test-key")))
