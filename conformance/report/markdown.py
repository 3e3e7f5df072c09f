"""The report as Markdown, for the summary page of a continuous-integration run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from conformance.judge.verdict import Check
from conformance.report import summary
from conformance.report.events import Report
from conformance.report.text import observed, shown
from protocol.requirements import Requirement

_LONGEST = 300
_TITLES = {
    "conforming": "Conforming",
    "violations": "Violations found",
    "could-not-run": "Could not run",
}
# Whatever can begin a construct of Markdown, of its GitHub dialect (mentions, references, addresses), or of HTML.
_ACTIVE = re.compile(r"[#$&*:<>@\[\\\]_`|~]|(?<=www)\.", re.IGNORECASE)


def render(report: Report, register: Mapping[str, Requirement]) -> str:
    """Return the report as GitHub-flavoured Markdown: summary, verdicts with their meaning, and what departs.

    Text of the peer stands in cells of tables, where each character of it means itself.
    """
    return "\n\n".join(_sections(report, register)) + "\n"


def _sections(report: Report, register: Mapping[str, Requirement]) -> Iterator[str]:
    yield f"## speechwire: {_TITLES[report.outcome]}"
    yield _head(report)
    yield "\n".join(
        f"- {line}"
        for line in (
            summary.coverage_sentence(report),
            summary.time_sentence(report),
            *map(_plain, summary.baseline_sentences(report)),
            summary.exit_sentence(report),
        )
    )
    yield _table(
        ("verdict", "checks", "meaning"),
        [(verdict.value, str(count), summary.LEGEND[verdict]) for verdict, count in summary.counts(report).items()],
    )
    for title, checks in (
        ("What fails the run", summary.failing(report)),
        ("Known departures", summary.known(report)),
        ("Other departures", summary.departures(report)),
    ):
        if checks:
            yield f"### {title}"
            yield _table(
                ("verdict", "check", "requirement", "expected", "observed"),
                [_row(check, register[check.requirement]) for check in checks],
            )


def _head(report: Report) -> str:
    facts = {
        "dialect": report.dialect,
        "speechwire": report.speechwire,
        "requirements": report.register,
        "seed": report.seed,
        **report.peer,
    }
    return _table((report.party, ""), [(_quoted(name), _quoted(str(value))) for name, value in facts.items()])


def _row(check: Check, requirement: Requirement) -> Sequence[str]:
    return (
        check.verdict.value,
        _quoted(check.id),
        f"{_plain(requirement.statement)} ({_plain(summary.standing(requirement))})",
        _quoted(check.expected),
        _quoted(observed(check)) + (f" known: {_quoted(check.known)}" if check.known else ""),
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _quoted(text: str) -> str:
    """Return text of the peer as a cell: in code, where no name is a mention, and without a living character."""
    plain = _plain(text)
    return f"<code>{plain}</code>" if plain else ""


def _plain(text: str) -> str:
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", shown(text, _LONGEST).strip())
