"""How an HTTP request is refused: status, and a body that says what was wrong and what is allowed.

No message holds a credential, whole or in part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from protocol.request import CREDENTIAL_NAMES, Credential, CredentialKind, CredentialNames, shown


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a request is refused.

    Attributes:
        status: HTTP status.
        code: A word for programs.
        message: A sentence for people.
        parameter: The query parameter that is wrong, if one is.
        retry_after_s: After how many seconds the same may work, if it may.
    """

    status: int
    code: str
    message: str
    parameter: str | None = None
    retry_after_s: int | None = None


@dataclass(unsafe_hash=True)
class Rejected(Exception):
    """The request is refused; answer with `rejection`."""

    rejection: Rejection

    def __post_init__(self) -> None:
        Exception.__init__(self, self.rejection)

    def __str__(self) -> str:
        return self.rejection.message


def rejected(parameter: str, allowed: str, value: str | None) -> Rejected:
    """Return the 400 for a parameter that is wrong, or missing if `value` is None."""
    code = "MissingParameter" if value is None else "InvalidParameter"
    got = "nothing" if value is None else shown(value)
    return Rejected(Rejection(400, code, f"parameter '{parameter}': expected {allowed}, got {got}", parameter))


def unauthorized(
    given: Credential | None,
    kinds: Iterable[CredentialKind] = tuple(CredentialKind),
    names: CredentialNames = CREDENTIAL_NAMES,
) -> Rejection:
    """Return the 401 for no credential (translator.auth.missing) or a wrong one (bad-key, bad-token)."""
    ways = [f"a {kind.value} in the header {names[kind][0]} or the parameter {names[kind][1]}" for kind in kinds]
    got = f"a {given.kind.value} in the {given.place} that is not valid" if given else "none"
    return Rejection(401, "Unauthorized", f"credentials: expected {', or '.join(ways)}; got {got}")


def error_body(rejection: Rejection) -> bytes:
    """Return the JSON body of a refusal (translator.handshake.error-body).

    Shape: {"error": {"code", "message", "parameter"?}}.
    """
    error = {"code": rejection.code, "message": rejection.message}
    if rejection.parameter is not None:
        error["parameter"] = rejection.parameter
    return json.dumps({"error": error}, separators=(",", ":")).encode()
