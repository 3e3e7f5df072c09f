"""Findings and benches: who is judged, from where, and in which order."""

from __future__ import annotations

import pytest

from conformance.judge.findings import (
    ANYWHERE,
    BESIDE_CLIENT,
    BESIDE_SERVER,
    Bench,
    Finding,
    Findings,
    Rule,
    broken,
    kept,
    rule,
)
from conformance.judge.verdict import Verdict
from conformance.transcript import Transcript, Vantage
from protocol.wire import Party

NAME = "translator.final.id-unique"


def seen_from(vantage: Vantage) -> Transcript:
    return Transcript("translator", vantage, "a.case", 0, ())


def says(word: str, *, fails: bool = False) -> Findings:
    yield broken(word, 1, "this", "that") if fails else kept(word, 1)


def naming(party: Party) -> Rule[Transcript]:
    """Return a rule about a party that finds its name."""
    return rule(party, lambda _: says(party.value))


class TestFinding:
    def test_kept_has_nothing_to_explain(self) -> None:
        assert kept(NAME, 3) == Finding(NAME, kept=True, at=3, expected="", observed="", verdict=None)

    def test_broken_says_what_was_expected_and_what_was_seen(self) -> None:
        assert broken(NAME, 3, "a new id", '"0" again') == Finding(NAME, False, 3, "a new id", '"0" again')

    def test_broken_may_bring_a_verdict_of_its_own(self) -> None:
        assert broken(NAME, 3, "a", "b", Verdict.NON_STRICT).verdict is Verdict.NON_STRICT
        assert broken(NAME, 3, "a", "b").verdict is None


class TestBench:
    def test_rules_see_the_view_and_speak_in_their_order(self) -> None:
        bench = Bench(
            view=lambda transcript: transcript.case,
            rules=(
                rule(Party.SERVER, lambda case: says(f"second of {case}")),
                rule(Party.SERVER, lambda case: says(f"first of {case}", fails=True)),
            ),
        )
        assert bench.judge(seen_from(Vantage.CLIENT), Party.SERVER) == (
            kept("second of a.case", 1),
            broken("first of a.case", 1, "this", "that"),
        )

    def test_only_the_asked_party_is_judged(self) -> None:
        bench = Bench(
            view=lambda transcript: transcript,
            rules=tuple(map(naming, Party)),
        )
        for party in Party:
            assert bench.judge(seen_from(Vantage.MIDDLE), party) == (kept(party.value, 1),)

    @pytest.mark.parametrize(
        ("vantages", "proving"),
        [
            (ANYWHERE, {Vantage.CLIENT, Vantage.SERVER, Vantage.MIDDLE}),
            (BESIDE_CLIENT, {Vantage.CLIENT}),
            (BESIDE_SERVER, {Vantage.SERVER}),
        ],
    )
    def test_from_where_nothing_can_be_proved_nothing_is_said(
        self, vantages: frozenset[Vantage], proving: set[Vantage]
    ) -> None:
        bench = Bench(lambda transcript: transcript, (rule(Party.SERVER, lambda _: says(NAME), vantages=vantages),))
        assert {at for at in Vantage if bench.judge(seen_from(at), Party.SERVER)} == proving

    def test_a_rule_that_has_nothing_to_say_says_nothing(self) -> None:
        bench = Bench(lambda transcript: transcript, (rule(Party.SERVER, lambda _: iter(())),))
        assert bench.judge(seen_from(Vantage.CLIENT), Party.SERVER) == ()

    def test_tells_what_it_can_judge(self) -> None:
        def mute(_: Transcript) -> Findings:
            return iter(())

        rules = (rule(Party.SERVER, mute, "a", "b"), rule(Party.SERVER, mute, "b"), rule(Party.CLIENT, mute, "c"))
        bench = Bench(lambda transcript: transcript, rules)
        assert bench.requirements(Party.SERVER) == {"a", "b"}
        assert bench.requirements(Party.CLIENT) == {"c"}


class TestRule:
    def test_holds_anywhere_unless_it_says_where(self) -> None:
        def mute(_: Transcript) -> Findings:
            return iter(())

        assert rule(Party.CLIENT, mute, NAME) == Rule(Party.CLIENT, mute, (NAME,), ANYWHERE)
        assert rule(Party.CLIENT, mute, vantages=BESIDE_SERVER).vantages == {Vantage.SERVER}
