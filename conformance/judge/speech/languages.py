"""Which languages results are in (requirements speech.result.targets-*, language-echo, language.*)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.judge.findings import Finding, Findings, Rule, broken, kept, rule
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import PLAIN, Result
from conformance.judge.speech.turn import Turn
from conformance.judge.verdict import Verdict
from protocol.languages import PUBLISHED
from protocol.speech.languages import is_open
from protocol.speech.messages import V1
from protocol.wire import Party

_CONFIDENCES = ("Unknown", "Low", "Medium", "High")
_REGION = re.compile(r"-(?:[A-Za-z]{2}|[0-9]{3})\Z")


def short(tag: str) -> str:
    """Return a tag's language part: without its region, with its script."""
    return PUBLISHED.resolve_target(tag) or _REGION.sub("", tag)


def primary(tag: str) -> str:
    """Return the language of a tag, in lower case."""
    return tag.partition("-")[0].lower()


def related(one: str, other: str) -> bool:
    """Tell whether two tags name the same language, whatever region they add."""
    return primary(one) == primary(other)


def _answers(language: str, target: str) -> bool:
    """Tell whether a language may be meant as the answer to a target, by either name."""
    key = PUBLISHED.resolve_target(target)
    return related(language, target) or (key is not None and PUBLISHED.resolve_target(language) == key)


@dataclass(frozen=True, slots=True)
class _Match:
    """Which entry of a result answers which target: the entry's place, or None; and the entries of no target."""

    targets: tuple[str, ...]
    places: tuple[int | None, ...]
    extra: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(target for target, place in zip(self.targets, self.places, strict=True) if place is None)


def _match(targets: Sequence[str], given: Sequence[str], right: Sequence[str]) -> _Match:
    """Match the languages of a result to targets: first those that are named as they should be, then the others."""
    free = dict(enumerate(given))
    places: dict[int, int] = {}
    for exact in (True, False):
        for number, (target, wanted) in enumerate(zip(targets, right, strict=True)):
            fits = (at for at, tag in free.items() if tag == wanted or (not exact and _answers(tag, target)))
            place = next(fits, None) if number not in places else None
            if place is not None:
                places[number] = place
                del free[place]
    return _Match(tuple(targets), tuple(places.get(number) for number in range(len(right))), tuple(free.values()))


def targets(view: View) -> Findings:
    """Judge the languages of each translation against what was asked for.

    An event may change the targets in the middle of a turn, and nothing says from where on; so either will do.
    """
    for turn in view.turns:
        if not turn.wanted.translated or turn.provoked:
            continue
        for result in turn.results:
            good = result.speaks or (not result.final and bool(result.text))
            if result.shape == PLAIN or not good or not _succeeded(result):
                continue
            asked = [turn.wanted.targets, *(update.targets for at, update in turn.updates if at < result.at)]
            judged = [_judge(view.dialect, turn, result, wanted) for wanted in asked if wanted]
            yield from min(judged, key=lambda found: sum(not finding.kept for finding in found), default=())


def _succeeded(result: Result) -> bool:
    """Tell whether every target has to be there: one that failed may be left out, and then a reason is given."""
    return result.translation.get("TranslationStatus", "Success") == "Success" and not result.translation.get(
        "FailureReason"
    )


def _fails(turn: Turn, target: str) -> bool:
    """Tell whether a final of the turn says that it lacks translations, and has none for this target."""
    failed = (result for result in turn.results if result.final and not _succeeded(result))
    return any(not any(_answers(entry.language, target) for entry in result.entries) for result in failed)


def _judge(dialect: str, turn: Turn, result: Result, wanted: Sequence[str]) -> list[Finding]:
    given = [entry.language for entry in result.entries]
    right = [short(target) for target in wanted] if dialect == V1 else list(wanted)
    match = _match(wanted, given, right)
    found = [*_missing(turn, result, match), *_echo(result, match, given, right)]
    places = [place for place in match.places if place is not None]
    if len(places) > 1:
        name = "speech.result.targets-order"
        good = places == sorted(places)
        found.append(kept(name, result.at) if good else broken(name, result.at, ", ".join(right), ", ".join(given)))
    return found


def _missing(turn: Turn, result: Result, match: _Match) -> Findings:
    name, whole = "speech.result.targets-all", True
    for language in match.extra:
        whole = False
        yield broken(name, result.at, f"no language but {', '.join(match.targets)}", language or "no language")
    for target in match.targets:
        own = _requirement(turn, target, match.targets)
        if target not in match.missing:
            if own != name:
                yield kept(own, result.at)
            continue
        whole = whole and own != name
        unknown = PUBLISHED.resolve_target(target) is None
        if not result.final and (unknown or _fails(turn, target)):
            continue  # interims carry Success alone, so they leave out what fails
        # An interim may run ahead of one of its translations, and nobody breaks for a language that nobody speaks.
        mild = unknown or not result.final
        yield broken(own, result.at, f"a translation into {target}", "none", Verdict.NON_STRICT if mild else None)
    if whole:
        yield kept(name, result.at)


def _requirement(turn: Turn, target: str, wanted: Sequence[str]) -> str:
    """Return what is broken when this target is missing."""
    if turn.wanted.source is not None and related(turn.wanted.source, target):
        return "speech.result.same-language"
    if sum(related(other, target) for other in wanted) > 1:
        return "speech.result.both-tags"
    return "speech.result.targets-all"


def _echo(result: Result, match: _Match, given: Sequence[str], right: Sequence[str]) -> Findings:
    name = "speech.result.language-echo"
    pairs = [(given[place], expected) for place, expected in zip(match.places, right, strict=True) if place is not None]
    odd = next(((language, expected) for language, expected in pairs if language != expected), None)
    if odd is not None:
        yield broken(name, result.at, odd[1], odd[0])
    elif pairs:
        yield kept(name, result.at)


def identification(view: View) -> Findings:
    """speech.language.primary, confidence, open-range, candidates: results say what was spoken, if that was asked."""
    for turn in view.turns:
        candidates = turn.wanted.candidates
        if not candidates or turn.provoked:
            continue
        for result in turn.results:
            if not (result.speaks or (not result.final and result.text)):
                continue
            at, language = result.at, result.primary.get("Language")
            name = "speech.language.primary"
            if not isinstance(language, str) or not language:
                yield broken(name, at, "PrimaryLanguage with a Language", "none")
                continue
            yield kept(name, at)
            if result.final:
                name, confidence = "speech.language.confidence", result.primary.get("Confidence")
                good = confidence in _CONFIDENCES
                yield kept(name, at) if good else broken(name, at, " or ".join(_CONFIDENCES), repr(confidence))
            yield _detected(candidates, language, at)


def _detected(candidates: Sequence[str], language: str, at: int) -> Finding:
    if is_open(candidates):
        name = "speech.language.open-range"
        return broken(name, at, "a language without a region", language) if "-" in language else kept(name, at)
    name = "speech.language.candidates"
    return kept(name, at) if language in candidates else broken(name, at, " or ".join(candidates), language)


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        targets,
        "speech.result.targets-all",
        "speech.result.targets-order",
        "speech.result.language-echo",
        "speech.result.same-language",
        "speech.result.both-tags",
    ),
    rule(
        Party.SERVER,
        identification,
        "speech.language.primary",
        "speech.language.confidence",
        "speech.language.open-range",
        "speech.language.candidates",
    ),
)
