"""Judging all transcripts of a run together: what holds for every message is reported once."""

from __future__ import annotations

from collections.abc import Sequence

from conformance import timeline
from conformance.judge.benches import judge
from conformance.judge.findings import Finding
from conformance.judge.verdict import Check, FailureCard, Verdict, departure, gravest
from conformance.transcript import Transcript
from protocol import requirements
from protocol.wire import Party

WIRE = "wire"


def judge_all(transcripts: Sequence[Transcript], party: Party) -> list[Check]:
    """Return one check for each requirement that the transcripts show, in the order of the register.

    A requirement that was broken anywhere has the worst of those verdicts, the number of times that it was broken,
    and as its example the shortest transcript that shows it. One that was kept everywhere counts how often.
    """
    broken: dict[str, list[tuple[Verdict, Finding, Transcript]]] = {}
    kept: dict[str, int] = {}
    for transcript in transcripts:
        for finding in judge(transcript, party):
            if finding.kept:
                kept[finding.requirement] = kept.get(finding.requirement, 0) + 1
            else:
                verdict = finding.verdict or departure(requirements.get(finding.requirement))
                broken.setdefault(finding.requirement, []).append((verdict, finding, transcript))
    checks: list[Check] = []
    for name in requirements.load(transcripts[0].dialect) if transcripts else ():
        if name in broken:
            checks.append(_broken(name, broken[name]))
        elif name in kept:
            checks.append(Check(WIRE, name, Verdict.OK, "", "", count=kept[name]))
    return checks


def _broken(name: str, found: Sequence[tuple[Verdict, Finding, Transcript]]) -> Check:
    worst = gravest(verdict for verdict, _, _ in found)
    same = [(finding, transcript) for verdict, finding, transcript in found if verdict is worst]
    finding, transcript = min(same, key=lambda pair: len(pair[1].entries))
    card = FailureCard(connection=transcript.connection, lines=timeline.lines(transcript))
    return Check(WIRE, name, worst, finding.expected, finding.observed, count=len(found), card=card)
