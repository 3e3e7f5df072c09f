"""What every report for a person says in the same words: legend, summary, meaning of the exit code."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping

from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report.events import Report
from protocol.requirements import Requirement

LEGEND: Mapping[Verdict, str] = {
    Verdict.VIOLATION: "An official text, or a named peer that breaks without it, demands this, and it is not so.",
    Verdict.COULD_NOT_RUN: "Nothing can be said, because the check did not get far enough to see it.",
    Verdict.FLAKY: "It was not the same each time; it counts as the gravest verdict that was seen.",
    Verdict.NON_STRICT: "It is advised, or only a sibling protocol demands it; it fails a strict run only.",
    Verdict.INFORMATIONAL: "It is optional, or our own choice where every source is silent; it never fails.",
    Verdict.OK: "It is as the requirement says.",
    Verdict.NOT_APPLICABLE: "The peer does not offer it, or was declared to be without it.",
}
"""What each verdict means, in one sentence, gravest first."""

EXIT_MEANING: Mapping[ExitCode, str] = {
    ExitCode.CONFORMING: "conforming: nothing that was tested fails the run",
    ExitCode.VIOLATIONS: "violations: at least one check fails the run",
    ExitCode.USAGE: "usage: the command was not understood, and nothing was tested",
    ExitCode.COULD_NOT_RUN: "could not run: something that had to be tested was not, so the run proves nothing",
}


def counts(report: Report) -> Mapping[Verdict, int]:
    """Return how many checks have each verdict, in the order of the legend; zeros included."""
    found = Counter(check.verdict for check in report.checks)
    return {verdict: found[verdict] for verdict in LEGEND}


def coverage_sentence(report: Report) -> str:
    """Return the sentence that says how much of the register this run has tested."""
    found = Counter(report.coverage.values())
    testable = len(report.coverage) - found["excluded"]
    return (
        f"{number(found['tested'], 'requirement')} tested of {testable} testable, "
        f"{found['excluded']} excluded from testing, {found['not-observed']} not observed, "
        f"{found['not-applicable']} not applicable."
    )


def conversations_sentences(report: Report) -> tuple[str, ...]:
    """Return the sentence that says how many conversations were held that nobody wrote; none if that was not tried."""
    if report.conversations is None:
        return ()
    return (f"{report.conversations:,} conversations were held that nobody wrote, seed {report.seed}.",)


def time_sentence(report: Report) -> str:
    """Return the sentence that says how long the run took, and how much of that was waiting."""
    share = report.waiting_s / report.total_s if report.total_s > 0 else 0.0
    return f"The run took {report.total_s:.1f} s; {share:.0%} of it was waiting."


def exit_sentence(report: Report) -> str:
    """Return the sentence that says what the exit code means."""
    strict = " (strict: non-strict departures count)" if report.strict else ""
    return f"Exit code {int(report.exit_code)}, {EXIT_MEANING[report.exit_code]}{strict}."


def failing(report: Report) -> tuple[Check, ...]:
    """Return the checks that keep the run from being conforming, in the order of the catalogue."""
    return tuple(check for check in report.checks if check.exit_code(strict=report.strict) is not ExitCode.CONFORMING)


def known(report: Report) -> tuple[Check, ...]:
    """Return the checks that would fail the run if the baseline did not know them."""
    return tuple(check for check in report.checks if check.known is not None)


def baseline_sentences(report: Report) -> tuple[str, ...]:
    """Return what there is to say of the baseline: entries that say too much, and those that are old."""
    if report.baseline is None:
        return ()
    stale = (f"stale, and fails the run: {check}: {why}" for check, why in report.baseline.stale.items())
    old = (f"old: {check}: known {why}" for check, why in report.baseline.old.items())
    head = f"Baseline {report.baseline.file}: {number(len(known(report)), 'known departure')}."
    return (head, *stale, *old)


def departures(report: Report) -> tuple[Check, ...]:
    """Return the checks that found a departure which does not fail this run, in the order of the catalogue."""
    harmless = {Verdict.NON_STRICT, Verdict.INFORMATIONAL}
    stopped = set(failing(report))
    return tuple(
        check for check in report.checks if check.effective in harmless and check.known is None and check not in stopped
    )


def standing(requirement: Requirement) -> str:
    """Return level, basis and source of a requirement in one line."""
    return f"{requirement.level.value}, {requirement.basis.value}: {requirement.source}"


def again(report: Report, case: str | None) -> str:
    """Return the command that shows one case once more, or the whole run for None; fit for a POSIX shell."""
    if "file" in report.peer:
        return _recorded(report)
    words = ["speechwire", "check", report.party]
    only = [] if case is None else ["--only", case]
    options = ["--dialect", report.dialect, *only]
    if report.party == "server":
        return shlex.join([*words, str(report.peer.get("url", "URL")), *options])
    command = report.peer.get("command", "COMMAND")
    # Text is a command line already; a list still has to become one.
    line = shlex.join(map(str, command)) if isinstance(command, list | tuple) else str(command)
    return f"{shlex.join([*words, *options])} -- {line}"


def replay(report: Report, bundle: str) -> str:
    """Return the command that holds a conversation once more that was kept in a bundle; fit for a POSIX shell."""
    return shlex.join(["speechwire", "replay", bundle, "--url", str(report.peer.get("url", "URL"))])


def _recorded(report: Report) -> str:
    """Return the command that judges recorded traffic once more."""
    party = [] if report.party == "both" else ["--party", report.party]
    vantage = ["--vantage", str(report.peer["vantage"])] if "vantage" in report.peer else []
    words = ["speechwire", "check", "capture", str(report.peer["file"]), "--dialect", report.dialect]
    return shlex.join([*words, *party, *vantage])


def number(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where there is not one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
