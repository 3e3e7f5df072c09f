"""Running cases: some at a time, each to its end, whatever happens inside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.judge.verdict import Verdict
from conformance.peers.budget import Budget
from conformance.peers.link import Link
from conformance.peers.virtual import run
from conformance.runner import CASE_LIMIT_S, Outcome, Slots, run_case, run_cases
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import HttpServer

Targets = Callable[..., Target]
Run = Callable[[Context], Awaitable[None]]
MUST, SHOULD, OURS = "handshake.accept", "final.id-unique", "handshake.error-body"
OK, VIOLATION, FLAKY = Verdict.OK, Verdict.VIOLATION, Verdict.FLAKY
UNRUN, ABSENT, NON_STRICT = Verdict.COULD_NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.NON_STRICT


def case(run: Run, *requirements: str, name: str = "a.case", **fields: Any) -> Case:
    named = tuple(f"translator.{name}" for name in requirements or (MUST,))
    given = {"needs": (), "connections": 1, "time": "fast", **fields}
    return Case(name, "translator", Party.SERVER, named, summary="A case.", run=run, **given)


async def keeps(context: Context) -> None:
    context.kept(MUST)


async def breaks(context: Context) -> None:
    context.broken(MUST, "this", "that")


def scripted(*verdicts: bool) -> Run:
    """Return a case that keeps its requirement or not, run by run."""
    left = iter(verdicts)

    async def run(context: Context) -> None:
        context.check(MUST, next(left), "this", "that")

    return run


def raises(error: BaseException, *decided: str) -> Run:
    async def run(context: Context) -> None:
        for name in decided:
            context.kept(name)
        raise error

    return run


def single(target: Target, found: Case, budget: Budget | None = None) -> Outcome:
    return run(run_case(found, target, budget or Budget(), 7))


def verdicts(outcome: Outcome) -> dict[str, Verdict]:
    return {check.requirement.removeprefix("translator."): check.verdict for check in outcome.checks}


def several(target: Target, cases: Sequence[Case], **options: Any) -> tuple[Outcome, ...]:
    given = {"seed": 7, "connections": 4, "finished": lambda _: None, **options}
    return run(run_cases(cases, target, Budget(), **given))


class TestSlots:
    """Connections are counted: a case takes all that it holds at once, in the order of asking."""

    @staticmethod
    def taking(count: int, wanted: Sequence[int], hold: float = 1.0) -> list[tuple[int, float]]:
        """Let takers ask one after the other and hold for a second; return who got theirs when."""

        async def main() -> list[tuple[int, float]]:
            slots, seen = Slots(count), list[tuple[int, float]]()

            async def take(number: int, wanted: int) -> None:
                taken = await slots.take(wanted)
                assert taken == min(wanted, count)
                seen.append((number, round(asyncio.get_running_loop().time(), 6)))
                await asyncio.sleep(hold)
                slots.give(taken)

            await asyncio.gather(*(take(number, size) for number, size in enumerate(wanted)))
            return seen

        return run(main())

    def test_as_many_as_there_are_go_at_once(self) -> None:
        assert self.taking(2, [1, 1, 1]) == [(0, 0.0), (1, 0.0), (2, 1.0)]

    def test_who_wants_several_waits_for_all_of_them(self) -> None:
        assert self.taking(3, [1, 3, 1]) == [(0, 0.0), (1, 1.0), (2, 2.0)]

    def test_nobody_overtakes(self) -> None:
        assert self.taking(2, [1, 2, 1, 1]) == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 2.0)]

    def test_who_wants_more_than_there_are_gets_all(self) -> None:
        assert self.taking(2, [5, 1]) == [(0, 0.0), (1, 1.0)]

    def test_what_is_given_back_serves_several(self) -> None:
        assert self.taking(3, [3, 1, 1, 1]) == [(0, 0.0), (1, 1.0), (2, 1.0), (3, 1.0)]

    def test_who_leaves_the_queue_is_passed_over(self) -> None:
        async def main() -> list[str]:
            slots = Slots(1)
            taken = await slots.take(1)
            leaver, waiter, late = (asyncio.ensure_future(slots.take(1)) for _ in range(3))
            await asyncio.sleep(0)
            leaver.cancel()
            await asyncio.sleep(1)
            slots.give(taken)
            await asyncio.sleep(1)
            done = [name for name, task in (("waiter", waiter), ("late", late)) if task.done()]
            late.cancel()
            return done

        assert run(main()) == ["waiter"]

    def test_who_leaves_when_it_is_their_turn_gives_it_on(self) -> None:
        async def main() -> int:
            slots = Slots(1)
            taken = await slots.take(1)
            leaver, waiter = (asyncio.ensure_future(slots.take(1)) for _ in range(2))
            await asyncio.sleep(0)
            slots.give(taken)
            leaver.cancel()
            return await waiter

        assert run(main()) == 1


class TestOneCase:
    def test_gives_a_verdict_on_each_requirement(self, target_of: Targets) -> None:
        async def both(context: Context) -> None:
            context.kept(MUST)
            context.broken(SHOULD, "this", "that")

        outcome = single(target_of(), case(both, MUST, SHOULD))
        assert verdicts(outcome) == {MUST: OK, SHOULD: NON_STRICT}
        assert outcome.case.id == "a.case"

    def test_takes_as_long_as_it_takes(self, target_of: Targets) -> None:
        async def slow(context: Context) -> None:
            await asyncio.sleep(4)
            context.kept(MUST)

        assert single(target_of(), case(slow)).elapsed_s == pytest.approx(4)

    def test_several_verdicts_on_one_requirement_are_the_worst_and_counted(self, target_of: Targets) -> None:
        async def often(context: Context) -> None:
            for kept in (True, False, True, False):
                context.check(MUST, kept, "this", "that")

        (check,) = single(target_of(), case(often)).checks
        assert (check.verdict, check.count, check.observed) == (VIOLATION, 2, "that")

    def test_has_the_seed_of_the_run(self, target_of: Targets) -> None:
        seen: list[str] = []

        async def draw(context: Context) -> None:
            seen.append(context.guid())

        for _ in range(2):
            single(target_of(), case(draw))
        assert seen[0] == seen[1]

    def test_leaves_its_connections_closed_and_recorded(
        self, target_of: Targets, http_server: type[HttpServer]
    ) -> None:
        links: list[Link] = []

        async def opens(context: Context) -> None:
            opened = await context.dial("/speech/translate", ())
            assert isinstance(opened, Link)
            links.append(opened)
            context.broken(MUST, "this", "that")

        outcome = single(target_of(http_server(101)), case(opens))
        assert links[0].closed is not None
        (transcript,) = outcome.transcripts
        (check,) = outcome.checks
        assert check.card is not None
        assert check.card.connection == transcript.connection
        assert check.card.lines[0] == "connection 0 of a.case"

    def test_a_failure_without_a_connection_has_no_card(self, target_of: Targets) -> None:
        (check,) = single(target_of(), case(breaks)).checks
        assert check.card is None


class TestUndecided:
    """What a case leaves open: why depends on how it ended, and how much it matters on the requirement."""

    def test_what_was_declared_absent_is_not_run(self, target_of: Targets) -> None:
        outcome = single(
            target_of(without=frozenset({"tts", "mp3"})), case(breaks, MUST, SHOULD, needs=("mp3", "partial", "tts"))
        )
        assert verdicts(outcome) == {MUST: ABSENT, SHOULD: ABSENT}
        assert outcome.checks[0].observed == "the target was declared to be without mp3, tts"
        assert (outcome.elapsed_s, outcome.transcripts) == (0.0, ())

    def test_what_is_not_offered_is_not_applicable(self, target_of: Targets) -> None:
        outcome = single(target_of(), case(raises(NotOffered("no voices"), MUST), MUST, SHOULD, OURS))
        assert verdicts(outcome) == {MUST: OK, SHOULD: ABSENT, OURS: ABSENT}
        assert outcome.checks[1].observed == "no voices"

    def test_what_is_blocked_could_not_be_run_if_it_is_a_must(self, target_of: Targets) -> None:
        outcome = single(target_of(), case(raises(Blocked("refused")), SHOULD, MUST, OURS))
        assert verdicts(outcome) == {MUST: UNRUN}
        assert outcome.checks[0].observed == "refused"

    def test_a_case_that_does_not_end_is_ended(self, target_of: Targets) -> None:
        outcome = single(target_of(), case(forever))
        assert outcome.elapsed_s == pytest.approx(CASE_LIMIT_S)
        assert outcome.checks[0].observed == "the case did not end within 120 s"

    def test_the_limit_is_scaled_too(self, target_of: Targets) -> None:
        outcome = single(target_of(), case(forever), Budget(scale=2.0))
        assert outcome.checks[0].observed == "the case did not end within 240 s"

    @pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), TimeoutError("of its own")])
    def test_a_defect_of_ours_says_so_and_ends_nothing(
        self, target_of: Targets, caplog: pytest.LogCaptureFixture, error: Exception
    ) -> None:
        with caplog.at_level(logging.ERROR, "speechwire.runner"):
            outcome = single(target_of(), case(raises(error)))
        assert verdicts(outcome) == {MUST: UNRUN}
        assert outcome.checks[0].observed == f"defect of the suite: {type(error).__name__}: {error}"
        assert "case a.case failed inside" in caplog.text

    def test_a_defect_of_ours_is_told_of_advice_too(self, target_of: Targets) -> None:
        outcome = single(target_of(), case(raises(ZeroDivisionError("by zero")), MUST, SHOULD))
        assert verdicts(outcome) == {MUST: UNRUN, SHOULD: UNRUN}

    def test_what_was_decided_before_stands(self, target_of: Targets) -> None:
        async def half(context: Context) -> None:
            context.broken(MUST, "this", "that")
            raise Blocked("later")

        assert verdicts(single(target_of(), case(half))) == {MUST: VIOLATION}

    def test_what_a_case_simply_leaves_open_stays_open(self, target_of: Targets) -> None:
        assert verdicts(single(target_of(), case(keeps, MUST, SHOULD))) == {MUST: OK}


async def forever(_: Context) -> None:
    await asyncio.sleep(10**9)


class TestFlaky:
    """A failing case is run again, twice; what does not fail each time is flaky, k of n."""

    def outcome(self, target: Target, *kept: bool) -> Outcome:
        (found,) = several(target, [case(scripted(*kept))])
        return found

    def test_three_failures_are_a_failure(self, target_of: Targets) -> None:
        (check,) = self.outcome(target_of(), False, False, False).checks
        assert (check.verdict, check.count, check.worst) == (VIOLATION, 1, None)

    @pytest.mark.parametrize(("kept", "failed"), [((False, True, True), 1), ((False, True, False), 2)])
    def test_fewer_are_flaky(self, target_of: Targets, kept: tuple[bool, ...], failed: int) -> None:
        (check,) = self.outcome(target_of(), *kept).checks
        assert (check.verdict, check.worst, check.failed, check.count) == (FLAKY, VIOLATION, failed, 3)
        assert (check.expected, check.observed) == ("this", "that")

    def test_what_is_kept_is_not_run_again(self, target_of: Targets) -> None:
        (check,) = self.outcome(target_of(), True).checks
        assert check.verdict is OK

    def test_a_failure_that_only_a_repetition_shows_is_flaky_too(self, target_of: Targets) -> None:
        left = iter([(False, True), (True, False), (True, True)])

        async def run(context: Context) -> None:
            first, second = next(left)
            context.check(MUST, first, "this", "that")
            context.check(SHOULD, second, "one", "other")

        (outcome,) = several(target_of(), [case(run, MUST, SHOULD)])
        assert verdicts(outcome) == {MUST: FLAKY, SHOULD: FLAKY}
        assert [(check.worst, check.failed) for check in outcome.checks] == [(VIOLATION, 1), (NON_STRICT, 1)]
        assert outcome.checks[1].observed == "other"

    def test_the_gravest_of_several_failures_counts(self, target_of: Targets) -> None:
        left = iter([NON_STRICT, VIOLATION, NON_STRICT])

        async def run(context: Context) -> None:
            context.broken(MUST, "this", "that", next(left))

        (outcome,) = several(target_of(), [case(run)])
        assert verdicts(outcome) == {MUST: VIOLATION}

    @pytest.mark.parametrize("name", [MUST, SHOULD])
    def test_a_run_that_does_not_get_that_far_speaks_neither_for_nor_against(
        self, target_of: Targets, name: str
    ) -> None:
        def lost_after(*runs: bool) -> Run:
            left = iter(runs)

            async def run(context: Context) -> None:
                kept = next(left, None)
                if kept is None:
                    raise Blocked("gone")
                context.check(name, kept, "this", "that", VIOLATION)

            return run

        always, once = several(
            target_of(), [case(lost_after(False), name, name="a"), case(lost_after(False, True), name, name="b")]
        )
        assert verdicts(always) == {name: VIOLATION}
        (check,) = once.checks
        assert (check.verdict, check.failed, check.count) == (FLAKY, 1, 2)

    def test_what_no_run_could_see_could_not_be_run(self, target_of: Targets) -> None:
        async def half(context: Context) -> None:
            context.broken(SHOULD, "this", "that")
            raise Blocked("gone")

        (outcome,) = several(target_of(), [case(half, SHOULD, MUST)])
        assert verdicts(outcome) == {SHOULD: NON_STRICT, MUST: UNRUN}

    def test_what_passes_beside_a_failure_is_left(self, target_of: Targets) -> None:
        async def run(context: Context) -> None:
            context.kept(SHOULD)
            context.broken(MUST, "this", "that")

        (outcome,) = several(target_of(), [case(run, MUST, SHOULD)])
        assert verdicts(outcome) == {MUST: VIOLATION, SHOULD: OK}

    def test_all_runs_leave_their_transcripts_and_times(
        self, target_of: Targets, http_server: type[HttpServer]
    ) -> None:
        async def opens(context: Context) -> None:
            await asyncio.sleep(1)
            await context.dial("/speech/translate", ())
            context.broken(MUST, "this", "that")

        (outcome,) = several(target_of(http_server(101)), [case(opens)])
        assert len(outcome.transcripts) == 3
        assert outcome.elapsed_s == pytest.approx(3, abs=0.1)

    def test_what_took_long_is_not_run_again(self, target_of: Targets) -> None:
        left = scripted(False)

        async def slow(context: Context) -> None:
            await asyncio.sleep(3)
            await left(context)

        (outcome,) = several(target_of(), [case(slow)])
        assert verdicts(outcome) == {MUST: VIOLATION}

    def test_no_more_than_twelve_are_run_again(self, target_of: Targets) -> None:
        runs: list[str] = []

        async def counted(context: Context) -> None:
            runs.append(context.case.id)
            context.broken(MUST, "this", "that")

        several(target_of(), [case(counted, name=f"case.{number}") for number in range(15)])
        assert len(runs) == 15 + 2 * 12


class TestSeveral:
    @staticmethod
    def sleeper(seconds: float) -> Run:
        async def sleep(context: Context) -> None:
            await asyncio.sleep(seconds)
            context.kept(MUST)

        return sleep

    def test_outcomes_come_in_catalogue_order_and_news_as_they_happen(self, target_of: Targets) -> None:
        news: list[str] = []
        cases = [case(self.sleeper(seconds), name=f"after.{seconds}") for seconds in (3, 1, 2)]
        outcomes = several(target_of(), cases, finished=lambda done: news.append(done.case.id))
        assert [outcome.case.id for outcome in outcomes] == ["after.3", "after.1", "after.2"]
        assert news == ["after.1", "after.2", "after.3"]

    def test_those_that_wait_begin_first(self, target_of: Targets) -> None:
        begun: list[str] = []

        async def note(context: Context) -> None:
            begun.append(context.case.id)
            context.kept(MUST)

        times = ("fast", "waits", "fast", "waits")
        cases = [case(note, name=f"{number}.{kind}", time=kind) for number, kind in enumerate(times)]
        outcomes = several(target_of(), cases, connections=1)
        assert begun == ["1.waits", "3.waits", "0.fast", "2.fast"]
        assert [outcome.case.id for outcome in outcomes] == [found.id for found in cases]

    @pytest.mark.parametrize(("connections", "seconds"), [(1, 4.0), (2, 2.0), (9, 1.0)])
    def test_so_many_run_at_a_time(self, target_of: Targets, connections: int, seconds: float) -> None:
        async def main() -> float:
            cases = [case(self.sleeper(1), name=f"case.{number}") for number in range(4)]
            await run_cases(cases, target_of(), Budget(), seed=0, connections=connections, finished=lambda _: None)
            return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(seconds)

    def test_repetitions_stay_within_their_slots(self, target_of: Targets) -> None:
        at_once: list[int] = []
        running = 0

        async def counted(context: Context) -> None:
            nonlocal running
            running += 1
            at_once.append(running)
            await asyncio.sleep(1)
            running -= 1
            context.broken(MUST, "this", "that")

        several(target_of(), [case(counted, name=f"case.{number}") for number in range(5)], connections=2)
        assert max(at_once) == 2
        assert len(at_once) == 15

    def test_no_cases_give_no_outcomes(self, target_of: Targets) -> None:
        assert several(target_of(), []) == ()


class TestStopAtFirst:
    def test_nothing_is_started_after_a_violation(self, target_of: Targets) -> None:
        cases = [case(run, name=f"case.{at}") for at, run in enumerate((keeps, breaks, keeps, keeps))]
        outcomes = several(target_of(), cases, connections=1, stop_at_first=True)
        assert [outcome.case.id for outcome in outcomes] == ["case.0", "case.1"]

    def test_a_milder_failure_stops_nothing(self, target_of: Targets) -> None:
        async def mild(context: Context) -> None:
            context.broken(SHOULD, "this", "that")

        cases = [case(mild, SHOULD, name="case.0"), case(keeps, name="case.1")]
        assert len(several(target_of(), cases, connections=1, stop_at_first=True)) == 2

    def test_nothing_is_run_again(self, target_of: Targets) -> None:
        (outcome,) = several(target_of(), [case(scripted(False))], stop_at_first=True)
        assert verdicts(outcome) == {MUST: VIOLATION}


class TestInterruption:
    def test_of_the_run_ends_the_cases_that_wait_for_their_turn(self, target_of: Targets) -> None:
        begun: list[str] = []

        async def note(context: Context) -> None:
            begun.append(context.case.id)
            await asyncio.sleep(10)

        async def main() -> None:
            cases = [case(note, name=f"case.{number}") for number in range(3)]
            running = asyncio.ensure_future(
                run_cases(cases, target_of(), Budget(), seed=0, connections=1, finished=lambda _: None)
            )
            await asyncio.sleep(1)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        run(main())
        assert begun == ["case.0"]
