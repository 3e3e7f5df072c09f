"""Servers that get `/languages` wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.faults.mutator import with_headers, with_query, without
from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Mutator
from protocol.wire import HttpRequest, HttpResponse, header

_Document = dict[str, Any]


class ServiceFault(Mutator):
    """Knows which service is asked, and changes the documents of `/languages`."""

    @property
    def for_languages(self) -> bool:
        """Whether this is a request for the list of languages."""
        return self.asked.path.lower() == "/languages"

    @property
    def for_token(self) -> bool:
        """Whether this is a request for a token."""
        return self.asked.path.lower() == "/sts/v1.0/issuetoken"

    def edited(self, response: HttpResponse, edit: Callable[[_Document], _Document]) -> HttpResponse:
        """Return a good `/languages` response with another document."""
        if not self.for_languages or response.status != 200 or self.asked.method != "GET":
            return response
        body = json.dumps(edit(json.loads(response.body))).encode()
        headers = (*without(response.headers, "Content-Length"), ("Content-Length", str(len(body))))
        return HttpResponse(200, headers, body)


@fault("languages.no-auth", "wants-a-key")
class LanguagesWithKey(ServiceFault):
    """Lists languages only for who shows a key."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Refuse requests that are good otherwise."""
        good = self.for_languages and self.asked.method == "GET" and response.status == 200
        if not good or header(self.asked.headers, "Ocp-Apim-Subscription-Key"):
            return response
        return HttpResponse(401, without(response.headers, "Content-Length"))


@fault("languages.default-scope", "speech-too")
class WiderDefault(ServiceFault):
    """Adds the speech scope where none was asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Add a scope."""
        if not self.for_languages or self.parameters.get("scope"):
            return request
        return with_query(request, {"scope": "text,speech"})


@fault("languages.scope-subset", "all")
class AllScopes(ServiceFault):
    """Sends all scopes when some were asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Widen a scope of one word."""
        one = self.parameters.get("scope") in {"text", "speech", "tts"}
        return with_query(request, {"scope": "speech,text,tts"}) if self.for_languages and one else request


@fault("languages.speech-shape", "no-language")
class SpeechWithoutLanguage(ServiceFault):
    """Leaves out which text language a speech language is."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop a member everywhere."""

        def edit(document: _Document) -> _Document:
            for entry in document.get("speech", {}).values():
                del entry["language"]
            return document

        return self.edited(response, edit)


@fault("languages.text-shape", "no-dir")
class TextWithoutDirection(ServiceFault):
    """Leaves out the direction of writing."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop a member everywhere."""

        def edit(document: _Document) -> _Document:
            for entry in document.get("text", {}).values():
                del entry["dir"]
            return document

        return self.edited(response, edit)


@fault("languages.tts-shape", "capital-gender")
class CapitalGender(ServiceFault):
    """Writes genders with a capital letter."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change a member everywhere."""

        def edit(document: _Document) -> _Document:
            for entry in document.get("tts", {}).values():
                entry["gender"] = entry["gender"].capitalize()
            return document

        return self.edited(response, edit)


@fault("languages.request-id", "left-out")
class LanguagesWithoutId(ServiceFault):
    """Leaves X-RequestId out of the list of languages."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop the header."""
        if not self.for_languages:
            return response
        return HttpResponse(response.status, without(response.headers, "X-RequestId"), response.body)


@fault("languages.accept-language", "always-english")
class AlwaysEnglish(ServiceFault):
    """Names languages in English only."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take Accept-Language away."""
        return with_headers(request, without(request.headers, "Accept-Language")) if self.for_languages else request


@fault("languages.cross-reference", "old-code")
class OldCode(ServiceFault):
    """Refers from speech to a language id that text does not have."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the language of one entry where text is there, too."""

        def edit(document: _Document) -> _Document:
            if "text" in document and document.get("speech"):
                next(iter(document["speech"].values()))["language"] = "zh-CHS"
            return document

        return self.edited(response, edit)


