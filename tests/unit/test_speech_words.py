"""Which word of the order table a server's message is."""

from __future__ import annotations

import typing

import pytest

from protocol.speech import messages, order
from protocol.speech.messages import (
    EndDetected,
    Final,
    Interim,
    Other,
    ServerMessage,
    StartDetected,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    TurnEnd,
    TurnStart,
)
from protocol.speech.order import TABLES
from protocol.speech.words import word_of
from protocol.wire import Party

WORDS: dict[ServerMessage, str] = {
    TurnStart("tag"): order.TURN_START,
    StartDetected(0): order.START_DETECTED,
    EndDetected(0): order.END_DETECTED,
    Interim("a", 0, 1): order.INTERIM,
    Final("Success", 0, 1, "a"): order.FINAL,
    SynthesisStart("1", "de"): order.VOICE_START,
    SynthesisChunk(None, b"x"): order.CHUNK,
    SynthesisChunk("1", b"x"): order.STREAM_CHUNK,
    SynthesisEnd("1", "Success"): order.VOICE_END,
    TurnEnd(): order.TURN_END,
}


class TestWord:
    @pytest.mark.parametrize(("message", "word"), WORDS.items())
    def test_is_what_the_message_does(self, message: ServerMessage, word: str) -> None:
        assert word_of(message) == word

    @pytest.mark.parametrize("status", messages.STATUSES)
    def test_is_final_whatever_the_status(self, status: str) -> None:
        assert word_of(Final(status, 0, 1)) == order.FINAL

    def test_of_a_message_that_the_protocol_does_not_know_is_none(self) -> None:
        with pytest.raises(KeyError, match="news"):
            word_of(Other("news"))

    def test_there_is_one_for_every_other_message(self) -> None:
        assert {*map(type, WORDS), Other} == set(typing.get_args(ServerMessage))

    @pytest.mark.parametrize("dialect", TABLES)
    def test_all_but_the_close_of_the_table_are_used(self, dialect: str) -> None:
        refused = {row.message for row in TABLES[dialect].refusals if row.party is Party.SERVER}
        assert {*TABLES[dialect].messages(Party.SERVER), *refused} - {order.CLOSE} == set(WORDS.values())
