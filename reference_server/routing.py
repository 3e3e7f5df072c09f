"""Which request goes where, and the checks that stand before a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from protocol.rejection import Rejected, Rejection
from protocol.translator.handshake import LANGUAGES_PATH, TOKEN_PATH
from protocol.websocket import ServerEnd
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.auth import BODY_LIMIT, Authority, token_response
from reference_server.control import CONTROL_BODY_LIMIT, Control
from reference_server.dialects import Dialect, dialects
from reference_server.engines.base import Engine
from reference_server.journal import Journal
from reference_server.languages import languages_response
from reference_server.opening import Opening
from reference_server.policy import Settings
from reference_server.responses import CORS, JSON, method_not_allowed, preflight, refuse

HEALTH_PATH = "/speechwire/health"

_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade request that is accepted: its response, and what is needed to go on behind it."""

    end: ServerEnd
    response: HttpResponse
    dialect: Dialect
    opening: Opening


class Router:
    """Answers requests.

    Args:
        settings: Keys, limits, policies.
        engine: What is offered in `/languages`, and what the control endpoint scripts.
        journal: What the control endpoint shows.
        wall_clock: Seconds since 1970, for tokens.
        sessions: How many sessions are open, for whoever asks for the server's health.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        journal: Journal,
        wall_clock: Callable[[], float],
        sessions: Callable[[], int],
    ) -> None:
        self._frame_bytes = settings.limits.frame_bytes
        self._engine = engine
        self._sessions = sessions
        self._authority = Authority(settings.keys, settings.secret, settings.token_lifetime_s, wall_clock)
        self._dialects = dialects(settings, self._authority, engine)
        self._control = Control(engine, journal) if settings.control else None

    def body_limit(self, request: HttpRequest) -> int:
        """Return how many bytes of a request's body are read; the resource refuses a longer one."""
        control = self._control is not None and request.path.lower() in self._control.paths
        return CONTROL_BODY_LIMIT if control else BODY_LIMIT

    def answer(self, request: HttpRequest, peer: object) -> HttpResponse | Upgrade:
        """Answer a request from `peer`, the socket's address (requirement translator.handshake.path-case)."""
        path = request.path.lower()
        if path in self._dialects:
            return self._admit(request, self._dialects[path])
        if path == LANGUAGES_PATH.lower():
            return languages_response(request, self._engine.catalogue)
        if path == TOKEN_PATH.lower():
            return token_response(request, self._authority)
        if path == HEALTH_PATH:
            return self._health(request)
        if self._control is not None and path in self._control.paths:
            return self._control.response(request, peer)
        known = [*self._dialects, LANGUAGES_PATH, TOKEN_PATH, HEALTH_PATH]
        return refuse(Rejection(404, "NotFound", f"path: expected one of {', '.join(known)}"))

    def _admit(self, request: HttpRequest, dialect: Dialect) -> HttpResponse | Upgrade:
        """Check method, upgrade, credentials, parameters (requirement translator.handshake.check-order).

        A dialect that is served elsewhere is so whoever asks for it: the redirect stands before the handshake.
        """
        if request.method == "OPTIONS":
            return preflight(request, _METHODS)
        if request.method not in _METHODS:
            return method_not_allowed(request.method, _METHODS)
        end = ServerEnd(self._frame_bytes)
        response = end.accept(_handshake(request))
        good = response.status == 101
        if not good and not _asks_for_upgrade(request):
            return dialect.plain(request) or _no_upgrade(request)
        if dialect.redirect is not None:
            return _redirected(request, dialect.redirect)
        if not good:
            return _no_upgrade(request)
        try:
            return Upgrade(end, _agreeing(response, request, dialect), dialect, dialect.admit(request))
        except Rejected as rejected:
            return refuse(rejected.rejection)

    def _health(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return preflight(request, _METHODS)
        if request.method not in _METHODS:
            return method_not_allowed(request.method, _METHODS)
        body = {"status": "ok", "engine": self._engine.name, "sessions": self._sessions()}
        return HttpResponse(200, (*JSON, *CORS, ("Cache-Control", "no-store")), json.dumps(body).encode())


def _handshake(request: HttpRequest) -> HttpRequest:
    """Return what concerns the opening handshake alone: whoever reads it next sees no credentials, and no long line."""
    names = {"host", "connection", "upgrade", "origin"}
    kept = (
        (name, value)
        for name, value in request.headers
        if name.lower() in names or name.lower().startswith("sec-websocket-")
    )
    return HttpRequest(request.method, request.path, tuple(kept))


def _asks_for_upgrade(request: HttpRequest) -> bool:
    wanted = {"connection": "upgrade", "upgrade": "websocket"}
    return all(word in (header(request.headers, name) or "").lower() for name, word in wanted.items())


def _redirected(request: HttpRequest, base: str) -> HttpResponse:
    """Return the answer that names another server, with path and query as they came."""
    location = f"{base.rstrip('/')}{request.target}"
    return HttpResponse(307, (("Location", location), *CORS, ("Cache-Control", "no-store")))


def _agreeing(response: HttpResponse, request: HttpRequest, dialect: Dialect) -> HttpResponse:
    """Return the 101 with the first sub-protocol that is offered and known, spelled as it is offered."""
    name = "sec-websocket-protocol"
    offered = ",".join(value for key, value in request.headers if key.lower() == name).split(",")
    for word in map(str.strip, offered):
        if word.lower() in dialect.sub_protocols:
            return replace(response, headers=(*response.headers, ("Sec-WebSocket-Protocol", word)))
    return response


def _no_upgrade(request: HttpRequest) -> HttpResponse:
    """Return the refusal of a request that opens no WebSocket (requirement translator.handshake.upgrade-required)."""
    version = header(request.headers, "Sec-WebSocket-Version")
    if _asks_for_upgrade(request) and request.method == "GET" and version == "13":
        message = "header 'Sec-WebSocket-Key': expected the base64 form of 16 bytes, and every handshake header once"
        return refuse(Rejection(400, "BadHandshake", message))
    headers = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"))
    message = "upgrade: expected a WebSocket handshake, version 13, by GET"
    return refuse(Rejection(426, "UpgradeRequired", message), headers)
