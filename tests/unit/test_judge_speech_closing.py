"""How a connection ends, and what must not be answered: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.closing import RULES
from conformance.judge.speech.reading import View
from conformance.transcript import Ending, Vantage
from protocol.wire import Party
from tests.unit.speech_transcript import ONE, TWO, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


class TestAnswer:
    """speech.close.answer, no-data-after."""

    NAME = "close.answer"

    def test_a_close_frame_is_kept(self, talk: SpeechTalk) -> None:
        talk.client_closes().server_closes()
        assert talk.said(BENCH, self.NAME) == talk.said(BENCH, "close.no-data-after") == ["kept"]

    def test_none_in_time_is_broken(self, talk: SpeechTalk) -> None:
        talk.client_closes().expired("the server's close frame", 5.0)
        assert talk.said(BENCH, self.NAME) == ["nothing for 5.0 s; expected a close frame (violation)"]

    def test_the_end_instead_is_broken(self, talk: SpeechTalk) -> None:
        talk.client_closes().ended(Party.SERVER, Ending.RESET)
        assert talk.said(BENCH, self.NAME) == ["the connection ended (reset); expected a close frame"]

    def test_an_end_of_the_client_or_none_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.client_closes()
        assert talk.said(BENCH, self.NAME) == []
        talk.ended(Party.CLIENT)
        assert talk.said(BENCH, self.NAME) == []

    def test_a_close_that_the_server_starts_is_none(self, talk: SpeechTalk) -> None:
        talk.server_closes().client_closes()
        assert talk.said(BENCH, self.NAME) == []

    def test_without_a_conversation_nothing_is_said(self) -> None:
        talk = SpeechTalk()
        talk.ask(path="/").answer(404).client_closes().server_closes().ended()
        assert talk.places(BENCH) == {}

    def test_a_message_behind_it_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().server_closes(1001).client_closes()
        talk.done()
        assert talk.said(BENCH, "close.no-data-after") == ["a message; expected nothing behind the close"]


class TestFraming:
    NAME = "close.framing"

    def test_a_close_frame_is_kept(self, talk: SpeechTalk) -> None:
        talk.server_closes().ended()
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_what_is_not_websocket_is_broken(self, talk: SpeechTalk) -> None:
        talk.ended(Party.SERVER, Ending.UNREADABLE, "reserved bits")
        assert talk.said(BENCH, self.NAME) == ["reserved bits; expected WebSocket frames"]

    @pytest.mark.parametrize(
        ("vantage", "verdict"),
        [(Vantage.CLIENT, "violation"), (Vantage.MIDDLE, "non-strict"), (Vantage.SERVER, "non-strict")],
    )
    def test_an_end_out_of_nowhere_is_broken_gravely_beside_the_client(self, vantage: Vantage, verdict: str) -> None:
        talk = SpeechTalk(vantage=vantage).connect()
        talk.ended(Party.SERVER)
        assert talk.said(BENCH, self.NAME)[0].endswith(f"({verdict})")

    def test_other_ends_show_nothing(self, talk: SpeechTalk) -> None:
        assert talk.said(BENCH, self.NAME) == []
        talk.ended(Party.CLIENT)
        assert talk.said(BENCH, self.NAME) == []
        closed = SpeechTalk().connect()
        closed.client_closes().ended(Party.SERVER)
        assert closed.said(BENCH, self.NAME) == []
        provoked = SpeechTalk().connect().tells("event", deliberate=MARK)
        provoked.ended(Party.SERVER)
        assert provoked.said(BENCH, self.NAME) == []


class TestCodes:
    """speech.close.listed-code, reason."""

    @pytest.mark.parametrize("code", [1000, 1007, 1012, 4429])
    def test_that_clients_know_are_kept(self, talk: SpeechTalk, code: int) -> None:
        talk.server_closes(code, "because")
        assert talk.said(BENCH, "close.listed-code") == ["kept"]

    @pytest.mark.parametrize("code", [1005, 1006, 3000, 4001])
    def test_others_are_told(self, talk: SpeechTalk, code: int) -> None:
        talk.server_closes(code)
        assert talk.said(BENCH, "close.listed-code") == [f"{code}; expected a code that clients know"]

    def test_an_error_has_a_reason(self, talk: SpeechTalk) -> None:
        talk.server_closes(1007)
        assert talk.said(BENCH, "close.reason") == ["an empty one; expected a reason"]
        talk.entries.pop()
        talk.server_closes(1007, "x")
        assert talk.said(BENCH, "close.reason") == ["kept"]
        talk.entries.pop()
        talk.server_closes(1000)
        assert talk.said(BENCH, "close.reason") == []

    def test_an_answer_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.client_closes().server_closes(1005)
        assert talk.said(BENCH, "close.listed-code") == []


class TestMoments:
    """speech.close.idle-1000, mid-turn-not-1000, behind-turn-end."""

    @pytest.mark.parametrize(("code", "said"), [(1000, "kept"), (1001, "1001; expected code 1000")])
    def test_an_idle_connection_is_closed_with_1000(self, talk: SpeechTalk, code: int, said: str) -> None:
        talk.begin().done().tells("telemetry", {}).server_closes(code)
        assert talk.said(BENCH, "close.idle-1000") == [said]
        assert talk.said(BENCH, "close.mid-turn-not-1000") == []

    @pytest.mark.parametrize(("code", "said"), [(1001, "kept"), (1000, "1000; expected a code other than 1000")])
    def test_an_open_turn_is_not(self, talk: SpeechTalk, code: int, said: str) -> None:
        talk.begin().server_closes(code)
        assert talk.said(BENCH, "close.mid-turn-not-1000") == [said]
        assert talk.said(BENCH, "close.idle-1000") == []

    def test_a_turn_that_has_not_started_is_neither(self, talk: SpeechTalk) -> None:
        talk.begin().done().context(identity=TWO).server_closes(1000)
        assert talk.said(BENCH, "close.idle-1000") == talk.said(BENCH, "close.mid-turn-not-1000") == []

    def test_a_connection_without_turns_or_with_provocations_shows_nothing(self, talk: SpeechTalk) -> None:
        talk.config().server_closes(1002)
        assert talk.said(BENCH, "close.idle-1000") == []
        provoked = SpeechTalk().connect().begin().done().tells("event", deliberate=MARK)
        provoked.server_closes(1002)
        assert provoked.said(BENCH, "close.idle-1000") == []

    def test_a_close_leaves_time_to_react(self, talk: SpeechTalk) -> None:
        talk.begin().done().wait(0.9).server_closes(1000)
        assert talk.said(BENCH, "close.behind-turn-end") == ["kept"]

    def test_or_comes_behind_the_reaction(self, talk: SpeechTalk) -> None:
        talk.begin().done().wait(-0.2).tells("telemetry", {}).server_closes(1000)
        assert talk.said(BENCH, "close.behind-turn-end") == ["kept"]

    @pytest.mark.parametrize(("mode", "verdict"), [("Conversation", "violation"), ("Interactive", "non-strict")])
    def test_a_close_at_once_is_broken_most_gravely_in_mid_stream(
        self, talk: SpeechTalk, mode: str, verdict: str
    ) -> None:
        talk.begin(mode).done().wait(-0.1).server_closes(1000)
        (said,) = talk.said(BENCH, "close.behind-turn-end")
        assert said.startswith("a close 0 ms behind; expected the client's telemetry")
        assert said.endswith("(non-strict)") is (verdict == "non-strict")

    def test_a_close_at_once_behind_the_end_of_the_stream_is_told(self, talk: SpeechTalk) -> None:
        talk.begin().stop().done().wait(-0.1).server_closes(1000)
        assert talk.said(BENCH, "close.behind-turn-end")[0].endswith("(non-strict)")


class TestUnanswered:
    """speech.telemetry.unanswered, event.unanswered."""

    def test_what_gets_no_answer_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, TWO).interim().done().tells("telemetry", {}).server_closes()
        assert talk.said(BENCH, "event.unanswered") == talk.said(BENCH, "telemetry.unanswered") == ["kept"]

    def test_what_nothing_comes_behind_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin().done().tells("telemetry", {}).said(BENCH, "telemetry.unanswered") == []

    def test_an_echo_is_an_answer(self, talk: SpeechTalk) -> None:
        talk.begin().done().tells("telemetry", {}).says("telemetry", {})
        assert talk.said(BENCH, "telemetry.unanswered") == ["telemetry; expected no answer"]

    def test_a_message_of_its_id_that_no_turn_has_is_an_answer(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, TWO).says("turn.start", {}, TWO)
        assert talk.said(BENCH, "event.unanswered") == ["turn.start; expected no answer"]

    def test_a_message_of_its_id_that_no_turn_knows_is_an_answer(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, ONE).says("event.ack", {}).done()
        assert talk.said(BENCH, "event.unanswered") == ["event.ack; expected no answer"]

    def test_an_answer_may_have_no_path(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, TWO).replies(f"X-RequestId:{TWO}\r\n\r\n")
        assert talk.said(BENCH, "event.unanswered") == ["a message without a path; expected no answer"]

    def test_the_turn_that_goes_on_is_none(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, ONE).phrase().done()
        assert talk.said(BENCH, "event.unanswered") == ["kept"]
