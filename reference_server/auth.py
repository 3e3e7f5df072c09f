"""Credentials: who may come in, and the token service that turns a key into a token (facts K1-K7)."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Collection
from typing import Final

import jwt

from protocol.rejection import Rejection, unauthorized
from protocol.request import Credential, CredentialKind, credential
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.responses import CORS, method_not_allowed, preflight, refuse

METHODS: Final = ("POST", "OPTIONS")
BODY_LIMIT: Final = 4096
"""Bytes of a token request's body that are read and thrown away (requirement translator.token.body-limit)."""

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "urn:speechwire:token-service"
_LONGEST_TOKEN: Final = 4096


class Authority:
    """Knows the keys, signs tokens and checks both.

    `keys` are the subscription keys that are good. Every node that is given the same `secret` accepts the tokens of
    the others, also for keys that it does not know itself. `clock` is the wall clock in seconds since 1970: the nodes'
    clocks have to agree. Raises ValueError without a secret.
    """

    def __init__(
        self,
        keys: Collection[str],
        secret: bytes,
        token_lifetime_s: float = 600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not secret:
            raise ValueError("an authority needs a secret to sign tokens with")
        # Two derived secrets, so that neither what is compared nor what is signed with is the given one.
        self._signing = hmac.digest(secret, b"speechwire token", "sha256")
        self._comparing = hmac.digest(secret, b"speechwire key", "sha256")
        self._keys = tuple(self._digest(key) for key in keys if key)
        self._lifetime = token_lifetime_s
        self._clock = clock

    def accepts(self, given: Credential | None) -> bool:
        """Return whether the credential is good; whatever it holds, nothing is raised."""
        if given is None:
            return False
        return self._is_key(given.value) if given.kind is CredentialKind.KEY else self._is_token(given.value)

    def issue(self, key: str) -> str:
        """Return a new token for `key`, which the caller has checked; a signed JWT without the key in it.

        It is good for the lifetime, ten minutes unless told otherwise (translator.token.lifetime).
        """
        now = self._clock()
        subject = self._digest(key).hex()[:16]
        claims = {"iss": _ISSUER, "sub": subject, "iat": int(now), "exp": now + self._lifetime}
        return jwt.encode(claims, self._signing, _ALGORITHM)

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self._comparing, key.encode(errors="surrogatepass"), "sha256")

    def _is_key(self, value: str) -> bool:
        """Compare with every key, digest with digest: the time taken tells neither which one nor how much fits."""
        digest = self._digest(value)
        return sum(hmac.compare_digest(digest, key) for key in self._keys) > 0

    def _is_token(self, value: str) -> bool:
        if len(value) > _LONGEST_TOKEN:
            return False
        try:
            # The expiry is compared below, with the clock that was given.
            claims = jwt.decode(
                value,
                self._signing,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["exp"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            return False
        expiry = claims["exp"]
        return isinstance(expiry, int | float) and self._clock() < expiry


def token_response(request: HttpRequest, authority: Authority) -> HttpResponse:
    """Answer a request for the token service (translator.token.issue, translator.token.bare-text).

    The key is in the header Ocp-Apim-Subscription-Key or the query parameter Subscription-Key. 200 with the bare
    token; 401 for a missing or wrong key, 405 for another method, 413 when the body is, or is declared to be, above
    BODY_LIMIT, so that the listener may leave it unread.
    """
    if request.method == "OPTIONS":
        return preflight(request, METHODS)
    if request.method not in METHODS:
        return method_not_allowed(request.method, METHODS)
    if _body_size(request) > BODY_LIMIT:
        message = f"body: expected at most {BODY_LIMIT} bytes, got more"
        return refuse(Rejection(413, "PayloadTooLarge", message))
    kinds = (CredentialKind.KEY,)
    given = credential(request, kinds=kinds)
    if given is None or not authority.accepts(given):
        return refuse(unauthorized(given, kinds))
    return HttpResponse(
        200,
        (("Content-Type", "text/plain; charset=us-ascii"), *CORS, ("Cache-Control", "no-store")),
        authority.issue(given.value).encode("ascii"),
    )


def _body_size(request: HttpRequest) -> int:
    declared = (header(request.headers, "Content-Length") or "")[:18]  # enough to see that it is too much
    return max(len(request.body), int(declared) if declared.isdecimal() else 0)
