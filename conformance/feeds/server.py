"""The active check of a server: doctor, cases, judge, report."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import cast

from conformance import timeline
from conformance.cases import registry
from conformance.cases.control import CONTROL, Control, Step
from conformance.cases.registry import CONVERSATIONS, Case
from conformance.cases.target import Target
from conformance.feeds.doctor import Diagnosis, diagnose, look_again
from conformance.judge.verdict import Check, FailureCard, Verdict, exit_code, outcome
from conformance.judge.wire import WIRE, judge_all
from conformance.peers.budget import Budget
from conformance.report.events import CaseFinished, Report, RunFinished, RunStarted
from conformance.runner import Outcome, run_cases
from protocol import requirements
from protocol.wire import Party

CONNECTIONS, CROWD = 8, 96
"""How many connections cases have at a time, and conversations that nobody wrote, if the user says nothing else."""

_DEEP = 3
Emit = Callable[[RunStarted | CaseFinished | RunFinished], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose about the run, beside the target.

    `profile` is `quick` (without the cases that let time pass), `default`, or `deep` (each case three times);
    `only` and `skip` are shell patterns over case ids; `repeats` is how often a failing case is run again; `strict`
    makes non-strict departures count. Behind the cases at most `conversations` are held that nobody wrote, for at most
    `seconds`, on `crowd` connections; those that failed are kept in the folder `examples` for later runs, and written
    into `bundles`.
    """

    profile: str = "default"
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    seed: int = 0
    connections: int = CONNECTIONS
    repeats: int = 2
    strict: bool = False
    stop_at_first: bool = False
    scale: float = 1.0
    crowd: int = CROWD
    conversations: int = 0
    seconds: float = 30.0
    examples: Path | None = None
    bundles: Path | None = None

    @property
    def holds_conversations(self) -> bool:
        """Whether conversations are held that nobody wrote."""
        chosen = not self.only or _matches(CONVERSATIONS, self.only)
        return self.conversations > 0 and chosen and not _matches(CONVERSATIONS, self.skip)


def select(dialect: str, options: Options) -> tuple[Case, ...]:
    """Return the cases that the options leave, in catalogue order."""
    cases = registry.load(dialect)
    if options.profile == "quick":
        cases = tuple(case for case in cases if case.time == "fast")
    if options.only:
        cases = tuple(case for case in cases if _matches(case.id, options.only))
    return tuple(case for case in cases if not _matches(case.id, options.skip))


def _matches(identity: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(identity, pattern) for pattern in patterns)


def control(dialect: str) -> Control:
    """Return the positive control of a dialect."""
    return cast("Control", importlib.import_module(f"conformance.cases.{requirements.folder(dialect)}.control"))


