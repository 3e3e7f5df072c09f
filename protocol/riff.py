"""RIFF/WAVE: the container of all audio on the wire, both ways.

The layouts are construct formats, used interpreted only (compiled ones take truncated input for whole). Nothing of
construct leaves this module: it takes and gives bytes, `RiffHeader` and `PeerViolation`.

    HeaderReader    the header that opens a stream, over any split into messages; its sizes may be open or untrue
    parse_file      one complete file, whose sizes must be true
    build_header, build_file    the way back

All numbers are little-endian. A chunk's body of an odd size is followed by one byte of padding.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Generator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from construct import Aligned, Bytes, Const, ConstructError, GreedyBytes, Int16ul, Int32ul, Prefixed, Struct

from protocol.audio import Codec, PcmFormat
from protocol.errors import PeerViolation

RIFF_HEAD = Struct("riff" / Const(b"RIFF"), "size" / Int32ul, "wave" / Const(b"WAVE"))
CHUNK_HEAD = Struct("id" / Bytes(4), "size" / Int32ul)
CHUNK = Aligned(2, Struct("id" / Bytes(4), "body" / Prefixed(Int32ul, GreedyBytes)))
FMT = Struct(
    "tag" / Int16ul,
    "channels" / Int16ul,
    "rate" / Int32ul,
    "byte_rate" / Int32ul,
    "block_align" / Int16ul,
    "bits" / Int16ul,
)
EXTENSIBLE = Struct(
    "extra_size" / Int16ul,
    "valid_bits" / Int16ul,
    "channel_mask" / Int32ul,
    "subformat" / Const(bytes.fromhex("0100000000001000800000aa00389b71")),  # the GUID of PCM
)

MAX_HEADER = 64 * 1024
"""Bytes that the header of a stream may take up to its first sample."""

RATES = range(8000, 48001)
"""Sampling rates in Hz that are taken."""

UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""What a writer puts into a size field that it sends before it knows the length of the audio."""

_U32 = range(1 << 32)
_EXTENSIBLE = 0xFFFE
_ID_SIZE: int = CHUNK_HEAD.id.sizeof()
_CHUNK_HEAD_SIZE: int = CHUNK_HEAD.sizeof()
_EXTENDED_SIZE: int = FMT.sizeof() + EXTENSIBLE.sizeof()

