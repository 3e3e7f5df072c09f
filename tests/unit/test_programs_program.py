"""A conversation as data: its JSON form, its parts, what is special about it, and what can go."""

from __future__ import annotations

import json

import pytest

from conformance.feeds.searching import draw
from conformance.programs.forms import FORMS, OPTIONAL, REQUESTS, by_itself, taken, without_each
from conformance.programs.mistakes import BESIDE, MISTAKES
from conformance.programs.program import Program, Step, Talk, from_json, to_json
from conformance.programs.reducing import reductions
from conformance.strategies.drawing import Able
from conformance.strategies.speech import conversations
from protocol import requirements
from protocol.wire import Party

CONFIG = Step(0, "config")


def turn(number: int = 0, talk: int = 0, *, ends: bool = True) -> tuple[Step, ...]:
    opens = (Step(talk, "context", number), Step(talk, "header", number))
    return (*opens, Step(talk, "end", number), Step(talk, "await", number, "turn.end", 1)) if ends else opens


def program(*steps: Step, talks: int = 1) -> Program:
    return Program("speech-v2", (Talk(("interactive",)),) * talks, steps)


class TestTheJsonForm:
    def test_leaves_out_what_is_empty(self) -> None:
        made = program(CONFIG, Step(0, "header", 1, form="split", at=(3, 4)))
        assert to_json(made)["steps"] == [
            {"talk": 0, "does": "config"},
            {"talk": 0, "does": "header", "turn": 1, "form": "split", "at": [3, 4]},
        ]

    def test_of_all_that_is_drawn_is_read_back(self) -> None:
        for made in draw(conversations("speech-v2", Able()), 3, 100):
            assert from_json(json.loads(json.dumps(to_json(made)))) == made


class TestParts:
    def test_a_connection_alone_takes_as_long_and_ends_with_a_look(self) -> None:
        made = program(
            Step(0, "config"),
            Step(1, "config"),
            Step(0, "pause", count=30),
            Step(0, "await", 0, "turn.end", 1),
            Step(1, "close"),
            talks=2,
        )
        pauses = [Step(0, "pause", count=30), Step(0, "pause", count=10), Step(0, "pause", count=100)]
        assert made.alone(1).steps == (CONFIG, *pauses, Step(0, "ping"))
        assert len(made.alone(1).talks) == 1

    def test_a_turn_alone_keeps_the_context_that_holds_in_it(self) -> None:
        later = (Step(0, "header", 1), Step(0, "end", 1))
        alone = program(CONFIG, *turn(0), *later).only_turn(0, 1)
        assert alone.steps == (CONFIG, Step(0, "context"), Step(0, "header"), Step(0, "end"))

    def test_one_turn_alone_is_the_first_one(self) -> None:
        assert program(CONFIG, *turn(0), *turn(1)).only_turn(0, 1).steps == (CONFIG, *turn(0))

    def test_without_what_was_abandoned(self) -> None:
        made = program(CONFIG, *turn(0), *turn(1, ends=False), *turn(2))
        assert made.without_abandoned(0).steps == (CONFIG, *turn(0), *turn(2))

    def test_what_comes_before_a_mistake(self) -> None:
        wrong = Step(0, "event", wrong="no-path")
        assert program(CONFIG).before_wrong is None
        found = program(CONFIG, wrong, *turn()).before_wrong
        assert found is not None
        assert found.steps == (CONFIG, Step(0, "pause", count=100), Step(0, "ping"))


class TestForms:
    @pytest.mark.parametrize("folder", FORMS)
    def test_name_requirements_of_the_server(self, folder: str) -> None:
        names = {name for name, _ in FORMS[folder].values()} | set(REQUESTS[folder].values())
        names |= set(OPTIONAL[folder].values()) | {BESIDE[folder]}
        names |= {mistake.requirement for mistake in MISTAKES[folder].values()}
        assert {requirements.get(f"{folder}.{name}").party for name in names} == {Party.SERVER}

    @pytest.mark.parametrize("folder", MISTAKES)
    def test_mistakes_break_requirements_of_the_client(self, folder: str) -> None:
        names = {mistake.breaks for mistake in MISTAKES[folder].values()}
        assert {requirements.get(f"{folder}.{name}").party for name in names} == {Party.CLIENT}

    def test_are_taken_away_kind_by_kind_and_then_what_is_optional(self) -> None:
        ordered, report = Step(0, "telemetry", form="order", at=(5,)), Step(0, "telemetry")
        made = Program("speech-v2", (Talk((), "header"),), (CONFIG, ordered, report))
        plain = Program("speech-v2", (Talk(()),), made.steps)
        assert without_each(made) == [
            ("speech.handshake.extra-headers", plain),
            ("speech.read.header-order", Program("speech-v2", made.talks, (CONFIG, report, report))),
            ("speech.telemetry.tolerated", Program("speech-v2", made.talks, (CONFIG,))),
        ]
        assert taken(made) == {name for name, _ in without_each(made)}

    def test_of_a_step_that_has_to_be_there_are_none(self) -> None:
        assert by_itself(program(CONFIG), CONFIG) == ""
        assert by_itself(program(CONFIG), Step(0, "config", what="again")) == "speech.config.repeated"


class TestReductions:
    def test_a_turn_goes_and_leaves_its_context_to_one_that_has_none(self) -> None:
        later = (Step(0, "header", 1), Step(0, "end", 1))
        found = list(reductions(program(CONFIG, *turn(0), *later)))
        assert program(CONFIG, Step(0, "context", 1), *later) in found

    def test_leave_out_connections_turns_and_sounds(self) -> None:
        sound = Step(0, "audio", 1, "silence", 20)
        made = program(CONFIG, *turn(0), *turn(1)[:2], sound, *turn(1)[2:], Step(1, "config"), talks=2)
        found = list(reductions(made))
        assert program(*made.steps[:-1]) in found
        assert program(CONFIG, *turn(1)[:2], sound, *turn(1)[2:], Step(1, "config"), talks=2) in found
        assert program(*(step for step in made.steps if step != sound), talks=2) in found
        assert all(shorter.size < made.size for shorter in found)

    def test_leave_the_mistake_and_what_it_needs(self) -> None:
        wrong = Step(0, "context", 1, wrong="reused-id")
        made = program(CONFIG, *turn(0), wrong, Step(1, "config"), talks=2)
        found = list(reductions(made))
        assert program(*made.steps[:-1]) in found
        assert all(shorter.wrong == wrong and shorter.steps[:5] == made.steps[:5] for shorter in found)

    def test_leave_the_silence_that_ends_speech_as_long_as_that_is_there(self) -> None:
        speech = (Step(0, "audio", what="speech"), Step(0, "audio", what="silence", count=2600))
        assert list(reductions(program(CONFIG, *speech))) == [program(CONFIG)]

    def test_leave_out_an_utterance_with_its_silence_and_its_wait(self) -> None:
        def said(number: int) -> tuple[Step, ...]:
            speech, silence = (
                Step(0, "audio", what="speech", count=number),
                Step(0, "audio", what="silence", count=2600),
            )
            return speech, silence, Step(0, "await", what="final", count=number)

        found = list(reductions(program(*said(1), *said(2), *said(3))))
        assert program(*said(1), *said(3)[:2], *said(2)[2:]) in found
        assert program(*said(2)[:2], *said(1)[2:], *said(3)[:2], *said(2)[2:]) in found
