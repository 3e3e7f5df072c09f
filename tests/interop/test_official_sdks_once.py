"""One-shot recognition with the official Speech SDKs, several times on one recognizer: streams, files, both paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.official import V1, V2, Client, Outcome, Outcomes, each, run
from tests.interop.spoken import (
    CLEAR_WAV,
    COFFEE,
    PAIR,
    PAIR_WAV,
    STATION,
    TICKS_PER_MS,
    TRAIN,
    VOICE,
    ends_cleanly,
    interim,
    lies_at,
    says,
    speaks,
)

if TYPE_CHECKING:
    from tests.conftest import Serving

PACE = 2
STREAM = {"kind": "push", "wav": PAIR_WAV, "pace": PACE}
PATHS = {"v1": V1, "v2": V2}
EARLY_MS = 100
"""A native client leaves one chunk out when live input goes on behind a one-shot result."""


def says_both(outcome: Outcome) -> None:
    """Assert that two calls returned the two sentences of a stream, each as the event before it said."""
    ends_cleanly(outcome)
    returned = outcome.told("returned")
    assert len(returned) == len(PAIR)
    for result, said in zip(returned, PAIR, strict=True):
        says(result, said)
    for at, event in enumerate(outcome.events):
        if event["event"] == "returned":
            shown = [one for one in outcome.events[:at] if one["event"] == "recognized" and one.get("text")][-1]
            names = ("reason", "text", "translations", "offset", "duration")
            assert {name: event[name] for name in names} == {name: shown[name] for name in names}


class TestTwiceOnAStream:
    """Experiment 1b. The stream goes on between the calls, at twice the speed of speech, with a voice."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they reported; releases before 1.44 need a moment before they read the stream again."""
        return Outcomes(
            "starts_again",
            but={client: {"pause": 0.3} for client in (Client.JS_1_38, Client.JS_1_30)},
            url=server.url + PATHS[request.param],
            mode="once",
            input=STREAM,
            runs=2,
            voice=VOICE,
        )

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_each_call_returns_its_sentence(self, outcomes: Outcomes, client: Client) -> None:
        says_both(outcomes.of(client))

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_within_a_second_of_its_end(self, outcomes: Outcomes, client: Client) -> None:
        """The first sentence ends at 1.46 s of audio, and 0.8 s of silence behind it end the utterance."""
        outcome = outcomes.of(client)
        due = outcome.told("sessionStarted")[0]["t"] + (COFFEE.end_ms + 800) / 1000 / PACE
        assert outcome.told("returned")[0]["t"] - due < 1

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_a_session_each_on_one_connection(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert outcome.order("sessionStarted", "sessionStopped") == ["sessionStarted", "sessionStopped"] * 2
        assert outcome.told("canceled") == []

    @pytest.mark.parametrize("client", each("starts_again", "knows_v2_hypotheses"))
    def test_grow_before_they_are_final(self, outcomes: Outcomes, client: Client) -> None:
        interim(outcomes.of(client), least=2)

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_offsets_go_on_or_start_again_as_the_client_counts(self, outcomes: Outcomes, client: Client) -> None:
        first, second = outcomes.of(client).told("returned")
        lies_at(first, COFFEE)
        if client is Client.NATIVE:
            lies_at(second, STATION, within_ms=EARLY_MS)
        else:
            assert second["offset"] < STATION.start_ms * TICKS_PER_MS / 2

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_what_it_asks_for_is_spoken(
        self, outcomes: Outcomes, client: Client, request: pytest.FixtureRequest
    ) -> None:
        v2 = "v2" in request.node.callspec.id.split("-")
        spoken = client.voices_in_v2 if v2 else ("de",)
        speaks(outcomes.of(client), [said.translations[target] for said in PAIR for target in spoken])


class TestBehindTheLastSentence:
    @pytest.mark.sdk
    @pytest.mark.parametrize("path", PATHS)
    def test_a_call_more_of_the_native_client_returns_nothing_and_soon(self, server: Serving, path: str) -> None:
        source = {**STREAM, "pace": 0}
        outcome = run(Client.NATIVE, url=server.url + PATHS[path], mode="once", input=source, runs=3, timeout=20)
        ends_cleanly(outcome)
        *sentences, nothing = outcome.told("returned")
        assert [event["text"] for event in sentences] == [said.text for said in PAIR]
        assert nothing["reason"] in {"NoMatch", "EndOfStream"}, "whether a chunk is left is a matter of luck"
        assert (nothing["text"], nothing["translations"]) == ("", {})
        assert outcome.elapsed < 5


class TestFile:
    """JS reads its file from the beginning for each call; the native one goes on behind what it has got."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they reported."""
        source = {"kind": "file", "wav": CLEAR_WAV}
        url = server.url + PATHS[request.param]
        return Outcomes("reads_files", "speaks_v2", url=url, mode="once", input=source, voice=None)

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_returns_the_sentence(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        (result,) = outcome.told("returned")
        says(result, TRAIN)
        lies_at(result, TRAIN)
        assert outcome.told("synthesizing") == []

    @pytest.mark.parametrize("client", each("reads_files", "names_interactive"))
    def test_is_told_once(self, outcomes: Outcomes, client: Client) -> None:
        assert outcomes.of(client).texts == [TRAIN.text]
