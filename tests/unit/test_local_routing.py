from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.engines.local.parts import Kind, Pair, Part, Translates
from reference_server.engines.local.routing import Leg, Route, routes
from tests.unit.local_parts import hears, speaks, translates

LANGUAGES = ("de", "en", "es", "pt")
PAIRS = tuple(permutations(LANGUAGES, 2))
kinds = st.sampled_from(Kind)
pairs = st.lists(st.builds(lambda way, kind: Pair(way[0], way[1], kind), st.sampled_from(PAIRS), kinds), max_size=6)


@st.composite
def translators(draw: st.DrawFn) -> list[Part]:
    """Translators of ranks that differ, in any order."""
    made = [
        Part(f"part-{rank}", Translates(tuple(draw(pairs))), "nowhere:Service", rank=rank)
        for rank in range(draw(st.integers(0, 3)))
    ]
    return draw(st.permutations(made))


def best(parts: list[Part], source: str, target: str) -> Route:
    """The route that the rule wants, found by looking at every one that there is."""
    legs = [
        (pair.kind is Kind.NMT, part.rank, Leg(pair, part.name))
        for part in parts
        if isinstance(part.offer, Translates)
        for pair in part.offer.pairs
    ]
    direct = [leg for leg in legs if (leg[2].pair.source, leg[2].pair.target) == (source, target)]
    if direct:
        return (max(direct, key=lambda leg: leg[:2])[2],)
    if "en" in {source, target}:
        return ()
    first, second = best(parts, source, "en"), best(parts, "en", target)
    return (*first, *second) if first and second else ()


class TestRoutes:
    @given(translators())
    @example([translates("a", "en-pt", "es-en"), translates("b", "es-pt", kind=Kind.SMT)])
    def test_are_the_best_that_there_are_and_nothing_else(self, parts: list[Part]) -> None:
        assert routes(parts) == {way: route for way in PAIRS if (route := best(parts, *way))}

    def test_a_neural_pair_comes_before_one_by_rules_of_a_higher_rank(self) -> None:
        rules = translates("rules", "en-pt", kind=Kind.SMT, rank=90)
        ((leg,),) = routes([translates("fast", "en-pt", rank=10), rules]).values()
        assert leg.part == "fast"

    def test_a_direct_pair_by_rules_comes_before_two_neural_legs(self) -> None:
        found = routes([translates("fast", "es-en", "en-pt"), translates("rules", "es-pt", kind=Kind.SMT)])
        assert [leg.part for leg in found["es", "pt"]] == ["rules"]

    def test_two_legs_go_through_english(self) -> None:
        found = routes([translates("a", "de-en"), translates("b", "en-pt", kind=Kind.SMT)])
        assert [(leg.part, leg.pair.kind) for leg in found["de", "pt"]] == [("a", Kind.NMT), ("b", Kind.SMT)]

    def test_there_is_none_through_another_language_nor_back(self) -> None:
        assert set(routes([translates("a", "en-pt", "pt-es")])) == {("en", "pt"), ("pt", "es")}

    @pytest.mark.parametrize("part", [hears("ear", "en-US"), speaks("tin", "en-US")])
    def test_who_does_not_translate_has_none(self, part: Part) -> None:
        assert routes([part]) == {}
