"""Recorded traffic as transcripts: captures as JSON lines, and bundles of our own.

A capture (schema `capture`) has a line for each thing that crossed the wire; every handshake in it begins another
connection of a speech dialect. It was taken at the server, unless somebody says otherwise. Of a payload that was not
kept only the length is known: it becomes zeros, of which the judge makes nothing. (What opens a client's stream has to
be there, since it is the header of the audio by which all else is measured.) A bundle is one transcript (schema
`transcript`) or a list of them. Which of the two a file is, it says itself.

Whatever else a file holds is a CaptureError, and whatever its size, the memory is bounded: `MOST_OF_BUNDLE` bytes of
JSON at once, and `MOST_OF_CAPTURE` of messages.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from conformance.feeds.capture_json import CaptureError, parse, too_many
from conformance.transcript import (
    Answered,
    Asked,
    CloseFrame,
    Ended,
    Ending,
    Entry,
    Frame,
    Recorder,
    Transcript,
    Vantage,
    from_json,
)
from protocol.errors import PeerViolation
from protocol.request import shown
from protocol.speech.framing import read
from protocol.speech.handshake import PATHS
from protocol.validate import validator
from protocol.websocket import ABNORMAL
from protocol.wire import Headers, HttpRequest, HttpResponse, Kind, Party

CASE: Final = "capture"
"""What stands for the case in the transcripts of a capture: nobody held these conversations for our sake."""

MOST_OF_BUNDLE: Final = 32 << 20
MOST_OF_LINE: Final = 16 << 20
MOST_OF_CAPTURE: Final = 128 << 20

_ENTRY = 1024  # bytes that an entry costs beside its payload
_LATEST_S = 1e10
_WIDEST_BLOCK = 0xFFFF
_SENDERS = {"c2s": Party.CLIENT, "s2c": Party.SERVER}
_FORMS = "a capture as JSON lines that begins with a handshake, or a bundle of transcripts with their entries"


def read_capture(path: Path, dialect: str | None = None, vantage: Vantage | None = None) -> tuple[Transcript, ...]:
    """Return the connections in a file, in its order; `dialect` and `vantage` overrule what it says itself.

    Raises:
        CaptureError: It is neither a capture nor a bundle, or damaged, too large, or of several dialects.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        first = file.readline(MOST_OF_BUNDLE + 1)
        if not first:
            raise CaptureError(path, "line 1", _FORMS, "an empty file")
        transcripts = (
            _Lines(path, dialect, vantage).read(first, file) if _is_line(path, first) else _bundle(path, first, file)
        )
    transcripts = tuple(
        replace(seen, dialect=dialect or seen.dialect, vantage=vantage or seen.vantage) for seen in transcripts
    )
    spoken = sorted({seen.dialect for seen in transcripts})
    if len(spoken) > 1:
        raise CaptureError(path, "the whole file", "connections of one dialect", " and ".join(spoken))
    return transcripts


def _is_line(path: Path, first: bytes) -> bool:
    """Tell whether the first line of a file is one of a capture; what is no JSON may be the first of a bundle's."""
    try:
        document = json.loads(first) if len(first) <= MOST_OF_LINE and not too_many(first) else []
    except (ValueError, RecursionError):
        return False
    if isinstance(document, dict) and "kind" in document and "entries" not in document:
        return True
    if isinstance(document, list) or (isinstance(document, dict) and "entries" in document):
        return False
    raise CaptureError(path, "line 1", _FORMS, "other JSON")


# --- bundles ----------------------------------------------------------------------------------------------------------


def _bundle(path: Path, first: bytes, file: BinaryIO) -> tuple[Transcript, ...]:
    document = parse(path, 1, first + file.read(MOST_OF_BUNDLE + 1 - len(first)), MOST_OF_BUNDLE)
    if isinstance(document, list):
        return tuple(_transcript(path, f"/{index}", one) for index, one in enumerate(document))
    if not isinstance(document, dict) or "entries" not in document:
        raise CaptureError(path, "line 1", _FORMS, "other JSON")
    return (_transcript(path, "", document),)


def _transcript(path: Path, at: str, document: Any) -> Transcript:
    # Payloads are decoded and not matched: on a long text the schema's pattern takes 30 times the memory of the text.
    slim = document
    if isinstance(document, dict) and isinstance(document.get("entries"), list):
        slim = {**document, "entries": [_without(entry, "base64") for entry in document["entries"]]}
    for error in validator("transcript").errors(slim):
        where = "" if error.at == "whole value" else error.at
        raise CaptureError(path, f"{at}{where}" or "line 1", error.expected, _shown(where, error.observed))
    for index, entry in enumerate(document["entries"]):
        _check_entry(path, f"{at}/entries/{index}", entry)
    return from_json(document)


def _check_entry(path: Path, at: str, entry: Mapping[str, Any]) -> None:
    """Raise CaptureError for what the schema of transcripts lets pass."""
    for member in ("time", "budget"):
        if not abs(entry.get(member, 0)) <= _LATEST_S:
            raise CaptureError(path, f"{at}/{member}", "seconds", "a number out of all measure")
    try:
        base64.b64decode(entry.get("base64", ""), validate=True)
    except ValueError:
        raise CaptureError(path, f"{at}/base64", "bytes in base64, padded", "other text") from None


def _without(value: Any, member: str) -> Any:
    """Return a JSON object with nothing in a member that is text; anything else as it is."""
    return {**value, member: ""} if isinstance(value, dict) and isinstance(value.get(member), str) else value


