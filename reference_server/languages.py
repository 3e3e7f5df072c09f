"""`GET /languages`: what the server offers, with names in the reader's language (facts G1-G8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from protocol.languages import Catalogue
from protocol.rejection import Rejected, rejected
from protocol.request import parameters
from protocol.translator.handshake import check_api_version
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.names import language_name, negotiate, region_name
from reference_server.responses import CORS, JSON, method_not_allowed, preflight, refuse

METHODS: Final = ("GET", "HEAD", "OPTIONS")
DEFAULT_SCOPE: Final = "text"

Entries = dict[str, dict[str, str]]


def languages_response(request: HttpRequest, catalogue: Catalogue) -> HttpResponse:
    """Answer a request for `/languages`; needs no credentials (translator.languages.no-auth).

    `scope` is a comma-separated list of speech, text and tts in any order, text if absent; each asked scope is one
    member of the object, and no other is (translator.languages.scope-subset). Listed is what goes with everything else
    that is listed, since clients combine any source with any target. HEAD is answered as GET, body included:
    the listener leaves it out. 400 for another scope or version, 405 for another method.
    """
    if request.method == "OPTIONS":
        return preflight(request, METHODS)
    if request.method not in METHODS:
        return method_not_allowed(request.method, METHODS)
    given = parameters(request.query)
    try:
        check_api_version(given)
        scopes = _scopes(given.get("scope", ()))
    except Rejected as refusal:
        return refuse(refusal.rejection)
    reader = negotiate(header(request.headers, "Accept-Language"))
    listed = catalogue.complete()
    body = {scope: entries(listed, reader) for scope, entries in _SCOPES.items() if scope in scopes}
    return HttpResponse(
        200,
        (*JSON, *CORS, ("Content-Language", reader), ("Vary", "Accept-Language")),
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _scopes(values: tuple[str, ...]) -> frozenset[str]:
    """Return the asked scopes; words compare without case, blanks and empty items mean nothing."""
    words = [word.strip() for value in values for word in value.split(",")]
    for word in filter(None, words):
        if word.lower() not in _SCOPES:
            raise rejected("scope", f"words out of {', '.join(_SCOPES)}", word)
    return frozenset(word.lower() for word in words if word) or frozenset((DEFAULT_SCOPE,))


def _speech(catalogue: Catalogue, reader: str) -> Entries:
    return {
        key: {"name": language_name(entry.language, reader), "language": entry.language}
        for key, entry in catalogue.speech.items()
    }


def _text(catalogue: Catalogue, reader: str) -> Entries:
    return {key: {"name": language_name(key, reader), "dir": entry.direction} for key, entry in catalogue.text.items()}


def _tts(catalogue: Catalogue, reader: str) -> Entries:
    """Return the voices; a display name is a name, and the same in every language."""
    return {
        key: {
            "displayName": voice.display_name,
            "gender": voice.gender,
            "locale": voice.locale,
            "languageName": language_name(voice.language, reader),
            "regionName": region_name(voice.locale, reader),
            "language": voice.language,
        }
        for key, voice in catalogue.voices.items()
    }


_SCOPES: Final[dict[str, Callable[[Catalogue, str], Entries]]] = {"speech": _speech, "text": _text, "tts": _tts}
