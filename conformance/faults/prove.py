"""The self-proof: each fault runs in memory, in virtual time, against the whole suite.

A fault is killed when a check on its requirement departs from `ok`. Every other requirement that departs has to be
one that the fault implies; what is more is undeclared collateral: a check that reports something else than it names.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Final

from conformance.cases.registry import CONVERSATIONS
from conformance.faults import registry
from conformance.faults.memory import converse_in_memory, diagnose_in_memory, run_in_memory
from conformance.faults.reach import Sound, reached, touches
from conformance.faults.registry import Fault
from conformance.feeds.conversations import Limits
from conformance.feeds.server import Options
from conformance.judge.verdict import Check, Verdict

DEPARTURES = frozenset({Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.FLAKY})
_CONVERSATIONS: Final = Limits(2_000, seconds=math.inf, shrinking=0.0)
_NO_CASE = ("",)  # but the control has to be judged


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


def prove(sound: Sound, faults: Sequence[Fault], jobs: int, told: Callable[[Proof], None]) -> tuple[Proof, ...]:
    """Run the suite against each fault, in `jobs` processes; return the proofs in the order of the faults.

    `sound` is what was recorded of the server without a fault (`reach.record`).
    """
    proofs: list[Proof] = []

    def collect(results: Iterable[Proof]) -> None:
        for proof in results:
            told(proof)
            proofs.append(proof)

    if jobs == 1:
        collect(prove_one(sound, fault) for fault in faults)
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, (sound,)) as pool:
            collect(pool.map(_prove, [fault.id for fault in faults]))
    return tuple(proofs)


_sound: Sound
"""What a process of the pool was given to prove with."""


def _prepare(sound: Sound) -> None:
    """Keep what every proof needs, where the garbage collector does not look through it again and again."""
    global _sound  # noqa: PLW0603 - what is given to a process has no other place
    _sound = sound
    gc.freeze()


def _prove(identity: str) -> Proof:
    return prove_one(_sound, registry.get(identity))


def prove_one(sound: Sound, fault: Fault) -> Proof:
    """Run the suite against one fault: the cases that it reaches, which are all where the doctor finds something.

    Of one that needs generation conversations have to find what no case does.
    """
    departed = [(check.case, check.requirement) for check in _checks(sound, fault) if check.verdict in DEPARTURES]
    if fault.needs and not departed:
        found = converse_in_memory(sound.report.dialect, replace(_CONVERSATIONS, until=fault.requirement), fault)
        departed = [(CONVERSATIONS, example.departure.requirement) for example in found.examples]
    elif fault.needs:
        departed = [(case, name) for case, name in departed if name != fault.requirement]
    by = tuple(case for case, name in departed if name == fault.requirement)
    also = dict.fromkeys(name for _, name in departed if name != fault.requirement)
    return Proof(fault.id, fault.requirement, fault.party.value, by, fault.implies, tuple(also))


def _checks(sound: Sound, fault: Fault) -> Sequence[Check]:
    """Return what the suite says. In memory and virtual time a failing case would fail each time again."""
    dialect = sound.report.dialect
    if fault.path or fault.mutator.shared:
        # Where connections know of each other the cases must not, or what a fault does would depend on which of them
        # happen to run side by side.
        return run_in_memory(dialect, fault, Options(repeats=0, connections=1 if fault.mutator.shared else 8)).checks
    names = reached(fault, sound.cases)
    diagnosis = deepcopy(sound.diagnosis)
    if touches(fault, sound.control):
        diagnosis = diagnose_in_memory(dialect, fault)
        if (diagnosis.steps, diagnosis.budget) != (sound.diagnosis.steps, sound.diagnosis.budget):
            names = tuple(sound.cases)
    elif not names:
        return ()
    return run_in_memory(dialect, fault, Options(only=names or _NO_CASE, repeats=0), diagnosis).checks
