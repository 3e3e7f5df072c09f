"""What was sent, for a person: the bytes of a message in hexadecimal digits, beside what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.programs.player import Played
from conformance.transcript import Frame
from protocol import requirements
from protocol.wire import Kind, Party

_SHOWN: Final = 12  # bytes of a field
_FRAMES: Final = 4  # of a step
_MOST: Final = 40  # lines
_RIFF: Final = (
    (4, "RIFF"),
    (4, "size of the rest"),
    (4, "WAVE"),
    (4, "fmt"),
    (4, "size of fmt"),
    (2, "how samples are written"),
    (2, "channels"),
    (4, "samples per second"),
    (4, "bytes per second"),
    (2, "bytes per sample"),
    (2, "bits per sample"),
    (4, "data"),
    (4, "size of data"),
)
_NUMBERS: Final = frozenset(what for size, what in _RIFF if what not in ("RIFF", "WAVE", "fmt", "data"))


def lines(played: Played, talk: int) -> tuple[str, ...]:
    """Return the messages of a connection that are in a special form or wrong, dissected; else the last one."""
    entries = played.transcripts[talk].entries
    steps = [number for number, step in enumerate(played.program.steps) if step.talk == talk]
    stopped = played.stopped[talk]
    sent = [number for number in steps if stopped is None or number <= stopped]
    chosen = [number for number in sent if played.program.steps[number].form or played.program.steps[number].wrong]
    found: list[str] = []
    for number in chosen or sent[-1:]:
        step = played.program.steps[number]
        begin, end = played.spans[number]
        frames = [entry for entry in entries[begin:end] if isinstance(entry, Frame) and entry.sender is Party.CLIENT]
        kind = f"form {step.form!r} {list(step.at)}" if step.form else f"mistake {step.wrong!r}" if step.wrong else ""
        found.append(f"sent: step {number}, {step.does}{f', {kind}' if kind else ''}")
        found += _frames(frames[:_FRAMES], requirements.folder(played.program.dialect))
        if len(frames) > _FRAMES:
            found.append(f"  … {len(frames) - _FRAMES} frames more …")
    if len(found) > _MOST:
        found = [*found[:_MOST], f"  … {len(found) - _MOST} lines left out …"]
    return tuple(found)


def _frames(frames: list[Frame], folder: str) -> Iterator[str]:
    whole = b""
    for frame in frames:
        whole = frame.data if frame.first else whole + frame.data
        if not (frame.first and frame.final):
            yield _line(frame.data, f"a frame of {len(frame.data)} bytes")
        if frame.final:
            yield from _speech(frame.kind, whole) if folder == "speech" else _audio(whole)


def _speech(kind: Kind, data: bytes) -> Iterator[str]:
    """Take a message of the speech dialects apart, whatever is wrong with it."""
    head, body = data, b""
    if kind is Kind.BINARY:
        size = int.from_bytes(data[:2], "big")
        yield _line(data[:2], f"size of the header block: {size} of {max(0, len(data) - 2)} bytes that follow")
        head, body = data[2 : 2 + size], data[2 + size :]
    elif b"\r\n\r\n" in data:
        place = data.index(b"\r\n\r\n") + 2
        head, body = data[:place], data[place + 2 :]
    for line in head.split(b"\r\n"):
        if line:
            yield _line(line, line.decode(errors="backslashreplace"))
    if kind is Kind.TEXT and body:
        yield _line(body, body.decode(errors="backslashreplace"))
    elif kind is Kind.BINARY:
        yield from _audio(body)


def _audio(data: bytes) -> Iterator[str]:
    """Take audio apart: the fields of a header that it begins with, and how much more there is."""
    at = 0
    if data.startswith(b"RIFF"):
        for size, what in _RIFF:
            field = data[at : at + size]
            value = f": {int.from_bytes(field, 'little')}" if what in _NUMBERS and len(field) == size else ""
            if field:
                yield _line(field, f"{what}{value}")
            at += size
    rest = data[at:]
    yield _line(rest, f"{len(rest)} bytes of audio" if rest else "no audio")


def _line(data: bytes, meaning: str) -> str:
    shown = data[:_SHOWN].hex(" ") + (" …" if len(data) > _SHOWN else "")
    return f"  {shown:<{3 * _SHOWN + 2}} {meaning}"
