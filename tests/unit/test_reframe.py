"""Long frames cut while they arrive: whatever comes out means the same to a parser as what went in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, Opcode
from websockets.protocol import SERVER, Protocol

from protocol.reframe import Reframer

LIMIT = 128
LONGEST_HEAD = 14
KEY = b"\x11\x22\x33\x44"


def masked(data: bytes) -> bytes:
    return bytes(byte ^ KEY[at % 4] for at, byte in enumerate(data))


def frame(opcode: int, data: bytes, *, fin: bool = True, width: int | None = None, reserved: int = 0) -> bytes:
    """Return a masked frame whose length takes `width` bytes more than it has to, or as few as possible."""
    if width is None:
        width = 0 if len(data) < 126 else 2 if len(data) < 1 << 16 else 8
    marker = {0: len(data), 2: 126, 8: 127}[width]
    length = len(data).to_bytes(width, "big") if width else b""
    return bytes((fin << 7 | reserved << 4 | opcode, 0x80 | marker)) + length + KEY + masked(data)


def pieces(data: bytes, cuts: Iterable[int]) -> Iterator[bytes]:
    """Cut `data` at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return (data[start:end] for start, end in pairwise(places))


@dataclass(frozen=True)
class Item:
    """A message, or a control frame that came when so many bytes of a message were there."""

    opcode: Opcode
    data: bytes
    inside: int | None = None


def understood(wire: Iterable[bytes], limit: int | None) -> tuple[list[Item], str | None]:
    """Return what the parser of `websockets` understands, frame boundaries aside, and what it complains about."""
    parser = Protocol(SERVER, max_size=(None, limit))
    items: list[Item] = []
    kind, parts = BINARY, bytearray()
    started = False
    for data in wire:
        parser.receive_data(data)
        for event in parser.events_received():
            assert isinstance(event, Frame)
            if event.opcode in {PING, PONG, CLOSE}:
                items.append(Item(event.opcode, bytes(event.data), len(parts) if started else None))
                continue
            if event.opcode is not CONT:
                kind, parts, started = event.opcode, bytearray(), True
            parts += event.data
            if event.fin:
                items.append(Item(kind, bytes(parts)))
                started = False
    return items, None if parser.parser_exc is None else str(parser.parser_exc)


def reframed(wire: Iterable[bytes], limit: int = LIMIT) -> list[bytes]:
    reframer = Reframer(limit)
    return [out for data in wire if (out := reframer.feed(data))]