def _shown(at: str, observed: str) -> str:
    """Return what was there as an error may show it: not where a credential might be."""
    secret = any(place in at for place in ("/headers", "/path", "/target")) and observed != "nothing"
    return "something else" if secret else observed


# --- captures ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Lines:
    """Puts the lines of a capture together to transcripts."""

    path: Path
    dialect: str | None
    vantage: Vantage | None
    recorders: list[Recorder] = field(default_factory=list)
    number: int = 0
    time: float = 0.0
    opened: bool = False
    streams: set[str] = field(default_factory=set)
    held: int = 0

    def read(self, first: bytes, file: BinaryIO) -> tuple[Transcript, ...]:
        """Return the connections in the lines."""
        for data in _lines(first, file):
            self.number += 1
            self._hold(len(data))
            if data.strip():
                self._take(parse(self.path, self.number, data, MOST_OF_LINE))
        return tuple(recorder.transcript() for recorder in self.recorders)

    def _take(self, line: Any) -> None:
        for error in validator("capture").errors(_without(line, "payload_hex")):
            raise self._fault(error.at, error.expected, _shown(error.at, error.observed))
        if not line["t"] <= _LATEST_S:
            raise self._fault("/t", "seconds", "a number out of all measure")
        kind, time = str(line["kind"]), float(line["t"])
        if kind == "handshake":
            self._begin(line)
        elif not self.recorders:
            raise self._fault("/kind", '"handshake" first', f'"{kind}"')
        elif kind == "open" and self.opened:
            raise self._fault("/kind", '"open" once for each handshake', '"open"')
        elif kind in ("text", "binary") and not self.opened:
            raise self._fault("/kind", '"open" before any message', f'"{kind}"')
        elif time < self.time:
            raise self._fault("/t", f"{self.time} or more, in the order of time", str(time))
        self.time = time
        self.recorders[-1].add(self._entry(kind, time, line))

    def _begin(self, line: Mapping[str, Any]) -> None:
        dialect = self.dialect or self._dialect(line["path"])
        if dialect not in PATHS:
            allowed = f"{' or '.join(PATHS)}: a capture lacks what the response to a handshake says"
            raise self._fault("the dialect", allowed, dialect)
        vantage = self.vantage or Vantage.SERVER
        self.recorders.append(Recorder(dialect, vantage, CASE, len(self.recorders)))
        self.opened = False
        self.streams.clear()

    def _dialect(self, target: str) -> str:
        path = target.partition("?")[0]
        for dialect, paths in PATHS.items():
            if path.lower().endswith(paths):
                return dialect
        known = ", ".join(known for paths in PATHS.values() for known in paths)
        raise self._fault("/path", f"a path of a speech dialect ({known}), or the option --dialect", shown(path))

    def _entry(self, kind: str, time: float, line: Mapping[str, Any]) -> Entry:
        if kind == "handshake":
            headers = tuple((name, value) for name, value in line["headers"])
            return Asked(time, HttpRequest("GET", line["path"], headers))
        if kind == "open":
            self.opened = True
            return Answered(time, HttpResponse(101, _agreed(line)))
        sender = _SENDERS[line["dir"]]
        if kind == "text":
            return Frame(time, sender, Kind.TEXT, line["text"].encode())
        if kind == "binary":
            return Frame(time, sender, Kind.BINARY, self._binary(line))
        if line["code"] == ABNORMAL:
            return Ended(time, sender, Ending.EOF, line["reason"])
        return CloseFrame(time, sender, line["code"], line["reason"])

    def _binary(self, line: Mapping[str, Any]) -> bytes:
        length = int(line["payload_len"])
        block = str(line["headers"]).encode()
        if len(block) > _WIDEST_BLOCK:
            raise self._fault("/headers", f"at most {_WIDEST_BLOCK} bytes", str(len(block)))
        if "payload_hex" not in line:
            self._hold(length)
            payload = bytes(length)
        else:
            try:
                payload = binascii.unhexlify(line["payload_hex"])
            except ValueError:
                raise self._fault("/payload_hex", "bytes in hexadecimal digits", "other text") from None
            if len(payload) != length:
                raise self._fault("/payload_hex", f"{length} bytes, as payload_len says", str(len(payload)))
        data = len(block).to_bytes(2, "big") + block + payload
        if line["dir"] == "c2s" and self._opens_stream(data) and payload and "payload_hex" not in line:
            raise self._fault("/payload_hex", "the header of the audio, which opens a stream", "nothing")
        return data

    def _opens_stream(self, data: bytes) -> bool:
        """Tell whether a message of the client has the first audio of its turn."""
        try:
            message = read(Kind.BINARY, data)
        except PeerViolation:
            return False
        fresh = message.path.lower() == "audio" and message.request_id not in self.streams
        self.streams.add(message.request_id)
        return fresh

    def _hold(self, size: int) -> None:
        self.held += size + _ENTRY
        if self.held > MOST_OF_CAPTURE:
            raise self._fault("this far", f"at most {MOST_OF_CAPTURE >> 20} MiB of messages", "more")

    def _fault(self, at: str, expected: str, observed: str) -> CaptureError:
        return CaptureError(self.path, f"line {self.number}, {at}", expected, observed)


def _lines(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    data = first
    while data:
        yield data
        data = file.readline(MOST_OF_LINE + 1)


def _agreed(line: Mapping[str, Any]) -> Headers:
    """Return the response's fields that a capture has: what extensions and sub-protocol were agreed on."""
    extensions, chosen = line.get("ext", []), line.get("sub")
    return (
        *([("Sec-WebSocket-Extensions", ", ".join(extensions))] if extensions else []),
        *([("Sec-WebSocket-Protocol", chosen)] if chosen is not None else []),
    )
