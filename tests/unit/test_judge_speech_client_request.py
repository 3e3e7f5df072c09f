"""What a client asks for: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.client_request import RULES, as_instance
from conformance.judge.speech.reading import View
from protocol.wire import Headers, HttpRequest, Party
from tests.unit.speech_transcript import CONNECTION, UPGRADE, V1, V2, SpeechTalk

BENCH = Bench(View, RULES)
KEY = ("Ocp-Apim-Subscription-Key", "k")
SOCKET = ("Upgrade", "WebSocket")


def asked(query: str = "", headers: Headers = UPGRADE, dialect: str = V2, **more: str) -> SpeechTalk:
    return SpeechTalk(dialect).connect(query, headers, **more)


def said(talk: SpeechTalk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


class TestPath:
    @pytest.mark.parametrize("path", ["/stt/speech/universal/v2", "/speech/universal/v2", "/a/speech/universal/v2"])
    def test_of_the_dialect_is_kept(self, path: str) -> None:
        assert said(asked(path=path), "path") == ["kept"]

    @pytest.mark.parametrize("path", ["/", "/speech/universal/v1", "/speech/Universal/v2"])
    def test_of_another_is_told(self, path: str) -> None:
        assert said(asked(path=path), "path") == [f"{path}; expected /stt/speech/universal/v2 or /speech/universal/v2"]


class TestNothing:
    def test_is_said_of_a_plain_request_or_one_made_wrong(self) -> None:
        plain = SpeechTalk()
        plain.ask(headers=()).answer(404)
        for talk in (SpeechTalk(), plain, asked(headers=(), path="/", deliberate="speech.client.path")):
            assert talk.places(BENCH, Party.CLIENT) == {}


class TestConnectionId:
    def test_in_either_place_is_kept(self) -> None:
        dashed = "01234567-89ab-cdef-0123-456789abcdef"
        for talk in (asked(), asked(f"X-ConnectionId={CONNECTION}", (SOCKET,)), asked(f"x-connectionid={dashed}", ())):
            assert said(talk, "connection-id") == said(talk, "query-form") == ["kept"]

    @pytest.mark.parametrize("query", ["", "X-ConnectionId=", "X-ConnectionId=123"])
    def test_that_is_none_is_told(self, query: str) -> None:
        assert said(asked(query, (SOCKET,)), "connection-id") != ["kept"]

    def test_of_the_header_wins(self) -> None:
        assert said(asked("X-ConnectionId=123"), "connection-id") == ["kept"]


class TestQueryForm:
    @pytest.mark.parametrize(
        "query",
        ["from", "from=en-US&to=de,fr&to=it", "profanity=Masked&scenario=CONVERSATION&x=y", "features=texttospeech"],
    )
    def test_of_real_clients_is_kept(self, query: str) -> None:
        assert said(asked(query), "query-form") == ["kept"]

    @pytest.mark.parametrize(
        "query", ["from=english_us", "from=en-US&from=de-DE", "profanity=some", "initialSilenceTimeoutMs=5s"]
    )
    def test_of_nobody_is_told(self, query: str) -> None:
        assert said(asked(query), "query-form") != ["kept"]

    def test_is_written_in_the_schemas_spelling(self) -> None:
        request = HttpRequest(
            "GET", "/?FROM=&To=de,fr&SCENARIO=Interactive&voice=v&voice=w&q=1&Features=RequireVoice", ()
        )
        assert as_instance(request) == {
            "to": ["de", "fr"],
            "scenario": "interactive",
            "voice": ["v", "w"],
            "features": ["requireVoice"],
        }


class TestCredentials:
    @pytest.mark.parametrize("field", [KEY, ("authorization", "Bearer t")])
    def test_in_a_header_are_kept(self, field: tuple[str, str]) -> None:
        talk = asked(headers=(SOCKET, field))
        assert said(talk, "credentials") == said(talk, "credentials-header") == ["kept"]

    @pytest.mark.parametrize("query", ["Ocp-Apim-Subscription-Key=k", "Authorization=Bearer%20t"])
    def test_in_the_query_are_kept_and_told(self, query: str) -> None:
        talk = asked(query, (SOCKET,))
        assert said(talk, "credentials") == ["kept"]
        assert said(talk, "credentials-header") == ["one in the query; expected the credential in a header field alone"]

    def test_none_are_broken(self) -> None:
        talk = asked("Authorization=", (SOCKET, ("Authorization", " ")))
        assert said(talk, "credentials") == ["neither; expected a key or a token"]
        assert said(talk, "credentials-header") == []


class TestLanguages:
    @pytest.mark.parametrize("query", ["from=en-US&to=de", "from&to=de", "FROM=en-US&TO=de"])
    def test_in_the_query_are_kept(self, query: str) -> None:
        assert said(asked(query, dialect=V1), "query-language") == ["kept"]

    @pytest.mark.parametrize(("query", "lacks"), [("", "from"), ("from=en-US", "to")])
    def test_that_are_missing_are_told(self, query: str, lacks: str) -> None:
        assert said(asked(query, dialect=V1), "query-language") == [f"no {lacks}; expected from and to in the query"]
