"""The handshake of `translator`: what a server takes, what it refuses, and what a client builds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.languages import PUBLISHED, Catalogue
from protocol.translator.handshake import (
    SPEECH_PATH,
    Feature,
    ProfanityAction,
    ProfanityMarker,
    Rejected,
    Rejection,
    SpeechRequest,
    VoiceFormat,
    build_target,
    parse_query,
    read_request,
)
from protocol.wire import HttpRequest

TTS, PARTIAL, TIMING = Feature.TEXT_TO_SPEECH, Feature.PARTIAL, Feature.TIMING_INFO
GOOD = "api-version=1.0&from=en-US&to=it"


@st.composite
def requests(draw: st.DrawFn) -> SpeechRequest:
    """Draw what a client may ask for, its voice being one of the target."""
    voice = draw(st.sampled_from(sorted(PUBLISHED.voices)))
    return SpeechRequest(
        source=draw(st.sampled_from(sorted(PUBLISHED.speech))),
        target=PUBLISHED.voices[voice].language,
        features=draw(st.frozensets(st.sampled_from(Feature))),
        voice=voice,
        format=draw(st.sampled_from(VoiceFormat)),
        profanity=draw(st.sampled_from(ProfanityAction)),
        marker=draw(st.sampled_from(ProfanityMarker)),
        trace_id=draw(st.text(min_size=1)),
    )


def read(query: str, *headers: tuple[str, str]) -> SpeechRequest:
    return read_request(HttpRequest("GET", f"{SPEECH_PATH}?{query}", headers), PUBLISHED)


def refusal(query: str) -> Rejection:
    with pytest.raises(Rejected) as caught:
        read(query)
    assert caught.value.rejection.status == 400
    return caught.value.rejection


class TestAccepted:
    def test_two_languages_are_enough(self) -> None:
        request = read("from=en-US&to=it")
        assert request == SpeechRequest(source="en-US", target="it")
        assert request.features == frozenset()
        assert request.voice is None
        assert request.format is VoiceFormat.WAV
        assert (request.profanity, request.marker) == (ProfanityAction.MARKED, ProfanityMarker.ASTERISK)

    def test_everything_can_be_said(self) -> None:
        query = (
            "ProfanityMarker=Tag&ProfanityAction=Deleted&format=audio/mp3&voice=it-IT-Elsa"
            "&features=Partial,TextToSpeech,TimingInfo&to=it-IT&from=en&api-version=1.0"
        )
        assert read(query) == SpeechRequest(
            source="en-US",
            target="it",
            features=frozenset(Feature),
            voice="it-IT-Elsa",
            format=VoiceFormat.MP3,
            profanity=ProfanityAction.DELETED,
            marker=ProfanityMarker.TAG,
        )

    def test_names_of_parameters_compare_without_case(self) -> None:
        request = read("API-Version=1.0&FROM=en-US&To=it&profanityaction=NoAction")
        assert request == SpeechRequest("en-US", "it", profanity=ProfanityAction.NO_ACTION)

    @pytest.mark.parametrize("unknown", ["profanity=Strict", "flight=experimental", "x", "=", "%ff=%ff", "&&"])
    def test_unknown_parameters_are_ignored(self, unknown: str) -> None:
        assert read(f"{unknown}&{GOOD}&{unknown}") == read(GOOD)

    def test_an_empty_value_equals_an_absent_one(self) -> None:
        empty = "voice=&format=&features=&ProfanityAction=&ProfanityMarker=&X-ClientTraceId=&to="
        assert read(f"api-version=&from=en-US&to=it&{empty}") == read(GOOD)

    def test_source_and_target_may_be_one_language(self) -> None:
        assert read("from=ja-JP&to=ja-JP") == SpeechRequest("ja-JP", "ja")

    def test_a_parameter_said_twice_in_the_same_way_is_said_once(self) -> None:
        assert read(f"{GOOD}&from=en-US&api-version=1.0") == read(GOOD)


class TestTraceFields:
    """Requirement translator.handshake.trace-headers: headers, or their query twins."""

    def test_headers_win(self) -> None:
        request = read(
            f"{GOOD}&x-clientTraceId=q1&X-CorrelationId=q2", ("x-clienttraceid", "h1"), ("X-OsPlatform", "L")
        )
        assert (request.trace_id, request.correlation_id) == ("h1", "q2")
        assert (request.client_version, request.os_platform) == (None, "L")

    def test_an_empty_header_leaves_it_to_the_query(self) -> None:
        assert read(f"{GOOD}&X-ClientVersion=2.1&X-ClientVersion=3", ("X-ClientVersion", "")).client_version == "2.1"


class TestVersion:
    @pytest.mark.parametrize("version", ["1", "1.1", "2.0", "v1.0", "1.0,2.0"])
    def test_there_is_one_only(self, version: str) -> None:
        assert refusal(f"api-version={version}&from=en-US&to=it") == Rejection(
            400, "InvalidParameter", f"parameter 'api-version': expected 1.0, got '{version}'", "api-version"
        )

    def test_it_is_judged_first(self) -> None:
        assert refusal("api-version=2.0&from=xx&to=xx").parameter == "api-version"


class TestLanguages:
    def test_a_missing_one_is_named(self) -> None:
        assert refusal("to=it") == Rejection(
            400,
            "MissingParameter",
            "parameter 'from': expected one of ar-EG, de-DE, en-US, es-ES, fr-FR, it-IT, ja-JP, pt-BR, ru-RU, zh-CN, "
            "zh-TW, got nothing",
            "from",
        )
        missing = refusal("from=en-US&to=")
        assert (missing.code, missing.parameter) == ("MissingParameter", "to")

    @pytest.mark.parametrize(("query", "name"), [("from=xx-XX&to=it", "from"), ("from=en-US&to=xx-XX", "to")])
    def test_an_unknown_one_is_named(self, query: str, name: str) -> None:
        found = refusal(query)
        assert (found.code, found.parameter) == ("InvalidParameter", name)
        assert found.message.startswith(f"parameter '{name}': expected one of a")
        assert found.message.endswith("got 'xx-XX'")

    @pytest.mark.parametrize("targets", ["to=it&to=fr", "to=it&to=it", "to=it&TO=it", "to=it,fr", "to=it%2Cfr"])
    def test_a_session_has_one_target(self, targets: str) -> None:
        found = refusal(f"from=en-US&{targets}")
        assert (found.code, found.parameter) == ("InvalidParameter", "to")
        assert found.message.startswith("parameter 'to': expected exactly one text language, got 'it,")

    def test_two_sources_are_none(self) -> None:
        found = refusal("from=en-US&from=de-DE&to=it")
        assert found.message == "parameter 'from': expected one value, got 'en-US, de-DE'"


class TestFeatures:
    @pytest.mark.parametrize(
        ("features", "expected"),
        [
            ("features=texttospeech", {TTS}),
            ("features=PARTIAL,timingInfo", {PARTIAL, TIMING}),
            ("features=Partial,%20TimingInfo%20", {PARTIAL, TIMING}),
            ("features=,Partial,,Partial,", {PARTIAL}),
            ("features=Partial&features=TimingInfo", {PARTIAL, TIMING}),
            ("features=%20,", set()),
        ],
    )
    def test_words_compare_without_case_and_blanks(self, features: str, expected: set[Feature]) -> None:
        assert read(f"{GOOD}&{features}").features == expected

    def test_an_unknown_word_is_named(self) -> None:
        assert refusal(f"{GOOD}&features=Partial,FastPartial") == Rejection(
            400,
            "InvalidParameter",
            "parameter 'features': expected words out of TextToSpeech, Partial, TimingInfo, got 'FastPartial'",
            "features",
        )


class TestVoice:
    def test_the_server_chooses_one_of_the_target(self) -> None:
        assert read(f"{GOOD}&features=TextToSpeech").voice == "it-IT-Cosimo"

    def test_any_region_of_the_target_will_do(self) -> None:
        assert read("from=en-US&to=pt&features=texttospeech&voice=pt-PT-Helia").voice == "pt-PT-Helia"

    @pytest.mark.parametrize("voice", ["it-IT-Nobody", "Elsa", "it-it-elsa", "pt-PT-Helia"])
    def test_one_that_does_not_speak_the_target_is_refused(self, voice: str) -> None:
        assert refusal(f"{GOOD}&features=TextToSpeech&voice={voice}") == Rejection(
            400,
            "InvalidParameter",
            f"parameter 'voice': expected a voice that speaks 'it', one of it-IT-Cosimo, it-IT-Elsa, got '{voice}'",
            "voice",
        )

    @pytest.mark.parametrize("voice", ["", "&voice=it-IT-Elsa"])
    def test_a_target_without_a_voice_cannot_be_spoken(self, voice: str) -> None:
        found = refusal(f"from=en-US&to=af&features=TextToSpeech{voice}")
        assert (found.code, found.parameter) == ("InvalidParameter", "features")
        assert found.message.startswith("parameter 'features': expected 'af' without TextToSpeech, or a target with a")
        assert "(ar, ca, cs, da, de, el, en," in found.message

    def test_a_server_without_voices_says_so(self) -> None:
        request = HttpRequest("GET", f"{SPEECH_PATH}?{GOOD}&features=TextToSpeech", ())
        with pytest.raises(Rejected, match=r"a target with a voice \(none here\), got 'TextToSpeech'"):
            read_request(request, PUBLISHED.subset(voices=()))

    @pytest.mark.parametrize("ignored", ["voice=it-IT-Elsa", "voice=pt-PT-Helia", "voice=nobody", "format=audio/ogg"])
    def test_without_text_to_speech_voice_and_format_are_ignored(self, ignored: str) -> None:
        assert read(f"{GOOD}&features=Partial&{ignored}") == read(f"{GOOD}&features=Partial")


class TestChoices:
    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("format", "audio/ogg", "one of audio/wav, audio/mp3"),
            ("ProfanityAction", "Strict", "one of NoAction, Marked, Deleted"),
            ("ProfanityMarker", "Star", "one of Asterisk, Tag"),
        ],
    )
    def test_an_unknown_value_is_refused(self, name: str, value: str, allowed: str) -> None:
        assert refusal(f"{GOOD}&features=TextToSpeech&{name.lower()}={value}") == Rejection(
            400, "InvalidParameter", f"parameter '{name}': expected {allowed}, got '{value}'", name
        )

    def test_the_marker_is_judged_even_where_nothing_is_marked(self) -> None:
        assert refusal(f"{GOOD}&ProfanityAction=NoAction&ProfanityMarker=x").parameter == "ProfanityMarker"


class TestSecrets:
    @pytest.mark.parametrize("name", ["api-version", "from", "to", "features", "ProfanityAction"])
    def test_a_query_encoded_twice_does_not_give_the_credential_away(self, name: str) -> None:
        others = "&".join(pair for pair in GOOD.split("&") if not pair.startswith(f"{name}="))
        found = refusal(f"{name}=x%26access_token%3Ds3cret&{others}&access_token=s3cret")
        assert found.parameter == name
        assert "s3cret" not in found.message


class TestBuildTarget:
    def test_what_is_not_said_is_left_out(self) -> None:
        assert build_target(source="en-US", target="it") == "/speech/translate?api-version=1.0&from=en-US&to=it"
        assert build_target("/x", source=None, target=None, api_version=None) == "/x"

    def test_everything_can_be_said(self) -> None:
        target = build_target(
            source="en-US",
            target="it",
            features=(TTS, "partial"),
            voice="it-IT-Elsa",
            format=VoiceFormat.MP3,
            profanity=ProfanityAction.MARKED,
            marker="Tag",
            extra=[("access_token", "a&b c"), ("to", "fr")],
        )
        assert target == (
            "/speech/translate?api-version=1.0&from=en-US&to=it&features=TextToSpeech,partial&voice=it-IT-Elsa"
            "&format=audio/mp3&ProfanityAction=Marked&ProfanityMarker=Tag&access_token=a%26b%20c&to=fr"
        )

    def test_a_string_is_sent_as_it_is(self) -> None:
        target = build_target(source="", target="it", features=" Partial ,x", voice="", format="", api_version="2.0")
        assert parse_query(target.partition("?")[2]) == (
            ("api-version", "2.0"),
            ("from", ""),
            ("to", "it"),
            ("features", " Partial ,x"),
            ("voice", ""),
            ("format", ""),
        )

    def test_a_set_is_sent_in_one_order(self) -> None:
        target = build_target(source=None, target=None, features=frozenset(Feature), api_version=None)
        assert target == "/speech/translate?features=Partial,TextToSpeech,TimingInfo"

    def test_a_query_of_the_path_stays(self) -> None:
        assert build_target("/x?tenant=7", source=None, target="it") == "/x?tenant=7&api-version=1.0&to=it"

    @given(requests())
    def test_a_server_reads_what_a_client_builds(self, asked: SpeechRequest) -> None:
        built = build_target(
            source=asked.source,
            target=asked.target,
            features=asked.features,
            voice=asked.voice,
            format=asked.format,
            profanity=asked.profanity,
            marker=asked.marker,
            extra=[("X-ClientTraceId", str(asked.trace_id))],
        )
        agreed = asked if TTS in asked.features else replace(asked, voice=None, format=VoiceFormat.WAV)
        assert read_request(HttpRequest("GET", built, ()), PUBLISHED) == agreed


class TestPairs:
    def test_a_pair_that_does_not_go_is_refused_with_those_that_do(self) -> None:
        catalogue = Catalogue.of(
            PUBLISHED.speech.values(), PUBLISHED.text.values(), PUBLISHED.voices.values(), {"en": frozenset({"pt"})}
        )
        good = HttpRequest("GET", f"{SPEECH_PATH}?from=en-US&to=pt", ())
        assert read_request(good, catalogue).target == "pt"
        with pytest.raises(Rejected) as refused:
            read_request(HttpRequest("GET", f"{SPEECH_PATH}?from=en-US&to=de", ()), catalogue)
        assert refused.value.rejection.status == 400
        assert "en, pt" in refused.value.rejection.message
