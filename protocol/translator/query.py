"""The parameters of a session in the form that `schemas/translator/handshake-query.schema.json` describes.

On the wire they are a query string, partly headers, in anybody's letter case (facts 2.1, C6); the schema speaks of
one spelling. This is the client's side of the handshake; how a server reads it is `handshake`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import schemas
from protocol.wire import Headers, header

_PARAMETERS: dict[str, Any] = schemas.read("translator/handshake-query")["properties"]
_NAMES = {name.lower(): name for name in _PARAMETERS}
_FEATURES = {word.lower(): word for word in _PARAMETERS["features"]["items"]["enum"]}
_TWINS = ("X-ClientTraceId", "X-CorrelationId", "X-ClientVersion", "X-OsPlatform")


def as_instance(pairs: Sequence[tuple[str, str]], headers: Headers = ()) -> dict[str, str | list[str]]:
    """Return the documented parameters of an upgrade request, to be checked by `validator`.

    A header wins over its query twin; an empty value counts as none. Credentials and unknown parameters are left out.

    Args:
        pairs: Names and values of the query, percent-decoded, in wire order.
        headers: The header fields of the request.
    """
    values: dict[str, list[str]] = {}
    for sent, value in pairs:
        name = _NAMES.get(sent.lower())
        if name is not None and value:
            values.setdefault(name, []).append(value)
    for name in _TWINS:
        if given := header(headers, name):
            values[name] = [given]
    instance: dict[str, str | list[str]] = {
        name: found[0] if len(found) == 1 else found for name, found in values.items()
    }
    if "features" in values:
        words = ",".join(values["features"]).split(",")
        instance["features"] = [_FEATURES.get(word.lower(), word) for word in words]
    return instance
