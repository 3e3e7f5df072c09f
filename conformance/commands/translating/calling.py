"""How the reference client of the speech dialects gets a connection, over redirects if need be."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from conformance.commands.translating.asked import Asked, refusal
from conformance.peers.address import Address, DialError
from conformance.peers.budget import Budget
from conformance.peers.link import Link, dial
from conformance.report.text import shown
from conformance.transcript import Recorder, Vantage
from protocol.speech.client.telemetry import error_word
from protocol.wire import Headers, HttpResponse, header

_REDIRECTS: Final = frozenset({301, 307, 308})
_MOST_REDIRECTS = 5
_FINAL: Final = frozenset({400, 401, 403, 415, *_REDIRECTS})
"""Statuses that another attempt would get again (table 2.2 of the facts)."""

_WORDS: Final = {"name": "DNSfailure", "tcp": "NoNetwork", "tls": "ClientError", "http": "ServerError"}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no connection: the word for telemetry, a sentence, and whether another attempt may help."""

    word: str
    reason: str
    retry: bool


class Caller:
    """Opens the connections of one session: each to the same place, with the same headers."""

    def __init__(self, asked: Asked, target: str, headers: Headers) -> None:
        self._asked = asked
        self._target = target
        self._headers = headers
        self._calls = 0

    async def call(self) -> Link | Failed:
        """Open a connection."""
        address, target = self._asked.address, self._target
        redirects = 0
        while True:
            recorder = Recorder(self._asked.dialect, Vantage.CLIENT, "translate", self._calls)
            self._calls += 1
            try:
                opened = await dial(address, target, self._headers, recorder, Budget())
            except DialError as error:
                word = "Timeout" if error.hangs else _WORDS[error.layer]
                return Failed(word, error.reason, error.layer in {"tcp", "http"})
            if isinstance(opened, Link):
                return opened
            if opened.status not in _REDIRECTS:
                return _refused(opened, refusal(opened))
            location = header(opened.headers, "Location") or ""
            found = self._redirected(location, secure=address.secure)
            if found is None:
                reason = f"the server redirects with status {opened.status} to {shown(location, _LONGEST)!r}"
                return _refused(opened, f"{reason}, which is no absolute ws:// or wss:// URL to follow")
            redirects += 1
            if redirects > _MOST_REDIRECTS:
                return _refused(opened, f"the server redirects more than {_MOST_REDIRECTS} times")
            address, target = found

    def _redirected(self, location: str, *, secure: bool) -> tuple[Address, str] | None:
        """Return where a redirect leads, with the query of its own (requirement speech.client.redirect).

        None for what is no absolute WebSocket URL, or leads away from TLS: the credential goes there, too.
        """
        try:
            parts = urlsplit(location)
            host, port = parts.hostname, parts.port
        except ValueError:
            return None
        if host is None or parts.scheme not in ("ws", "wss") or (secure and parts.scheme == "ws"):
            return None
        if not location.isascii() or not location.isprintable() or " " in location:
            return None
        tls = (self._asked.tls or ssl.create_default_context()) if parts.scheme == "wss" else None
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        return Address.tcp(host, port or (443 if tls else 80), tls), target


def _refused(response: HttpResponse, reason: str) -> Failed:
    return Failed(error_word(response.status), reason, response.status not in _FINAL)
