"""The dialects that the judge knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conformance.judge import speech, translator
from conformance.judge.findings import Bench, Finding
from conformance.transcript import Transcript
from protocol.wire import Party

BENCHES: Mapping[str, Callable[[], Bench[Any]]] = {
    "translator": translator.bench,
    "speech-v1": speech.bench,
    "speech-v2": speech.bench,
}


def judge(transcript: Transcript, party: Party) -> tuple[Finding, ...]:
    """Return the findings about `party` in a transcript: always the same for the same transcript."""
    return BENCHES[transcript.dialect]().judge(transcript, party)
