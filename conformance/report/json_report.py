"""The report for programs; its schema is `report`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from conformance.judge.verdict import Check
from conformance.report.events import Report
from conformance.report.text import observed
from protocol.requirements import Requirement

_SURROGATE = re.compile("[\ud800-\udfff]")


def document(report: Report, register: Mapping[str, Requirement]) -> dict[str, Any]:
    """Return the report as a JSON value."""
    return {
        "speechwire": report.speechwire,
        "register": report.register,
        "peer": dict(report.peer),
        "dialect": report.dialect,
        "seed": report.seed,
        "outcome": report.outcome,
        "checks": [_check(check, register[check.requirement]) for check in report.checks],
        "coverage": dict(report.coverage),
        "timing": {"total_s": round(report.total_s, 3), "waiting_s": round(report.waiting_s, 3)},
        **({} if report.conversations is None else {"conversations": report.conversations}),
        **_baseline(report),
    }


def render(report: Report, register: Mapping[str, Requirement]) -> str:
    """Return the report as JSON text, indented, in whatever script the peer speaks."""
    text = json.dumps(document(report, register), ensure_ascii=False, allow_nan=False, indent=2)
    # A surrogate without its partner is no character: strict readers reject even its escape, so it is spelled out.
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text) + "\n"


def _baseline(report: Report) -> dict[str, Any]:
    if report.baseline is None:
        return {}
    return {
        "baseline": {
            "file": report.baseline.file,
            "stale": list(report.baseline.stale),
            "old": list(report.baseline.old),
        }
    }


def _check(check: Check, requirement: Requirement) -> dict[str, Any]:
    failed, runs = check.rate
    repeated = {"failed": failed, "runs": runs} if runs > 1 else {}
    worst = {} if check.worst is None else {"worst": check.worst.value}
    known = {} if check.known is None else {"known": check.known}
    bundle = {} if check.bundle is None else {"bundle": check.bundle}
    return {
        "id": check.id,
        "case": check.case,
        "row": check.requirement,
        "level": requirement.level.value,
        "basis": requirement.basis.value,
        "verdict": check.verdict.value,
        "expected": check.expected,
        "observed": observed(check),
        "count": check.count,
        **repeated,
        **worst,
        **known,
        **bundle,
    }
