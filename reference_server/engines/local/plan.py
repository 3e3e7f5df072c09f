"""What a set of parts makes possible: who hears which language, which way translations go, and what is offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocol.languages import PUBLISHED, Catalogue, Speech, Text, Voice
from reference_server.engines.local.parts import Hears, Part, Speaks
from reference_server.engines.local.routing import Routes, routes

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Who does what.

    Attributes:
        hearing: The recogniser of each speech key.
        routes: The way of each translation.
        speaking: The synthesiser of each voice.
        catalogue: What is offered because of all that.
    """

    hearing: Mapping[str, Part]
    routes: Routes
    speaking: Mapping[str, Part]
    catalogue: Catalogue

    @property
    def needed(self) -> frozenset[str]:
        """The names of the parts that something depends on."""
        legs = {leg.part for route in self.routes.values() for leg in route}
        return frozenset(legs | {part.name for part in (*self.hearing.values(), *self.speaking.values())})


def plan(parts: Iterable[Part]) -> Plan:
    """Return the best that can be made of these parts: of several that can do a thing, the one of the highest rank."""
    ranked = sorted(parts, key=lambda part: -part.rank)
    hearing: dict[str, Part] = {}
    speech: dict[str, Speech] = {}
    for part in ranked:
        for entry in part.offer.speech if isinstance(part.offer, Hears) else ():
            if entry.locale not in hearing:
                hearing[entry.locale], speech[entry.locale] = part, entry
    spoken = {entry.language for entry in speech.values()}
    ways = {way: route for way, route in routes(ranked).items() if way[0] in spoken}
    written = spoken | {target for _, target in ways}
    speaking: dict[str, Part] = {}
    voices: dict[str, Voice] = {}
    for part in ranked:
        for voice in part.offer.voices if isinstance(part.offer, Speaks) else ():
            if voice.language in written and voice.id not in voices:
                speaking[voice.id], voices[voice.id] = part, voice
    catalogue = Catalogue.of(
        _sorted(speech),
        (_text(text_id) for text_id in sorted(written)),
        voices.values(),
        {source: frozenset(target for begin, target in ways if begin == source) for source in sorted(spoken)},
    )
    return Plan(hearing, ways, speaking, catalogue)


def _sorted(speech: Mapping[str, Speech]) -> Iterable[Speech]:
    """Return the entries in the order of what was published, further ones behind them."""
    further = sorted(speech.keys() - PUBLISHED.speech.keys())
    return [speech[key] for key in (*PUBLISHED.speech, *further) if key in speech]


def _text(text_id: str) -> Text:
    return PUBLISHED.text.get(text_id) or Text(text_id, "rtl" if text_id in _RIGHT_TO_LEFT else "ltr")
