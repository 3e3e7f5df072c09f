"""What the work on the audio costs beside real time: endpointing alone, and the pipeline with its engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conformance import corpus
from protocol.events import Audio, AudioEnded, Drained, FromPipeline, Hypothesis, Phrase, Speak, Speech, Task
from protocol.languages import PUBLISHED
from reference_server.endpointing import Ended, Endpointer, Endpointing
from reference_server.engines.scripted import ScriptedEngine
from reference_server.pipeline import Pipeline
from reference_server.policy import Limits

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter

pytestmark = pytest.mark.slow

ROUNDS = 11
REPEATS = 16
RECORDING = corpus.load()["clear-2"]
FORMAT = RECORDING.format
PCM = (RECORDING.pcm + bytes(FORMAT.bytes_per_second)) * REPEATS
CHUNK = FORMAT.ms_to_bytes(100)
CHUNKS = [PCM[at : at + CHUNK] for at in range(0, len(PCM), CHUNK)]
SECONDS = len(PCM) / FORMAT.bytes_per_second
VOICE = PUBLISHED.voices_for("pt")[0]


def energy() -> float:
    """Return the µs of CPU that the energy of each frame alone takes: what no endpointing can do without."""
    total = 0.0
    begun = time.process_time()
    for chunk in CHUNKS:
        samples = np.frombuffer(chunk, "<i2").astype(np.float32)
        frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
        total += float(np.einsum("ij,ij->i", frames, frames).sum())
    took = time.process_time() - begun
    assert total > 0
    return took / SECONDS * 1e6


def endpointing() -> float:
    """Return the µs of CPU of the endpointer for each second of audio."""
    endpointer = Endpointer(FORMAT, Endpointing())
    begun = time.process_time()
    found = [event for chunk in CHUNKS for event in endpointer.feed(chunk)]
    took = time.process_time() - begun
    assert sum(isinstance(event, Ended) for event in found) == REPEATS
    return took / SECONDS * 1e6


def pipeline(task: Task, *, voiced: bool) -> Callable[[], float]:
    """Return a side: the µs of CPU of a pipeline for each second of audio, fed as the connection feeds it."""

    async def through() -> tuple[float, list[FromPipeline]]:
        engine = ScriptedEngine()
        await engine.start()
        found: list[FromPipeline] = []
        drained = asyncio.Event()

        async def deliver(result: FromPipeline) -> None:
            found.append(result)
            if isinstance(result, Phrase) and voiced:
                work.put(Speak(result.translations[0], VOICE.id))
            if isinstance(result, Drained):
                drained.set()

        work = Pipeline(engine, FORMAT, task, Limits(), deliver)
        begun = time.process_time()
        work.start()
        for chunk in CHUNKS:
            work.put(Audio(chunk))
            await work.room()
            await asyncio.sleep(0)
        work.put(AudioEnded(flush=True))
        await drained.wait()
        took = time.process_time() - begun
        await work.stop()
        return took, found

    def side() -> float:
        took, found = asyncio.run(through())
        counts = {kind: sum(isinstance(event, kind) for event in found) for kind in (Phrase, Hypothesis, Speech)}
        assert counts[Phrase] == REPEATS
        assert (counts[Hypothesis] > 0) == (task.growth_ms is not None)
        assert counts[Speech] == (REPEATS if voiced else 0)
        return took / SECONDS * 1e6

    return side


def test_second_of_audio(meter: Meter) -> None:
    meter.compare(
        "CPU for one second of audio; a million µs would be real time",
        "µs of CPU (min / median / max)",
        {
            "energy of each frame of 20 ms, numpy alone": energy,
            "Endpointer": endpointing,
            "pipeline, finals": pipeline(Task("en-US", ("pt",), growth_ms=None), voiced=False),
            "pipeline, finals, partials, voice": pipeline(Task("en-US", ("pt",)), voiced=True),
        },
        ROUNDS,
    )
