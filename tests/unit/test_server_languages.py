"""The answer to `GET /languages`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.languages import PUBLISHED, Catalogue, Speech, Text, Voice
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.languages import languages_response


def get(query: str = "", *headers: tuple[str, str], method: str = "GET") -> HttpResponse:
    return languages_response(HttpRequest(method, f"/languages?{query}", headers), PUBLISHED)


def content(response: HttpResponse) -> Any:
    assert response.status == 200
    return json.loads(response.body)


class TestScopes:
    """Facts G2 and G4."""

    @pytest.mark.parametrize("query", ["", "api-version=1.0", "scope=", "scope=,&api-version=", "Scope=text"])
    def test_text_is_the_default(self, query: str) -> None:
        assert content(get(query)).keys() == {"text"}

    @pytest.mark.parametrize(
        ("scope", "expected"),
        [
            ("speech", {"speech"}),
            ("tts,speech", {"speech", "tts"}),
            ("text,tts,speech", {"speech", "text", "tts"}),
            ("speech,text,tts", {"speech", "text", "tts"}),
            ("TTS,%20Text", {"text", "tts"}),
            ("tts,tts", {"tts"}),
            ("tts&scope=text", {"text", "tts"}),
        ],
    )
    def test_each_asked_scope_is_there_and_no_other(self, scope: str, expected: set[str]) -> None:
        assert content(get(f"scope={scope}")).keys() == expected

    def test_the_order_of_the_question_does_not_matter(self) -> None:
        assert get("scope=text,speech").body == get("api-version=1.0&scope=speech,text").body


class TestEntries:
    """Facts G7 and G8."""

    def test_the_three_shapes(self) -> None:
        found = content(get("scope=speech,text,tts"))
        assert found["speech"]["en-US"] == {"name": "English", "language": "en"}
        assert found["text"]["he"] == {"name": "Hebrew", "dir": "rtl"}
        assert found["tts"]["it-IT-Elsa"] == {
            "displayName": "Elsa",
            "gender": "female",
            "locale": "it-IT",
            "languageName": "Italian",
            "regionName": "Italy",
            "language": "it",
        }

    def test_everything_published_is_listed(self) -> None:
        found = content(get("scope=speech,text,tts"))
        assert found["speech"].keys() == PUBLISHED.speech.keys()
        assert found["text"].keys() == PUBLISHED.text.keys()
        assert found["tts"].keys() == PUBLISHED.voices.keys()

    @pytest.mark.parametrize("reader", ["en", "ja"])
    def test_the_scopes_agree_with_each_other(self, reader: str) -> None:
        found = content(get("scope=speech,text,tts", ("Accept-Language", reader)))
        names = {key: entry["name"] for key, entry in found["text"].items()}
        assert all(entry["name"] == names[entry["language"]] for entry in found["speech"].values())
        assert all(entry["languageName"] == names[entry["language"]] for entry in found["tts"].values())
        assert all(key == f"{entry['locale']}-{entry['displayName']}" for key, entry in found["tts"].items())

    def test_another_catalogue_gives_another_answer(self) -> None:
        own = Catalogue.of(
            [Speech("eo-XX", "eo")], [Text("eo", "ltr")], [Voice("eo-XX-Lidia", "eo-XX", "Lidia", "female", "eo")]
        )
        response = languages_response(HttpRequest("GET", "/languages?scope=speech,tts", ()), own)
        assert content(response) == {
            "speech": {"eo-XX": {"name": "Esperanto", "language": "eo"}},
            "tts": {
                "eo-XX-Lidia": {
                    "displayName": "Lidia",
                    "gender": "female",
                    "locale": "eo-XX",
                    "languageName": "Esperanto",
                    "regionName": "XX",
                    "language": "eo",
                }
            },
        }


class TestReader:
    """Fact G3."""

    def test_names_are_in_the_readers_language(self) -> None:
        response = get("scope=text,tts", ("Accept-Language", "fr-CA,en;q=0.5"))
        found = content(response)
        assert found["text"]["de"]["name"] == "allemand"
        assert found["tts"]["de-DE-Hedda"]["regionName"] == "Allemagne"
        assert found["tts"]["de-DE-Hedda"]["displayName"] == "Hedda"
        assert header(response.headers, "Content-Language") == "fr"

    def test_names_are_written_in_utf_8(self) -> None:
        body = get("scope=text", ("Accept-Language", "ja")).body
        assert "ドイツ語".encode() in body

    def test_an_unsupported_language_is_answered_in_english(self) -> None:
        response = get("", ("Accept-Language", "xx"))
        assert content(response)["text"]["de"]["name"] == "German"
        assert header(response.headers, "Content-Language") == "en"


class TestHttp:
    def test_no_credentials_are_asked_for_and_any_page_may_read(self) -> None:
        response = get("", ("Content-Type", "application/json"), ("Origin", "https://a.example"))
        assert response.status == 200
        assert header(response.headers, "Content-Type") == "application/json; charset=utf-8"
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        assert header(response.headers, "Vary") == "Accept-Language"

    def test_head_is_answered_as_get(self) -> None:
        assert get("scope=tts", method="HEAD") == get("scope=tts")

    def test_a_preflight_is_answered(self) -> None:
        response = get("", ("Access-Control-Request-Headers", "content-type"), method="OPTIONS")
        assert response.status == 200
        assert header(response.headers, "Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS"
        assert header(response.headers, "Access-Control-Allow-Headers") == "content-type"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_other_methods_are_refused(self, method: str) -> None:
        response = get("scope=nonsense", method=method)
        assert response.status == 405
        assert header(response.headers, "Allow") == "GET, HEAD, OPTIONS"

    @pytest.mark.parametrize(
        ("query", "parameter", "message"),
        [
            ("scope=voices", "scope", "parameter 'scope': expected words out of speech, text, tts, got 'voices'"),
            ("scope=text,x", "scope", "parameter 'scope': expected words out of speech, text, tts, got 'x'"),
            ("api-version=3.0", "api-version", "parameter 'api-version': expected 1.0, got '3.0'"),
        ],
    )
    def test_a_bad_scope_or_version_is_a_400(self, query: str, parameter: str, message: str) -> None:
        response = get(query)
        assert response.status == 400
        assert header(response.headers, "Access-Control-Allow-Origin") == "*"
        assert json.loads(response.body) == {
            "error": {"code": "InvalidParameter", "message": message, "parameter": parameter}
        }
