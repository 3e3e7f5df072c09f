"""`speechwire languages`: what an engine can do here, which part does it, and what is missing."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol, runtime_checkable

import click

from conformance.commands.engine_options import engine_options, make_engine
from conformance.commands.exits import CouldNotRun
from conformance.report.text import printable
from reference_server.engines.base import CannotStart, Engine
from reference_server.engines.local.parts import Hears, Kind, Part, Speaks, Translates
from reference_server.engines.local.plan import Plan
from reference_server.engines.local.routing import Leg, Route

_DOES: Final = {Hears: "hears", Translates: "translates", Speaks: "speaks"}


@runtime_checkable
class Routed(Engine, Protocol):
    """An engine that is made of parts. What it has is known when it has started."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that run."""

    @property
    def plan(self) -> Plan:
        """Which of them does what."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Why others do not run: one sentence each."""


@click.command()
@engine_options("local")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object (schema `languages`).")
def command(*, as_json: bool, **given: Any) -> None:
    """List what an engine hears, how it translates, and what it speaks.

    Each translation has its route: nmt is made by a neural network, smt by statistics or rules. What is missing comes
    last, with the command that mends it.
    """
    logging.basicConfig(level=logging.WARNING, format="speechwire: %(message)s")
    engine = make_engine(given)
    if not isinstance(engine, Routed):
        raise click.UsageError(f"the engine '{engine.name}' is not made of parts: it has no routes to list")
    try:
        told = asyncio.run(_tried(engine))
    except CannotStart as error:
        raise CouldNotRun(str(error)) from error
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(_lines(told)))


async def _tried(engine: Routed) -> dict[str, Any]:
    """Return what an engine has when its models are loaded."""
    try:
        await engine.start()
        return _document(engine)
    finally:
        await engine.stop()


def _document(engine: Routed) -> dict[str, Any]:
    parts = sorted(engine.parts, key=lambda part: part.name)
    made = engine.plan
    return {
        "engine": engine.name,
        "parts": [{"name": part.name, "does": _DOES[type(part.offer)]} for part in parts],
        "missing": list(engine.missing),
        "speech": [
            {"locale": locale, "language": speech.language, "part": made.hearing[locale].name}
            for locale, speech in made.catalogue.speech.items()
        ],
        "pairs": [
            {"source": source, "target": target, "route": [_leg(leg) for leg in route], "kind": _kind(route)}
            for (source, target), route in made.routes.items()
        ],
        "voices": [
            {"id": voice.id, "language": voice.language, "part": made.speaking[voice.id].name}
            for voice in made.catalogue.voices.values()
        ],
    }


def _leg(leg: Leg) -> dict[str, str]:
    return {"source": leg.pair.source, "target": leg.pair.target, "kind": leg.pair.kind.value, "part": leg.part}


def _kind(route: Route) -> str:
    """Return the kind of a whole route: no better than its worst leg."""
    return (Kind.NMT if all(leg.pair.kind is Kind.NMT for leg in route) else Kind.SMT).value


# For a person.


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"the engine '{printable(told['engine'])}'"
    yield from _section("parts", ((part["name"], part["does"]) for part in told["parts"]))
    yield from _section("hears", _by_part(told["speech"], "locale"))
    yield from _section("translates", ((_way(pair), _route(pair)) for pair in told["pairs"]))
    yield from _section("speaks", _by_part(told["voices"], "id"))
    if told["missing"]:
        yield "\nmissing"
    for sentence in told["missing"]:
        yield f"  {printable(sentence)}"  # on one line, so that its command can be copied


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a title, and rows of two columns, as wide as the terminal."""
    shown = [(printable(name), printable(text)) for name, text in rows]
    width = max((len(name) for name, _ in shown), default=0)
    if shown:
        yield f"\n{title}"
    for name, text in shown:
        yield textwrap.fill(
            text,
            shutil.get_terminal_size().columns,
            initial_indent=f"  {name:<{width}}  ",
            subsequent_indent=" " * (width + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _by_part(entries: Iterable[Mapping[str, str]], key: str) -> Iterable[tuple[str, str]]:
    of: dict[str, list[str]] = {}
    for entry in entries:
        of.setdefault(entry["part"], []).append(entry[key])
    return ((part, ", ".join(names)) for part, names in of.items())


def _way(leg: Mapping[str, Any]) -> str:
    return f"{leg['source']} → {leg['target']}"


def _route(pair: Mapping[str, Any]) -> str:
    legs = ", ".join(f"{leg['part']} {_way(leg)} ({leg['kind']})" for leg in pair["route"])
    return f"{pair['kind']}  {legs}"
