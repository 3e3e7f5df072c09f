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
    Begun,
    Blame,
    Commit,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Retarget,
    Silence,
    Span,
    Speak,
    Speech,
    Task,
    VoiceEncoding,
)
from protocol.languages import PUBLISHED, Voice
from protocol.riff import parse_file
from reference_server.engines.base import EngineFailure, EngineSession, Job, Text, Utterance
from reference_server.pipeline import Pipeline
from reference_server.policy import Limits

SHAPE = PcmFormat(16_000)
PAIR = parse_file((schemas.corpus_dir() / "pair.wav").read_bytes())[1]
SPANS = [Span(6400, 40_320), Span(97_920, 52_480)]
MARIA = "pt-BR-Maria"
QUIET = bytes(40_000)
VOICE = Speak("dito", MARIA)
PARTIALS = {"growth_ms": 300}


class Fake:
    """An engine with one session, which is itself; `faults` are raised, and `waits` slept, by name of the question.

    It finds out a language if there are candidates, and has no translation into Russian.
    """

    name = "fake"
    catalogue = PUBLISHED

    def __init__(self, **settings: Any) -> None:
        self.faults: dict[str, Exception] = settings.get("faults", {})
        self.waits: dict[str, float] = settings.get("waits", {})
        self.asked: list[tuple[str, Utterance | str]] = []
        self.targets: tuple[str, ...] = ()
        self.language: str | None = None
        self.opened = self.closed = 0

    async def start(self) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    def open(self, job: Job) -> EngineSession:
        assert job.source == "en-US"
        if "open" in self.faults:
            raise self.faults["open"]
        self.opened += 1
        self.targets = job.targets
        self.language = next(iter(job.candidates), None)
        return self

    def retarget(self, targets: tuple[str, ...]) -> None:
        self.targets = targets

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        await self._answer("hypothesis", utterance)
        texts = tuple(f"até agora ({target})" for target in self.targets)
        return Text("so far", texts, language=self.language) if utterance.span.size > 20_000 else None

    async def phrase(self, utterance: Utterance) -> Text:
        await self._answer("phrase", utterance)
        failures = {target: "no model" for target in self.targets if target == "ru"}
        texts = tuple("" if target in failures else f"dito ({target})" for target in self.targets)
        return Text("said", texts, frozenset({"said"}), self.language, failures, "Error" if failures else None)

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

    def __init__(self, engine: Fake, limits: Limits, task: Task, voices: tuple[Speak, ...]) -> None:
        self.engine = engine
        self.found: list[FromPipeline] = []
        self.drops = False
        self.voices = voices
        self.pipeline = Pipeline(engine, SHAPE, task, limits, self.deliver)

    async def deliver(self, result: FromPipeline) -> None:
        self.found.append(result)
        if isinstance(result, Phrase):
            for voice in self.voices:
                self.pipeline.put(voice)
        if self.drops and isinstance(result, Phrase):
            self.pipeline.put(AudioEnded(flush=False))

    def begin(self, *audio: bytes) -> None:
        """Start, and put audio."""
        self.pipeline.start()
        for data in audio:
            self.pipeline.put(Audio(data))

    def of(self, kind: type[Any]) -> list[Any]:
        return [result for result in self.found if isinstance(result, kind)]


def play(
    scene: Callable[[Rig], Awaitable[None]],
    *,
    limits: Limits | None = None,
    voices: tuple[Speak, ...] = (),
    task: dict[str, Any] | None = None,
    **engine: Any,
) -> Rig:
    """Run a scene in virtual time and stop its pipeline."""

    async def whole() -> Rig:
        wanted = Task(**{"source": "en-US", "targets": ("pt",), "growth_ms": None, **(task or {})})
        rig = Rig(Fake(**engine), limits or Limits(), wanted, voices)
        try:
            await scene(rig)
        finally:
            await rig.pipeline.stop()
        assert rig.engine.closed == rig.engine.opened
        assert rig.pipeline.idle or not rig.engine.opened
        return rig

    return virtual.run(whole())


