"""The suite against the reference server, with a fault or without, in memory and virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache

from conformance.cases.target import ENDPOINTS, Target
from conformance.corpus import load
from conformance.faults.registry import Fault
from conformance.feeds.conversations import Explored, Limits, explore
from conformance.feeds.doctor import Diagnosis, diagnose
from conformance.feeds.properties import players, strategy
from conformance.feeds.server import Emit, Options, check_server, control
from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.report.events import Report
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tap import Tap

KEY = "test-key"
SOUND = Settings(keys=(KEY,))

_CROWD = 64

_corpus = cache(load)
_engine = cache(ScriptedEngine)


def run_in_memory(
    dialect: str, fault: Fault | None = None, options: Options | None = None, diagnosis: Diagnosis | None = None
) -> Report:
    """Run the suite; the doctor does not come where there is a `diagnosis`, whose budget is then spent."""
    tap, settings, path = _with(fault)
    return run(check(dialect, settings, tap, options or Options(), path=path, diagnosis=diagnosis))


def diagnose_in_memory(dialect: str, fault: Fault | None = None) -> Diagnosis:
    """Let the doctor come, and do no more."""
    tap, settings, path = _with(fault)
    return run(examine(dialect, settings, tap, path=path))


def converse_in_memory(dialect: str, limits: Limits, fault: Fault | None = None, seed: int = 0) -> Explored:
    """Hold conversations that nobody wrote with such a server.

    Where its connections know of each other, one conversation is held at a time: whatever they do to one another is
    then done within it.
    """
    tap, settings, path = _with(fault)
    crowd = 1 if fault is not None and fault.mutator.shared else _CROWD

    async def converse() -> Explored:
        async with _served(dialect, settings, tap, path) as target:
            playing = players(target, dialect, Budget(), seed, crowd)
            return await explore(playing, strategy(target, dialect), limits, crowd)

    return run(converse())


def _with(fault: Fault | None) -> tuple[Callable[[], Tap], Settings, str | None]:
    return (Tap, SOUND, None) if fault is None else (fault.mutator, fault.settings(SOUND), fault.path)


async def check(
    dialect: str,
    settings: Settings,
    tap: Callable[[], Tap],
    options: Options,
    emit: Emit = lambda _: None,
    *,
    path: str | None = None,
    diagnosis: Diagnosis | None = None,
) -> Report:
    """Run the suite against a server with these settings, and a tap on each of its connections."""
    async with _served(dialect, settings, tap, path) as target:
        return await check_server(target, dialect, options, emit, {"url": "memory:"}, diagnosis=diagnosis)


async def examine(dialect: str, settings: Settings, tap: Callable[[], Tap], *, path: str | None = None) -> Diagnosis:
    """Let the doctor come to such a server."""
    async with _served(dialect, settings, tap, path) as target:
        return await diagnose(target, dialect, control(dialect), Budget())


@asynccontextmanager
async def _served(dialect: str, settings: Settings, tap: Callable[[], Tap], path: str | None) -> AsyncIterator[Target]:
    server = Server(settings, _engine(), tap=tap, wall_clock=lambda: 1.6e9)
    await server.start()
    listener = MemoryListener(server.handle)
    try:
        yield Target(
            address=Address("127.0.0.1", 80, False, listener.connect),
            path=path or ENDPOINTS[dialect][0],
            key=KEY,
            corpus=_corpus(),
        )
    finally:
        await listener.close()
        await server.shutdown()
