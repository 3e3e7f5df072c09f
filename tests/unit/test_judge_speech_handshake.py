"""What every answer to an HTTP request has to be: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.handshake import RULES
from conformance.judge.speech.reading import View
from protocol.wire import Headers
from tests.unit.speech_transcript import PATHS, UPGRADE, V2, SpeechTalk

BENCH = Bench(View, RULES)
KEY = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
ACCEPT = ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")  # the example of RFC 6455
LOOKUP = "GenerateRedirectResponse=true"


def asked(
    *more: tuple[str, str],
    status: int = 101,
    headers: Headers = (),
    query: str = "",
    dialect: str = V2,
    body: bytes = b"",
) -> SpeechTalk:
    talk = SpeechTalk(dialect)
    talk.ask(query=query, path=PATHS[dialect], headers=(*UPGRADE, *more)).answer(status, headers, body)
    return talk


class TestAccepted:
    """speech.handshake.accept, sub-protocol-*, compression-offer."""

    @pytest.mark.parametrize("headers", [(ACCEPT,), ()])
    def test_a_101_is_kept(self, headers: Headers) -> None:
        assert asked(KEY, headers=headers).said(BENCH, "handshake.accept") == ["kept"]

    def test_a_101_without_a_key_to_prove_is_kept(self) -> None:
        assert asked(headers=(ACCEPT,)).said(BENCH, "handshake.accept") == ["kept"]

    def test_a_101_for_another_key_is_broken(self) -> None:
        assert asked(KEY, headers=(("Sec-WebSocket-Accept", "x"),)).said(BENCH, "handshake.accept") == [
            f"x; expected Sec-WebSocket-Accept {ACCEPT[1]}"
        ]

    def test_a_refusal_shows_nothing(self) -> None:
        assert asked(status=401).said(BENCH, "handshake.accept") == []

    @pytest.mark.parametrize("chosen", [(), (("Sec-WebSocket-Protocol", "usp"),)])
    def test_a_sub_protocol_may_be_chosen_of_those_offered(self, chosen: Headers) -> None:
        talk = asked(("Sec-WebSocket-Protocol", "USP"), headers=chosen)
        assert talk.said(BENCH, "handshake.sub-protocol-offered") == ["kept"]

    def test_another_one_is_broken(self) -> None:
        chosen = (("Sec-WebSocket-Protocol", "soap"),)
        assert asked(("Sec-WebSocket-Protocol", "USP"), headers=chosen).wrong(BENCH) == [
            "handshake.sub-protocol-offered"
        ]
        assert asked(headers=chosen).said(BENCH, "handshake.sub-protocol-absent") == [
            "soap; expected no sub-protocol that was not offered"
        ]
        assert asked().said(BENCH, "handshake.sub-protocol-absent") == ["kept"]

    def test_an_extension_may_be_chosen_of_those_offered(self) -> None:
        offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
        name = "handshake.compression-offer"
        assert asked(offer).said(BENCH, name) == ["kept"]
        assert asked(offer, headers=(("Sec-WebSocket-Extensions", "permessage-deflate"),)).said(BENCH, name) == ["kept"]
        assert asked(offer, headers=(("Sec-WebSocket-Extensions", "x-zip"),)).said(BENCH, name) == [
            "x-zip; expected no extension that was not offered"
        ]
        assert asked().said(BENCH, name) == []


class TestRedirects:
    NAME = "endpoint.redirect-absolute"

    def to(self, location: str | None, status: int = 307, query: str = "from=en-US&to=de") -> list[str]:
        headers = () if location is None else (("Location", location),)
        return asked(status=status, headers=headers, query=query).said(BENCH, self.NAME)

    @pytest.mark.parametrize("status", [301, 307, 308])
    def test_to_a_whole_url_are_kept(self, status: int) -> None:
        assert self.to("WSS://other.test/path?to=de&x=1&from=en-US", status) == ["kept"]
        assert self.to("ws://other.test", status, "") == ["kept"]

    @pytest.mark.parametrize("location", ["/path?from=en-US&to=de", "http://other.test/", "ws:///", None])
    def test_to_less_are_broken(self, location: str | None) -> None:
        assert self.to(location)[0].endswith("expected an absolute ws or wss URL")

    def test_without_the_query_are_broken(self) -> None:
        assert self.to("ws://other.test/?from=en-US") == ["it lacks to; expected the whole query in Location"]

    def test_of_other_statuses_and_requests_show_nothing(self) -> None:
        assert self.to("/", 302) == []
        talk = SpeechTalk()
        talk.ask(query="", path="/", headers=()).answer(307)
        assert talk.said(BENCH, self.NAME) == []
        assert SpeechTalk().places(BENCH) == {}


class TestRefused:
    NAME = "endpoint.other-status"

    @pytest.mark.parametrize("status", [400, 503])
    def test_with_an_error_is_kept(self, status: int) -> None:
        assert asked(status=status).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize("status", [200, 204, 302])
    def test_with_anything_else_is_told(self, status: int) -> None:
        assert asked(status=status).said(BENCH, self.NAME) == [f"{status}; expected 101, a redirect, or 400 and above"]

    def test_a_redirect_and_a_101_show_nothing(self) -> None:
        assert asked(status=308).said(BENCH, self.NAME) == asked().said(BENCH, self.NAME) == []


class TestPlain:
    """speech.endpoint.redirect-lookup, upgrade-required."""

    def get(self, query: str = LOOKUP, status: int = 404, body: bytes = b"", **more: Any) -> SpeechTalk:
        talk = SpeechTalk()
        talk.ask(query=query, **{"path": PATHS[V2], **more}, headers=()).answer(status, (), body)
        return talk

    @pytest.mark.parametrize(
        ("status", "body"), [(404, b"no"), (401, b""), (200, b"https://other.test/v2"), (200, b" wss://o.test\n")]
    )
    def test_a_lookup_may_find_nothing_or_a_url(self, status: int, body: bytes) -> None:
        assert self.get(status=status, body=body).said(BENCH, "endpoint.redirect-lookup") == ["kept"]

    @pytest.mark.parametrize("body", [b"", b"hello", b"/path", b"https://", b"https://a b"])
    def test_a_lookup_that_finds_anything_else_is_broken(self, body: bytes) -> None:
        found = self.get(status=200, body=body).said(BENCH, "endpoint.redirect-lookup")
        assert found[0].endswith("expected another status, or a URL as the body")

    def test_another_get_is_told_to_upgrade(self) -> None:
        assert self.get("", 426).said(BENCH, "endpoint.upgrade-required") == ["kept"]
        assert self.get("", 200).said(BENCH, "endpoint.upgrade-required") == ["200; expected status 426"]

    def test_another_path_or_method_shows_nothing(self) -> None:
        assert self.get(path="/health").places(BENCH) == {}
        assert self.get(method="POST").places(BENCH) == {}


class TestSecrets:
    NAME = "auth.secret-hidden"

    def test_that_stay_hidden_are_kept(self) -> None:
        talk = asked(status=401, headers=(("Location", "ws://x/?Ocp-Apim-Subscription-Key=s3cret-key"),), body=b"no")
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_that_are_repeated_are_told(self) -> None:
        assert asked(status=401, body=b"bad s3cret-key").said(BENCH, self.NAME) == [
            "one in the response; expected no credential"
        ]
        talk = asked(query="Authorization=Bearer%20long-token")
        talk.server_closes(1008, "long-token is over").client_closes()
        assert talk.said(BENCH, self.NAME) == ["kept", "one in the reason of the close; expected no credential"]

    def test_that_are_short_or_absent_show_nothing(self) -> None:
        talk = SpeechTalk()
        talk.ask(query="Ocp-Apim-Subscription-Key=abc", headers=()).answer(401, (), b"abc")
        assert talk.said(BENCH, self.NAME) == []

    def test_of_a_request_without_an_answer_show_nothing(self) -> None:
        talk = SpeechTalk()
        talk.ask(headers=UPGRADE)
        assert talk.said(BENCH, self.NAME) == []
