"""The JUnit report: valid against what its readers have in common, whatever a peer says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report.events import Report
from conformance.report.junit import render
from conformance.report.text import printable
from protocol.requirements import Requirement

MakeReport = Callable[..., Report]
Register = Mapping[str, Requirement]
XSD = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
RESULTS = ("failure", "error", "skipped")


def parsed(report: Report, register: Register) -> ET.Element:
    text = render(report, register)
    XSD.validate(text)
    return ET.fromstring(text)  # noqa: S314 - our own text, just validated


def results(root: ET.Element) -> dict[str, str | None]:
    """Map each test case to its result element, or to `system-out`, or to None."""
    return {
        str(case.get("name")): next((child.tag for child in case), None) for case in root.iterfind("testsuite/testcase")
    }


class TestVerdicts:
    @pytest.mark.parametrize("strict", [False, True])
    def test_become_results(self, make_report: MakeReport, register: Register, strict: bool) -> None:
        assert results(parsed(make_report(strict=strict), register)) == {
            "one-phrase/translator.handshake.accept": None,
            "one-phrase/translator.auth.missing": "failure" if strict else "system-out",
            "one-phrase/translator.audio.ping": "system-out",
            "one-phrase/translator.auth.bad-key": "failure",
            "one-phrase/translator.final.always": "failure",
            "one-phrase/translator.close.echo": "error",
            "one-phrase/translator.voice.mp3": "skipped",
            "wire/translator.final.id-unique": "failure",
        }

    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize(
        ("worst", "tags"),
        [
            (Verdict.VIOLATION, ("failure", "failure")),
            (Verdict.COULD_NOT_RUN, ("error", "error")),
            (Verdict.NON_STRICT, ("system-out", "failure")),
            (Verdict.INFORMATIONAL, ("system-out", "system-out")),
        ],
    )
    def test_a_flaky_one_is_as_bad_as_its_worst(
        self, make_report: MakeReport, register: Register, worst: Verdict, tags: tuple[str, str], strict: bool
    ) -> None:
        check = Check("c", "translator.final.always", Verdict.FLAKY, "a", "b", count=3, failed=2, worst=worst)
        root = parsed(make_report(check, strict=strict), register)
        assert results(root) == {"c/translator.final.always": tags[strict]}
        assert f"failed 2 of 3 times, as {worst.value}: b" in "".join(root.itertext())

    def test_a_skipped_one_has_its_reason(self, make_report: MakeReport, register: Register) -> None:
        skipped = parsed(make_report(), register).find(".//skipped")
        assert skipped is not None
        assert skipped.attrib == {"type": "not-applicable", "message": "declared to be without mp3"}

    def test_a_failure_says_all_that_is_known(self, make_report: MakeReport, register: Register) -> None:
        failure = parsed(make_report(), register).find(".//failure[@message='status 101']")
        requirement = register["translator.auth.bad-key"]
        assert failure is not None
        assert failure.get("type") == "violation"
        assert str(failure.text).split("\n") == [
            "violation: one-phrase/translator.auth.bad-key",
            requirement.statement,
            f"[{requirement.level.value}, {requirement.basis.value}: {requirement.source}]",
            "expected: status 401",
            "observed: status 101",
            "count: 1",
            "connection 1 of one-phrase",
            "    0.100 > GET /speech/translate",
            "    0.200 < 403",
            "bundle: bundles/a.json",
        ]


class TestRun:
    def test_names_are_ids_and_classes_are_groups(self, make_report: MakeReport, register: Register) -> None:
        cases = parsed(make_report(), register).findall("testsuite/testcase")
        assert [(case.get("classname"), case.get("name")) for case in cases][:2] == [
            ("translator.handshake", "one-phrase/translator.handshake.accept"),
            ("translator.auth", "one-phrase/translator.auth.missing"),
        ]

    @pytest.mark.parametrize("strict", [False, True])
    def test_totals_count_what_is_there(self, make_report: MakeReport, register: Register, strict: bool) -> None:
        root = parsed(make_report(strict=strict), register)
        suite = root[0]
        found = {f"{tag}s": str(len(suite.findall(f"testcase/{tag}"))) for tag in RESULTS[:2]}
        found["tests"] = str(len(suite.findall("testcase")))
        assert {name: root.get(name) for name in found} == {name: suite.get(name) for name in found} == found
        assert suite.get("skipped") == "1"
        assert found == {"tests": "8", "errors": "1", "failures": "4" if strict else "3"}

    def test_the_time_of_a_case_is_shared_by_its_checks(self, make_report: MakeReport, register: Register) -> None:
        root = parsed(make_report(elapsed={"one-phrase": 3.5}), register)
        times = {case.get("name"): case.get("time") for case in root.iterfind("testsuite/testcase")}
        assert times.pop("wire/translator.final.id-unique") == "0.000"
        assert set(times.values()) == {"0.500"}
        assert (root.get("time"), root[0].get("time")) == ("4.000", "4.000")

    def test_properties_say_what_ran(self, make_report: MakeReport, register: Register) -> None:
        root = parsed(make_report(), register)
        values = {item.get("name"): item.get("value") for item in root.iter("property")}
        assert root[0].get("name") == "speechwire.server.translator"
        assert values["peer.url"] == "ws://127.0.0.1:9000/speech/translate"
        assert (values["seed"], values["register"], values["outcome"]) == ("7", "2026.1", "violations")
        assert str(values["coverage"]).startswith("2 requirements tested of 4 testable, 1 excluded")
        assert str(values["timing"]).endswith("25% of it was waiting.")

    def test_that_ran_nothing_is_not_green(self, nothing_ran: Report, register: Register) -> None:
        root = parsed(nothing_ran, register)
        assert results(root) == {"one-phrase/translator.handshake.accept": None, "run": "error"}
        assert (root.get("errors"), root.get("tests")) == ("1", "2")

    def test_that_fails_without_a_failing_check_is_not_green(self, make_report: MakeReport, register: Register) -> None:
        fine = Check("c", "translator.final.always", Verdict.OK, "", "")
        report = make_report(fine, outcome="violations", exit_code=ExitCode.VIOLATIONS)
        assert results(parsed(report, register)) == {"c/translator.final.always": None, "run": "failure"}

    def test_that_conforms_is_green(self, make_report: MakeReport, register: Register) -> None:
        root = parsed(make_report(Check("c", "translator.final.always", Verdict.OK, "", "")), register)
        assert results(root) == {"c/translator.final.always": None}
        assert (root.get("failures"), root.get("errors")) == ("0", "0")


class TestHostilePeer:
    @pytest.mark.parametrize(
        "verdict", [Verdict.VIOLATION, Verdict.COULD_NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.FLAKY]
    )
    def test_stays_text(
        self,
        make_report: MakeReport,
        register: Register,
        quoting: Callable[[str, Verdict], Check],
        hostile: str,
        verdict: Verdict,
    ) -> None:
        report = make_report(quoting(hostile, verdict), peer={"url": hostile, f"name {hostile}": hostile})
        root = parsed(report, register)
        assert [case.get("name") for case in root.iter("testcase")] == ["one-phrase/translator.final.id-unique"]
        result = next(element for element in root.iter() if element.tag in RESULTS)
        quoted = printable(hostile[:400])
        assert quoted in str(result.get("message"))
        assert verdict is Verdict.NOT_APPLICABLE or f"\n0.1 < {quoted}" in str(result.text)
        assert len(render(report, register)) < 200_000

    def test_keeps_its_own_script(self, make_report: MakeReport, register: Register) -> None:
        said = "你好 \U0001d11e Grüße"
        check = Check("c", "translator.final.always", Verdict.VIOLATION, "a final", said)
        failure = parsed(make_report(check), register).find(".//failure")
        assert failure is not None
        assert failure.get("message") == said


class TestSchema:
    """The schema can fail, or validating against it would mean nothing."""

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("<testsuites ", '<testsuites skipped="1" '),
            ("<testcase name=", "<testcase id="),
            ("<skipped ", "<ignored "),
            ('type="violation" ', ""),
            ('time="4.000"', 'time="4e0"'),
            ('tests="8"', 'tests="-8"'),
            ("</properties>", "</properties><testsuite/>"),
            ("<property name=", "<property key="),
        ],
    )
    def test_rejects_what_readers_reject(
        self, make_report: MakeReport, register: Register, right: str, wrong: str
    ) -> None:
        text = render(make_report(), register)
        assert right in text
        assert not XSD.is_valid(text.replace(right, wrong))

    def test_a_test_has_one_result(self, make_report: MakeReport, register: Register) -> None:
        root = parsed(make_report(), register)
        case = root.find("testsuite/testcase[failure]")
        assert case is not None
        ET.SubElement(case, "error", type="a", message="b")
        assert not XSD.is_valid(ET.tostring(root, encoding="unicode"))

    def test_a_report_of_no_checks_is_still_one(self, nothing_ran: Report, register: Register) -> None:
        assert results(parsed(dataclasses.replace(nothing_ran, checks=()), register)) == {"run": "error"}
