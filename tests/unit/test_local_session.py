from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from conformance.peers import virtual
from protocol.events import Blame
from reference_server.engines.base import EngineFailure, Job, Text
from reference_server.engines.local.parts import Kind, Part
from reference_server.engines.local.plan import plan
from reference_server.engines.local.session import LocalSession
from reference_server.engines.local.workers import Died, Overloaded
from tests.unit.local_parts import Answers, hears, speaks, translates, utterance

EAR = hears("ear", "en-US", "es-ES", "de-DE", identifies=True)
FAST = translates("fast", "en-pt", "pt-en")
RULES = translates("rules", "en-es", "es-en", kind=Kind.SMT)
TIN = speaks("tin", "en-US", "pt-BR")


class Stage:
    """A session whose parts answer as told. `says` is what the next call of a part's name is answered with."""

    def __init__(self, job: Job, parts: tuple[Part, ...] = (EAR, FAST, RULES, TIN)) -> None:
        self.heard: Any = "hello there"  # or a list of what is heard one after another
        self.spoken: Any = "es-ES"
        self.wrong: dict[str, Exception] = {}
        answer = {"decode": self._decode, "identify": lambda *_: self.spoken, "speak": lambda *_: b"\1\0" * 8}
        self.pools = {part.name: Answers(part, self._answer(part.name, answer)) for part in parts}
        self.session = LocalSession(job, plan(parts), self.pools)

    def _answer(self, part: str, answers: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
        def answer(name: str, *arguments: Any) -> Any:
            if part in self.wrong:
                return self.wrong[part]
            if name == "translate":
                text, source, target = arguments
                return f"{text}|{source}>{target}"
            return answers[name](*arguments)

        return answer

    def _decode(self, *_: object) -> Any:
        return self.heard.pop(0) if isinstance(self.heard, list) else self.heard

    def called(self, part: str) -> list[str]:
        return [str(call[0]) for call in self.pools[part].calls]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


class TestPhrase:
    def test_is_readable_and_translated(self) -> None:
        stage = Stage(Job("en-US", ("pt", "es")))
        text: Text = run(stage.session.phrase(utterance(2000)))
        assert text.recognition == "Hello there."
        assert text.translations == ("Hello there.|en>pt", "Hello there.|en>es")
        assert text.failures == {}
        assert text.language is None

    def test_into_its_own_language_it_is_what_was_said(self) -> None:
        text = run(Stage(Job("en-US", ("en",))).session.phrase(utterance(2000)))
        assert text.translations == ("Hello there.",)

    def test_a_route_of_two_legs(self) -> None:
        text = run(Stage(Job("es-ES", ("pt",))).session.phrase(utterance(2000)))
        assert text.translations == ("Hello there.|es>en|en>pt",)

    def test_legs_that_two_targets_share_are_made_once(self) -> None:
        stage = Stage(Job("es-ES", ("pt", "en")))
        text = run(stage.session.phrase(utterance(2000)))
        assert text.translations == ("Hello there.|es>en|en>pt", "Hello there.|es>en")
        assert stage.called("rules") == ["translate"]

    def test_nothing_said_is_nothing_translated(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.heard = ""
        text = run(stage.session.phrase(utterance(2000)))
        assert (text.recognition, text.translations) == ("", ("",))
        assert stage.called("fast") == []

    def test_profanities_are_named(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.heard = "damn it"
        assert run(stage.session.phrase(utterance(2000))).profanities == {"damn"}

    def test_a_leg_that_fails_spoils_only_its_target(self) -> None:
        stage = Stage(Job("en-US", ("pt", "es")))
        stage.wrong["rules"] = Died("rules: its process ended (signal 9)")
        text = run(stage.session.phrase(utterance(2000)))
        assert text.recognition == "Hello there."
        assert text.translations == ("Hello there.|en>pt", "")
        assert text.failures == {"es": "rules: its process ended (signal 9)"}

    def test_a_pair_without_a_route_fails_with_a_sentence(self) -> None:
        text = run(Stage(Job("de-DE", ("pt",))).session.phrase(utterance(2000)))
        assert text.failures == {"pt": "there is no translation from 'de' to 'pt' here"}

    def test_new_targets_hold_from_the_next_answer_on(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.session.retarget(("es",))
        assert run(stage.session.phrase(utterance(2000))).translations == ("Hello there.|en>es",)

    def test_a_recogniser_that_dies_is_the_engines_failure(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.wrong["ear"] = Died("ear: its process ended (signal 9)")
        with pytest.raises(EngineFailure) as failure:
            run(stage.session.phrase(utterance(2000)))
        assert failure.value == EngineFailure(1011, "ear: its process ended (signal 9)", Blame.ENGINE)

    def test_what_died_under_the_words_is_asked_once_more(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.heard = [Died("ear: its process ended (signal 9)"), "hello there"]
        assert run(stage.session.phrase(utterance(2000))).recognition == "Hello there."

    def test_too_much_to_do_is_told_as_such(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.wrong["ear"] = Overloaded("ear: too busy")
        with pytest.raises(EngineFailure) as failure:
            run(stage.session.phrase(utterance(2000)))
        assert failure.value.blame is Blame.OVERLOAD


class TestHypothesis:
    def follow(self, stage: Stage) -> list[Text | None]:
        async def all_of_them() -> list[Text | None]:
            return [await stage.session.hypothesis(utterance(1000 * n)) for n in range(1, 5)]

        found: list[Text | None] = run(all_of_them())
        return found

    def test_tells_each_once(self) -> None:
        found = self.follow(Stage(Job("en-US", ("pt",))))
        told = [text for text in found if text is not None]
        assert [(text.recognition, text.translations) for text in told] == [("Hello there", ("Hello there|en>pt",))]

    @pytest.mark.parametrize("part", ["ear", "fast"])
    def test_what_fails_is_left_to_the_phrase(self, part: str) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.wrong[part] = Died("gone")
        assert self.follow(stage) == [None] * 4


class TestLanguageIdentification:
    CANDIDATES = Job("en-US", ("pt",), ("en-US", "es-ES"))

    def test_the_language_is_found_out_and_told(self) -> None:
        text = run(Stage(self.CANDIDATES).session.phrase(utterance(2000)))
        assert text.language == "es-ES"
        assert text.translations == ("Hello there.|es>en|en>pt",)

    def test_it_is_found_out_once_an_utterance(self) -> None:
        stage = Stage(self.CANDIDATES)

        async def follow() -> None:
            for ms in (1000, 2000, 3000):
                await stage.session.hypothesis(utterance(ms))
            await stage.session.phrase(utterance(3500))
            await stage.session.phrase(utterance(3500, index=1))

        run(follow())
        assert stage.called("ear").count("identify") == 2

    def test_too_little_is_heard_in_the_language_before(self) -> None:
        stage = Stage(self.CANDIDATES)

        async def two() -> Text:
            await stage.session.phrase(utterance(2000))
            stage.spoken = "en-US"
            return await stage.session.phrase(utterance(500, index=1))

        assert run(two()).language == "es-ES"

    def test_too_little_at_the_beginning_is_still_found_out(self) -> None:
        stage = Stage(self.CANDIDATES)
        assert run(stage.session.hypothesis(utterance(500))) is None
        assert run(stage.session.phrase(utterance(500))).language == "es-ES"

    def test_one_candidate_needs_no_finding_out(self) -> None:
        stage = Stage(Job("en-US", ("pt",), ("de-DE",)))
        assert run(stage.session.phrase(utterance(2000))).language == "de-DE"
        assert "identify" not in stage.called("ear")

    def test_without_a_part_that_can_it_is_the_first_candidate(self) -> None:
        stage = Stage(self.CANDIDATES, (hears("ear", "en-US", "es-ES"), FAST, RULES))
        assert run(stage.session.phrase(utterance(2000))).language == "en-US"


class TestSpeak:
    def test_the_voices_part_speaks(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        voice = plan((EAR, FAST, TIN)).catalogue.voices["pt-BR-Tin"]
        assert run(stage.session.speak("Olá.", voice)) == b"\1\0" * 8
        assert stage.pools["tin"].calls == [("speak", "Olá.", "pt-BR-Tin")]

    def test_a_voice_that_dies_is_the_engines_failure(self) -> None:
        stage = Stage(Job("en-US", ("pt",)))
        stage.wrong["tin"] = Died("tin: gone")
        with pytest.raises(EngineFailure, match="tin: gone"):
            run(stage.session.speak("Olá.", plan((EAR, FAST, TIN)).catalogue.voices["pt-BR-Tin"]))


class TestStreamingParts:
    def test_closing_gives_the_process_back(self) -> None:
        ear = hears("ear", "en-US", streams=True)
        pool = Answers(ear, lambda name, *_: None if name == "begin" else "hello")
        session = LocalSession(Job("en-US", ()), plan((ear,)), {"ear": pool})

        async def follow() -> None:
            await session.hypothesis(utterance(1000))
            assert pool.free == 1
            await session.close()

        run(follow())
        assert pool.free == 2


class Slow(Answers):
    """A pool whose answers take their time."""

    async def call(self, name: str, *arguments: object) -> Any:
        await asyncio.sleep(0.6)
        return await super().call(name, *arguments)


class TestHypothesesOfABurst:
    def test_take_no_more_than_half_of_the_time(self) -> None:
        """Each decode takes 0.6 s, and all of a long utterance is there at once."""

        async def test() -> list[int]:
            stage = Stage(Job("en-US", ("pt",)))
            stage.pools["ear"] = ear = Slow(EAR, lambda *_: "hello there")
            counts = []
            for pause in (0.0, 10.1):
                await asyncio.sleep(pause)
                begun = len(ear.calls)
                for step in range(1, 31):
                    await stage.session.hypothesis(utterance(int(pause * 9000) + 900 * step))
                counts.append(len(ear.calls) - begun)
            await stage.session.hypothesis(utterance(900, index=1))
            return [*counts, len(ear.calls) - sum(counts)]

        assert virtual.run(test()) == [4, 17, 1]
