"""HTTP answers in the one shape that all plain-HTTP resources of the reference server share.

Every answer lets a page of any origin read it, errors too: browser clients call across origins
(translator.languages.cors). `X-RequestId` and `Content-Length` are the listener's to add, and so is leaving out the
body for HEAD.
"""

from __future__ import annotations

import re
from typing import Final

from protocol.rejection import Rejection, error_body
from protocol.wire import Headers, HttpRequest, HttpResponse, header

CORS: Final[Headers] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "X-RequestId"),
)
JSON: Final[Headers] = (("Content-Type", "application/json; charset=utf-8"),)

_FIELD_NAMES: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*", re.ASCII)


def refuse(rejection: Rejection, headers: Headers = ()) -> HttpResponse:
    """Return the answer for a rejection, its JSON body included; a 401 names its scheme, as HTTP wants it."""
    challenge: Headers = (("WWW-Authenticate", "Bearer"),) if rejection.status == 401 else ()
    again: Headers = () if rejection.retry_after_s is None else (("Retry-After", str(rejection.retry_after_s)),)
    return HttpResponse(rejection.status, (*JSON, *CORS, *challenge, *again, *headers), error_body(rejection))


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> HttpResponse:
    """Return the 405 of a resource that serves `allowed` (translator.handshake.method)."""
    methods = ", ".join(allowed)
    rejection = Rejection(405, "MethodNotAllowed", f"method: expected one of {methods}, got {method}")
    return refuse(rejection, (("Allow", methods),))


def preflight(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    """Return the answer to OPTIONS: the methods, and leave to send whatever header fields a page asks for.

    Status 200 without a body. The fields are named one by one, since `*` would not cover Authorization.
    """
    methods = ", ".join(allowed)
    asked = header(request.headers, "Access-Control-Request-Headers") or ""
    return HttpResponse(
        200,
        (
            *CORS,
            ("Allow", methods),
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", asked if _FIELD_NAMES.fullmatch(asked) else "*"),
            ("Access-Control-Max-Age", "600"),
        ),
    )
