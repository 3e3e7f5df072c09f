"""The dialects that the server speaks: a table from path to adapter. The shell knows none of them by name.

An adapter judges the credentials and the parameters of an upgrade request, and opens sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from protocol.rejection import Rejected, unauthorized
from protocol.request import credential
from protocol.speech.handshake import PATHS
from protocol.translator.handshake import SPEECH_PATH, read_request
from protocol.translator.policy import Policy
from protocol.translator.session import ServerSession
from protocol.wire import Close, HttpRequest, HttpResponse
from reference_server.auth import Authority
from reference_server.engines.base import Engine
from reference_server.opening import Opening
from reference_server.policy import Settings
from reference_server.speech import Speech


class Dialect(Protocol):
    """One dialect of the protocol.

    Attributes:
        name: What it is called.
        paths: Where it is spoken; paths compare without case.
        sub_protocols: Those that it agrees to when they are offered, in lower case.
        redirect: The base URL of the server to which upgrades are sent on, if they are.
    """

    name: str
    paths: tuple[str, ...]
    sub_protocols: tuple[str, ...]
    redirect: str | None

    def plain(self, request: HttpRequest) -> HttpResponse | None:
        """Answer a request that asks for no upgrade; None for the usual answer."""

    def admit(self, request: HttpRequest) -> Opening:
        """Judge credentials, then parameters. Raises Rejected with the status to answer."""


def dialects(settings: Settings, authority: Authority, engine: Engine) -> Mapping[str, Dialect]:
    """Return the adapters by path, in lower case."""
    known: tuple[Dialect, ...] = (
        Translator(settings.translator, authority, engine),
        *(Speech(name, settings, authority, engine) for name in PATHS),
    )
    return {path.lower(): dialect for dialect in known for path in dialect.paths}


class Translator:
    """The dialect `translator`."""

    name = "translator"
    paths: tuple[str, ...] = (SPEECH_PATH,)
    sub_protocols: tuple[str, ...] = ()
    redirect: str | None = None

    def __init__(self, policy: Policy, authority: Authority, engine: Engine) -> None:
        self._policy = policy
        self._authority = authority
        self._engine = engine

    def plain(self, request: HttpRequest) -> HttpResponse | None:
        """Have nothing else to say than that an upgrade is required."""
        return None

    def admit(self, request: HttpRequest) -> Opening:
        """Judge credentials (401), then parameters (400) (requirement translator.handshake.check-order)."""
        given = credential(request)
        if given is None or not self._authority.accepts(given):
            raise Rejected(unauthorized(given))
        return Opening(
            session=partial(ServerSession, read_request(request, self._engine.catalogue), self._policy),
            flooded=Close(1008, "too much traffic that carries no audio"),
            failed=Close(1011, "Internal Server Error: the server failed"),
        )
