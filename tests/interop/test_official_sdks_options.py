"""What an application may ask the official Speech SDKs for besides: commits, details, profanity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import schemas
from tests.interop.official import V1, V2, Client, Outcomes, each, run
from tests.interop.spoken import COFFEE, PAIR_WAV, STATION, TICKS_PER_MS, ends_cleanly

if TYPE_CHECKING:
    from tests.conftest import Serving

FILE = {"kind": "file", "wav": str(schemas.corpus_dir() / "profanity.wav")}
PATHS = {"v1": V1, "v2": V2}


@pytest.mark.sdk
class TestCommit:
    """In mid-sentence at 0.9 s, and at 2.5 s, when nobody speaks; of the native SDK alone."""

    @pytest.mark.parametrize("path", PATHS)
    def test_each_is_acknowledged_where_it_was_made(self, server: Serving, path: str) -> None:
        source = {"kind": "push", "wav": PAIR_WAV, "commits": [0.9, 2.5]}
        outcome = run(Client.NATIVE, url=server.url + PATHS[path], mode="continuous", input=source)
        ends_cleanly(outcome)
        first, second = [event for event in outcome.told("recognized") if "commit" in event]
        assert [event["commit"] for event in outcome.told("committed")] == [first["commit"], second["commit"]]
        assert first["text"] == COFFEE.text
        assert first["offset"] + first["duration"] == 900 * TICKS_PER_MS
        assert (second["reason"], second["text"], second["duration"]) == ("NoMatch", "", 0)
        assert outcome.texts[-1] == STATION.text


class TestDetailed:
    """P-10: of a translation."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give one-shot results with the detailed format."""
        url = server.url + PATHS[request.param]
        return Outcomes("reads_files", url=url, mode="once", input=FILE, output="detailed")

    @pytest.mark.sdk
    def test_the_native_client_has_the_best_guesses(self, outcomes: Outcomes) -> None:
        outcome = outcomes.of(Client.NATIVE)
        ends_cleanly(outcome)
        body = json.loads(outcome.told("returned")[0]["json"])
        (best,) = body.get("SpeechPhrase", body)["NBest"]
        assert {"Confidence", "Lexical", "ITN", "MaskedITN", "Display"} <= best.keys()

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_the_result_is_the_usual_one(self, outcomes: Outcomes, client: Client) -> None:
        ends_cleanly(outcomes.of(client))
        assert outcomes.of(client).told("returned")[0]["text"].startswith("My boss is a ")


class TestProfanity:
    @pytest.fixture(scope="class", params=["masked", "removed", "raw"])
    @classmethod
    def treated(cls, server: Serving, request: pytest.FixtureRequest) -> tuple[str, Outcomes]:
        """Give a treatment, and one-shot results that had it."""
        chosen: str = request.param
        return chosen, Outcomes("reads_files", url=server.url + V1, mode="once", input=FILE, profanity=chosen)

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_is_treated_as_asked_for(self, treated: tuple[str, Outcomes], client: Client) -> None:
        chosen, outcomes = treated
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        result = outcome.told("returned")[0]
        assert ("jackass" in result["text"]) is (chosen == "raw")
        assert ("Vollidiot" in result["translations"]["de"]) is (chosen == "raw")
        assert ("***" in result["text"]) is (chosen == "masked")
