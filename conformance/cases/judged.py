"""Which cases judge which requirement: those that name it, and the case `wire` where every message is judged by it."""

from __future__ import annotations

from conformance.cases import registry
from conformance.judge.benches import BENCHES
from conformance.judge.wire import WIRE
from protocol.wire import Party


def judged_by(dialect: str | None = None) -> dict[str, list[str]]:
    """Return the ids of the cases of each requirement that has any; of one dialect, or of all."""
    tested: dict[str, dict[str, None]] = {}
    for name in [dialect] if dialect else list(BENCHES):
        for party in Party:
            for case in registry.load(name, party):
                for row in case.requirements:
                    tested.setdefault(row, {})[case.id] = None
            for row in sorted(BENCHES[name]().requirements(party)):
                tested.setdefault(row, {})[WIRE] = None
    return {row: list(by) for row, by in tested.items()}
