from __future__ import annotations

import json

import pytest

from protocol.audio import PcmFormat
from protocol.errors import LocalViolation
from protocol.riff import build_header
from protocol.translator.client import ClientPolicy, ClientSession, Heard, Output, Over, Trouble, Voice
from protocol.translator.messages import Final, Partial
from protocol.wire import Close, Fragment, Inbound, Kind, Message, PeerClosed, Tick

STREAM = PcmFormat(16_000)
CHUNK = 3200


def text(time: float, **members: str) -> Fragment:
    document = {"recognition": "good morning", "translation": "bom dia", **members}
    return Fragment(time, Kind.TEXT, json.dumps(document).encode())


def final(time: float, identity: str = "0", **members: str) -> Fragment:
    return text(time, type="final", id=identity, **members)


def partial(time: float, identity: str = "0.1") -> Fragment:
    return text(time, type="partial", id=identity)


def started(*, speaks: bool = False, policy: ClientPolicy | None = None) -> ClientSession:
    session = ClientSession(STREAM, speaks=speaks, policy=policy)
    session.start()
    return session


def sizes(outputs: list[Output]) -> list[int]:
    return [len(output.data) for output in outputs if isinstance(output, Message)]


class TestAudio:
    def test_the_header_is_the_first_message(self) -> None:
        session = ClientSession(STREAM, speaks=False)
        assert session.start() == [Message.binary(build_header(STREAM))]

    def test_comes_behind_the_header(self) -> None:
        with pytest.raises(LocalViolation, match=r"translator\.client\.header-first"):
            ClientSession(STREAM, speaks=False).audio(bytes(CHUNK))

    def test_goes_in_chunks_of_100_ms(self) -> None:
        assert sizes(started().audio(bytes(2 * CHUNK))) == [CHUNK, CHUNK]

    def test_what_fills_no_chunk_waits_for_more(self) -> None:
        session = started()
        assert sizes(session.audio(bytes(CHUNK - 2))) == []
        assert sizes(session.audio(bytes(4))) == [CHUNK]

    def test_ends_with_two_and_a_half_seconds_of_silence(self) -> None:
        outputs = started().finish(1.0)
        assert sum(sizes(outputs)) == 80_000
        assert not any(any(output.data) for output in outputs if isinstance(output, Message))

    def test_the_rest_of_a_chunk_is_not_lost(self) -> None:
        session = started()
        session.audio(b"\1\1")
        assert sum(sizes(session.finish(1.0))) == 80_002


class TestResults:
    def test_a_partial_and_its_final_are_told(self) -> None:
        session = started()
        assert session.receive(partial(1.0)) == [Heard(1.0, Partial("0.1", "good morning", "bom dia"))]
        assert session.receive(final(2.0)) == [Heard(2.0, Final("0", "good morning", "bom dia"))]

    def test_a_message_is_put_together_from_its_frames(self) -> None:
        session, whole = started(), final(1.0)
        assert session.receive(Fragment(1.0, Kind.TEXT, whole.data[:9], final=False)) == []
        assert session.receive(Fragment(1.5, Kind.TEXT, whole.data[9:], first=False)) == [
            Heard(1.5, Final("0", "good morning", "bom dia"))
        ]

    def test_a_voice_belongs_to_the_final_before_it(self) -> None:
        session = started(speaks=True)
        session.receive(final(1.0, "7"))
        assert session.receive(Fragment(2.0, Kind.BINARY, b"RIFF")) == [Voice(2.0, "7", b"RIFF")]

    def test_a_voice_that_nobody_announced_is_taken_all_the_same(self) -> None:
        session = started(speaks=True)
        assert session.receive(Fragment(2.0, Kind.BINARY, b"RIFF")) == [Voice(2.0, None, b"RIFF")]

    def test_an_empty_final_has_no_voice_to_wait_for(self) -> None:
        session = started(speaks=True)
        session.finish(1.0)
        session.receive(final(2.0, recognition="", translation=""))
        assert session.next_deadline == 3.5

    def test_what_breaks_the_format_is_told_and_the_session_goes_on(self) -> None:
        session = started()
        [trouble] = session.receive(Fragment(1.0, Kind.TEXT, b"{}"))
        assert isinstance(trouble, Trouble)
        assert trouble.violation.requirement == "translator.result.type"
        assert len(session.receive(final(2.0))) == 1

    def test_results_out_of_order_are_taken_all_the_same(self) -> None:
        session = started(speaks=True)
        session.receive(final(1.0))
        assert session.receive(final(2.0, "1")) == [Heard(2.0, Final("1", "good morning", "bom dia"))]

    def test_a_message_without_end_is_not_collected_for_ever(self) -> None:
        session = started(policy=ClientPolicy(voice_bytes=10))
        close, over = session.receive(Fragment(1.0, Kind.BINARY, bytes(11), final=False))
        assert close == Close(1009, "a message is too long")
        assert over == Over(1.0, 1009, "a message is too long", False)

    def test_nor_is_one_of_many_parts(self) -> None:
        session = started(policy=ClientPolicy(voice_bytes=10))
        assert session.receive(Fragment(1.0, Kind.BINARY, bytes(5), final=False)) == []
        assert session.receive(Fragment(2.0, Kind.BINARY, bytes(5), first=False, final=False)) == []
        close, _ = session.receive(Fragment(3.0, Kind.BINARY, bytes(1), first=False))
        assert close == Close(1009, "a message is too long")


