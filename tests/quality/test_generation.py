"""Conversations that nobody wrote find what no case finds, in whatever they are drawn, and shrink it to what it is.

Of each fault that needs generation the shortest conversation that shows it is written here as the words of its steps.
What is found may be two steps longer. `make quality` does it with twenty seeds.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

import pytest

from conformance.faults import registry
from conformance.faults.memory import converse_in_memory
from conformance.feeds.conversations import Limits
from conformance.judge.benches import BENCHES
from protocol import requirements

SEEDS = int(os.environ.get("SPEECHWIRE_SEEDS", "3"))
TOLERANCE = 2
SPOKEN = "audio audio await"  # an utterance, the silence behind it, its final
TURN = "context header end await"

SHORTEST: Mapping[str, str] = {
    "translator.audio.odd-bytes/large": "header audio ping",
    "translator.audio.chunk-any-size/odd-samples": "header audio ping",
    "translator.audio.fragmented/two-in-a-row": "header audio audio ping",
    "translator.audio.fragmented/empty-in-small": "header audio ping",
    "translator.audio.header-split/four-messages": "header ping",
    "translator.audio.header-with-audio/half-a-sample": "header ping",
    "translator.audio.extra-chunks/three": "header ping",
    "translator.audio.true-sizes/short": "header ping",
    "translator.audio.empty-message/at-first": "header audio ping",
    "translator.audio.ping/before-sound": "header ping",
    "translator.handshake.parameter-order/version-last": "header",
    "translator.handshake.feature-case/camel": "header",
    "translator.final.always/third": f"header {SPOKEN} {SPOKEN} {SPOKEN}",
    "translator.session.isolation/one-memory": f"header header {SPOKEN} {SPOKEN}",
    "translator.audio.text-message/behind-a-short-one": "header audio audio",
    "speech.read.fragmented-message/report": "config telemetry context header end await",
    "speech.read.fragmented-message/empty-end": f"config {TURN}",
    "speech.turn.several/ninth": f"config {' '.join([TURN] * 9)}",
    "speech.read.header-order/time-before-path": f"config {TURN}",
    "speech.read.header-case/camel": f"config {TURN}",
    "speech.read.unknown-header/long": f"config {TURN}",
    "speech.read.stream-id/two-digits": f"config {TURN}",
    "speech.audio.header-split/behind-riff": f"config {TURN}",
    "speech.audio.header-with-samples/a-quarter-second": f"config {TURN}",
    "speech.audio.chunk-size/odd-samples": "config context header audio end await",
    "speech.turn.new-id-abandons/twice": f"config context context {TURN}",
    "speech.context.keys-case/mixed": f"config {TURN}",
    "speech.context.mode-case/mixed": f"config {TURN}",
    "speech.context.open/empty": f"config {TURN}",
    "speech.config.open/array": f"config {TURN}",
    "speech.telemetry.tolerated/too-early": "config telemetry context header end await",
    "speech.event.finished-id/of-the-last-but-one": f"config {TURN} {TURN} context event header end await",
    "speech.unknown.binary-path/empty": "config context header other end await",
    "speech.read.ping/before-audio": "config context ping",
    "speech.turn.end-last/late-end": "config context header pause end await",
    "speech.turn.isolation/one-memory": f"config config {TURN} {TURN} audio await audio await",
    "speech.malformed.header-size/far-beyond": f"config {TURN}",
    "speech.malformed.header-line/the-last": "config telemetry",
    "speech.malformed.context-json/null": "config",
}
NEEDY = {fault.id: fault for fault in registry.everything().values() if fault.needs == "generation"}


def dialect_of(fault: str, seed: int) -> str:
    """Return a dialect in which a fault can be; one seed after the other in one after the other of them."""
    rows = [name for name in BENCHES if NEEDY[fault].requirement in requirements.load(name)]
    return rows[seed % len(rows)]


def test_there_are_many() -> None:
    assert len(NEEDY) >= 25
    assert NEEDY.keys() == SHORTEST.keys()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("fault", SHORTEST)
def test_each_is_found_and_shrinks_to_what_it_is(fault: str, seed: int) -> None:
    broken = NEEDY[fault]
    limits = Limits(2_000, seconds=math.inf, shrinking=math.inf, until=broken.requirement)
    explored = converse_in_memory(dialect_of(fault, seed), limits, broken, seed)
    found = {example.departure.requirement: example for example in explored.examples}
    assert broken.requirement in found, f"not in {explored.held} conversations, which found {sorted(found)}"
    example = found[broken.requirement]
    words = [step.does for step in example.played.program.steps]
    assert len(words) <= len(SHORTEST[fault].split()) + TOLERANCE, " ".join(words)
    assert example.failed == example.runs
    assert explored.held <= limits.conversations
