"""What the official Speech SDKs report when something is wrong: each says it, and none hangs."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest

from tests.interop.official import V1, V2, Client, Outcome, Outcomes, each
from tests.interop.spoken import COFFEE, PAIR_WAV, VOICE, ends_cleanly

if TYPE_CHECKING:
    from tests.conftest import Serving, Speechwire

SCRIPT: Final = {
    "utterances": [
        {"when": {"to": "it"}, "fail": {"before": "final"}},
        {"when": {"to": "ja"}, "fail": {"before": "final", "as": "overload"}},
        {"when": {"to": "pt"}, "recognition": COFFEE.text, "translation_failures": {"pt": "no words for it"}},
        {"when": {"to": "ar"}, "recognition": COFFEE.text, "fail": {"before": "voice"}},
        {"when": {"to": "ru"}, "status": "NoMatch"},
        {"recognition": COFFEE.text},
    ]
}
BURST = {"kind": "push", "wav": PAIR_WAV, "pace": 0}
WAYS = {"v1-continuous": {"path": V1, "mode": "continuous"}, "v2-once": {"path": V2, "mode": "once"}}
"""Each error is tried both ways, on one path each."""

SOON: Final = 10
"""Seconds that an error may take to be told; the native SDK tries up to five connections first."""
TRIES: Final = 5


@pytest.fixture(scope="module")
def failing(speechwire: Speechwire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Give a server that fails as its script says, by target language."""
    script = tmp_path_factory.mktemp("script") / "script.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    with speechwire.serve("--script", script) as serving:
        yield serving
        stopped = serving.stop()
        assert (stopped.code, stopped.err) == (0, "")


