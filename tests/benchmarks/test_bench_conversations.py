"""How many drawn conversations are held in a second: in memory, over the loopback, and beside bare connections."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from conformance.cases.context import Context
from conformance.cases.registry import CONVERSATIONS, Case
from conformance.cases.target import ENDPOINTS
from conformance.faults.memory import converse_in_memory
from conformance.feeds.conversations import Limits
from conformance.feeds.properties import hold, players
from conformance.judge.benches import BENCHES
from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link
from conformance.programs.program import Talk
from protocol.wire import Party
from tests.targets import target_at

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter
    from tests.conftest import Serving

pytestmark = pytest.mark.slow

ROUNDS = 3
COUNT = 2_000
CROWD = 64
CORES = os.cpu_count() or 1


def in_memory(dialect: str, seed: int) -> int:
    """Hold conversations in this process; return how many."""
    return converse_in_memory(dialect, Limits(COUNT // CORES, math.inf), seed=seed).held


def over_loopback(dialect: str, port: int) -> int:
    """Hold conversations with the server behind a port."""
    target = target_at(Address.tcp("127.0.0.1", port, None), path=ENDPOINTS[dialect][0])
    limits = Limits(COUNT, math.inf)
    held, checks = asyncio.run(hold(target, dialect, Budget(), limits, seed=1, connections=CROWD, bundles=None))
    assert all(check.card is None for check in checks)
    return held.held


def bare(dialect: str, port: int) -> int:
    """Open so many connections and close them, and do nothing else."""
    target = target_at(Address.tcp("127.0.0.1", port, None), path=ENDPOINTS[dialect][0])
    speaking = players(target, dialect, Budget(), 0, CROWD).speaker

    async def nothing(_: object) -> None:
        pass

    async def one(number: int) -> None:
        case = Case(CONVERSATIONS, dialect, Party.SERVER, (), (), 1, "fast", "", nothing)
        context = Context(case, target, Budget(), number)
        opened = await context.dial(*speaking.side(Talk(), f"bare/{number}").request())
        assert isinstance(opened, Link)
        await opened.close()

    async def many() -> None:
        waiting = iter(range(COUNT))

        async def work() -> None:
            for number in waiting:
                await one(number)

        await asyncio.gather(*(work() for _ in range(CROWD)))

    asyncio.run(many())
    return COUNT


@pytest.mark.parametrize("dialect", BENCHES)
def test_conversations(meter: Meter, server: Serving, dialect: str) -> None:
    def rate(work: Callable[[], int]) -> float:
        begun = time.perf_counter()
        held = work()
        return held / (time.perf_counter() - begun)

    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        list(pool.map(in_memory, [dialect] * CORES, range(CORES)))  # whatever is imported and cached comes before

        def everywhere() -> int:
            return sum(pool.map(in_memory, [dialect] * CORES, range(1, CORES + 1)))

        meter.compare(
            f"{dialect}: {COUNT} drawn conversations, drawn, held and judged",
            "a second (min / median / max)",
            {
                f"in memory, server included, {CORES} processes": partial(rate, everywhere),
                "over the loopback, server in a process of its own": partial(
                    rate, partial(over_loopback, dialect, server.port)
                ),
                "over the loopback, connections alone": partial(rate, partial(bare, dialect, server.port)),
            },
            ROUNDS,
        )
