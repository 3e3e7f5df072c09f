"""How the special forms and the mistakes of both folders change what is written."""

from __future__ import annotations

import hashlib
from typing import Final

_TAG: Final = slice(20, 22)  # where a header says how samples are written
_NO_PCM: Final = (3, 0x55, 0x11)  # as floating-point numbers, as MP3, as ADPCM


def digest(identity: str, what: str) -> str:
    """Return 32 hexadecimal digits that follow from whose they are and what for."""
    return hashlib.md5(f"{identity}/{what}".encode(), usedforsecurity=False).hexdigest()


def pieces(pcm: bytes, sizes: tuple[int, ...], usual: int) -> list[bytes]:
    """Cut samples into messages: the first of these sizes in bytes, the others of the usual one."""
    parts, at = [], 0
    for size in sizes:
        if at < len(pcm):
            parts.append(pcm[at : at + size])
            at += size
    return [*parts, *(pcm[begin : begin + usual] for begin in range(at, len(pcm), usual))]


def cut(data: bytes, at: tuple[int, ...]) -> list[bytes]:
    """Cut data at places counted from its start; a place behind its end counts from its start again."""
    places = sorted(place % (len(data) + 1) for place in at)
    return [data[begin:end] for begin, end in zip((0, *places), (*places, len(data)), strict=True)]


def split(header: bytes, at: tuple[int, ...]) -> list[bytes]:
    """Cut a header into messages of which none is empty."""
    return cut(header, tuple({1 + place % (len(header) - 1) for place in at}))


def no_pcm(header: bytes, at: int) -> bytes:
    """Return a header that says that its samples are something else than PCM."""
    return header[: _TAG.start] + _NO_PCM[at % len(_NO_PCM)].to_bytes(2, "little") + header[_TAG.stop :]


def recased(name: str, at: int) -> str:
    """Return a name with the letters in upper case whose bit is set in a number, and the others in lower case."""
    return "".join(letter.upper() if at >> place & 1 else letter.lower() for place, letter in enumerate(name))
