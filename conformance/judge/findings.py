"""What a rule says about one place of a transcript, and how rules are put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from conformance.judge.verdict import Verdict
from conformance.transcript import Transcript, Vantage
from protocol.wire import Party

V = TypeVar("V")

ANYWHERE = frozenset(Vantage)
BESIDE_CLIENT = frozenset({Vantage.CLIENT})
BESIDE_SERVER = frozenset({Vantage.SERVER})


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement, kept or broken, at one entry of a transcript.

    Attributes:
        requirement: Id of the requirement.
        kept: Whether it was kept.
        at: Index of the entry of the transcript that shows it.
        expected: What would have been right; empty when kept.
        observed: What was there; empty when kept.
        verdict: The verdict of this departure where it is not the one that follows from level and basis.
    """

    requirement: str
    kept: bool
    at: int
    expected: str = ""
    observed: str = ""
    verdict: Verdict | None = None


@cache  # in a run that is green nearly all findings are these, and they are few that differ
def kept(requirement: str, at: int) -> Finding:
    """Say that a requirement was kept here."""
    return Finding(requirement, True, at)


def broken(requirement: str, at: int, expected: str, observed: str, verdict: Verdict | None = None) -> Finding:
    """Say that a requirement was broken here."""
    return Finding(requirement, False, at, expected, observed, verdict)


Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Rule(Generic[V]):
    """A check that holds for every message.

    Attributes:
        party: Who is judged.
        check: Gives the findings of a transcript.
        requirements: Ids of the requirements that its findings may name.
        vantages: The places from which it can be proved.
    """

    party: Party
    check: Callable[[V], Findings]
    requirements: tuple[str, ...]
    vantages: frozenset[Vantage] = ANYWHERE


@dataclass(frozen=True, slots=True)
class Bench(Generic[V]):
    """The rules of one dialect, and how it reads a transcript."""

    view: Callable[[Transcript], V]
    rules: Sequence[Rule[V]]

    def requirements(self, party: Party) -> frozenset[str]:
        """Return the ids of the requirements about a party that hold for every message and are judged here."""
        return frozenset(name for rule in self.rules if rule.party is party for name in rule.requirements)

    def judge(self, transcript: Transcript, party: Party) -> tuple[Finding, ...]:
        """Return what the rules about `party` say of a transcript, in the order of rules and entries.

        What this vantage cannot prove is not said at all.
        """
        view = self.view(transcript)
        return tuple(
            finding
            for rule in self.rules
            if rule.party is party and transcript.vantage in rule.vantages
            for finding in rule.check(view)
        )


def rule(
    party: Party, check: Callable[[V], Findings], *requirements: str, vantages: frozenset[Vantage] = ANYWHERE
) -> Rule[V]:
    """Return a rule; requirements are named in full."""
    return Rule(party, check, requirements, vantages)
