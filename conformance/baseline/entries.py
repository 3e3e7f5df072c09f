"""The file: one entry a check, with reason, link and day; what fails at times apart from what fails always."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from conformance.judge.verdict import Verdict
from conformance.report.files import write
from protocol.validate import validator

_HEAD = """\
# What is known not to conform. `speechwire baseline update` keeps this file, and every check takes it with --baseline.
# An entry that says more than there is fails the run: update the file then.
"""


class BaselineError(Exception):
    """The file cannot be used; the text says what is wrong, where, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One check that departs.

    Attributes:
        check: Its id, `case/requirement`.
        verdict: The gravest verdict that is no news.
        reason: Why it is so.
        link: Where it is followed up; may be empty.
        since: The day since which it is known.
        failed: Of one that fails at times: in how many runs it did; else 0.
        runs: Of one that fails at times: in how many runs it was looked for; else 0.
    """

    check: str
    verdict: Verdict
    reason: str
    link: str
    since: date
    failed: int = 0
    runs: int = 0

    @property
    def flaky(self) -> bool:
        """Whether it fails at times only."""
        return self.runs > 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """All entries of a file, by check."""

    dialect: str
    party: str
    entries: Mapping[str, Entry] = field(default_factory=dict)


def read(path: Path) -> Baseline:
    """Return what a file says.

    Raises:
        BaselineError: It is no TOML, or not of the form of the schema `baseline`, or a check stands in it twice.
        OSError: It cannot be read.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BaselineError(f"{path}: it is no TOML: {error}") from error
    document = json.loads(json.dumps(document, default=str))  # a day becomes text, as the schema wants it
    for departure in validator("baseline").errors(document):
        raise BaselineError(f"{path}: {departure.at}: expected {departure.expected}, got {departure.observed}")
    entries: dict[str, Entry] = {}
    for kind in ("known", "flaky"):
        for at, members in enumerate(document.get(kind, ())):
            entry = _entry(members, f"{path}: /{kind}/{at}")
            if entry.check in entries:
                raise BaselineError(f"{path}: /{kind}/{at}: there is another entry for {entry.check}")
            entries[entry.check] = entry
    return Baseline(document["dialect"], document["party"], entries)


def _entry(members: Mapping[str, Any], where: str) -> Entry:
    try:
        since = date.fromisoformat(members["since"])
    except ValueError as error:
        raise BaselineError(f"{where}/since: expected a day, got {members['since']!r}") from error
    failed, runs = members.get("failed", 0), members.get("runs", 0)
    if failed > runs:
        raise BaselineError(f"{where}/failed: expected at most the {runs} of runs, got {failed}")
    verdict = Verdict(members["verdict"])
    return Entry(members["check"], verdict, members["reason"], members.get("link", ""), since, failed, runs)


def save(path: Path, baseline: Baseline) -> None:
    """Write a file, its entries in the order of their ids; ReportError where that cannot be done."""
    write(path, "\n".join(_lines(baseline)))


def _lines(baseline: Baseline) -> Iterator[str]:
    yield _HEAD
    yield f"dialect = {_text(baseline.dialect)}"
    yield f"party = {_text(baseline.party)}"
    for _, entry in sorted(baseline.entries.items()):
        yield ""
        yield f"[[{'flaky' if entry.flaky else 'known'}]]"
        yield f"check = {_text(entry.check)}"
        yield f"verdict = {_text(entry.verdict.value)}"
        if entry.flaky:
            yield f"failed = {entry.failed}"
            yield f"runs = {entry.runs}"
        yield f"reason = {_text(entry.reason)}"
        yield f"link = {_text(entry.link)}"
        yield f"since = {entry.since.isoformat()}"
    yield ""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # then every JSON string is a TOML string
