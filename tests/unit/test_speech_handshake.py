"""The handshake of the speech dialects: what a client may ask for, and what it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import requirements
from protocol.rejection import Rejected, Rejection
from protocol.request import Credential, CredentialKind, credential
from protocol.speech.handshake import (
    CREDENTIAL_NAMES,
    PATHS,
    Mode,
    Profanity,
    SpeechRequest,
    build_target,
    read_request,
)
from protocol.speech.messages import V1, V2
from protocol.wire import Headers, HttpRequest

ID = "A4B0D294C3994BFF98C33961BD5A25F8"
NAMED = (("X-ConnectionId", ID),)
PLAIN = SpeechRequest(V1, ID)


def read(query: str = "", headers: Headers = NAMED, dialect: str = V1) -> SpeechRequest:
    return read_request(HttpRequest("GET", f"{PATHS[dialect][0]}?{query}", headers), dialect)


def refusal(query: str = "", headers: Headers = ()) -> Rejection:
    with pytest.raises(Rejected) as caught:
        read(query, headers)
    assert caught.value.rejection.status == 400
    return caught.value.rejection


class TestPaths:
    def test_belong_to_one_dialect_each(self) -> None:
        assert PATHS[V1] == ("/speech/translation/cognitiveservices/v1",)
        assert PATHS[V2] == ("/stt/speech/universal/v2", "/speech/universal/v2")

    @pytest.mark.parametrize("name", ["v1-path", "v2-path", "v2-short-path"])
    def test_are_in_the_register(self, name: str) -> None:
        requirement = requirements.get(f"speech.endpoint.{name}")
        assert any(path in requirement.statement for path in PATHS[f"speech-{name[:2]}"])


class TestConnectionId:
    @pytest.mark.parametrize("value", [ID, ID.lower(), "a4b0d294-c399-4bff-98c3-3961bd5a25f8"])
    def test_is_kept_as_it_was_spelled(self, value: str) -> None:
        assert read("", (("x-connectionid", value),)).connection_id == value
        assert read(f"x-CONNECTIONid={value}", ()).connection_id == value

    def test_in_the_header_beats_its_twin(self) -> None:
        assert read(f"X-ConnectionId={'0' * 32}").connection_id == ID
        assert read(f"X-ConnectionId={ID}", (("X-ConnectionId", ""),)).connection_id == ID

    @pytest.mark.parametrize(("query", "headers"), [("", ()), ("X-ConnectionId=", (("X-ConnectionId", ""),))])
    def test_is_required(self, query: str, headers: Headers) -> None:
        message = "parameter 'X-ConnectionId': expected a UUID in the header or the query, got nothing"
        assert refusal(query, headers) == Rejection(400, "MissingParameter", message, "X-ConnectionId")

    @pytest.mark.parametrize(
        "value",
        [
            "7",
            ID[1:],
            f"{ID}0",
            "g" * 32,
            f"{{{ID}}}",
            "a4b0d294c399-4bff-98c3-3961bd5a25f8",
            "a4b0d-294-c399-4bff-98c3-3961bd5a25f8",
            f"{ID}\n",
        ],
    )
    def test_is_a_uuid(self, value: str) -> None:
        assert refusal(headers=(("X-ConnectionId", value),)).code == "InvalidParameter"


class TestQuery:
    @pytest.mark.parametrize("dialect", [V1, V2])
    def test_may_be_empty(self, dialect: str) -> None:
        assert read(dialect=dialect) == SpeechRequest(dialect, ID)

    def test_can_say_everything(self) -> None:
        query = (
            "from=en-US&to=de%2Cfr&scenario=Conversation&voice=de-DE-KatjaNeural&features=requireVoice"
            "&profanity=RAW&format=Detailed&initialSilenceTimeoutMs=3000&segmentationSilenceTimeoutMs=700"
        )
        assert read(query) == SpeechRequest(
            dialect=V1,
            connection_id=ID,
            source="en-US",
            targets=("de", "fr"),
            mode=Mode.CONVERSATION,
            voice="de-DE-KatjaNeural",
            profanity=Profanity.RAW,
            detailed=True,
            initial_silence_ms=3000,
            segmentation_ms=700,
        )

    def test_of_the_captured_clients_is_understood(self) -> None:
        native = read("features=texttospeech&from=en-US&to=de&to=fr&voice=de-DE-KatjaNeural")
        javascript = read(
            "from=en-US&to=de%2Cfr&scenario=conversation&voice=de-DE-KatjaNeural&features=requireVoice"
            f"&Ocp-Apim-Subscription-Key=k&X-ConnectionId={ID}",
            (),
        )
        assert javascript == replace(native, mode=Mode.CONVERSATION, old_voice=False)
        assert (native.targets, native.voice) == (("de", "fr"), "de-DE-KatjaNeural")

    @pytest.mark.parametrize("unknown", ["storeAudio=true", "x", "=", "%ff=%ff", "&&", "cid=7", "api-version=9"])
    def test_unknown_parameters_mean_nothing(self, unknown: str) -> None:
        assert read(f"{unknown}&from=en-US&{unknown}") == read("from=en-US")

    def test_names_compare_without_case(self) -> None:
        query = "FROM=en&To=de&SCENARIO=dictation&Voice=v&Profanity=raw&Format=detailed&INITIALSILENCETIMEOUTMS=1"
        assert read(query) == SpeechRequest(
            V1, ID, "en", ("de",), Mode.DICTATION, "v", profanity=Profanity.RAW, detailed=True, initial_silence_ms=1
        )

    def test_an_empty_value_equals_an_absent_one(self) -> None:
        assert read("from&to=&scenario=&voice=&profanity=&format=&initialSilenceTimeoutMs=") == PLAIN

    @pytest.mark.parametrize("query", ["from=xx&to=yy,zz&voice=nobody", "from=%F0%9F%9A%A9", f"to={'a' * 1000}"])
    def test_refuses_no_language_and_no_voice(self, query: str) -> None:
        assert read(query).connection_id == ID


class TestVoicesAsStreams:
    @pytest.mark.parametrize(
        ("dialect", "query", "streams"),
        [(V1, "", False), (V2, "", True), (V2, "features=requireVoice", True), (V2, "features=TextToSpeech", False)],
    )
    def test_are_known_to_clients_of_v2_but_for_old_ones(self, dialect: str, query: str, streams: bool) -> None:
        assert read(query, dialect=dialect).streams is streams


class TestSource:
    def test_is_from_or_else_language(self) -> None:
        assert read("language=de-DE").source == "de-DE"
        assert read("language=de-DE&from=en-US").source == "en-US"
        assert read("from&language=de-DE").source == "de-DE"


class TestTargets:
    @pytest.mark.parametrize(
        "query", ["to=de,fr,it", "to=de&to=fr&to=it", "to=de%2Cfr&to=it", "to=de,%20fr%20,,it,", "to=de,fr,de&to=it"]
    )
    def test_are_comma_joined_repeated_or_both_and_each_counts_once(self, query: str) -> None:
        assert read(query).targets == ("de", "fr", "it")

    def test_are_none_where_nothing_but_commas_stands(self) -> None:
        assert read("to=,%20,").targets == ()


class TestWords:
    @pytest.mark.parametrize("mode", Mode)
    def test_modes_compare_without_case(self, mode: Mode) -> None:
        assert read(f"scenario={mode.value.title()}").mode is mode

    @pytest.mark.parametrize("treatment", Profanity)
    def test_treatments_compare_without_case(self, treatment: Profanity) -> None:
        assert read(f"profanity={treatment.value.title()}").profanity is treatment

    def test_others_equal_absent_ones(self) -> None:
        assert read("scenario=lecture&profanity=labeled&format=simple") == PLAIN

    @pytest.mark.parametrize("value", [None, 5, ["raw"], True, "", "İ"])
    def test_are_words(self, value: object) -> None:
        assert Mode.of(value) is None
        assert Profanity.of(value) is None


class TestNumbers:
    @pytest.mark.parametrize("value", ["-1", "1.5", "abc", "1e3", "٣", "1234567890", "+5"])
    def test_others_equal_absent_ones(self, value: str) -> None:
        query = f"initialSilenceTimeoutMs={value}&segmentationSilenceTimeoutMs={value}&endSilenceTimeoutMs={value}"
        assert read(query) == PLAIN

    def test_zero_is_one(self) -> None:
        assert read("initialSilenceTimeoutMs=0").initial_silence_ms == 0

    def test_the_silence_that_ends_an_utterance_has_two_names(self) -> None:
        assert read("endSilenceTimeoutMs=500").segmentation_ms == 500
        assert read("endSilenceTimeoutMs=500&segmentationSilenceTimeoutMs=700").segmentation_ms == 700


class TestCredentialNames:
    @pytest.mark.parametrize(
        ("query", "headers", "expected"),
        [
            ("", (("ocp-apim-subscription-key", "k"),), Credential(CredentialKind.KEY, "k", "header")),
            ("Ocp-Apim-Subscription-Key=k", (), Credential(CredentialKind.KEY, "k", "query")),
            ("", (("Authorization", "Bearer t"),), Credential(CredentialKind.TOKEN, "t", "header")),
            ("Authorization=bearer%20t", (), Credential(CredentialKind.TOKEN, "t", "query")),
            ("subscription-key=k&access_token=t", (), None),
        ],
    )
    def test_are_the_same_in_header_and_query(self, query: str, headers: Headers, expected: Credential | None) -> None:
        request = HttpRequest("GET", f"{PATHS[V2][0]}?{query}", headers)
        assert credential(request, names=CREDENTIAL_NAMES) == expected


TAGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=","), min_size=1).filter(
    lambda tag: tag == tag.strip()
)


class TestBuildTarget:
    PATH = PATHS[V2][0]

    def test_without_anything_is_the_path(self) -> None:
        assert build_target(self.PATH) == self.PATH

    def test_says_what_it_is_given(self) -> None:
        target = build_target(
            self.PATH,
            source="en-US",
            targets=("de", "fr"),
            mode=Mode.DICTATION,
            voice="de-DE-Katja",
            extra=(("X-ConnectionId", ID), ("x", "a b")),
        )
        assert target == (
            f"{self.PATH}?from=en-US&to=de%2Cfr&scenario=dictation&voice=de-DE-Katja&features=requireVoice"
            f"&X-ConnectionId={ID}&x=a%20b"
        )

    def test_may_name_each_target_alone(self) -> None:
        assert build_target(self.PATH, targets=("de", "fr"), joined=False) == f"{self.PATH}?to=de&to=fr"
        assert build_target(self.PATH, targets=(), joined=False) == self.PATH

    def test_goes_on_behind_a_query_that_is_there(self) -> None:
        assert build_target(f"{self.PATH}?a=b", source="en") == f"{self.PATH}?a=b&from=en"

    @given(
        source=st.none() | TAGS,
        targets=st.lists(TAGS, unique=True, max_size=4),
        mode=st.none() | st.sampled_from(Mode),
        voice=st.none() | TAGS,
        joined=st.booleans(),
    )
    def test_is_undone_by_read_request(
        self, source: str | None, targets: list[str], mode: Mode | None, voice: str | None, *, joined: bool
    ) -> None:
        target = build_target(self.PATH, source=source, targets=targets, mode=mode, voice=voice, joined=joined)
        read = read_request(HttpRequest("GET", target, NAMED), V2)
        assert read == SpeechRequest(V2, ID, source, tuple(targets), mode, voice)
