from __future__ import annotations

from protocol.audio import PcmFormat
from protocol.speech.client.replay import Replay, Throttle

STREAM = PcmFormat(16_000)
CHUNK = 3200
SECOND = 32_000


def pcm(size: int) -> bytes:
    return bytes(index % 251 for index in range(size))


def drained(replay: Replay) -> list[bytes]:
    found = []
    while size := replay.ready(rest=True):
        found.append(replay.take(size))
    return found


class TestChunks:
    def test_audio_comes_out_as_it_went_in(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(pcm(5000))
        replay.give(pcm(10_000)[5000:])
        assert b"".join(drained(replay)) == pcm(10_000)

    def test_what_fills_no_chunk_waits_for_more(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(bytes(CHUNK - 2))
        assert replay.ready(rest=False) == 0
        assert replay.ready(rest=True) == CHUNK - 2
        replay.give(bytes(4))
        assert replay.ready(rest=False) == CHUNK

    def test_nothing_is_left_after_the_last_one(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(bytes(CHUNK))
        drained(replay)
        assert replay.ready(rest=True) == 0


class TestAcknowledgement:
    def test_what_is_not_acknowledged_comes_again(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(pcm(10_000))
        drained(replay)
        assert replay.acknowledge(4000)
        assert replay.rewind() == 4000
        assert b"".join(drained(replay)) == pcm(10_000)[4000:]

    def test_never_goes_back(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(pcm(10_000))
        drained(replay)
        replay.acknowledge(4000)
        assert not replay.acknowledge(4000)
        assert not replay.acknowledge(2000)
        assert replay.rewind() == 4000

    def test_reaches_no_further_than_what_was_sent(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(pcm(2 * CHUNK))
        replay.take(CHUNK)
        assert replay.acknowledge(SECOND)
        assert replay.rewind() == CHUNK

    def test_less_than_a_millisecond_is_nothing(self) -> None:
        replay = Replay(STREAM, CHUNK)
        replay.give(bytes(CHUNK))
        drained(replay)
        replay.acknowledge(CHUNK - 32)
        assert replay.outstanding
        replay.acknowledge(CHUNK - 30)
        assert not replay.outstanding


class TestThrottle:
    def test_the_first_seconds_go_at_once_and_the_rest_at_a_multiple_of_real_time(self) -> None:
        throttle = Throttle(STREAM, 5000, 2.0, begun=10.0)
        assert throttle.due(5 * SECOND) == 10.0
        throttle.count(5 * SECOND)
        assert throttle.due(SECOND) == 10.5
        throttle.count(SECOND)
        assert throttle.due(SECOND) == 11.0

    def test_without_a_limit_everything_is_due(self) -> None:
        throttle = Throttle(STREAM, 0, None, begun=10.0)
        throttle.count(100 * SECOND)
        assert throttle.due(SECOND) == 10.0
