"""How a connection ends: each finding from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.judge.findings import Bench
from conformance.judge.translator.closing import RULES
from conformance.judge.translator.reading import View
from conformance.judge.verdict import Verdict
from conformance.transcript import Ending
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
CLIENT, SERVER = Party.CLIENT, Party.SERVER


def verdicts(talk: Talk) -> list[Verdict | None]:
    return [found.verdict for found in BENCH.judge(talk.transcript(), SERVER) if not found.kept]


class TestEcho:
    """translator.close.echo: the client's close is answered."""

    NAME = "close.echo"

    @pytest.mark.parametrize("code", [1000, 1001, 4999])
    def test_any_answer_is_kept(self, talk: Talk, code: int) -> None:
        assert talk.open().client_closes().server_closes(code).said(BENCH, self.NAME) == ["kept"]

    def test_none_in_time_is_broken_gravely(self, talk: Talk) -> None:
        talk.open().client_closes().expired("the server's close frame", 5.0).ended(CLIENT, Ending.GIVEN_UP)
        assert talk.said(BENCH, self.NAME) == ["nothing for 5.0 s; expected a close frame"]
        assert verdicts(talk) == [Verdict.VIOLATION]

    @pytest.mark.parametrize("how", [Ending.EOF, Ending.RESET])
    def test_the_end_of_the_connection_instead_is_broken(self, talk: Talk, how: Ending) -> None:
        talk.open().client_closes().ended(SERVER, how)
        assert talk.said(BENCH, self.NAME) == [f"the connection ended ({how.value}); expected a close frame"]
        assert verdicts(talk) == [None]

    def test_a_client_that_does_not_wait_shows_nothing(self, talk: Talk) -> None:
        assert talk.open().client_closes().ended(CLIENT, Ending.GIVEN_UP).said(BENCH, self.NAME) == []
        assert talk.open().client_closes().said(BENCH, self.NAME) == []

    def test_a_close_of_the_server_comes_first_is_no_answer(self, talk: Talk) -> None:
        assert talk.open().server_closes().client_closes().said(BENCH, self.NAME) == []

    def test_without_a_close_of_the_client_nothing_is_said(self, talk: Talk) -> None:
        assert talk.open().server_closes().said(BENCH, self.NAME) == []

    def test_without_a_conversation_nothing_is_said(self, talk: Talk) -> None:
        assert talk.ask().answer(400).client_closes().ended().said(BENCH, self.NAME) == []


class TestStartedByServer:
    """translator.close.listed-code, reason, label."""

    @pytest.mark.parametrize("code", [1000, 1001, 1003, 1011])
    def test_a_documented_code_is_kept(self, talk: Talk, code: int) -> None:
        assert talk.open().server_closes(code, "x").said(BENCH, "close.listed-code") == ["kept"]

    @pytest.mark.parametrize("code", [1002, 1005, 1007, 4000])
    def test_another_code_is_broken(self, talk: Talk, code: int) -> None:
        assert talk.open().server_closes(code, "x").said(BENCH, "close.listed-code") == [
            f"{code}; expected close code 1000, 1001, 1003 or 1011"
        ]

    def test_a_reason_is_kept(self, talk: Talk) -> None:
        assert talk.open().server_closes(1002, "because").said(BENCH, "close.reason") == ["kept"]

    def test_none_is_broken(self, talk: Talk) -> None:
        talk.open().server_closes()
        assert talk.said(BENCH, "close.reason") == ["an empty one; expected a reason"]
        assert talk.said(BENCH, "close.label") == []

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (1000, "Normal closure: idle"),
            (1001, "Endpoint Unavailable"),
            (1003, "invalid message type!"),
            (1011, "INTERNAL SERVER ERROR"),
        ],
    )
    def test_the_documented_label_is_kept(self, talk: Talk, code: int, reason: str) -> None:
        assert talk.open().server_closes(code, reason).said(BENCH, "close.label") == ["kept"]

    def test_another_beginning_is_broken(self, talk: Talk) -> None:
        assert talk.open().server_closes(1000, "bye").said(BENCH, "close.label") == [
            "'bye'; expected a reason that begins with 'normal closure'"
        ]

    def test_a_code_without_a_label_needs_none(self, talk: Talk) -> None:
        assert talk.open().server_closes(1002, "bye").said(BENCH, "close.label") == []

    def test_an_answer_to_the_client_needs_nothing(self, talk: Talk) -> None:
        talk.open().client_closes().server_closes(1002)
        for name in ("listed-code", "reason", "label"):
            assert talk.said(BENCH, f"close.{name}") == []

    def test_that_the_client_answers_it_changes_nothing(self, talk: Talk) -> None:
        assert talk.open().server_closes(1000, "x").client_closes().said(BENCH, "close.listed-code") == ["kept"]


class TestFraming:
    """translator.session.framing: WebSocket to the end."""

    NAME = "session.framing"

    def test_a_close_frame_before_the_end_is_kept(self, talk: Talk) -> None:
        assert talk.open().final().server_closes().ended().said(BENCH, self.NAME) == ["kept"]

    def test_bytes_that_are_not_websocket_are_broken(self, talk: Talk) -> None:
        talk.open().ended(SERVER, Ending.UNREADABLE, "incorrect masking").ended()
        assert talk.said(BENCH, self.NAME) == ["incorrect masking; expected WebSocket frames"]
        assert verdicts(talk) == [None]

    @pytest.mark.parametrize("how", [Ending.EOF, Ending.RESET])
    def test_an_end_out_of_nowhere_is_broken_gravely(self, talk: Talk, how: Ending) -> None:
        talk.open().final().ended(SERVER, how)
        assert talk.said(BENCH, self.NAME) == [
            f"the connection ended ({how.value}); expected a close frame before the end of the connection"
        ]
        assert verdicts(talk) == [Verdict.VIOLATION]

    def test_an_end_behind_the_clients_close_is_another_requirements_matter(self, talk: Talk) -> None:
        assert talk.open().client_closes().ended().said(BENCH, self.NAME) == []

    def test_a_client_that_ends_it_shows_nothing(self, talk: Talk) -> None:
        assert talk.open().final().ended(CLIENT, Ending.GIVEN_UP).said(BENCH, self.NAME) == []

    def test_without_a_conversation_nothing_is_said(self, talk: Talk) -> None:
        assert talk.ask().answer(401).ended().said(BENCH, self.NAME) == []


class TestPlaces:
    """Findings stand at the entry that shows them."""

    def test_of_an_answered_close(self, talk: Talk) -> None:
        talk.open().client_closes().server_closes().ended()
        assert talk.places(BENCH) == {"close.echo": [3], "session.framing": [4]}

    def test_of_a_close_that_was_waited_for(self, talk: Talk) -> None:
        talk.open().client_closes().barrier().expired("the server's close frame").ended(CLIENT)
        assert talk.places(BENCH) == {"close.echo": [4]}

    def test_of_an_end_instead_of_a_close(self, talk: Talk) -> None:
        assert talk.open().client_closes().barrier().ended().places(BENCH) == {"close.echo": [4]}
        talk.entries.pop(2)
        assert talk.places(BENCH) == {"session.framing": [3]}

    def test_of_a_close_of_the_server(self, talk: Talk) -> None:
        talk.open().server_closes(1000, "x").client_closes().ended()
        assert talk.places(BENCH) == {
            "close.listed-code": [2],
            "close.reason": [2],
            "close.label": [2],
            "session.framing": [4],
        }