_T = TypeVar("_T")
_Steps = Generator[int, bytes, _T]  # asks for a number of bytes, is sent exactly these, returns what they mean


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What a reader takes, and the requirements that a header answers to.

    Attributes:
        container: The requirement that it is a header.
        format: The requirement about what is in it.
        codecs: How samples may be written; A-law and mu-law always have 8 bits.
        channels: How many channels there may be.
        bits: Widths that a sample of PCM may have.
    """

    container: str
    format: str
    codecs: tuple[Codec, ...] = (Codec.PCM,)
    channels: range = range(1, 2)
    bits: tuple[int, ...] = (16,)


STREAM = HeaderRules("translator.audio.header-first", "translator.audio.format")
VOICE_FILE = HeaderRules("translator.voice.complete-file", "translator.voice.complete-file")


@dataclass(frozen=True, slots=True)
class RiffHeader:
    """What stands before the first sample.

    Attributes:
        format: Shape of the samples.
        riff_size: The size field at offset 4, as written.
        data_size: The size field of the `data` chunk, as written.
        length: Bytes of the header; the first sample's offset.
        fmt_size: Size of the `fmt ` chunk's body: 16, 18 or 40.
        chunks: Id and size of each chunk in order, `fmt ` and `data` included.
        codec: How the samples are written.
    """

    format: PcmFormat
    riff_size: int
    data_size: int
    length: int
    fmt_size: int
    chunks: tuple[tuple[bytes, int], ...]
    codec: Codec = Codec.PCM

    @property
    def announced(self) -> int | None:
        """Bytes of samples that the header announces, or None if it leaves that open."""
        return None if self.data_size in UNKNOWN_SIZES else self.data_size


class HeaderReader:
    """Reads the header at the start of a stream, however the stream is split into messages.

    Takes what the rules allow at 8 to 48 kHz (PCM also as WAVE_FORMAT_EXTENSIBLE), any chunks beside `fmt ` and
    `data`, and any RIFF and data size. Work is linear in the bytes fed, and at most `limit` bytes are held. An error
    is raised on the byte that proves it, so that it is the same for every split.
    """

    def __init__(self, rules: HeaderRules = STREAM, *, limit: int = MAX_HEADER) -> None:
        self._steps = _Walk(rules, limit).header()
        self._needed = next(self._steps)
        self._held = bytearray()
        self._spent = False

    def feed(self, data: bytes) -> tuple[RiffHeader, bytes] | None:
        """Take the next bytes; return the header and the audio behind it once it is complete, until then None.

        Raises PeerViolation at `offset N` of the stream, of the rules' requirements (`translator.audio.header-first`
        and `translator.audio.format`). After an answer or an error the reader is spent: feeding it again raises
        RuntimeError.
        """
        if self._spent:
            raise RuntimeError("this header has been read; what follows is not for its reader")
        at = 0
        while (end := at + self._needed - len(self._held)) <= len(data):
            unit = bytes(self._held) + data[at:end]
            self._held.clear()
            at = end
            try:
                self._needed = self._steps.send(unit)
            except StopIteration as done:
                self._spent = True
                return done.value, data[at:]
            except PeerViolation:
                self._spent = True
                raise
        self._held += data[at:]
        return None


@cache
def _integer(field: Any) -> tuple[int, Callable[[bytes], tuple[Any, ...]]]:
    """Return the size of an integer field, and what reads it; asked of construct once for all headers."""
    layout = struct.Struct(field.subcon.fmtstr)
    return layout.size, layout.unpack


class _Walk:
    """One pass over a header, as a generator that asks for the bytes it needs next."""

    def __init__(self, rules: HeaderRules, limit: int) -> None:
        self.rules = rules
        self.limit = limit
        self.offset = 0

    def header(self) -> _Steps[RiffHeader]:
        yield from self._const(RIFF_HEAD.riff, self.rules.container)
        riff_size = yield from self._number(RIFF_HEAD.size)
        yield from self._const(RIFF_HEAD.wave, self.rules.container)
        chunks: list[tuple[bytes, int]] = []
        pcm: PcmFormat | None = None
        codec = Codec.PCM
        fmt_size = 0
        while True:
            name = yield from self._chunk_id()
            if name == (b"data" if pcm is None else b"fmt "):
                expected = "one 'fmt ' chunk, and that before 'data'"
                raise _violation(self.rules.container, self.offset - 4, expected, repr(name.decode()))
            is_fmt = name == b"fmt "
            sizes = (16, 18, 40) if is_fmt else _U32
            size = yield from self._number(CHUNK_HEAD.size, sizes, "16, 18 or 40 bytes in 'fmt ' (PCM)")
            chunks.append((name, size))
            if pcm and name == b"data":
                return RiffHeader(pcm, riff_size, size, self.offset, fmt_size, tuple(chunks), codec)
            end = self._end(size)
            if is_fmt:
                fmt_size = size
                pcm, codec = yield from self._fmt(size)
            yield from self._take(end - self.offset)

    def _end(self, size: int) -> int:
        # Behind this chunk at least the head of `data` has to fit in.
        end = self.offset + size + size % 2
        if end + _CHUNK_HEAD_SIZE > self.limit:
            expected = f"a header of at most {self.limit} bytes"
            raise _violation(self.rules.container, self.offset - 4, expected, f"a chunk of {size} bytes")
        return end

    def _fmt(self, size: int) -> _Steps[tuple[PcmFormat, Codec]]:
        rules = self.rules
        tags = [codec.value for codec in rules.codecs]
        if size == _EXTENDED_SIZE:
            tags.append(_EXTENSIBLE)
        named = _either([f"{codec.value} ({codec.label})" for codec in rules.codecs])
        tag = yield from self._number(FMT.tag, tags, f"codec {named}")
        codec = Codec.PCM if tag == _EXTENSIBLE else Codec(tag)
        most = rules.channels[-1]
        counted = "1 channel" if most == 1 else f"{rules.channels[0]} to {most} channels"
        channels = yield from self._number(FMT.channels, rules.channels, counted)
        rate = yield from self._number(FMT.rate, RATES, f"{RATES[0]} to {RATES[-1]} samples per second")
        byte_rate = yield from self._number(FMT.byte_rate)
        block_align = yield from self._number(FMT.block_align)
        widths = rules.bits if codec is Codec.PCM else (8,)
        bits = yield from self._number(FMT.bits, widths, f"{_either(widths)} bits per sample")
        # The two derived fields come last: of 8-bit audio it is the width that is wrong, not the byte rate.
        pcm = PcmFormat(rate, channels, bits)
        for back, value, true, what in (
            (8, byte_rate, pcm.bytes_per_second, "bytes per second"),
            (4, block_align, pcm.block_align, "bytes per block"),
        ):
            if value != true:
                raise _violation(self.rules.format, self.offset - back, f"{true} {what}", str(value))
        if tag == _EXTENSIBLE:
            yield from self._number(EXTENSIBLE.extra_size, (22,), "22 bytes of extension")
            yield from self._number(EXTENSIBLE.valid_bits, (bits,), f"{bits} valid bits per sample")
            yield from self._number(EXTENSIBLE.channel_mask)
            yield from self._const(EXTENSIBLE.subformat, self.rules.format)
        return pcm, codec

    def _take(self, size: int) -> _Steps[bytes]:
        data = yield size
        self.offset += size
        return data

    def _number(self, field: Any, allowed: Container[int] = _U32, expected: str = "") -> _Steps[int]:
        size, unpack = _integer(field)
        value = int(unpack((yield from self._take(size)))[0])
        if value not in allowed:
            raise _violation(self.rules.format, self.offset - size, expected, str(value))
        return value

    def _const(self, field: Any, requirement: str) -> _Steps[None]:
        whole: bytes = field.subcon.value
        for wanted in whole:  # byte by byte: what is no RIFF is known at once, by its first byte
            (byte,) = yield from self._take(1)
            if byte != wanted:
                expected = f"0x{wanted:02x} of {whole!r}"
                raise _violation(requirement, self.offset - 1, expected, f"0x{byte:02x}")

    def _chunk_id(self) -> _Steps[bytes]:
        name = b""
        for _ in range(_ID_SIZE):
            byte = yield from self._take(1)
            if not _printable(byte):
                expected = "a chunk id of four printable ASCII characters"
                raise _violation(self.rules.container, self.offset - 1, expected, f"0x{byte.hex()}")
            name += byte
        return name


def parse_file(data: bytes, rules: HeaderRules = VOICE_FILE) -> tuple[RiffHeader, bytes]:
    """Return the header and the samples of one complete file, whose sizes have to be true.

    Chunks may follow the samples. Raises PeerViolation at `offset N` of the file, of the rules' requirements
    (`translator.voice.complete-file`).
    """
    read = HeaderReader(rules, limit=_U32.stop).feed(data)
    if read is None:
        raise _violation(rules.container, len(data), "the rest of the header", "the end of the file")
    header, rest = read
    if header.riff_size != len(data) - 8:
        raise _violation(rules.container, 4, f"{len(data) - 8} (the bytes that follow)", str(header.riff_size))
    if header.data_size > len(rest) or header.data_size % header.format.block_align:
        expected = f"whole samples within the {len(rest)} bytes that follow"
        raise _violation(rules.container, header.length - 4, expected, f"{header.data_size} bytes of samples")
    at = header.length + header.data_size
    while at < len(data):
        at = _skip_chunk(data, at, rules.container)
    return header, rest[: header.data_size]


def _skip_chunk(data: bytes, at: int, requirement: str) -> int:
    head = data[at : at + _CHUNK_HEAD_SIZE]
    left = len(data) - at - _CHUNK_HEAD_SIZE
    if left < 0 or not _printable(head[:4]):
        raise _violation(requirement, at, "a chunk or the end of the file", f"{len(data) - at} other bytes")
    size = int(CHUNK_HEAD.parse(head).size)
    if size + size % 2 > left:
        expected = f"a chunk, padded to even, within the {left} bytes that follow"
        raise _violation(requirement, at + 4, expected, f"one of {size} bytes")
    return at + len(head) + size + size % 2


def build_header(
    format: PcmFormat,  # noqa: A002  a field named like in RiffHeader; the built-in is not used here
    *,
    data_size: int = 0,
    riff_size: int | None = None,
    fmt_size: Literal[16, 18] = 16,
    extra_chunks: Sequence[tuple[bytes, bytes]] = (),
    codec: Codec = Codec.PCM,
) -> bytes:
    """Return the bytes before the first sample, with `extra_chunks` (id, body) between `fmt ` and `data`.

    Any format is written, also one that no reader takes. Without `riff_size`, that field follows `data_size`: open if
    that is open (0 or 0xFFFFFFFF), else true. Raises ValueError for what the fields cannot hold.
    """
    values = {"tag": codec.value, "channels": format.channels, "rate": format.rate, "bits": format.bits}
    values |= {"byte_rate": format.bytes_per_second, "block_align": format.block_align}
    try:
        fmt = FMT.build(values) + bytes(fmt_size - FMT.sizeof())
        bodies = ((b"fmt ", fmt), *extra_chunks)
        chunks = b"".join(CHUNK.build({"id": name, "body": body}) for name, body in bodies)
        chunks += CHUNK_HEAD.build({"id": b"data", "size": data_size})
        if riff_size is None:
            riff_size = data_size if data_size in UNKNOWN_SIZES else 4 + len(chunks) + data_size + data_size % 2
        return bytes(RIFF_HEAD.build({"size": riff_size}) + chunks)
    except ConstructError as error:
        raise ValueError(f"no RIFF header can say this: {error}") from error


def build_file(format: PcmFormat, pcm: bytes, fmt_size: Literal[16, 18] = 16) -> bytes:  # noqa: A002  as above
    """Return a complete file with true sizes around these samples. Raises ValueError for half a sample."""
    if len(pcm) % format.block_align:
        raise ValueError(f"{len(pcm)} bytes are no whole samples of {format.block_align} bytes")
    body = pcm + bytes(len(pcm) % 2)
    riff_size = len(build_header(format, fmt_size=fmt_size)) - 8 + len(body)
    return build_header(format, data_size=len(pcm), riff_size=riff_size, fmt_size=fmt_size) + body


def _either(words: Sequence[object]) -> str:
    *others, last = map(str, words)
    return f"{', '.join(others)} or {last}" if others else last


def _printable(text: bytes) -> bool:
    return all(0x20 <= byte <= 0x7E for byte in text)


def _violation(requirement: str, at: int, expected: str, observed: str) -> PeerViolation:
    return PeerViolation(requirement, f"offset {at}", expected, observed)
