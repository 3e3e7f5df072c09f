"""Servers that get the upgrade wrong."""

from __future__ import annotations

from conformance.faults.mutator import Mutator, with_headers, with_query, without
from conformance.faults.registry import fault
from protocol.translator.languages import PUBLISHED
from protocol.wire import HttpRequest, HttpResponse, header

_NAMED = frozenset(
    {"api-version", "from", "to", "features", "voice", "format", "profanityaction", "profanitymarker"}
    | {"access_token", "subscription-key"}
    | {"x-clienttraceid", "x-correlationid", "x-clientversion", "x-osplatform"}
)
_WORDS = frozenset({"TextToSpeech", "Partial", "TimingInfo"})


def refuse(request: HttpRequest) -> HttpRequest:
    """Return a request that the server has to refuse with 400."""
    return with_query(request, {"from": "xx-XX"})


@fault("handshake.request-id", "left-out")
class NoRequestId(Mutator):
    """Leaves X-RequestId out of the 101."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop the header from the 101 alone."""
        if response.status != 101:
            return response
        return HttpResponse(101, without(response.headers, "X-RequestId"), response.body)


@fault("handshake.request-id-on-errors", "left-out")
class NoRequestIdOnErrors(Mutator):
    """Leaves X-RequestId out of refusals."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop the header from refusals."""
        if response.status < 400:
            return response
        return HttpResponse(response.status, without(response.headers, "X-RequestId"), response.body)


@fault("handshake.no-subprotocol", "selects-one")
class SelectsSubprotocol(Mutator):
    """Selects a sub-protocol that nobody offered."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Add the header to the 101."""
        if response.status != 101:
            return response
        return HttpResponse(101, (*response.headers, ("Sec-WebSocket-Protocol", "usp")), response.body)


@fault("handshake.no-extension", "selects-one")
class SelectsExtension(Mutator):
    """Selects an extension that nobody offered."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Add the header to the 101."""
        if response.status != 101:
            return response
        return HttpResponse(101, (*response.headers, ("Sec-WebSocket-Extensions", "x-speech")), response.body)


@fault("handshake.error-description", "empty-body", implies=("handshake.error-body",))
class EmptyErrorBody(Mutator):
    """Answers 400 without a word."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Empty the body of a 400."""
        return HttpResponse(400, response.headers) if response.status == 400 else response


@fault("handshake.error-body", "plain-text")
class PlainErrorBody(Mutator):
    """Describes errors in plain text."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Replace the body of a refusal of the upgrade."""
        if response.status < 400 or not self.for_speech:
            return response
        return HttpResponse(response.status, response.headers, b"this request is wrong")


@fault("handshake.source-bad", "accepted")
class AcceptsAnySource(Mutator):
    """Takes any source language for English."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Repair an unknown `from`."""
        source = self.parameters.get("from")
        if self.for_speech and source and PUBLISHED.resolve_source(source) is None:
            return with_query(request, {"from": "en-US"})
        return request


@fault("handshake.target-bad", "accepted")
class AcceptsAnyTarget(Mutator):
    """Takes any target language for French."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Repair an unknown `to`."""
        target = self.parameters.get("to")
        if self.for_speech and target and "," not in target and PUBLISHED.resolve_target(target) is None:
            return with_query(request, {"to": "fr"})
        return request


@fault("handshake.target-locale", "refused")
class RefusesTargetLocale(Mutator):
    """Knows languages as targets and no locales."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a `to` that is not a key."""
        target = self.parameters.get("to", "")
        known = target in PUBLISHED.text
        locale = not known and PUBLISHED.resolve_target(target) is not None
        return refuse(request) if self.for_speech and locale else request


@fault("handshake.feature-case", "exact")
class ExactFeatures(Mutator):
    """Knows the words of features in one letter case only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a known word in another case."""
        words = [word.strip() for word in self.parameters.get("features", "").split(",")]
        known = {word.lower() for word in _WORDS}
        odd = [word for word in words if word.lower() in known and word not in _WORDS]
        return refuse(request) if self.for_speech and odd else request


@fault("handshake.unknown-parameter", "refused")
class RefusesUnknownParameter(Mutator):
    """Refuses query parameters that it does not know."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a query with a strange name."""
        return refuse(request) if self.for_speech and set(self.parameters) - _NAMED else request


@fault("handshake.empty-parameter", "refused")
class RefusesEmptyParameter(Mutator):
    """Refuses an optional parameter without a value."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse an empty optional value."""
        empty = [name for name, value in self.parameters.items() if not value]
        odd = set(empty) & {"voice", "format", "features", "profanityaction", "profanitymarker"}
        return refuse(request) if self.for_speech and odd else request


@fault("handshake.parameter-order", "fixed")
class FixedOrder(Mutator):
    """Wants api-version first."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a query that has api-version elsewhere."""
        names = list(self.parameters)
        late = "api-version" in names and names[0] != "api-version"
        return refuse(request) if self.for_speech and late else request


@fault("handshake.voice-without-tts", "refused")
class RefusesVoiceWithoutTts(Mutator):
    """Refuses voice and format where no voice was asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a voice without TextToSpeech."""
        idle = not self.wants("TextToSpeech") and (self.parameters.get("voice") or self.parameters.get("format"))
        return refuse(request) if self.for_speech and idle else request


@fault("handshake.same-language", "refused")
class RefusesSameLanguage(Mutator):
    """Refuses to transcribe without translating."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse equal languages."""
        source = PUBLISHED.resolve_source(self.parameters.get("from", ""))
        target = PUBLISHED.resolve_target(self.parameters.get("to", ""))
        same = source is not None and PUBLISHED.speech[source].language == target and not self.wants("TextToSpeech")
        return refuse(request) if self.for_speech and same else request


@fault("handshake.trace-headers", "refused")
class RefusesTraceHeaders(Mutator):
    """Refuses requests that say which client they come from."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse X-ClientVersion."""
        told = header(request.headers, "X-ClientVersion") or self.parameters.get("x-clientversion")
        return refuse(request) if self.for_speech and told else request


@fault("handshake.parameter-name-case", "exact")
class ExactNames(Mutator):
    """Knows parameter names in one letter case only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse `PROFANITYACTION` and the like."""
        raw = [pair.partition("=")[0] for pair in request.query.split("&")]
        odd = [
            name
            for name in raw
            if name.lower() in {"profanityaction", "from", "to", "features"}
            and name not in {"ProfanityAction", "from", "to", "features"}
        ]
        return refuse(request) if self.for_speech and odd else request


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


def _has_credential(mutator: Mutator, request: HttpRequest) -> bool:
    in_header = any(header(request.headers, name) for name in _CREDENTIALS)
    return in_header or bool(mutator.parameters.get("access_token") or mutator.parameters.get("subscription-key"))


@fault("auth.missing", "accepted")
class AcceptsNobody(Mutator):
    """Lets in who shows no credential at all."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Give a good key to a request without any."""
        if self.for_speech and not _has_credential(self, request) and not self._names_one(request):
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
