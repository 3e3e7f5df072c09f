"""Where utterances begin and end, found by energy."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from protocol.audio import PcmFormat
from protocol.events import Span
from protocol.riff import parse_file
from reference_server.endpointing import Ended, Endpointer, Endpointing, Found, Grown, Silent, Started

WIDEBAND = PcmFormat(16_000)
FRAME = 640  # 20 ms at 16 kHz


def noise(seconds: float, dbfs: float, rate: int = 16_000, seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * rate))
    return np.clip(samples, -32767, 32767).astype("<i2").tobytes()


def tone(seconds: float, dbfs: float, rate: int = 16_000) -> bytes:
    time = np.arange(round(seconds * rate)) / rate
    samples = np.sin(2 * np.pi * 220 * time) * 32768 * 10 ** (dbfs / 20) * 2**0.5
    return samples.astype("<i2").tobytes()


def quiet(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * round(seconds * rate))


def events(pcm: bytes, policy: Endpointing | None = None, shape: PcmFormat = WIDEBAND) -> list[Found]:
    """What one stream shows, its end included."""
    endpointer = Endpointer(shape, policy or Endpointing())
    last = endpointer.feed(pcm)
    ended = endpointer.finish()
    return [*last, ended] if ended else last


def spans(found: list[Found]) -> list[Span]:
    return [event.span for event in found if isinstance(event, Ended)]


def ms(position: int, shape: PcmFormat = WIDEBAND) -> float:
    return position * 1000 / shape.bytes_per_second


class TestCorpus:
    @pytest.mark.parametrize("name", ["clear-1", "clear-2", "numbers", "pair", "profanity", "silence", "noise"])
    def test_the_utterances_of_a_recording_are_found_to_one_frame(self, name: str) -> None:
        manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_bytes())
        entry = next(one for one in manifest["recordings"] if one["id"] == name)
        header, pcm = parse_file((schemas.corpus_dir() / entry["file"]).read_bytes())
        found = spans(events(pcm + quiet(1), shape=header.format))
        assert len(found) == len(entry["utterances"])
        for span, utterance in zip(found, entry["utterances"], strict=True):
            assert ms(span.start) == pytest.approx(utterance["start_ms"], abs=20)
            assert ms(span.end) == pytest.approx(utterance["end_ms"], abs=20)


class TestUtterance:
    def test_begins_and_ends_with_its_speech(self) -> None:
        found = events(quiet(0.5) + tone(1, -20) + quiet(1), Endpointing(growth_ms=None))
        told = [event for event in found if not isinstance(event, Silent)]
        assert told == [Started(16_000), Ended(Span(16_000, 32_000), at=48_000 + 25_600)]

    def test_a_pause_within_does_not_end_it(self) -> None:
        speech = tone(0.5, -20) + quiet(0.7) + tone(0.5, -20)
        assert spans(events(speech + quiet(1))) == [Span(0, len(speech))]

    def test_ends_after_the_silence_of_the_policy(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing(growth_ms=None))
        assert endpointer.feed(tone(0.5, -20) + quiet(0.78)) == [Started(0)]
        assert endpointer.feed(quiet(0.02)) == [Ended(Span(0, 16_000), at=41_600), Silent(25_600, 41_600)]

    def test_less_than_120_ms_is_a_click(self) -> None:
        assert not spans(events(quiet(0.1) + tone(0.1, -10) + quiet(1)))
        assert spans(events(quiet(0.1) + tone(0.12, -10) + quiet(1))) == [Span(3200, 6 * FRAME)]

    def test_clicks_far_apart_are_no_utterance(self) -> None:
        assert not spans(events((tone(0.04, -10) + quiet(0.22)) * 20))

    def test_is_cut_at_the_longest_length_and_goes_on_as_the_next(self) -> None:
        found = spans(events(tone(65, -20) + quiet(1)))
        assert [ms(span.size) for span in found] == [30_000, 30_000, 5_000]
        assert [span.start for span in found[1:]] == [span.end for span in found[:-1]]

    def test_a_pause_at_the_longest_length_belongs_to_none(self) -> None:
        found = spans(events(tone(1.5, -20) + quiet(0.7) + tone(1, -20) + quiet(1), Endpointing(longest_ms=2000)))
        assert found == [Span(0, 48_000), Span(70_400, 32_000)]

    def test_the_end_of_the_stream_ends_it(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing(growth_ms=None))
        endpointer.feed(tone(1, -20) + quiet(0.1))
        assert endpointer.finish() == Ended(Span(0, 32_000), at=35_200)
        assert endpointer.finish() is None

    def test_half_a_frame_at_the_end_is_not_heard(self) -> None:
        assert spans(events(tone(1.01, -20))) == [Span(0, 32_000)]

    def test_what_came_before_it_may_be_forgotten(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing())
        endpointer.feed(quiet(1))
        assert endpointer.needed_from == 32_000
        endpointer.feed(tone(1, -20))
        assert endpointer.needed_from == 32_000


class TestFinish:
    """An utterance can be ended from outside, and the stream goes on."""

    def test_what_follows_belongs_to_another(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing(growth_ms=None))
        endpointer.feed(tone(1, -20))
        assert endpointer.finish() == Ended(Span(0, 32_000), at=32_000)
        assert endpointer.feed(tone(0.5, -20)) == [Started(32_000)]
        assert endpointer.finish() == Ended(Span(32_000, 16_000), at=48_000)

    def test_what_is_too_short_to_be_an_utterance_is_forgotten(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing(growth_ms=None))
        endpointer.feed(tone(0.04, -20))
        assert endpointer.finish() is None
        assert endpointer.feed(tone(0.5, -20)) == [Started(2 * FRAME)]

    def test_the_position_is_the_end_of_the_audio(self) -> None:
        endpointer = Endpointer(WIDEBAND, Endpointing())
        assert endpointer.position == 0
        for size, position in ((10, 10), (FRAME, FRAME + 10), (FRAME - 10, 2 * FRAME)):
            endpointer.feed(bytes(size))
            assert endpointer.position == position


class TestSilence:
    @pytest.mark.parametrize("dbfs", [-80, -60, -55, -52])
    def test_steady_low_noise_is_silence(self, dbfs: float) -> None:
        found = events(noise(10, dbfs))
        assert found == [Silent(16_000 * count, 16_000 * count) for count in range(1, 21)]

    def test_digital_silence_is_silence(self) -> None:
        assert events(quiet(2)) == [Silent(16_000 * count, 16_000 * count) for count in range(1, 5)]

    def test_a_constant_offset_is_silence(self) -> None:
        assert not spans(events((3000).to_bytes(2, "little") * 32_000))

    def test_louder_noise_is_silence_from_the_start(self) -> None:
        assert not spans(events(noise(10, -42)))

    def test_noise_that_sets_in_ends_as_silence(self) -> None:
        found = spans(events(quiet(1) + noise(20, -42)))
        assert len(found) == 1
        assert ms(found[0].size) < 8000

    def test_a_loud_tone_stays_speech_however_steady(self) -> None:
        assert spans(events(tone(20, -20))) == [Span(0, 640_000)]

    def test_speech_is_heard_above_noise(self) -> None:
        speech = np.frombuffer(quiet(1) + tone(1, -25) + quiet(2), "<i2").astype(int)
        mixed = (speech + np.frombuffer(noise(4, -50), "<i2")).astype("<i2").tobytes()
        assert spans(events(mixed)) == [Span(32_000, 32_000)]

    def test_counts_from_the_last_speech(self) -> None:
        found = events(quiet(1) + tone(1, -20) + quiet(1.5))
        assert [event.size for event in found if isinstance(event, Silent)][-1] == 16_000 * 3 - 1280 * 5

    def test_is_not_told_within_an_utterance(self) -> None:
        assert not [event for event in events(tone(0.5, -20) + quiet(0.6)) if isinstance(event, Silent)]


class TestGrowth:
    def test_is_told_every_300_ms_of_the_utterance(self) -> None:
        found = events(quiet(0.5) + tone(1, -20))
        assert [event.span for event in found if isinstance(event, Grown)] == [
            Span(16_000, 9600 * count) for count in (1, 2, 3)
        ]

    def test_is_not_told_during_a_pause(self) -> None:
        found = events(tone(0.4, -20) + quiet(0.7) + tone(0.2, -20))
        assert [ms(event.span.size) for event in found if isinstance(event, Grown)] == [300, 1120]

    def test_is_not_told_when_nobody_asks(self) -> None:
        assert not [event for event in events(tone(3, -20), Endpointing(growth_ms=None)) if isinstance(event, Grown)]

    def test_never_comes_too_early_at_a_rate_that_fits_no_frame(self) -> None:
        shape = PcmFormat(11_025)
        grown = [event.span.end for event in events(tone(3, -20, 11_025), shape=shape) if isinstance(event, Grown)]
        assert all(later - earlier >= shape.ms_to_bytes(300) for earlier, later in pairwise([0, *grown]))


class TestRates:
    @pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
    def test_an_utterance_is_found_at_any_rate(self, rate: int) -> None:
        shape = PcmFormat(rate)
        (span,) = spans(events(quiet(0.5, rate) + tone(1, -20, rate) + quiet(1, rate), shape=shape))
        assert ms(span.start, shape) == pytest.approx(500, abs=20)
        assert ms(span.end, shape) == pytest.approx(1500, abs=20)
        assert span.start % 2 == span.size % 2 == 0


PIECES = st.lists(
    st.tuples(st.sampled_from(["speech", "noise", "silence"]), st.integers(1, 1500), st.integers(0, 5)),
    min_size=1,
    max_size=8,
)


def built(pieces: list[tuple[str, int, int]]) -> bytes:
    made = {"speech": lambda s, n: noise(s, -20, seed=n), "noise": lambda s, n: noise(s, -52, seed=n)}
    return b"".join(
        made[kind](length / 1000, seed) if kind in made else quiet(length / 1000) for kind, length, seed in pieces
    )


class TestMessages:
    @settings(max_examples=60)
    @given(pieces=PIECES, cuts=st.lists(st.integers(0, 400_000), max_size=30))
    def test_how_the_audio_is_cut_changes_nothing(self, pieces: list[tuple[str, int, int]], cuts: list[int]) -> None:
        pcm = built(pieces)
        whole = events(pcm)
        endpointer = Endpointer(WIDEBAND, Endpointing())
        edges = [0, *sorted(cut % (len(pcm) // 2 + 1) * 2 for cut in cuts), len(pcm)]
        cut_up = [event for begin, end in pairwise(edges) for event in endpointer.feed(pcm[begin:end])]
        ended = endpointer.finish()
        assert [*cut_up, ended] == whole if ended else cut_up == whole

    @settings(max_examples=60)
    @given(pieces=PIECES)
    def test_utterances_follow_each_other_within_the_stream(self, pieces: list[tuple[str, int, int]]) -> None:
        pcm = built(pieces)
        found = spans(events(pcm))
        assert all(earlier.end <= later.start for earlier, later in pairwise(found))
        assert all(span.size >= FRAME * 3 and span.end <= len(pcm) for span in found)
