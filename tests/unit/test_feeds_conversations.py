"""The property tier in memory: what it holds, finds, counts and writes."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest

from conformance.cases.registry import CONVERSATIONS
from conformance.faults import memory
from conformance.faults.memory import KEY, SOUND, check, converse_in_memory
from conformance.faults.registry import Fault, get
from conformance.faults.speech.mutator import Picky
from conformance.feeds.conversations import Limits
from conformance.feeds.server import Options
from conformance.judge.verdict import Check, Verdict
from conformance.peers.virtual import run
from conformance.programs.bundle import read
from conformance.report.events import Report
from protocol import validate
from protocol.speech.framing import UspMessage
from protocol.wire import HttpRequest, HttpResponse, Party, header
from reference_server.engines.base import Job, Text, Utterance
from reference_server.engines.scripted import ScriptedEngine, ScriptedSession
from reference_server.tap import Tap

LIMITS = Limits(150, seconds=math.inf, shrinking=math.inf)


class Sometimes(Picky):
    """Closes for every second speech.config of the whole server that has an extra header, and for no other."""

    _count: ClassVar[int] = 0

    def refuses(self, message: UspMessage) -> bool:
        """Count."""
        extra = message.path == "speech.config" and any(name == "X-Speechwire" for name, _ in message.headers)
        Sometimes._count += extra
        return extra and Sometimes._count % 2 == 1


class Full(Tap):
    """Has room for two connections."""

    open: ClassVar[int] = 0
    most: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._counted = False

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Say so to a third."""
        if response.status != 101:
            return response
        if Full.open >= 2:
            return HttpResponse(429, (), b"")
        Full.open, self._counted = Full.open + 1, True
        Full.most = max(Full.most, Full.open)
        return response

    def finished(self, time: float) -> None:
        """Make room."""
        Full.open -= self._counted


class Overworked(ScriptedEngine):
    """Answers one after the other, whoever asks."""

    def __init__(self) -> None:
        super().__init__()
        self._one = asyncio.Lock()

    def open(self, job: Job) -> ScriptedSession:
        """Make phrases wait for each other."""
        session, one = super().open(job), self._one

        async def phrase(utterance: Utterance) -> Text:
            async with one:
                await asyncio.sleep(0.5)
                return await ScriptedSession.phrase(session, utterance)

        session.phrase = phrase  # type: ignore[method-assign]  # of this session alone
        return session


def report_of(tap: type[Tap], options: Options) -> Report:
    return run(check("speech-v2", SOUND, tap, options))


def only(**more: object) -> Options:
    return Options(only=(CONVERSATIONS,), conversations=150, seconds=math.inf, **more)  # type: ignore[arg-type]  # by name


