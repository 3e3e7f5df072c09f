"""From audio to results: order, bounds, and what happens when an engine does not do its part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import schemas
from conformance.peers import virtual
from protocol.audio import PcmFormat
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Silence,
    Span,
    Speech,
)
from protocol.languages import PUBLISHED, Voice
from protocol.riff import parse_file
from reference_server.endpointing import Endpointing
from reference_server.engines.base import EngineFailure, EngineSession, Job, Text, Utterance
from reference_server.pipeline import Pipeline, Plan, Spoken
from reference_server.policy import Limits
from reference_server.voice import wav

SHAPE = PcmFormat(16_000)
PAIR = parse_file((schemas.corpus_dir() / "pair.wav").read_bytes())[1]
SPANS = [Span(6400, 40_320), Span(97_920, 52_480)]
MARIA = PUBLISHED.voices["pt-BR-Maria"]
QUIET = bytes(40_000)


class Fake:
    """An engine with one session, which is itself; `faults` are raised, and `waits` slept, by name of the question."""

    name = "fake"
    catalogue = PUBLISHED

    def __init__(self, **settings: Any) -> None:
        self.faults: dict[str, Exception] = settings.get("faults", {})
        self.waits: dict[str, float] = settings.get("waits", {})
        self.asked: list[tuple[str, Utterance | str]] = []
        self.closed = 0

    async def start(self) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    def open(self, job: Job) -> EngineSession:
        assert job == Job("en-US", ("pt",))
        return self

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        await self._answer("hypothesis", utterance)
        return Text("so far", ("até agora",)) if utterance.span.size > 20_000 else None

    async def phrase(self, utterance: Utterance) -> Text:
        await self._answer("phrase", utterance)
        return Text("said", ("dito",), frozenset({"said"}))

    async def speak(self, text: str, voice: Voice) -> bytes:
        await self._answer("speak", f"{voice.id}: {text}")
        return bytes(64)

    async def close(self) -> None:
        self.closed += 1
        await self._answer("close", "")

    async def _answer(self, question: str, about: Utterance | str) -> None:
        self.asked.append((question, about))
        await asyncio.sleep(self.waits.get(question, 0))
        if question in self.faults:
            raise self.faults[question]

    def utterances(self, question: str) -> list[Utterance]:
        return [about for asked, about in self.asked if asked == question and isinstance(about, Utterance)]


class Rig:
    """A pipeline, its engine, and what it has found."""

    def __init__(self, engine: Fake, limits: Limits, growth_ms: int | None, voices: int) -> None:
        def spoken(text: Text) -> tuple[Spoken, ...]:
            return tuple(Spoken(text.translations[0], MARIA, wav) for _ in range(voices))

        plan = Plan(Job("en-US", ("pt",)), Endpointing(growth_ms=growth_ms), spoken)
        self.engine = engine
        self.found: list[FromPipeline] = []
        self.drops = False
        self.pipeline = Pipeline(engine, plan, limits, self.deliver)

    async def deliver(self, result: FromPipeline) -> None:
        self.found.append(result)
        if self.drops and isinstance(result, Phrase):
            self.pipeline.put(AudioEnded(flush=False))

    def begin(self, *audio: bytes) -> None:
        """Start, and put audio."""
        self.pipeline.start()
        self.pipeline.put(AudioStarted(SHAPE))
        for data in audio:
            self.pipeline.put(Audio(data))

    def of(self, kind: type[Any]) -> list[Any]:
        return [result for result in self.found if isinstance(result, kind)]


def play(
    scene: Callable[[Rig], Awaitable[None]],
    *,
    limits: Limits | None = None,
    growth_ms: int | None = None,
    voices: int = 0,
    **engine: Any,
) -> Rig:
    """Run a scene in virtual time and stop its pipeline."""

    async def whole() -> Rig:
        rig = Rig(Fake(**engine), limits or Limits(), growth_ms, voices)
        try:
            await scene(rig)
        finally:
            await rig.pipeline.stop()
        assert rig.engine.closed == 1
        return rig

    return virtual.run(whole())


async def heard(rig: Rig) -> None:
    rig.begin(PAIR + QUIET)
    await asyncio.sleep(1)


class TestFindings:
    def test_come_in_order(self) -> None:
        rig = play(heard, growth_ms=300, voices=1)
        kinds = [type(result).__name__ for result in rig.found if not isinstance(result, Silence)]
        assert kinds == ["Hypothesis"] * 2 + ["Phrase", "Speech"] + ["Hypothesis"] * 3 + ["Phrase", "Speech"]

    def test_have_their_place_in_the_stream(self) -> None:
        rig = play(heard)
        assert [phrase.span for phrase in rig.of(Phrase)] == SPANS
        assert rig.of(Phrase)[0] == Phrase(0.0, SPANS[0], "said", ("dito",), frozenset({"said"}))

    def test_nobody_is_asked_for_hypotheses_that_nobody_wants(self) -> None:
        assert not play(heard).engine.utterances("hypothesis")

    def test_nothing_new_is_not_told(self) -> None:
        rig = play(heard, growth_ms=300)
        assert len(rig.engine.utterances("hypothesis")) > len(rig.of(Hypothesis)) > 0

    def test_silence_is_told(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(bytes(48_000))
            await asyncio.sleep(1)

        assert play(scene).found == [Silence(0.0, 16_000), Silence(0.0, 32_000), Silence(0.0, 48_000)]

    @pytest.mark.parametrize("size", [2, 640, 998, 32_000])
    def test_the_engine_hears_exactly_the_utterance(self, size: int) -> None:
        async def scene(rig: Rig) -> None:
            data = PAIR + QUIET
            rig.begin(*(data[at : at + size] for at in range(0, len(data), size)))
            await asyncio.sleep(1)

        rig = play(scene, growth_ms=300)
        for question, spans in (("phrase", SPANS), ("hypothesis", [])):
            utterances = rig.engine.utterances(question)
            assert [one.span for one in utterances] == spans or question == "hypothesis"
            for one in utterances:
                assert one.pcm == PAIR[one.span.start : one.span.end]
                assert one.format == SHAPE
        assert [one.index for one in rig.engine.utterances("phrase")] == [0, 1]


class TestVoice:
    def test_is_a_whole_file(self) -> None:
        rig = play(heard, voices=1)
        assert parse_file(rig.of(Speech)[0].file)[1] == bytes(64)
        assert ("speak", "pt-BR-Maria: dito") in rig.engine.asked

    def test_may_be_several(self) -> None:
        rig = play(heard, voices=3)
        assert len(rig.of(Speech)) == 6

    def test_comes_before_the_next_phrase(self) -> None:
        rig = play(heard, voices=2, waits={"speak": 0.1})
        kinds = [type(result) for result in rig.found if isinstance(result, Phrase | Speech)]
        assert kinds == [Phrase, Speech, Speech] * 2


class TestEnd:
    def test_a_flush_finishes_the_open_utterance(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR[:32_000])
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        rig = play(scene)
        assert [type(result) for result in rig.found] == [Phrase, Drained]

    def test_a_flush_without_an_utterance_is_drained(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(QUIET[:3200])
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        assert play(scene).found == [Drained(0.0)]

    def test_a_flush_before_any_audio_is_drained(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.pipeline.start()
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        assert play(scene).found == [Drained(0.0)]

    def test_a_drop_ends_the_engine_at_once(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR + QUIET)
            await asyncio.sleep(1)
            rig.pipeline.put(AudioEnded(flush=False))
            await asyncio.sleep(0.1)
            assert rig.engine.closed == 1
            assert asyncio.get_running_loop().time() < 2

        rig = play(scene, waits={"phrase": 20})
        assert not rig.of(Phrase)

    def test_a_drop_from_within_a_finding_ends_the_work(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.drops = True
            rig.begin(PAIR + QUIET)
            await asyncio.sleep(1)

        rig = play(scene, voices=1)
        assert len(rig.of(Phrase)) == 1
        assert not rig.of(Speech)

    def test_one_that_never_began_lets_go_of_its_engine(self) -> None:
        async def never_started(rig: Rig) -> None:
            await rig.pipeline.stop()

        async def never_ran(rig: Rig) -> None:
            rig.begin(PAIR)

        for scene in (never_started, never_ran):
            play(scene)


class TestBounds:
    def test_the_reader_waits_while_too_much_waits(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR + QUIET, bytes(640_000))
            await asyncio.sleep(0.1)
            waiting = asyncio.ensure_future(rig.pipeline.room())
            await asyncio.sleep(19)
            assert not waiting.done()
            await asyncio.sleep(22)
            assert waiting.done()

        play(scene, waits={"phrase": 20})

    def test_the_reader_waits_for_nothing_that_is_dropped(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR + QUIET, bytes(640_000))
            waiting = asyncio.ensure_future(rig.pipeline.room())
            await asyncio.sleep(0.1)
            rig.pipeline.put(AudioEnded(flush=False))
            await waiting

        play(scene, waits={"phrase": 20})

    def test_others_get_their_turn_after_each_second_of_audio(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(bytes(32_000 * 60))
            turns = 0
            while len(rig.of(Silence)) < 120:
                await asyncio.sleep(0)
                turns += 1
            assert turns >= 60

        play(scene)


class TestFailures:
    def test_of_the_engine_end_the_session_as_it_says(self) -> None:
        rig = play(heard, faults={"phrase": EngineFailure(1013, "overloaded")})
        assert rig.found[-1] == Fault(0.0, 1013, "overloaded")
        assert not rig.of(Phrase)

    def test_that_nobody_expected_end_it_with_1011(self, caplog: pytest.LogCaptureFixture) -> None:
        rig = play(heard, faults={"speak": KeyError("a defect")}, voices=1)
        assert rig.found[-1] == Fault(0.0, 1011, "the server failed")
        assert "a pipeline failed" in caplog.text

    def test_to_answer_end_it_after_a_while(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR + QUIET)
            await asyncio.sleep(5)

        rig = play(scene, waits={"phrase": 100}, limits=Limits(engine_s=2.5))
        assert rig.found[-1] == Fault(2.5, 1011, "the engine did not answer within 2.5 s")

    @pytest.mark.parametrize("how", [{"faults": {"close": KeyError("a defect")}}, {"waits": {"close": 100}}])
    def test_to_close_are_noted_down(self, how: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
        play(heard, **how)
        assert "an engine did not close" in caplog.text
