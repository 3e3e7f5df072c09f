"""Which request goes where, and in which order it is refused."""

from __future__ import annotations

import json

import pytest

from protocol.translator.handshake import build_target
from protocol.wire import Headers, HttpRequest, HttpResponse, header
from reference_server.control import CONTROL_BODY_LIMIT, RECEIVED_PATH, SCRIPT_PATH
from reference_server.engines.scripted import ScriptedEngine
from reference_server.journal import Journal
from reference_server.policy import Settings
from reference_server.routing import Router, Upgrade

PEER = ("127.0.0.1", 5000)
KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)
WEBSOCKET = (
    ("Host", "localhost"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
)
GOOD = build_target(source="en-US", target="pt")
BAD = build_target(source="xx", target="pt")


def router(*, control: bool = False) -> Router:
    return Router(Settings(control=control), ScriptedEngine(), Journal(1, 1), lambda: 0.0, lambda: 7)


def ask(
    method: str, target: str, headers: Headers = (("Host", "localhost"),), *, control: bool = False
) -> HttpResponse:
    answer = router(control=control).answer(HttpRequest(method, target, headers), PEER)
    assert isinstance(answer, HttpResponse)
    return answer


def without(name: str, *instead: tuple[str, str]) -> Headers:
    return (*(pair for pair in WEBSOCKET if pair[0] != name), *instead)


class TestSession:
    @pytest.mark.parametrize("target", [GOOD, GOOD.replace("/speech/translate", "/SPEECH/Translate")])
    def test_is_opened_by_a_good_upgrade(self, target: str) -> None:
        answer = router().answer(HttpRequest("GET", target, (*WEBSOCKET, *KEY)), PEER)
        assert isinstance(answer, Upgrade)
        assert answer.response.status == 101
        assert header(answer.response.headers, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert answer.dialect.name == "translator"

    def test_neither_sub_protocol_nor_extension_is_chosen(self) -> None:
        offered = (("Sec-WebSocket-Protocol", "usp"), ("Sec-WebSocket-Extensions", "permessage-deflate"))
        answer = router().answer(HttpRequest("GET", GOOD, (*WEBSOCKET, *offered, *KEY)), PEER)
        assert isinstance(answer, Upgrade)
        assert not {name for name, _ in answer.response.headers} & {name for name, _ in offered}

    def test_a_long_credential_is_no_obstacle(self) -> None:
        headers = (*WEBSOCKET, ("X-ClientTraceId", "a" * 12_000), *KEY)
        assert isinstance(router().answer(HttpRequest("GET", GOOD, headers), PEER), Upgrade)

    @pytest.mark.parametrize(
        ("method", "target", "headers", "status"),
        [
            ("POST", "/elsewhere", (), 404),
            ("POST", BAD, (), 405),
            ("GET", BAD, (), 426),
            ("HEAD", BAD, (*WEBSOCKET, *KEY), 426),
            ("GET", BAD, without("Upgrade"), 426),
            ("GET", BAD, without("Connection", ("Connection", "close")), 426),
            ("GET", BAD, without("Sec-WebSocket-Version", ("Sec-WebSocket-Version", "8")), 426),
            ("GET", BAD, without("Sec-WebSocket-Key"), 400),
            ("GET", BAD, without("Sec-WebSocket-Key", ("Sec-WebSocket-Key", "short")), 400),
            ("GET", BAD, WEBSOCKET, 401),
            ("GET", BAD, (*WEBSOCKET, *KEY), 400),
            ("OPTIONS", BAD, (), 200),
        ],
    )
    def test_is_refused_by_the_first_check_that_fails(
        self, method: str, target: str, headers: Headers, status: int
    ) -> None:
        assert ask(method, target, headers).status == status

    def test_a_426_says_what_to_upgrade_to(self) -> None:
        headers = ask("GET", GOOD).headers
        assert header(headers, "Upgrade") == "websocket"
        assert header(headers, "Sec-WebSocket-Version") == "13"

    def test_a_404_says_what_there_is(self) -> None:
        message = json.loads(ask("GET", "/").body)["error"]["message"]
        assert message == (
            "path: expected one of /speech/translate, /speech/translation/cognitiveservices/v1, "
            "/stt/speech/universal/v2, /speech/universal/v2, /languages, /sts/v1.0/issueToken, /speechwire/health"
        )


SPEECH_V1, SPEECH_V2 = "/speech/translation/cognitiveservices/v1", "/stt/speech/universal/v2"
CONNECTION = (("X-ConnectionId", "0123456789abcdef0123456789ABCDEF"),)


class TestSpeech:
    @pytest.mark.parametrize(
        ("target", "dialect"),
        [
            (SPEECH_V1, "speech-v1"),
            (SPEECH_V1.upper(), "speech-v1"),
            (SPEECH_V2, "speech-v2"),
            ("/speech/Universal/V2", "speech-v2"),
        ],
    )
    def test_has_several_paths(self, target: str, dialect: str) -> None:
        answer = router().answer(HttpRequest("GET", target, (*WEBSOCKET, *KEY, *CONNECTION)), PEER)
        assert isinstance(answer, Upgrade)
        assert (answer.response.status, answer.dialect.name) == (101, dialect)

    @pytest.mark.parametrize(
        ("method", "target", "headers", "status"),
        [
            ("GET", f"{SPEECH_V2}?GenerateRedirectResponse=true", (), 404),
            ("HEAD", SPEECH_V2, (), 404),
            ("POST", SPEECH_V2, (), 405),
            ("OPTIONS", SPEECH_V2, (), 200),
            ("GET", SPEECH_V2, without("Sec-WebSocket-Key"), 400),
            ("GET", SPEECH_V1, (), 426),
            ("GET", SPEECH_V1, WEBSOCKET, 401),
            ("GET", SPEECH_V1, (*WEBSOCKET, ("Ocp-Apim-Subscription-Key", "wrong")), 403),
            ("GET", SPEECH_V1, (*WEBSOCKET, *KEY), 400),
        ],
    )
    def test_is_refused_by_the_first_check_that_fails(
        self, method: str, target: str, headers: Headers, status: int
    ) -> None:
        assert ask(method, target, headers).status == status

    @pytest.mark.parametrize(
        ("offered", "agreed"),
        [
            ((), None),
            (("USP",), "USP"),
            (("usp",), "usp"),
            (("chat, Usp, usp",), "Usp"),
            (("chat", "usp"), "usp"),
            (("chat",), None),
        ],
    )
    def test_the_sub_protocol_is_agreed_on_if_it_is_offered(self, offered: tuple[str, ...], agreed: str | None) -> None:
        headers = (*WEBSOCKET, *KEY, *CONNECTION, *(("Sec-WebSocket-Protocol", value) for value in offered))
        answer = router().answer(HttpRequest("GET", SPEECH_V2, headers), PEER)
        assert isinstance(answer, Upgrade)
        assert header(answer.response.headers, "Sec-WebSocket-Protocol") == agreed


class TestRedirect:
    def ask(self, target: str, headers: Headers, base: str = "wss://elsewhere:8443") -> HttpResponse | Upgrade:
        there = Router(Settings(redirect=base), ScriptedEngine(), Journal(1, 1), lambda: 0.0, lambda: 7)
        return there.answer(HttpRequest("GET", target, headers), PEER)

    @pytest.mark.parametrize("path", [SPEECH_V1, SPEECH_V2, "/speech/universal/v2"])
    @pytest.mark.parametrize("base", ["wss://elsewhere:8443", "ws://[::1]:80/"])
    def test_names_the_other_server_with_path_and_query_as_they_came(self, path: str, base: str) -> None:
        target = f"{path}?from=&To=de%2Cfr&Authorization=Bearer%20t"
        answer = self.ask(target, WEBSOCKET, base)
        assert isinstance(answer, HttpResponse)
        assert answer.status == 307
        assert header(answer.headers, "Location") == f"{base.rstrip('/')}{target}"

    @pytest.mark.parametrize(
        ("target", "headers", "status"),
        [(SPEECH_V2, (), 404), (SPEECH_V1, (), 426), (SPEECH_V2, without("Sec-WebSocket-Key"), 307), (GOOD, KEY, 426)],
    )
    def test_is_for_upgrades_of_the_speech_dialects(self, target: str, headers: Headers, status: int) -> None:
        answer = self.ask(target, headers)
        assert isinstance(answer, HttpResponse)
        assert answer.status == status

    def test_leaves_translator_here(self) -> None:
        assert isinstance(self.ask(GOOD, (*WEBSOCKET, *KEY)), Upgrade)


class TestOthers:
    def test_languages(self) -> None:
        assert "zh-Hans" in json.loads(ask("GET", "/LANGUAGES").body)["text"]

    def test_tokens(self) -> None:
        assert ask("POST", "/sts/V1.0/issuetoken", KEY).status == 200

    def test_health(self) -> None:
        assert json.loads(ask("GET", "/speechwire/health").body) == {
            "status": "ok",
            "engine": "scripted",
            "sessions": 7,
        }
        assert ask("OPTIONS", "/speechwire/health").status == 200
        assert ask("DELETE", "/speechwire/health").status == 405

    @pytest.mark.parametrize("path", [SCRIPT_PATH, RECEIVED_PATH])
    def test_control_is_there_only_if_wanted(self, path: str) -> None:
        assert ask("GET", path).status == 404
        assert ask("GET", path, control=True).status == 200


class TestBodies:
    def test_only_control_takes_large_ones(self) -> None:
        script = HttpRequest("PUT", SCRIPT_PATH, ())
        assert router().body_limit(script) == 4096
        assert router(control=True).body_limit(script) == CONTROL_BODY_LIMIT
        assert router(control=True).body_limit(HttpRequest("POST", "/sts/v1.0/issueToken", ())) == 4096


class TestSettings:
    def test_show_no_secret(self) -> None:
        shown = repr(Settings(keys=("a-very-secret-key",), secret=b"a-very-secret-secret"))
        assert "secret-key" not in shown
        assert "secret-secret" not in shown

    def test_each_server_has_a_secret_of_its_own(self) -> None:
        assert Settings().secret != Settings().secret
