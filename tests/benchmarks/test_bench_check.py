"""How long a whole check of the reference server takes: over the loopback, and in memory with its server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

from conformance.faults.memory import run_in_memory
from conformance.feeds.server import Options, check_server
from conformance.peers.address import Address
from conformance.report.events import Report
from tests.targets import target_at

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter
    from tests.conftest import Serving

pytestmark = pytest.mark.slow

ROUNDS = 5
MEMORY = "in memory, server included"
LOOPBACK = "over the loopback, server in a process of its own"
OPTIONS = Options(skip=("audio.real-time",))  # it speaks in real time on purpose; all others wait for answers alone


def over_loopback(port: int) -> Report:
    """Check the server behind a port."""
    target = target_at(Address.tcp("127.0.0.1", port, None))
    return asyncio.run(check_server(target, "translator", OPTIONS, lambda _: None, {}))


def test_whole_check(meter: Meter, server: Serving) -> None:
    cases: set[int] = set()

    def measured(check: Callable[[], Report], clock: Callable[[], float]) -> float:
        begun = clock()
        report = check()
        spent = clock() - begun
        assert report.exit_code == 0, [check for check in report.checks if check.card]
        cases.add(len(report.elapsed))
        return spent

    in_memory = partial(run_in_memory, "translator", options=OPTIONS)
    on_sockets = partial(over_loopback, server.port)
    title = "Check of the reference server, eight connections at a time, without the case that speaks in real time"
    medians = meter.compare(
        f"{title}: how long it takes",
        "s (min / median / max)",
        {
            MEMORY: partial(measured, in_memory, time.perf_counter),
            LOOPBACK: partial(measured, on_sockets, time.perf_counter),
        },
        ROUNDS,
    )
    meter.compare(
        f"{title}: what it costs",
        "s of CPU (min / median / max)",
        {
            MEMORY: partial(measured, in_memory, time.process_time),
            f"{LOOPBACK}, the suite alone": partial(measured, on_sockets, time.process_time),
        },
        ROUNDS,
    )
    assert len(cases) == 1
    held = cases.pop()
    for name, seconds in medians.items():
        meter.say(f"{name}: {held} cases in each run, {held / seconds:.0f} a second")
