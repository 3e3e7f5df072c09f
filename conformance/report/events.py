"""What a run tells its reporters. Every reporter is fed from these events, and none computes a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.judge.verdict import Check, ExitCode, Outcome


@dataclass(frozen=True, slots=True)
class Baselined:
    """What a file of known departures came to.

    Attributes:
        file: Its path.
        stale: Checks whose entry says more than there is, by what is there instead; each fails the run.
        old: Checks whose entry has been there for very long, by the day.
    """

    file: str
    stale: Mapping[str, str]
    old: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run.

    Attributes:
        speechwire: Version of this program.
        register: Revision of the register of requirements.
        peer: Who was judged, as JSON values without credentials: `url` for a server, `command` (text, or a list of
            arguments) for a client, `file` for recorded traffic, and whatever else the run found out.
        dialect: Dialect that was spoken.
        seed: Seed of everything that was drawn.
        outcome: The verdict on the run.
        exit_code: How the command ends.
        checks: In the order of the catalogue, those of the case `wire` last.
        coverage: What became of each requirement that binds the judged party: `tested`, `not-applicable`,
            `not-observed` or `excluded` from testing.
        total_s: Seconds from start to end.
        waiting_s: Seconds of it that were spent waiting for something that was due.
        strict: Whether non-strict departures end the run with 1.
        party: Who was judged: `server`, `client`, or `both`.
        elapsed: Seconds that each case took, by its id.
        baseline: What the file of known departures came to, if there is one.
        conversations: How many conversations were held that nobody wrote; None if that was not tried.
    """

    speechwire: str
    register: str
    peer: Mapping[str, object]
    dialect: str
    seed: int
    outcome: Outcome
    exit_code: ExitCode
    checks: tuple[Check, ...]
    coverage: Mapping[str, str]
    total_s: float
    waiting_s: float
    strict: bool = False
    party: str = "server"
    elapsed: Mapping[str, float] = field(default_factory=dict)
    baseline: Baselined | None = None
    conversations: int | None = None


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins, with `planned` cases; the rest as in `Report`."""

    version: str
    register: str
    peer: Mapping[str, object]
    dialect: str
    seed: int
    planned: int


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """A case has its verdicts, after `elapsed_s` seconds."""

    case: str
    checks: tuple[Check, ...]
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; nothing comes after this."""

    report: Report


Event = RunStarted | CaseFinished | RunFinished
