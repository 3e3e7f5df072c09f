"""A baseline made from reports: new entries for what departs, none any more for what does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from conformance.baseline.entries import Baseline, Entry
from conformance.judge.verdict import SEVERITY, Verdict

_COUNTS = frozenset({"violation", "could-not-run"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What some reports say together of one check: in how many runs it failed, of how many, and how gravely."""

    failed: int
    runs: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one entry: `added`, `kept`, `changed` or `removed`."""

    what: str
    check: str


def look(reports: Iterable[Mapping[str, Any]], *, strict: bool) -> dict[str, Seen]:
    """Return what reports (documents of the schema `report`) say of each check that was looked for.

    With `strict` a non-strict departure is a failure, too.
    """
    found: dict[str, Seen] = {}
    for report in reports:
        for check in report["checks"]:
            seen = _seen(check, strict=strict)
            if seen is not None:
                found[check["id"]] = _together(found.get(check["id"]), seen)
    return found


def _seen(check: Mapping[str, Any], *, strict: bool) -> Seen | None:
    word = check.get("worst", check["verdict"])
    if word == "not-applicable":
        return None
    runs = check.get("runs", 1)
    if word in _COUNTS or (strict and word == "non-strict"):
        return Seen(check.get("failed", 1), runs, Verdict(word))
    return Seen(0, runs, Verdict.OK)


def _together(one: Seen | None, other: Seen) -> Seen:
    if one is None:
        return other
    verdict = min(one.verdict, other.verdict, key=SEVERITY.index)
    return Seen(one.failed + other.failed, one.runs + other.runs, verdict)


def update(
    baseline: Baseline, seen: Mapping[str, Seen], *, reason: str, link: str, today: date
) -> tuple[Baseline, Sequence[Change]]:
    """Return the baseline that fits what was seen, and what was changed in it.

    An entry keeps its reason, link and day. One whose check was not looked for stays as it is. New ones get `reason`
    and `link`; ValueError, naming the first of them, if there is no reason.
    """
    entries = dict(baseline.entries)
    changes: list[Change] = []
    for check, sight in sorted(seen.items()):
        old = entries.get(check)
        new = _entry(check, sight, old) if old else _new(check, sight, reason, link, today)
        if new is None:
            if old is not None:
                changes.append(Change("removed", check))
                del entries[check]
            continue
        if old is None and not reason:
            raise ValueError(check)
        changes.append(Change("added" if old is None else "kept" if new == old else "changed", check))
        entries[check] = new
    return replace(baseline, entries=entries), changes


def _new(check: str, seen: Seen, reason: str, link: str, today: date) -> Entry | None:
    if not seen.failed:
        return None
    at_times = seen.failed < seen.runs
    rate = (seen.failed, seen.runs) if at_times else (0, 0)
    return Entry(check, seen.verdict, reason, link, today, *rate)


def _entry(check: str, seen: Seen, old: Entry) -> Entry | None:
    """Return the entry that an old one becomes: one that fails at times is counted on, from run to run."""
    failed, runs = seen.failed + old.failed, seen.runs + old.runs
    if old.flaky:
        return replace(old, failed=failed, runs=runs)
    return _new(check, seen, old.reason, old.link, old.since)
