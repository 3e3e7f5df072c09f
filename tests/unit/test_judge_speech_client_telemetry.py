"""What a client reports behind a turn: each finding from both sides."""

from __future__ import annotations

import re
from typing import Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.speech.client_telemetry import RULES
from conformance.judge.speech.reading import View
from protocol.wire import Party
from tests.unit.speech_transcript import ONE, TWO, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.telemetry"
TIME = "2026-11-22T17:15:20.009Z"
SPAN = {"Start": TIME, "End": TIME}
MICROPHONE = {"Name": "Microphone", **SPAN}
CONNECTED = {"Name": "Connection", "Id": "1", **SPAN}
RECEIVED = [{"turn.start": [TIME]}, {"translation.response": [TIME, TIME]}, {"turn.end": TIME}]
GOOD = {"ReceivedMessages": RECEIVED, "Metrics": [CONNECTED, MICROPHONE]}


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect().begin().interim().phrase().done()


def said(talk: SpeechTalk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


class TestPresence:
    """speech.client.telemetry, telemetry-once."""

    def test_one_behind_turn_end_is_kept(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", GOOD)
        assert said(talk, "telemetry") == said(talk, "telemetry-once") == ["kept"]

    def test_one_before_it_is_none(self) -> None:
        talk = SpeechTalk().connect().begin().tells("telemetry", GOOD).done()
        talk.client_closes()
        assert said(talk, "telemetry") == ["none; expected telemetry behind turn.end"]

    def test_one_that_comes_late_is_kept(self, talk: SpeechTalk) -> None:
        assert said(talk.begin(identity=TWO).tells("telemetry", GOOD, ONE), "telemetry") == ["kept"]

    def test_none_is_told_when_the_client_goes_on(self, talk: SpeechTalk) -> None:
        assert said(talk, "telemetry") == []
        talk.context(identity=TWO)
        assert said(talk, "telemetry") == ["none; expected telemetry behind turn.end"]

    def test_none_is_needed_where_the_server_has_closed(self, talk: SpeechTalk) -> None:
        talk.server_closes().client_closes()
        assert said(talk, "telemetry") == []

    def test_two_are_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", GOOD).tells("telemetry", GOOD)
        assert said(talk, "telemetry-once") == ["2; expected one telemetry message for a turn"]

    def test_of_an_open_or_provoked_turn_is_not_judged(self, talk: SpeechTalk) -> None:
        assert said(SpeechTalk().connect().begin(), "telemetry") == []
        provoked = SpeechTalk().connect().begin().tells("event", deliberate=MARK).done()
        provoked.client_closes()
        assert said(provoked, "telemetry") == []


class TestForms:
    """speech.client.telemetry-form, telemetry-error."""

    def test_of_the_documents_is_kept(self, talk: SpeechTalk) -> None:
        failed = {**CONNECTED, "Error": "Timeout"}
        talk.tells("telemetry", {**GOOD, "Metrics": [failed]})
        assert said(talk, "telemetry-form") == said(talk, "telemetry-error") == ["kept"]

    def test_of_one_object_is_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", {"ReceivedMessages": {"turn.start": [TIME]}, "Metrics": []})
        assert said(talk, "telemetry-form") == ["one object; expected ReceivedMessages as a list of objects"]

    def test_that_is_none_is_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", b"[")
        assert said(talk, "telemetry-form") == ["something else; expected a JSON object"]

    def test_with_a_long_error_is_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", {**GOOD, "Metrics": [{**CONNECTED, "Error": "x" * 51}]})
        assert said(talk, "telemetry-error") != ["kept"]
        assert talk.wrong(BENCH, Party.CLIENT)[0] == "client.telemetry-error"

    def test_with_another_time_is_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", {**GOOD, "Metrics": [{**CONNECTED, "Start": "noon"}]})
        assert "client.telemetry-form" in talk.wrong(BENCH, Party.CLIENT)
        assert "kept" not in said(talk, "telemetry-form")

    def test_that_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("telemetry", b"[", deliberate=MARK), "telemetry-form") == []

    def test_the_rule_names_every_requirement_of_its_schema(self) -> None:
        named = set(re.findall(r"speech\.[a-z]+\.[a-z-]+", str(schemas.read("speech/telemetry"))))
        assert named
        assert named <= set(RULES[1].requirements)


class TestReceived:
    NAME = "telemetry-received"

    @pytest.mark.parametrize(
        "received", [RECEIVED, {"turn.start": [TIME], "translation.response": [TIME, TIME], "turn.end": TIME}]
    )
    def test_every_message_in_either_form_is_kept(self, talk: SpeechTalk, received: Any) -> None:
        assert said(talk.tells("telemetry", {"ReceivedMessages": received}), self.NAME) == ["kept"]

    def test_over_several_messages_is_kept(self, talk: SpeechTalk) -> None:
        for part in RECEIVED:
            talk.tells("telemetry", {"ReceivedMessages": [part]})
        assert said(talk, self.NAME) == ["kept"]

    def test_one_that_is_missing_is_told(self, talk: SpeechTalk) -> None:
        talk.tells("telemetry", {"ReceivedMessages": [RECEIVED[0], {"translation.response": [TIME]}, 7]})
        assert "1; expected 2 times for translation.response" in said(talk, self.NAME)

    def test_fifty_are_enough(self) -> None:
        talk = SpeechTalk().connect().begin()
        for _ in range(60):
            talk.interim()
        received = [{"turn.start": TIME}, {"translation.response": [TIME] * 50}, {"turn.end": TIME}]
        assert said(talk.done().tells("telemetry", {"ReceivedMessages": received}), self.NAME) == ["kept"]

    def test_no_list_shows_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("telemetry", {"Metrics": []}), self.NAME) == []
        provoked = SpeechTalk().connect().begin().tells("event", deliberate=MARK).done()
        assert said(provoked.tells("telemetry", {"ReceivedMessages": []}), self.NAME) == []


class TestMetrics:
    NAME = "telemetry-metrics"

    def test_of_connection_and_microphone_are_kept(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("telemetry", GOOD), self.NAME) == ["kept"]

    @pytest.mark.parametrize(
        ("metrics", "lacks"), [([CONNECTED], "Microphone"), ([MICROPHONE, 7], "Connection"), ({}, "Connection")]
    )
    def test_that_are_missing_are_told(self, talk: SpeechTalk, metrics: Any, lacks: str) -> None:
        talk.tells("telemetry", {"Metrics": metrics})
        assert said(talk, self.NAME) == [f"no {lacks}; expected Connection and Microphone"]

    def test_of_a_later_turn_need_no_connection(self, talk: SpeechTalk) -> None:
        talk.begin(identity=TWO).done(TWO).tells("telemetry", {"Metrics": [MICROPHONE]}, TWO)
        assert said(talk, self.NAME) == ["kept"]

    def test_of_no_telemetry_show_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk, self.NAME) == []
        assert said(talk.tells("telemetry", b"["), self.NAME) == ["no Connection; expected Connection and Microphone"]
