"""Servers under test, described as the user of a healthy one would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance import corpus
from conformance.cases.target import Target
from conformance.peers.address import Address, Connect
from protocol.translator.handshake import SPEECH_PATH


def target_at(where: Address | Connect, **changes: Any) -> Target:
    """Return the target at an address, or at what connects in memory; `changes` are fields of it."""
    good = Target(
        address=where if isinstance(where, Address) else Address("server.test", 80, False, where),
        path=SPEECH_PATH,
        key="test-key",
        corpus=corpus.load(),
    )
    return replace(good, **changes)
