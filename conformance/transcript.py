"""What was seen of one connection: the only thing that the judge ever looks at.

A transcript is a timed sequence of what crossed the wire and of the observer's own waits. It says from where it was
seen (`Vantage`): a client sees the order of what the server sent, not the moment at which the server read. What an
active check broke on purpose is marked with the requirement that it breaks, so that nobody is blamed for it.

The JSON form is one object a transcript, one object an entry; payloads are text where they are UTF-8 text messages,
else base64 (schema `transcript`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from protocol.wire import Headers, HttpRequest, HttpResponse, Kind, Party


class Vantage(Enum):
    """Where the observer stands."""

    CLIENT = "client"
    SERVER = "server"
    MIDDLE = "middle"


class Ending(Enum):
    """How a connection ended without, or behind, the closing handshake."""

    EOF = "eof"
    RESET = "reset"
    UNREADABLE = "unreadable"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class Asked:
    """The client sent an HTTP request: the upgrade, or a plain one."""

    time: float
    request: HttpRequest
    deliberate: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The server sent an HTTP response."""

    time: float
    response: HttpResponse


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame. `kind` is the message's, `first` and `final` say where in the message the frame stands."""

    time: float
    sender: Party
    kind: Kind
    data: bytes
    first: bool = True
    final: bool = True
    deliberate: str | None = None


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """A close frame. `deliberate` where the observer closed in order to provoke something."""

    time: float
    sender: Party
    code: int
    reason: str
    deliberate: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is gone; `by` is the party that ended it, as far as the observer can tell."""

    time: float
    by: Party
    how: Ending
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Expired:
    """The observer waited `budget` seconds for `what`, and it did not come."""

    time: float
    what: str
    budget: float


@dataclass(frozen=True, slots=True)
class Barrier:
    """Whatever the peer had to say up to here, it has said: `what` came, which orders everything before it."""

    time: float
    what: str


Entry = Asked | Answered | Frame | CloseFrame | Ended | Expired | Barrier


@dataclass(frozen=True, slots=True)
class Transcript:
    """One connection, seen from one place. `case` is the check that opened it, `connection` counts within it."""

    dialect: str
    vantage: Vantage
    case: str
    connection: int
    entries: tuple[Entry, ...]


@dataclass(slots=True)
class Recorder:
    """Collects the entries of one connection; `transcript()` freezes what is there so far."""

    dialect: str
    vantage: Vantage
    case: str
    connection: int
    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Append an entry; entries come in the order of their time."""
        self.entries.append(entry)

    def transcript(self) -> Transcript:
        """Return what was seen up to now."""
        return Transcript(self.dialect, self.vantage, self.case, self.connection, tuple(self.entries))


# The JSON form.


def to_json(transcript: Transcript) -> dict[str, Any]:
    """Return the JSON form of a transcript."""
    return {
        "dialect": transcript.dialect,
        "vantage": transcript.vantage.value,
        "case": transcript.case,
        "connection": transcript.connection,
        "entries": [_entry_to_json(entry) for entry in transcript.entries],
    }


def from_json(document: Mapping[str, Any]) -> Transcript:
    """Return the transcript of a JSON form that is valid against the schema `transcript`."""
    return Transcript(
        document["dialect"],
        Vantage(document["vantage"]),
        document["case"],
        document["connection"],
        tuple(_entry_from_json(entry) for entry in document["entries"]),
    )


def _entry_to_json(entry: Entry) -> dict[str, Any]:
    common = {"time": round(entry.time, 6)}
    match entry:
        case Asked(_, request, deliberate):
            return {
                **common,
                "entry": "request",
                "method": request.method,
                "target": request.target,
                "headers": [list(pair) for pair in request.headers],
                **_payload(request.body, text=True),
                **_mark(deliberate),
            }
        case Answered(_, response):
            return {
                **common,
                "entry": "response",
                "status": response.status,
                "headers": [list(pair) for pair in response.headers],
                **_payload(response.body, text=True),
            }
        case Frame():
            return {
                **common,
                "entry": "frame",
                "sender": entry.sender.value,
                "kind": entry.kind.value,
                "first": entry.first,
                "final": entry.final,
                **_payload(entry.data, text=entry.kind is Kind.TEXT),
                **_mark(entry.deliberate),
            }
        case CloseFrame():
            return {
                **common,
                "entry": "close",
                "sender": entry.sender.value,
                "code": entry.code,
                "reason": entry.reason,
                **_mark(entry.deliberate),
            }
        case Ended():
            return {
                **common,
                "entry": "ended",
                "by": entry.by.value,
                "how": entry.how.value,
                "detail": entry.detail,
            }
        case Expired():
            return {**common, "entry": "expired", "what": entry.what, "budget": round(entry.budget, 6)}
        case _:
            return {**common, "entry": "barrier", "what": entry.what}


def _entry_from_json(entry: Mapping[str, Any]) -> Entry:
    time, deliberate = float(entry["time"]), entry.get("deliberate")
    kind = entry["entry"]
    if kind == "request":
        request = HttpRequest(entry["method"], entry["target"], _headers(entry), _bytes(entry))
        return Asked(time, request, deliberate)
    if kind == "response":
        return Answered(time, HttpResponse(entry["status"], _headers(entry), _bytes(entry)))
    if kind == "frame":
        return Frame(
            time,
            Party(entry["sender"]),
            Kind(entry["kind"]),
            _bytes(entry),
            entry["first"],
            entry["final"],
            deliberate,
        )
    if kind == "close":
        return CloseFrame(time, Party(entry["sender"]), entry["code"], entry["reason"], deliberate)
    if kind == "ended":
        return Ended(time, Party(entry["by"]), Ending(entry["how"]), entry["detail"])
    if kind == "expired":
        return Expired(time, entry["what"], float(entry["budget"]))
    return Barrier(time, entry["what"])


def _payload(data: bytes, *, text: bool) -> dict[str, str]:
    if text:
        try:
            return {"text": data.decode()}
        except UnicodeDecodeError:
            pass  # a peer's broken text is kept to the byte
    return {"base64": base64.b64encode(data).decode()}


def _bytes(entry: Mapping[str, Any]) -> bytes:
    return str(entry["text"]).encode() if "text" in entry else base64.b64decode(entry["base64"])


def _headers(entry: Mapping[str, Any]) -> Headers:
    return tuple((name, value) for name, value in entry["headers"])


def _mark(deliberate: str | None) -> dict[str, str]:
    return {} if deliberate is None else {"deliberate": deliberate}
