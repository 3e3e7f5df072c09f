"""How language tags and voice names of clients meet the catalogue of a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.languages import PUBLISHED, Catalogue, Speech, Text, Voice
from protocol.speech.context import Context, Wanted, settle
from protocol.speech.handshake import SpeechRequest
from protocol.speech.languages import echo, speech_key, spoken, text_key, voice_for
from protocol.speech.messages import V1, V2

LONG = "Microsoft Server Speech Text to Speech Voice (%s, SomebodyNeural)"
SMALL = Catalogue.of(
    [Speech("en-GB", "en"), Speech("en-US", "en"), Speech("de-DE", "de")],
    [Text("en", "ltr"), Text("de", "ltr"), Text("sr-Latn", "ltr"), Text("he", "rtl")],
    [
        Voice("de-DE-Katja", "de-DE", "Katja", "female", "de"),
        Voice("de-DE-Stefan", "de-DE", "Stefan", "male", "de"),
        Voice("de-AT-Michael", "de-AT", "Michael", "male", "de"),
        Voice("en-US-Zira", "en-US", "Zira", "female", "en"),
    ],
)


def wanted(
    source: str | None = None, *candidates: str, targets: tuple[str, ...] = ("de",), dialect: str = V2
) -> Wanted:
    context = Context(source=source, candidates=candidates, targets=targets)
    return settle(SpeechRequest(dialect, "0" * 32), None, context)


class TestSpeechKey:
    @pytest.mark.parametrize(
        ("tag", "key"),
        [
            ("en-US", "en-US"),
            ("EN-us", "en-US"),
            ("en", "en-GB"),
            ("en-IN", "en-GB"),
            ("de-AT", "de-DE"),
            ("de-Latn-AT", "de-DE"),
            ("DE", "de-DE"),
            ("deu", None),
            ("xx-XX", None),
            ("", None),
        ],
    )
    def test_is_its_own_or_the_first_of_the_language(self, tag: str, key: str | None) -> None:
        assert speech_key(SMALL, tag) == key

    def test_of_an_alias(self) -> None:
        assert speech_key(PUBLISHED, "zh-CHS") == "zh-CN"


class TestSpoken:
    def test_source_alone(self) -> None:
        assert spoken(SMALL, wanted("en-US")) == ("en-US", (), None)
        assert spoken(SMALL, wanted("de-AT")) == ("de-DE", (), None)

    @pytest.mark.parametrize(("source", "named"), [("xx-XX", "'xx-XX'"), (None, "'nothing'"), ("x" * 99, "x" * 40)])
    def test_a_source_that_nobody_speaks_is_said_to_the_client(self, source: str | None, named: str) -> None:
        key, found, problem = spoken(SMALL, wanted(source))
        assert (key, found) == ("", ())
        assert problem is not None
        assert named in problem
        assert len(problem.encode()) <= 123

    def test_candidates_that_are_known_each_once(self) -> None:
        assert spoken(SMALL, wanted(None, "de-DE", "xx-XX", "en-IN", "en-GB")) == ("de-DE", ("de-DE", "en-GB"), None)

    def test_the_source_is_what_is_fallen_back_on(self) -> None:
        assert spoken(SMALL, wanted("en-US", "de-DE", "en-US")) == ("en-US", ("de-DE", "en-US"), None)
        assert spoken(SMALL, wanted("xx-XX", "de-DE")) == ("de-DE", ("de-DE",), None)

    def test_candidates_that_nobody_speaks(self) -> None:
        problem = "Invalid request. None of the candidate languages is supported."
        assert spoken(SMALL, wanted(None, "xx-XX", "yy")) == ("", (), problem)
        assert spoken(SMALL, wanted("en-US", "xx-XX"))[2] == problem

    @pytest.mark.parametrize("candidates", [("UND",), ("und",), ("de-DE", "Und")])
    def test_an_open_range_is_every_language(self, candidates: tuple[str, ...]) -> None:
        assert spoken(SMALL, wanted(None, *candidates)) == ("en-GB", ("en-GB", "en-US", "de-DE"), None)

    def test_a_translation_has_targets(self) -> None:
        problem = "Invalid request. There is no target language."
        assert spoken(SMALL, wanted("en-US", targets=(), dialect=V1)) == ("en-US", (), problem)
        assert spoken(SMALL, wanted("en-US", targets=(), dialect=V2)) == ("en-US", (), None)

    def test_an_empty_catalogue_speaks_nothing(self) -> None:
        assert spoken(Catalogue.of([], []), replace(wanted(), candidates=("UND",)))[2] is not None


class TestTarget:
    @pytest.mark.parametrize(("tag", "key"), [("de", "de"), ("de-AT", "de"), ("SR-latn", "sr-Latn"), ("zz", None)])
    def test_means_a_text_key(self, tag: str, key: str | None) -> None:
        assert text_key(SMALL, tag) == key

    def test_is_echoed_by_v2_as_it_was_asked_for_and_by_v1_in_short(self) -> None:
        assert (echo(V2, "de-AT", "de"), echo(V1, "de-AT", "de")) == ("de-AT", "de")
        assert (echo(V2, "zz", None), echo(V1, "zz", None)) == ("zz", "zz")


class TestVoice:
    @pytest.mark.parametrize(
        ("name", "target", "voice"),
        [
            ("de-DE-Stefan", "de", "de-DE-Stefan"),
            ("de-DE-KatjaNeural", "de", "de-DE-Katja"),
            ("de-AT-IngridNeural", "de", "de-AT-Michael"),
            ("DE-at-Ingrid", "de", "de-AT-Michael"),
            ("de-CH-LeniNeural", "de", "de-DE-Katja"),
            (LONG % "de-AT", "de", "de-AT-Michael"),
            ("de-DE-Stefan", "en", "en-US-Zira"),
            ("en-US-AvaNeural", "de", "de-DE-Katja"),
        ],
    )
    def test_is_the_one_or_one_of_its_locale_or_one_of_the_target(self, name: str, target: str, voice: str) -> None:
        assert voice_for(SMALL, name, target) == SMALL.voices[voice]

    @pytest.mark.parametrize(
        "name", ["", "Katja", "xx-XX-SomebodyNeural", "he-IL-AvriNeural", LONG % "xx-XX", "say de-DE-Katja", "de-Katja"]
    )
    def test_of_no_language_that_has_one_is_none(self, name: str) -> None:
        assert voice_for(SMALL, name, "de") is None

    def test_for_a_target_that_has_none_is_none(self) -> None:
        assert voice_for(SMALL, "de-DE-Katja", "he") is None
        assert voice_for(SMALL, "de-DE-SomebodyNeural", "he") is None

    def test_of_a_script(self) -> None:
        voice = Voice("sr-Latn-RS-Ana", "sr-Latn-RS", "Ana", "female", "sr-Latn")
        serbian = Catalogue.of([], [Text("sr-Latn", "ltr")], [voice])
        assert voice_for(serbian, "sr-Latn-RS-NicholasNeural", "sr-Latn") == voice

    def test_of_a_region_in_digits(self) -> None:
        assert voice_for(SMALL, "en-001-Somebody", "en") == SMALL.voices["en-US-Zira"]
