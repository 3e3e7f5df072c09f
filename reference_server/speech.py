"""The adapters of `speech-v1` and `speech-v2`: who may come in, and how their sessions begin."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from protocol.rejection import Rejected, Rejection, unauthorized
from protocol.request import Credential, CredentialKind, credential
from protocol.speech.handshake import CREDENTIAL_NAMES, PATHS, read_request
from protocol.speech.messages import V2
from protocol.speech.server.session import ServerSession
from protocol.wire import Close, HttpRequest, HttpResponse
from reference_server.auth import Authority
from reference_server.engines.base import Engine
from reference_server.opening import Opening
from reference_server.policy import Settings
from reference_server.reconnects import Reconnects
from reference_server.responses import refuse

_NO_REDIRECT = Rejection(404, "NotFound", "redirect: expected an upgrade; this server redirects nobody by its body")


class Speech:
    """One of the two speech dialects.

    Args:
        name: Which one.
        settings: Policies, limits, and where upgrades are sent on.
        authority: Knows good credentials.
        engine: Whose languages and voices are offered.
        clock: Seconds that only grow, for the limit of reconnects.
    """

    sub_protocols: tuple[str, ...] = ("usp",)

    def __init__(
        self,
        name: str,
        settings: Settings,
        authority: Authority,
        engine: Engine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = settings.limits
        self.name = name
        self.paths = PATHS[name]
        self.redirect = settings.redirect
        self._policy = settings.speech
        self._authority = authority
        self._engine = engine
        self._clock = clock
        self._window_s = limits.reconnect_window_s
        self._reconnects = Reconnects(limits.reconnects, limits.reconnect_window_s)

    def plain(self, request: HttpRequest) -> HttpResponse | None:
        """Answer the lookup of a redirect, which comes without credentials (speech.endpoint.redirect-lookup).

        A client would take the body of a 200 for a URL; a 404 has it go on where it is.
        """
        return refuse(_NO_REDIRECT) if self.name == V2 else None

    def admit(self, request: HttpRequest) -> Opening:
        """Judge credentials (401 without, 403 for wrong ones), then parameters (400), then haste (429)."""
        # Bare: JS 1.14 sends its token without the word Bearer.
        given = _entra(credential(request, names=CREDENTIAL_NAMES, bare=True))
        if given is None or not self._authority.accepts(given):
            missing = unauthorized(given, names=CREDENTIAL_NAMES)
            raise Rejected(missing if given is None else replace(missing, status=403, code="Forbidden"))
        asked = read_request(request, self.name)
        if not self._reconnects.allow(asked.connection_id.lower(), self._clock()):
            message = f"connections: expected fewer with one id within {self._window_s:g} s"
            raise Rejected(Rejection(429, "TooManyRequests", message, retry_after_s=round(self._window_s)))
        catalogue = self._engine.catalogue
        return Opening(
            session=lambda now: ServerSession(asked, self._policy, catalogue, now),
            flooded=Close(1007, "too much traffic that carries no message"),
            failed=Close(1011, "the server failed"),
        )


def _entra(given: Credential | None) -> Credential | None:
    """Return the credential with the token out of `aad#resource#token` (speech.auth.entra-form)."""
    if given is None or given.kind is not CredentialKind.TOKEN or not given.value.startswith("aad#"):
        return given
    return replace(given, value=given.value.rpartition("#")[2])
