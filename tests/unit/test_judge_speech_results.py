"""The form of results: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.speech.reading import View
from conformance.judge.speech.results import RULES
from protocol.speech.parsing import READERS
from tests.named import requirements_in
from tests.unit.speech_transcript import V1, V2, SpeechTalk

BENCH = Bench(View, RULES)


@pytest.fixture
def v1() -> SpeechTalk:
    return SpeechTalk(V1).connect()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect()


class TestPaths:
    NAME = "result.dialect-paths"

    def test_of_the_dialect_are_kept(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        for talk in (v1, v2):
            assert talk.interim().phrase().said(BENCH, self.NAME) == ["kept", "kept"]

    def test_of_the_other_are_broken_and_no_more(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        assert v1.phrase(shape=V2).said(BENCH, self.NAME) == [
            "translation.response; expected translation.hypothesis and translation.phrase"
        ]
        assert v2.interim(shape=V1, speech={"Offset": "1"}).wrong(BENCH) == [self.NAME]

    def test_of_recognition_alone_are_neither(self, v2: SpeechTalk) -> None:
        assert v2.phrase(shape="plain").said(BENCH, self.NAME) == []


class TestForms:
    def test_good_ones_of_v1_keep_what_they_show(self, v1: SpeechTalk) -> None:
        assert set(v1.interim().places(BENCH)) == {
            "result.dialect-paths",
            "result.ticks",
            "result.translation-status",
            "hypothesis.form",
            "hypothesis.translation",
        }
        v1.entries.pop()
        assert set(v1.phrase().places(BENCH)) == {
            "result.dialect-paths",
            "result.ticks",
            "result.status",
            "result.translation-status",
            "phrase.form",
            "phrase.translation",
        }
        v1.entries.pop()
        assert set(v1.phrase(None, status="NoMatch").places(BENCH)) == {
            "result.dialect-paths",
            "result.ticks",
            "result.status",
            "result.no-text-unless-success",
            "phrase.form",
        }
        assert v1.wrong(BENCH) == []

    def test_good_ones_of_v2_keep_what_they_show(self, v2: SpeechTalk) -> None:
        always = {"result.dialect-paths", "result.ticks", "response.form", "response.one-shape"}
        assert set(v2.interim().places(BENCH)) == always | {"result.translation-status", "response.translations"}
        v2.entries.pop()
        assert set(v2.phrase().places(BENCH)) == always | {
            "result.status",
            "result.translation-status",
            "response.display-text",
            "response.translations",
        }
        v2.entries.pop()
        v2.phrase(None, status="NoMatch", translations=[])
        assert set(v2.places(BENCH)) == always | {
            "result.status",
            "result.translation-status",
            "result.no-text-unless-success",
        }
        assert v2.wrong(BENCH) == []

    def test_good_ones_of_recognition_alone_keep_what_they_show(self, v2: SpeechTalk) -> None:
        assert set(v2.interim(shape="plain").places(BENCH)) == {"result.ticks", "plain.hypothesis"}
        v2.entries.pop()
        assert set(v2.phrase(shape="plain").places(BENCH)) == {"result.ticks", "result.status", "plain.phrase"}

    @pytest.mark.parametrize("value", ["10000", 1.5, -1, None, True])
    def test_times_that_are_no_integers_are_broken(self, v1: SpeechTalk, v2: SpeechTalk, value: Any) -> None:
        for talk in (v1, v2):
            assert talk.interim(speech={"Offset": value}).wrong(BENCH) == ["result.ticks"]
            assert talk.phrase(speech={"Duration": value}).wrong(BENCH) == ["result.ticks"] * 2

    def test_an_unknown_status_is_broken(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        for talk in (v1, v2):
            assert "result.status" in talk.phrase(None, status="success").wrong(BENCH)

    def test_a_text_without_success_is_broken(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        for talk in (v1, v2):
            assert "result.no-text-unless-success" in talk.phrase("", status="NoMatch").wrong(BENCH)

    def test_a_v1_result_without_its_translation_is_broken(self, v1: SpeechTalk) -> None:
        body = {"Text": "a", "Offset": 0, "Duration": 1}
        assert v1.says("translation.hypothesis", body).wrong(BENCH) == ["hypothesis.translation"]
        v1.says("translation.phrase", {**body, "RecognitionStatus": "Success"})
        assert v1.wrong(BENCH)[1:] == ["phrase.translation"]

    def test_a_v2_result_of_both_shapes_or_none_is_broken(self, v2: SpeechTalk) -> None:
        v2.phrase(translation={"SpeechHypothesis": {"Text": "a", "Offset": 0, "Duration": 1}})
        assert v2.wrong(BENCH) == ["response.one-shape"]
        v2.says("translation.response", {"TranslationStatus": "Success", "Translations": []})
        assert v2.wrong(BENCH)[1:] == ["response.one-shape"]

    def test_a_v2_phrase_with_text_elsewhere_is_broken(self, v2: SpeechTalk) -> None:
        assert v2.phrase(None, speech={"Text": "a"}).wrong(BENCH) == ["response.display-text"]

    def test_a_v2_interim_of_an_error_is_broken(self, v2: SpeechTalk) -> None:
        assert v2.interim(translation={"TranslationStatus": "Error"}).wrong(BENCH) == ["result.translation-status"]

    def test_a_v2_result_without_that_status_is_broken_gravely_where_it_is_read(self, v2: SpeechTalk) -> None:
        speech = {"RecognitionStatus": "NoMatch", "Offset": 0, "Duration": 1}
        v2.says("translation.response", {"SpeechPhrase": speech})
        v2.says("translation.response", {"SpeechHypothesis": {**speech, "Text": "a"}, "Translations": []})
        mild, grave = v2.said(BENCH, "result.translation-status")
        assert mild.endswith("(non-strict)")
        assert not grave.endswith("(non-strict)")

    def test_what_a_language_that_nobody_asked_for_looks_like_is_not_judged(self, v2: SpeechTalk) -> None:
        assert v2.phrase(speech={"PrimaryLanguage": {}}).wrong(BENCH) == []

    def test_one_requirement_is_named_once_a_message(self, v2: SpeechTalk) -> None:
        assert v2.phrase(speech={"Offset": "1", "Duration": "1"}).wrong(BENCH) == ["result.ticks"]

    def test_what_is_no_object_is_another_requirements_matter(self, v2: SpeechTalk) -> None:
        assert v2.says("translation.response", b"[").places(BENCH) == {}


class TestRule:
    def test_names_every_requirement_of_its_schemas(self) -> None:
        paths = [path for path in READERS if path.endswith((".hypothesis", ".phrase", ".response"))]
        assert len(paths) == 5
        named = {name for path in paths for name in requirements_in(schemas.read(f"speech/{READERS[path][0]}"))}
        others = {name for name in named if name.startswith("speech.language.")}
        assert named - others == set(RULES[1].requirements)
