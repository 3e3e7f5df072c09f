"""The official Speech SDKs over TLS with a CA of our own: endpoint and host, one-shot and continuous."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.interop.official import V1, V2, Client, Outcomes, each
from tests.interop.spoken import CLEAR_WAV, COFFEE, PAIR, PAIR_WAV, TRAIN, VOICE, ends_cleanly, interim, says, speaks

if TYPE_CHECKING:
    from tests.conftest import Speechwire

STREAM = {"kind": "push", "wav": PAIR_WAV, "pace": 2}
FILE = {"kind": "file", "wav": CLEAR_WAV}


@dataclass(frozen=True, slots=True)
class Secured:
    """A server that speaks TLS alone, and the CA that has to be trusted."""

    url: str
    ca: str


@pytest.fixture(scope="module")
def secured(speechwire: Speechwire) -> Iterator[Secured]:
    """Give a server with a throwaway CA, which never complains."""
    with speechwire.serve("--tls") as serving:
        assert serving.url.startswith("wss://")
        yield Secured(serving.url, serving.line().removeprefix("CA "))
        stopped = serving.stop()
        assert (stopped.code, stopped.err) == (0, "")


class TestContinuousOnV1:
    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, secured: Secured) -> Outcomes:
        """Give what they made of a stream, with a voice."""
        return Outcomes(url=secured.url + V1, trust=secured.ca, mode="continuous", input=STREAM, voice=VOICE)

    @pytest.mark.parametrize("client", each())
    def test_interim_final_voice_and_end(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        assert outcome.texts == [said.text for said in PAIR]
        interim(outcome, least=2)
        speaks(outcome, [said.translations["de"] for said in PAIR])
        assert [event["reason"] for event in outcome.told("canceled")] == ["EndOfStream"]


class TestOnceOnV2:
    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, secured: Secured) -> Outcomes:
        """Give what they made of a file."""
        return Outcomes("reads_files", "speaks_v2", url=secured.url + V2, trust=secured.ca, mode="once", input=FILE)

    @pytest.mark.parametrize("client", each("reads_files", "speaks_v2"))
    def test_returns_the_sentence(self, outcomes: Outcomes, client: Client) -> None:
        ends_cleanly(outcomes.of(client))
        (result,) = outcomes.of(client).told("returned")
        says(result, TRAIN)


class TestHost:
    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, secured: Secured) -> Outcomes:
        """Give what they made of a stream and a server without a path."""
        return Outcomes(url=secured.url, how="host", trust=secured.ca, mode="once", input=STREAM)

    @pytest.mark.parametrize("client", each())
    def test_returns_the_first_sentence(self, outcomes: Outcomes, client: Client) -> None:
        ends_cleanly(outcomes.of(client))
        (result,) = outcomes.of(client).told("returned")
        says(result, COFFEE)


class TestWhoeverDoesNotTrustUs:
    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, secured: Secured) -> Outcomes:
        """Give what they say of a CA that they do not know."""
        return Outcomes(url=secured.url + V1, mode="once", input=STREAM)

    @pytest.mark.parametrize("client", each())
    def test_is_told_of_a_failed_connection(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert outcome.told("hang", "error", "recognized") == []
        assert [event["errorCode"] for event in outcome.told("canceled")] == ["ConnectionFailure"]
        (result,) = outcome.told("returned", "rejected")
        assert outcome.code == 0
        assert not result.get("text")
