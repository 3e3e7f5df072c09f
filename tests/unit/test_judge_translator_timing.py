"""What holds for every timing member, and for the distance of partials: each finding from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.judge.findings import Bench
from conformance.judge.translator.reading import View
from conformance.judge.translator.timing import RULES
from conformance.transcript import Vantage
from protocol.wire import Party

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
SECOND = 32_000
TICKS = 10_000_000


def timing(start: int, size: int, *, offset: int | None = None, length: int | None = None) -> dict[str, int]:
    """Return the four members for a span in bytes at 16 kHz, or with other ticks."""
    return {
        "audioTimeOffset": start * TICKS // SECOND if offset is None else offset,
        "audioTimeSize": size * TICKS // SECOND if length is None else length,
        "audioStreamPosition": start,
        "audioSizeBytes": size,
    }


@pytest.fixture
def timed(talk: Talk) -> Talk:
    """A conversation with partials and timing, ten seconds into it."""
    talk.open("Partial,TimingInfo").header()
    for _ in range(10):
        talk.audio(1000)
    return talk


class TestPresence:
    """translator.timing.present, only-if-requested."""

    def test_on_request_on_every_result_is_kept(self, timed: Talk) -> None:
        timed.partial(**timing(0, SECOND)).final(**timing(0, SECOND))
        assert timed.said(BENCH, "timing.present") == ["kept", "kept"]
        assert timed.said(BENCH, "timing.only-if-requested") == []

    def test_on_request_on_none_is_broken(self, timed: Talk) -> None:
        assert (
            timed.partial().final().said(BENCH, "timing.present")
            == ["none of them; expected the four timing members: features has TimingInfo"] * 2
        )

    def test_without_a_request_none_is_kept(self, talk: Talk) -> None:
        talk.open("Partial").header().partial().final()
        assert talk.said(BENCH, "timing.only-if-requested") == ["kept", "kept"]
        assert talk.said(BENCH, "timing.present") == []

    def test_without_a_request_any_is_broken(self, talk: Talk) -> None:
        assert talk.open("Partial").header().final(**timing(0, 4)).said(BENCH, "timing.only-if-requested") == [
            "timing members; expected no timing members: features has no TimingInfo"
        ]

    @pytest.mark.parametrize("features", ["TimingInfo", ""])
    def test_a_malformed_result_is_reported_as_that_alone(self, talk: Talk, features: str) -> None:
        talk.open(features).header().final(id=7)
        assert BENCH.judge(talk.transcript(), Party.SERVER) == ()


class TestAgreement:
    """translator.timing.bytes-match-ticks: ours, to the tick."""

    NAME = "timing.bytes-match-ticks"

    def test_times_that_follow_from_the_bytes_are_kept(self, timed: Talk) -> None:
        assert timed.final(**timing(SECOND, SECOND // 2)).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize("off", [-1, 1])
    def test_rounding_either_way_is_kept(self, timed: Talk, off: int) -> None:
        assert timed.final(**timing(SECOND, 0, offset=TICKS + off)).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize(
        ("members", "said"),
        [
            (
                timing(SECOND, 0, offset=TICKS + 2),
                "10000002; expected audioTimeOffset 10000000, as its byte count says",
            ),
            (timing(0, SECOND, length=1000), "1000; expected audioTimeSize 10000000, as its byte count says"),
        ],
    )
    def test_others_are_broken(self, timed: Talk, members: dict[str, int], said: str) -> None:
        assert timed.final(**members).said(BENCH, self.NAME) == [said]

    def test_the_rate_is_that_of_the_stream(self, talk: Talk) -> None:
        talk.open("TimingInfo").header(8000).final(**timing(16_000, 0, offset=TICKS))
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_numbers_that_no_float_can_hold_are_broken_and_no_more(self, timed: Talk) -> None:
        (said,) = timed.final(**timing(10**399, 0, offset=5)).said(BENCH, self.NAME)
        assert said.startswith("5; expected audioTimeOffset 31250000")

    def test_without_a_header_nothing_is_said(self, talk: Talk) -> None:
        assert talk.open("TimingInfo").final(**timing(0, 2, length=99)).said(BENCH, self.NAME) == []


class TestWithinTheStream:
    """translator.timing.within-stream: provable beside the client, who knows what it had sent."""

    NAME = "timing.within-stream"

    def test_audio_that_was_sent_is_kept(self, timed: Talk) -> None:
        assert timed.final(**timing(9 * SECOND, SECOND)).said(BENCH, self.NAME) == ["kept"]

    def test_the_header_may_count(self, timed: Talk) -> None:
        assert timed.final(**timing(9 * SECOND + 44, SECOND)).said(BENCH, self.NAME) == ["kept"]

    def test_audio_that_had_not_been_sent_is_broken(self, timed: Talk) -> None:
        timed.final(**timing(9 * SECOND + 44, SECOND + 2)).audio(1000)
        assert timed.said(BENCH, self.NAME) == ["byte 320046; expected an end within the 320044 bytes sent before it"]

    @pytest.mark.parametrize("vantage", [Vantage.SERVER, Vantage.MIDDLE])
    def test_from_elsewhere_it_cannot_be_proved(self, new_talk: Callable[..., Talk], vantage: Vantage) -> None:
        talk = new_talk(vantage).open("TimingInfo").header().final(**timing(SECOND, SECOND))
        assert talk.said(BENCH, self.NAME) == []
        assert talk.said(BENCH, "timing.present") == ["kept"]


class TestGrowth:
    """translator.timing.offset-grows."""

    NAME = "timing.offset-grows"

    def test_a_later_start_is_kept(self, timed: Talk) -> None:
        timed.final("0", **timing(0, 2)).final("1", **timing(2, 2)).final("2", **timing(SECOND, 2))
        assert timed.said(BENCH, self.NAME) == ["kept", "kept"]

    @pytest.mark.parametrize("start", [SECOND, 0])
    def test_the_same_or_an_earlier_one_is_broken(self, timed: Talk, start: int) -> None:
        timed.final("0", **timing(SECOND, 2)).final("1", **timing(start, 2))
        assert timed.said(BENCH, self.NAME) == [f"{start * TICKS // SECOND}; expected audioTimeOffset above 10000000"]

    def test_partials_do_not_count(self, timed: Talk) -> None:
        timed.partial(**timing(SECOND, 2)).partial("0.2", **timing(SECOND, 2)).final("0", **timing(SECOND, 2))
        assert timed.said(BENCH, self.NAME) == []


class TestPartialsOfFinal:
    """translator.timing.partial-shares-offset."""

    NAME = "timing.partial-shares-offset"

    def test_the_start_of_the_final_and_less_of_it_is_kept(self, timed: Talk) -> None:
        timed.partial("0.1", **timing(64, 640)).partial("0.2", **timing(64, 1280)).final("0", **timing(64, 1280))
        assert timed.said(BENCH, self.NAME) == ["kept", "kept"]

    @pytest.mark.parametrize(
        ("part", "said"),
        [
            (timing(0, 640), "offset 0, 200000 ticks"),
            (timing(64, 640, offset=0), "offset 0, 200000 ticks"),
            (timing(64, 1280 + 2), "offset 20000, 400625 ticks"),
            (timing(64, 1280, length=400_001), "offset 20000, 400001 ticks"),
            (timing(64, 1282, length=400_000), "offset 20000, 400000 ticks"),
        ],
    )
    def test_another_start_or_more_is_broken(self, timed: Talk, part: dict[str, int], said: str) -> None:
        timed.partial("0.1", **part).final("0", **timing(64, 1280))
        assert timed.said(BENCH, self.NAME) == [f"{said}; expected offset 20000 and at most 400000 ticks, as its final"]

    def test_partials_of_another_number_are_another_matter(self, timed: Talk) -> None:
        timed.partial("7.1", **timing(0, 2)).final("0", **timing(64, 1280))
        assert timed.said(BENCH, self.NAME) == []

    def test_without_their_final_nothing_is_said(self, timed: Talk) -> None:
        assert timed.partial(**timing(0, 2)).said(BENCH, self.NAME) == []

    def test_without_times_nothing_is_said(self, timed: Talk) -> None:
        assert timed.partial().final().said(BENCH, self.NAME) == []


class TestInterval:
    """translator.partial.interval: ours, at most one for every 300 ms of audio."""

    NAME = "partial.interval"

    def test_300_ms_are_kept(self, timed: Talk) -> None:
        timed.partial("0.1", **timing(0, 9600)).partial("0.2", **timing(0, 19_200)).final("0", **timing(0, 19_200))
        assert timed.said(BENCH, self.NAME) == ["kept"]

    def test_less_is_broken(self, timed: Talk) -> None:
        timed.partial("0.1", **timing(0, 9600)).partial("0.2", **timing(0, 19_198))
        assert timed.said(BENCH, self.NAME) == ["9598; expected 9600 bytes of audio between partials"]

    def test_the_rate_is_that_of_the_stream(self, talk: Talk) -> None:
        talk.open("Partial,TimingInfo").header(8000)
        talk.partial("0.1", **timing(0, 4800)).partial("0.2", **timing(0, 9600))
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_utterances_are_measured_by_themselves(self, timed: Talk) -> None:
        timed.partial("0.1", **timing(0, 9600)).final("0", **timing(0, 9600)).partial("1.1", **timing(9600, 2))
        assert timed.said(BENCH, self.NAME) == []

    def test_without_times_nothing_is_said(self, timed: Talk) -> None:
        assert timed.partial("0.1").partial("0.2").said(BENCH, self.NAME) == []

    def test_without_a_header_nothing_is_said(self, talk: Talk) -> None:
        talk.open("Partial,TimingInfo").partial("0.1", **timing(0, 2)).partial("0.2", **timing(0, 4))
        assert talk.said(BENCH, self.NAME) == []
