"""Keys, tokens, and the token service."""

from __future__ import annotations

import base64
import json
import re

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.request import Credential, CredentialKind
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.auth import BODY_LIMIT, Authority, token_response

PATH = "/sts/v1.0/issueToken"


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def key(value: str) -> Credential:
    return Credential(CredentialKind.KEY, value, "header")


def token(value: str) -> Credential:
    return Credential(CredentialKind.TOKEN, value, "header")


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(clock: Clock) -> Authority:
    return Authority(["first-key", "clé"], b"secret", clock=clock)


class TestKeys:
    @pytest.mark.parametrize("value", ["first-key", "clé"])
    def test_a_known_key_is_good(self, authority: Authority, value: str) -> None:
        assert authority.accepts(key(value))

    @pytest.mark.parametrize("value", ["", "first-ke", "first-key ", "FIRST-KEY", "other", "\udcff", "x" * 100_000])
    def test_any_other_is_not(self, authority: Authority, value: str) -> None:
        assert not authority.accepts(key(value))

    def test_no_credential_is_not_good(self, authority: Authority) -> None:
        assert not authority.accepts(None)

    def test_an_empty_key_is_never_good(self) -> None:
        assert not Authority([""], b"secret").accepts(key(""))

    def test_a_key_is_no_token(self, authority: Authority) -> None:
        assert not authority.accepts(token("first-key"))

    def test_a_secret_is_needed(self) -> None:
        with pytest.raises(ValueError, match="needs a secret"):
            Authority(["k"], b"")


class TestTokens:
    """Facts K3 and K4."""

    def test_a_token_is_three_base64url_parts_without_the_key(self, authority: Authority) -> None:
        issued = authority.issue("first-key")
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", issued, re.ASCII)
        claims = jwt.decode(issued, options={"verify_signature": False})
        assert (claims["iat"], claims["exp"]) == (1_800_000_000, 1_800_000_600)
        assert "first-key" not in json.dumps(claims)

    def test_it_is_good_for_ten_minutes(self, authority: Authority, clock: Clock) -> None:
        issued = token(authority.issue("first-key"))
        assert authority.accepts(issued)
        clock.now += 599.9
        assert authority.accepts(issued)
        clock.now += 0.1
        assert not authority.accepts(issued)

    def test_another_lifetime_can_be_set(self, clock: Clock) -> None:
        short = Authority(["k"], b"secret", token_lifetime_s=1.5, clock=clock)
        issued = token(short.issue("k"))
        clock.now += 1.4
        assert short.accepts(issued)
        clock.now += 0.1
        assert not short.accepts(issued)

    def test_it_is_good_wherever_the_secret_is_known(self, authority: Authority, clock: Clock) -> None:
        issued = token(authority.issue("first-key"))
        assert Authority([], b"secret", clock=clock).accepts(issued)
        assert not Authority(["first-key"], b"another secret", clock=clock).accepts(issued)

    def test_it_is_good_by_the_wall_clock(self) -> None:
        authority = Authority(["k"], b"secret")
        assert authority.accepts(token(authority.issue("k")))

    def test_a_token_is_no_key(self, authority: Authority) -> None:
        assert not authority.accepts(key(authority.issue("first-key")))


class TestForgedTokens:
    """None is accepted, and none raises."""

    def test_a_changed_token_is_refused(self, authority: Authority) -> None:
        head, claims, signature = authority.issue("first-key").split(".")
        later = segment({"iss": "urn:speechwire:token-service", "exp": 1_900_000_000})
        for forged in (f"{head}.{later}.{signature}", f"{head}.{claims}.", f"{head}.{claims}", f"{head}..{signature}"):
            assert not authority.accepts(token(forged))

    @pytest.mark.parametrize("head", [{"alg": "none"}, {"alg": None}, {"alg": ["HS256"]}, {}, [], 1, "x", None])
    def test_an_unsigned_token_is_refused(self, authority: Authority, head: object) -> None:
        claims = authority.issue("first-key").split(".")[1]
        assert not authority.accepts(token(f"{segment(head)}.{claims}."))

    @pytest.mark.parametrize("secret", [b"secret", b"\x00" * 32])
    def test_a_foreign_signature_is_refused(self, authority: Authority, secret: bytes) -> None:
        claims = {"iss": "urn:speechwire:token-service", "exp": 1_900_000_000}
        head = segment({"alg": "HS256", "typ": "JWT"})
        signature = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{segment(claims)}".encode(), secret)
        encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        assert not authority.accepts(token(f"{head}.{segment(claims)}.{encoded}"))

    def test_a_token_of_endless_depth_or_length_is_refused(self, authority: Authority) -> None:
        deep = base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")
        assert not authority.accepts(token(f"{deep}.x.x"))
        assert not authority.accepts(token("x." * 1_000_000))

    @given(st.one_of(st.text(), st.text(st.sampled_from("aZ09-_=.é\udc80"))))
    def test_garbage_is_refused(self, garbage: str) -> None:
        assert not Authority(["k"], b"secret").accepts(token(garbage))


