"""The control endpoint: for the loopback alone, and not for pages of other sites."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.languages import PUBLISHED
from protocol.wire import Headers, HttpRequest, HttpResponse, header
from reference_server.control import CONTROL_BODY_LIMIT, RECEIVED_PATH, SCRIPT_PATH, Control
from reference_server.engines.base import EngineSession, Job
from reference_server.engines.scripted import ScriptedEngine
from reference_server.journal import Journal

HOST = (("Host", "127.0.0.1:80"),)
JSON = (*HOST, ("Content-Type", "application/json"))
SCRIPT = {"defaults": [{"recognition": "Hello."}]}


class Unscripted:
    """An engine without a script."""

    name = "unscripted"
    catalogue = PUBLISHED

    async def start(self) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    def open(self, job: Job) -> EngineSession:
        """Nothing can be opened."""
        raise NotImplementedError(job)


class Endpoint:
    """The endpoint with its engine and journal, asked from the loopback unless said otherwise."""

    def __init__(self) -> None:
        self.engine = ScriptedEngine()
        self.journal = Journal(10, 10)
        self.control = Control(self.engine, self.journal)

    def ask(
        self,
        method: str,
        path: str,
        headers: Headers = HOST,
        body: bytes = b"",
        peer: object = ("127.0.0.1", 5000),
    ) -> HttpResponse:
        return self.control.response(HttpRequest(method, path, headers, body), peer)

    def put(self, document: object, headers: Headers = JSON) -> HttpResponse:
        return self.ask("PUT", SCRIPT_PATH, headers, json.dumps(document).encode())


def error(response: HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)["error"]
    return found


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "peer", [("127.0.0.1", 1), ("127.8.8.8", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0)]
    )
    def test_the_loopback_may(self, peer: object) -> None:
        assert Endpoint().ask("GET", SCRIPT_PATH, peer=peer).status == 200

    @pytest.mark.parametrize(
        "peer", [("192.168.0.7", 1), ("::ffff:10.0.0.1", 1, 0, 0), ("fe80::1%eth0", 1, 0, 2), "/a/socket", "", None, ()]
    )
    def test_nobody_else_may(self, peer: object) -> None:
        response = Endpoint().ask("GET", SCRIPT_PATH, peer=peer)
        assert response.status == 403
        assert error(response)["code"] == "Forbidden"

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]", "[::1]:8080"])
    def test_by_a_name_of_the_loopback(self, host: str) -> None:
        assert Endpoint().ask("GET", SCRIPT_PATH, (("Host", host),)).status == 200

    @pytest.mark.parametrize("headers", [(), (("Host", "evil.example"),), (("Host", "evil.example:80"),)])
    def test_by_no_other_name(self, headers: Headers) -> None:
        assert Endpoint().ask("GET", SCRIPT_PATH, headers).status == 403

    def test_no_page_of_another_origin_may_read(self) -> None:
        response = Endpoint().ask("GET", RECEIVED_PATH)
        assert header(response.headers, "Access-Control-Allow-Origin") is None


class TestScript:
    def test_is_read(self) -> None:
        response = Endpoint().ask("GET", SCRIPT_PATH)
        assert "The train to the airport" in response.body.decode()
        assert header(response.headers, "Content-Type") == "application/json; charset=utf-8"

    def test_is_replaced(self) -> None:
        endpoint = Endpoint()
        assert endpoint.put(SCRIPT) == HttpResponse(204, (("Cache-Control", "no-store"),))
        assert json.loads(endpoint.ask("GET", SCRIPT_PATH).body) == SCRIPT

    def test_the_path_has_no_case(self) -> None:
        assert Endpoint().ask("GET", SCRIPT_PATH.upper()).status == 200

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
    def test_is_taken_only_as_json(self, kind: str | None) -> None:
        endpoint = Endpoint()
        headers = HOST if kind is None else (*HOST, ("Content-Type", kind))
        assert endpoint.put(SCRIPT, headers).status == 415
        assert json.loads(endpoint.ask("GET", SCRIPT_PATH).body) != SCRIPT

    def test_may_name_its_charset(self) -> None:
        headers = (*HOST, ("content-type", "Application/JSON; charset=utf-8"))
        assert Endpoint().put(SCRIPT, headers).status == 204

    def test_that_is_wrong_is_refused_with_the_place(self) -> None:
        endpoint = Endpoint()
        response = endpoint.put({"defaults": [{"recognition": 7}]})
        assert response.status == 400
        assert error(response) == {
            "code": "BadScript",
            "message": "script: /defaults/0/recognition: expected a string, got 7",
        }
        assert endpoint.ask("GET", SCRIPT_PATH).status == 200

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
    def test_that_is_no_json_is_refused(self, body: bytes) -> None:
        response = Endpoint().ask("PUT", SCRIPT_PATH, JSON, body)
        assert response.status == 400
        assert "Traceback" not in response.body.decode()

    def test_that_is_too_large_is_refused(self) -> None:
        declared = (*JSON, ("Content-Length", str(CONTROL_BODY_LIMIT + 1)))
        assert Endpoint().ask("PUT", SCRIPT_PATH, declared).status == 413
        assert Endpoint().ask("PUT", SCRIPT_PATH, JSON, bytes(CONTROL_BODY_LIMIT + 1)).status == 413

    def test_of_another_engine_there_is_none(self) -> None:
        control = Control(Unscripted(), Journal(1, 1))
        response = control.response(HttpRequest("GET", SCRIPT_PATH, HOST), ("::1", 1))
        assert response.status == 404
        assert "'unscripted'" in error(response)["message"]

    def test_other_methods_are_named(self) -> None:
        response = Endpoint().ask("POST", SCRIPT_PATH)
        assert response.status == 405
        assert header(response.headers, "Allow") == "GET, HEAD, PUT"


class TestReceived:
    def test_shows_the_sessions_and_forgets_them(self) -> None:
        endpoint = Endpoint()
        endpoint.journal.open("translator", HttpRequest("GET", "/x", ()), "the-id", 0.0)
        shown = json.loads(endpoint.ask("GET", RECEIVED_PATH).body)
        assert [session["request_id"] for session in shown["sessions"]] == ["the-id"]
        assert endpoint.ask("DELETE", RECEIVED_PATH).status == 204
        assert json.loads(endpoint.ask("GET", RECEIVED_PATH).body) == {"sessions": []}

    def test_other_methods_are_named(self) -> None:
        response = Endpoint().ask("PUT", RECEIVED_PATH)
        assert response.status == 405
        assert header(response.headers, "Allow") == "GET, HEAD, DELETE"