async def heard(rig: Rig) -> None:
    rig.begin(PAIR + QUIET)
    await asyncio.sleep(1)


class TestFindings:
    def test_come_in_order(self) -> None:
        rig = play(heard, task=PARTIALS, voices=(VOICE,))
        kinds = [type(result) for result in rig.found if not isinstance(result, Silence)]
        assert kinds == [Begun, *[Hypothesis] * 2, Phrase, Speech, Begun, *[Hypothesis] * 3, Phrase, Speech]

    def test_have_their_place_in_the_stream(self) -> None:
        rig = play(heard)
        assert [phrase.span for phrase in rig.of(Phrase)] == SPANS
        assert not any(phrase.last for phrase in rig.of(Phrase))
        assert [begun.start for begun in rig.of(Begun)] == [span.start for span in SPANS]
        assert rig.of(Phrase)[0] == Phrase(0.0, SPANS[0], "said", ("dito (pt)",), frozenset({"said"}), targets=("pt",))

    def test_say_all_that_the_engine_says(self) -> None:
        task = {"targets": ("de", "ru"), "candidates": ("fr-FR", "en-US"), "growth_ms": 300}
        rig = play(heard, task=task)
        assert rig.of(Hypothesis)[-1].translations == ("até agora (de)", "até agora (ru)")
        assert (rig.of(Hypothesis)[-1].language, rig.of(Hypothesis)[-1].targets) == ("fr-FR", ("de", "ru"))
        phrase = rig.of(Phrase)[-1]
        assert (phrase.translations, phrase.targets) == (("dito (de)", ""), ("de", "ru"))
        assert (phrase.language, phrase.failures, phrase.status) == ("fr-FR", {"ru": "no model"}, "Error")

    def test_may_be_of_recognition_alone(self) -> None:
        rig = play(heard, task={"targets": ()})
        assert [(phrase.recognition, phrase.translations) for phrase in rig.of(Phrase)] == [("said", ())] * 2

    def test_end_where_the_task_wants_it(self) -> None:
        assert not play(heard, task={"silence_ms": 2000}).of(Phrase)
        assert len(play(heard, task={"longest_ms": 600}).of(Phrase)) > 2

    def test_nobody_is_asked_for_hypotheses_that_nobody_wants(self) -> None:
        assert not play(heard).engine.utterances("hypothesis")

    def test_nothing_new_is_not_told(self) -> None:
        rig = play(heard, task=PARTIALS)
        assert len(rig.engine.utterances("hypothesis")) > len(rig.of(Hypothesis)) > 0

    def test_silence_is_told(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(bytes(48_000))
            await asyncio.sleep(1)

        assert play(scene).found == [Silence(0.0, size, size) for size in (16_000, 32_000, 48_000)]

    def test_silence_between_utterances_has_its_place(self) -> None:
        silence = next(silence for silence in play(heard).of(Silence) if silence.end > SPANS[0].end)
        assert silence.end - silence.size == SPANS[0].end

    @pytest.mark.parametrize("size", [2, 640, 998, 32_000])
    def test_the_engine_hears_exactly_the_utterance(self, size: int) -> None:
        async def scene(rig: Rig) -> None:
            data = PAIR + QUIET
            rig.begin(*(data[at : at + size] for at in range(0, len(data), size)))
            await asyncio.sleep(1)

        rig = play(scene, task=PARTIALS)
        for question, spans in (("phrase", SPANS), ("hypothesis", [])):
            utterances = rig.engine.utterances(question)
            assert [one.span for one in utterances] == spans or question == "hypothesis"
            for one in utterances:
                assert one.pcm == PAIR[one.span.start : one.span.end]
                assert one.format == SHAPE
        assert [one.index for one in rig.engine.utterances("phrase")] == [0, 1]


class TestVoice:
    def test_is_a_whole_file(self) -> None:
        rig = play(heard, voices=(VOICE,))
        assert parse_file(rig.of(Speech)[0].file)[1] == bytes(64)
        assert ("speak", "pt-BR-Maria: dito") in rig.engine.asked

    @pytest.mark.parametrize(("encoding", "begins"), [("wav", b"RIFF"), ("mp3", b"\xff")])
    def test_has_the_encoding_that_is_wanted(self, encoding: VoiceEncoding, begins: bytes) -> None:
        rig = play(heard, voices=(Speak("dito", MARIA, encoding),))
        assert rig.of(Speech)[0].file.startswith(begins)

    def test_may_be_several_in_order(self) -> None:
        rig = play(heard, voices=(VOICE, Speak("gesagt", "de-DE-Hedda"), VOICE))
        assert len(rig.of(Speech)) == 6
        spoken = [about for asked, about in rig.engine.asked if asked == "speak"]
        assert spoken == ["pt-BR-Maria: dito", "de-DE-Hedda: gesagt", "pt-BR-Maria: dito"] * 2

    def test_comes_before_the_next_phrase(self) -> None:
        rig = play(heard, voices=(VOICE, VOICE), waits={"speak": 0.1})
        kinds = [type(result) for result in rig.found if isinstance(result, Phrase | Speech)]
        assert kinds == [Phrase, Speech, Speech] * 2

    def test_can_be_wanted_at_any_time(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin()
            await asyncio.sleep(1)
            rig.pipeline.put(VOICE)
            await asyncio.sleep(1)

        assert [type(result) for result in play(scene).found] == [Speech]

    @pytest.mark.parametrize(
        ("engine", "voice", "failure"),
        [
            ({"faults": {"speak": EngineFailure(1011, "hoarse")}}, VOICE, "hoarse"),
            ({"faults": {"speak": EngineFailure(1011, "busy", Blame.OVERLOAD)}}, VOICE, "busy"),
            ({"faults": {"speak": KeyError("a defect")}}, VOICE, "the server failed"),
            ({"waits": {"speak": 100}}, VOICE, "the engine did not answer within 0.2 s"),
            ({}, Speak("dito", "Nobody"), "there is no voice 'Nobody'"),
        ],
    )
    def test_that_fails_spoils_nothing_else(self, engine: dict[str, Any], voice: Speak, failure: str) -> None:
        rig = play(heard, voices=(voice,), limits=Limits(engine_s=0.2), **engine)
        assert [(speech.file, speech.failure) for speech in rig.of(Speech)] == [(b"", failure)] * 2
        assert len(rig.of(Phrase)) == 2
        assert not rig.of(Fault)


class TestCommit:
    def test_ends_the_open_utterance(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR[:32_000])
            rig.pipeline.put(Commit("now"))
            rig.pipeline.put(Audio(PAIR[32_000:] + QUIET))
            await asyncio.sleep(1)

        first, *others = play(scene).of(Phrase)
        assert (first.commit, first.recognition, first.span.start) == ("now", "said", SPANS[0].start)
        assert first.span.end <= 32_000
        assert [phrase.commit for phrase in others] == [None] * len(others)
        assert others[0].span.start >= first.span.end
        assert others[-1].span == SPANS[1]

    def test_is_answered_without_an_utterance(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(QUIET[:3210])
            rig.pipeline.put(Commit("now"))
            await asyncio.sleep(1)

        rig = play(scene, task={"targets": ("pt", "de")}, voices=(VOICE,))
        assert rig.of(Phrase) == [Phrase(0.0, Span(3210, 0), "", ("", ""), targets=("pt", "de"), commit="now")]
        assert len(rig.of(Speech)) == 1


class TestRetarget:
    def test_holds_for_what_comes_behind_it(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR[:80_000])
            rig.pipeline.put(Retarget(("de", "fr")))
            rig.pipeline.put(Audio(PAIR[80_000:] + QUIET))
            rig.pipeline.put(Retarget(()))
            rig.pipeline.put(Commit("now"))
            await asyncio.sleep(1)

        rig = play(scene, task=PARTIALS)
        targets = [("pt",), ("de", "fr"), ()]
        assert [phrase.targets for phrase in rig.of(Phrase)] == targets
        assert [len(phrase.translations) for phrase in rig.of(Phrase)] == [1, 2, 0]
        assert list(dict.fromkeys(guess.targets for guess in rig.of(Hypothesis))) == targets[:2]


class TestEnd:
    def test_a_flush_finishes_the_open_utterance(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR[:32_000])
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        rig = play(scene)
        assert [type(result) for result in rig.found] == [Begun, Phrase, Drained]
        assert rig.of(Phrase)[0].last

    def test_a_flush_lets_the_voice_out_first(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR[:32_000])
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        assert [type(result) for result in play(scene, voices=(VOICE,)).found] == [Begun, Phrase, Speech, Drained]

    def test_nothing_is_taken_behind_it(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin()
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)
            assert rig.pipeline.idle
            for order in (Audio(bytes(640_000)), Commit("late"), VOICE, AudioEnded(flush=False)):
                rig.pipeline.put(order)
            await rig.pipeline.room()

        assert play(scene).found == [Drained(0.0)]

    def test_a_flush_without_an_utterance_is_drained(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(QUIET[:3200])
            rig.pipeline.put(AudioEnded(flush=True))
            await asyncio.sleep(1)

        assert play(scene).found == [Drained(0.0)]

    def test_a_flush_before_any_audio_is_drained(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin()
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

        rig = play(scene, voices=(VOICE,))
        assert len(rig.of(Phrase)) == 1
        assert not rig.of(Speech)

    def test_one_that_never_began_opens_no_engine(self) -> None:
        async def never_started(rig: Rig) -> None:
            await rig.pipeline.stop()

        async def never_ran(rig: Rig) -> None:
            rig.begin(PAIR)

        for scene in (never_started, never_ran):
            assert play(scene).engine.opened == 0

    def test_of_a_dropped_one_is_waited_for(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR)
            await asyncio.sleep(1)
            rig.pipeline.put(AudioEnded(flush=False))
            assert not rig.pipeline.idle
            await rig.pipeline.stop()
            assert asyncio.get_running_loop().time() == 4

        play(scene, waits={"close": 3})


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
        rig = play(heard, faults={"phrase": EngineFailure(1013, "worn out")})
        assert rig.found[-1] == Fault(0.0, 1013, "worn out", Blame.ENGINE)
        assert not rig.of(Phrase)

    @pytest.mark.parametrize("question", ["open", "hypothesis", "phrase"])
    def test_of_overload_say_so(self, question: str) -> None:
        rig = play(heard, task=PARTIALS, faults={question: EngineFailure(1011, "busy", Blame.OVERLOAD)})
        assert rig.found[-1] == Fault(0.0, 1011, "busy", Blame.OVERLOAD)

    @pytest.mark.parametrize("question", ["phrase", "speak"])
    def test_that_a_script_wants_are_its_own(self, question: str) -> None:
        rig = play(heard, voices=(VOICE,), faults={question: EngineFailure(1001, "gone", Blame.SCRIPT)})
        assert rig.found[-1] == Fault(0.0, 1001, "gone", Blame.SCRIPT)
        assert not rig.of(Speech)

    def test_come_before_the_engine_is_closed(self) -> None:
        async def scene(rig: Rig) -> None:
            rig.begin(PAIR + QUIET)
            await asyncio.sleep(1)
            assert rig.of(Fault)
            assert not rig.pipeline.idle

        play(scene, faults={"phrase": EngineFailure(1011, "worn out")}, waits={"close": 20})

    def test_that_nobody_expected_end_it_with_1011(self, caplog: pytest.LogCaptureFixture) -> None:
        rig = play(heard, faults={"phrase": KeyError("a defect")})
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
