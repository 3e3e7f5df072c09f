"""Servers that get the upgrade wrong."""

from __future__ import annotations

from conformance.faults.mutator import with_query, without
from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Mutator
from protocol.languages import PUBLISHED
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
