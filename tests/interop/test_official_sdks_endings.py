"""The official Speech SDKs when a server goes away, sends them elsewhere, hears nothing for long, or has many turns."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import schemas
from tests.interop.conftest import Relay
from tests.interop.official import V1, V2, Client, Outcome, Outcomes, each, having
from tests.interop.spoken import COFFEE, PAIR, PAIR_MS, PAIR_WAV, STATION, TICKS_PER_MS, ends_cleanly, says

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

LIVE: Final = {"kind": "push", "wav": PAIR_WAV}
BURST: Final = {**LIVE, "pace": 0}
PATHS: Final = {"v1": V1, "v2": V2}


@dataclass(frozen=True, slots=True)
class Drained:
    """What clients reported, and how the server ended that was told to go away under them."""

    outcomes: Outcomes
    server: Ran
    seconds: float


def drain(speechwire: Speechwire, after_s: float, *conditions: str, path: str, **options: Any) -> Drained:
    """Run clients against a server that goes away, so long after the last of them has connected; another takes over."""
    ended: list[tuple[Ran, float]] = []
    clients = [client for client in having(*conditions) if not client.missing]
    with speechwire.serve() as first, speechwire.serve() as second:
        relay = Relay(first.port)

        def go_away() -> None:
            limit = time.monotonic() + 10
            while len(relay.exchanges) < len(clients) and time.monotonic() < limit:
                time.sleep(0.02)
            time.sleep(after_s)
            relay.upstream = second.port
            begun = time.monotonic()
            ended.append((first.stop(), time.monotonic() - begun))

        thread = threading.Thread(target=go_away)
        thread.start()
        try:
            outcomes = Outcomes(*conditions, url=relay.base + path, input=LIVE, **options)
        finally:
            thread.join()
            relay.stop()
        stopped = second.stop()
        assert (stopped.code, stopped.err) == (0, "")
    ((ran, seconds),) = ended
    return Drained(outcomes, ran, seconds)


class TestServerThatGoesAwayInMidTurn:
    """Experiment 4. While the first sentence is spoken: it is told, and the other server hears the rest."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def drained(cls, speechwire: Speechwire, request: pytest.FixtureRequest) -> Drained:
        """Give what happened in continuous recognition."""
        return drain(speechwire, 0.8, "goes_on_elsewhere", path=PATHS[request.param], mode="continuous")

    @pytest.mark.parametrize("client", each("goes_on_elsewhere"))
    def test_no_sentence_is_lost(self, drained: Drained, client: Client) -> None:
        outcome = drained.outcomes.of(client)
        assert outcome.code == 0
        assert (outcome.texts[0], outcome.texts[-1]) == (COFFEE.text, STATION.text)
        assert [event["reason"] for event in outcome.told("canceled")] == ["EndOfStream"]
        last = outcome.told("recognized")[-1]
        assert last["offset"] + last["duration"] == PAIR_MS * TICKS_PER_MS

    @pytest.mark.parametrize("client", each("goes_on_elsewhere"))
    def test_what_was_cut_goes_on_where_it_was_cut(self, drained: Drained, client: Client) -> None:
        first, second = drained.outcomes.of(client).told("recognized")[:2]
        told_ms = (first["offset"] + first["duration"]) / TICKS_PER_MS
        goes_on_ms = second["offset"] / TICKS_PER_MS
        # On a slow machine the sentence is over, or nearly, before the last client has connected. What is left is then
        # too short to be speech, and the next sentence goes on.
        if COFFEE.end_ms - told_ms < 200 and goes_on_ms > COFFEE.end_ms:
            told_ms = STATION.start_ms - 100
        assert 0 <= goes_on_ms - told_ms < 200, "a part of what is left that is too quiet is no speech"

    @pytest.mark.parametrize("client", each("goes_on_elsewhere"))
    def test_it_is_one_session_on_two_connections(self, drained: Drained, client: Client) -> None:
        outcome = drained.outcomes.of(client)
        assert outcome.order("connected", "disconnected") == ["connected", "disconnected"] * 2
        assert outcome.order("sessionStarted", "sessionStopped") == ["sessionStarted", "sessionStopped"]

    @pytest.mark.sdk
    def test_the_server_leaves_soon(self, drained: Drained) -> None:
        assert (drained.server.code, drained.server.err) == (0, "")
        assert drained.seconds < 3


