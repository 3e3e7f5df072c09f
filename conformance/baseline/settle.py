"""A report under a baseline: what is known does not count, and what the file says too much of does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from math import comb
from pathlib import Path

from conformance.baseline.entries import Baseline, Entry
from conformance.judge.verdict import SEVERITY, Check, ExitCode, Verdict, precedence
from conformance.report.events import Baselined, Report

_OLD_DAYS = 180
_UNLIKELY = 0.01
_SEEN = frozenset({Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.OK})


def settle(report: Report, baseline: Baseline, file: Path, possible: Callable[[str], bool], today: date) -> Report:
    """Return the report with its known departures marked, and the exit code that follows.

    An entry is stale when its check is less grave than it says, or when there is no such check. A check that was not
    run in this run says nothing of its entry.

    Args:
        report: A run of the dialect and party of the baseline.
        baseline: What is known.
        file: Where that stands.
        possible: Whether there can be a check of this id, be it in other runs.
        today: The day of the run.
    """
    checks = tuple(_marked(check, baseline, strict=report.strict) for check in report.checks)
    stale = {
        entry.check: text
        for entry in baseline.entries.values()
        if (text := _too_much(entry, report, possible)) is not None
    }
    old = {
        entry.check: f"since {entry.since.isoformat()}: {entry.reason}"
        for entry in baseline.entries.values()
        if entry.check not in stale and (today - entry.since).days > _OLD_DAYS
    }
    raw = precedence(check.exit_code(strict=report.strict) for check in report.checks)
    codes = [check.exit_code(strict=report.strict) for check in checks]
    codes += [ExitCode.VIOLATIONS] if stale else []
    codes += [report.exit_code] if report.exit_code is not raw else []  # it has a reason beside the checks
    code = precedence(codes)
    words = {ExitCode.CONFORMING: "conforming", ExitCode.VIOLATIONS: "violations"}
    return replace(
        report,
        checks=checks,
        exit_code=code,
        outcome=words.get(code, "could-not-run"),  # type: ignore[arg-type] # mypy does not see the literals
        baseline=Baselined(str(file), stale, old),
    )


def _marked(check: Check, baseline: Baseline, *, strict: bool) -> Check:
    entry = baseline.entries.get(check.id)
    if entry is None or check.exit_code(strict=strict) is ExitCode.CONFORMING:
        return check
    # What could not be run is not what is known, unless that is what is known.
    same = (check.effective is Verdict.COULD_NOT_RUN) == (entry.verdict is Verdict.COULD_NOT_RUN)
    graver = SEVERITY.index(check.effective) < SEVERITY.index(entry.verdict)
    if not same or graver or (entry.flaky and not likely(*check.rate, entry.failed / entry.runs)):
        return check
    return replace(check, known=f"{entry.reason}{f' ({entry.link})' if entry.link else ''}")


def likely(failed: int, runs: int, rate: float) -> bool:
    """Tell whether a check that fails at this rate may well fail so often in so many runs, or more often."""
    tail = sum(comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(failed, runs + 1))
    return tail >= _UNLIKELY


def _too_much(entry: Entry, report: Report, possible: Callable[[str], bool]) -> str | None:
    if not possible(entry.check):
        return "there is no such check"
    if entry.flaky:
        return None  # that it did not fail this time is what it is
    found = next((check for check in report.checks if check.id == entry.check), None)
    if found is None or found.effective not in _SEEN:
        return None
    if SEVERITY.index(found.effective) <= SEVERITY.index(entry.verdict):
        return None
    return f"it is {found.verdict.value} now, not {entry.verdict.value}"