def way(serving: Serving, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of one of the ways."""
    chosen = WAYS[request.param]
    return {"url": serving.url + chosen["path"], "mode": chosen["mode"], "input": BURST}


def cancelled(outcome: Outcome) -> Mapping[str, Any]:
    """Return the only error, which came soon; the program came to its end behind it."""
    assert outcome.code == 0, outcome.events
    assert outcome.told("hang", "error", "rejected") == []
    assert outcome.elapsed < SOON
    (error,) = [event for event in outcome.told("canceled") if event["reason"] == "Error"]
    for result in outcome.told("returned"):
        assert (result["reason"], result["errorCode"]) == ("Error", error["errorCode"])
    return error


class Case:
    """An error and how it is reported: parametrized over the ways, and run by all clients at once."""

    options: ClassVar[Mapping[str, Any]]
    conditions: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture(scope="class", params=WAYS)
    @classmethod
    def outcomes(cls, failing: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they report; releases before `translation.response` go to v1."""
        options = way(failing, request)
        old = {Client.JS_1_14: {"url": failing.url + V1}}
        return Outcomes(*cls.conditions, but=old, **{**options, **cls.options})


class TestWrongKey(Case):
    """P-18: the handshake is refused."""

    options: ClassVar[Mapping[str, Any]] = {"key": "wrong"}

    @pytest.mark.parametrize("client", each())
    def test_is_told_with_the_status(self, outcomes: Outcomes, client: Client) -> None:
        error = cancelled(outcomes.of(client))
        if client is Client.NATIVE:
            assert error["errorCode"] == "AuthenticationFailure"
            assert "(403)" in error["errorDetails"]
        else:
            assert error["errorCode"] == "ConnectionFailure"
            assert "StatusCode: 1006" in error["errorDetails"]
            assert error["errorDetails"].endswith("Unexpected server response: 403")

    @pytest.mark.parametrize("client", each())
    def test_nothing_is_ever_connected(self, outcomes: Outcomes, client: Client) -> None:
        assert outcomes.of(client).told("connected", "recognizing", "recognized") == []


class TestWrongToken(Case):
    options: ClassVar[Mapping[str, Any]] = {"token": "wrong"}

    @pytest.mark.parametrize("client", each())
    def test_is_told_as_a_wrong_key_is(self, outcomes: Outcomes, client: Client) -> None:
        error = cancelled(outcomes.of(client))
        assert error["errorCode"] == ("AuthenticationFailure" if client is Client.NATIVE else "ConnectionFailure")


class TestGoodToken:
    """P-15: a token of the token service, in place of a key."""

    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, failing: Serving) -> Outcomes:
        """Give what they heard."""
        request = urllib.request.Request(  # noqa: S310 - the URL is the server's
            failing.url.replace("ws://", "http://") + "/sts/v1.0/issueToken",
            data=b"",
            headers={"Ocp-Apim-Subscription-Key": "test-key"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
            token = answer.read().decode()
        return Outcomes(url=failing.url + V1, mode="once", input=BURST, token=token)

    @pytest.mark.parametrize("client", each())
    def test_opens_the_session(self, outcomes: Outcomes, client: Client) -> None:
        ends_cleanly(outcomes.of(client))
        assert outcomes.of(client).told("returned")[0]["text"] == COFFEE.text


class TestUnknownSource(Case):
    """P-19: the handshake is accepted, and the close that follows has the reason."""

    options: ClassVar[Mapping[str, Any]] = {"from": "xx-XX"}
    conditions: ClassVar[tuple[str, ...]] = ("gives_up",)

    @pytest.mark.parametrize("client", each("gives_up"))
    def test_is_told_with_the_language(self, outcomes: Outcomes, client: Client) -> None:
        error = cancelled(outcomes.of(client))
        assert error["errorCode"] == ("BadRequest" if client is Client.NATIVE else "BadRequestParameters")
        assert "xx-XX" in error["errorDetails"]
        assert "1007" in error["errorDetails"]


class TestUnknownTarget(Case):
    """P-13: as an error of the translation."""

    options: ClassVar[Mapping[str, Any]] = {"to": ["de", "zz"]}

    @pytest.mark.parametrize("client", each())
    def test_what_was_said_is_kept_without_a_translation(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        result = outcome.told("recognized")[0]
        assert (result["reason"], result["text"], result["translations"]) == ("RecognizedSpeech", COFFEE.text, {})
        assert ("zz" in result.get("errorDetails", "")) is client.is_javascript


class TestTranslationThatFails(Case):
    options: ClassVar[Mapping[str, Any]] = {"to": ["pt"]}

    @pytest.mark.parametrize("client", each())
    def test_what_was_said_is_kept_with_the_reason(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        result = outcome.told("recognized")[0]
        assert (result["reason"], result["text"], result["translations"]) == ("RecognizedSpeech", COFFEE.text, {})
        assert ("no words for it" in result.get("errorDetails", "")) is client.is_javascript


class TestOneTranslationOfTwo(Case):
    options: ClassVar[Mapping[str, Any]] = {"to": ["pt", "de"]}

    @pytest.mark.parametrize("client", each())
    def test_the_other_one_is_there(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        result = outcome.told("recognized")[0]
        assert result["reason"] == "TranslatedSpeech"
        assert result["translations"] == {"de": f"[de] {COFFEE.text}"}


class Voiceless(Case):
    """A voice that does not come; what was recognized stays. A one-shot native recognizer would rest for 11 s then."""

    reason: ClassVar[str]

    @pytest.fixture(scope="class", params=["v1", "v2"])
    @classmethod
    def outcomes(cls, failing: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they report in continuous recognition."""
        old = {Client.JS_1_14: {"url": failing.url + V1}}
        url = failing.url + {"v1": V1, "v2": V2}[request.param]
        return Outcomes(but=old, **{"url": url, "mode": "continuous", "input": BURST, **cls.options})

    @pytest.mark.parametrize("client", each())
    def test_is_an_error_behind_the_result(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert outcome.code == 0
        assert outcome.told("recognized")[0]["text"] == COFFEE.text
        assert outcome.order("recognized", "canceled", "sessionStopped")[:2] == ["recognized", "canceled"]
        error = outcome.told("canceled")[0]
        assert (error["reason"], error["errorCode"]) == ("Error", "ServiceError")
        assert self.reason in error["errorDetails"]
        assert outcome.audio == []

    @pytest.mark.parametrize("client", each())
    def test_the_session_stops(self, outcomes: Outcomes, client: Client) -> None:
        assert outcomes.of(client).order("sessionStopped", "done") == ["sessionStopped", "done"]

    @pytest.mark.parametrize("client", each("is_javascript"))
    def test_the_voice_is_cancelled_and_recognition_goes_on(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert {event["reason"] for event in outcome.told("synthesizing")} == {"Canceled"}
        assert outcome.texts == [COFFEE.text, COFFEE.text]
        assert outcome.told("canceled")[-1]["reason"] == "EndOfStream"


class TestUnknownVoice(Voiceless):
    """P-08: no audio, the reason at the end of it."""

    options: ClassVar[Mapping[str, Any]] = {"voice": "nobody"}
    reason: ClassVar[str] = "nobody"


class TestVoiceThatFails(Voiceless):
    options: ClassVar[Mapping[str, Any]] = {"to": ["ar"], "voice": "ar-EG-SalmaNeural"}
    reason: ClassVar[str] = ""


class TestEngineError(Case):
    options: ClassVar[Mapping[str, Any]] = {"to": ["it"]}

    @pytest.mark.parametrize("client", each())
    def test_is_an_error_of_the_service(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert cancelled(outcome)["errorCode"] == "ServiceError"
        assert outcome.told("recognized") == []

    @pytest.mark.parametrize("client", each())
    def test_the_native_client_tries_five_times(self, outcomes: Outcomes, client: Client) -> None:
        assert len(outcomes.of(client).told("connected")) == (TRIES if client is Client.NATIVE else 1)

    @pytest.mark.parametrize("client", each())
    def test_the_session_stops(self, outcomes: Outcomes, client: Client) -> None:
        assert "sessionStopped" in outcomes.of(client).order()


class TestOverload(Case):
    options: ClassVar[Mapping[str, Any]] = {"to": ["ja"]}

    @pytest.mark.parametrize("client", each())
    def test_is_told_as_too_many_requests(self, outcomes: Outcomes, client: Client) -> None:
        error = cancelled(outcomes.of(client))
        assert error["errorCode"] == "TooManyRequests"
        assert ("parallel requests" in error.get("errorDetails", "")) is (client is not Client.JS_1_14)


class TestNothingRecognized(Case):
    """Rule of experiment 7: a call of which nothing comes returns."""

    options: ClassVar[Mapping[str, Any]] = {"to": ["ru"], "voice": VOICE}

    @pytest.mark.parametrize("client", each())
    def test_is_no_match_and_nothing_is_spoken(self, outcomes: Outcomes, client: Client) -> None:
        """JS shows it as an event from 1.44 on."""
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        results = outcome.told("returned", "recognized")
        assert {event["reason"] for event in results} <= {"NoMatch"}
        assert not any(event.get("text") for event in results)
        assert bool(outcome.told("returned")) is (outcome.told("canceled") == [])
        assert outcome.told("synthesizing") == []