async def check_server(
    target: Target,
    dialect: str,
    options: Options,
    emit: Emit,
    peer: Mapping[str, object],
    told: Callable[[Step], None] = lambda _: None,
    diagnosis: Diagnosis | None = None,
) -> Report:
    """Run the suite against a server. `emit` hears of everything as it happens, `told` of the doctor's steps.

    The doctor does not come where there is a `diagnosis`, whose budget is then spent.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    cases = select(dialect, options)
    started = RunStarted(
        version=version("speechwire"),
        register=requirements.REVISION,
        peer=peer,
        dialect=dialect,
        seed=options.seed,
        planned=len(cases) + options.holds_conversations,
    )
    emit(started)
    if diagnosis is None:
        diagnosis = await diagnose(target, dialect, control(dialect), Budget(scale=options.scale), told, options.seed)
    budget = diagnosis.budget
    outcomes: tuple[Outcome, ...] = ()
    if diagnosis.others is not None:
        target = replace(target, others=diagnosis.others)
    if diagnosis.usable:
        outcomes = await run_cases(
            cases,
            target,
            budget,
            seed=options.seed,
            connections=budget.connections(options.connections),
            finished=lambda done: emit(_finished(done)),
            passes=_DEEP if options.profile == "deep" else 1,
            repeats=options.repeats,
            stop_at_first=options.stop_at_first,
        )
    checks = _control_checks(diagnosis, dialect)
    lost: Step | None = None
    if any(check.verdict is Verdict.COULD_NOT_RUN for done in outcomes for check in done.checks):
        lost = await look_again(target, dialect, control(dialect), budget, options.seed)
        if lost is not None:
            told(lost)
            checks.append(_control_check(lost, dialect, None))
    checks += [check for done in outcomes for check in done.checks]
    elapsed = {done.case.id: done.elapsed_s for done in outcomes}
    held: int | None = None
    stopped = options.stop_at_first and any(check.verdict is Verdict.VIOLATION for check in checks)
    # With a server that does not get through one good conversation hundreds of others would show the same again.
    if diagnosis.trouble is None and lost is None and options.holds_conversations and not stopped:
        before = loop.time()
        held, found = await _hold(target, dialect, budget, options)
        elapsed[CONVERSATIONS] = loop.time() - before
        emit(CaseFinished(case=CONVERSATIONS, checks=found, elapsed_s=elapsed[CONVERSATIONS]))
        checks += found
    transcripts = [*diagnosis.transcripts, *(seen for done in outcomes for seen in done.transcripts)]
    checks += judge_all(transcripts, Party.SERVER)
    if diagnosis.usable and not options.only and not options.stop_at_first:
        checks += _core_unseen(dialect, checks)
    executed = len(elapsed)
    report = Report(
        speechwire=started.version,
        register=started.register,
        peer=peer,
        dialect=dialect,
        seed=options.seed,
        outcome=outcome(checks, strict=options.strict, executed=executed),
        exit_code=exit_code(checks, strict=options.strict, executed=executed),
        checks=tuple(checks),
        coverage=coverage(dialect, Party.SERVER, checks),
        total_s=loop.time() - begun,
        waiting_s=budget.waited,
        strict=options.strict,
        party=Party.SERVER.value,
        elapsed=elapsed,
        conversations=held,
    )
    emit(RunFinished(report))
    return report


async def _hold(target: Target, dialect: str, budget: Budget, options: Options) -> tuple[int, tuple[Check, ...]]:
    """Hold conversations that nobody wrote; return how many, and what is to be said of them."""
    from conformance.feeds.conversations import Limits  # noqa: PLC0415 - Hypothesis takes its time to be imported
    from conformance.feeds.properties import hold  # noqa: PLC0415 - the same

    limits = Limits(options.conversations, options.seconds, kept=options.examples)
    connections = budget.connections(options.crowd)
    held, checks = await hold(
        target, dialect, budget, limits, seed=options.seed, connections=connections, bundles=options.bundles
    )
    return held.held, checks


def _finished(done: Outcome) -> CaseFinished:
    return CaseFinished(case=done.case.id, checks=done.checks, elapsed_s=done.elapsed_s)


def _control_checks(diagnosis: Diagnosis, dialect: str) -> list[Check]:
    """Return what the doctor found: nothing where all is well, else the step that does not work."""
    step = diagnosis.trouble
    if step is None:
        return []
    cards = [timeline.lines(seen) for seen in diagnosis.transcripts]
    return [_control_check(step, dialect, FailureCard(connection=0, lines=cards[-1]) if cards else None)]


def _control_check(step: Step, dialect: str, card: FailureCard | None) -> Check:
    return Check(
        case=CONTROL,
        requirement=step.requirement or control(dialect).REQUIREMENT,
        verdict=step.verdict or Verdict.COULD_NOT_RUN,
        expected=step.advice,
        observed=step.says,
        card=card,
    )


def _core_unseen(dialect: str, checks: Iterable[Check]) -> list[Check]:
    """Return a check for each core requirement that nothing in the run has shown: such a run proves nothing."""
    seen = {check.requirement for check in checks}
    return [
        Check(
            case=WIRE,
            requirement=row.id,
            verdict=Verdict.COULD_NOT_RUN,
            expected="to be observed in every run",
            observed="nothing in this run shows it",
        )
        for row in requirements.load(dialect).values()
        if row.core and row.party is Party.SERVER and row.id not in seen
    ]


def coverage(dialect: str, party: Party, checks: Iterable[Check]) -> dict[str, str]:
    """Return for each requirement about a party whether this run has tested it."""
    found: dict[str, set[Verdict]] = {}
    for check in checks:
        found.setdefault(check.requirement, set()).add(check.verdict)
    states: dict[str, str] = {}
    for row in requirements.load(dialect).values():
        if row.party is not party:
            continue
        verdicts = found.get(row.id, set())
        if verdicts - {Verdict.NOT_APPLICABLE, Verdict.COULD_NOT_RUN}:
            states[row.id] = "tested"
        elif Verdict.NOT_APPLICABLE in verdicts:
            states[row.id] = "not-applicable"
        else:
            states[row.id] = "excluded" if row.excluded else "not-observed"
    return states
