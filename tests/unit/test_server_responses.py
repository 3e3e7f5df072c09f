"""The shape that all plain-HTTP answers of the reference server share."""

from __future__ import annotations

import json

import pytest

from protocol.rejection import Rejection
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.responses import method_not_allowed, preflight, refuse


def ask(fields: str | None) -> HttpResponse:
    headers = (("access-control-request-headers", fields),) if fields is not None else ()
    return preflight(HttpRequest("OPTIONS", "/languages", headers), ("GET", "OPTIONS"))


class TestRefuse:
    def test_a_page_of_any_origin_can_read_why(self) -> None:
        response = refuse(Rejection(400, "InvalidParameter", "why", "to"), (("Allow", "GET"),))
        assert response.status == 400
        assert header(response.headers, "Content-Type") == "application/json; charset=utf-8"
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        assert header(response.headers, "Access-Control-Expose-Headers") == "X-RequestId"
        assert header(response.headers, "Allow") == "GET"
        assert header(response.headers, "Retry-After") is None
        assert header(response.headers, "WWW-Authenticate") is None
        assert json.loads(response.body)["error"]["parameter"] == "to"

    def test_a_401_names_a_scheme(self) -> None:
        assert header(refuse(Rejection(401, "Unauthorized", "why")).headers, "WWW-Authenticate") == "Bearer"

    def test_one_for_now_says_when_to_try_again(self) -> None:
        response = refuse(Rejection(429, "TooManyRequests", "why", retry_after_s=10))
        assert header(response.headers, "Retry-After") == "10"

    def test_a_405_names_the_methods(self) -> None:
        response = method_not_allowed("PUT", ("GET", "OPTIONS"))
        assert response.status == 405
        assert header(response.headers, "Allow") == "GET, OPTIONS"
        assert json.loads(response.body)["error"] == {
            "code": "MethodNotAllowed",
            "message": "method: expected one of GET, OPTIONS, got PUT",
        }


class TestPreflight:
    """Requirement translator.languages.cors."""

    @pytest.mark.parametrize("fields", ["Authorization", "content-type, x-clienttraceid,Accept-Language"])
    def test_a_page_may_send_the_fields_that_it_asks_for(self, fields: str) -> None:
        response = ask(fields)
        assert (response.status, response.body) == (200, b"")
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        assert header(response.headers, "Access-Control-Allow-Methods") == "GET, OPTIONS"
        assert header(response.headers, "Access-Control-Allow-Headers") == fields

    @pytest.mark.parametrize("fields", [None, "", "a\r\nSet-Cookie: x", "a b", "é", "a,"])
    def test_what_is_no_list_of_fields_is_not_sent_back(self, fields: str | None) -> None:
        assert header(ask(fields).headers, "Access-Control-Allow-Headers") == "*"
