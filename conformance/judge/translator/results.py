"""What holds for every result, and between results (requirements translator.result.*, final.*, partial.*)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import Result, View
from conformance.transcript import Barrier, CloseFrame
from protocol.errors import PeerViolation
from protocol.translator.messages import Final, parse
from protocol.wire import Kind, Party

_FORM = ("translator.result.text-json", "translator.result.one-object", "translator.result.type")
_MAJOR = re.compile(r"[0-9]+")
_MINOR = re.compile(r"([0-9]+)\.([0-9]+)")


def formats(view: View) -> Findings:
    """Judge each text message by itself: JSON, type, members, the form of its id and of its timing values."""
    for seen in view.from_server:
        if seen.kind is not Kind.TEXT or not seen.complete:
            continue
        try:
            message = parse(seen.data)
        except PeerViolation as error:
            yield broken(error.requirement, seen.last, f"{error.expected} at {error.at}", error.observed)
            # What comes before its members in the order of reading was right.
            for name in () if error.requirement in _FORM else _FORM:
                yield kept(name, seen.last)
            continue
        kind = "final" if isinstance(message, Final) else "partial"
        for name in (*_FORM, f"translator.{kind}.fields", f"translator.{kind}.id-form"):
            yield kept(name, seen.last)
        if message.timing is not None:
            yield kept("translator.timing.numbers", seen.last)


def final_ids(view: View) -> Findings:
    """translator.final.id-unique, id-order: one id a final, growing."""
    seen: set[str] = set()
    highest: str | None = None
    for final in view.finals:
        at = final.seen.last
        name = "translator.final.id-unique"
        if final.id in seen:
            yield broken(name, at, "an id that no final of the session has had", f'"{final.id}" again')
            continue
        yield kept(name, at)
        seen.add(final.id)
        if not _MAJOR.fullmatch(final.id):
            continue
        name = "translator.final.id-order"
        if highest is not None and _value(final.id) <= _value(highest):
            yield broken(name, at, f"an id greater than {highest}", final.id)
        else:
            yield kept(name, at)
            highest = final.id


def empty_finals(view: View) -> Findings:
    """translator.final.empty-translation: nothing said, nothing translated."""
    for final in view.finals:
        if final.message is not None and not final.recognition:
            name = "translator.final.empty-translation"
            if final.translation:
                yield broken(name, final.seen.last, "an empty translation", repr(final.translation[:60]))
            else:
                yield kept(name, final.seen.last)


def partials_unasked(view: View) -> Findings:
    """translator.partial.only-if-requested: without Partial there is none.

    That none came is shown by a final behind which the order is known: another final, a barrier, or the close.
    """
    if "partial" in view.features or not view.opened:
        return
    name = "translator.partial.only-if-requested"
    stray = [result for result in view.results if not result.final]
    for result in stray:
        yield broken(name, result.seen.last, "finals only: features has no Partial", "a partial")
    if not stray and view.finals and _something_ordered_after(view, view.finals[0].seen.last):
        yield kept(name, view.finals[0].seen.last)


def _something_ordered_after(view: View, index: int) -> bool:
    return any(
        isinstance(entry, Barrier) or (isinstance(entry, CloseFrame) and entry.sender is Party.SERVER)
        for entry in view.entries[index:]
    )


def utterances(view: View) -> tuple[tuple[Result, ...], ...]:
    """Return the results cut behind each final: the partials of an utterance, then its final."""
    groups: list[tuple[Result, ...]] = []
    group: list[Result] = []
    for result in view.results:
        group.append(result)
        if result.final:
            groups.append(tuple(group))
            group = []
    return (*groups, tuple(group)) if group else tuple(groups)


def partial_ids(view: View) -> Findings:
    """translator.partial.major-shared, before-final, minor-grows: partials belong to the final behind them."""
    if "partial" not in view.features:
        return
    finals: set[str] = set()
    for group in utterances(view):
        final = group[-1] if group[-1].final else None
        yield from _majors(group, final, finals)
        yield from _minors(group)
        if final is not None:
            finals.add(final.id)


def _majors(group: Iterable[Result], final: Result | None, finals: set[str]) -> Findings:
    for result in group:
        match = _MINOR.fullmatch(result.id)
        if result.final or match is None:
            continue
        at, major = result.seen.last, match[1]
        if major in finals:
            expected = f"no partial of utterance {major} behind its final"
            yield broken("translator.partial.before-final", at, expected, f'a partial "{result.id}"')
            continue
        yield kept("translator.partial.before-final", at)
        if final is None or not _MAJOR.fullmatch(final.id) or final.id in finals:
            continue  # a final with a bad or used id is reported as that
        name = "translator.partial.major-shared"
        if major == final.id:
            yield kept(name, at)
        else:
            yield broken(name, at, f"{final.id}.<number>, as the final of this utterance", result.id)


def _minors(group: Iterable[Result]) -> Findings:
    last: dict[str, str] = {}
    for result in group:
        match = _MINOR.fullmatch(result.id)
        if result.final or match is None:
            continue
        major, minor = match[1], match[2]
        name = "translator.partial.minor-grows"
        if major in last and _value(minor) <= _value(last[major]):
            yield broken(name, result.seen.last, f"{major}.<more than {last[major]}>", result.id)
        elif major in last:
            yield kept(name, result.seen.last)
        last[major] = minor


def _value(digits: str) -> tuple[int, str]:
    """Return what decimal numbers are sorted by, however long: Python reads no more than some thousand digits."""
    bare = digits.lstrip("0")
    return len(bare), bare


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        formats,
        "translator.result.text-json",
        "translator.result.one-object",
        "translator.result.type",
        "translator.final.fields",
        "translator.final.id-form",
        "translator.partial.fields",
        "translator.partial.id-form",
        "translator.timing.numbers",
        "translator.timing.present",
    ),
    rule(Party.SERVER, final_ids, "translator.final.id-unique", "translator.final.id-order"),
    rule(Party.SERVER, empty_finals, "translator.final.empty-translation"),
    rule(Party.SERVER, partials_unasked, "translator.partial.only-if-requested"),
    rule(
        Party.SERVER,
        partial_ids,
        "translator.partial.major-shared",
        "translator.partial.before-final",
        "translator.partial.minor-grows",
    ),
)
