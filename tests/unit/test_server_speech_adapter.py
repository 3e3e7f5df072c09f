"""What the adapters of the speech dialects make of a request."""

from __future__ import annotations

import pytest

from protocol.rejection import Rejected, Rejection
from protocol.speech.messages import V1, V2
from protocol.speech.server.policy import Policy
from protocol.speech.server.session import ServerSession
from protocol.wire import Close, Headers, HttpRequest
from reference_server.auth import Authority
from reference_server.engines.scripted import ScriptedEngine
from reference_server.opening import Opening
from reference_server.policy import Limits, Settings
from reference_server.speech import Speech

KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)
ID = "0123456789abcdef0123456789abcdef"
SETTINGS = Settings(secret=b"secret", speech=Policy(idle_s=50.0))
# A token that is made when the tests are collected must not expire before they run, however long that takes.
AUTHORITY = Authority(SETTINGS.keys, SETTINGS.secret, clock=lambda: 1_000_000.0)
TOKEN = AUTHORITY.issue("test-key")
TIME = [0.0]


def speech(name: str = V2, settings: Settings = SETTINGS) -> Speech:
    return Speech(name, settings, AUTHORITY, ScriptedEngine(), lambda: TIME[0])


def admit(query: str = "", headers: Headers = KEY, adapter: Speech | None = None, client: str | None = ID) -> Opening:
    identity = (("X-ConnectionId", client),) if client is not None else ()
    return (adapter or speech()).admit(HttpRequest("GET", f"/speech/universal/v2?{query}", (*headers, *identity)))


def refusal(
    query: str = "", headers: Headers = KEY, adapter: Speech | None = None, client: str | None = ID
) -> Rejection:
    with pytest.raises(Rejected) as caught:
        admit(query, headers, adapter, client)
    return caught.value.rejection


class TestCredentials:
    """speech.auth.*"""

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            ("", KEY),
            ("Ocp-Apim-Subscription-Key=test-key", ()),
            ("", (("Authorization", f"Bearer {TOKEN}"),)),
            (f"Authorization=Bearer%20{TOKEN}", ()),
            ("", (("Authorization", f"Bearer aad#/subscriptions/x#{TOKEN}"),)),
            (f"Authorization=Bearer+aad%23x%23{TOKEN}", ()),
            ("", (("Authorization", TOKEN),)),
            (f"Authorization={TOKEN}", ()),
        ],
    )
    def test_have_four_places(self, query: str, headers: Headers) -> None:
        assert isinstance(admit(query, headers), Opening)

    @pytest.mark.parametrize(
        ("query", "headers"), [("", ()), ("access_token=x&subscription-key=test-key", ()), ("Authorization=", ())]
    )
    def test_without_any_the_status_is_401(self, query: str, headers: Headers) -> None:
        rejection = refusal(query, headers)
        assert (rejection.status, rejection.code) == (401, "Unauthorized")
        assert "got none" in rejection.message

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            ("", (("Ocp-Apim-Subscription-Key", "wrong"),)),
            ("Ocp-Apim-Subscription-Key=test-key", (("Ocp-Apim-Subscription-Key", "wrong"),)),
            ("", (("Authorization", "Bearer wrong"),)),
            ("", (("Authorization", f"Basic {TOKEN}"),)),
            ("", (("Authorization", f"Bearer aad#{TOKEN}#wrong"),)),
            ("", (("Authorization", f"Bearer x#y#{TOKEN}"),)),
            ("Authorization=wrong", ()),
        ],
    )
    def test_that_are_wrong_give_403(self, query: str, headers: Headers) -> None:
        rejection = refusal(query, headers)
        assert (rejection.status, rejection.code) == (403, "Forbidden")
        assert "not valid" in rejection.message
        assert "wrong" not in rejection.message

    def test_come_before_parameters(self) -> None:
        assert [refusal(headers=headers, client="x").status for headers in ((), KEY)] == [401, 400]
        assert refusal(client=None).parameter == "X-ConnectionId"


class TestSession:
    @pytest.mark.parametrize("name", [V1, V2])
    def test_is_of_its_dialect_with_its_policy(self, name: str) -> None:
        session = admit("from=en-US&to=de", adapter=speech(name)).session(100.0)
        assert isinstance(session, ServerSession)
        assert (session.request.dialect, session.request.source) == (name, "en-US")
        assert session.next_deadline == 150.0

    def test_the_shell_knows_how_to_close_over_its_head(self) -> None:
        opening = admit()
        assert opening.flooded == Close(1007, "too much traffic that carries no message")
        assert opening.failed == Close(1011, "the server failed")


class TestReconnects:
    """The limit of connections with one connection id."""

    def test_is_20_within_10_s(self) -> None:
        adapter = speech()
        TIME[0] = 1000.0
        for _ in range(20):
            admit(adapter=adapter)
        rejection = refusal(adapter=adapter, client=ID.upper())
        assert (rejection.status, rejection.code, rejection.retry_after_s) == (429, "TooManyRequests", 10)
        assert admit(adapter=adapter, client="f" * 32)
        TIME[0] = 1010.0
        assert admit(adapter=adapter)

    def test_counts_nobody_without_a_credential(self) -> None:
        adapter = speech(settings=Settings(limits=Limits(reconnects=1)))
        assert [refusal(headers=(), adapter=adapter).status for _ in range(3)] == [401] * 3
        assert admit(adapter=adapter)
        assert refusal(adapter=adapter).status == 429


class TestPlain:
    """speech.endpoint.redirect-lookup, upgrade-required."""

    def test_nobody_finds_an_url_in_a_body_of_v2(self) -> None:
        answer = speech(V2).plain(HttpRequest("GET", "/stt/speech/universal/v2?GenerateRedirectResponse=true", ()))
        assert answer is not None
        assert answer.status == 404

    def test_of_v1_has_the_usual_answer(self) -> None:
        assert speech(V1).plain(HttpRequest("GET", "/speech/translation/cognitiveservices/v1", ())) is None


class TestTable:
    def test_each_knows_its_paths(self) -> None:
        assert speech(V1).paths == ("/speech/translation/cognitiveservices/v1",)
        assert speech(V2).paths == ("/stt/speech/universal/v2", "/speech/universal/v2")

    def test_the_redirect_is_that_of_the_settings(self) -> None:
        assert speech().redirect is None
        assert speech(settings=Settings(redirect="ws://x")).redirect == "ws://x"
