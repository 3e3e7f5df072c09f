"""The values that cross the wire: what they derive from their fields."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.wire import Close, Fragment, HttpRequest, Kind, Message, Party, PeerClosed, Tick, header


class TestHeader:
    FIELDS = (("X-RequestId", "first"), ("x-requestid", "second"), ("Empty", ""))

    @pytest.mark.parametrize("name", ["X-RequestId", "x-requestid", "X-REQUESTID"])
    def test_names_compare_without_case_and_the_first_wins(self, name: str) -> None:
        assert header(self.FIELDS, name) == "first"

    def test_an_empty_value_is_a_value(self) -> None:
        assert header(self.FIELDS, "empty") == ""

    def test_an_absent_field_is_none(self) -> None:
        assert header(self.FIELDS, "X-Request") is None
        assert header((), "X-RequestId") is None


class TestRequestTarget:
    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            ("/speech/translate?from=en-US&to=it", "/speech/translate", "from=en-US&to=it"),
            ("/languages", "/languages", ""),
            ("/languages?", "/languages", ""),
            ("/a?b=c?d", "/a", "b=c?d"),
            ("?x", "", "x"),
        ],
    )
    def test_is_cut_at_its_first_question_mark(self, target: str, path: str, query: str) -> None:
        request = HttpRequest("GET", target, ())
        assert (request.path, request.query) == (path, query)


class TestMessage:
    def test_text_is_utf8_in_one_frame(self) -> None:
        assert Message.text("né") == Message(Kind.TEXT, (b"n\xc3\xa9",))

    def test_data_is_what_the_frames_hold_together(self) -> None:
        assert Message(Kind.BINARY, (b"ab", b"", b"c")).data == b"abc"

    @pytest.mark.parametrize(
        ("size", "frames"),
        [(None, (b"abcdef",)), (7, (b"abcdef",)), (6, (b"abcdef",)), (4, (b"abcd", b"ef")), (3, (b"abc", b"def"))],
    )
    def test_binary_is_cut_into_frames_of_at_most_a_size(self, size: int | None, frames: tuple[bytes, ...]) -> None:
        assert Message.binary(b"abcdef", size) == Message(Kind.BINARY, frames)

    def test_an_empty_message_has_one_empty_frame(self) -> None:
        assert Message.binary(b"", 4).fragments == (b"",)

    @given(st.binary(max_size=200), st.integers(1, 50))
    def test_cutting_loses_nothing_and_leaves_no_empty_frame(self, data: bytes, size: int) -> None:
        message = Message.binary(data, size)
        assert message.data == data
        assert all(len(frame) <= size for frame in message.fragments)
        assert all(message.fragments) or not data


class TestValues:
    def test_are_frozen_and_equal_by_their_fields(self) -> None:
        fragment = Fragment(1.0, Kind.BINARY, b"x")
        assert fragment == Fragment(1.0, Kind.BINARY, b"x", first=True, final=True)
        with pytest.raises(dataclasses.FrozenInstanceError):
            fragment.data = b"y"  # type: ignore[misc]  # that is the point

    def test_of_different_kinds_are_never_equal(self) -> None:
        assert len({Close(1000, ""), PeerClosed(0.0, 1000, ""), Tick(1.0), Tick(1.0), Tick(2.0)}) == 4

    def test_parties_and_kinds_have_the_names_that_files_use(self) -> None:
        assert [party.value for party in Party] == ["client", "server"]
        assert [kind.value for kind in Kind] == ["text", "binary"]