class TestServerThatGoesAwayInAOneShotTurn:
    """Experiment 4: the result comes first."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def drained(cls, speechwire: Speechwire, request: pytest.FixtureRequest) -> Drained:
        """Give what one call returned."""
        conditions = ("speaks_v2",) if request.param == "v2" else ()
        return drain(speechwire, 0.8, *conditions, path=PATHS[request.param], mode="once")

    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_the_call_returns_what_was_said(self, drained: Drained, client: Client) -> None:
        outcome = drained.outcomes.of(client)
        assert outcome.code == 0
        (result,) = outcome.told("returned")
        says(result, COFFEE)
        assert outcome.told("canceled", "rejected") == []


class TestServerThatGoesAwayWhenIdle:
    """Experiment 4: between two one-shot calls.

    Nobody is told but of the connection, and the next call goes to the other server.
    """

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def drained(cls, speechwire: Speechwire, request: pytest.FixtureRequest) -> Drained:
        """Give what two calls returned."""
        return drain(speechwire, 3.0, "starts_again", path=PATHS[request.param], mode="once", runs=2, pause=2.0)

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_both_calls_return_their_sentence(self, drained: Drained, client: Client) -> None:
        outcome = drained.outcomes.of(client)
        ends_within_two_connections(outcome)
        for result, said in zip(outcome.told("returned"), PAIR, strict=True):
            says(result, said)

    @pytest.mark.sdk
    def test_the_server_leaves_at_once(self, drained: Drained) -> None:
        assert (drained.server.code, drained.server.err) == (0, "")
        assert drained.seconds < 1.5


def ends_within_two_connections(outcome: Outcome) -> None:
    """Assert that there was no error, and that a second connection took over from the first."""
    assert outcome.code == 0
    assert outcome.told("canceled", "rejected", "error") == []
    order = outcome.order("returned", "connected", "disconnected")
    assert order == ["connected", "returned", "disconnected", "connected", "returned", "disconnected"]


class TestRedirect:
    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, speechwire: Speechwire, server: Serving, request: pytest.FixtureRequest) -> Iterator[Outcomes]:
        """Give what they made of a server that sends them to another one."""
        old = {Client.JS_1_14: V1}
        with speechwire.serve("--redirect", server.url) as sending:
            but = {client: {"url": sending.url + path} for client, path in old.items()}
            yield Outcomes(but=but, url=sending.url + PATHS[request.param], mode="once", input=BURST)
            stopped = sending.stop()
            assert (stopped.code, stopped.err) == (0, "")

    @pytest.mark.parametrize("client", each())
    def test_the_native_client_follows_and_the_others_say_what_came(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        if client is Client.NATIVE:
            ends_cleanly(outcome)
            says(outcome.told("returned")[0], COFFEE)
            return
        assert outcome.code == 0
        (error,) = outcome.told("canceled")
        assert (error["reason"], error["errorCode"]) == ("Error", "ConnectionFailure")
        assert error["errorDetails"].endswith("Unexpected server response: 307")


class TestSilence:
    """P-01, P-06: a one-shot call that hears nothing, and speech behind a long silence."""

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def nothing(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what a one-shot call returned of a stream that stays open and has nothing in it."""
        silence = {
            "kind": "push",
            "wav": str(schemas.corpus_dir() / "silence.wav"),
            "silence_before": 4,
            "pace": 0,
            "hold": True,
        }
        url = server.url + PATHS[request.param]
        return Outcomes("names_interactive", url=url, mode="once", input=silence)

    @pytest.mark.parametrize("client", each("names_interactive"))
    def test_a_one_shot_call_gives_up_by_itself(self, nothing: Outcomes, client: Client) -> None:
        outcome = nothing.of(client)
        ends_cleanly(outcome)
        (result,) = outcome.told("returned")
        assert result["reason"] == "NoMatch"
        assert "InitialSilenceTimeout" in result["json"]
        if client is not Client.JS_1_38:  # looks for the reason where only v1 has it
            assert result["noMatch"] == "InitialSilenceTimeout"
        assert "text" not in result

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def late(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they heard of two sentences behind 16 s of silence."""
        return Outcomes(
            "speaks_v2",
            url=server.url + PATHS[request.param],
            mode="continuous",
            input={**BURST, "silence_before": 16},
        )

    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_speech_behind_a_long_silence_is_heard_where_it_is(self, late: Outcomes, client: Client) -> None:
        outcome = late.of(client)
        ends_cleanly(outcome)
        heard = [event for event in outcome.told("recognized") if event.get("text")]
        for final, said in zip(heard, PAIR, strict=True):
            says(final, said)
            assert abs(final["offset"] / TICKS_PER_MS - 16_000 - said.start_ms) <= 150

    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_the_silence_is_one_result_without_words(self, late: Outcomes, client: Client) -> None:
        """JS before 1.44 shows no NoMatch behind the end of speech."""
        outcome = late.of(client)
        before = [event for event in outcome.told("recognized") if not event.get("text")]
        assert len(before) <= 1 + (client is Client.NATIVE)
        assert outcome.told("speechEndDetected")[0]["offset"] <= 16_000 * TICKS_PER_MS


@pytest.mark.slow
class TestNinetySecondsOfSilence:
    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(cls, server: Serving, request: pytest.FixtureRequest) -> Outcomes:
        """Give what they heard behind it."""
        url = server.url + PATHS[request.param]
        source = {**LIVE, "pace": 2, "silence_before": 90}
        return Outcomes("speaks_v2", url=url, mode="continuous", input=source, timeout=120)

    @pytest.mark.parametrize("client", each("speaks_v2"))
    def test_speech_behind_it_is_heard_where_it_is(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        heard = [event for event in outcome.told("recognized") if event.get("text")]
        for final, said in zip(heard, PAIR, strict=True):
            says(final, said)
            assert abs(final["offset"] / TICKS_PER_MS - 90_000 - said.start_ms) <= 300
        offsets = [event["offset"] for event in outcome.told("recognized")]
        assert offsets == sorted(set(offsets))


class TestManyTurns:
    """Experiment 1b, experiment 5: one recognizer, one stream, one call after the other."""

    TIMES: Final = 3

    @pytest.fixture(scope="class", params=PATHS)
    @classmethod
    def outcomes(
        cls, server: Serving, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
    ) -> Outcomes:
        """Give what they reported of one call for each sentence of a long stream."""
        long = repeated(tmp_path_factory.mktemp("long") / "long.wav", cls.TIMES)
        url = server.url + PATHS[request.param]
        source = {"kind": "push", "wav": str(long), "pace": 2}
        runs = cls.TIMES * len(PAIR)
        return Outcomes("starts_again", url=url, mode="once", input=source, runs=runs, pause=0.2)

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_each_call_returns_its_sentence(self, outcomes: Outcomes, client: Client) -> None:
        outcome = outcomes.of(client)
        ends_cleanly(outcome)
        assert [event["text"] for event in outcome.told("returned")] == [said.text for said in PAIR] * self.TIMES

    @pytest.mark.parametrize("client", each("starts_again"))
    def test_all_on_one_connection(self, outcomes: Outcomes, client: Client) -> None:
        assert len(outcomes.of(client).told("connected")) == 1


def repeated(file: Path, times: int) -> Path:
    """Write a recording of both sentences so many times, with a second of silence behind each time."""
    with wave.open(PAIR_WAV) as source, wave.open(str(file), "wb") as sink:
        sink.setparams(source.getparams())
        second = bytes(source.getframerate() * source.getsampwidth() * source.getnchannels())
        sink.writeframes((source.readframes(source.getnframes()) + second) * times)
    return file
