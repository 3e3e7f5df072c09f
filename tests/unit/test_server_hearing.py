from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.audio import PcmFormat
from reference_server.endpointing import Ended, Endpointing, Grown
from reference_server.engines.base import Utterance
from reference_server.hearing import MARGIN_MS, Hearing

PCM = PcmFormat(16_000)
POLICY = Endpointing(silence_ms=500, longest_ms=2000, growth_ms=300)
MARGIN = PCM.ms_to_bytes(MARGIN_MS)


def counted(ms: int, first: int, level: int) -> bytes:
    """Samples of which no two neighbours are the same, so that a shift is seen; loud or as good as silent."""
    samples = (np.arange(first, first + ms * 16) * 2654435761 % 97 - 48) * level
    return samples.astype("<i2").tobytes()


def stream(*parts_ms: int) -> bytes:
    """Silence and speech by turns."""
    pcm = b""
    for number, ms in enumerate(parts_ms):
        pcm += counted(ms, len(pcm) // 2, 200 if number % 2 else 1)
    return pcm


def heard(pcm: bytes, policy: Endpointing = POLICY, step: int = 1000) -> list[Utterance]:
    """All that a pipeline asks of a stream that comes in steps of so many bytes."""
    hearing = Hearing(PCM, policy)
    found = []
    for at in range(0, len(pcm), step):
        for event in hearing.feed(pcm[at : at + step]):
            if isinstance(event, Grown):
                found.append(hearing.open(0, event.span))
            elif isinstance(event, Ended):
                found.append(hearing.whole(0, event))
    if ended := hearing.endpointer.finish():
        found.append(hearing.whole(0, ended))
    return found


def whole(pcm: bytes, policy: Endpointing = POLICY) -> list[Utterance]:
    return heard(pcm, Endpointing(policy.silence_ms, policy.longest_ms, None))


class TestUtterances:
    def test_hold_the_samples_of_their_span_and_those_around_it(self) -> None:
        pcm = stream(1000, 600, 1000)
        (utterance,) = whole(pcm)
        start, end = utterance.span.start, utterance.span.end
        assert utterance.pcm == pcm[start:end]
        assert utterance.before == pcm[start - MARGIN : start]
        assert utterance.behind == pcm[end : end + MARGIN]
        assert utterance.sound == pcm[start - MARGIN : end + MARGIN]

    def test_at_the_beginning_of_the_stream_less_stands_before_them(self) -> None:
        pcm = stream(100, 600, 1000)
        (utterance,) = whole(pcm)
        assert utterance.before == pcm[: utterance.span.start]

    def test_at_the_end_of_the_stream_less_stands_behind_them(self) -> None:
        pcm = stream(0, 600, 100)
        (utterance,) = whole(pcm)
        assert utterance.behind == pcm[utterance.span.end :]

    def test_one_that_is_open_has_nothing_behind(self) -> None:
        pcm = stream(1000, 600, 1000)
        opened = heard(pcm)[:-1]
        assert len(opened) == 2
        for utterance in opened:
            assert utterance.behind == b""
            assert utterance.sound == pcm[utterance.span.start - MARGIN : utterance.span.end]

    def test_one_that_was_cut_has_nothing_of_its_neighbour(self) -> None:
        first, second = whole(stream(1000, 3000, 1000))
        assert first.span.end == second.span.start
        assert first.behind == second.before == b""

    def test_no_more_stands_behind_them_than_the_silence_that_ended_them(self) -> None:
        (utterance,) = whole(stream(500, 600, 1000), Endpointing(silence_ms=120))
        assert len(utterance.behind) == PCM.ms_to_bytes(120)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(0, 40).map(lambda tens: tens * 70), max_size=7), st.integers(1, 40_000))
    def test_do_not_depend_on_how_the_audio_came(self, parts_ms: list[int], step: int) -> None:
        pcm = stream(*parts_ms)
        assert heard(pcm, step=step) == heard(pcm, step=len(pcm) or 1)


class TestMemory:
    @pytest.mark.parametrize("pcm", [stream(60_000), stream(*(500, 500) * 60)])
    def test_what_no_utterance_can_need_is_forgotten(self, pcm: bytes) -> None:
        hearing = Hearing(PCM, POLICY)
        tracemalloc.start()
        try:
            for at in range(0, len(pcm), 640):
                hearing.feed(pcm[at : at + 640])
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < len(pcm) / 5
