from __future__ import annotations

from typing import get_args

import schemas
from protocol.speech import messages
from protocol.speech.messages import STATUSES, Final, Interim, ServerMessage, TurnStart
from protocol.speech.parsing import READERS
from protocol.speech.words import word_of


def test_every_value_is_a_message_of_the_order_or_of_another_path() -> None:
    kinds = {kind for kind in get_args(ServerMessage) if kind is not messages.Other}
    told = (TurnStart(), Interim("", 0, 0), Final("Success", 0, 0), messages.TurnEnd())
    assert {type(one) for one in told} < kinds
    assert len({word_of(one) for one in told}) == len(told)


def test_the_statuses_are_those_of_the_schema() -> None:
    phrase = schemas.read("speech/translation-phrase")["properties"]["RecognitionStatus"]
    assert tuple(phrase["enum"]) == STATUSES


def test_each_result_has_one_shape_in_every_dialect() -> None:
    assert [path for path in READERS if path.startswith("translation.") and not path.endswith("end")] == [
        "translation.hypothesis",
        "translation.phrase",
        "translation.response",
    ]
