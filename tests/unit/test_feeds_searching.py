"""Drawing, and shrinking what fails, in a thread to which the loop hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from conformance.feeds.searching import draw, replayed, shrink
from conformance.peers.virtual import run
from conformance.programs.program import Program, Step, Talk

Fails = Callable[[Program], Awaitable[bool | None]]
WORDS = st.lists(st.sampled_from(["ping", "pause", "close"]), max_size=12)
PROGRAMS = WORDS.map(lambda words: Program("translator", (Talk(),), tuple(Step(0, word) for word in words)))


def closing(asked: list[Program] | None = None) -> Fails:
    async def fails(program: Program) -> bool:
        await asyncio.sleep(20)  # virtual: nothing else may pass meanwhile
        if asked is not None:
            asked.append(program)
        return sum(step.does == "close" for step in program.steps) > 1

    return fails


class TestShrinking:
    def test_finds_the_shortest(self) -> None:
        found = run(shrink(PROGRAMS, 1, 100, closing()))
        assert found is not None
        assert [step.does for step in found.steps] == ["close", "close"]

    def test_finds_nothing_where_nothing_fails(self) -> None:
        async def never(_: Program) -> bool:
            return False

        assert run(shrink(PROGRAMS, 1, 50, never)) is None

    def test_begins_with_what_was_drawn(self) -> None:
        asked: list[Program] = []
        run(shrink(PROGRAMS, 4, 60, closing(asked)))
        first = next(index for index, program in enumerate(asked) if [s.does for s in program.steps].count("close") > 1)
        assert set(asked[: first + 1]) <= set(draw(PROGRAMS, 4, 60))

    def test_ends_when_there_is_no_time_left(self) -> None:
        asked: list[Program] = []
        hold = closing(asked)

        async def until_ten(program: Program) -> bool | None:
            return None if len(asked) >= 10 else await hold(program)

        found = run(shrink(PROGRAMS, 1, 100, until_ten))
        assert len(asked) == 10
        assert found is None or found in asked

    def test_passes_on_what_goes_wrong_in_a_strategy(self) -> None:
        def broken(_: list[str]) -> Program:
            raise KeyError("a defect")

        async def never(_: Program) -> bool:
            return False

        with pytest.raises(KeyError, match="a defect"):
            run(shrink(WORDS.map(broken), 1, 10, never))


class TestWhatIsKept:
    def test_is_looked_for_first_the_next_time(self, tmp_path: Path) -> None:
        shortest = run(shrink(PROGRAMS, 1, 100, closing(), tmp_path))
        assert shortest in run(replayed(PROGRAMS, closing(), tmp_path))

    def test_is_forgotten_once_it_does_not_fail(self, tmp_path: Path) -> None:
        async def never(_: Program) -> bool:
            return False

        run(shrink(PROGRAMS, 1, 100, closing(), tmp_path))
        assert run(replayed(PROGRAMS, never, tmp_path)) == []
        assert run(replayed(PROGRAMS, closing(), tmp_path)) == []

    def test_may_be_nothing(self, tmp_path: Path) -> None:
        assert run(replayed(PROGRAMS, closing(), tmp_path)) == []
