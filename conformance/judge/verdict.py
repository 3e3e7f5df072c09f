"""The verdict lattice, and what the verdicts of a run mean for its exit code.

How grave a departure is follows from its requirement alone: whether official texts or named peers stand behind it,
and how strictly it binds. Nobody fails on what this project made up, and nobody fails on advice unless they ask for
`strict`.

    MUST    documented, or with a named peer that breaks      violation
    MUST    else; any SHOULD; any form listed as tolerated    non-strict
    MAY     and everything of basis project                   informational
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Literal

from protocol.requirements import Basis, Level, Requirement


class Verdict(Enum):
    """What was seen of one requirement in one case."""

    OK = "ok"
    INFORMATIONAL = "informational"
    NON_STRICT = "non-strict"
    FLAKY = "flaky"
    VIOLATION = "violation"
    COULD_NOT_RUN = "could-not-run"
    NOT_APPLICABLE = "not-applicable"


SEVERITY = (
    Verdict.VIOLATION,
    Verdict.COULD_NOT_RUN,
    Verdict.NON_STRICT,
    Verdict.INFORMATIONAL,
    Verdict.OK,
    Verdict.NOT_APPLICABLE,
)
"""Every verdict but flaky, gravest first; a flaky check counts as its `worst`."""


class ExitCode(IntEnum):
    """How the command ends."""

    CONFORMING = 0
    VIOLATIONS = 1
    USAGE = 2
    COULD_NOT_RUN = 3


Outcome = Literal["conforming", "violations", "could-not-run"]

_PRECEDENCE = (ExitCode.USAGE, ExitCode.VIOLATIONS, ExitCode.COULD_NOT_RUN, ExitCode.CONFORMING)
_OUTCOMES: dict[ExitCode, Outcome] = {
    ExitCode.CONFORMING: "conforming",
    ExitCode.VIOLATIONS: "violations",
    ExitCode.COULD_NOT_RUN: "could-not-run",
}


@dataclass(frozen=True, slots=True)
class FailureCard:
    """What happened around a failure.

    Attributes:
        connection: Number of the connection within its case.
        lines: The timeline, one line an event, as a person reads it. It may quote the peer.
    """

    connection: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement in one case.

    Attributes:
        case: Id of the case, or `wire` for what holds for every message of the run.
        requirement: Id of the requirement.
        verdict: What was seen.
        expected: What would have been right; empty where nothing was wrong.
        observed: What was there, or the reason where nothing could be seen. It may quote the peer.
        count: How often it was seen; for a flaky check the number of runs.
        failed: Flaky only: in how many of these runs it failed.
        repeats: Of a failure that was not flaky: in how many further runs of the case it was looked for, and came.
        worst: Flaky only, and always there: the gravest verdict of these runs.
        card: The timeline around the failure.
        bundle: Path of the recorded conversation.
        known: Why this departure is no news, from the baseline; it does not count then.

    Raises:
        ValueError: `worst` and the verdict flaky do not go together, or `failed` is out of bounds.
    """

    case: str
    requirement: str
    verdict: Verdict
    expected: str
    observed: str
    count: int = 1
    failed: int = 0
    repeats: int = 0
    worst: Verdict | None = None
    card: FailureCard | None = None
    bundle: str | None = None
    known: str | None = None

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.FLAKY) != (self.worst is not None) or self.worst is Verdict.FLAKY:
            raise ValueError(f"{self.id}: flaky and a worst verdict go together")
        if not 0 <= self.failed <= self.count:
            raise ValueError(f"{self.id}: failed {self.failed} of {self.count}")

    @property
    def id(self) -> str:
        """The stable name `case/requirement`, the same whatever the verdict."""
        return f"{self.case}/{self.requirement}"

    @property
    def effective(self) -> Verdict:
        """The verdict that counts: a flaky check is as grave as the worst of its runs."""
        return self.worst or self.verdict

    @property
    def rate(self) -> tuple[int, int]:
        """In how many runs of the case it departed, and in how many it was looked for; only of a departure."""
        return (self.failed, self.count) if self.verdict is Verdict.FLAKY else (self.repeats + 1, self.repeats + 1)

    def exit_code(self, *, strict: bool) -> ExitCode:
        """Return what this check alone would end the run with."""
        if self.known is not None:
            return ExitCode.CONFORMING
        match self.effective:
            case Verdict.VIOLATION:
                return ExitCode.VIOLATIONS
            case Verdict.NON_STRICT if strict:
                return ExitCode.VIOLATIONS
            case Verdict.COULD_NOT_RUN:
                return ExitCode.COULD_NOT_RUN
            case _:
                return ExitCode.CONFORMING


def departure(requirement: Requirement, *, tolerated: bool = False) -> Verdict:
    """Return how grave a departure from `requirement` is; `tolerated` for a form that it lists as such."""
    if requirement.basis is Basis.PROJECT or requirement.level is Level.MAY:
        return Verdict.INFORMATIONAL
    if requirement.level is Level.SHOULD or tolerated:
        return Verdict.NON_STRICT
    if requirement.basis is Basis.DOCUMENTED or requirement.breaks is not None:
        return Verdict.VIOLATION
    return Verdict.NON_STRICT


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest of some verdicts, none of them flaky; not-applicable if there are none."""
    return min(verdicts, key=SEVERITY.index, default=Verdict.NOT_APPLICABLE)


def precedence(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the one exit code that several come to: 2 before 1 before 3 before 0; 0 for none."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.CONFORMING)


def exit_code(checks: Iterable[Check], *, strict: bool, executed: int) -> ExitCode:
    """Return the exit code of a run. `executed` counts the cases that ran: a run of none could not run."""
    nothing = [ExitCode.COULD_NOT_RUN] if executed == 0 else []
    return precedence([*nothing, *(check.exit_code(strict=strict) for check in checks)])


def outcome(checks: Iterable[Check], *, strict: bool, executed: int) -> Outcome:
    """Return the outcome of a run in the words of the report; arguments as for `exit_code`."""
    return _OUTCOMES[exit_code(checks, strict=strict, executed=executed)]
