"""Servers that let in the wrong people, or keep out the right ones."""

from __future__ import annotations

from conformance.faults.mutator import with_headers, with_query, without
from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator
from protocol.request import parse_query
from protocol.wire import HttpRequest, HttpResponse, header

_KEY = "Ocp-Apim-Subscription-Key"
_TOKEN = "Authorization"  # noqa: S105 - the name of a header
_GOOD = (_KEY, "test-key")


def _given(mutator: Mutator, request: HttpRequest, name: str) -> bool:
    return header(request.headers, name) is not None or name.lower() in mutator.parameters


def _let_in(request: HttpRequest) -> HttpRequest:
    kept = with_query(request, {_KEY: None, _TOKEN: None})
    return with_headers(kept, (*without(request.headers, _KEY, _TOKEN), _GOOD))


@fault("auth.key-header", "exact")
class ExactKeyName(Mutator):
    """Knows the header of the key in one letter case only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take a key away whose name is written otherwise."""
        kept = tuple(pair for pair in request.headers if pair[0] != "ocp-apim-subscription-key")
        return with_headers(request, kept) if self.for_speech else request


@fault("auth.key-query", "ignored")
class IgnoresKeyInQuery(Mutator):
    """Does not look for a key in the query."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take the key out of a query without one in the header."""
        alone = self.for_speech and header(request.headers, _KEY) is None
        return with_query(request, {_KEY: None}) if alone and _KEY.lower() in self.parameters else request


@fault("auth.token-query", "ignored")
class IgnoresTokenInQuery(Mutator):
    """Does not look for a plain token in the query."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take the token out of a query without one in the header."""
        value = self.parameters.get(_TOKEN.lower(), "aad#")
        alone = self.for_speech and header(request.headers, _TOKEN) is None
        return with_query(request, {_TOKEN: None}) if alone and "aad#" not in value else request


@fault("auth.token-header", "ignored", implies=("auth.token-service",))
class IgnoresTokenInHeader(Mutator):
    """Does not look for a plain token in Authorization."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Spoil it."""
        value = header(request.headers, _TOKEN)
        if not self.for_speech or not value or "aad#" in value:
            return request
        return with_headers(request, (*without(request.headers, _TOKEN), (_TOKEN, "Bearer x")))


@fault("auth.entra-form", "refused")
class PlainTokens(Mutator):
    """Does not take a token behind the name of a resource."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Spoil it."""
        value = header(request.headers, _TOKEN) or ""
        if not self.for_speech or "aad#" not in value:
            return request
        return with_headers(request, (*without(request.headers, _TOKEN), (_TOKEN, "Bearer x")))


@fault("auth.missing", "accepted")
class AcceptsNobody(Mutator):
    """Lets in who shows no credential at all."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Give a good key to a request without any."""
        named = _given(self, request, _KEY) or _given(self, request, _TOKEN)
        upgrade = header(request.headers, "Upgrade") is not None
        return _let_in(request) if self.for_speech and upgrade and not named else request


@fault("auth.bad-key", "accepted")
class AcceptsAnyKey(Mutator):
    """Takes any key for a good one, if it is the only credential."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace a lonely key."""
        key = header(request.headers, _KEY)
        alone = not _given(self, request, _TOKEN) and _KEY.lower() not in self.parameters
        lonely = key and key != _GOOD[1] and alone
        return _let_in(request) if self.for_speech and lonely else request


@fault("auth.bad-token", "accepted")
class AcceptsAnyToken(Mutator):
    """Takes any token for a good one, if it is the only credential."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace a lonely token."""
        token = header(request.headers, _TOKEN)
        lonely = token and not _given(self, request, _KEY) and _TOKEN.lower() not in self.parameters
        return _let_in(request) if self.for_speech and lonely else request


@fault("auth.header-beats-query", "query-rescues")
class QueryRescues(Mutator):
    """Looks into the query when the header is wrong."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Drop a header whose twin is in the query."""
        gone = [name for name in (_KEY, _TOKEN) if self.for_speech and name.lower() in self.parameters]
        return with_headers(request, without(request.headers, *gone)) if gone else request


@fault("auth.token-service", "no-json")
class NoJsonToTokens(Mutator):
    """Issues no token for a request that says that it is JSON."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Answer 415."""
        type_ = header(self.asked.headers, "Content-Type") or ""
        if "issuetoken" not in self.asked.path.lower() or "json" not in type_:
            return response
        return HttpResponse(415, without(response.headers, "Content-Length"))


@fault("auth.secret-hidden", "in-the-error")
class TellsSecrets(Mutator):
    """Repeats a wrong credential in the refusal."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Add it to the body."""
        values = [
            value for name, value in parse_query(self.asked.query) if name.lower() in (_KEY.lower(), "authorization")
        ]
        values += [header(self.asked.headers, name) or "" for name in (_KEY, _TOKEN)]
        if not self.for_speech or response.status != 403:
            return response
        body = response.body + " ".join(values).encode()
        return HttpResponse(
            403, (*without(response.headers, "Content-Length"), ("Content-Length", str(len(body)))), body
        )
