"""The self-proof: each fault runs in memory, in virtual time, against the whole suite.

A fault is killed when a check on its requirement departs from `ok`. Every other requirement that departs has to be
one that the fault implies; what is more is undeclared collateral: a check that reports something else than it names.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from conformance import corpus
from conformance.cases.target import ENDPOINTS, SOURCE, TARGET, Target
from conformance.faults import registry
from conformance.faults.reach import Recorder, Traffic, reached
from conformance.faults.registry import Fault
from conformance.feeds.server import Emit, Options, check_server
from conformance.judge.verdict import Verdict
from conformance.peers.address import Address
from conformance.peers.virtual import MemoryListener, run
from conformance.report.events import CaseFinished, Report
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tap import Tap

KEY = "test-key"
DEPARTURES = frozenset({Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.FLAKY})


@dataclass(frozen=True, slots=True)
class Proof:
    """What the suite said of one fault: the checks that saw it, and the other requirements that departed."""

    fault: str
    requirement: str
    party: str
    by: tuple[str, ...]
    implies: tuple[str, ...]
    also: tuple[str, ...]

    @property
    def killed(self) -> bool:
        """Whether a check on the fault's own requirement saw it."""
        return bool(self.by)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Requirements that departed and are not implied."""
        return tuple(name for name in self.also if name not in self.implies)


def prove(dialect: str, faults: Sequence[Fault], jobs: int, told: Callable[[Proof], None]) -> tuple[Proof, ...]:
    """Run the suite against each fault, in `jobs` processes; return the proofs in the order of the faults."""
    names = [fault.id for fault in faults]
    proofs: list[Proof] = []
    if jobs == 1:
        results: Iterable[Proof] = (prove_one(dialect, name) for name in names)
        for proof in results:
            told(proof)
            proofs.append(proof)
        return tuple(proofs)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, (dialect,)) as pool:
        for proof in pool.map(prove_one, [dialect] * len(names), names):
            told(proof)
            proofs.append(proof)
    return tuple(proofs)


def _prepare(dialect: str) -> None:
    """Have ready what every proof needs, and keep the garbage collector from looking through it again and again."""
    traffic(dialect)
    gc.freeze()


def prove_one(dialect: str, identity: str) -> Proof:
    """Run the suite against one fault: the cases that it reaches, which are all if it is one of policy."""
    fault = registry.get(identity)
    names = None if fault.policy or fault.path or fault.mutator.shared else reached(fault.mutator, traffic(dialect))
    # In memory and virtual time a failing case would fail each time again. Where connections know of each other the
    # cases must not, or what a fault does would depend on which of them happen to run side by side.
    options = Options(only=names or (), repeats=0, connections=1 if fault.mutator.shared else 8)
    checks = () if names == () else run_in_memory(dialect, fault, options).checks
    departed = [check for check in checks if check.verdict in DEPARTURES]
    by = tuple(check.case for check in departed if check.requirement == fault.requirement)
    also = dict.fromkeys(check.requirement for check in departed if check.requirement != fault.requirement)
    return Proof(fault.id, fault.requirement, fault.party.value, by, fault.implies, tuple(also))


@cache
def traffic(dialect: str) -> Traffic:
    """Return what crosses the wire of the sound server, in the control and in each case: one run, a case at a time."""
    connections: list[Recorder] = []
    cases: dict[str, list[Recorder]] = {}

    def tap() -> Recorder:
        connections.append(Recorder())
        return connections[-1]

    def recorded() -> list[Recorder]:
        seen = connections.copy()
        connections.clear()
        return seen

    def finished(event: object) -> None:
        if isinstance(event, CaseFinished):
            cases[event.case] = recorded()

    sound = Settings(keys=(KEY,))
    run(_run(dialect, None, sound, tap, Options(only=("",))))
    control = recorded()
    run(_run(dialect, None, sound, tap, Options(connections=1), finished))
    first = next(iter(cases))
    cases[first] = cases[first][len(control) :]
    return Traffic(control, cases)


def run_in_memory(dialect: str, fault: Fault | None = None, options: Options | None = None) -> Report:
    """Run the suite against the reference server, with a fault or without, in memory and virtual time."""
    sound = Settings(keys=(KEY,))
    tap, settings = (Tap, sound) if fault is None else (fault.mutator, fault.settings(sound))
    return run(_run(dialect, None if fault is None else fault.path, settings, tap, options or Options()))


async def _run(
    dialect: str,
    path: str | None,
    settings: Settings,
    tap: Callable[[], Tap],
    options: Options,
    emit: Emit = lambda _: None,
) -> Report:
    server = Server(settings, ScriptedEngine(), tap=tap, wall_clock=lambda: 1.6e9)
    await server.start()
    listener = MemoryListener(server.handle)
    target = Target(
        address=Address("127.0.0.1", 80, False, listener.connect),
        path=path or ENDPOINTS[dialect][0],
        key=KEY,
        token=None,
        headers=(),
        source=SOURCE,
        target=TARGET,
        voice=None,
        without=frozenset(),
        corpus=corpus.load(),
    )
    try:
        return await check_server(target, dialect, options, emit, {"url": "memory:"})
    finally:
        await listener.close()
        await server.shutdown()
