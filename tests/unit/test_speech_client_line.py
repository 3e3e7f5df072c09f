from __future__ import annotations

import pytest

from protocol.errors import LocalViolation, PeerViolation
from protocol.speech import framing, messages, order
from protocol.speech.client.line import Line, check_id
from protocol.wire import Close, Fragment, Kind, Message

ID = "0123456789abcdef0123456789abcdef"


def line(most: int = 1000) -> Line:
    return Line("speech-v2", lambda time: f"2026-01-01T00:00:0{time:.7f}Z", most, 1.0)


def frames(message: Message, size: int) -> list[Fragment]:
    starts = range(0, len(message.data), size)
    last = starts[-1]
    return [
        Fragment(2.0 + at, message.kind, message.data[at : at + size], first=at == 0, final=at == last) for at in starts
    ]


class TestWriting:
    def test_a_text_message_has_a_timestamp(self) -> None:
        message = line().text(order.CONFIG, "speech.config", "", {"context": {}}, 2.0)
        written = framing.read(message.kind, message.data)
        assert (written.path, written.request_id) == ("speech.config", "")
        assert written.get("X-Timestamp") == "2026-01-01T00:00:02.0000000Z"
        assert written.body == b'{"context":{}}'

    def test_audio_has_one_too_and_whatever_else_is_said(self) -> None:
        one = line()
        one.text(order.CONFIG, "speech.config", "", {}, 2.0)
        one.text(order.CONTEXT, "speech.context", ID, {}, 2.0)
        message = one.audio(order.HEADER, ID, b"RIFF", 3.0, (("Content-Type", "audio/x-wav"),))
        written = framing.read(message.kind, message.data)
        assert (written.kind, written.path, written.request_id, written.body) == (Kind.BINARY, "audio", ID, b"RIFF")
        assert written.get("X-Timestamp") == "2026-01-01T00:00:03.0000000Z"
        assert written.get("Content-Type") == "audio/x-wav"

    def test_nothing_is_written_out_of_order(self) -> None:
        with pytest.raises(LocalViolation) as raised:
            line().text(order.CONTEXT, "speech.context", ID, {}, 2.0)
        assert raised.value.requirement == "speech.client.config-first"

    def test_nothing_follows_the_close(self) -> None:
        one = line()
        assert one.close(1000, "bye") == Close(1000, "bye")
        with pytest.raises(LocalViolation):
            one.text(order.CONFIG, "speech.config", "", {}, 2.0)


class TestReading:
    def test_a_message_is_put_together_from_its_frames(self) -> None:
        one, written = line(), framing.text("turn.start", ID, {})
        *parts, last = frames(framing.write(written), 10)
        assert [one.take(part) for part in parts] == [None] * len(parts)
        assert one.take(last) == written
        assert one.heard == last.time

    def test_a_new_message_forgets_what_was_cut_off(self) -> None:
        one, written = line(), framing.write(framing.text("turn.start", ID, {}))
        one.take(Fragment(2.0, Kind.TEXT, b"never finished", final=False))
        taken = one.take(Fragment(3.0, Kind.TEXT, written.data))
        assert taken is not None
        assert taken.path == "turn.start"

    @pytest.mark.parametrize(
        ("kind", "data", "requirement"),
        [
            (Kind.BINARY, b"\0", "speech.frame.binary-size"),
            (Kind.BINARY, b"\0\x10Path:audio", "speech.frame.binary-size"),
            (Kind.BINARY, b"\0\x01\xff", "speech.frame.binary-ascii"),
            (Kind.TEXT, b"", "speech.frame.text-separator"),
            (Kind.TEXT, b"Path:turn.start", "speech.frame.text-separator"),
            (Kind.TEXT, b"\xff", "speech.frame.text-json"),
            (Kind.TEXT, b"Path:turn.start\nX:y\r\n\r\n{}", "speech.frame.text-crlf"),
            (Kind.TEXT, b"Path:a\r\nPath:b\r\n\r\n{}", "speech.frame.header-once"),
        ],
    )
    def test_what_cannot_be_read_breaks_a_requirement(self, kind: Kind, data: bytes, requirement: str) -> None:
        with pytest.raises(PeerViolation) as raised:
            line().take(Fragment(2.0, kind, data))
        assert raised.value.requirement == requirement

    def test_a_message_without_end_is_not_collected_for_ever(self) -> None:
        one = line(most=15)
        one.take(Fragment(2.0, Kind.TEXT, bytes(10), final=False))
        with pytest.raises(OverflowError):
            one.take(Fragment(2.0, Kind.TEXT, bytes(10), first=False, final=False))


class TestOrder:
    def test_the_end_of_a_turn_is_followed(self) -> None:
        one = line()
        one.text(order.CONFIG, "speech.config", "", {}, 2.0)
        one.text(order.CONTEXT, "speech.context", ID, {}, 2.0)
        one.audio(order.HEADER, ID, b"RIFF", 2.0)
        for said in (messages.TurnStart(), messages.Other("news"), messages.Final("Success", 0, 1), messages.TurnEnd()):
            one.follow(said)
        with pytest.raises(LocalViolation, match="state configured"):
            one.audio(order.AUDIO, ID, b"", 2.0)

    def test_what_a_server_says_out_of_order_is_taken_all_the_same(self) -> None:
        one = line()
        one.follow(messages.TurnEnd())
        one.follow(messages.SynthesisChunk(None, b""))


class TestIds:
    def test_of_the_turn(self) -> None:
        assert check_id(framing.text("turn.start", ID, {}), ID)

    def test_of_another_one_is_no_matter(self) -> None:
        assert not check_id(framing.text("turn.start", "f" * 32, {}), ID)

    @pytest.mark.parametrize("given", [ID.upper(), "01234567-89ab-cdef-0123-456789abcdef"])
    def test_in_another_spelling_breaks_the_echo(self, given: str) -> None:
        with pytest.raises(PeerViolation) as raised:
            check_id(framing.text("turn.start", given, {}), ID)
        assert raised.value.requirement == "speech.turn.id-echo"

    def test_none_at_all(self) -> None:
        with pytest.raises(PeerViolation) as raised:
            check_id(framing.text("turn.start", "", {}), ID)
        assert raised.value.requirement == "speech.frame.header-request-id"
