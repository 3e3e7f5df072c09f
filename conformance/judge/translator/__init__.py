"""The rules of `translator`: what can be said of any conversation, whoever wrote it."""

from __future__ import annotations

from functools import cache

from conformance.judge.findings import Bench
from conformance.judge.translator import client_audio, client_request, closing, handshake, http, results, timing, voice
from conformance.judge.translator.reading import View


@cache
def bench() -> Bench[View]:
    """Return all rules of the dialect."""
    rooms = (handshake, http, results, timing, voice, closing, client_request, client_audio)
    return Bench(View, tuple(rule for room in rooms for rule in room.RULES))
