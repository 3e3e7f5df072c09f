"""What a client asks for in its upgrade request (requirements speech.client.*)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import schemas
from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech.reading import View
from protocol.request import parse_query
from protocol.speech.handshake import CONNECTION_ID, CREDENTIAL_NAMES, PATHS
from protocol.validate import validator
from protocol.wire import HttpRequest, Party, header

_PARAMETERS: dict[str, Any] = schemas.read("speech/handshake-query")["properties"]
_NAMES = {name.lower(): name for name in _PARAMETERS}
_LISTS = ("to", "features")


def _upgrade(view: View) -> Iterator[tuple[int, HttpRequest]]:
    """Yield the request for a session with its index, unless the observer made it wrong on purpose."""
    if view.asked is not None and view.upgrading and not view.asked[1].deliberate:
        yield view.asked[0], view.asked[1].request


def path(view: View) -> Findings:
    """speech.client.path: the path is one of the dialect's."""
    name, own = "speech.client.path", PATHS[view.dialect]
    for at, request in _upgrade(view):
        good = request.path.endswith(own)
        yield kept(name, at) if good else broken(name, at, " or ".join(own), request.path[:80])


def connection_id(view: View) -> Findings:
    """speech.client.connection-id, query-form: the query, and the connection id in it or in its header."""
    for at, request in _upgrade(view):
        errors = validator("speech/handshake-query").errors(as_instance(request))
        wrong = {error.requirement: error for error in reversed(errors)}
        for name, error in wrong.items():
            yield broken(name, at, f"{error.expected} at {error.at}", error.observed)
        for name in ("speech.client.connection-id", "speech.client.query-form"):
            if name not in wrong:
                yield kept(name, at)


def as_instance(request: HttpRequest) -> dict[str, str | list[str]]:
    """Return the parameters that the schema describes: in its spelling, without empty ones, lists as lists.

    A header with the connection id wins over the query; words compare without case, as servers take them.
    """
    values: dict[str, list[str]] = {}
    for sent, value in parse_query(request.query):
        name = _NAMES.get(sent.lower())
        if name is not None and value:
            values.setdefault(name, []).extend(value.split(",") if name in _LISTS else [value])
    if given := header(request.headers, CONNECTION_ID):
        values[CONNECTION_ID] = [given]
    return {name: _spelled(name, found) for name, found in values.items()}


def _spelled(name: str, values: list[str]) -> str | list[str]:
    schema = _PARAMETERS[name]
    known = {word.lower(): word for word in schema.get("enum", schema.get("items", {}).get("enum", ()))}
    words = [known.get(value.lower(), value) for value in values]
    return words if name in _LISTS or len(words) > 1 else words[0]


def credentials(view: View) -> Findings:
    """speech.client.credentials, credentials-header: a key or a token, and that in a header field."""
    for at, request in _upgrade(view):
        given = {key.lower() for key, value in parse_query(request.query) if value}
        in_header = any((header(request.headers, field) or "").strip() for field, _ in CREDENTIAL_NAMES.values())
        in_query = any(field in given for _, field in CREDENTIAL_NAMES.values())
        name = "speech.client.credentials"
        if not in_header and not in_query:
            yield broken(name, at, "a key or a token", "neither")
            continue
        yield kept(name, at)
        name, expected = "speech.client.credentials-header", "the credential in a header field alone"
        yield broken(name, at, expected, "one in the query") if in_query else kept(name, at)


def languages(view: View) -> Findings:
    """speech.client.query-language: from, and at least one to."""
    name = "speech.client.query-language"
    for at, request in _upgrade(view):
        given = {key.lower() for key, _ in parse_query(request.query)}
        lacks = [word for word in ("from", "to") if word not in given]
        yield broken(name, at, "from and to in the query", f"no {lacks[0]}") if lacks else kept(name, at)


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, path, "speech.client.path"),
    rule(Party.CLIENT, connection_id, "speech.client.connection-id", "speech.client.query-form"),
    rule(Party.CLIENT, credentials, "speech.client.credentials", "speech.client.credentials-header"),
    rule(Party.CLIENT, languages, "speech.client.query-language"),
)
