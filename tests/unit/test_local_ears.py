from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reference_server.engines.local.ears import STEP_MS, Redecoding, Streaming, agreement
from reference_server.engines.local.workers import Died
from tests.unit.local_parts import PCM, Answers, hears, in_turn, utterance

EAR = hears("ear", "en-US")


class TestAgreement:
    def test_ends_with_the_first_difference(self) -> None:
        assert agreement(["a ", "b ", "c "], ["a ", "x ", "c "]) == ["a "]

    def test_case_and_punctuation_do_not_count_and_the_later_form_stays(self) -> None:
        assert agreement(["hello. ", "world "], ["Hello ", "world, ", "and "]) == ["Hello ", "world, "]

    def test_of_nothing_is_nothing(self) -> None:
        assert agreement([], ["a "]) == []


def redecoded(*decodes: str) -> tuple[Answers, Redecoding]:
    pool = Answers(EAR, in_turn(decodes))
    return pool, Redecoding(pool)


async def _follow(ear: Redecoding, ms: int, times: int, locale: str = "en-US") -> list[str | None]:
    return [await ear.hypothesis(utterance(ms * (n + 1)), locale) for n in range(times)]


class TestRedecoding:
    def test_words_are_held_back_until_two_decodes_agree(self) -> None:
        _, ear = redecoded("he", "he was not", "he was nought today")
        assert asyncio.run(_follow(ear, STEP_MS, 3)) == [None, "he", "he was"]

    def test_what_was_said_is_not_taken_back(self) -> None:
        _, ear = redecoded("he was", "he was not", "she was not", "he was not a")
        assert asyncio.run(_follow(ear, STEP_MS, 4)) == [None, "he was", None, None]

    def test_it_decodes_once_for_each_step_of_audio(self) -> None:
        pool, ear = redecoded(*["one two"] * 3)
        asyncio.run(_follow(ear, STEP_MS // 3, 9))
        assert len(pool.calls) == 3

    def test_languages_without_blanks_agree_by_characters(self) -> None:
        _, ear = redecoded("今天天", "今天天气")
        assert asyncio.run(_follow(ear, STEP_MS, 2, "zh-CN")) == [None, "今天天"]

    def test_while_others_wait_it_says_nothing(self) -> None:
        pool, ear = redecoded()
        pool.line = True
        assert asyncio.run(_follow(ear, STEP_MS, 2)) == [None, None]

    def test_each_utterance_begins_anew(self) -> None:
        _, ear = redecoded("one two", "one two", "one two", "one two")

        async def both() -> list[str | None]:
            return [
                await ear.hypothesis(utterance(ms, index), "en-US") for index in (0, 1) for ms in (STEP_MS, 2 * STEP_MS)
            ]

        assert asyncio.run(both()) == [None, "one two", None, "one two"]

    def test_a_phrase_is_a_last_decode_of_everything(self) -> None:
        pool, ear = redecoded("All of it.")
        whole = utterance(2000, before=b"\1\0" * 10, behind=b"\2\0" * 20)
        assert asyncio.run(ear.phrase(whole, "en-US")) == "All of it."
        assert pool.calls == [("decode", b"\1\0" * 10 + whole.pcm + b"\2\0" * 20, PCM.rate, "en-US", True)]


class Stream:
    """A service that hears one word for each 300 ms."""

    def __init__(self) -> None:
        self.heard = 0
        self.dies = False

    def __call__(self, name: str, *arguments: Any) -> Any:
        if name == "begin":
            self.heard = 0
            return None
        if self.dies:
            self.dies = False
            return Died("ear: its process ended (signal 9)")
        if name == "more":
            self.heard += len(arguments[0])
        return " ".join(["word"] * (self.heard // PCM.ms_to_bytes(300)))


def streaming(spare: int = 2) -> tuple[Answers, Streaming, Stream]:
    service = Stream()
    pool = Answers(EAR, service, spare)
    return pool, Streaming(pool), service


class TestStreaming:
    def test_it_feeds_what_is_new_and_tells_what_changed(self) -> None:
        pool, ear, _ = streaming()

        async def follow() -> list[str | None]:
            return [await ear.hypothesis(utterance(ms), "en-US") for ms in (300, 450, 600)]

        assert asyncio.run(follow()) == ["word", None, "word word"]
        sizes = [len(call[1]) for call in pool.calls if call[0] == "more" and isinstance(call[1], bytes)]
        assert sizes == [PCM.ms_to_bytes(300), PCM.ms_to_bytes(150), PCM.ms_to_bytes(150)]

    def test_the_phrase_finishes_what_was_followed(self) -> None:
        pool, ear, _ = streaming()

        async def whole() -> str:
            await ear.hypothesis(utterance(300), "en-US")
            return await ear.phrase(utterance(900), "en-US")

        assert asyncio.run(whole()) == "word word word"
        assert [call[0] for call in pool.calls] == ["begin", "more", "more", "finish"]
        assert pool.leases[0].closed

    def test_what_is_around_the_utterance_is_heard_with_it_and_once(self) -> None:
        pool, ear, _ = streaming()
        before, behind = b"\1\0" * 10, b"\2\0" * 20

        async def whole() -> None:
            await ear.hypothesis(utterance(300, before=before), "en-US")
            await ear.phrase(utterance(600, before=before, behind=behind), "en-US")

        asyncio.run(whole())
        fed = b"".join(call[1] for call in pool.calls if call[0] == "more" and isinstance(call[1], bytes))
        assert fed == before + bytes(PCM.ms_to_bytes(600)) + behind

    def test_one_process_is_left_for_phrases(self) -> None:
        pool, ear, _ = streaming(spare=1)
        assert asyncio.run(ear.hypothesis(utterance(300), "en-US")) is None
        assert pool.calls == []
        assert asyncio.run(ear.phrase(utterance(600), "en-US")) == "word word"

    def test_a_death_costs_hypotheses_and_not_the_phrase(self) -> None:
        pool, ear, service = streaming()

        async def whole() -> str:
            await ear.hypothesis(utterance(300), "en-US")
            service.dies = True
            with pytest.raises(Died):
                await ear.hypothesis(utterance(600), "en-US")
            assert await ear.hypothesis(utterance(900), "en-US") is None
            return await ear.phrase(utterance(1200), "en-US")

        assert asyncio.run(whole()) == "word word word word"
        assert [lease.closed for lease in pool.leases] == [True, True]

    def test_a_death_while_it_finishes_is_told(self) -> None:
        pool, ear, service = streaming()

        async def whole() -> None:
            await ear.hypothesis(utterance(300), "en-US")
            service.dies = True
            await ear.phrase(utterance(600), "en-US")

        with pytest.raises(Died):
            asyncio.run(whole())
        assert pool.leases[0].closed

    def test_the_next_utterance_has_a_process_of_its_own(self) -> None:
        pool, ear, _ = streaming()

        async def two() -> None:
            await ear.hypothesis(utterance(300, 0), "en-US")
            await ear.hypothesis(utterance(300, 1), "en-US")

        asyncio.run(two())
        assert [lease.closed for lease in pool.leases] == [True, False]

    def test_closing_gives_the_process_back(self) -> None:
        pool, ear, _ = streaming()
        asyncio.run(ear.hypothesis(utterance(300), "en-US"))
        ear.close()
        ear.close()
        assert pool.free == 2
