"""The script of the scripted engine: what is refused, and what is said when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from protocol.events import Blame
from protocol.languages import PUBLISHED
from reference_server.engines.base import ABRUPT, EngineFailure, Job
from reference_server.engines.ear import Known
from reference_server.engines.script import SILENT, Moment, Script, ScriptError, default, load, parse

ENGLISH = Job("en-US", ("pt",))
LANGUAGES = {entry.language for entry in PUBLISHED.speech.values()}


def script(*utterances: dict[str, Any], defaults: tuple[dict[str, Any], ...] = ()) -> Script:
    return parse({"utterances": list(utterances), "defaults": list(defaults)}, PUBLISHED)


def said(one: Script, utterance: int = 0, heard: Known | None = None, job: Job = ENGLISH) -> str | None:
    return one.entry(job, utterance, heard).recognition


class TestConditions:
    def test_the_first_entry_that_fits_is_said(self) -> None:
        one = script({"recognition": "first"}, {"recognition": "second"})
        assert said(one) == "first"

    @pytest.mark.parametrize(
        ("when", "fits"),
        [
            ({}, True),
            ({"utterance": 1}, True),
            ({"utterance": 0}, False),
            ({"from": "en-US"}, True),
            ({"from": "de-DE"}, False),
            ({"to": "pt"}, True),
            ({"to": "de"}, False),
            ({"recording": "pair"}, True),
            ({"recording": "pair", "part": 1}, True),
            ({"recording": "pair", "part": 0}, False),
            ({"recording": "numbers"}, False),
            ({"utterance": 1, "from": "en-US", "to": "pt", "recording": "pair", "part": 1}, True),
            ({"utterance": 1, "from": "de-DE"}, False),
        ],
    )
    def test_all_of_them_have_to_hold(self, when: dict[str, Any], fits: bool) -> None:
        one = script({"when": when, "recognition": "yes"}, {"recognition": "no"})
        assert said(one, 1, Known("pair", 1)) == ("yes" if fits else "no")

    def test_a_recording_is_not_an_unknown_sound(self) -> None:
        assert said(script({"when": {"recording": "pair"}, "recognition": "yes"})) == ""

    def test_any_of_several_targets_counts(self) -> None:
        one = script({"when": {"to": "de"}, "recognition": "yes"})
        assert said(one, job=Job("en-US", ("pt", "de"))) == "yes"


class TestDefaults:
    def test_take_turns(self) -> None:
        one = script(defaults=({"recognition": "a"}, {"recognition": "b"}))
        assert [said(one, index) for index in range(4)] == ["a", "b", "a", "b"]

    def test_those_that_do_not_fit_have_no_turn(self) -> None:
        one = script(defaults=({"recognition": "a"}, {"when": {"from": "de-DE"}, "recognition": "b"}))
        assert [said(one, index) for index in range(2)] == ["a", "a"]

    def test_without_any_nothing_is_said(self) -> None:
        assert script().entry(ENGLISH, 0, None) is SILENT


class TestMisbehaviour:
    def test_is_read(self) -> None:
        entry = script(
            {
                "delay_ms": {"partial": 1, "final": 2, "voice": 3},
                "end": {"before": "voice", "code": 1001, "reason": "enough"},
                "voice": {"ms_per_character": 10, "level_dbfs": -40},
            }
        ).utterances[0]
        assert entry.delays_ms == {Moment.PARTIAL: 1, Moment.FINAL: 2, Moment.VOICE: 3}
        assert entry.failures == {Moment.VOICE: EngineFailure(1001, "enough", Blame.SCRIPT)}
        assert (entry.ms_per_character, entry.level_dbfs) == (10, -40)

    def test_an_end_is_an_engine_failure_unless_said_otherwise(self) -> None:
        entry = script({"end": {"before": "final"}}).utterances[0]
        assert entry.failures == {Moment.FINAL: EngineFailure(1011, "the engine failed", Blame.SCRIPT)}

    def test_an_abrupt_end_has_no_close_frame(self) -> None:
        entry = script({"end": {"before": "partial", "abrupt": True}}).utterances[0]
        assert entry.failures[Moment.PARTIAL].code == ABRUPT

    @pytest.mark.parametrize(
        ("fail", "failure"),
        [
            ({"before": "partial"}, EngineFailure(1011, "the engine failed", Blame.ENGINE)),
            ({"before": "final", "as": "engine"}, EngineFailure(1011, "the engine failed", Blame.ENGINE)),
            ({"before": "voice", "as": "overload"}, EngineFailure(1011, "the engine is overloaded", Blame.OVERLOAD)),
        ],
    )
    def test_a_failure_is_the_engines_own(self, fail: dict[str, str], failure: EngineFailure) -> None:
        assert script({"fail": fail}).utterances[0].failures == {Moment(fail["before"]): failure}

    def test_an_end_counts_where_the_engine_fails_too(self) -> None:
        both = {"fail": {"before": "final"}, "end": {"before": "final", "code": 1001}}
        assert script(both).utterances[0].failures[Moment.FINAL].code == 1001

    def test_a_recognition_may_come_to_nothing(self) -> None:
        entry = script(
            {"language": "de-DE", "status": "NoMatch", "translation_failures": {"pt": "no model"}}
        ).utterances[0]
        assert (entry.language, entry.status, entry.untranslated) == ("de-DE", "NoMatch", {"pt": "no model"})


BAD = [
    ([], "whole value: expected an object"),
    ({"phrases": []}, 'expected "utterances" or "defaults", got "phrases"'),
    ({"utterances": [{"recognition": 7}]}, "/utterances/0/recognition: expected a string, got 7"),
    ({"utterances": [{"when": {"from": "en"}}]}, "/utterances/0/when/from: expected one of ar-EG, de-DE"),
    ({"defaults": [{}, {"when": {"to": "en-US"}}]}, "/defaults/1/when/to: expected one of"),
    ({"defaults": [{"translations": {"xx": "?"}}]}, "/defaults/0/translations/xx: expected one of"),
    (
        {"defaults": [{"translation_failures": {"en-US": "?"}}]},
        "/defaults/0/translation_failures/en-US: expected one of",
    ),
    ({"defaults": [{"language": "en"}]}, "/defaults/0/language: expected one of ar-EG, de-DE"),
    ({"defaults": [{"status": "Success"}]}, "/defaults/0/status: expected"),
    ({"defaults": [{"fail": {"before": "final", "as": "script"}}]}, "/defaults/0/fail/as: expected"),
    ({"utterances": [{"when": {"recording": "noise"}}]}, "/utterances/0/when/recording: expected one of clear-1"),
    (
        {"utterances": [{"when": {"recording": "pair", "part": 2}}]},
        "/utterances/0/when/part: expected a number below 2",
    ),
    ({"utterances": [{"when": {"part": 0}}]}, "/utterances/0/when"),
    ({"utterances": [{"end": {"before": "final", "code": 4000}}]}, "/utterances/0/end/code: expected"),
    (
        {"utterances": [{"end": {"before": "final", "reason": "é" * 62}}]},
        "/utterances/0/end/reason: expected at most 123",
    ),
    ({"utterances": [{"delay_ms": {"final": -1}}]}, "/utterances/0/delay_ms/final: expected"),
]


class TestErrors:
    @pytest.mark.parametrize(("document", "sentence"), BAD)
    def test_name_the_place_and_what_is_allowed(self, document: object, sentence: str) -> None:
        with pytest.raises(ScriptError) as caught:
            parse(document, PUBLISHED)
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ScriptError, match=r"none\.json: cannot be read \(No such file"):
            load(tmp_path / "none.json", PUBLISHED)

    def test_a_file_that_is_no_json(self, tmp_path: Path) -> None:
        path = tmp_path / "script.json"
        for content in (b"{", b"\xff\xfe", b"[" * 100_000):
            path.write_bytes(content)
            with pytest.raises(ScriptError, match=r"script\.json: expected one JSON object"):
                load(path, PUBLISHED)

    def test_a_file_that_is_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "script.json"
        path.write_bytes(b" " * ((1 << 20) + 1))
        with pytest.raises(ScriptError, match="at most 1048576 bytes"):
            load(path, PUBLISHED)

    def test_a_file_with_a_mistake_names_file_and_place(self, tmp_path: Path) -> None:
        path = tmp_path / "script.json"
        path.write_text('{"defaults": [{"recognition": null}]}')
        with pytest.raises(ScriptError, match=r"script\.json: /defaults/0/recognition: expected a string, got null"):
            load(path, PUBLISHED)

    def test_a_good_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"defaults": [{"recognition": "Hello."}]}))
        assert said(load(path, PUBLISHED)) == "Hello."


class TestDefaultScript:
    def test_says_the_true_text_of_every_recording(self) -> None:
        one = parse(default(), PUBLISHED)
        manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_bytes())
        for recording in manifest["recordings"]:
            for part, utterance in enumerate(recording["utterances"]):
                entry = one.entry(ENGLISH, 7, Known(recording["id"], part))
                assert entry.translations["en"] == utterance["text"]
                assert set(recording["profanities"]) <= entry.profanities

    def test_has_a_text_in_every_language_of_speech(self) -> None:
        one = parse(default(), PUBLISHED)
        assert all(set(entry.translations) == LANGUAGES for entry in (*one.utterances, *one.defaults))

    def test_has_several_sentences_for_everything_else(self) -> None:
        one = parse(default(), PUBLISHED)
        assert len({one.entry(ENGLISH, index, None).translations["en"] for index in range(10)}) == 3

    def test_each_of_its_texts_has_its_profanity_where_there_is_one(self) -> None:
        for entry in parse(default(), PUBLISHED).utterances:
            if entry.profanities:
                assert all(any(word in text for word in entry.profanities) for text in entry.translations.values())
