"""The passive check: what the judge says of conversations that somebody has recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

from conformance.feeds.server import coverage
from conformance.judge.verdict import exit_code, outcome
from conformance.judge.wire import WIRE, judge_all
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from conformance.transcript import Transcript
from protocol import requirements
from protocol.wire import Party


def judge_recorded(
    transcripts: Sequence[Transcript],
    parties: Sequence[Party],
    peer: Mapping[str, object],
    emit: Callable[[Event], None],
    *,
    seed: int = 0,
    strict: bool = False,
) -> Report:
    """Judge transcripts of one dialect, at least one of them; `emit` hears of everything as it happens.

    All of it is the one case `wire`. A run in which no requirement shows could not run.
    """
    begun = time.monotonic()
    dialect = transcripts[0].dialect
    release, revision = version("speechwire"), requirements.REVISION
    emit(RunStarted(release, revision, peer, dialect, seed, 1))
    checks = tuple(check for party in parties for check in judge_all(transcripts, party))
    elapsed = time.monotonic() - begun
    emit(CaseFinished(WIRE, checks, elapsed))
    executed = 1 if checks else 0
    report = Report(
        speechwire=release,
        register=revision,
        peer=peer,
        dialect=dialect,
        seed=seed,
        outcome=outcome(checks, strict=strict, executed=executed),
        exit_code=exit_code(checks, strict=strict, executed=executed),
        checks=checks,
        coverage={name: state for party in parties for name, state in coverage(dialect, party, checks).items()},
        total_s=elapsed,
        waiting_s=0.0,
        strict=strict,
        party=parties[0].value if len(parties) == 1 else "both",
        elapsed={WIRE: elapsed},
    )
    emit(RunFinished(report))
    return report
