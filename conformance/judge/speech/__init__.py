"""The rules of the speech dialects: what can be said of any conversation, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from conformance.judge.findings import Bench, Finding, Rule
from conformance.judge.speech import (
    client_audio,
    client_frames,
    client_request,
    client_telemetry,
    client_turns,
    closing,
    detected,
    framing,
    handshake,
    languages,
    modes,
    outcomes,
    results,
    synthesis,
    timing,
    turns,
    voices,
)
from conformance.judge.speech.reading import View
from protocol import requirements

SERVER_ROOMS = (
    handshake,
    framing,
    turns,
    modes,
    detected,
    results,
    outcomes,
    languages,
    timing,
    synthesis,
    voices,
    closing,
)
CLIENT_ROOMS = (client_request, client_frames, client_turns, client_audio, client_telemetry)


@cache
def bench() -> Bench[View]:
    """Return all rules of the folder; each speaks of the requirements that hold in the transcript's dialect alone."""
    rooms = (*SERVER_ROOMS, *CLIENT_ROOMS)
    return Bench(View, tuple(_in_dialect(rule) for room in rooms for rule in room.RULES))


def _in_dialect(rule: Rule[View]) -> Rule[View]:
    def check(view: View) -> Iterator[Finding]:
        return (finding for finding in rule.check(view) if _holds(finding.requirement, view.dialect))

    return replace(rule, check=check)


@cache
def _holds(requirement: str, dialect: str) -> bool:
    return dialect in requirements.get(requirement).dialects
