"""What a departure gives where documents, official SDKs and the live service disagree, as it was decided."""

from __future__ import annotations

import pytest

from conformance.judge.verdict import Verdict, departure
from protocol import requirements

VIOLATION, NON_STRICT, INFORMATIONAL = Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL

DECIDED = {
    "auth.key-query": VIOLATION,
    "auth.token-query": VIOLATION,
    "auth.header-beats-query": NON_STRICT,
    "auth.missing": VIOLATION,
    "auth.bad-key": VIOLATION,
    "auth.bad-token": VIOLATION,
    "client.request-id": NON_STRICT,
    "malformed.request-id-form": NON_STRICT,
    "turn.id-echo": VIOLATION,
    "client.connection-id": NON_STRICT,
    "handshake.connection-id-required": NON_STRICT,
    "handshake.connection-id-query": VIOLATION,
    "handshake.connection-id-case": VIOLATION,
    "audio.no-header": NON_STRICT,
    "malformed.isolated": VIOLATION,
    "client.telemetry": NON_STRICT,
    "client.telemetry-once": NON_STRICT,
    "client.telemetry-form": NON_STRICT,
    "telemetry.unanswered": VIOLATION,
    "telemetry.tolerated": VIOLATION,
    "client.chunk-size": NON_STRICT,
    "audio.chunk-size": VIOLATION,
    "client.stops-at-end-detected": NON_STRICT,
    "audio.after-end-detected": VIOLATION,
    "context.optional": VIOLATION,
    "result.bad-target": NON_STRICT,
    "result.targets-all": VIOLATION,
    "result.language-echo": NON_STRICT,
    "turn.start-first": VIOLATION,
    "turn.end-last": VIOLATION,
    "turn.one-shot-final": VIOLATION,
    "config.repeated": VIOLATION,
    "context.reused-id": NON_STRICT,
    "audio.late-id": VIOLATION,
    "malformed.header-size": NON_STRICT,
    "malformed.text-separator": NON_STRICT,
    "malformed.path": NON_STRICT,
    "synthesis.end-status": VIOLATION,
    "result.ticks": VIOLATION,
    "frame.text-crlf": VIOLATION,
    "frame.header-case": INFORMATIONAL,
    "audio.end-voided": VIOLATION,
    "turn.acknowledged": VIOLATION,
    "close.unacknowledged": VIOLATION,
    "close.behind-turn-end": VIOLATION,
    "close.idle-1000": VIOLATION,
    "status.end-of-dictation": VIOLATION,
    "result.empty-success": NON_STRICT,
    "synthesis.one-stream-at-a-time": NON_STRICT,
    "synthesis.start": NON_STRICT,
    "synthesis.stream-id": NON_STRICT,
    "endpoint.redirect-absolute": VIOLATION,
}

FORMS = ("auth.missing", "auth.bad-key", "audio.chunk-size", "context.optional")
"""Violations that have a lighter form: another status, a close in place of an abort, a missing context refused."""


@pytest.mark.parametrize("name", DECIDED)
def test_a_departure_is_as_grave_as_decided(name: str) -> None:
    assert departure(requirements.get(f"speech.{name}")) is DECIDED[name]


@pytest.mark.parametrize("name", FORMS)
def test_the_lighter_form_is_listed(name: str) -> None:
    row = requirements.get(f"speech.{name}")
    assert row.tolerated
    assert departure(row, tolerated=True) is NON_STRICT


def test_no_translation_message_is_documented() -> None:
    rows = [row for row in requirements.load().values() if row.id.startswith("speech.")]
    documented = [row for row in rows if row.basis is requirements.Basis.DOCUMENTED]
    assert documented
    assert [row.id for row in documented if "RFC 6455" not in row.source] == []


def test_no_departure_of_a_client_is_a_violation() -> None:
    rows = [row for row in requirements.load().values() if row.id.startswith("speech.client.")]
    assert {departure(row) for row in rows} == {NON_STRICT, INFORMATIONAL}
