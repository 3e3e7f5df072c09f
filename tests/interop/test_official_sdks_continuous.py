"""Continuous recognition with the official Speech SDKs: files and streams, both paths, with and without a voice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.interop.official import V1, V2, V2_SHORT, Client, Outcome, Outcomes, each
from tests.interop.spoken import (
    COFFEE,
    PAIR,
    PAIR_MS,
    PAIR_WAV,
    STATION,
    TICKS_PER_MS,
    VOICE,
    ends_cleanly,
    interim,
    lies_at,
    says,
    speaks,
)

if TYPE_CHECKING:
    from tests.conftest import Serving

FILE = {"kind": "file", "wav": PAIR_WAV}
STREAM = {"kind": "push", "wav": PAIR_WAV, "pace": 2}


def both(outcome: Outcome) -> None:
    """Assert that both sentences of the recording were told, where they are, and then the end."""
    ends_cleanly(outcome)
    finals = outcome.told("recognized")
    assert len(finals) == len(PAIR)
    for final, said in zip(finals, PAIR, strict=True):
        says(final, said)
        lies_at(final, said)
    first, last = finals
    assert first["offset"] + first["duration"] == COFFEE.end_ms * TICKS_PER_MS
    assert last["offset"] + last["duration"] == PAIR_MS * TICKS_PER_MS, "the last one acknowledges all audio"
    assert [event["errorCode"] for event in outcome.told("canceled")] == ["NoError"]
    assert outcome.order("recognized", "canceled", "sessionStopped", "disconnected") == [
        "recognized",
        "recognized",
        "canceled",
        "sessionStopped",
        "disconnected",
    ]


def starts_before_it_is_recognized(outcome: Outcome) -> None:
    """Assert that the start of speech is the first that is told of it."""
    order = outcome.order("speechStartDetected", "recognizing", "recognized")
    assert order[0] == "speechStartDetected"
    assert outcome.told("speechStartDetected")[0]["offset"] == COFFEE.start_ms * TICKS_PER_MS


@pytest.fixture(scope="module")
def file_v1(server: Serving) -> Outcomes:
    """Give what they made of a file on the v1 path."""
    return Outcomes("reads_files", url=server.url + V1, mode="continuous", input=FILE)


@pytest.fixture(scope="module")
def file_v2(server: Serving) -> Outcomes:
    """Give what they made of a file on the v2 path."""
    return Outcomes("reads_files", "speaks_v2", url=server.url + V2, mode="continuous", input=FILE)


@pytest.fixture(scope="module")
def stream_v1(server: Serving) -> Outcomes:
    """Give what they made of a stream on the v1 path, with a voice."""
    return Outcomes(url=server.url + V1, mode="continuous", input=STREAM, voice=VOICE)


@pytest.fixture(scope="module")
def stream_v2(server: Serving) -> Outcomes:
    """Give what they made of a stream on the short v2 path, with a voice."""
    return Outcomes("speaks_v2", url=server.url + V2_SHORT, mode="continuous", input=STREAM, voice=VOICE)


class TestFileOnV1:
    @pytest.mark.parametrize("client", each("reads_files"))
    def test_both_sentences_and_the_end_of_the_stream(self, file_v1: Outcomes, client: Client) -> None:
        both(file_v1.of(client))

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_grow_before_they_are_final(self, file_v1: Outcomes, client: Client) -> None:
        interim(file_v1.of(client), least=3)
        starts_before_it_is_recognized(file_v1.of(client))

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_without_a_voice_nothing_is_spoken(self, file_v1: Outcomes, client: Client) -> None:
        assert file_v1.of(client).told("synthesizing") == []


class TestFileOnV2:
    @pytest.mark.parametrize("client", each("reads_files", "speaks_v2"))
    def test_both_sentences_and_the_end_of_the_stream(self, file_v2: Outcomes, client: Client) -> None:
        both(file_v2.of(client))

    @pytest.mark.parametrize("client", each("reads_files", "knows_v2_hypotheses"))
    def test_grow_before_they_are_final(self, file_v2: Outcomes, client: Client) -> None:
        interim(file_v2.of(client), least=3)
        starts_before_it_is_recognized(file_v2.of(client))

    @pytest.mark.parametrize("client", each("reads_files", "speaks_v2"))
    def test_speech_alone_ends_nothing_in_mid_stream(self, file_v2: Outcomes, client: Client) -> None:
        assert file_v2.of(client).told("speechEndDetected") == []

    @pytest.mark.parametrize("client", each("reads_files", "speaks_v2"))
    def test_without_a_voice_nothing_is_spoken(self, file_v2: Outcomes, client: Client) -> None:
        assert file_v2.of(client).told("synthesizing") == []


class TestStreamOnV1:
    """P-07, P-25: a complete file for each sentence, all of it before the end of the stream."""

    @pytest.mark.parametrize("client", each())
    def test_both_sentences_and_the_end_of_the_stream(self, stream_v1: Outcomes, client: Client) -> None:
        both(stream_v1.of(client))

    @pytest.mark.parametrize("client", each())
    def test_grow_before_they_are_final(self, stream_v1: Outcomes, client: Client) -> None:
        interim(stream_v1.of(client), least=3)
        starts_before_it_is_recognized(stream_v1.of(client))

    @pytest.mark.parametrize("client", each())
    def test_the_language_of_the_voice_is_spoken(self, stream_v1: Outcomes, client: Client) -> None:
        speaks(stream_v1.of(client), [said.translations["de"] for said in PAIR])

    @pytest.mark.parametrize("client", each())
    def test_a_voice_follows_its_sentence(self, stream_v1: Outcomes, client: Client) -> None:
        order = stream_v1.of(client).order("recognized", "synthesizing", "canceled")
        assert [name for at, name in enumerate(order) if order[at - 1 : at] != [name]] == [
            "recognized",
            "synthesizing",
            "recognized",
            "synthesizing",
            "canceled",
        ]


class TestStreamOnV2:
    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_both_sentences_and_the_end_of_the_stream(self, stream_v2: Outcomes, client: Client) -> None:
        both(stream_v2.of(client))

    @pytest.mark.parametrize("client", each("knows_v2_hypotheses"))
    def test_grow_before_they_are_final(self, stream_v2: Outcomes, client: Client) -> None:
        interim(stream_v2.of(client), least=3)
        starts_before_it_is_recognized(stream_v2.of(client))

    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_what_it_asks_for_is_spoken(self, stream_v2: Outcomes, client: Client) -> None:
        speaks(stream_v2.of(client), [said.translations[target] for said in PAIR for target in client.voices_in_v2])


class TestHost:
    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, server: Serving) -> Outcomes:
        """Give what they made of a server without a path; 1.14 needs a stream."""
        but = {Client.JS_1_14: {"input": {**STREAM, "pace": 0}}}
        return Outcomes(but=but, url=server.url, how="host", mode="continuous", input=FILE, service={"by": "host"})

    @pytest.mark.parametrize("client", each())
    def test_both_sentences_and_the_end_of_the_stream(self, outcomes: Outcomes, client: Client) -> None:
        both(outcomes.of(client))

    @pytest.mark.parametrize("client", each())
    def test_the_path_is_the_one_of_its_time(self, outcomes: Outcomes, server: Serving, client: Client) -> None:
        assert outcomes.of(client).code == 0
        (target,) = [
            urlsplit(session["request"]["target"])
            for session in server.received()
            if f'"version":"{client.version()}"' in session["received"]["texts"][0]
            and "by=host" in session["request"]["target"]
        ]
        assert target.path == client.host_path


class TestStoppedAndStartedAgain:
    """Experiment 1b: the stream goes on in between.

    A stop comes while nobody speaks; the next start hears the next sentence.
    """

    @pytest.fixture(scope="class", params=[V1, V2], ids=["v1", "v2"])
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they reported."""
        return Outcomes(
            "starts_again",
            url=server.url + request.param,
            mode="continuous",
            input={**STREAM, "pace": 1.5},
            runs=2,
            pause=0.3,
            stop_after="recognized",
        )

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_one_sentence_each_time(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        first, second = (event for event in outcome.told("recognized") if event["reason"] != "NoMatch")
        says(first, COFFEE)
        says(second, STATION)

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_each_stop_is_told_and_comes_back(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert outcome.order("sessionStarted", "sessionStopped") == ["sessionStarted", "sessionStopped"] * 2
        assert len(outcome.told("stopped")) == 2
        for stopped in outcome.told("sessionStopped"):
            (last,) = [event for event in outcome.told("recognized") if event["t"] <= stopped["t"]][-1:]
            assert stopped["t"] - last["t"] < 2

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_offsets_go_on_or_start_again_as_the_client_counts(self, outcomes: Outcomes, client: Client) -> None:
        """The native SDK counts over the session, the others over each recognition."""
        finals = [event for event in outcomes.of(client).told("recognized") if event["reason"] != "NoMatch"]
        lies_at(finals[0], COFFEE)
        if client is Client.NATIVE:
            lies_at(finals[1], STATION, within_ms=150)
        else:
            assert finals[1]["offset"] < STATION.start_ms * TICKS_PER_MS / 2
        assert all(event["duration"] >= 1000 * TICKS_PER_MS for event in finals)
