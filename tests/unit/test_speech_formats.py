"""The frames of the speech dialects in construct, and that the hand-written ones are the same in every byte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from construct import ConstructError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.errors import PeerViolation
from protocol.speech import formats, framing
from protocol.speech.framing import UspMessage
from protocol.wire import Headers, Kind

ID = "0123456789abcdef0123456789ABCDEF"
TURN = (("X-RequestId", ID), ("Path", "audio"))
NAMES = st.sampled_from(["Path", "path", "X-RequestId", "X-Timestamp", "X-StreamId", "Content-Type", "é", "İ", "i̇"])
SPICES = (
    b"\r\n",
    b"\r\n\r\n",
    b"\r",
    b"\n",
    b":",
    b" ",
    b"\t",
    b"\x00",
    b"\xff",
    b"\xc3",
    "é".encode(),
    b"Path:audio.commit\r\n",
    b"pATH: again\r\n",
    b"\x00\x00",
    b"\x20\x01",
)
"""What a frame is seasoned with until it is wrong."""


def values(highest: int) -> st.SearchStrategy[str]:
    letters = st.characters(max_codepoint=highest, exclude_characters="\r\n", exclude_categories=["Cs"])
    return st.text(letters, max_size=40).map(lambda value: value.strip(" \t"))


def fields(highest: int) -> st.SearchStrategy[Headers]:
    names = NAMES.filter(lambda name: max(map(ord, name)) <= highest)
    pairs = st.lists(st.tuples(names, values(highest)), min_size=1, max_size=6, unique_by=lambda one: one[0].lower())
    return pairs.map(tuple)


TEXTS = st.builds(UspMessage, st.just(Kind.TEXT), fields(0x10FFFF), st.text().map(str.encode))
BINARIES = st.builds(UspMessage, st.just(Kind.BINARY), fields(0x7F), st.binary())


@st.composite
def frames(draw: st.DrawFn) -> tuple[Kind, bytes]:
    """Draw a frame that was in form, until it was cut, doubled, seasoned and sized anew; or headers alone."""
    message = draw(TEXTS | BINARIES)
    kind, data = draw(st.sampled_from([message.kind, message.kind, *Kind])), framing.write(message).data
    if kind is Kind.TEXT and draw(st.booleans()):
        lines = [f"{name}:{value}" for name, value in message.headers]
        data = "\r\n".join([*lines, draw(st.sampled_from(["Path:audio.commit", "Path: AUDIO.commit\r\n"]))]).encode()
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        match draw(st.sampled_from(["cut", "double", "season", "size", "drop"])):
            case "cut":
                data = data[:end]
            case "double":
                data = data[:end] + data[start:]
            case "season":
                data = data[:start] + draw(st.sampled_from(SPICES)) + data[start:]
            case "size":
                size = draw(st.integers(0, len(data) + 3) | st.sampled_from([8192, 8193, 65535]))
                data = size.to_bytes(2, "big") + data[2:]
            case "drop":
                data = data[:start] + data[end:]
    return kind, data


def sized(block: bytes, payload: bytes = b"") -> bytes:
    return len(block).to_bytes(2, "big") + block + payload


def outcome(function: Callable[..., Any], *arguments: object) -> object:
    """Return what a function gives, or the violation that it raises."""
    try:
        return function(*arguments)
    except PeerViolation as violation:
        return violation


class TestRead:
    def test_binary(self) -> None:
        data = sized(f"X-RequestId: {ID}\r\nPath:audio\r\n".encode(), b"\x01\r\n\r\n\xff")
        assert formats.read(Kind.BINARY, data) == UspMessage(Kind.BINARY, TURN, b"\x01\r\n\r\n\xff")

    @pytest.mark.parametrize("block", [b"", b"\r\n"])
    def test_binary_without_headers(self, block: bytes) -> None:
        assert formats.read(Kind.BINARY, sized(block, b"x")) == UspMessage(Kind.BINARY, (), b"x")

    def test_text(self) -> None:
        data = f"X-RequestId:{ID}\r\nPath : audio\r\n\r\nbody\r\n\r\nmore".encode()
        assert formats.read(Kind.TEXT, data) == UspMessage(Kind.TEXT, TURN, b"body\r\n\r\nmore")

    @pytest.mark.parametrize("end", [b"", b"\r\n"])
    def test_audio_commit_of_headers_alone(self, end: bytes) -> None:
        message = formats.read(Kind.TEXT, b"Path:audio.commit" + end)
        assert message == UspMessage(Kind.TEXT, (("Path", "audio.commit"),), b"")

    @pytest.mark.parametrize(
        ("kind", "data", "requirement", "at", "observed"),
        [
            (Kind.BINARY, b"\x00", "size-prefix", 0, "1 bytes in all"),
            (Kind.BINARY, b"\x00\x02:", "header-size", 0, "2"),
            (Kind.BINARY, sized(b"Path:" + b"a" * 8188), "header-size", 0, "8193"),
            (Kind.BINARY, sized(b"Path:\xff"), "binary-utf8", 7, "0xff"),
            (Kind.BINARY, sized(b"Path:a\r\naudio"), "header-line", 10, "'audio'"),
            (Kind.TEXT, b"", "text-empty", 0, "nothing"),
            (Kind.TEXT, b"Path:a\r\n\r\n\xff", "text-utf8", 10, "0xff"),
            (Kind.TEXT, b"Path:a", "text-separator", 6, "the end of the message"),
            (Kind.TEXT, b"audio.commit", "text-separator", 12, "the end of the message"),
            (Kind.TEXT, b" :a\r\n\r\n", "header-line", 0, "' :a'"),
            (Kind.TEXT, b"Path:a\nb\r\n\r\n", "header-line", 0, r"'Path:a\nb'"),
            (Kind.TEXT, b"Path:a\rb\r\n\r\n", "header-line", 0, r"'Path:a\rb'"),
            (Kind.TEXT, b"X:1\r\nPath:a\r\npath:b\r\n\r\n", "duplicate-header", 0, "2 of them"),
        ],
    )
    def test_what_cannot_be_understood_is_refused_at_its_offset(
        self, kind: Kind, data: bytes, requirement: str, at: int, observed: str
    ) -> None:
        with pytest.raises(PeerViolation) as caught:
            formats.read(kind, data)
        error = caught.value
        assert (error.requirement, error.at) == (f"speech.malformed.{requirement}", f"offset {at}")
        assert error.observed == observed


class TestWrite:
    def test_text(self) -> None:
        message = UspMessage(Kind.TEXT, TURN, "é".encode())
        assert formats.write(message).data == f"X-RequestId:{ID}\r\nPath:audio\r\n\r\né".encode()

    def test_binary(self) -> None:
        message = UspMessage(Kind.BINARY, TURN, b"\xff")
        assert formats.write(message).data == sized(f"X-RequestId:{ID}\r\nPath:audio\r\n".encode(), b"\xff")

    @pytest.mark.parametrize("value", ["a" * 8189, "é"])
    def test_what_does_not_fit_into_a_binary_message_is_no_message(self, value: str) -> None:
        message = UspMessage(Kind.BINARY, (("X", value),), b"")
        for twin in (formats, framing):
            with pytest.raises(ValueError, match=r"at most 8192 bytes, not 8193|ascii"):
                twin.write(message)


class TestUntil:
    def test_takes_what_stands_before_the_terminator_wherever_that_is(self) -> None:
        assert formats.Until(b"\r\n").parse(b"abc\r\ndef\r\n") == b"abc"

    def test_demands_a_terminator(self) -> None:
        with pytest.raises(ConstructError):
            formats.Until(b"\r\n").parse(b"abc\r")

    def test_writes_one(self) -> None:
        assert formats.Until(b":").build(b"Path") == b"Path:"


class TestTwins:
    @given(st.sampled_from(Kind), st.binary())
    def test_read_the_same_in_anything(self, kind: Kind, data: bytes) -> None:
        assert outcome(formats.read, kind, data) == outcome(framing.read, kind, data)

    @given(frames())
    @example((Kind.TEXT, b"Path:audio.commit\r\nPath:audio.commit"))
    @example((Kind.TEXT, b"Path:audio.commit\r\n\r\n\r\n\r\n"))
    @example((Kind.BINARY, sized(b"\r\n\r\n")))
    @example((Kind.BINARY, sized(b"Path:a\r\n\r\n")))
    def test_read_the_same_in_what_is_nearly_right(self, frame: tuple[Kind, bytes]) -> None:
        assert outcome(formats.read, *frame) == outcome(framing.read, *frame)

    @given(TEXTS | BINARIES)
    def test_write_the_same_and_read_it_back(self, message: UspMessage) -> None:
        written = formats.write(message)
        assert written == framing.write(message)
        assert formats.read(message.kind, written.data) == message

    def test_the_nearly_right_is_not_always_wrong_and_not_always_right(self) -> None:
        seen: set[str] = set()

        @settings(derandomize=True, max_examples=500)
        @given(frames())
        def collect(frame: tuple[Kind, bytes]) -> None:
            found = outcome(framing.read, *frame)
            seen.add(found.requirement if isinstance(found, PeerViolation) else frame[0].value)

        collect()
        wrong = {framing.SIZE_PREFIX, framing.HEADER_SIZE, framing.BINARY_UTF8, framing.TEXT_EMPTY, framing.TEXT_UTF8}
        assert seen == {"text", "binary", *wrong, framing.TEXT_SEPARATOR, framing.HEADER_LINE, framing.DUPLICATE}
