"""The JSON report: valid against its schema, and with exactly the members that scripts rely on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

import schemas
from conformance.judge.verdict import Check, Verdict
from conformance.report.events import Report
from conformance.report.json_report import document, render
from protocol.requirements import Requirement
from protocol.validate import validator

MEMBERS = ["speechwire", "register", "peer", "dialect", "seed", "outcome", "checks", "coverage", "timing"]
CHECK = ["id", "case", "row", "level", "basis", "verdict", "expected", "observed", "count"]

MakeReport = Callable[..., Report]
Register = Mapping[str, Requirement]


class TestMembers:
    def test_are_these_in_this_order(self, make_report: MakeReport, register: Register) -> None:
        written = document(make_report(), register)
        assert list(written) == MEMBERS
        assert list(written["timing"]) == ["total_s", "waiting_s"]
        found = {tuple(check) for check in written["checks"]}
        assert found == {tuple(CHECK), (*CHECK, "bundle"), (*CHECK, "failed", "runs", "worst")}

    def test_are_all_in_the_schema(self) -> None:
        schema = schemas.read("report")
        assert schema["required"] == MEMBERS
        assert list(schema["properties"]) == [*MEMBERS, "conversations", "baseline"]
        assert list(schema["$defs"]["check"]["properties"]) == [*CHECK, "failed", "runs", "worst", "known", "bundle"]
        assert schema["$defs"]["check"]["required"] == CHECK

    def test_conversations_are_there_only_where_they_were_held(
        self, make_report: MakeReport, register: Register
    ) -> None:
        report = make_report()
        assert "conversations" not in document(report, register)
        assert document(replace(report, conversations=0), register)["conversations"] == 0

    def test_the_bundle_is_there_only_where_there_is_one(self, make_report: MakeReport, register: Register) -> None:
        bundles = {check["id"]: check.get("bundle") for check in document(make_report(), register)["checks"]}
        assert [bundle for bundle in bundles.values() if bundle is not None] == ["bundles/a.json"]
        assert bundles["one-phrase/translator.auth.bad-key"] == "bundles/a.json"

    def test_of_a_check_come_from_the_check_and_the_register(self, make_report: MakeReport, register: Register) -> None:
        written = document(make_report(), register)["checks"][-1]
        requirement = register["translator.final.id-unique"]
        assert written == {
            "id": "wire/translator.final.id-unique",
            "case": "wire",
            "row": "translator.final.id-unique",
            "level": requirement.level.value,
            "basis": requirement.basis.value,
            "verdict": "violation",
            "expected": "a new id",
            "observed": "1 twice",
            "count": 2,
        }

    def test_of_the_run_come_from_the_report(self, make_report: MakeReport, register: Register) -> None:
        written = document(make_report(total_s=2.00049, waiting_s=0.25), register)
        assert written["timing"] == {"total_s": 2.0, "waiting_s": 0.25}
        assert written["outcome"] == "violations"
        assert written["coverage"]["translator.close.idle"] == "excluded"
        assert (written["seed"], written["dialect"], written["register"]) == (7, "translator", "2026.1")

    def test_a_flaky_check_says_how_often_it_failed(self, make_report: MakeReport, register: Register) -> None:
        flaky = document(make_report(), register)["checks"][4]
        assert (flaky["verdict"], flaky["count"], flaky["worst"]) == ("flaky", 3, "violation")
        assert flaky["observed"] == "failed 1 of 3 times, as violation: none"

    def test_checks_keep_their_order(self, make_report: MakeReport, register: Register) -> None:
        report = make_report()
        written = [check["id"] for check in document(report, register)["checks"]]
        assert written == [check.id for check in report.checks]


class TestSchema:
    @pytest.mark.parametrize("strict", [False, True])
    def test_accepts_every_verdict(self, make_report: MakeReport, register: Register, strict: bool) -> None:
        report = make_report(strict=strict)
        assert {check.verdict for check in report.checks} == set(Verdict)
        assert validator("report").errors(json.loads(render(report, register))) == ()

    def test_accepts_a_run_of_nothing(self, nothing_ran: Report, register: Register) -> None:
        written = json.loads(render(dataclasses.replace(nothing_ran, checks=()), register))
        assert validator("report").errors(written) == ()
        assert written["outcome"] == "could-not-run"

    def test_accepts_a_client(self, make_report: MakeReport, register: Register) -> None:
        report = make_report(party="client", peer={"command": ["./client", "{url}"], "exit": None})
        written = json.loads(render(report, register))
        assert validator("report").errors(written) == ()
        assert written["peer"] == {"command": ["./client", "{url}"], "exit": None}


class TestHostilePeer:
    def test_is_quoted_to_the_character(
        self,
        make_report: MakeReport,
        register: Register,
        quoting: Callable[[str, Verdict], Check],
        hostile: str,
    ) -> None:
        report = make_report(quoting(hostile, Verdict.VIOLATION), peer={"url": hostile, hostile: [hostile]})
        text = render(report, register)
        text.encode()  # no lone surrogate is left
        written = json.loads(text)
        assert validator("report").errors(written) == ()
        spelled = hostile.encode(errors="backslashreplace").decode()
        assert written["checks"][0]["observed"] == written["checks"][0]["expected"] == spelled
        assert written["peer"] == {"url": spelled, spelled: [spelled]}

    def test_time_that_is_no_number_is_refused(self, make_report: MakeReport, register: Register) -> None:
        with pytest.raises(ValueError, match="JSON compliant"):
            render(make_report(total_s=float("nan")), register)
