"""The report as JUnit XML, in the subset that every continuous-integration service reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET  # only written here, never parsed

from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report import summary
from conformance.report.events import Report
from conformance.report.text import comparison, observed, shown
from protocol.requirements import Requirement

_LONGEST_MESSAGE = 500
_LONGEST_LINE = 4_000


class _Totals(NamedTuple):
    tests: int
    failures: int
    errors: int
    skipped: int


def render(report: Report, register: Mapping[str, Requirement]) -> str:
    """Return the report as JUnit XML.

    A check is a test case named after its id. What fails the run is a `failure`, what could not run an `error`, what
    does not apply is `skipped` with the reason; any other departure is told in `system-out` of a test that passes.
    """
    sizes = Counter(check.case for check in report.checks)
    cases = []
    for check in report.checks:
        time_s = report.elapsed.get(check.case, 0.0) / sizes[check.case]  # its share of the case's time
        cases.append(
            _testcase(check, register[check.requirement], dialect=report.dialect, strict=report.strict, time_s=time_s)
        )
    stale = report.baseline.stale if report.baseline else {}
    cases += [_stale(report, name, why) for name, why in stale.items()]
    if report.exit_code != ExitCode.CONFORMING and not summary.failing(report) and not stale:
        cases.append(_whole_run(report))
    totals = _totals(cases)
    suite = ET.Element(
        "testsuite",
        name=f"speechwire.{report.party}.{report.dialect}",
        tests=str(totals.tests),
        failures=str(totals.failures),
        errors=str(totals.errors),
        skipped=str(totals.skipped),
        time=_seconds(report.total_s),
    )
    suite.append(_properties(report))
    suite.extend(cases)
    root = ET.Element(
        "testsuites",
        name="speechwire",
        tests=str(totals.tests),
        failures=str(totals.failures),
        errors=str(totals.errors),
        time=_seconds(report.total_s),
    )
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _testcase(check: Check, requirement: Requirement, *, dialect: str, strict: bool, time_s: float) -> ET.Element:
    group = requirement.id.split(".")[1]
    element = ET.Element("testcase", name=check.id, classname=f"{dialect}.{group}", time=_seconds(time_s))
    message = _line(observed(check))
    match check.exit_code(strict=strict):
        case ExitCode.VIOLATIONS:
            _result(element, "failure", check.verdict.value, message).text = _body(check, requirement)
        case ExitCode.COULD_NOT_RUN:
            _result(element, "error", check.verdict.value, message).text = _body(check, requirement)
        case _ if check.known is not None:
            _result(element, "skipped", "known", _line(f"{check.verdict.value}, known: {check.known}"))
        case _ if check.effective is Verdict.NOT_APPLICABLE:
            _result(element, "skipped", check.verdict.value, message)
        case _ if check.verdict is not Verdict.OK:
            ET.SubElement(element, "system-out").text = _body(check, requirement)
    return element


def _whole_run(report: Report) -> ET.Element:
    """Return a test case for a run that failed though no check did: nobody may read it as green."""
    element = ET.Element("testcase", name="run", classname=report.dialect, time=_seconds(report.total_s))
    tag = "error" if report.exit_code == ExitCode.COULD_NOT_RUN else "failure"
    _result(element, tag, report.outcome, summary.exit_sentence(report))
    return element


def _stale(report: Report, name: str, why: str) -> ET.Element:
    """Return a test case for an entry of the baseline that says too much."""
    element = ET.Element("testcase", name=f"baseline: {name}", classname=f"{report.dialect}.baseline", time=_seconds(0))
    _result(element, "failure", "stale", _line(why))
    return element


def _result(parent: ET.Element, tag: str, kind: str, message: str) -> ET.Element:
    return ET.SubElement(parent, tag, type=kind, message=message)


def _body(check: Check, requirement: Requirement) -> str:
    lines = [
        f"{check.verdict.value}: {check.id}",
        requirement.statement,
        f"[{summary.standing(requirement)}]",
        *comparison(check),
        f"count: {check.count}",
        *(check.card.lines if check.card else ()),
        *([f"bundle: {check.bundle}"] if check.bundle else []),
    ]
    return "\n".join(shown(line, _LONGEST_LINE) for line in lines)


def _properties(report: Report) -> ET.Element:
    values = {
        "speechwire": report.speechwire,
        "register": report.register,
        "dialect": report.dialect,
        "seed": report.seed,
        "outcome": report.outcome,
        "coverage": summary.coverage_sentence(report),
        "timing": summary.time_sentence(report),
        **{f"peer.{name}": value for name, value in report.peer.items()},
    }
    properties = ET.Element("properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=_line(name), value=_line(str(value)))
    return properties


def _totals(cases: list[ET.Element]) -> _Totals:
    failures, errors, skipped = (
        sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped")
    )
    return _Totals(len(cases), failures, errors, skipped)


def _line(text: str) -> str:
    return shown(text, _LONGEST_MESSAGE)


def _seconds(value: float) -> str:
    return f"{max(value, 0.0):.3f}"
