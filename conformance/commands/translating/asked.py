"""What `speechwire translate` was asked for, before any dialect has looked at it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from conformance.commands.show import Show
from conformance.judge.verdict import ExitCode
from conformance.peers.address import Address
from conformance.report.text import shown
from protocol.audio import PcmFormat
from protocol.riff import HeaderRules
from protocol.wire import Headers, HttpResponse

_LONGEST = 600  # characters of somebody else's sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the command. What is None was not given.

    Attributes:
        host: Where the server is; `port`, `tls` and `path` (with whatever query the user gave) say the rest.
        headers: Further headers, as the user gave them.
        source: Language of the speech.
        targets: Languages to translate into, at least one.
        voice: Name of a voice, or `auto`.
        pace: Factor of real time; 0 for one burst.
        stream: Shape of `pcm`, the samples to send.
    """

    dialect: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    path: str
    headers: Headers
    key: str | None
    token: str | None
    source: str
    targets: tuple[str, ...]
    voice: str | None
    voice_format: str | None
    profanity: str | None
    mode: str | None
    pace: float
    stream: PcmFormat
    pcm: bytes

    @property
    def address(self) -> Address:
        """How to reach the server."""
        return Address.tcp(self.host, self.port, self.tls)

    @property
    def credentials(self) -> Headers:
        """The header of the credential; a token decides over a key."""
        if self.token is not None:
            return (("Authorization", f"Bearer {self.token}"),)
        return () if self.key is None else (("Ocp-Apim-Subscription-Key", self.key),)


@dataclass(frozen=True, slots=True)
class Adapter:
    """The reference client of a dialect.

    Attributes:
        rules: What the header of a recording may say.
        check: Raises click's UsageError for what the dialect does not know.
        run: Makes the conversation. Raises CouldNotRun when there is no session.
    """

    rules: HeaderRules
    check: Callable[[Asked], None]
    run: Callable[[Asked, Show], Coroutine[Any, Any, ExitCode]]


def refusal(response: HttpResponse) -> str:
    """Return the sentence for a handshake that was refused: the status, and what the body says."""
    return f"the server refused the session with status {response.status}{_detail(response.body)}"


def _detail(body: bytes) -> str:
    """Return what the body of a refusal says: its message where it is of the usual shape, else its beginning."""
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, RecursionError, LookupError, TypeError):
        said = body[:300].decode(errors="replace")
    said = shown(" ".join(said.split()), _LONGEST)
    return f": {said}" if said else ""
