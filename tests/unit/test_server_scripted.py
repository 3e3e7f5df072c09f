"""The scripted engine."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import schemas
from conformance.peers import virtual
from protocol.audio import PcmFormat, rms_dbfs
from protocol.events import Blame, Span
from protocol.languages import PUBLISHED
from protocol.riff import parse_file
from reference_server.engines.base import EngineFailure, Job, Text, Utterance
from reference_server.engines.script import ScriptError, parse
from reference_server.engines.scripted import ScriptedEngine, ScriptedSession

SHAPE = PcmFormat(16_000)
JOB = Job("en-US", ("pt",))
VOICE = PUBLISHED.voices["pt-BR-Maria"]
GREETING = {"translations": {"en": "Hi.", "de": "Hallo.", "pt": "Oi."}}


def session(*utterances: dict[str, Any], job: Job = JOB) -> ScriptedSession:
    return ScriptedEngine(parse({"utterances": list(utterances)}, PUBLISHED)).open(job)


def utterance(ms: int, index: int = 0, pcm: bytes | None = None) -> Utterance:
    size = SHAPE.ms_to_bytes(ms)
    noise = np.random.default_rng(1).normal(0, 3000, size // 2).astype("<i2").tobytes()
    return Utterance(index, Span(0, size), SHAPE, noise if pcm is None else pcm[:size])


def phrase(one: ScriptedSession, what: Utterance | None = None) -> Text:
    return virtual.run(one.phrase(what or utterance(1000)))


def hypotheses(one: ScriptedSession, until_ms: int, index: int = 0) -> list[str]:
    async def ask() -> list[str]:
        texts = [await one.hypothesis(utterance(ms, index)) for ms in range(300, until_ms + 1, 300)]
        return [text.recognition for text in texts if text is not None]

    return virtual.run(ask())


class TestPhrase:
    def test_is_what_the_script_says(self) -> None:
        text = phrase(session({"recognition": "Hi.", "translations": {"pt": "Oi."}, "profanities": ["Hi"]}))
        assert text == Text("Hi.", ("Oi.",), frozenset({"Hi"}))

    def test_translations_stand_in_the_order_of_the_targets(self) -> None:
        job = Job("en-US", ("de", "pt"))
        text = phrase(session({"recognition": "Hi.", "translations": {"pt": "Oi.", "de": "Hallo."}}, job=job))
        assert text.translations == ("Hallo.", "Oi.")

    def test_a_language_without_a_text_gets_a_placeholder(self) -> None:
        text = phrase(session({"recognition": "Good morning."}, job=Job("en-US", ("fi",))))
        assert text.translations == ("[fi] Good morning.",)

    def test_the_same_language_is_a_transcription(self) -> None:
        assert phrase(session({"recognition": "Hi."}, job=Job("en-US", ("en",)))).translations == ("Hi.",)

    def test_without_a_recognition_the_text_of_the_spoken_language_is_said(self) -> None:
        entry = {"translations": {"en": "Hi.", "pt": "Oi."}}
        assert phrase(session(entry)) == Text("Hi.", ("Oi.",))
        assert phrase(session(entry, job=Job("pt-BR", ("en",)))) == Text("Oi.", ("Hi.",))

    def test_a_spoken_language_without_a_text_gets_a_placeholder_too(self) -> None:
        text = phrase(session({"translations": {"en": "Hi."}}, job=Job("ja-JP", ("en",))))
        assert text == Text("[ja] Hi.", ("Hi.",))

    def test_without_words_all_texts_are_empty(self) -> None:
        assert phrase(session({"recognition": "", "translations": {"pt": "Oi."}})) == Text("", ("",))
        assert phrase(session()) == Text("", ("",))

    @pytest.mark.parametrize(("index", "words"), [(0, "a cup of coffee"), (1, "where the station is")])
    def test_a_recording_of_the_corpus_is_recognised(self, index: int, words: str) -> None:
        _, pcm = parse_file((schemas.corpus_dir() / "pair.wav").read_bytes())
        begin = SHAPE.ms_to_bytes((200, 3060)[index])
        one = ScriptedEngine().open(JOB)
        assert words in phrase(one, utterance(1200, index, pcm[begin:])).recognition

    def test_what_is_said_stays_the_same_within_an_utterance(self) -> None:
        one = ScriptedEngine().open(JOB)
        heard = hypotheses(one, 2400, index=1)
        assert phrase(one, utterance(2500, 1)).recognition.lower().startswith(heard[-1].lower())


class TestTargets:
    def test_can_be_others_from_the_next_answer_on(self) -> None:
        one = session({"recognition": "Good day.", "translations": {"pt": "Bom dia.", "de": "Guten Tag."}})
        assert hypotheses(one, 600)
        one.retarget(("de", "pt"))
        assert phrase(one).translations == ("Guten Tag.", "Bom dia.")

    def test_may_be_none(self) -> None:
        assert phrase(session({"recognition": "Hi."}, job=Job("en-US", ()))) == Text("Hi.", ())


class TestLanguage:
    """Which of several candidates is spoken."""

    def job(self, *candidates: str) -> Job:
        return Job("en-US", ("pt",), candidates)

    def test_is_not_told_unless_it_had_to_be_found_out(self) -> None:
        assert phrase(session({**GREETING, "language": "de-DE"})) == Text("Hi.", ("Oi.",))

    def test_is_that_of_the_script(self) -> None:
        one = session({**GREETING, "language": "de-DE"}, job=self.job("en-US", "de-DE"))
        assert phrase(one) == Text("Hallo.", ("Oi.",), language="de-DE")

    @pytest.mark.parametrize("entry", [{}, {"language": "pt-BR"}])
    def test_is_that_of_the_recording_otherwise(self, entry: dict[str, str]) -> None:
        _, pcm = parse_file((schemas.corpus_dir() / "clear-1.wav").read_bytes())
        one = session({**GREETING, **entry}, job=self.job("de-DE", "en-US"))
        what = utterance(1200, pcm=pcm[SHAPE.ms_to_bytes(200) :])
        assert phrase(one, what) == Text("Hi.", ("Oi.",), language="en-US")

    def test_is_the_first_candidate_if_nothing_tells(self) -> None:
        one = session(GREETING, job=self.job("de-DE", "pt-BR"))
        assert phrase(one) == Text("Hallo.", ("Oi.",), language="de-DE")

    def test_hypotheses_say_it_once_it_is_known(self) -> None:
        one = session(GREETING, job=self.job("de-DE"))
        assert virtual.run(one.hypothesis(utterance(380))) is None
        assert virtual.run(one.hypothesis(utterance(900))) == Text("Hallo", ("Oi.",), language="de-DE")


class TestHypothesis:
    def test_grows(self) -> None:
        heard = hypotheses(session({"recognition": "I would like a cup of coffee."}), 3000)
        assert heard[0] == "i"
        assert "I would like a cup of coffee" in heard
        assert all(len(text) <= len("I would like a cup of coffee.") for text in heard)

    def test_carries_a_part_of_the_translation(self) -> None:
        one = session({"recognition": "I would like coffee.", "translations": {"pt": "Eu gostaria de café."}})
        text = virtual.run(one.hypothesis(utterance(600)))
        assert text == Text("I would", ("Eu",))

    def test_nothing_new_is_nothing(self) -> None:
        assert hypotheses(session({"recognition": "Oh no."}), 900) == ["oh", "Oh no"]

    def test_the_next_utterance_begins_anew(self) -> None:
        one = session({"recognition": "Oh no."})
        assert hypotheses(one, 600) == ["oh", "Oh no"]
        phrase(one)
        assert hypotheses(one, 600, index=1) == ["oh", "Oh no"]

    def test_can_be_written_out(self) -> None:
        entry = {"recognition": "Good day.", "partials": ["Goo", "Good", "God day"]}
        assert hypotheses(session(entry), 2000) == ["Goo", "Good", "God day"]

    def test_a_silent_utterance_has_none(self) -> None:
        assert hypotheses(session({"recognition": ""}), 900) == []

    def test_waits_until_the_recording_is_known(self) -> None:
        one = session({"when": {"recording": "pair"}}, {"recognition": "Good morning."})
        assert virtual.run(one.hypothesis(utterance(380))) is None
        assert virtual.run(one.hypothesis(utterance(400))) is not None


class TestVoice:
    def test_is_as_long_and_as_loud_as_the_script_says(self) -> None:
        one = session({"recognition": "Hi.", "voice": {"ms_per_character": 100, "level_dbfs": -35}})
        phrase(one)
        pcm = virtual.run(one.speak("Hello", VOICE))
        assert len(pcm) == 5 * 3200
        assert rms_dbfs(pcm) == pytest.approx(-35, abs=0.1)

    def test_is_60_ms_a_character_unless_said_otherwise(self) -> None:
        pcm = virtual.run(session().speak("Hello, all of you!", VOICE))
        assert len(pcm) == 18 * 1920
        assert rms_dbfs(pcm) > -30


class TestMisbehaviour:
    @pytest.mark.parametrize("moment", ["partial", "final", "voice"])
    def test_an_answer_comes_late(self, moment: str) -> None:
        assert virtual.run(self.elapsed(moment)) == pytest.approx(2.5)

    async def elapsed(self, moment: str) -> float:
        one = session({"recognition": "Hi.", "delay_ms": {moment: 2500}})
        await one.hypothesis(utterance(600))
        await one.phrase(utterance(600))
        await one.speak("Oi.", VOICE)
        await one.close()
        return asyncio.get_running_loop().time()

    def test_an_answer_does_not_come(self) -> None:
        one = session({"recognition": "Hi.", "end": {"before": "final", "code": 1001, "reason": "gone"}})
        assert hypotheses(one, 600)
        with pytest.raises(EngineFailure) as failure:
            phrase(one)
        assert failure.value == EngineFailure(1001, "gone", Blame.SCRIPT)

    def test_the_recognition_comes_to_nothing(self) -> None:
        text = phrase(session({"recognition": "Hi.", "status": "NoMatch"}))
        assert (text.status, text.recognition) == ("NoMatch", "Hi.")

    def test_a_translation_fails_in_the_final_alone(self) -> None:
        entry = {"recognition": "Hi.", "translations": {"pt": "Oi."}, "translation_failures": {"pt": "no", "fr": "no"}}
        one = session(entry, job=Job("en-US", ("de", "pt")))
        guess = virtual.run(one.hypothesis(utterance(600)))
        assert guess is not None
        assert guess.translations == ("[de] Hi.", "Oi.")
        text = phrase(one)
        assert (text.translations, text.failures) == (("[de] Hi.", ""), {"pt": "no"})


class TestEngine:
    def test_a_new_script_holds_for_new_sessions(self) -> None:
        engine = ScriptedEngine()
        old = engine.open(JOB)
        engine.replace({"defaults": [{"recognition": "New."}]})
        assert engine.document == {"defaults": [{"recognition": "New."}]}
        assert phrase(old).recognition == "Good morning."
        assert phrase(engine.open(JOB)).recognition == "New."

    def test_a_bad_script_leaves_the_old_one(self) -> None:
        engine = ScriptedEngine()
        with pytest.raises(ScriptError):
            engine.replace({"defaults": 7})
        assert phrase(engine.open(JOB)).recognition == "Good morning."

    def test_starts_and_stops(self) -> None:
        async def live() -> None:
            engine = ScriptedEngine()
            await engine.start()
            await engine.stop()

        virtual.run(live())