class TestASoundServer:
    @pytest.mark.parametrize("dialect", ["translator", "speech-v1", "speech-v2"])
    def test_departs_from_nothing(self, dialect: str) -> None:
        explored = converse_in_memory(dialect, LIMITS)
        assert explored.examples == ()
        assert explored.held == 150
        assert all(count > 0 for count in explored.tested.values())

    def test_sees_each_connection_under_an_id_of_its_own(self) -> None:
        ids: list[str] = []

        class Listening(Tap):
            def request(self, request: HttpRequest, time: float) -> HttpRequest:
                ids.append(header(request.headers, "X-ConnectionId") or request.target)
                return request

        report_of(Listening, only())
        assert len(ids) > 150
        assert len(set(ids)) == len(ids)

    def test_is_not_silent_where_it_only_has_too_much_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One answer at a time, half a second each: in a crowd most wait longer than the run allows anybody alone."""
        monkeypatch.setattr(memory, "_engine", Overworked)
        assert converse_in_memory("translator", LIMITS).examples == ()

    def test_is_told_how_many_were_held_and_of_what(self) -> None:
        report = report_of(Tap, only())
        assert (report.conversations, report.outcome) == (150, "conforming")
        checks = {one.requirement: one for one in report.checks if one.case == CONVERSATIONS}
        assert checks["speech.handshake.accept"].count == 150
        assert {one.verdict for one in checks.values()} == {Verdict.OK}
        assert report.elapsed.keys() == {CONVERSATIONS}

    def test_is_spared_where_they_are_skipped_or_not_asked_for(self) -> None:
        skipped = Options(only=("frame.*",), skip=(CONVERSATIONS,), conversations=100)
        for options in (skipped, Options(only=("frame.*",), conversations=100), Options(only=("frame.*",))):
            assert report_of(Tap, options).conversations is None


class TestWhatDeparts:
    fault: ClassVar[Fault] = get("speech.read.header-order/time-before-path")

    def checks(self, folder: Path) -> dict[str, Check]:
        report = report_of(self.fault.mutator, only(bundles=folder))
        return {one.requirement: one for one in report.checks if one.verdict is not Verdict.OK}

    def test_is_reported_with_its_shortest_conversation(self, tmp_path: Path) -> None:
        found = self.checks(tmp_path)["speech.read.header-order"]
        assert (found.verdict, found.repeats) == (Verdict.VIOLATION, 2)
        assert found.card is not None
        lines = "\n".join(found.card.lines)
        assert "form 'order'" in lines
        assert "X-Timestamp:" in lines
        assert "58 2d 54 69 6d 65 73 74 61 6d 70 3a" in lines  # X-Timestamp:
        assert "< close 1007" in lines

    def test_is_written_without_the_key(self, tmp_path: Path) -> None:
        bundle = self.checks(tmp_path)["speech.read.header-order"].bundle
        assert bundle == str(tmp_path / "speech-v2-speech.read.header-order.json")
        for file in tmp_path.iterdir():
            assert KEY not in file.read_text("utf-8").replace('["test-key"]', "")
        assert validate.validator("bundle").errors(json.loads(Path(bundle).read_text("utf-8"))) == ()
        assert read(Path(bundle)).judged_again() is Verdict.VIOLATION

    def test_is_told_where_its_bundle_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        found = self.checks(tmp_path / "file")["speech.read.header-order"]
        assert (found.verdict, found.bundle) == (Verdict.VIOLATION, None)
        assert found.card is not None
        assert found.card.lines[0] == f"no bundle in {tmp_path / 'file'}: File exists"

    def test_ends_a_run_that_is_to_end_there(self) -> None:
        explored = converse_in_memory(
            "speech-v2", Limits(5000, math.inf, 0.0, until=self.fault.requirement), self.fault
        )
        assert explored.held < 1000
        assert self.fault.requirement in {example.departure.requirement for example in explored.examples}

    def test_now_and_then_is_flaky(self) -> None:
        explored = report_of(Sometimes, only())
        flaky = [one for one in explored.checks if one.verdict is Verdict.FLAKY]
        assert {one.worst for one in flaky} <= {Verdict.VIOLATION, Verdict.NON_STRICT}
        assert flaky
        assert all(0 < one.failed < one.count == 3 for one in flaky)

    def test_is_looked_for_first_in_the_next_run(self, tmp_path: Path) -> None:
        kept = Limits(300, math.inf, math.inf, kept=tmp_path, until=self.fault.requirement)
        first = converse_in_memory("speech-v2", kept, self.fault)
        again = converse_in_memory("speech-v2", kept, self.fault, seed=99)
        assert again.held < first.held
        assert self.fault.requirement in {example.departure.requirement for example in again.examples}


class TestABusyServer:
    def test_is_asked_by_fewer_at_a_time(self) -> None:
        Full.open = Full.most = 0
        report = report_of(Full, only())
        assert [one for one in report.checks if one.verdict is not Verdict.OK] == []
        assert Full.most <= 2
        assert report.conversations is not None
        assert report.conversations > 0


def test_faults_say_what_finds_them() -> None:
    needy: Iterable[Fault] = [get("speech.read.ping/before-audio"), get("translator.audio.ping/before-sound")]
    assert {fault.needs for fault in needy} == {"generation"}
    assert get("speech.read.ping/unanswered").needs == ""
    assert {fault.party for fault in needy} == {Party.SERVER}