class TestTheEnd:
    def test_no_deadline_before_the_audio_has_ended(self) -> None:
        assert started().next_deadline is None

    def test_waits_for_the_first_final_with_patience(self) -> None:
        session = started()
        session.finish(1.0)
        assert session.next_deadline == 41.0
        assert session.receive(Tick(40.9)) == []

    def test_without_any_final_it_ends_incomplete(self) -> None:
        session = started()
        session.finish(1.0)
        assert session.receive(Tick(41.0)) == [Close(1000, ""), Over(41.0, 1000, "", False)]

    def test_ends_when_it_has_been_quiet_behind_a_final(self) -> None:
        session = started()
        session.finish(1.0)
        session.receive(final(2.0))
        assert session.next_deadline == 3.5
        assert session.receive(Tick(3.5)) == [Close(1000, ""), Over(3.5, 1000, "", True)]

    def test_does_not_end_while_an_utterance_is_open(self) -> None:
        session = started()
        session.finish(1.0)
        session.receive(final(2.0))
        session.receive(partial(3.0, "1.1"))
        assert session.next_deadline == 43.0

    def test_does_not_end_while_a_voice_is_due(self) -> None:
        session = started(speaks=True)
        session.finish(1.0)
        session.receive(final(2.0))
        assert session.next_deadline == 42.0

    def test_a_server_that_never_comes_to_an_end_is_left(self) -> None:
        session = started()
        session.finish(1.0)
        for second in range(2, 121):
            session.receive(partial(float(second), f"0.{second}"))
        assert session.next_deadline == 121.0
        assert session.receive(Tick(121.0)) == [Close(1000, ""), Over(121.0, 1000, "", False)]

    def test_a_tick_before_the_audio_has_ended_means_nothing(self) -> None:
        assert started().receive(Tick(1000.0)) == []

    def test_the_servers_close_after_everything_is_complete(self) -> None:
        session = started()
        session.finish(1.0)
        session.receive(final(2.0))
        assert session.receive(PeerClosed(3.0, 1000, "bye")) == [Over(3.0, 1000, "bye", True)]

    def test_the_servers_close_in_between_is_not(self) -> None:
        assert started().receive(PeerClosed(3.0, 1001, "")) == [Over(3.0, 1001, "", False)]
        assert started().receive(PeerClosed(3.0, 1000, "")) == [Over(3.0, 1000, "", False)]

    def test_nor_is_a_close_that_tells_of_trouble(self) -> None:
        session = started()
        session.finish(1.0)
        session.receive(final(2.0))
        assert session.receive(PeerClosed(3.0, 1011, "")) == [Over(3.0, 1011, "", False)]

    @pytest.mark.parametrize(
        "last", [PeerClosed(3.0, 1000, ""), Tick(41.0), Fragment(3.0, Kind.BINARY, bytes(11), final=False)]
    )
    def test_nothing_is_told_after_the_end(self, last: Inbound) -> None:
        session = started(policy=ClientPolicy(voice_bytes=10))
        session.finish(1.0)
        assert isinstance(session.receive(last)[-1], Over)
        assert session.receive(final(22.0)) == []
        assert session.next_deadline is None
