"""Servers that let in the wrong people, or keep out the right ones."""

from __future__ import annotations

from conformance.faults.mutator import with_headers, with_query, without
from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Mutator
from protocol.wire import HttpRequest, header


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
        """Take the key out of the query of the upgrade."""
        if not self.for_speech or header(request.headers, "Ocp-Apim-Subscription-Key") is not None:
            return request
        return with_query(request, {"subscription-key": None})


@fault("auth.token-query", "ignored")
class IgnoresTokenInQuery(Mutator):
    """Does not look for a token in the query."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take the token out of the query."""
        if not self.for_speech or header(request.headers, "Authorization") is not None:
            return request
        return with_query(request, {"access_token": None})


@fault("auth.token-header", "ignored", implies=("token.issue",))
class IgnoresTokenInHeader(Mutator):
    """Does not look at Authorization."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Spoil a good Authorization header."""
        if not self.for_speech or not header(request.headers, "Authorization"):
            return request
        return with_headers(request, (*without(request.headers, "Authorization"), ("Authorization", "Bearer x")))


_GOOD = (("Ocp-Apim-Subscription-Key", "test-key"),)
_CREDENTIALS = ("Authorization", "Ocp-Apim-Subscription-Key")


def has_credential(mutator: Mutator, request: HttpRequest) -> bool:
    """Tell whether a request shows a key or a token, good or not, in any of their places."""
    in_header = any(header(request.headers, name) for name in _CREDENTIALS)
    return in_header or bool(mutator.parameters.get("access_token") or mutator.parameters.get("subscription-key"))


@fault("auth.missing", "accepted")
class AcceptsNobody(Mutator):
    """Lets in who shows no credential at all."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Give a good key to a request without any."""
        if self.for_speech and not has_credential(self, request) and not self._names_one(request):
            return with_headers(request, (*request.headers, *_GOOD))
        return request

    def _names_one(self, request: HttpRequest) -> bool:
        named = {name.lower() for name, _ in request.headers} | set(self.parameters)
        return bool(named & {"authorization", "ocp-apim-subscription-key", "access_token", "subscription-key"})


@fault("auth.bad-key", "accepted")
class AcceptsAnyKey(Mutator):
    """Takes any key for a good one, if it is the only credential and stands in the header."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace a lonely key in the header."""
        key = header(request.headers, "Ocp-Apim-Subscription-Key")
        alone = not header(request.headers, "Authorization") and not (
            {"access_token", "subscription-key"} & set(self.parameters)
        )
        if not (self.for_speech and key and alone):
            return request
        return with_headers(request, (*without(request.headers, "Ocp-Apim-Subscription-Key"), *_GOOD))


@fault("auth.bad-token", "accepted")
class AcceptsAnyToken(Mutator):
    """Takes any token for a good one, if it is the only credential."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace a lonely Authorization header by a good key."""
        token = header(request.headers, "Authorization")
        alone = not header(request.headers, "Ocp-Apim-Subscription-Key") and not (
            {"access_token", "subscription-key"} & set(self.parameters)
        )
        if not (self.for_speech and token and alone):
            return request
        return with_headers(request, (*without(request.headers, "Authorization"), *_GOOD))


@fault("auth.header-beats-query", "query-rescues")
class QueryRescues(Mutator):
    """Looks into the query when the header is wrong."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Drop a header whose twin is in the query."""
        gone = [
            name
            for name, twin in (("Authorization", "access_token"), ("Ocp-Apim-Subscription-Key", "subscription-key"))
            if self.for_speech and header(request.headers, name) and self.parameters.get(twin)
        ]
        return with_headers(request, without(request.headers, *gone)) if gone else request
