"""What the server remembers of its sessions, for whoever tests a client against it: bounded, without credentials."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final
from urllib.parse import unquote_plus

from protocol.audio import PcmFormat
from protocol.wire import Abort, Close, Fragment, Headers, HttpRequest, Kind, Message, Outbound, PeerClosed

HIDDEN: Final = "(hidden)"

_FIRST_BYTES: Final = 64
_TEXT_LIMIT: Final = 4096
_SECRETS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "ocp-apim-subscription-key", "access_token", "subscription-key"}
)


class Record:
    """One session as the server saw it.

    Args:
        dialect: Which protocol.
        request: The upgrade request; credentials are taken out before anything is kept.
        request_id: What the response named it.
        time: When it was accepted.
        messages: How many messages are kept, the first ones.
    """

    def __init__(self, dialect: str, request: HttpRequest, request_id: str, time: float, messages: int) -> None:
        self._dialect = dialect
        self._target = redacted_target(request.target)
        self._headers = redacted(request.headers)
        self._request_id = request_id
        self._opened = time
        self._most = messages
        self._format: PcmFormat | None = None
        self._turns = 0
        self._audio_seconds = 0.0
        self._first = b""
        self._messages_in = 0
        self._bytes_in = 0
        self._header_bytes: int | None = None
        self._texts_in: list[str] = []
        self._sent: list[dict[str, Any]] = []
        self._left_out = 0
        self._close: dict[str, Any] | None = None
        self._seconds: float | None = None

    def received(self, event: Fragment | PeerClosed) -> None:
        """Note a fragment, or how the client ended."""
        if isinstance(event, PeerClosed):
            self._closed("client", event.code, event.reason)
            return
        self._messages_in += event.first
        if event.kind is Kind.TEXT:
            if len(self._texts_in) < self._most:
                self._texts_in.append(event.data[:_TEXT_LIMIT].decode(errors="replace"))
            return
        self._bytes_in += len(event.data)
        if len(self._first) < _FIRST_BYTES:
            self._first += event.data[: _FIRST_BYTES - len(self._first)]

    def started(self, pcm: PcmFormat, audio: int) -> None:
        """Note that a header of audio is complete; `audio` bytes of what was received lay behind it."""
        if self._header_bytes is None:
            self._header_bytes = (self._bytes_in - audio) & ~1
        self._format = pcm
        self._turns += 1

    def heard(self, audio: int) -> None:
        """Note that so many bytes of audio go to the engine."""
        if self._format is not None:
            self._audio_seconds += audio / self._format.bytes_per_second

    def sent(self, event: Outbound, time: float) -> None:
        """Note what was sent."""
        if isinstance(event, Close):
            self._closed("server", event.code, event.reason)
        elif isinstance(event, Abort):
            self._closed("server", 1006, "")
        elif len(self._sent) >= self._most:
            self._left_out += 1
        else:
            self._sent.append(_message(event, time - self._opened))

    def ended(self, time: float) -> None:
        """Note that the connection is over."""
        self._seconds = time - self._opened

    def document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "dialect": self._dialect,
            "request": {"target": self._target, "headers": [list(pair) for pair in self._headers]},
            "request_id": self._request_id,
            "received": {
                "messages": self._messages_in,
                "bytes": self._bytes_in,
                "first_bytes": self._first.hex(" "),
                "header_bytes": self._header_bytes,
                "rate": None if self._format is None else self._format.rate,
                "audio_seconds": None if self._format is None else round(self._audio_seconds, 3),
                "turns": self._turns,
                "texts": list(self._texts_in),
            },
            "sent": list(self._sent),
            "sent_left_out": self._left_out,
            "close": self._close,
            "seconds": None if self._seconds is None else round(self._seconds, 3),
        }

    def _closed(self, by: str, code: int, reason: str) -> None:
        if self._close is None:
            self._close = {"by": by, "code": code, "reason": reason}


class Journal:
    """The last sessions. Args: how many, and how many messages of each."""

    def __init__(self, sessions: int, messages: int) -> None:
        self._records: deque[Record] = deque(maxlen=sessions)
        self._messages = messages

    def open(self, dialect: str, request: HttpRequest, request_id: str, time: float) -> Record:
        """Begin the record of a session."""
        record = Record(dialect, request, request_id, time, self._messages)
        self._records.append(record)
        return record

    def document(self) -> dict[str, Any]:
        """Return the JSON form of all that is remembered, the oldest first."""
        return {"sessions": [record.document() for record in self._records]}

    def clear(self) -> None:
        """Forget everything; a session that is open stays forgotten."""
        self._records.clear()


def redacted(headers: Headers) -> Headers:
    """Return header fields with the values of credentials hidden."""
    return tuple((name, HIDDEN if name.lower() in _SECRETS else value) for name, value in headers)


def redacted_target(target: str) -> str:
    """Return a request target with the values of credentials hidden, otherwise as it came."""
    path, mark, query = target.partition("?")
    parts = re.split(r"([&;])", query)
    return path + mark + "".join(_redacted_pair(part) for part in parts)


def _redacted_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}{equals}{HIDDEN}" if unquote_plus(name).strip().lower() in _SECRETS else pair


def _message(message: Message, at: float) -> dict[str, Any]:
    if message.kind is Kind.TEXT:
        return {"seconds": round(at, 3), "text": message.data.decode(errors="replace")}
    data = message.data
    return {
        "seconds": round(at, 3),
        "bytes": len(data),
        "frames": len(message.fragments),
        "first_bytes": data[:_FIRST_BYTES].hex(" "),
    }
