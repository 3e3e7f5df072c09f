"""What a client asks for in its upgrade request: each finding from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.translator.client_request import RULES
from conformance.judge.translator.reading import View
from conformance.judge.verdict import Verdict
from protocol.wire import Headers, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
GUID = "8f1ddc4c-2f1f-4b3c-9c1e-0a4ed1f0c6b7"
KEY, TOKEN = ("Ocp-Apim-Subscription-Key", "s3cret"), ("Authorization", "Bearer s3cret")
BASE = "api-version=1.0&from=en-US&to=it"


def said(talk: Talk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


def verdict(talk: Talk, name: str) -> Verdict | None:
    (found,) = [
        found
        for found in BENCH.judge(talk.transcript(), Party.CLIENT)
        if found.requirement == f"translator.client.{name}"
    ]
    return found.verdict


class TestQuery:
    """The documented parameters, by the schema of the query."""

    def test_a_good_one_keeps_what_is_always_there(self, talk: Talk) -> None:
        talk.ask(query=BASE, headers=())
        for name in ("api-version", "source-key", "target-key"):
            assert said(talk, name) == ["kept"]
        for name in ("features-known", "voice-known", "format-known", "profanity-known", "trace-id-guid"):
            assert said(talk, name) == []

    @pytest.mark.parametrize(
        ("name", "more"),
        [
            ("features-known", "features=partial,TEXTTOSPEECH"),
            ("voice-known", "voice=it-IT-Elsa"),
            ("format-known", "format=audio/mp3"),
            ("profanity-known", "profanityaction=Marked&ProfanityMarker=Tag"),
            ("profanity-known", "ProfanityMarker=Tag"),
            ("trace-id-guid", f"x-clienttraceid={GUID}"),
            ("correlation-id", "X-CorrelationId=a.b_c-1"),
        ],
    )
    def test_what_is_given_is_kept_once(self, talk: Talk, name: str, more: str) -> None:
        assert said(talk.ask(query=f"{BASE}&{more}"), name)[-1:] == ["kept"]

    @pytest.mark.parametrize(
        ("name", "query", "seen"),
        [
            ("api-version", BASE.replace("1.0", "2.0"), '"2.0"; expected "1.0" at /api-version'),
            ("source-key", BASE.replace("en-US", "English"), '"English"; expected a key of the form en-US at /from'),
            ("source-key", "api-version=1.0&to=it", "nothing; expected a key of the form en-US at /from"),
            ("target-key", f"{BASE}&to=fr", "an array of 2; expected a string at /to"),
            ("features-known", f"{BASE}&features=Partial,Fast", '"Fast"; expected "TextToSpeech" or "Partial"'),
            ("voice-known", f"{BASE}&voice=Elsa", '"Elsa"; expected a key of the form it-IT-Elsa at /voice'),
            ("format-known", f"{BASE}&format=wav", '"wav"; expected "audio/wav" or "audio/mp3" at /format'),
            ("profanity-known", f"{BASE}&ProfanityAction=x&ProfanityMarker=y", '"x"; expected "NoAction" or'),
            ("trace-id-guid", f"{BASE}&X-ClientTraceId=1", '"1"; expected a GUID at /X-ClientTraceId'),
            ("correlation-id", f"{BASE}&X-CorrelationId=a%20b", '"a b"; expected 1 to 64 ASCII letters'),
        ],
    )
    def test_what_is_wrong_is_broken_once(self, talk: Talk, name: str, query: str, seen: str) -> None:
        talk.ask(query=query, headers=())
        (found,) = said(talk, name)
        assert found.startswith(seen)

    def test_headers_stand_in_for_the_query(self, talk: Talk) -> None:
        talk.ask(query=BASE, headers=(("X-ClientTraceId", "17"), ("X-CorrelationId", "c")))
        assert said(talk, "trace-id-guid") == ['"17"; expected a GUID at /X-ClientTraceId']
        assert said(talk, "correlation-id") == ["kept"]

    @pytest.mark.parametrize(
        ("name", "query", "tolerated"),
        [
            ("source-key", BASE.replace("en-US", "en"), True),
            ("source-key", BASE.replace("en-US", "klingon"), False),
            ("source-key", BASE.replace("from=en-US&", ""), False),
            ("source-key", f"{BASE}&from=fr-FR", False),
            ("target-key", BASE.replace("=it", "=it-IT"), True),
            ("target-key", BASE.replace("=it", "=italian"), False),
            ("target-key", f"{BASE}&to=fr", False),
            ("api-version", BASE.replace("api-version=1.0&", ""), True),
            ("api-version", BASE.replace("1.0", "3.0"), False),
            ("features-known", f"{BASE}&features=Partial,FastPartial", True),
            ("features-known", f"{BASE}&features=FastPartial,Slow", False),
            ("voice-known", f"{BASE}&voice=Elsa", False),
        ],
    )
    def test_forms_of_named_clients_are_tolerated(self, talk: Talk, name: str, query: str, tolerated: bool) -> None:
        talk.ask(query=query, headers=())
        assert verdict(talk, name) is (Verdict.NON_STRICT if tolerated else Verdict.VIOLATION)

    def test_every_requirement_of_the_schema_is_declared(self) -> None:
        members: dict[str, Any] = schemas.read("translator/handshake-query")["properties"]
        named = {member["x-requirement"] for member in members.values() if "x-requirement" in member}
        assert named <= BENCH.requirements(Party.CLIENT)


class TestVoiceMatches:
    """translator.client.voice-matches: the voice speaks the language of `to`."""

    NAME = "voice-matches"

    @pytest.mark.parametrize("voice", ["it-IT-Elsa", "IT-it-elsa"])
    @pytest.mark.parametrize("target", ["it", "it-IT"])
    def test_one_that_does_is_kept(self, talk: Talk, voice: str, target: str) -> None:
        talk.ask("texttospeech", query=f"from=en-US&to={target}&voice={voice}")
        assert said(talk, self.NAME) == ["kept"]

    @pytest.mark.parametrize("target", ["fr", "nowhere"])
    def test_one_that_does_not_is_broken(self, talk: Talk, target: str) -> None:
        talk.ask("TextToSpeech", query=f"from=en-US&to={target}&voice=it-it-elsa")
        assert said(talk, self.NAME) == [f"it-IT-Elsa; expected a voice that speaks {target}"]

    @pytest.mark.parametrize(
        ("features", "query"),
        [
            ("Partial", "to=fr&voice=it-IT-Elsa"),
            ("TextToSpeech", "to=fr"),
            ("TextToSpeech", "to=fr&voice=it-IT-Nobody"),
            ("TextToSpeech", "voice=it-IT-Elsa"),
        ],
    )
    def test_what_will_not_be_spoken_shows_nothing(self, talk: Talk, features: str, query: str) -> None:
        assert said(talk.ask(features, query=query), self.NAME) == []


class TestCredentials:
    """translator.client.credentials, credentials-once."""

    @pytest.mark.parametrize(
        ("headers", "query"),
        [
            ((KEY,), BASE),
            ((TOKEN,), BASE),
            ((), f"{BASE}&subscription-key=s3cret"),
            ((), f"{BASE}&access_token=s3cret"),
            ((KEY, ("Authorization", "  ")), f"{BASE}&access_token="),
        ],
    )
    def test_one_in_one_place_is_kept(self, talk: Talk, headers: Headers, query: str) -> None:
        talk.ask(query=query, headers=headers)
        assert said(talk, "credentials") == ["kept"]
        assert said(talk, "credentials-once") == ["kept"]

    def test_none_is_broken(self, talk: Talk) -> None:
        talk.ask(headers=(("Ocp-Apim-Subscription-Key", ""),))
        assert said(talk, "credentials") == ["neither; expected a token or a key"]
        assert said(talk, "credentials-once") == []

    def test_several_are_broken_and_not_shown(self, talk: Talk) -> None:
        talk.ask(query=f"{BASE}&access_token=s3cret", headers=(KEY, TOKEN))
        assert said(talk, "credentials") == ["kept"]
        assert said(talk, "credentials-once") == [
            "Authorization and Ocp-Apim-Subscription-Key and access_token; expected one credential"
        ]


class TestTraceId:
    """translator.client.trace-id."""

    @pytest.mark.parametrize(
        ("headers", "query"), [((("x-clienttraceid", "1"),), BASE), ((), f"{BASE}&x-clientTraceId=1")]
    )
    def test_one_in_either_place_is_kept(self, talk: Talk, headers: Headers, query: str) -> None:
        assert said(talk.ask(query=query, headers=headers), "trace-id") == ["kept"]

    def test_none_is_broken(self, talk: Talk) -> None:
        assert said(talk.ask(headers=(("X-ClientTraceId", ""),)), "trace-id") == [
            "neither; expected X-ClientTraceId in a header or in the query"
        ]


class TestSubprotocol:
    """translator.client.no-subprotocol."""

    def test_none_is_kept(self, talk: Talk) -> None:
        assert said(talk.ask(), "no-subprotocol") == ["kept"]

    def test_one_is_broken(self, talk: Talk) -> None:
        assert said(talk.ask(headers=(("sec-websocket-protocol", "usp"),)), "no-subprotocol") == [
            "usp; expected no sub-protocol"
        ]


class TestSilence:
    @pytest.mark.parametrize("path", ["/languages", "/sts/v1.0/issueToken"])
    def test_other_requests_are_not_judged(self, talk: Talk, path: str) -> None:
        assert BENCH.judge(talk.ask(path=path, query="").transcript(), Party.CLIENT) == ()

    def test_nothing_is_said_where_nothing_was_asked(self, talk: Talk) -> None:
        assert BENCH.judge(talk.answer().transcript(), Party.CLIENT) == ()

    def test_a_refused_request_is_judged_too(self, talk: Talk) -> None:
        assert said(talk.ask().answer(400), "source-key") == ["kept"]

    def test_other_requests_have_no_voice_to_match(self, talk: Talk) -> None:
        talk.ask("TextToSpeech", path="/languages", query="to=fr&voice=it-IT-Elsa")
        assert said(talk, "voice-matches") == []

    @pytest.mark.parametrize("voice", ["it-IT-Elsa", "fr-FR-Julie"])
    @pytest.mark.parametrize(
        "headers", [(), (KEY,), (KEY, TOKEN, ("X-ClientTraceId", GUID), ("Sec-WebSocket-Protocol", "usp"))]
    )
    def test_findings_stand_at_the_request(self, talk: Talk, voice: str, headers: Headers) -> None:
        talk.barrier().ask("TextToSpeech", query=f"{BASE}&voice={voice}", headers=headers).barrier()
        places = talk.places(BENCH, Party.CLIENT)
        assert len(places) >= 8
        assert {at for found in places.values() for at in found} == {1}
