"""Servers that refuse an upgrade otherwise than they should, or do not refuse it."""

from __future__ import annotations

from conformance.faults.mutator import with_headers, with_query
from conformance.faults.registry import fault
from conformance.faults.translator.auth_faults import has_credential
from conformance.faults.translator.mutator import Mutator
from protocol.languages import PUBLISHED
from protocol.request import parse_query
from protocol.translator.handshake import LANGUAGES_PATH, SPEECH_PATH, TOKEN_PATH
from protocol.wire import HttpRequest, HttpResponse, header

_WORDS = frozenset({"texttospeech", "partial", "timinginfo"})
_FORMATS = frozenset({"", "audio/wav", "audio/mp3"})
_ACTIONS = frozenset({"", "noaction", "marked", "deleted"})
_MARKERS = frozenset({"", "asterisk", "tag"})


def at(request: HttpRequest, path: str) -> HttpRequest:
    """Return a request for another path."""
    return HttpRequest(request.method, f"{path}?{request.query}", request.headers, request.body)


@fault("handshake.path-case", "exact")
class ExactSpeechPath(Mutator):
    """Knows `/speech/translate` in small letters only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Send other spellings nowhere."""
        return at(request, "/nowhere") if self.for_speech and request.path != SPEECH_PATH else request


@fault("handshake.unknown-path", "served")
class ServesAnyPath(Mutator):
    """Takes an upgrade on any path for one of the speech endpoint."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Send strange paths to the endpoint."""
        known = request.path.lower() in {SPEECH_PATH, LANGUAGES_PATH, TOKEN_PATH.lower()}
        return request if known else at(request, SPEECH_PATH)


@fault("handshake.method", "400")
class MethodIsBadRequest(Mutator):
    """Answers another method with 400."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the status 405."""
        if not self.for_speech or response.status != 405:
            return response
        return HttpResponse(400, response.headers, response.body)


@fault("handshake.upgrade-required", "400")
class PlainGetIsBadRequest(Mutator):
    """Answers a GET without an upgrade with 400."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the status 426."""
        return HttpResponse(400, response.headers, response.body) if response.status == 426 else response


@fault("handshake.check-order", "credentials-last")
class CredentialsLast(Mutator):
    """Looks at the parameters before the credentials."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Let in a request without a credential whose version will be refused anyway."""
        if not self.for_speech or has_credential(self, request) or self.parameters.get("api-version") == "1.0":
            return request
        return with_headers(request, (*request.headers, ("Ocp-Apim-Subscription-Key", "test-key")))


@fault("handshake.source-missing", "english")
class EnglishByDefault(Mutator):
    """Takes English where no source is named."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Add a source."""
        absent = self.for_speech and "from" not in self.parameters
        return with_query(request, {"from": "en-US"}) if absent else request


@fault("handshake.target-missing", "english")
class EnglishTargetByDefault(Mutator):
    """Translates into English where no target is named."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Add a target."""
        absent = self.for_speech and "to" not in self.parameters
        return with_query(request, {"to": "en"}) if absent else request


@fault("handshake.api-version-bad", "ignored")
class AnyVersion(Mutator):
    """Does not look at the version."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Repair it."""
        odd = self.for_speech and self.parameters.get("api-version", "1.0") != "1.0"
        return with_query(request, {"api-version": "1.0"}) if odd else request


@fault("handshake.feature-bad", "ignored")
class AnyFeature(Mutator):
    """Takes no notice of features that it does not know."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave strange words out."""
        words = self.parameters.get("features", "").split(",")
        known = [word for word in words if not word.strip() or word.strip().lower() in _WORDS]
        return with_query(request, {"features": ",".join(known)}) if self.for_speech and known != words else request


@fault("handshake.voice-bad", "ignored")
class AnyVoice(Mutator):
    """Speaks with some voice where it does not know the one that was asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave a strange voice out."""
        voice = self.parameters.get("voice")
        strange = self.for_speech and voice and voice not in PUBLISHED.voices
        return with_query(request, {"voice": None}) if strange else request


@fault("handshake.voice-mismatch", "ignored")
class VoiceOfTarget(Mutator):
    """Takes a voice of the target's language where that of another language was asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave a voice out that does not fit."""
        voice = PUBLISHED.voices.get(self.parameters.get("voice", ""))
        target = PUBLISHED.resolve_target(self.parameters.get("to", ""))
        odd = voice is not None and voice.language != target
        return with_query(request, {"voice": None}) if self.for_speech and odd else request


@fault("handshake.format-bad", "ignored")
class AnyFormat(Mutator):
    """Speaks WAV where it does not know the format."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave a strange format out."""
        odd = self.for_speech and self.parameters.get("format", "").lower() not in _FORMATS
        return with_query(request, {"format": None}) if odd else request


@fault("handshake.profanity-bad", "ignored")
class AnyProfanity(Mutator):
    """Takes no notice of a treatment of profanities that it does not know."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave strange values out."""
        if not self.for_speech:
            return request
        names = (("ProfanityAction", _ACTIONS), ("ProfanityMarker", _MARKERS))
        odd = [name for name, known in names if self.parameters.get(name.lower(), "").lower() not in known]
        return with_query(request, dict.fromkeys(odd)) if odd else request


@fault("handshake.repeated-target", "first")
class FirstTarget(Mutator):
    """Takes the first of several targets."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave one."""
        targets = [value for name, value in parse_query(request.query) if name.lower() == "to"]
        several = len(targets) > 1 or any("," in value for value in targets)
        return with_query(request, {"to": targets[0].partition(",")[0]}) if self.for_speech and several else request


@fault("auth.token-beats-key", "key-first")
class KeyFirst(Mutator):
    """Looks at the key first where there is a token, too."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Drop the token."""
        both = all(header(request.headers, name) for name in ("Authorization", "Ocp-Apim-Subscription-Key"))
        kept = tuple(pair for pair in request.headers if pair[0].lower() != "authorization")
        return with_headers(request, kept) if self.for_speech and both else request


@fault("auth.empty-credential", "counts")
class EmptyCounts(Mutator):
    """Takes an empty credential for a wrong one."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Spoil the good one beside it."""
        names = {"ocp-apim-subscription-key", "authorization"}
        blank = [name for name, value in request.headers if name.lower() in names and value in {"", "Bearer"}]
        blank += [name for name in ("access_token", "subscription-key") if self.parameters.get(name) == ""]
        if not self.for_speech or not blank:
            return request
        kept = tuple(pair for pair in request.headers if pair[0].lower() not in names)
        return with_query(with_headers(request, kept), {"access_token": None, "subscription-key": None})


@fault("auth.not-repeated", "in-a-header")
class RepeatsKey(Mutator):
    """Says in a refusal which key it does not know."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Add a header."""
        key = header(self.asked.headers, "Ocp-Apim-Subscription-Key")
        if not self.for_speech or response.status != 401 or not key:
            return response
        return HttpResponse(401, (*response.headers, ("X-Refused-Key", key)), response.body)
