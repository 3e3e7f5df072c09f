"""Conversations that are drawn: legal by the order tables, but for the one mistake of some."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from conformance.feeds.searching import Strategy, draw
from conformance.programs.forms import FORMS, OPTIONAL, REQUESTS, taken
from conformance.programs.mistakes import MISTAKES
from conformance.programs.program import AWAIT, CLOSE, LATE, PAUSE, PING, Program, Step, to_json
from conformance.strategies import speech, translator
from conformance.strategies.drawing import Able
from protocol import requirements
from protocol.order import Conversation
from protocol.speech.order import TABLES
from protocol.translator.order import TABLE
from protocol.wire import Party

CLIENT, SERVER = Party.CLIENT, Party.SERVER
DIALECTS = ("translator", "speech-v1", "speech-v2")
NO_MESSAGE = (PING, PAUSE, LATE)


def strategy(dialect: str, able: Able | None = None) -> Strategy:
    if dialect == "translator":
        return translator.conversations(dialect, able or Able())
    return speech.conversations(dialect, able or Able())


@pytest.fixture(scope="module", params=DIALECTS)
def drawn(request: pytest.FixtureRequest) -> list[Program]:
    return draw(strategy(request.param), 11, 400)


def walked(program: Program, talk: int) -> None:
    """Walk the order table along one connection; raises where a step before the mistake is refused."""
    conversation = Conversation(TABLE if program.dialect == "translator" else TABLES[program.dialect], None)
    for step in (step for step in program.steps if step.talk == talk):
        if step.wrong:
            return
        if step.does == AWAIT and step.what == "turn.end":
            conversation.step(SERVER, "turn.start")
            conversation.step(SERVER, "turn.end")
        elif step.does not in (*NO_MESSAGE, AWAIT):
            conversation.step(CLIENT, step.does)


class TestWhatIsDrawn:
    def test_is_legal_up_to_its_mistake(self, drawn: list[Program]) -> None:
        for program in drawn:
            for talk in range(len(program.talks)):
                walked(program, talk)

    def test_has_one_mistake_at_most(self, drawn: list[Program]) -> None:
        counts = {sum(bool(step.wrong) for step in program.steps) for program in drawn}
        assert counts == {0, 1}

    def test_waits_for_finals_of_what_was_said_alone(self, drawn: list[Program]) -> None:
        for program in drawn:
            said: dict[tuple[int, int], int] = {}
            for step in program.steps:
                place = step.talk, step.turn
                if step.what == "speech":
                    said[place] = said.get(place, 0) + 1
                if step.does == AWAIT and step.what in ("final", "voice"):
                    assert step.count <= said.get(place, 0)

    def test_is_one_connection_or_several(self, drawn: list[Program]) -> None:
        assert {len(program.talks) for program in drawn} == {1, 2, 3}

    def test_says_nothing_behind_a_close(self, drawn: list[Program]) -> None:
        for program in drawn:
            closed: set[int] = set()
            for step in program.steps:
                assert step.talk not in closed
                closed |= {step.talk} if step.does == CLOSE else set()

    def test_has_every_form_and_every_mistake_soon(self) -> None:
        found = [step for program in draw(strategy("speech-v2"), 1, 2000) for step in program.steps]
        assert {step.form for step in found} == {"", *FORMS["speech"]}
        assert {step.wrong for step in found} == {"", *MISTAKES["speech"]}

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_puts_all_that_can_be_put_to_the_test_soon(self, dialect: str) -> None:
        """Every form, every request, and whatever can be left out: what is not drawn would be judged by nobody."""
        folder = requirements.folder(dialect)
        found = {name for program in draw(strategy(dialect), 2, 2000) for name in taken(program)}
        names = {name for name, _ in FORMS[folder].values()} | set(REQUESTS[folder].values())
        assert found == {f"{folder}.{name}" for name in names | set(OPTIONAL[folder].values())}


class TestWhatAServerLacks:
    def test_is_not_drawn(self) -> None:
        able = Able(utterances=0, voice=False, without=frozenset({"commit", "event"}))
        found = draw(strategy("speech-v2", able), 5, 300)
        steps: list[Step] = [step for program in found for step in program.steps]
        assert not {step.does for step in steps} & {"commit", "event"}
        assert "speech" not in {step.what for step in steps}
        assert not any("voice" in talk.asks for program in found for talk in program.talks)

    def test_is_not_asked_for_in_translator_either(self) -> None:
        able = Able(without=frozenset({"partial", "timing"}), voice=False)
        found = draw(strategy("translator", able), 5, 200)
        assert {talk.asks for program in found for talk in program.talks} == {()}


SCRIPT = """
import hashlib, json, {extra}
from conformance.feeds.searching import draw
from conformance.programs.program import to_json
from conformance.strategies import speech
from conformance.strategies.drawing import Able
drawn = draw(speech.conversations("speech-v2", Able()), 7, 200)
print(hashlib.sha256(json.dumps([to_json(one) for one in drawn]).encode()).hexdigest())
"""


class TestTheSameSeed:
    @pytest.mark.parametrize("extra", ["sys", "reference_server.app, tests.unit.test_strategies_programs"])
    def test_gives_the_same_programs_in_another_process_whatever_is_imported(self, extra: str) -> None:
        here = json.dumps([to_json(one) for one in draw(strategy("speech-v2"), 7, 200)])
        there = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(extra=extra)], capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()

    def test_gives_none_twice_and_another_seed_gives_others(self) -> None:
        first = draw(strategy("translator"), 1, 200)
        assert len(set(first)) == len(first)
        assert len(set(first) & set(draw(strategy("translator"), 2, 200))) < 20
