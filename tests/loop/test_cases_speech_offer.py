"""A server that translates into few languages: the suite finds that out, and asks for no others."""

from __future__ import annotations

import pytest

from conformance.cases.target import ENDPOINTS
from conformance.feeds.server import Options, check_server
from conformance.judge.verdict import ExitCode, Verdict
from conformance.peers.virtual import MemoryListener, run
from conformance.report.events import Report
from protocol.languages import PUBLISHED
from reference_server.app import Server
from reference_server.engines.script import default, parse
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at


def checked(dialect: str, *offered: str, only: tuple[str, ...] = ()) -> tuple[Report, list[str]]:
    """Check a server that translates into these languages alone; return the report and what the doctor said."""
    told: list[str] = []

    async def main() -> Report:
        script = parse(default(), PUBLISHED)
        engine = ScriptedEngine(script, PUBLISHED.subset(text=["en", *offered]))
        server = Server(Settings(keys=("test-key",)), engine)
        await server.start()
        listener = MemoryListener(server.handle)
        target = target_at(listener.connect, path=ENDPOINTS[dialect][0])
        options = Options(only=only, seed=7)
        report = await check_server(
            target, dialect, options, lambda _: None, {}, lambda step: told.append(f"{step.layer}: {step.says}")
        )
        await listener.close()
        await server.shutdown()
        return report

    return run(main()), told


@pytest.mark.parametrize("dialect", ["speech-v1", "speech-v2"])
class TestOffer:
    def test_of_one_further_language_is_enough_for_every_case(self, dialect: str) -> None:
        report, told = checked(dialect, "pt", "es", only=("result.*", "synthesis.*", "event.*", "context.*", "query.*"))
        assert "targets: translations go into es, too" in told
        assert {check.verdict for check in report.checks} <= {Verdict.OK, Verdict.INFORMATIONAL}
        assert report.exit_code == ExitCode.CONFORMING
        assert "speech.result.targets-order" in {check.requirement for check in report.checks}

    def test_of_no_other_language_leaves_out_what_needs_one(self, dialect: str) -> None:
        report, told = checked(dialect, "pt", only=("result.targets", "result.offsets"))
        assert "targets: translations go into no other language" in told
        found = {(check.case, check.requirement): check for check in report.checks}
        check = found["result.targets", "speech.result.targets-all"]
        assert check.verdict is Verdict.NOT_APPLICABLE
        assert "pt is the only language" in check.observed
        assert found["result.offsets", "speech.result.ticks"].verdict is Verdict.OK
        assert report.exit_code == ExitCode.CONFORMING

    def test_of_many_is_asked_for_two(self, dialect: str) -> None:
        _, told = checked(dialect, "pt", "it", "es", "fr", only=("handshake.accept",))
        assert "targets: translations go into fr and es, too" in told
