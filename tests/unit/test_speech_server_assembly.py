"""Messages of the speech dialects, put together from their frames."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import requirements
from protocol.errors import PeerViolation
from protocol.speech.framing import MOST_HEADER_BYTES, UspMessage, binary, text, write
from protocol.speech.server.assembly import Assembler
from protocol.speech.server.policy import Policy
from protocol.wire import Fragment, Kind

ID = "0" * 32
TEXT = text("speech.context", ID, {"a": "é" * 20})
BINARY = binary("audio", ID, bytes(range(256)))


def fragments(message: UspMessage, *cuts: int) -> list[Fragment]:
    """Return the frames of a message, cut at these places."""
    data = write(message).data
    edges = [0, *sorted(cuts), len(data)]
    parts = [data[start:end] for start, end in pairwise(edges)]
    last = len(parts) - 1
    return [
        Fragment(0.0, message.kind, part, first=index == 0, final=index == last) for index, part in enumerate(parts)
    ]


def fed(assembler: Assembler, *frames: Fragment) -> list[UspMessage | None]:
    return [assembler.feed(frame) for frame in frames]


def refused(frames: list[Fragment], policy: Policy | None = None) -> tuple[str, str, str, str]:
    """Return what is wrong with the last one of these frames."""
    assembler = Assembler(policy or Policy())
    *before, last = frames
    assert fed(assembler, *before) == [None] * len(before)
    with pytest.raises(PeerViolation) as caught:
        assembler.feed(last)
    error = caught.value
    assert requirements.get(error.requirement)
    return error.requirement.removeprefix("speech.malformed."), error.at, error.expected, error.observed


class TestWhole:
    @pytest.mark.parametrize("message", [TEXT, BINARY])
    def test_a_message_in_one_frame(self, message: UspMessage) -> None:
        assert fed(Assembler(Policy()), *fragments(message)) == [message]

    @given(st.sampled_from([TEXT, BINARY]), st.lists(st.integers(0, 60), max_size=6))
    def test_a_message_in_any_frames_empty_ones_among_them(self, message: UspMessage, cuts: list[int]) -> None:
        *before, last = fed(Assembler(Policy()), *fragments(message, *cuts))
        assert before == [None] * len(cuts)
        assert last == message

    def test_one_message_after_another(self) -> None:
        frames = [*fragments(TEXT, 5), *fragments(BINARY, 2, 9), *fragments(TEXT)]
        assert fed(Assembler(Policy()), *frames) == [None, TEXT, None, None, BINARY, TEXT]

    def test_a_first_frame_begins_anew(self) -> None:
        unfinished, _ = fragments(BINARY, 9)
        assert fed(Assembler(Policy()), unfinished, *fragments(TEXT)) == [None, TEXT]


class TestSize:
    def test_of_a_text_has_a_bound(self) -> None:
        size = len(write(TEXT).data)
        assert fed(Assembler(Policy(text_bytes=size)), *fragments(TEXT)) == [TEXT]
        expected = ("text-size", "size", f"a message of at most {size - 1} bytes", f"{size} bytes")
        assert refused(fragments(TEXT), Policy(text_bytes=size - 1)) == expected

    def test_of_a_binary_message_has_another_that_leaves_room_for_any_headers(self) -> None:
        policy = Policy(text_bytes=1, binary_bytes=10)
        largest = UspMessage(
            Kind.BINARY,
            (("X-RequestId", ID), ("Path", "audio"), ("X", "a" * (MOST_HEADER_BYTES - 58 - 4))),
            bytes(10),
        )
        assert fed(Assembler(policy), *fragments(largest)) == [largest]
        most = 2 + MOST_HEADER_BYTES + 10
        expected = ("binary-size", "size", f"a message of at most {most} bytes", f"{most + 1} bytes")
        assert refused(fragments(binary("audio", ID, bytes(most + 1 - 60))), policy) == expected

    def test_is_that_of_all_frames_and_nobody_waits_for_the_last(self) -> None:
        policy = Policy(text_bytes=10)
        assert refused(fragments(TEXT, 6, 11, 20)[:2], policy)[0] == "text-size"

    def test_of_the_next_message_counts_from_nothing(self) -> None:
        assembler = Assembler(Policy(text_bytes=len(write(TEXT).data)))
        with pytest.raises(PeerViolation):
            fed(assembler, *fragments(text("speech.context", ID, {"a": "é" * 99})))
        assert fed(assembler, *fragments(TEXT), *fragments(TEXT)) == [TEXT, TEXT]


class TestForm:
    def test_is_judged_when_the_message_is_whole(self) -> None:
        frames = [Fragment(0.0, Kind.TEXT, b"Path:a", final=False), Fragment(0.0, Kind.TEXT, b"b", first=False)]
        assert refused(frames)[:2] == ("text-separator", "offset 7")

    def test_a_message_says_to_which_turn_it_belongs(self) -> None:
        assert refused(fragments(text("speech.context", "", {})))[0] == "request-id"
        assert refused(fragments(text("speech.context", "7", {})))[0] == "request-id-form"
        assert refused(fragments(text("", ID, {})))[0] == "path"
