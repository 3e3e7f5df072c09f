"""The documentation of the formats, written from the formats: message, fields, requirements, cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from construct import Const, Construct, Prefixed, Renamed, Struct

import schemas
from conformance.cases.judged import judged_by
from protocol import requirements, riff
from protocol.schema_compile import KEYWORDS, OWN
from protocol.speech import formats
from protocol.validate import validator

_HEAD = """\
# The formats

Written by `speechwire docs schemas` from the schemas in this folder, the binary formats in `protocol/`, the register
and the catalogue of cases; do not edit it by hand. For each message: its fields with type and unit, the requirement
that a field breaks when it is wrong, and the cases of `speechwire check` that judge that requirement (`wire`: every
message of every run). `speechwire requirements` has the statements and sources of the requirements, and
`speechwire cases --explain ID` says what a case does. Objects are open: members that are not listed are legal.
"""
_UNITS: Final = (
    (re.compile(r"ticks of 100 ns"), "ticks of 100 ns"),
    (re.compile(r"\bin bytes\b"), "bytes"),
    (re.compile(r"\b(ms|milliseconds)\b"), "ms"),
    (re.compile(r"\bHz\b"), "Hz"),
)
_FOLDERS: Final = {"translator": "Translator Speech API v1.0", "speech": "Speech service, translation v1 and v2"}
_BINARY: Final[Mapping[str, tuple[tuple[str, Construct, str], ...]]] = {
    "translator": (
        ("RIFF/WAVE: head", riff.RIFF_HEAD, "translator.audio.header-first"),
        ("RIFF/WAVE: head of a chunk", riff.CHUNK_HEAD, "translator.audio.extra-chunks"),
        ("RIFF/WAVE: body of `fmt `", riff.FMT, "translator.audio.format"),
        ("RIFF/WAVE: extension of `fmt `", riff.EXTENSIBLE, "translator.audio.format"),
    ),
    "speech": (
        ("Binary message", formats.BINARY, "speech.malformed.header-size"),
        ("Text message", formats.TEXT, "speech.malformed.text-separator"),
        ("Line of a header block", formats.FIELD, "speech.malformed.header-line"),
    ),
}


def render() -> str:
    """Return the whole document as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    cases = judged_by()
    for folder, title in _FOLDERS.items():
        yield f"## {folder}: {title}\n"
        for name in schemas.names():
            if name.startswith(f"{folder}/"):
                yield from _message(name, cases)
        for heading, form, requirement in _BINARY[folder]:
            yield f"### {heading}\n"
            yield from _table(("field", "size and type"), [(f"`{field}`", text) for field, text in _layout(form)])
            yield f"Requirement: {_named(requirement, cases)}\n"
    yield "## Files of our own\n"
    own = [name for name in schemas.names() if "/" not in name]
    rows = [(f"`{name}.schema.json`", schemas.read(name)["title"], schemas.read(name)["description"]) for name in own]
    yield from _table(("schema", "title", "what it is"), rows)


def _message(name: str, cases: Mapping[str, Sequence[str]]) -> Iterator[str]:
    schema = validator(name).schema
    original = schemas.read(name)
    yield f"### {original['title']} (`{name}`)\n"
    yield f"{original['description']}\n"
    rows = [
        (f"`{path}`", kind, unit, "yes" if needed else "", _named(requirement, cases), text)
        for path, kind, unit, needed, requirement, text in _fields(schema, "", original.get(OWN, ""))
    ]
    if rows:
        yield from _table(("field", "type", "unit", "required", "requirement (cases)", "meaning"), rows)


def _fields(schema: Mapping[str, Any], path: str, nearest: str) -> Iterator[tuple[str, str, str, bool, str, str]]:
    """Yield path, type, unit, whether it is required, requirement and meaning of each member, depth first."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        if not isinstance(member, Mapping):
            continue
        own = str(member.get(OWN) or next(iter(member.get(KEYWORDS, {}).values()), nearest))
        where, text = f"{path}{name}", str(member.get("description", ""))
        yield where, _type(member), _unit(text), name in required, own, text
        deeper = str(member.get(OWN, nearest))
        yield from _fields(member, f"{where}.", deeper)
        for keyword, below in (("items", "[]"), ("additionalProperties", ".*")):
            inner = member.get(keyword)
            if isinstance(inner, Mapping):
                yield from _fields(inner, f"{where}{below}.", str(inner.get(OWN, deeper)))


def _type(member: Mapping[str, Any]) -> str:
    if "const" in member:
        return f"`{json.dumps(member['const'], ensure_ascii=False)}`"
    if "enum" in member:
        return "one of " + ", ".join(f"`{json.dumps(value, ensure_ascii=False)}`" for value in member["enum"])
    kind = member.get("type", "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{text}: {member['title']}" if "title" in member else text


def _unit(text: str) -> str:
    return next((unit for pattern, unit in _UNITS if pattern.search(text)), "")


def _layout(form: Construct) -> Iterator[tuple[str, str]]:
    """Yield name and size of each part of a binary format, in order."""
    assert isinstance(form, Struct)  # noqa: S101 - they are listed above
    for part in form.subcons:
        yield part.name, _size(part.subcon if isinstance(part, Renamed) else part)


def _size(part: Construct) -> str:
    if isinstance(part, Prefixed):
        return f"a size in {part.lengthfield.sizeof()} bytes, then as many bytes"
    if isinstance(part, Const):
        return f"{part.sizeof()} bytes, always `{part.value!r}`"
    try:
        size = part.sizeof()
    except Exception:  # noqa: BLE001 - construct's way to say that there is no fixed size
        return "up to its end mark, or to the end of the message"
    return f"{size} bytes, {'little-endian' if str(getattr(part, 'fmtstr', '')).startswith('<') else 'as they are'}"


def _named(requirement: str, cases: Mapping[str, Sequence[str]]) -> str:
    if not requirement:
        return ""
    requirements.get(requirement)
    judged = ", ".join(cases.get(requirement, ()))
    return f"`{requirement}`{f' ({judged})' if judged else ''}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
    yield ""
