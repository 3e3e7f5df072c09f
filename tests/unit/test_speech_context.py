"""What the JSON bodies of a client say, and what holds for a turn in the end."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from protocol.errors import PeerViolation
from protocol.speech.context import (
    Context,
    Update,
    Voices,
    Wanted,
    member,
    part,
    read_config,
    read_context,
    read_event,
    read_object,
    settle,
)
from protocol.speech.handshake import Mode, Profanity, SpeechRequest
from protocol.speech.messages import V1, V2

KATJA = "de-DE-KatjaNeural"
NO_OBJECT = [b"", b"{", b"[]", b'"text"', b"null", b"\xff", b"[" * 100_000]
WORDS = [
    *("phraseDetection", "mode", "language", "initialSilenceTimeout", "trailingSilenceTimeout", "enrichment"),
    *("profanity", "conversation", "segmentation", "segmentationSilenceTimeoutMs", "translation", "targetLanguages"),
    *("output", "interimResults", "onSuccess", "action", "synthesis", "defaultVoices", "synthesizedLanguages", "to"),
    *("languageId", "languages", "phraseOutput", "format", "continuation", "translationcontext", "name", "recognition"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.sampled_from(["UND", "updateLanguage"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


def body(**members: object) -> bytes:
    return json.dumps(members).encode()


def detecting(**members: object) -> Context:
    return read_context(body(phraseDetection=members))


def translating(**members: object) -> Context:
    return read_context(body(translation=members))


def upper(value: Any) -> Any:
    """Return a JSON value with all names of members, but those of voices, in capitals."""
    if isinstance(value, dict):
        return {name.upper(): one if name == "defaultVoices" else upper(one) for name, one in value.items()}
    return value


class TestObject:
    def test_is_read(self) -> None:
        assert read_object(b'{"a": 1}') == {"a": 1}

    @pytest.mark.parametrize("data", NO_OBJECT)
    def test_is_required(self, data: bytes) -> None:
        for read in (read_object, read_config, read_context):
            with pytest.raises(PeerViolation) as caught:
                read(data)
            assert caught.value.requirement == "speech.malformed.context-json"
            assert (caught.value.at, caught.value.expected) == ("body", "a JSON object")

    def test_says_what_stands_there_instead(self) -> None:
        with pytest.raises(PeerViolation, match="a JSON list"):
            read_object(b"[]")


class TestMember:
    MEMBERS: ClassVar = {"Mode": 1, "mode": 2, "other": {"a": 1}}

    def test_of_this_very_name_comes_first(self) -> None:
        assert (member(self.MEMBERS, "mode"), member(self.MEMBERS, "Mode")) == (2, 1)

    def test_of_another_case_is_next(self) -> None:
        assert member(self.MEMBERS, "MODE") == 1
        assert part(self.MEMBERS, "Other") == {"a": 1}

    def test_may_be_absent_or_no_object(self) -> None:
        assert member(self.MEMBERS, "format") is None
        assert part(self.MEMBERS, "mode") == part(self.MEMBERS, "format") == {}


class TestConfig:
    @pytest.mark.parametrize(
        ("members", "mode"),
        [
            ({"recognition": "Interactive"}, Mode.INTERACTIVE),
            ({"RECOGNITION": "dictation"}, Mode.DICTATION),
            ({"recognition": "lecture"}, None),
            ({"recognition": 5}, None),
            ({}, None),
        ],
    )
    def test_may_name_the_mode(self, members: dict[str, object], mode: Mode | None) -> None:
        assert read_config(body(context={"system": {}}, **members)) is mode


class TestContext:
    def test_may_say_nothing(self) -> None:
        assert read_context(b"{}") == Context()

    EVERYTHING: ClassVar[dict[str, Any]] = {
        "phraseDetection": {
            "mode": "Conversation",
            "language": "en-US",
            "initialSilenceTimeout": 3000,
            "enrichment": {"profanity": "Removed"},
            "conversation": {
                "segmentation": {
                    "mode": "Custom",
                    "segmentationSilenceTimeoutMs": 700,
                    "segmentationForcedTimeoutMs": 20_000,
                }
            },
        },
        "languageId": {"languages": ["en-US", "de-DE"]},
        "translation": {
            "targetLanguages": ["de", "fr"],
            "onSuccess": {"action": "Synthesize"},
            "output": {"interimResults": {"mode": "None"}},
        },
        "synthesis": {"defaultVoices": {"de": KATJA, "fr": "fr-FR-DeniseNeural"}, "synthesizedLanguages": ["fr"]},
        "phraseOutput": {"format": "Detailed"},
        "continuation": {"token": "t", "previousServiceTag": "s"},
    }
    UNDERSTOOD = Context(
        mode=Mode.CONVERSATION,
        source="en-US",
        candidates=("en-US", "de-DE"),
        targets=("de", "fr"),
        voices=Voices((("de", KATJA), ("fr", "fr-FR-DeniseNeural")), ("fr",)),
        profanity=Profanity.REMOVED,
        detailed=True,
        interims=False,
        initial_silence_ms=3000,
        segmentation_ms=700,
        forced_ms=20_000,
        resumed=True,
    )

    def test_can_say_everything(self) -> None:
        assert read_context(body(**self.EVERYTHING)) == self.UNDERSTOOD

    def test_compares_names_without_case(self) -> None:
        assert read_context(body(**upper(self.EVERYTHING))) == self.UNDERSTOOD

    def test_may_say_what_means_nothing(self) -> None:
        assert read_context(body(**self.EVERYTHING, dgi={"groups": []}, model=5)) == self.UNDERSTOOD

    @given(ANYTHING)
    def test_may_be_anything_that_is_an_object(self, value: object) -> None:
        with suppress(PeerViolation):
            context = read_context(json.dumps(value).encode())
            assert isinstance(value, dict)
            hash(settle(SpeechRequest(V2, "0" * 32), None, context))
            read_config(json.dumps(value).encode())

    def test_of_every_valid_example_is_understood(self) -> None:
        valid = [case.instance for case in schemas.examples("speech/speech-context") if case.valid]
        assert any(read_context(json.dumps(instance).encode()).targets for instance in valid)


class TestDetection:
    @pytest.mark.parametrize(
        ("word", "mode"),
        [("INTERACTIVE", Mode.INTERACTIVE), ("Dictation", Mode.DICTATION), ("None", None), (5, None)],
    )
    def test_mode(self, word: object, mode: Mode | None) -> None:
        assert detecting(mode=word).mode is mode

    @pytest.mark.parametrize(
        ("value", "milliseconds"),
        [
            (0, 0),
            (5000, 5000),
            ("5000", 5000),
            (999_999_999, 999_999_999),
            (10**9, None),
            ("1000000000", None),
            (-1, None),
            ("-1", None),
            ("", None),
            (1.5, None),
            (True, None),
            (None, None),
            ([5], None),
        ],
    )
    def test_times_are_numbers_or_text(self, value: object, milliseconds: int | None) -> None:
        assert detecting(initialSilenceTimeout=value).initial_silence_ms == milliseconds

    def test_segmentation_is_that_of_the_mode(self) -> None:
        segmentation = {"segmentation": {"segmentationSilenceTimeoutMs": 700}}
        other = {"segmentation": {"segmentationSilenceTimeoutMs": 900}}
        assert detecting(mode="DICTATION", dictation=segmentation, conversation=other).segmentation_ms == 700
        assert detecting(conversation=other).segmentation_ms == 900
        assert detecting(dictation=segmentation).segmentation_ms is None

    def test_trailing_silence_does_where_there_is_no_segmentation(self) -> None:
        assert detecting(trailingSilenceTimeout=600).segmentation_ms == 600
        segmentation = {"segmentation": {"segmentationSilenceTimeoutMs": 700}}
        assert detecting(trailingSilenceTimeout=600, conversation=segmentation).segmentation_ms == 700
        assert detecting(trailingSilenceTimeout=0).segmentation_ms == 0

    @pytest.mark.parametrize("value", ["", 5, None, ["en-US"]])
    def test_language_is_a_text(self, value: object) -> None:
        assert detecting(language=value).source is None

    @pytest.mark.parametrize("value", ["labeled", 5, None])
    def test_profanity_is_one_of_four(self, value: object) -> None:
        assert detecting(enrichment={"profanity": value}).profanity is None


class TestOutput:
    @pytest.mark.parametrize(("word", "detailed"), [("DETAILED", True), ("Simple", False), ("", None), (5, None)])
    def test_format(self, word: object, detailed: bool | None) -> None:
        assert read_context(body(phraseOutput={"format": word})).detailed is detailed

    @pytest.mark.parametrize(
        ("output", "interims"),
        [
            ({}, True),
            ({"includePassThroughResults": True}, True),
            ({"interimResults": {"mode": "Always"}}, True),
            ({"interimResults": {"mode": "NONE"}}, False),
            ({"interimResults": None}, True),
        ],
    )
    def test_interims_come_unless_they_are_refused(
        self,
        output: dict[str, object],
        interims: bool,
    ) -> None:
        assert translating(output=output).interims is interims

    @pytest.mark.parametrize(("value", "resumed"), [({}, False), (None, False), ({"token": ""}, True)])
    def test_continuation(self, value: object, resumed: bool) -> None:
        assert read_context(body(continuation=value)).resumed is resumed


class TestTargets:
    @pytest.mark.parametrize(
        ("value", "targets"),
        [
            (["de", "fr", "de"], ("de", "fr")),
            ([], ()),
            (["", 5, None, "de"], ("de",)),
            ("de", None),
            (None, None),
        ],
    )
    def test_are_texts_each_once(self, value: object, targets: tuple[str, ...] | None) -> None:
        assert translating(targetLanguages=value).targets == targets

    def test_may_stand_in_an_older_place(self) -> None:
        assert read_context(body(translationcontext={"to": ["de"]})).targets == ("de",)
        both = body(translationcontext={"to": ["de"]}, translation={"targetLanguages": []})
        assert read_context(both).targets == ()


class TestVoices:
    VOICES: ClassVar = {"de": KATJA, "fr": "fr-FR-DeniseNeural"}

    @staticmethod
    def read(action: object = None, **synthesis: object) -> Voices | None:
        return read_context(body(synthesis=synthesis, translation={"onSuccess": {"action": action}})).voices

    def test_speak_every_language_that_has_one_unless_some_are_named(self) -> None:
        by_language = (("de", KATJA), ("fr", "fr-FR-DeniseNeural"))
        assert self.read(defaultVoices=self.VOICES) == Voices(by_language, ("de", "fr"))
        assert self.read(defaultVoices=self.VOICES, synthesizedLanguages=[]) == Voices(by_language, ("de", "fr"))
        assert self.read(defaultVoices=self.VOICES, synthesizedLanguages=["fr"]) == Voices(by_language, ("fr",))

    @pytest.mark.parametrize("voices", [None, {}, [KATJA], {"de": ""}, {"de": 5}])
    def test_have_names(self, voices: object) -> None:
        assert self.read(defaultVoices=voices, synthesizedLanguages=["de"]) is None

    def test_are_silent_if_that_is_said(self) -> None:
        assert self.read("None", defaultVoices=self.VOICES) is None
        assert self.read("Synthesize", defaultVoices=self.VOICES) is not None


class TestEvent:
    CHANGE: ClassVar = {"id": "translation", "name": "updateLanguage", "to": ["de", "fr"]}

    def test_may_change_the_targets(self) -> None:
        assert read_event(body(**self.CHANGE)) == Update(("de", "fr"), None)

    def test_may_change_the_voices(self) -> None:
        synthesis = {"defaultVoices": {"de": KATJA}}
        expected = Update(("de", "fr"), Voices((("de", KATJA),), ("de",)))
        assert read_event(body(**self.CHANGE, synthesis=synthesis)) == expected

    def test_compares_without_case(self) -> None:
        assert read_event(body(NAME="UPDATElanguage", To=["de"])) == Update(("de",), None)

    @pytest.mark.parametrize(
        "members", [{}, {"name": "updateLanguage"}, {"name": "other", "to": ["de"]}, {"name": 5, "to": ["de"]}]
    )
    def test_of_another_kind_changes_nothing(self, members: dict[str, object]) -> None:
        assert read_event(body(**members)) is None

    @pytest.mark.parametrize("data", NO_OBJECT)
    def test_that_is_no_object_is_refused(self, data: bytes) -> None:
        with pytest.raises(PeerViolation) as caught:
            read_event(data)
        assert caught.value.requirement == "speech.malformed.context-json"


class TestSettle:
    REQUEST = SpeechRequest(
        V1,
        "0" * 32,
        source="en-US",
        targets=("de", "fr"),
        mode=Mode.INTERACTIVE,
        voice=KATJA,
        profanity=Profanity.RAW,
        detailed=True,
        initial_silence_ms=3000,
        segmentation_ms=700,
    )

    def test_the_query_decides_what_a_context_leaves_open(self) -> None:
        assert settle(self.REQUEST, Mode.DICTATION, Context()) == Wanted(
            mode=Mode.INTERACTIVE,
            source="en-US",
            candidates=(),
            targets=("de", "fr"),
            translated=True,
            voices=Voices((("de", KATJA), ("fr", KATJA)), ("de", "fr")),
            profanity=Profanity.RAW,
            detailed=True,
            interims=True,
            initial_silence_ms=3000,
            segmentation_ms=700,
            forced_ms=None,
            resumed=False,
        )

    def test_the_context_beats_the_query(self) -> None:
        voices = Voices((("it", "it-IT-Elsa"),), ("it",))
        context = Context(
            mode=Mode.CONVERSATION,
            source="de-DE",
            candidates=("de-DE", "fr-FR"),
            targets=("it",),
            voices=voices,
            profanity=Profanity.TAGGED,
            detailed=False,
            interims=False,
            initial_silence_ms=0,
            segmentation_ms=0,
            forced_ms=20_000,
            resumed=True,
        )
        assert settle(self.REQUEST, Mode.DICTATION, context) == Wanted(
            mode=Mode.CONVERSATION,
            source="de-DE",
            candidates=("de-DE", "fr-FR"),
            targets=("it",),
            translated=True,
            voices=voices,
            profanity=Profanity.TAGGED,
            detailed=False,
            interims=False,
            initial_silence_ms=0,
            segmentation_ms=0,
            forced_ms=20_000,
            resumed=True,
        )

    def test_speech_config_decides_what_both_leave_open(self) -> None:
        assert settle(SpeechRequest(V1, "0" * 32), Mode.DICTATION, Context()).mode is Mode.DICTATION
        assert settle(SpeechRequest(V1, "0" * 32), None, Context()).mode is None

    def test_the_voice_of_the_query_speaks_the_targets_of_the_context(self) -> None:
        wanted = settle(self.REQUEST, None, Context(targets=("it",)))
        assert wanted.voices == Voices((("it", KATJA),), ("it",))

    def test_profanities_are_masked_where_nobody_says_anything(self) -> None:
        wanted = settle(SpeechRequest(V2, "0" * 32), None, Context())
        assert (wanted.profanity, wanted.detailed, wanted.voices) == (Profanity.MASKED, False, None)
        assert (wanted.initial_silence_ms, wanted.segmentation_ms) == (None, None)

    @pytest.mark.parametrize(
        ("dialect", "targets", "translated"),
        [(V1, None, True), (V1, (), True), (V2, None, False), (V2, (), False), (V2, ("de",), True)],
    )
    def test_v2_without_targets_is_plain_recognition(
        self,
        dialect: str,
        targets: tuple[str, ...] | None,
        translated: bool,
    ) -> None:
        assert settle(SpeechRequest(dialect, "0" * 32), None, Context(targets=targets)).translated is translated
