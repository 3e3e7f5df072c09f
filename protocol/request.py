"""What a request carries, before anybody judges it: query parameters and credentials.

The same reading serves the upgrades, `/languages` and the token service.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal
from urllib.parse import parse_qsl

from protocol.wire import HttpRequest, header


class CredentialKind(Enum):
    """The two kinds of credentials: a token of the token service, or the subscription key itself."""

    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential as a client gave it. Its value is in no `repr`; "" is one that cannot be right."""

    kind: CredentialKind
    value: str = field(repr=False)
    place: Literal["header", "query"]


CredentialNames = Mapping[CredentialKind, tuple[str, str]]
"""Header and query parameter of each kind, in the documents' spelling; names compare without case.

A query parameter that bears its header's name has its header's value, too: `Bearer` stands before a token.
"""

CREDENTIAL_NAMES: Final[CredentialNames] = {
    CredentialKind.TOKEN: ("Authorization", "access_token"),
    CredentialKind.KEY: ("Ocp-Apim-Subscription-Key", "subscription-key"),
}
"""The names of `translator`, its token service included."""

_BEARER: Final = re.compile(r"bearer(?:\s+(?P<token>.*))?", re.IGNORECASE | re.DOTALL)
_SECRET: Final = re.compile(r"(access_token|subscription-key|authorization|bearer)(.).+", re.IGNORECASE | re.DOTALL)
_SHOWN: Final = 80


def parse_query(raw: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, value) pairs of a raw query, decoded, in order, names as spelled, empty values kept.

    A plus sign is a blank; bytes that are not UTF-8 become U+FFFD. Never raises.
    """
    return tuple(parse_qsl(raw, keep_blank_values=True, errors="replace"))


def parameters(raw: str) -> Mapping[str, tuple[str, ...]]:
    """Return the values of each parameter of a raw query, by lower-case name, in order.

    Empty values are left out: they equal absent ones (translator.handshake.empty-parameter,
    translator.handshake.parameter-name-case).
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_query(raw):
        if value:
            found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def credential(
    request: HttpRequest,
    *,
    kinds: Collection[CredentialKind] = tuple(CredentialKind),
    names: CredentialNames = CREDENTIAL_NAMES,
    bare: bool = False,
) -> Credential | None:
    """Return the one credential that decides, or None if there is none; other `kinds` are not looked at.

    A token decides over a key (translator.auth.token-beats-key), a header over its query twin even when it is wrong
    (translator.auth.header-beats-query), and an empty one is none (translator.auth.empty-credential). An
    Authorization header of another scheme is a token that cannot be right (translator.auth.bad-token); with `bare` one
    word without any scheme is a token, too.
    """
    query = parameters(request.query)
    for kind in CredentialKind:
        if kind not in kinds:
            continue
        in_header, in_query = names[kind]
        same_form = in_header.lower() == in_query.lower()
        value = header(request.headers, in_header) or None
        if value and kind is CredentialKind.TOKEN:
            value = _bearer(value, bare=bare)
        if value is not None:
            return Credential(kind, value, "header")
        value = next(iter(query.get(in_query.lower(), ())), None)
        if value and kind is CredentialKind.TOKEN and same_form:
            value = _bearer(value, bare=bare)
        if value is not None:
            return Credential(kind, value, "query")
    return None


def _bearer(value: str, *, bare: bool) -> str | None:
    """Return the token of an Authorization value: None if it is empty, "" if the scheme is another one."""
    value = value.strip()
    match = _BEARER.fullmatch(value)
    if match:
        return match["token"] or None
    return value if bare and len(value.split()) == 1 else ""


def shown(value: str) -> str:
    """Return a parameter's value as an error message may show it: quoted, cut short, without any credential.

    A client that encodes its query twice, or puts a second question mark into it, has its credential in the value of
    another parameter.
    """
    safe = _SECRET.sub(r"\1\2(hidden)", value)
    return f"'{safe}'" if len(safe) <= _SHOWN else f"'{safe[:_SHOWN]}'…"