CONTROL = st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125))
SIZES = st.one_of(st.integers(0, 3), st.sampled_from([125, 126, LIMIT - 1, LIMIT, LIMIT + 1]), st.integers(0, 1500))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Draw one message in any frames, with control frames before, between and behind them."""
    opcode: int = draw(st.sampled_from([TEXT, BINARY]))
    wire = b""
    sizes = draw(st.lists(SIZES, min_size=1, max_size=4))
    for number, size in enumerate(sizes):
        wire += b"".join(draw(st.lists(CONTROL, max_size=2)))
        width = draw(st.sampled_from([None, None, 8] if size < 1 << 16 else [None]))
        data = bytes((number + at) % 251 for at in range(size))
        wire += frame(opcode, data, fin=number == len(sizes) - 1, width=width)
        opcode = CONT
    return wire


class TestLegalFrames:
    @given(st.lists(messages(), max_size=3), st.lists(st.integers(0, 10**6), max_size=12))
    def test_any_sequence_over_any_split_means_the_same(self, drawn: list[bytes], cuts: list[int]) -> None:
        wire = b"".join(drawn)
        assert understood(reframed(pieces(wire, cuts)), LIMIT) == understood([wire], None)

    def test_a_short_frame_passes_to_the_byte(self) -> None:
        wire = frame(BINARY, bytes(LIMIT)) + frame(TEXT, b"hi") + frame(CLOSE, b"\x03\xe8")
        assert b"".join(reframed([wire])) == wire

    def test_a_long_frame_becomes_a_fragmented_message(self) -> None:
        wire = b"\x82\xfe\x01\x2c" + KEY + masked(bytes(300))
        assert reframed([wire]) == [
            (b"\x02\xfe\x00\x80" + KEY + masked(bytes(128)))
            + (b"\x00\xfe\x00\x80" + KEY + masked(bytes(128)))
            + (b"\x80\xac" + KEY + masked(bytes(44)))
        ]

    def test_the_first_of_several_long_frames_leaves_the_message_open(self) -> None:
        items, error = understood(
            reframed([frame(TEXT, b"a" * 300, fin=False), frame(PING, b"!"), frame(CONT, b"b" * 300)]), LIMIT
        )
        assert items == [Item(PING, b"!", inside=300), Item(TEXT, b"a" * 300 + b"b" * 300)]
        assert error is None

    def test_frames_that_come_byte_by_byte_are_put_together(self) -> None:
        wire = frame(BINARY, bytes(range(200))) + frame(PONG, b"x")
        found = understood(reframed(bytes((byte,)) for byte in wire), LIMIT)
        assert found == ([Item(BINARY, bytes(range(200))), Item(PONG, b"x")], None)

    def test_pieces_are_handed_on_before_the_frame_is_complete(self) -> None:
        reframer = Reframer(LIMIT)
        wire = frame(BINARY, bytes(1000))
        assert reframer.feed(wire[: 8 + LIMIT - 1]) == b""
        assert len(reframer.feed(wire[8 + LIMIT - 1 : 8 + LIMIT])) == 8 + LIMIT

    @pytest.mark.parametrize(
        ("rest", "head"),
        [
            (4, b"\x80\x84"),
            (125, b"\x80\xfd"),
            (126, b"\x80\xfe\x00\x7e"),
            (65535, b"\x80\xfe\xff\xff"),
            (65536, b"\x80\xff\x00\x00\x00\x00\x00\x01\x00\x00"),
        ],
    )
    def test_each_piece_has_the_shortest_head_that_holds_its_length(self, rest: int, head: bytes) -> None:
        limit = 1 << 17
        (out,) = reframed([frame(BINARY, bytes(limit + rest))], limit)
        assert out[:10] == b"\x02\xff" + limit.to_bytes(8, "big")
        assert out[14 + limit :].startswith(head + KEY)
        assert understood([out], limit) == ([Item(BINARY, bytes(limit + rest))], None)


class TestMemory:
    def test_of_a_4_mb_frame_no_more_than_one_piece_is_ever_held(self) -> None:
        size, limit = 4 << 20, 8192
        payload = bytes(range(256)) * (size // 256)
        wire = b"\x82\xff" + size.to_bytes(8, "big") + b"\0\0\0\0" + payload  # this key changes nothing
        reframer = Reframer(limit)
        parser = Protocol(SERVER, max_size=(None, limit))
        fed = out = 0
        read = bytearray()
        for at in range(0, len(wire), 5000):
            part = wire[at : at + 5000]
            fed += len(part)
            parser.receive_data(reframer.feed(part) or frame(PONG, b""))
            for event in parser.events_received():
                assert isinstance(event, Frame)
                read += event.data
            out = len(read)
            assert fed - out <= limit + LONGEST_HEAD
        assert bytes(read) == payload

    def test_of_a_frame_that_promises_exabytes_neither(self) -> None:
        reframer = Reframer(LIMIT)
        assert reframer.feed(b"\x82\xff\x7f" + b"\xff" * 7 + KEY) == b""
        out = sum(len(reframer.feed(bytes(100))) for _ in range(1000))
        assert out == 100_000 // LIMIT * (8 + LIMIT)


class TestBrokenFrames:
    """They are handed on as they are: the parser behind says what is wrong with them."""

    @pytest.mark.parametrize(
        ("wire", "complaint"),
        [
            (b"\x82\x05hello", "incorrect masking"),
            (b"\x82\x7e\x10\x00", "incorrect masking"),
            (frame(3, b""), "invalid opcode"),
            (frame(15, bytes(500)), "invalid opcode"),
            (frame(BINARY, b"", reserved=4), "reserved bits must be 0"),
            (frame(BINARY, bytes(500), reserved=1), "reserved bits must be 0"),
            (frame(PING, bytes(127)), "control frame too long"),
            (frame(PING, b"", fin=False), "fragmented control frame"),
            (frame(CONT, bytes(500)), "unexpected continuation frame"),
            (frame(TEXT, b"a", fin=False) + frame(TEXT, bytes(500)), "expected a continuation frame"),
        ],
    )
    def test_get_the_complaint_that_they_deserve(self, wire: bytes, complaint: str) -> None:
        assert understood(reframed([wire]), LIMIT)[1] == complaint
        assert understood(reframed(bytes((byte,)) for byte in wire), LIMIT)[1] == complaint

    def test_a_long_control_frame_is_refused_by_its_head_alone(self) -> None:
        head = b"\x89\xfe\xff\xff" + KEY
        error = understood(reframed([head]), LIMIT)[1]
        assert error is not None
        assert "65535 bytes" in error

    def test_two_bytes_are_enough_to_see_that_a_frame_is_not_masked(self) -> None:
        assert reframed([b"\x82", b"\x00"]) == [b"\x82\x00"]

    def test_what_comes_before_them_is_still_understood(self) -> None:
        wire = frame(BINARY, bytes(300)) + b"\x82\x05hello"
        assert understood(reframed([wire]), LIMIT) == ([Item(BINARY, bytes(300))], "incorrect masking")

    @given(st.binary(max_size=2000), st.lists(st.integers(0, 10**6), max_size=8))
    def test_no_bytes_whatever_are_kept_beyond_one_frame(self, wire: bytes, cuts: list[int]) -> None:
        reframer = Reframer(LIMIT)
        out = sum(len(reframer.feed(part)) for part in pieces(wire, cuts))
        assert len(wire) - out <= LIMIT + LONGEST_HEAD


class TestLimit:
    def test_may_be_as_long_as_the_longest_control_frame_needs(self) -> None:
        assert reframed([frame(BINARY, bytes(128))], 128) == [frame(BINARY, bytes(128))]

    @pytest.mark.parametrize("limit", [-4, 0, 4, 124, 127, 129, 130])
    def test_is_a_multiple_of_4_that_leaves_control_frames_whole(self, limit: int) -> None:
        with pytest.raises(ValueError, match=f"a multiple of 4 from 128 on, not {limit}"):
            Reframer(limit)

    def test_of_128_takes_the_longest_control_frame(self) -> None:
        assert understood(reframed([frame(PING, bytes(125))]), LIMIT) == ([Item(PING, bytes(125))], None)
