"""The messages that a translator server sends as text: interim and final results.

There is no other one: errors are HTTP statuses or close codes, and voices are binary messages (facts M9, T2). The
formats stand in `schemas/translator/partial.schema.json` and `final.schema.json`; here they become values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from protocol.errors import LocalViolation, PeerViolation
from protocol.validate import shown, validator

TEXT_JSON = "translator.result.text-json"
ONE_OBJECT = "translator.result.one-object"
TYPE = "translator.result.type"

_MEASURES = ("audioTimeOffset", "audioTimeSize", "audioStreamPosition", "audioSizeBytes")
_MEMBERS = ("type", "id", "recognition", "translation", *_MEASURES)


@dataclass(frozen=True, slots=True)
class Timing:
    """Where an utterance stands in the audio; sent with the feature TimingInfo.

    Attributes:
        offset_ticks: Start, in ticks of 100 ns from the beginning of the audio (`audioTimeOffset`).
        size_ticks: Length in ticks, without the silence behind it (`audioTimeSize`).
        position_bytes: Start, in bytes (`audioStreamPosition`).
        size_bytes: Length in bytes (`audioSizeBytes`).
    """

    offset_ticks: int
    size_ticks: int
    position_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Partial:
    """What an utterance that is still open sounds like so far; `id` is `major.minor`, e.g. `23.4`."""

    id: str
    recognition: str
    translation: str
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Final:
    """The result of an utterance; `id` is the `major` of its partials. Both texts are empty if nothing was said."""

    id: str
    recognition: str
    translation: str
    timing: Timing | None = None


def encode(message: Partial | Final) -> bytes:
    """Return a result as compact JSON in UTF-8, members in the order of the documents.

    Raises:
        LocalViolation: translator.result.text-json: a text holds half of a surrogate pair, which UTF-8 cannot say.
    """
    members: dict[str, str | int] = {
        "type": "partial" if isinstance(message, Partial) else "final",
        "id": message.id,
        "recognition": message.recognition,
        "translation": message.translation,
    }
    if message.timing is not None:
        timing = message.timing
        measures = (timing.offset_ticks, timing.size_ticks, timing.position_bytes, timing.size_bytes)
        members |= zip(_MEASURES, measures, strict=True)
    try:
        return _ENCODER.encode(members).encode()
    except UnicodeEncodeError as error:
        half = shown(error.object[error.start])
        raise LocalViolation(TEXT_JSON, f"result {message.id}", "text that UTF-8 can say", half) from error


def parse(data: bytes) -> Partial | Final:
    """Return the result in a text message. Members that are not in the schema are legal and left out.

    Raises:
        PeerViolation: `at` is a byte offset where the text is no JSON, a JSON pointer where the JSON is no result;
            the requirement is translator.result.text-json, translator.result.one-object, translator.result.type, or
            the one that the schema names.
    """
    members = _read(data)
    kind = members.get("type")
    if kind == "final":
        _FINAL.check(members)
        return Final(members["id"], members["recognition"], members["translation"], _timing(members))
    if kind == "partial":
        _PARTIAL.check(members)
        return Partial(members["id"], members["recognition"], members["translation"], _timing(members))
    observed = shown(kind) if "type" in members else "nothing"
    raise PeerViolation(TYPE, "/type", '"partial" or "final"', observed)


def _timing(members: dict[str, Any]) -> Timing | None:
    if "audioTimeOffset" not in members:
        return None
    return Timing(*(members[name] for name in _MEASURES))


# --- JSON, stricter than Python's reader where peers would read different things --------------------------------------


class _Doubled(dict[str, Any]):
    """An object in which a member came more than once; readers disagree about which one counts."""

    __slots__ = ("names",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.names = tuple(name for name, count in counts.items() if count > 1)


def _read(data: bytes) -> dict[str, Any]:
    """Return the one object that a message consists of."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        _refuse(TEXT_JSON, error.start, "UTF-8", f"byte {data[error.start]:#04x}")
    value, end = _value(text, _blank(text, 0))
    if end < len(text):
        _value(text, end)  # what is no JSON either is reported as that
        _refuse(ONE_OBJECT, _offset(text, end), "the end after one JSON object", "more JSON")
    if not isinstance(value, dict):
        raise PeerViolation(ONE_OBJECT, "whole value", "an object", shown(value))
    if isinstance(value, _Doubled):
        for name in value.names:
            if name in _MEMBERS:
                raise PeerViolation(TEXT_JSON, f"/{name}", "one member of this name", "several")
    # Only text with an escape can hold half of a surrogate pair: a look at the raw text spares the look at each value.
    if "\\u" in text:
        for name in _MEMBERS:
            member = value.get(name)
            if isinstance(member, str) and _HALF.search(member):
                raise PeerViolation(TEXT_JSON, f"/{name}", "text that UTF-8 can say", shown(member))
    return value


def _value(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value at `start`, and where the next thing behind it begins."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except JSONDecodeError as error:
        _refuse(TEXT_JSON, _offset(text, error.pos), "JSON", shown(text[error.pos : error.pos + 20]))
    except RecursionError:
        _refuse(TEXT_JSON, _offset(text, start), "JSON of a bounded depth", "hundreds of nested values")
    except _NotJson as error:
        _refuse(TEXT_JSON, _offset(text, start), "JSON", f"the word {error}")
    return value, _blank(text, end)


def _blank(text: str, start: int) -> int:
    """Return where the white space that begins at `start` ends."""
    return len(text) - len(text[start:].lstrip(" \t\n\r"))


def _offset(text: str, position: int) -> int:
    return len(text[:position].encode())


def _refuse(requirement: str, offset: int, expected: str, observed: str) -> NoReturn:
    raise PeerViolation(requirement, f"offset {offset}", expected, observed) from None


class _NotJson(ValueError):
    """NaN or Infinity, which Python's reader would take."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Doubled(pairs)


def _integer(digits: str) -> int | float:
    # Python refuses thousands of digits with an error of its own; no measure comes near them.
    return int(digits) if len(digits) <= 400 else float(digits)


def _constant(word: str) -> NoReturn:
    raise _NotJson(word)


_HALF = re.compile("[\ud800-\udfff]")
_DECODER = JSONDecoder(object_pairs_hook=_members, parse_int=_integer, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_PARTIAL = validator("translator/partial")
_FINAL = validator("translator/final")
