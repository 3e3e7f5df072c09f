"""The control endpoint: what the scripted engine says, and what the server received. For the loopback alone.

GET, PUT      /speechwire/script      read or replace the script; a new one holds for new sessions
GET, DELETE   /speechwire/received    read or forget what the last sessions sent and got
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Final, Protocol, runtime_checkable

from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.engines.base import Engine
from reference_server.journal import Journal
from reference_server.responses import JSON

SCRIPT_PATH: Final = "/speechwire/script"
RECEIVED_PATH: Final = "/speechwire/received"
CONTROL_BODY_LIMIT: Final = 1 << 20

_NO_STORE: Final = (("Cache-Control", "no-store"),)


@runtime_checkable
class Scriptable(Protocol):
    """An engine that says what it is told."""

    @property
    def document(self) -> dict[str, Any]:
        """The script that holds for new sessions, in its JSON form."""

    def replace(self, document: object) -> None:
        """Take a new script. Raises ValueError with one sentence that says where it is wrong."""


class Control:
    """Answers the requests of the control endpoint.

    Args:
        engine: Whose script is meant; only a `Scriptable` one has one.
        journal: Where the sessions are noted down.
    """

    paths = frozenset({SCRIPT_PATH, RECEIVED_PATH})

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def response(self, request: HttpRequest, peer: object) -> HttpResponse:
        """Answer a request that came from `peer`, the socket's address.

        403 unless it comes from the loopback and is addressed to it: a page of another site whose name resolves to
        the loopback is thereby kept out.
        """
        if not _is_loopback(peer) or not _names_loopback(header(request.headers, "Host") or ""):
            return _refuse(403, "Forbidden", "control: expected a request from and to the loopback")
        path = request.path.lower()
        if path == RECEIVED_PATH:
            return self._received(request)
        return self._script(request)

    def _received(self, request: HttpRequest) -> HttpResponse:
        if request.method == "DELETE":
            self._journal.clear()
            return HttpResponse(204, _NO_STORE)
        if request.method in {"GET", "HEAD"}:
            return _json(self._journal.document())
        return _not_allowed(request.method, "GET, HEAD, DELETE")

    def _script(self, request: HttpRequest) -> HttpResponse:
        engine = self._engine
        if not isinstance(engine, Scriptable):
            return _refuse(404, "NoScript", f"control: expected the engine 'scripted', got '{engine.name}'")
        if request.method in {"GET", "HEAD"}:
            return _json(engine.document)
        if request.method != "PUT":
            return _not_allowed(request.method, "GET, HEAD, PUT")
        # A page of another site can send a body of this type only after a preflight, which is never answered.
        kind = (header(request.headers, "Content-Type") or "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return _refuse(415, "UnsupportedMediaType", "header 'Content-Type': expected application/json")
        if _too_large(request):
            return _refuse(413, "PayloadTooLarge", f"body: expected at most {CONTROL_BODY_LIMIT} bytes")
        try:
            engine.replace(json.loads(request.body))
        except (ValueError, RecursionError) as error:
            return _refuse(400, "BadScript", f"script: {error}")
        return HttpResponse(204, _NO_STORE)


def _json(document: dict[str, Any]) -> HttpResponse:
    return HttpResponse(200, (*JSON, *_NO_STORE), json.dumps(document, ensure_ascii=False).encode())


def _refuse(status: int, code: str, message: str) -> HttpResponse:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return HttpResponse(status, (*JSON, *_NO_STORE), body)


def _not_allowed(method: str, allowed: str) -> HttpResponse:
    refusal = _refuse(405, "MethodNotAllowed", f"method: expected one of {allowed}, got {method}")
    return HttpResponse(refusal.status, (*refusal.headers, ("Allow", allowed)), refusal.body)


def _too_large(request: HttpRequest) -> bool:
    declared = header(request.headers, "Content-Length") or ""
    return max(len(request.body), int(declared) if declared.isdecimal() else 0) > CONTROL_BODY_LIMIT


def _is_loopback(peer: object) -> bool:
    host = peer[0] if isinstance(peer, tuple) and peer else ""
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _names_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() == "localhost" or _is_loopback((name.strip("[]"),))
