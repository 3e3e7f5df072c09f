"""What a client asks for in its upgrade request (requirements translator.client.*)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import View
from conformance.judge.verdict import departure
from protocol import requirements
from protocol.languages import PUBLISHED
from protocol.request import parse_query
from protocol.translator.handshake import Feature
from protocol.translator.query import as_instance
from protocol.validate import validator
from protocol.wire import Party, header

_TRACE = "X-ClientTraceId"
_FEATURES = {feature.value.lower() for feature in Feature}
_ALWAYS = ("api-version", "source-key", "target-key")
_WHEN_GIVEN = {
    "features": "features-known",
    "voice": "voice-known",
    "format": "format-known",
    "ProfanityAction": "profanity-known",
    "ProfanityMarker": "profanity-known",
    "X-ClientTraceId": "trace-id-guid",
    "X-CorrelationId": "correlation-id",
}


def query(view: View) -> Findings:
    """Judge every parameter by the schema of the handshake's query; the catalogue tells which forms are tolerated."""
    if view.request is None or view.asked is None or not view.for_speech:
        return
    at = view.asked[0]
    document = as_instance(parse_query(view.request.query), view.request.headers)
    wrong: set[str] = set()
    for error in validator("translator/handshake-query").errors(document):
        if error.requirement not in wrong:
            wrong.add(error.requirement)
            verdict = departure(requirements.get(error.requirement), tolerated=_tolerated(error.requirement, document))
            yield broken(error.requirement, at, f"{error.expected} at {error.at}", error.observed, verdict)
    given = [*_ALWAYS, *(row for name, row in _WHEN_GIVEN.items() if name in document)]
    for row in dict.fromkeys(given):
        requirement = f"translator.client.{row}"
        if requirement not in wrong:
            yield kept(requirement, at)


def _tolerated(requirement: str, document: Mapping[str, Any]) -> bool:
    """Tell whether a query departs in one of the forms that its requirement tolerates, since named clients use them."""
    match requirement.removeprefix("translator.client."):
        case "source-key":
            source = document.get("from")
            return isinstance(source, str) and PUBLISHED.resolve_source(source) is not None
        case "target-key":
            target = document.get("to")
            return isinstance(target, str) and PUBLISHED.resolve_target(target) is not None
        case "api-version":
            return "api-version" not in document
        case "features-known":
            unknown = {word.lower() for word in document["features"]} - _FEATURES
            return unknown == {"fastpartial"}
    return False


def voice_matches(view: View) -> Findings:
    """translator.client.voice-matches: the voice speaks the language of `to`."""
    if view.asked is None or not view.for_speech:
        return
    voice, target = view.parameters.get("voice"), view.parameters.get("to")
    known = next((entry for key, entry in PUBLISHED.voices.items() if voice and key.lower() == voice.lower()), None)
    if known is None or not target or "texttospeech" not in view.features:
        return
    name, language = "translator.client.voice-matches", PUBLISHED.resolve_target(target)
    if language == known.language:
        yield kept(name, view.asked[0])
    else:
        yield broken(name, view.asked[0], f"a voice that speaks {target}", known.id)


def credentials(view: View) -> Findings:
    """translator.client.credentials, credentials-once: a token or a key, in one place."""
    if view.asked is None or view.request is None or not view.for_speech:
        return
    at, request = view.asked[0], view.request
    places = [
        name for name in ("Authorization", "Ocp-Apim-Subscription-Key") if (header(request.headers, name) or "").strip()
    ]
    places += [name for name in ("access_token", "subscription-key") if view.parameters.get(name)]
    name = "translator.client.credentials"
    if not places:
        yield broken(name, at, "a token or a key", "neither")
        return
    yield kept(name, at)
    name = "translator.client.credentials-once"
    yield kept(name, at) if len(places) == 1 else broken(name, at, "one credential", " and ".join(places))


def trace_id(view: View) -> Findings:
    """translator.client.trace-id: the request can be found again in the server's log."""
    if view.asked is None or view.request is None or not view.for_speech:
        return
    name = "translator.client.trace-id"
    if header(view.request.headers, _TRACE) or view.parameters.get(_TRACE.lower()):
        yield kept(name, view.asked[0])
    else:
        yield broken(name, view.asked[0], f"{_TRACE} in a header or in the query", "neither")


def subprotocol(view: View) -> Findings:
    """translator.client.no-subprotocol: none is asked for."""
    if view.asked is None or view.request is None or not view.for_speech:
        return
    name, asked = "translator.client.no-subprotocol", header(view.request.headers, "Sec-WebSocket-Protocol")
    yield kept(name, view.asked[0]) if asked is None else broken(name, view.asked[0], "no sub-protocol", asked)


RULES: Sequence[Rule[View]] = (
    rule(
        Party.CLIENT,
        query,
        "translator.client.api-version",
        "translator.client.source-key",
        "translator.client.target-key",
        "translator.client.features-known",
        "translator.client.voice-known",
        "translator.client.format-known",
        "translator.client.profanity-known",
        "translator.client.trace-id-guid",
        "translator.client.correlation-id",
    ),
    rule(Party.CLIENT, voice_matches, "translator.client.voice-matches"),
    rule(Party.CLIENT, credentials, "translator.client.credentials", "translator.client.credentials-once"),
    rule(Party.CLIENT, trace_id, "translator.client.trace-id"),
    rule(Party.CLIENT, subprotocol, "translator.client.no-subprotocol"),
)