class TestTokenService:
    """Facts K1 to K3."""

    def answer(
        self,
        authority: Authority,
        *headers: tuple[str, str],
        query: str = "",
        method: str = "POST",
        body: bytes = b"",
    ) -> HttpResponse:
        return token_response(HttpRequest(method, f"{PATH}?{query}", headers, body), authority)

    @pytest.mark.parametrize("name", ["Ocp-Apim-Subscription-Key", "ocp-apim-subscription-key"])
    def test_a_key_in_the_header_gives_a_bare_token(self, authority: Authority, name: str) -> None:
        response = self.answer(authority, (name, "first-key"))
        assert response.status == 200
        assert str(header(response.headers, "Content-Type")).startswith("text/plain")
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        assert header(response.headers, "Cache-Control") == "no-store"
        assert authority.accepts(token(response.body.decode("ascii")))

    @pytest.mark.parametrize("name", ["Subscription-Key", "subscription-key"])
    def test_a_key_in_the_query_does_so_too(self, authority: Authority, name: str) -> None:
        response = self.answer(authority, query=f"{name}=first-key")
        assert authority.accepts(token(response.body.decode("ascii")))

    def test_a_token_buys_no_token(self, authority: Authority) -> None:
        bearer = ("Authorization", f"Bearer {authority.issue('first-key')}")
        assert self.answer(authority, bearer).status == 401
        assert self.answer(authority, bearer, query="subscription-key=first-key").status == 200

    @pytest.mark.parametrize(
        ("headers", "query", "got"),
        [
            ((), "", "got none"),
            ((("Ocp-Apim-Subscription-Key", ""),), "Subscription-Key=", "got none"),
            ((("Ocp-Apim-Subscription-Key", "s3cret"),), "Subscription-Key=first-key", "got a key in the header"),
            ((), "Subscription-Key=s3cret", "got a key in the query"),
        ],
    )
    def test_a_missing_or_wrong_key_is_a_401(
        self, authority: Authority, headers: tuple[tuple[str, str], ...], query: str, got: str
    ) -> None:
        response = self.answer(authority, *headers, query=query)
        assert response.status == 401
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        error = json.loads(response.body)["error"]
        assert error["code"] == "Unauthorized"
        assert got in error["message"]
        assert "s3cret" not in str(response)

    def test_a_body_is_thrown_away(self, authority: Authority) -> None:
        good = ("Ocp-Apim-Subscription-Key", "first-key")
        assert self.answer(authority, good, body=b"x" * BODY_LIMIT).status == 200
        assert self.answer(authority, good, ("Content-Length", "0")).status == 200
        assert self.answer(authority, good, ("Content-Length", "many")).status == 200

    def test_a_large_body_is_a_413_read_or_not(self, authority: Authority) -> None:
        good = ("Ocp-Apim-Subscription-Key", "first-key")
        for response in (
            self.answer(authority, good, body=b"x" * (BODY_LIMIT + 1)),
            self.answer(authority, good, ("content-length", str(BODY_LIMIT + 1))),
            self.answer(authority, good, ("Content-Length", "9" * 5000)),
        ):
            assert response.status == 413
            assert json.loads(response.body)["error"]["message"] == "body: expected at most 4096 bytes, got more"

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
    def test_other_methods_are_refused(self, authority: Authority, method: str) -> None:
        response = self.answer(authority, ("Ocp-Apim-Subscription-Key", "first-key"), method=method)
        assert response.status == 405
        assert header(response.headers, "Allow") == "POST, OPTIONS"

    def test_a_preflight_needs_no_key(self, authority: Authority) -> None:
        asked = ("Access-Control-Request-Headers", "ocp-apim-subscription-key")
        response = self.answer(authority, asked, method="OPTIONS")
        assert response.status == 200
        assert header(response.headers, "Access-Control-Allow-Headers") == "ocp-apim-subscription-key"
        assert header(response.headers, "Access-Control-Allow-Methods") == "POST, OPTIONS"
