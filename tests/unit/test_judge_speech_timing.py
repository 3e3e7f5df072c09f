"""Where results stand in the audio: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.reading import View
from conformance.judge.speech.timing import RULES
from tests.unit.speech_transcript import SECOND, TWO, V1, V2, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"
CONTINUED = (("X-Continuation-Token", "t"), ("Content-Type", "application/json"))


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return SpeechTalk(request.param).connect()


def continued(talk: SpeechTalk) -> SpeechTalk:
    return talk.says("my.own", {}, headers=CONTINUED)


class TestGrowth:
    NAME = "result.offsets-grow"

    def test_of_later_finals_and_interims_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().interim(offset=SECOND).phrase(offset=SECOND).interim(offset=2 * SECOND).phrase(offset=2 * SECOND)
        assert talk.said(BENCH, self.NAME) == ["kept", "kept"]

    @pytest.mark.parametrize("offset", [0, SECOND])
    def test_a_final_that_does_not_begin_later_is_broken(self, talk: SpeechTalk, offset: int) -> None:
        talk.begin().phrase(offset=SECOND).phrase(offset=offset)
        assert talk.said(BENCH, self.NAME) == [f"{offset}; expected an Offset of {SECOND + 1} or more"]

    def test_an_interim_that_begins_earlier_is_broken_one_inside_less(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=SECOND).interim(offset=0).interim(offset=SECOND + 1)
        assert talk.said(BENCH, self.NAME) == [
            f"0; expected an Offset of {2 * SECOND} or more",
            f"{SECOND + 1}; expected an Offset of {2 * SECOND} or more (non-strict)",
        ]

    def test_an_interim_that_begins_with_the_final_is_another_matter(self, talk: SpeechTalk) -> None:
        assert talk.begin().phrase(offset=SECOND).interim(offset=SECOND).said(BENCH, self.NAME) == []

    def test_silence_counts_acknowledgements_and_errors_do_not(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().phrase(None, 2 * SECOND, status="NoMatch").phrase(None, 0, status="EndOfDictation")
        assert talk.phrase(None, 0, status="Error").said(BENCH, self.NAME) == ["kept"]

    def test_what_has_no_offset_or_was_forced_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(speech={"Offset": "1"}).phrase(speech={"clientAudioMetadata": {}}).phrase()
        talk.phrase(speech={"clientAudioMetadata": {}}).phrase(shape="plain")
        assert talk.said(BENCH, self.NAME) == []

    def test_a_final_without_a_length_ends_where_it_begins(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(speech={"Duration": "?"}).interim(offset=SECOND + 1)
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_each_turn_counts_by_itself(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=4 * SECOND).done().begin(identity=TWO).phrase(identity=TWO)
        assert talk.said(BENCH, self.NAME) == []


class TestWithin:
    """speech.result.within-audio, turn-relative."""

    def test_the_audio_that_was_sent_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin(ms=2000).interim().phrase()
        assert talk.said(BENCH, "result.within-audio") == ["kept", "kept"]
        assert talk.said(BENCH, "result.turn-relative") == []

    def test_an_end_is_rounded_up_to_a_millisecond(self, talk: SpeechTalk) -> None:
        talk.config().context().riff().chunk(bytes(10)).says("turn.start").phrase(offset=0, duration=10_000)
        assert talk.said(BENCH, "result.within-audio") == ["kept"]
        talk.phrase(offset=0, duration=10_001)
        assert talk.said(BENCH, "result.within-audio")[1:] == ["10001; expected an end up to 10000"]

    def test_a_later_turn_counts_from_its_own_beginning(self, talk: SpeechTalk) -> None:
        talk.begin(ms=9000).done().begin(identity=TWO, ms=2000).phrase(identity=TWO)
        assert talk.said(BENCH, "result.turn-relative") == ["kept"]
        talk.phrase(offset=10 * SECOND, identity=TWO)
        assert talk.said(BENCH, "result.turn-relative")[1:] == [
            f"{10 * SECOND}; expected an Offset within the {2 * SECOND} ticks of this turn"
        ]
        assert talk.said(BENCH, "result.within-audio") == ["kept"]

    def test_what_cannot_be_measured_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(speech={"Offset": "1"}).phrase(speech={"Duration": None}).phrase(None, status="Error")
        assert talk.said(BENCH, "result.within-audio") == []
        unknown = SpeechTalk().connect().context().speech().says("turn.start").phrase()
        assert unknown.said(BENCH, "result.within-audio") == []
        assert continued(SpeechTalk().connect().begin().phrase()).said(BENCH, "result.within-audio") == []


class TestAcknowledged:
    NAME = "turn.acknowledged"

    def test_with_a_short_rest_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin(ms=21_000).phrase(offset=0, duration=SECOND).stop().done()
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_with_a_long_rest_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin(ms=21_100).phrase(offset=0, duration=SECOND).stop().done()
        assert talk.said(BENCH, self.NAME) == [
            "20.1 s without one; expected finals that reach to within 20 s of the end of the audio (non-strict)"
        ]

    def test_shows_nothing_without_an_end_a_final_or_a_measure(self) -> None:
        for talk in (
            SpeechTalk().connect().begin().phrase().stop(),
            SpeechTalk().connect().begin().phrase().done(),
            SpeechTalk().connect().begin().stop().done(),
            SpeechTalk().connect().begin().phrase(speech={"Offset": "?"}).stop().done(),
            SpeechTalk().connect().context().speech().says("turn.start").phrase().stop().done(),
            SpeechTalk().connect().begin().phrase().chunk(b"", deliberate=MARK).stop().done(),
            SpeechTalk().connect().begin().phrase().stop().context(identity=TWO).done(),
            continued(SpeechTalk().connect().begin().phrase().stop()).done(),
        ):
            assert talk.said(BENCH, self.NAME) == []


class TestUnacknowledged:
    NAME = "close.unacknowledged"

    def test_a_minute_between_finals_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=50 * SECOND, duration=10 * SECOND).phrase(
            None, 119 * SECOND, status="EndOfDictation"
        )
        assert talk.said(BENCH, self.NAME) == ["kept", "kept"]

    def test_more_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(offset=60 * SECOND, duration=SECOND).phrase(offset=62 * SECOND)
        assert talk.said(BENCH, self.NAME) == [
            "61.0 s; expected an acknowledgement within 60 s of audio",
            "kept",
        ]

    def test_none_at_all_is_broken_at_the_end(self, talk: SpeechTalk) -> None:
        talk.begin(ms=61_000).stop().done()
        assert talk.said(BENCH, self.NAME) == ["61.0 s; expected an acknowledgement within 60 s of audio"]

    def test_shows_nothing_without_a_measure(self) -> None:
        for talk in (
            SpeechTalk().connect().begin(ms=70_000).done(),
            SpeechTalk().connect().begin(ms=70_000).stop(),
            SpeechTalk().connect().context().speech(70_000).says("turn.start").stop().done(),
            SpeechTalk().connect().begin(ms=70_000).chunk(b"", deliberate=MARK).stop().done(),
            SpeechTalk().connect().begin().phrase(None, 0, status="Error").phrase(speech={"Offset": 1.5}),
            continued(SpeechTalk().connect().begin(ms=70_000).stop()).done(),
        ):
            assert talk.said(BENCH, self.NAME) == []
