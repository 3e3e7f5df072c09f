"""The property tier as a part of a check: its verdicts, and the bundles of what failed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from conformance import timeline
from conformance.cases.registry import CONVERSATIONS
from conformance.cases.target import Target
from conformance.feeds.conversations import Example, Explored, Limits, Players, explore
from conformance.feeds.searching import Strategy
from conformance.judge.verdict import Check, FailureCard, Verdict
from conformance.peers.budget import Budget
from conformance.programs import bundle, dissect, script
from conformance.programs.sending import Speaker
from conformance.programs.sounds import Sounds
from conformance.programs.speech import SpeechSpeaker
from conformance.programs.translator import TranslatorSpeaker
from conformance.runner import Slots
from conformance.strategies.drawing import Able
from protocol import requirements

_SPEAKERS: Final[Mapping[str, Callable[[Target, Sounds], Speaker]]] = {
    "speech": SpeechSpeaker,
    "translator": TranslatorSpeaker,
}
_COUNTS: Final = frozenset({Verdict.VIOLATION, Verdict.NON_STRICT})


def players(target: Target, dialect: str, budget: Budget, seed: int, connections: int) -> Players:
    """Return who holds conversations with a server."""
    speaker = _SPEAKERS[requirements.folder(dialect)](target, Sounds(target.corpus))
    return Players(dialect, target, budget, speaker, seed, Slots(connections))


def strategy(target: Target, dialect: str) -> Strategy:
    """Return a strategy for conversations of what a server is taken to offer."""
    silent = "recognition" in target.without
    able = Able(
        utterances=0 if silent else len(Sounds(target.corpus).texts),
        voice="tts" not in target.without,
        without=target.without,
    )
    room: Any = importlib.import_module(f"conformance.strategies.{requirements.folder(dialect)}")
    return cast("Strategy", room.conversations(dialect, able))


async def hold(
    target: Target,
    dialect: str,
    budget: Budget,
    limits: Limits,
    *,
    seed: int,
    connections: int,
    bundles: Path | None,
) -> tuple[Explored, tuple[Check, ...]]:
    """Hold conversations with a server; return what came of them, and a check for each requirement.

    Bundles of what failed, and their scripts, are written into the folder `bundles`, if there is one. Where that does
    not go, the check says so, and is made all the same.
    """
    held = await explore(
        players(target, dialect, budget, seed, connections), strategy(target, dialect), limits, connections
    )
    return held, tuple(_checks(held, target, dialect, seed, bundles))


def _checks(held: Explored, target: Target, dialect: str, seed: int, bundles: Path | None) -> Iterator[Check]:
    failing = {example.departure.requirement: example for example in held.examples}
    for name in requirements.load(dialect):
        if name in failing:
            file: Path | None = None
            trouble: tuple[str, ...] = ()
            try:
                file = None if bundles is None else _written(failing[name], target, seed, bundles)
            except OSError as error:
                trouble = (f"no bundle in {bundles}: {error.strerror or error}",)
            yield _failed(failing[name], file, trouble)
        elif name in held.tested:
            yield Check(CONVERSATIONS, name, Verdict.OK, "", "", count=held.tested[name])


def _failed(example: Example, file: Path | None, trouble: tuple[str, ...]) -> Check:
    departure, played = example.departure, example.played
    card = FailureCard(
        connection=departure.talk,
        lines=(
            *trouble,
            *dissect.lines(played, departure.talk),
            *(line for transcript in played.transcripts for line in timeline.lines(transcript)),
        ),
    )
    path = None if file is None else str(file)
    # What is of no consequence each time is of none when it comes now and then.
    flaky = example.failed < example.runs and departure.verdict in _COUNTS
    return Check(
        CONVERSATIONS,
        departure.requirement,
        Verdict.FLAKY if flaky else departure.verdict,
        departure.expected,
        departure.observed,
        count=example.runs if flaky else example.count,
        failed=example.failed if flaky else 0,
        repeats=0 if flaky else example.runs - 1,
        worst=departure.verdict if flaky else None,
        card=card,
        bundle=path,
    )


def _written(example: Example, target: Target, seed: int, folder: Path) -> Path:
    """Write the bundle of an example and its script, and return the path of the bundle."""
    secrets = tuple(secret for secret in (target.key, target.token) if secret)
    made = bundle.make(example.departure, example.played, seed, secrets)
    name = example.departure.requirement
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{made.played.program.dialect}-{name}.json"
    path.write_text(bundle.dumped(made), encoding="utf-8")
    path.with_suffix(".py").write_text(script.written(made, requirements.get(name).statement), encoding="utf-8")
    return path
