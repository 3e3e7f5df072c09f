"""What every answer of `/languages` has to be: each finding from both sides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.translator.http import RULES
from conformance.judge.translator.reading import View
from protocol.wire import Headers, Party
from tests.named import requirements_in

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
SPEECH = {"en-US": {"name": "English", "language": "en"}}
TEXT = {"en": {"name": "English", "dir": "ltr"}, "it": {"name": "Italian", "dir": "ltr"}}
TTS = {
    "it-IT-Elsa": {
        "gender": "female",
        "locale": "it-IT",
        "languageName": "Italian",
        "displayName": "Elsa",
        "regionName": "Italy",
        "language": "it",
    }
}
GOOD = {"speech": SPEECH, "text": TEXT, "tts": TTS}
HEADERS = (("X-RequestId", "1"),)


def answered(talk: Talk, document: Any, *, headers: Headers = HEADERS, **ask: Any) -> Talk:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return talk.ask(query="", **{"path": "/languages", **ask}).answer(200, headers, body)


class TestRequestId:
    def test_a_value_is_kept(self, talk: Talk) -> None:
        assert answered(talk, GOOD).said(BENCH, "languages.request-id") == ["kept"]

    @pytest.mark.parametrize("headers", [(), (("X-RequestId", ""),)])
    def test_none_is_broken(self, talk: Talk, headers: Headers) -> None:
        assert answered(talk, GOOD, headers=headers).said(BENCH, "languages.request-id") == [
            "nothing; expected a header X-RequestId with a value"
        ]


class TestScopes:
    @pytest.mark.parametrize("scope", ["speech", "text", "tts"])
    def test_a_good_one_is_kept(self, talk: Talk, scope: str) -> None:
        assert answered(talk, GOOD).said(BENCH, f"languages.{scope}-shape") == ["kept"]

    @pytest.mark.parametrize("scope", ["speech", "text", "tts"])
    def test_one_that_is_absent_or_empty_shows_nothing(self, talk: Talk, scope: str) -> None:
        assert answered(talk, {**GOOD, scope: {}}).said(BENCH, f"languages.{scope}-shape") == []

    @pytest.mark.parametrize(
        ("scope", "entry", "said"),
        [
            ("speech", {"name": "English"}, "nothing; expected a string at /speech/en/language"),
            ("text", {"name": "English", "dir": "up"}, '"up"; expected "ltr" or "rtl" at /text/en/dir'),
            ("tts", "Elsa", '"Elsa"; expected an object at /tts/en'),
        ],
    )
    def test_a_bad_one_is_broken_where_it_differs(self, talk: Talk, scope: str, entry: object, said: str) -> None:
        answered(talk, {**GOOD, scope: {"en": entry}})
        assert talk.said(BENCH, f"languages.{scope}-shape") == [said]

    def test_a_bad_one_does_not_hide_the_others(self, talk: Talk) -> None:
        answered(talk, {**GOOD, "speech": []})
        assert talk.said(BENCH, "languages.speech-shape") == ["an array of 0; expected an object at /speech"]
        assert talk.said(BENCH, "languages.text-shape") == ["kept"]

    @pytest.mark.parametrize("document", [[], b"", b"<html>", b"\xff", b"[" * 99_999])
    def test_what_is_no_object_is_broken(self, talk: Talk, document: Any) -> None:
        (said,) = answered(talk, document).said(BENCH, "languages.scope-subset")
        assert said.endswith("; expected a JSON object")


class TestCrossReferences:
    NAME = "languages.cross-reference"

    def test_languages_that_text_has_are_kept_for_each_scope(self, talk: Talk) -> None:
        assert answered(talk, GOOD).said(BENCH, self.NAME) == ["kept", "kept"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ({"it": TEXT["it"]}, ["speech.en-US: en; expected language to be a key of text", "kept"]),
            ({"en": TEXT["en"]}, ["kept", "tts.it-IT-Elsa: it; expected language to be a key of text"]),
        ],
    )
    def test_one_that_it_does_not_have_is_broken(self, talk: Talk, text: object, said: list[str]) -> None:
        assert answered(talk, {**GOOD, "text": text}).said(BENCH, self.NAME) == said

    @pytest.mark.parametrize("document", [{"speech": SPEECH, "tts": TTS}, {"text": TEXT}, {"text": TEXT, "tts": {}}])
    def test_without_both_ends_nothing_is_said(self, talk: Talk, document: object) -> None:
        assert answered(talk, document).said(BENCH, self.NAME) == []


class TestVoiceId:
    NAME = "languages.voice-id"

    def test_locale_and_name_are_kept(self, talk: Talk) -> None:
        assert answered(talk, {"tts": TTS}).said(BENCH, self.NAME) == ["kept"]

    def test_another_id_is_broken(self, talk: Talk) -> None:
        document = {"tts": {**TTS, "elsa": TTS["it-IT-Elsa"]}}
        assert answered(talk, document).said(BENCH, self.NAME) == ["elsa; expected the key it-IT-Elsa"]

    def test_no_voices_show_nothing(self, talk: Talk) -> None:
        assert answered(talk, {"tts": {}}).said(BENCH, self.NAME) == []


class TestSilence:
    def test_a_document_of_another_shape_is_not_searched_for_references(self, talk: Talk) -> None:
        answered(talk, {"speech": {"x": {}}, "tts": {"elsa": TTS["it-IT-Elsa"]}, "text": {}})
        assert talk.said(BENCH, "languages.voice-id") == []

    @pytest.mark.parametrize("ask", [{"path": "/speech/translate"}, {"method": "HEAD"}, {"path": "/languages/x"}])
    def test_other_requests_have_rules_of_their_own(self, talk: Talk, ask: dict[str, Any]) -> None:
        assert BENCH.judge(answered(talk, [], **ask).transcript(), Party.SERVER) == ()

    def test_the_path_compares_without_case(self, talk: Talk) -> None:
        assert answered(talk, GOOD, path="/tenant/Languages").said(BENCH, "languages.tts-shape") == ["kept"]

    def test_only_a_200_is_looked_into(self, talk: Talk) -> None:
        talk.ask(path="/languages", query="scope=x").answer(400)
        assert BENCH.judge(talk.transcript(), Party.SERVER) == ()

    def test_nothing_is_said_where_one_side_is_missing(self, talk: Talk) -> None:
        assert BENCH.judge(talk.transcript(), Party.SERVER) == ()
        assert BENCH.judge(talk.ask(path="/languages").transcript(), Party.SERVER) == ()


class TestPlaces:
    @pytest.mark.parametrize("document", [GOOD, {"speech": []}, b"<html>"])
    def test_findings_stand_at_the_response(self, talk: Talk, document: Any) -> None:
        answered(talk.barrier(), document).barrier()
        places = talk.places(BENCH)
        assert len(places) >= 2
        assert {at for found in places.values() for at in found} == {2}


class TestRule:
    def test_declares_every_requirement_of_the_schema(self) -> None:
        assert requirements_in(schemas.read("translator/languages")) <= BENCH.requirements(Party.SERVER)
