"""The official Speech SDKs and languages: targets that change, and a source that has to be detected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.interop.official import V1, V2, Client, Outcomes, each
from tests.interop.spoken import COFFEE, PAIR_WAV, STATION, ends_cleanly

if TYPE_CHECKING:
    from tests.conftest import Serving

STREAM = {"kind": "push", "wav": PAIR_WAV, "pace": 1.5}
FILE = {"kind": "file", "wav": PAIR_WAV}
PATHS = {"v1": V1, "v2": V2}
SPANISH = "¿Puede decirme dónde está la estación?"
GERMAN = STATION.translations["de"]


class TestTargetsThatChangeWithinATurn:
    """Experiment 5: the event of the native client has an id that nobody knows.

    One is added and one removed once the first sentence has been told, and before the second one is spoken.
    """

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they reported."""
        return Outcomes(
            "changes_targets",
            url=server.url + PATHS[request.param],
            mode="continuous",
            input=STREAM,
            targets_changes=[{"after": "recognized", "add": ["es"], "remove": ["fr"]}],
        )

    @pytest.mark.parametrize("client", each("changes_targets"))
    def test_the_next_sentence_has_the_new_ones(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        first, second = outcome.told("recognized")
        assert first["translations"] == COFFEE.translations
        assert second["translations"] == {"de": GERMAN, "es": SPANISH}

    @pytest.mark.parametrize("client", each("changes_targets"))
    def test_it_is_still_one_session(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        assert outcome.order("sessionStarted", "sessionStopped") == ["sessionStarted", "sessionStopped"]
        assert sorted(outcome.told("changed")[0]["targets"]) == ["de", "es"]


class TestTargetsThatChangeBetweenTurns:
    """P-12: the event comes under the id of the turn that is over; the next context counts, not the request."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what two one-shot calls returned."""
        return Outcomes(
            "changes_targets",
            url=server.url + PATHS[request.param],
            mode="once",
            input=STREAM,
            runs=2,
            pause=0.3,
            targets_changes=[{"after": "between", "add": ["es"], "remove": ["fr"]}],
        )

    @pytest.mark.parametrize("client", each("changes_targets"))
    def test_the_next_call_has_the_new_ones(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        first, second = outcome.told("returned")
        assert first["translations"] == COFFEE.translations
        assert second["translations"] == {"de": GERMAN, "es": SPANISH}


class TestTags:
    """P-11: of targets in results."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they made of targets with a region, one beside its own language, and the source's own."""
        to = ["fr-FR", "de", "en"]
        return Outcomes("reads_files", url=server.url + PATHS[request.param], mode="continuous", input=FILE, to=to)

    @pytest.mark.parametrize("client", each("reads_files"))
    def test_are_echoed_in_v2_and_short_in_v1(
        self, outcomes: Outcomes, client: Client, request: pytest.FixtureRequest
    ) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        french = "fr" if request.node.callspec.id.startswith("v1") else "fr-FR"
        texts = {french: COFFEE.translations["fr"], "de": COFFEE.translations["de"], "en": COFFEE.text}
        assert outcome.told("recognized")[0]["translations"] == texts


class TestDetection:
    """P-21, P-22: what is interim names the language too."""

    @pytest.fixture(scope="class")
    @classmethod
    def candidates(cls, server: Serving) -> Outcomes:
        """Give what they heard with two candidates; releases up to 1.44 want a language besides."""
        return Outcomes(
            "detects_languages",
            url=server.url,
            how="host",
            mode="continuous",
            input=FILE,
            candidates=["de-DE", "en-US"],
        )

    @pytest.fixture(scope="class")
    @classmethod
    def open_range(cls, server: Serving) -> Outcomes:
        """Give what they heard with every language a candidate."""
        return Outcomes(
            "detects_languages", url=server.url, how="host", mode="continuous", input=FILE, candidates="open"
        )

    @pytest.mark.parametrize("client", each("detects_languages"))
    def test_of_two_candidates_one_is_told_with_its_region(self, candidates: Outcomes, client: Client) -> None:
        outcome = candidates.of(client)
        ends_cleanly(outcome)
        assert outcome.texts == [COFFEE.text, STATION.text]
        assert {event["language"] for event in outcome.told("recognizing", "recognized")} == {"en-US"}
        assert outcome.told("recognized")[0]["translations"] == COFFEE.translations

    @pytest.mark.parametrize("client", each("detects_languages"))
    def test_in_the_open_range_it_is_a_bare_language(self, open_range: Outcomes, client: Client) -> None:
        outcome = open_range.of(client)
        ends_cleanly(outcome)
        assert outcome.texts == [COFFEE.text, STATION.text]
        assert {event["language"] for event in outcome.told("recognizing", "recognized")} == {"en"}

    @pytest.mark.parametrize("client", each("detects_languages", "knows_v2_hypotheses"))
    def test_what_is_interim_names_it_too(self, candidates: Outcomes, client: Client) -> None:
        assert candidates.of(client).told("recognizing")

    @pytest.mark.sdk
    def test_finals_say_how_sure_it_is(self, candidates: Outcomes) -> None:
        finals = [json.loads(event["json"]) for event in candidates.of(Client.NATIVE).told("recognized")]
        assert [final["SpeechPhrase"]["PrimaryLanguage"]["Confidence"] for final in finals] == ["High", "High"]
