"""What every answer to an upgrade request has to be: each finding from both sides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance.judge.findings import Bench
from conformance.judge.translator.handshake import RULES
from conformance.judge.translator.reading import View
from protocol.wire import Headers, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
GUID = "8f1ddc4c-2f1f-4b3c-9c1e-0a4ed1f0c6b7"
NO_BODY = "a body that describes what is wrong"


def identity(value: str) -> Headers:
    return (("x-requestid", value),)


class TestRequestId:
    """translator.handshake.request-id: the documented one, of a 101."""

    NAME = "handshake.request-id"

    def test_of_a_101_with_a_value_is_kept(self, talk: Talk) -> None:
        assert talk.ask().answer(headers=identity("17")).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize(("headers", "seen"), [((), "nothing"), (identity(""), "''")])
    def test_of_a_101_without_one_is_broken(self, talk: Talk, headers: Headers, seen: str) -> None:
        assert talk.ask().answer(headers=headers).said(BENCH, self.NAME) == [
            f"{seen}; expected a header X-RequestId with a value"
        ]

    def test_is_no_matter_of_other_responses(self, talk: Talk) -> None:
        assert talk.ask().answer(400, headers=()).said(BENCH, self.NAME) == []


class TestRequestIdOnErrors:
    """translator.handshake.request-id-on-errors: ours, of every response, and it is a GUID."""

    NAME = "handshake.request-id-on-errors"

    @pytest.mark.parametrize("value", [GUID, GUID.upper(), f"{{{GUID}}}", GUID.replace("-", "")])
    @pytest.mark.parametrize("status", [101, 401])
    def test_a_guid_is_kept(self, talk: Talk, value: str, status: int) -> None:
        assert talk.ask().answer(status, headers=identity(value)).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize("status", [101, 401])
    def test_anything_else_is_broken(self, talk: Talk, status: int) -> None:
        assert talk.ask().answer(status, headers=identity("17")).said(BENCH, self.NAME) == [
            "'17'; expected a header X-RequestId with a GUID"
        ]

    def test_none_on_an_error_is_broken(self, talk: Talk) -> None:
        assert talk.ask().answer(401, headers=()).said(BENCH, self.NAME) == [
            "nothing; expected a header X-RequestId with a GUID"
        ]

    def test_none_on_a_101_is_reported_as_the_documented_requirement_alone(self, talk: Talk) -> None:
        assert talk.ask().answer(headers=()).said(BENCH, self.NAME) == []


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("handshake.no-subprotocol", "Sec-WebSocket-Protocol"),
        ("handshake.no-extension", "Sec-WebSocket-Extensions"),
    ],
)
class TestNothingUnasked:
    """translator.handshake.no-subprotocol, no-extension."""

    def test_none_is_kept_whether_offered_or_not(self, talk: Talk, name: str, field: str) -> None:
        assert talk.ask(headers=((field, "usp"),)).answer().said(BENCH, name) == ["kept"]

    @pytest.mark.parametrize("chosen", ["usp", "USP", "usp; level=1"])
    @pytest.mark.parametrize("offered", ["usp", "chat, usp;level", "chat,Usp"])
    def test_one_that_was_offered_is_kept(self, talk: Talk, name: str, field: str, offered: str, chosen: str) -> None:
        talk.ask(headers=((field, offered),)).answer(headers=((field.lower(), chosen),))
        assert talk.said(BENCH, name) == ["kept"]

    @pytest.mark.parametrize("offered", ["", "chat", "usps, us, chat; usp"])
    def test_one_that_was_not_is_broken(self, talk: Talk, name: str, field: str, offered: str) -> None:
        talk.ask(headers=((field, offered),)).answer(headers=((field, "usp"),))
        assert talk.said(BENCH, name) == [f"usp; expected no {field} that was not offered"]

    def test_an_empty_choice_is_broken(self, talk: Talk, name: str, field: str) -> None:
        assert talk.ask().answer(headers=((field, ""),)).said(BENCH, name) == [
            f"; expected no {field} that was not offered"
        ]

    def test_a_refusal_selects_nothing(self, talk: Talk, name: str, field: str) -> None:
        assert talk.ask().answer(400, headers=((field, "usp"),)).said(BENCH, name) == []


class TestErrorDescription:
    """translator.handshake.error-description: a 400 says what is wrong."""

    NAME = "handshake.error-description"

    def test_any_body_is_kept(self, talk: Talk) -> None:
        assert talk.ask().answer(400, body=b"no such language").said(BENCH, self.NAME) == ["kept"]

    def test_a_blank_one_is_broken(self, talk: Talk) -> None:
        assert talk.ask().answer(400, body=b"\r\n").said(BENCH, self.NAME) == [f"an empty body; expected {NO_BODY}"]

    @pytest.mark.parametrize("status", [101, 302, 401, 404])
    def test_other_responses_need_none(self, talk: Talk, status: int) -> None:
        assert talk.ask().answer(status).said(BENCH, self.NAME) == []


class TestErrorBody:
    """translator.handshake.error-body: ours, the JSON form of a refusal."""

    NAME = "handshake.error-body"

    @pytest.mark.parametrize("status", [400, 401, 404, 503])
    def test_the_form_is_kept(self, talk: Talk, status: int) -> None:
        body = json.dumps({"error": {"code": "InvalidParameter", "message": "no"}}).encode()
        assert talk.ask().answer(status, body=body).said(BENCH, self.NAME) == ["kept"]

    def test_another_form_is_broken_where_it_differs(self, talk: Talk) -> None:
        assert talk.ask().answer(400, body=b'{"error": {"code": "x"}}').said(BENCH, self.NAME) == [
            "nothing; expected a string at /error/message"
        ]

    @pytest.mark.parametrize(
        ("body", "seen"), [(b"<h1>No</h1>", "'<h1>No</h1>'"), (b"", "''"), (b"\xff", "'\ufffd'"), (b"[" * 99_999, "'[")]
    )
    def test_no_json_is_broken(self, talk: Talk, body: bytes, seen: str) -> None:
        (said,) = talk.ask().answer(400, body=body).said(BENCH, self.NAME)
        assert said.startswith(seen)
        assert said.endswith("; expected a JSON object with the member error")

    @pytest.mark.parametrize("status", [101, 200, 302])
    def test_what_is_no_refusal_needs_none(self, talk: Talk, status: int) -> None:
        assert talk.ask().answer(status, body=b"hi").said(BENCH, self.NAME) == []


class TestSilence:
    @pytest.mark.parametrize("path", ["/languages", "/sts/v1.0/issueToken"])
    def test_other_services_have_rules_of_their_own(self, talk: Talk, path: str) -> None:
        talk.ask(path=path, query="").answer(400, headers=())
        assert BENCH.judge(talk.transcript(), Party.SERVER) == ()

    def test_nothing_is_said_where_nothing_was_answered(self, talk: Talk) -> None:
        assert BENCH.judge(talk.transcript(), Party.SERVER) == ()
        assert BENCH.judge(talk.ask().transcript(), Party.SERVER) == ()

    def test_nothing_is_said_of_an_answer_to_nothing(self, talk: Talk) -> None:
        assert BENCH.judge(talk.answer().transcript(), Party.SERVER) == ()

    @pytest.mark.parametrize("status", [101, 400])
    def test_findings_stand_at_the_response(self, talk: Talk, status: int) -> None:
        talk.barrier().ask().answer(status, headers=(("Sec-WebSocket-Protocol", "usp"),), body=b"no").barrier()
        places = talk.places(BENCH)
        assert len(places) == 3
        assert {at for found in places.values() for at in found} == {2}
