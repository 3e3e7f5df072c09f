"""Which way a translation goes: the pairs that are there, and the route that each pair of languages takes.

A direct pair by a neural network comes first, then any other direct pair, then two legs through English; what has none
of these is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from reference_server.engines.local.parts import Kind, Pair, Part, Translates

PIVOT = "en"


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a route, and the name of the part that makes it."""

    pair: Pair
    part: str


Route = tuple[Leg, ...]
"""The steps from one language to another: one, or two through English."""

Routes = Mapping[tuple[str, str], Route]
"""The routes by source and target, two different text ids."""


def routes(parts: Iterable[Part]) -> Routes:
    """Return every route that the translators among the parts make possible, in alphabetical order."""
    direct: dict[tuple[str, str], Leg] = {}
    for part in sorted(parts, key=lambda part: part.rank):
        for pair in part.offer.pairs if isinstance(part.offer, Translates) else ():
            way = (pair.source, pair.target)
            # The later of two equals has the higher rank.
            if way not in direct or pair.kind is Kind.NMT or direct[way].pair.kind is not Kind.NMT:
                direct[way] = Leg(pair, part.name)
    sources, targets = {source for source, _ in direct}, {target for _, target in direct}
    found = {way: _route(direct, *way) for way in product(sorted(sources), sorted(targets)) if way[0] != way[1]}
    return {way: route for way, route in found.items() if route}


def _route(direct: Mapping[tuple[str, str], Leg], source: str, target: str) -> Route:
    if (source, target) in direct:
        return (direct[source, target],)
    through = [direct.get((source, PIVOT)), direct.get((PIVOT, target))]
    return tuple(leg for leg in through if leg) if all(through) else ()
