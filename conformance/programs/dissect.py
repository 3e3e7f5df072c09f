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
_FMT: Final = (
    (2, "how samples are written"),
    (2, "channels"),
    (4, "samples per second"),
    (4, "bytes per second"),
    (2, "bytes per sample"),
    (2, "bits per sample"),
)


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
    """Take audio apart, chunk by chunk if it begins with a header, and say how much more there is."""
    at = 0
    if data.startswith(b"RIFF"):
        yield _number(data[4:8], "RIFF, size of the rest")
        at, name = 12, b""
        while name != b"data" and len(data) >= at + 8:
            name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
            yield _number(data[at + 4 : at + 8], f"{name.decode(errors='backslashreplace').strip()}, size")
            at += 8
            if name == b"fmt ":
                yield from _fields(data[at : at + size])
            at += 0 if name == b"data" else size + size % 2
    rest = data[at:]
    yield _line(rest, f"{len(rest)} bytes of audio" if rest else "no audio")


def _fields(chunk: bytes) -> Iterator[str]:
    """Take a fmt chunk apart."""
    at = 0
    for size, what in _FMT:
        yield _number(chunk[at : at + size], what)
        at += size


def _number(field: bytes, what: str) -> str:
    return _line(field, f"{what}: {int.from_bytes(field, 'little')}")


def _line(data: bytes, meaning: str) -> str:
    shown = data[:_SHOWN].hex(" ") + (" …" if len(data) > _SHOWN else "")
    return f"  {shown:<{3 * _SHOWN + 2}} {meaning}"
