"""A time-out is the peer's: not that of a loop that comes late, nor that of others who keep the peer at work."""

from __future__ import annotations

import asyncio
import time

import pytest

from conformance.peers.budget import Budget
from conformance.peers.limit import Limit
from conformance.peers.virtual import run


async def lasts(limit: Limit, seconds: float = 1000.0) -> float:
    """Sleep within a limit; return how long that went."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimeoutError):
        async with limit:
            await asyncio.sleep(seconds)
    return loop.time() - begun


class TestByItself:
    def test_it_is_as_long_as_asked_for(self) -> None:
        async def main() -> float:
            return await lasts(Budget().limit(2.0))

        assert run(main()) == 2.0

    def test_what_comes_in_time_comes(self) -> None:
        async def main() -> float:
            async with Budget().limit(2.0):
                await asyncio.sleep(1.9)
            await asyncio.sleep(5.0)  # nor does it strike later
            return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(6.9)

    def test_an_error_within_it_comes_out(self) -> None:
        async def main() -> None:
            async with Budget().limit(2.0):
                raise KeyError

        with pytest.raises(KeyError):
            run(main())

    def test_others_are_of_no_matter_where_few_ask(self) -> None:
        async def main() -> float:
            budget = Budget()
            asyncio.get_running_loop().call_later(1.0, lambda: budget.heard(1.0))
            return await lasts(budget.limit(2.0))

        assert run(main()) == 2.0

    def test_a_loop_that_comes_late_gets_the_time_that_it_is_late(self) -> None:
        async def main() -> bool:
            came = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.call_later(0.3, came.set)  # with work that the loop is kept from doing
            loop.call_later(0.05, time.sleep, 0.2)
            async with Limit(0.15):
                await came.wait()
            return came.is_set()

        assert asyncio.run(main())


class TestInACrowd:
    def test_who_hears_nothing_waits_while_others_are_answered(self) -> None:
        async def main() -> float:
            loop, budget = asyncio.get_running_loop(), Budget(crowded=True)
            for at in (1.5, 3.0, 4.5):
                loop.call_at(at, budget.heard, at)
            return await lasts(budget.limit(2.0))

        assert run(main()) == 6.5

    def test_it_is_as_long_as_asked_for_where_nobody_is_answered(self) -> None:
        async def main() -> float:
            return await lasts(Budget(crowded=True).limit(2.0))

        assert run(main()) == 2.0

    def test_nor_does_it_go_on_for_ever(self) -> None:
        async def main() -> float:
            loop, budget = asyncio.get_running_loop(), Budget(crowded=True)
            for at in range(100):
                loop.call_at(at, budget.heard, float(at))
            return await lasts(budget.limit(2.0))

        assert 18.0 < run(main()) <= 20.0
