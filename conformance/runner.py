"""Runs cases: some at a time, each to its end, in an order and with results that do not depend on who was faster."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from conformance import timeline
from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.judge.verdict import SEVERITY, Check, FailureCard, Verdict
from conformance.peers.budget import Budget
from conformance.transcript import Transcript
from protocol import requirements
from protocol.requirements import Level

_LOG = logging.getLogger("speechwire.runner")
CASE_LIMIT_S = 120.0
_MOST_REPEATED = 12
_LONG_S = 3.0
_FAILED = frozenset({Verdict.VIOLATION, Verdict.NON_STRICT})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case: its verdicts, one a requirement, and what was seen on its connections."""

    case: Case
    checks: tuple[Check, ...]
    transcripts: tuple[Transcript, ...]
    elapsed_s: float


class Slots:
    """Counts connections: a case that holds several takes them all at once, in the order of asking."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, wanted: int) -> int:
        """Wait for `wanted` connections, or all of them if there are fewer; return how many to give back."""
        wanted = min(wanted, self._count)
        if self._waiting or self._free < wanted:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((wanted, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give(wanted)  # granted at the very moment of leaving
                raise
        else:
            self._free -= wanted
        return wanted

    def give(self, count: int) -> None:
        """Give connections back."""
        self._free += count
        while self._waiting and (self._waiting[0][1].done() or self._free >= self._waiting[0][0]):
            wanted, turn = self._waiting.popleft()
            if not turn.done():  # whoever waited has left
                self._free -= wanted
                turn.set_result(None)


async def run_cases(
    cases: Sequence[Case],
    target: Target,
    budget: Budget,
    *,
    seed: int,
    connections: int,
    finished: Callable[[Outcome], None],
    passes: int = 1,
    repeats: int = 2,
    stop_at_first: bool = False,
) -> tuple[Outcome, ...]:
    """Run cases against a target; return their outcomes in the order of `cases`.

    Those that let time pass begin first, so that none of them is left when all others are done. Each case is run
    `passes` times, one run behind the other. After a single run, failing cases are run again `repeats` times, on fresh
    connections; not so those that took long, nor more than a few, since a red run is not to be slow. A failure that
    does not come each time is reported as flaky. `finished` hears of each outcome as soon as it stands. With
    `stop_at_first` nothing more is started after a violation.
    """
    slots = Slots(connections)
    stop = asyncio.Event()
    repeated = 0

    async def one(case: Case) -> Outcome | None:
        nonlocal repeated
        taken = await slots.take(case.connections)
        try:
            if stop.is_set():
                return None
            outcome = await run_case(case, target, budget, seed)
            more, quick = passes - 1, outcome.elapsed_s < _LONG_S * budget.scale
            if not more and _failed(outcome) and quick and repeated < _MOST_REPEATED and not stop_at_first:
                repeated += 1
                more = repeats
            if more:
                again = [await run_case(case, target, budget, seed) for _ in range(more)]
                outcome = _combine(outcome, again)
        finally:
            slots.give(taken)
        if stop_at_first and any(check.verdict is Verdict.VIOLATION for check in outcome.checks):
            stop.set()
        finished(outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = {case.id: group.create_task(one(case)) for case in sorted(cases, key=lambda case: case.time != "waits")}
    return tuple(outcome for case in cases if (outcome := tasks[case.id].result()) is not None)


async def run_case(case: Case, target: Target, budget: Budget, seed: int) -> Outcome:
    """Run one case once. What it leaves undecided because it did not get that far could not be run."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    context = Context(case, target, budget, seed)
    absent = [word for word in case.needs if word in target.without]
    if absent:
        reason = f"the target was declared to be without {', '.join(absent)}"
        _fill(context, Verdict.NOT_APPLICABLE, reason)
        return Outcome(case, _merge(context.checks), (), 0.0)
    seconds = CASE_LIMIT_S * budget.scale
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await case.run(context)
    except NotOffered as reason:
        _fill(context, Verdict.NOT_APPLICABLE, str(reason))
    except Blocked as reason:
        _fill(context, Verdict.COULD_NOT_RUN, str(reason))
    except Exception as error:  # noqa: BLE001 - a defect of ours must neither end the run nor pass for a verdict
        if limit.expired():
            _fill(context, Verdict.COULD_NOT_RUN, f"the case did not end within {seconds:.0f} s")
        else:
            _LOG.exception("case %s failed inside", case.id)
            defect = f"defect of the suite: {type(error).__name__}: {error}"
            _fill(context, Verdict.COULD_NOT_RUN, defect, only_must=False)
    finally:
        await context.leave()
    transcripts = context.transcripts
    checks = tuple(_with_card(check, transcripts) for check in _merge(context.checks))
    return Outcome(case, checks, transcripts, loop.time() - begun)


def _fill(context: Context, verdict: Verdict, reason: str, *, only_must: bool = True) -> None:
    """Give a verdict on what is still undecided.

    Where a peer was in the way, what is not a MUST stays unobserved rather than could-not-run; a defect of ours is
    told whatever it hits.
    """
    decided = context.decided()
    every = verdict is Verdict.NOT_APPLICABLE or not only_must
    for name in context.case.requirements:
        must = requirements.get(name).level is Level.MUST
        if name not in decided and (must or every):
            context.checks.append(
                Check(case=context.case.id, requirement=name, verdict=verdict, expected="", observed=reason)
            )


def _merge(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return one check a requirement: the worst verdict on it, with the number of times that it was given."""
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(check.requirement, []).append(check)
    return tuple(_worst(group) for group in groups.values())


def _worst(group: Sequence[Check]) -> Check:
    worst = min(group, key=lambda check: SEVERITY.index(check.verdict))
    return replace(worst, count=sum(check.verdict is worst.verdict for check in group))


def _failed(outcome: Outcome) -> bool:
    return any(check.verdict in _FAILED for check in outcome.checks)


def _combine(first: Outcome, again: Sequence[Outcome]) -> Outcome:
    """Return the first outcome, where a failure that does not come in every run is flaky: failed k of n."""
    runs = [first, *again]
    checks = tuple(_together([_of(run, check) for run in runs]) for check in first.checks)
    transcripts = tuple(transcript for run in runs for transcript in run.transcripts)
    return Outcome(first.case, checks, transcripts, sum(run.elapsed_s for run in runs))


def _of(outcome: Outcome, check: Check) -> Check:
    """Return what a run says of a requirement; where it did not get that far, that it could not be run."""
    found = (other for other in outcome.checks if other.requirement == check.requirement)
    return next(found, replace(check, verdict=Verdict.COULD_NOT_RUN))


def _together(checks: Sequence[Check]) -> Check:
    """Return what several runs say of one requirement, with the gravest failure as the example.

    A run that did not get far enough to see it, because the server has died since, say, speaks neither for nor
    against.
    """
    checks = [check for check in checks if check.verdict is not Verdict.COULD_NOT_RUN] or checks
    failures = [check for check in checks if check.verdict in _FAILED]
    if not failures:
        return checks[0]
    worst = min(failures, key=lambda check: SEVERITY.index(check.verdict))
    if len(failures) == len(checks):
        return replace(worst, repeats=len(checks) - 1)
    return replace(worst, verdict=Verdict.FLAKY, worst=worst.verdict, failed=len(failures), count=len(checks))


def _with_card(check: Check, transcripts: Sequence[Transcript]) -> Check:
    if check.verdict not in _FAILED or not transcripts:
        return check
    last = transcripts[-1]
    return replace(check, card=FailureCard(connection=last.connection, lines=timeline.lines(last)))
