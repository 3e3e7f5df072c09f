"""The engine `local` as a whole: which of its parts run, and what is offered when some cannot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from reference_server.engines.base import CannotStart, EngineFailure, Job, Options
from reference_server.engines.local.engine import LocalEngine, create
from reference_server.engines.local.parts import Kind, Part
from tests.unit.local_parts import hears, speaks, translates, utterance

HERE = "tests.unit.local_services"


def works(part: Part) -> Part:
    """The part, with a service that answers."""
    return replace(part, service=f"{HERE}:Parrot")


def broken(part: Part) -> Part:
    """The part, with a service that cannot load its model."""
    return replace(part, service=f"{HERE}:Fussy", arguments={"model": "there is none"})


LARGE = hears("large", "en-US", "es-ES", rank=60)
SMALL = hears("small", "en-US", rank=40)
FAST = translates("fast", "en-pt")
RULES = translates("rules", "en-pt", kind=Kind.SMT)
TIN = speaks("tin", "pt-BR")


@contextlib.asynccontextmanager
async def started(*parts: Part, missing: tuple[str, ...] = ()) -> AsyncIterator[LocalEngine]:
    """Give an engine of these parts, and stop it."""
    engine = LocalEngine(parts, missing)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.stop()


def names(engine: LocalEngine) -> list[str]:
    return [part.name for part in engine.parts]


class TestStart:
    def test_only_what_is_needed_runs(self) -> None:
        async def test() -> None:
            async with started(works(LARGE), works(SMALL), works(FAST), works(RULES), works(TIN)) as engine:
                assert names(engine) == ["large", "fast", "tin"]
                assert engine.missing == ()

        asyncio.run(test())

    def test_what_cannot_load_is_left_out_and_the_next_best_does_it(self) -> None:
        async def test() -> None:
            async with started(broken(LARGE), works(SMALL), broken(FAST), works(RULES), works(TIN)) as engine:
                assert names(engine) == ["small", "rules", "tin"]
                assert list(engine.catalogue.speech) == ["en-US"]
                assert engine.plan.routes["en", "pt"][0].part == "rules"
                assert [sentence.partition(":")[0] for sentence in engine.missing] == ["large", "fast"]

        asyncio.run(test())

    def test_less_is_offered_when_nothing_is_left_that_does_it(self) -> None:
        async def test() -> None:
            async with started(works(LARGE), broken(FAST), broken(TIN), missing=("gone: it is gone",)) as engine:
                assert list(engine.catalogue.speech) == ["en-US", "es-ES"]
                assert engine.plan.routes == {}
                assert not engine.catalogue.voices
                assert [sentence.partition(":")[0] for sentence in engine.missing] == ["gone", "fast", "tin"]

        asyncio.run(test())

    def test_without_a_recogniser_it_cannot_start(self) -> None:
        async def test() -> None:
            with pytest.raises(CannotStart, match=r"^the engine 'local' has no recogniser: large: .*; small: "):
                async with started(broken(LARGE), broken(SMALL), works(FAST)):
                    raise AssertionError

        asyncio.run(test())

    def test_with_no_parts_at_all_it_cannot_start(self) -> None:
        with pytest.raises(CannotStart, match=r"^the engine 'local' has no recogniser: no part hears$"):
            asyncio.run(LocalEngine(()).start())


class TestOpen:
    def test_a_session_has_the_parts_that_run(self) -> None:
        async def test() -> None:
            async with started(works(LARGE), works(FAST)) as engine:
                session = engine.open(Job("en-US", ("pt",)))
                with pytest.raises(EngineFailure, match="large: "):  # a parrot does not decode
                    await session.phrase(utterance(1000))
                await session.close()

        asyncio.run(test())


class TestCreate:
    def test_what_is_not_there_is_told(self) -> None:
        engine = create(Options(parts=("nothing-of-that-name",)))
        (sentence,) = engine.missing
        assert sentence.startswith("nothing-of-that-name: there is no part")
