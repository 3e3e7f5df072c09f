"""What a request carries: query parameters and credentials, before anybody judges them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.request import Credential, CredentialKind, credential, parameters, parse_query, shown
from protocol.wire import Headers, HttpRequest

TOKEN, KEY = CredentialKind.TOKEN, CredentialKind.KEY


def request(query: str = "", *headers: tuple[str, str]) -> HttpRequest:
    return HttpRequest("GET", f"/speech/translate?{query}", headers)


class TestParseQuery:
    def test_order_spelling_and_empty_values_are_kept(self) -> None:
        assert parse_query("To=it&from=&api-version=1.0&to=fr&flag") == (
            ("To", "it"),
            ("from", ""),
            ("api-version", "1.0"),
            ("to", "fr"),
            ("flag", ""),
        )

    def test_values_are_decoded(self) -> None:
        assert parse_query("features=Partial%2CTimingInfo&x=a+b%20c&format=audio/wav&bad=%ff") == (
            ("features", "Partial,TimingInfo"),
            ("x", "a b c"),
            ("format", "audio/wav"),
            ("bad", "\ufffd"),
        )

    def test_an_empty_query_has_no_parameters(self) -> None:
        assert parse_query("") == ()

    @given(st.text())
    def test_any_text_can_be_read(self, raw: str) -> None:
        assert all(value for values in parameters(raw).values() for value in values)


class TestParameters:
    def test_names_are_one_whatever_their_case(self) -> None:
        assert parameters("To=it&profanityACTION=Marked&to=fr") == {"to": ("it", "fr"), "profanityaction": ("Marked",)}

    def test_an_empty_value_equals_an_absent_one(self) -> None:
        assert parameters("voice=&format=&to=&to=it") == {"to": ("it",)}


class TestCredential:
    """Section 2.2 of the facts, and the decisions on precedence."""

    @pytest.mark.parametrize(
        ("headers", "query", "expected"),
        [
            ((("Authorization", "Bearer t"),), "", Credential(TOKEN, "t", "header")),
            ((("authorization", "bearer  t"),), "", Credential(TOKEN, "t", "header")),
            ((), "access_token=t", Credential(TOKEN, "t", "query")),
            ((("Ocp-Apim-Subscription-Key", "k"),), "", Credential(KEY, "k", "header")),
            ((), "Subscription-Key=k", Credential(KEY, "k", "query")),
            ((), "subscription-key=k", Credential(KEY, "k", "query")),
        ],
    )
    def test_there_are_four_places(self, headers: Headers, query: str, expected: Credential) -> None:
        assert credential(request(query, *headers)) == expected

    def test_a_header_beats_its_query_twin(self) -> None:
        assert credential(request("access_token=q", ("Authorization", "Bearer h"))) == Credential(TOKEN, "h", "header")
        assert credential(request("subscription-key=q", ("OCP-APIM-subscription-key", "h"))) == Credential(
            KEY, "h", "header"
        )

    def test_a_token_decides_over_a_key_wherever_it_stands(self) -> None:
        both = request("access_token=t", ("Ocp-Apim-Subscription-Key", "k"))
        assert credential(both) == Credential(TOKEN, "t", "query")

    @pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "t", "Bearer:t", "Token t"])
    def test_another_scheme_is_a_token_that_cannot_be_right(self, value: str) -> None:
        with_good_ones = request("access_token=t&subscription-key=k", ("Authorization", value))
        assert credential(with_good_ones) == Credential(TOKEN, "", "header")

    @pytest.mark.parametrize(
        ("value", "token"), [("t", "t"), (" t ", "t"), ("Bearer t", "t"), ("Basic t", ""), ("", None)]
    )
    def test_a_bare_token_is_one_where_that_is_allowed(self, value: str, token: str | None) -> None:
        given = credential(request("", ("Authorization", value)), bare=True)
        assert given == (None if token is None else Credential(TOKEN, token, "header"))

    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer "])
    def test_an_empty_header_equals_an_absent_one(self, value: str) -> None:
        assert credential(request("access_token=t", ("Authorization", value))) == Credential(TOKEN, "t", "query")
        key = request("access_token=&subscription-key=k", ("Authorization", value), ("Ocp-Apim-Subscription-Key", ""))
        assert credential(key) == Credential(KEY, "k", "query")

    def test_none_is_none(self) -> None:
        assert credential(request("from=en-US")) is None
        assert credential(request("access_token=&subscription-key=", ("Ocp-Apim-Subscription-Key", ""))) is None

    def test_other_kinds_can_be_left_out(self) -> None:
        both = request("subscription-key=k", ("Authorization", "Bearer t"))
        assert credential(both, kinds=(KEY,)) == Credential(KEY, "k", "query")
        assert credential(request("", ("Authorization", "Bearer t")), kinds=(KEY,)) is None

    @pytest.mark.parametrize(
        ("headers", "query", "expected"),
        [
            ((("Authorization", "Bearer h"),), "X-Token=Bearer+q", Credential(TOKEN, "h", "header")),
            ((), "x-token=Bearer%20q", Credential(TOKEN, "Bearer q", "query")),
            ((), "access_token=q&subscription-key=k", None),
            ((("Some-Key", "h"),), "", Credential(KEY, "h", "header")),
            ((), "SOME-key=k", Credential(KEY, "k", "query")),
        ],
    )
    def test_another_dialect_has_names_of_its_own(
        self, headers: Headers, query: str, expected: Credential | None
    ) -> None:
        names = {TOKEN: ("Authorization", "X-Token"), KEY: ("Some-Key", "Some-Key")}
        assert credential(request(query, *headers), names=names) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("Authorization=Bearer%20q", Credential(TOKEN, "q", "query")),
            ("authorization=bearer+q", Credential(TOKEN, "q", "query")),
            ("Authorization=Bearer", None),
            ("Authorization=Basic%20q", Credential(TOKEN, "", "query")),
        ],
    )
    def test_a_twin_of_the_same_name_has_the_same_form(self, query: str, expected: Credential | None) -> None:
        names = {TOKEN: ("Authorization", "authorization"), KEY: ("Some-Key", "Some-Key")}
        assert credential(request(query), names=names) == expected

    def test_a_repr_does_not_show_the_value(self) -> None:
        assert "secret" not in repr(Credential(KEY, "secret", "query"))


class TestShown:
    def test_a_value_is_quoted(self) -> None:
        assert shown("xx-XX") == "'xx-XX'"

    def test_a_long_value_is_cut(self) -> None:
        assert shown("x" * 81) == "'" + "x" * 80 + "'…"

    @pytest.mark.parametrize(
        ("value", "safe"),
        [
            ("it?access_token=s3cret", "'it?access_token=(hidden)'"),
            ("en-US&Subscription-Key=s3cret&to=it", "'en-US&Subscription-Key=(hidden)'"),
            ("Bearer s3cret", "'Bearer (hidden)'"),
        ],
    )
    def test_a_credential_in_the_wrong_place_is_hidden(self, value: str, safe: str) -> None:
        assert shown(value) == safe
