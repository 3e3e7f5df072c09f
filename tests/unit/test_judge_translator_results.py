"""What holds for every result, and between results: each finding from both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.translator.reading import View
from conformance.judge.translator.results import RULES, utterances
from protocol.wire import Party
from tests.named import requirements_in

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
TIMES = {"audioTimeOffset": 0, "audioTimeSize": 1, "audioStreamPosition": 0, "audioSizeBytes": 1}


def finals(talk: Talk, *ids: str) -> Talk:
    talk.open()
    for identity in ids:
        talk.final(identity)
    return talk


def partials(talk: Talk, *ids: str) -> Talk:
    """Add partials (with a point in their id) and finals (without)."""
    talk.open("Partial")
    for identity in ids:
        talk.partial(identity) if "." in identity else talk.final(identity)
    return talk


class TestFormat:
    """translator.result.*, final.fields, final.id-form, partial.fields, partial.id-form, timing.numbers."""

    FORM = ("result.text-json", "result.one-object", "result.type")

    def test_a_good_final_keeps_all_that_is_about_it(self, talk: Talk) -> None:
        talk.open().final("0")
        kept = {name for name in (*self.FORM, "final.fields", "final.id-form") if talk.said(BENCH, name) == ["kept"]}
        assert kept == {*self.FORM, "final.fields", "final.id-form"}
        assert talk.said(BENCH, "partial.fields") == []
        assert talk.said(BENCH, "timing.numbers") == []

    def test_a_good_partial_too(self, talk: Talk) -> None:
        talk.open("Partial").partial("0.1")
        for name in (*self.FORM, "partial.fields", "partial.id-form"):
            assert talk.said(BENCH, name) == ["kept"]
        assert talk.said(BENCH, "final.fields") == []

    def test_a_good_timing_is_numbers(self, talk: Talk) -> None:
        assert talk.open("TimingInfo").final("0", **TIMES).said(BENCH, "timing.numbers") == ["kept"]

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("result.text-json", "hello", '"hello"; expected JSON at offset 0'),
            ("result.one-object", "[1]", "an array of 1; expected an object at whole value"),
            ("result.one-object", "{}{}", "more JSON; expected the end after one JSON object at offset 2"),
            ("result.type", "{}", 'nothing; expected "partial" or "final" at /type'),
            ("result.type", '{"type":"error"}', '"error"; expected "partial" or "final" at /type'),
        ],
    )
    def test_what_is_no_result_is_broken_where_it_differs(self, talk: Talk, name: str, text: str, said: str) -> None:
        talk.open().replies(text)
        assert talk.said(BENCH, name) == [said]
        assert len(BENCH.judge(talk.transcript(), Party.SERVER)) == 1

    @pytest.mark.parametrize(
        ("name", "kind", "members", "said"),
        [
            ("final.fields", "final", {"translation": None}, "null; expected a string at /translation"),
            ("final.id-form", "final", {"id": "a"}, '"a"; expected a number in digits, e.g. 23 at /id'),
            ("partial.fields", "partial", {"recognition": 7}, "7; expected a string at /recognition"),
            ("partial.id-form", "partial", {"id": "1"}, '"1"; expected two numbers joined by a dot, e.g. 23.4 at /id'),
            ("timing.numbers", "final", {**TIMES, "audioTimeSize": "1"}, '"1"; expected an integer'),
        ],
    )
    def test_a_bad_result_is_broken_where_it_differs(
        self, talk: Talk, name: str, kind: str, members: dict[str, Any], said: str
    ) -> None:
        good = {"type": kind, "id": "0" if kind == "final" else "0.1", "recognition": "a", "translation": "b"}
        talk.open("Partial,TimingInfo").replies(json.dumps({**good, **members}))
        (found,) = talk.said(BENCH, name)
        assert found.startswith(said)
        assert talk.said(BENCH, "result.type") == talk.said(BENCH, "result.one-object") == ["kept"]

    def test_each_message_is_judged_at_its_last_frame(self, talk: Talk) -> None:
        talk.open().replies('{"type":"final","id":"0",', final=False).header()
        talk.replies('"recognition":"a","translation":"b"}', first=False)
        assert {found.at for found in BENCH.judge(talk.transcript(), Party.SERVER)} == {4}

    @pytest.mark.parametrize("part", ['{"type":"fin', '{"type":"final","id":"0","recognition":"","translation":""}'])
    def test_a_message_that_never_ended_is_not_judged(self, talk: Talk, part: str) -> None:
        talk.open().replies(part, final=False)
        assert talk.said(BENCH, "result.text-json") == []

    def test_voices_are_not_results(self, talk: Talk) -> None:
        assert talk.open("TextToSpeech").voice().said(BENCH, "result.text-json") == []

    def test_every_requirement_of_the_schemas_is_declared(self) -> None:
        for name in ("translator/final", "translator/partial"):
            assert requirements_in(schemas.read(name)) <= BENCH.requirements(Party.SERVER)


class TestFinalIds:
    """translator.final.id-unique, id-order."""

    def test_growing_ones_are_kept(self, talk: Talk) -> None:
        finals(talk, "0", "1", "7")
        assert talk.said(BENCH, "final.id-unique") == ["kept"] * 3
        assert talk.said(BENCH, "final.id-order") == ["kept"] * 3

    def test_one_that_comes_again_is_broken(self, talk: Talk) -> None:
        finals(talk, "0", "1", "0", "2")
        assert talk.said(BENCH, "final.id-unique") == [
            "kept",
            "kept",
            '"0" again; expected an id that no final of the session has had',
            "kept",
        ]
        assert talk.said(BENCH, "final.id-order") == ["kept"] * 3

    def test_one_that_falls_is_broken_and_measured_by_the_highest(self, talk: Talk) -> None:
        finals(talk, "5", "3", "4", "10")
        assert talk.said(BENCH, "final.id-unique") == ["kept"] * 4
        assert talk.said(BENCH, "final.id-order") == [
            "kept",
            "3; expected an id greater than 5",
            "4; expected an id greater than 5",
            "kept",
        ]

    def test_the_same_number_in_other_digits_does_not_grow(self, talk: Talk) -> None:
        finals(talk, "1", "01")
        assert talk.said(BENCH, "final.id-unique") == ["kept"] * 2
        assert talk.said(BENCH, "final.id-order") == ["kept", "01; expected an id greater than 1"]

    def test_one_that_is_no_number_has_no_order(self, talk: Talk) -> None:
        finals(talk, "a", "0", "b")
        assert talk.said(BENCH, "final.id-unique") == ["kept"] * 3
        assert talk.said(BENCH, "final.id-order") == ["kept"]

    def test_numbers_may_be_longer_than_python_reads(self, talk: Talk) -> None:
        finals(talk, "9" * 5000, "1" + "0" * 5000, "007")
        *kept, broken = talk.said(BENCH, "final.id-order")
        assert kept == ["kept", "kept"]
        assert broken.startswith("007; expected an id greater than 1000")

    def test_sessions_do_not_share_their_ids(self, new_talk: Callable[[], Talk]) -> None:
        assert [finals(new_talk(), "0").said(BENCH, "final.id-unique") for _ in range(2)] == [["kept"], ["kept"]]


class TestEmptyFinals:
    """translator.final.empty-translation."""

    NAME = "final.empty-translation"

    def test_nothing_said_and_nothing_translated_is_kept(self, talk: Talk) -> None:
        assert talk.open().final("0", "", "").said(BENCH, self.NAME) == ["kept"]

    def test_nothing_said_but_something_translated_is_broken(self, talk: Talk) -> None:
        assert talk.open().final("0", "", "ciao").said(BENCH, self.NAME) == ["'ciao'; expected an empty translation"]

    def test_something_said_shows_nothing(self, talk: Talk) -> None:
        assert talk.open().final("0", "hello", "").said(BENCH, self.NAME) == []

    def test_a_malformed_final_shows_nothing(self, talk: Talk) -> None:
        assert talk.open().final(recognition="", id=None).said(BENCH, self.NAME) == []


class TestPartialsUnasked:
    """translator.partial.only-if-requested."""

    NAME = "partial.only-if-requested"

    def test_none_before_the_close_of_the_server_is_kept(self, talk: Talk) -> None:
        assert talk.open().final().client_closes().server_closes().said(BENCH, self.NAME) == ["kept"]

    def test_none_before_a_barrier_is_kept(self, talk: Talk) -> None:
        assert talk.open("TimingInfo").final().barrier().said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize("features", ["", "TimingInfo,TextToSpeech"])
    def test_each_is_broken(self, talk: Talk, features: str) -> None:
        talk.open(features).partial("0.1").partial("0.2").final("0").server_closes()
        assert talk.said(BENCH, self.NAME) == ["a partial; expected finals only: features has no Partial"] * 2

    def test_with_nothing_behind_it_that_orders_it_none_proves_nothing(self, talk: Talk) -> None:
        assert talk.open().final().client_closes().said(BENCH, self.NAME) == []

    def test_without_a_final_none_proves_nothing(self, talk: Talk) -> None:
        assert talk.open().server_closes().said(BENCH, self.NAME) == []

    @pytest.mark.parametrize("features", ["Partial", "partial,timinginfo"])
    def test_whoever_asks_may_have_them(self, talk: Talk, features: str) -> None:
        assert talk.open(features).partial().final().server_closes().said(BENCH, self.NAME) == []

    def test_without_a_conversation_nothing_is_said(self, talk: Talk) -> None:
        assert talk.ask().answer(400).partial().said(BENCH, self.NAME) == []


class TestUtterances:
    def test_are_cut_behind_each_final(self, talk: Talk) -> None:
        partials(talk, "0.1", "0.2", "0", "1", "2.1")
        cut = utterances(View(talk.transcript()))
        assert [[result.id for result in group] for group in cut] == [["0.1", "0.2", "0"], ["1"], ["2.1"]]

    def test_may_be_none(self, talk: Talk) -> None:
        assert utterances(View(talk.open().transcript())) == ()


class TestMajors:
    """translator.partial.major-shared, before-final."""

    def test_the_number_of_the_final_behind_them_is_kept(self, talk: Talk) -> None:
        partials(talk, "0.1", "0.2", "0", "1.1", "1")
        assert talk.said(BENCH, "partial.major-shared") == ["kept"] * 3
        assert talk.said(BENCH, "partial.before-final") == ["kept"] * 3

    def test_another_number_is_broken(self, talk: Talk) -> None:
        partials(talk, "0.1", "5.2", "0")
        assert talk.said(BENCH, "partial.major-shared") == [
            "kept",
            "5.2; expected 0.<number>, as the final of this utterance",
        ]

    def test_the_number_of_an_earlier_final_is_a_late_partial(self, talk: Talk) -> None:
        partials(talk, "0.1", "0", "0.2", "1.1", "1")
        assert talk.said(BENCH, "partial.before-final") == [
            "kept",
            'a partial "0.2"; expected no partial of utterance 0 behind its final',
            "kept",
        ]
        assert talk.said(BENCH, "partial.major-shared") == ["kept", "kept"]

    @pytest.mark.parametrize("last", ["x", "0"])
    def test_a_final_with_a_bad_or_used_id_is_not_held_against_its_partials(self, talk: Talk, last: str) -> None:
        partials(talk, "0", "1.1", last)
        assert talk.said(BENCH, "partial.major-shared") == []
        assert talk.said(BENCH, "partial.before-final") == ["kept"]

    def test_without_a_final_only_the_order_is_known(self, talk: Talk) -> None:
        partials(talk, "0.1")
        assert talk.said(BENCH, "partial.major-shared") == []
        assert talk.said(BENCH, "partial.before-final") == ["kept"]

    def test_a_malformed_id_is_reported_as_that_alone(self, talk: Talk) -> None:
        partials(talk, "1.2.3", "a.b", "0")
        for name in ("major-shared", "before-final", "minor-grows"):
            assert talk.said(BENCH, f"partial.{name}") == []
        assert len(talk.said(BENCH, "partial.id-form")) == 2

    def test_partials_that_nobody_asked_for_are_reported_as_that_alone(self, talk: Talk) -> None:
        talk.open().partial("5.1").final("0")
        assert talk.said(BENCH, "partial.major-shared") == []


class TestMinors:
    """translator.partial.minor-grows."""

    NAME = "partial.minor-grows"

    def test_growing_ones_are_kept_gaps_allowed(self, talk: Talk) -> None:
        assert partials(talk, "0.1", "0.2", "0.9", "0.10", "0").said(BENCH, self.NAME) == ["kept"] * 3

    @pytest.mark.parametrize("minor", ["2", "1", "02"])
    def test_one_that_does_not_grow_is_broken(self, talk: Talk, minor: str) -> None:
        assert partials(talk, "0.2", f"0.{minor}").said(BENCH, self.NAME) == [f"0.{minor}; expected 0.<more than 2>"]

    def test_each_utterance_counts_anew(self, talk: Talk) -> None:
        assert partials(talk, "0.4", "0", "1.1", "1.2", "1").said(BENCH, self.NAME) == ["kept"]

    def test_each_number_is_compared_with_its_own(self, talk: Talk) -> None:
        assert partials(talk, "0.4", "1.1", "0.5", "0").said(BENCH, self.NAME) == ["kept"]

    def test_numbers_may_be_longer_than_python_reads(self, talk: Talk) -> None:
        assert partials(talk, "0." + "9" * 5000, "0.1" + "0" * 5000).said(BENCH, self.NAME) == ["kept"]
