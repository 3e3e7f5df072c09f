"""The active check of a server, in memory: which cases run, and what becomes of what they find."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cases import registry
from conformance.cases.context import Blocked, Context
from conformance.cases.control import CONTROL, Step
from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.cases.translator import control as translator
from conformance.feeds.server import Options, check_server, control, coverage, select
from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.judge.wire import WIRE
from conformance.peers.virtual import run
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from protocol import requirements
from protocol.events import Phrase, Span
from protocol.translator.handshake import SpeechRequest
from protocol.translator.policy import Policy
from protocol.translator.session import ServerSession
from protocol.websocket import ServerEnd, Unreadable
from protocol.wire import Close, Fragment, Message, Party

if TYPE_CHECKING:
    from tests.unit.conftest import HttpServer

Targets = Callable[..., Target]
Servers = type["HttpServer"]
Speakers = Callable[..., Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]]
MUST, SHOULD = "handshake.accept", "final.id-unique"
CORE = tuple(row.id for row in requirements.load("translator").values() if row.core and row.party is Party.SERVER)
PEER = {"url": "ws://server.test/speech/translate"}


def case(name: str, verdict: Verdict = Verdict.OK, requirement: str = MUST) -> Case:
    """Return a case that gives this verdict, or finds itself blocked."""

    async def run(context: Context) -> None:
        if verdict is Verdict.COULD_NOT_RUN:
            raise Blocked("no way")
        context.check(requirement, verdict is Verdict.OK, "this", "that", verdict)

    named = (f"translator.{requirement}",)
    return Case(name, "translator", Party.SERVER, named, (), 1, "fast", "A case.", run)


def core_case() -> Case:
    """Return a case that shows every core requirement to be kept."""

    async def run(context: Context) -> None:
        for name in CORE:
            context.kept(name.removeprefix("translator."))

    return Case("core", "translator", Party.SERVER, CORE, (), 1, "fast", "A case.", run)


@pytest.fixture
def speaker(http_server: Servers) -> Speakers:
    """What makes servers that hold good conversations: silence behind speech gives a final, as often as allowed."""

    class Speaker(http_server):  # type: ignore[misc, valid-type]  # a fixture's value is a class all the same
        finals = 10**6

        async def converse(self, end: ServerEnd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            session = ServerSession(SpeechRequest("en-US", "it"), Policy(), 0.0)
            spoke, left = False, self.finals
            while data := await reader.read(1 << 16):
                for event in end.receive(data, 0.0):
                    assert not isinstance(event, Unreadable)
                    if not isinstance(event, Fragment):
                        continue
                    outputs = session.receive(event)
                    spoke = spoke or any(event.data)
                    if spoke and left and len(event.data) > 1000 and not any(event.data):
                        outputs = [*outputs, *session.result(Phrase(0.0, Span(0, 2), "hello", ("ciao",)))]
                        spoke, left = False, left - 1
                    for output in outputs:
                        if isinstance(output, Message | Close):
                            end.send(output)
                out, eof = end.take()
                writer.write(out)
                if eof:
                    return

    def make(*statuses: int, finals: int = 10**6) -> Speaker:
        made = Speaker(*(statuses or (101,)))
        made.finals = finals
        return made

    return make


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Report, list[Event]]]:
    """What checks a target with these cases; returns the report and what was told on the way."""
    monkeypatch.setattr("conformance.feeds.server.version", lambda _: "2026.1.0")

    def run_with(target: Target, *cases: Case, **options: Any) -> tuple[Report, list[Event]]:
        monkeypatch.setattr(registry, "load", lambda _: cases)
        events: list[Event] = []
        chosen = Options(**options)
        report = run(check_server(target, "translator", chosen, events.append, PEER))
        return report, events

    return run_with


Checker = Callable[..., tuple[Report, list[Event]]]


def found(report: Report, name: str) -> list[Verdict]:
    return [check.verdict for check in report.checks if check.case == name]


class TestSelection:
    CASES = (case("auth.key"), case("auth.token"), case("voice.audible"))

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (Options(), ["auth.key", "auth.token", "voice.audible"]),
            (Options(only=["auth.*"]), ["auth.key", "auth.token"]),
            (Options(only=["voice.*", "auth.key"]), ["auth.key", "voice.audible"]),
            (Options(skip=["*.token", "voice.?udible"]), ["auth.key"]),
            (Options(only=["auth.*"], skip=["auth.key"]), ["auth.token"]),
            (Options(only=["AUTH.*"]), []),
        ],
    )
    def test_is_by_pattern_in_catalogue_order(
        self, monkeypatch: pytest.MonkeyPatch, options: Options, expected: list[str]
    ) -> None:
        monkeypatch.setattr(registry, "load", lambda _: self.CASES)
        assert [chosen.id for chosen in select("translator", options)] == expected

    def test_of_the_control_is_by_dialect(self) -> None:
        assert control("translator") is translator


class TestGoodServer:
    def test_conforms(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        report, _ = check(target_of(speaker()), case("a.good"), core_case())
        assert report.outcome == "conforming", report.checks
        assert report.exit_code is ExitCode.CONFORMING
        assert found(report, "a.good") == [Verdict.OK]
        assert found(report, CONTROL) == []
        assert set(found(report, WIRE)) == {Verdict.OK}
        assert report.checks[0].case == "a.good"

    def test_is_described(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        report, _ = check(target_of(speaker()), case("a.good"), seed=42, strict=True)
        assert (report.speechwire, report.register) == ("2026.1.0", requirements.REVISION)
        assert (report.peer, report.dialect, report.seed) == (PEER, "translator", 42)
        assert (report.strict, report.party, list(report.elapsed)) == (True, "server", ["a.good"])

    def test_takes_its_time_from_its_own_beginning(
        self, target_of: Targets, speaker: Speakers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("conformance.feeds.server.version", lambda _: "2026.1.0")
        monkeypatch.setattr(registry, "load", lambda _: (core_case(),))

        async def later() -> Report:
            await asyncio.sleep(100)
            return await check_server(target_of(speaker(finals=0)), "translator", Options(), lambda _: None, PEER)

        report = run(later())
        assert 0 < report.waiting_s <= report.total_s < 30

    def test_is_told_as_it_happens(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        report, events = check(target_of(speaker()), case("a.good"), case("b.good"), connections=1)
        started, *middle, last = events
        assert started == RunStarted("2026.1.0", requirements.REVISION, PEER, "translator", 0, 2)
        assert [event.case for event in middle if isinstance(event, CaseFinished)] == ["a.good", "b.good"]
        assert last == RunFinished(report)

    def test_the_doctors_steps_are_told_apart(
        self, target_of: Targets, speaker: Speakers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("conformance.feeds.server.version", lambda _: "2026.1.0")
        monkeypatch.setattr(registry, "load", lambda _: ())
        told: list[Step] = []
        run(check_server(target_of(speaker()), "translator", Options(), lambda _: None, PEER, told.append))
        assert [step.layer for step in told] == ["connection", "upgrade", "final", "close"]


class TestVerdictOfTheRun:
    @pytest.mark.parametrize(
        ("verdict", "strict", "code"),
        [
            (Verdict.VIOLATION, False, 1),
            (Verdict.NON_STRICT, False, 0),
            (Verdict.NON_STRICT, True, 1),
            (Verdict.INFORMATIONAL, True, 0),
            (Verdict.COULD_NOT_RUN, False, 3),
        ],
    )
    def test_follows_from_its_checks(
        self, target_of: Targets, speaker: Speakers, check: Checker, verdict: Verdict, strict: bool, code: int
    ) -> None:
        report, _ = check(target_of(speaker()), core_case(), case("b.other", verdict), strict=strict)
        assert found(report, "b.other") == [verdict]
        assert report.exit_code == code

    def test_of_nothing_executed_is_that_it_could_not_run(
        self, target_of: Targets, speaker: Speakers, check: Checker
    ) -> None:
        report, _ = check(target_of(speaker()), case("a.good"), skip=["*"])
        assert (report.outcome, report.exit_code) == ("could-not-run", 3)

    def test_stops_at_the_first_violation_on_request(
        self, target_of: Targets, speaker: Speakers, check: Checker
    ) -> None:
        cases = (case("a.bad", Verdict.VIOLATION), case("b.good"))
        report, _ = check(target_of(speaker()), *cases, connections=1, stop_at_first=True)
        assert list(report.elapsed) == ["a.bad"]
        assert report.exit_code == 1


class TestUnusableServer:
    def test_that_nobody_can_reach_could_not_be_run(self, target_of: Targets, check: Checker) -> None:
        report, events = check(target_of(), case("a.good"))
        (trouble,) = [check for check in report.checks if check.case == CONTROL]
        assert (trouble.verdict, trouble.requirement) == (Verdict.COULD_NOT_RUN, f"translator.{MUST}")
        assert "Connection refused" in trouble.observed
        assert trouble.expected == "Is the server running, and is this its port?"
        assert not any(isinstance(event, CaseFinished) for event in events)
        assert report.exit_code == 3

    def test_that_refuses_good_credentials_could_not_be_run(
        self, target_of: Targets, speaker: Speakers, check: Checker
    ) -> None:
        report, _ = check(target_of(speaker(401)), case("a.good"))
        (trouble,) = [check for check in report.checks if check.case == CONTROL]
        assert "status 401" in trouble.observed
        assert trouble.card is not None
        assert report.exit_code == 3

    def test_that_hangs_violates(self, target_of: Targets, check: Checker) -> None:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read(-1)

        report, _ = check(target_of(silent), case("a.good"))
        assert found(report, CONTROL) == [Verdict.VIOLATION]
        assert report.exit_code == 1

    def test_that_never_says_a_final_is_checked_all_the_same(
        self, target_of: Targets, speaker: Speakers, check: Checker
    ) -> None:
        report, _ = check(target_of(speaker(finals=0)), case("a.good"))
        assert found(report, "a.good") == [Verdict.OK]
        (trouble,) = [check for check in report.checks if check.case == CONTROL]
        assert trouble.requirement == "translator.endpoint.final-after-silence"
        assert report.waiting_s > 0


class TestLostServer:
    """A server that is gone when cases could not be run is the reason, and is named as that."""

    def test_is_named(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        blocked = case("a.blocked", Verdict.COULD_NOT_RUN)
        report, _ = check(target_of(speaker(101, 500)), core_case(), blocked)
        (lost,) = [check for check in report.checks if check.case == CONTROL]
        assert lost.observed.startswith("the server was lost during the run: the upgrade with good credentials")
        assert lost.verdict is Verdict.COULD_NOT_RUN
        assert report.exit_code == 3

    def test_is_no_matter_of_a_run_in_which_everything_could_be_run(
        self, target_of: Targets, speaker: Speakers, check: Checker
    ) -> None:
        report, _ = check(target_of(speaker(101, 500)), core_case())
        assert found(report, CONTROL) == []

    def test_is_not_suspected_while_it_is_there(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        report, _ = check(target_of(speaker()), core_case(), case("a.blocked", Verdict.COULD_NOT_RUN))
        assert found(report, CONTROL) == []


class TestCore:
    """Without its core requirements observed a whole run proves nothing; a part of one need not show them."""

    def unseen(self, report: Report) -> set[str]:
        return {check.requirement for check in report.checks if check.verdict is Verdict.COULD_NOT_RUN} & set(CORE)

    def test_that_nothing_shows_could_not_be_run(self, target_of: Targets, speaker: Speakers, check: Checker) -> None:
        report, _ = check(target_of(speaker(finals=0)), case("a.good"))
        assert self.unseen(report)
        assert report.exit_code != 0

    @pytest.mark.parametrize("options", [{"only": ["a.*"]}, {"stop_at_first": True}])
    def test_is_no_matter_of_a_part(
        self, target_of: Targets, speaker: Speakers, check: Checker, options: dict[str, Any]
    ) -> None:
        report, _ = check(target_of(speaker(finals=0)), case("a.good"), **options)
        assert self.unseen(report) == set()


class TestCoverage:
    @staticmethod
    def of(*verdicts: Verdict, name: str = MUST) -> str:
        worst = {Verdict.FLAKY: Verdict.VIOLATION}
        checks = [
            Check("a.case", f"translator.{name}", verdict, "", "", worst=worst.get(verdict)) for verdict in verdicts
        ]
        return coverage("translator", Party.SERVER, checks)[f"translator.{name}"]

    @pytest.mark.parametrize(
        "verdict", [Verdict.OK, Verdict.INFORMATIONAL, Verdict.NON_STRICT, Verdict.VIOLATION, Verdict.FLAKY]
    )
    def test_any_verdict_is_a_test(self, verdict: Verdict) -> None:
        assert self.of(verdict) == "tested"
        assert self.of(Verdict.NOT_APPLICABLE, Verdict.COULD_NOT_RUN, verdict) == "tested"

    def test_what_does_not_apply_or_could_not_run_is_none(self) -> None:
        assert self.of(Verdict.COULD_NOT_RUN) == "not-observed"
        assert self.of(Verdict.NOT_APPLICABLE, Verdict.COULD_NOT_RUN) == "not-applicable"

    def test_what_nothing_tests_says_why(self) -> None:
        assert self.of() == "not-observed"
        assert self.of(name="close.idle") == "excluded"

    @pytest.mark.parametrize("party", Party)
    def test_has_every_requirement_about_the_party_and_no_other(self, party: Party) -> None:
        rows = requirements.load("translator").values()
        assert list(coverage("translator", party, [])) == [row.id for row in rows if row.party is party]