@fault("languages.voice-id", "language-first")
class OtherVoiceId(ServiceFault):
    """Names voices in the responses that hold voices alone by another pattern than locale and display name."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change the display names."""

        def edit(document: _Document) -> _Document:
            for entry in document.get("tts", {}).values():
                entry["displayName"] = f"Microsoft {entry['displayName']}"
            return document

        return self.edited(response, edit)


@fault("languages.path-case", "exact")
class ExactPath(ServiceFault):
    """Knows `/languages` in small letters only."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Answer 404 to other spellings."""
        if not self.for_languages or self.asked.path == "/languages":
            return response
        return HttpResponse(404, without(response.headers, "Content-Length"))


@fault("languages.content-type-header", "refused")
class RefusesContentType(ServiceFault):
    """Refuses a GET with a Content-Type."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Answer 415."""
        if not self.for_languages or not header(self.asked.headers, "Content-Type"):
            return response
        return HttpResponse(415, without(response.headers, "Content-Length"))


@fault("languages.cors", "none")
class NoCors(ServiceFault):
    """Admits no other origin to the list of languages."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Drop the header from answers to GET."""
        if not self.for_languages or self.asked.method != "GET":
            return response
        return HttpResponse(response.status, without(response.headers, "Access-Control-Allow-Origin"), response.body)


@fault("languages.scope-order", "first-word")
class FirstScope(ServiceFault):
    """Sends the first of several scopes that are not in the usual order."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Cut the list."""
        words = self.parameters.get("scope", "").split(",")
        odd = self.for_languages and words != sorted(words) and {"speech", "text", "tts"}.issuperset(words)
        return with_query(request, {"scope": words[0]}) if odd else request


@fault("languages.accept-language-fallback", "german")
class GermanByDefault(ServiceFault):
    """Names languages in German where nothing else was asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Ask for German."""
        asked = header(request.headers, "Accept-Language")
        if not self.for_languages or asked:
            return request
        return with_headers(request, (*request.headers, ("Accept-Language", "de")))


@fault("languages.accept-language-weights", "first")
class FirstLanguage(ServiceFault):
    """Takes the first language of several, whatever its weight."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Cut the list."""
        asked = header(request.headers, "Accept-Language") or ""
        if not self.for_languages or "," not in asked:
            return request
        kept = without(request.headers, "Accept-Language")
        first = asked.partition(",")[0].partition(";")[0]
        return with_headers(request, (*kept, ("Accept-Language", first)))


@fault("languages.language-name", "with-region")
class NamesRegion(ServiceFault):
    """Calls the language of a voice by another name than the text scope."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Change a member everywhere."""

        def edit(document: _Document) -> _Document:
            for entry in document.get("tts", {}).values():
                entry["languageName"] += f" ({entry['regionName']})"
            return document

        return self.edited(response, edit)


@fault("languages.bad-scope", "ignored")
class AnyScope(ServiceFault):
    """Takes no notice of scopes that it does not know."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave strange words out."""
        words = self.parameters.get("scope", "").split(",")
        known = [word for word in words if word.strip().lower() in {"speech", "text", "tts"}]
        odd = self.for_languages and known and known != words
        return with_query(request, {"scope": ",".join(known)}) if odd else request


@fault("languages.bad-version", "ignored")
class AnyLanguagesVersion(ServiceFault):
    """Does not look at the version."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Repair it."""
        odd = self.for_languages and self.parameters.get("api-version", "1.0") != "1.0"
        return with_query(request, {"api-version": "1.0"}) if odd else request


@fault("languages.cors-preflight", "405")
class NoPreflight(ServiceFault):
    """Knows no preflight of the list of languages."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Refuse the method."""
        odd = self.for_languages and self.asked.method == "OPTIONS"
        return HttpResponse(405, (("Allow", "GET"), ("Content-Length", "0"))) if odd else response
