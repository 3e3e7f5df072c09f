"""The cases about audio, results, voices and ends of sessions, run in virtual time against the reference server."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import corpus
from conformance.cases import registry
from conformance.cases.utterances import briefest, samples, utterance
from conformance.feeds.server import coverage
from conformance.judge.verdict import Check, Verdict
from conformance.judge.wire import judge_all
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.runner import Outcome, run_cases
from protocol import requirements
from protocol.wire import Party
from reference_server.app import Server
from reference_server.engines import script
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at

GROUPS = ("audio", "endpoint", "result", "final", "partial", "timing", "profanity", "voice", "close", "session")
FINE = {Verdict.OK, Verdict.NOT_APPLICABLE}


def of_these_groups(requirement: str) -> bool:
    return requirement.split(".")[1] in GROUPS


CASES = tuple(case for case in registry.load("translator") if any(map(of_these_groups, case.requirements)))
OWN_CASES = tuple(case for case in CASES if all(map(of_these_groups, case.requirements)))


def silent_by_default() -> Mapping[str, Any]:
    """Return the script of the package, which here says nothing about sounds that it does not know."""
    return {**deepcopy(script.default()), "defaults": [{"recognition": ""}]}


def at_reference(**changes: object) -> tuple[Outcome, ...]:
    """Run the cases; `changes` are fields of the target."""

    async def main() -> tuple[Outcome, ...]:
        engine = ScriptedEngine()
        engine.replace(silent_by_default())
        server = Server(Settings(secret=b"of this test"), engine, wall_clock=lambda: 1_800_000_000.0)
        await server.start()
        listener = MemoryListener(server.handle)
        target = target_at(listener.connect, **changes)
        found = await run_cases(OWN_CASES, target, Budget(), seed=7, connections=8, finished=lambda _: None)
        await listener.close()
        return found

    return run(main())


@pytest.fixture(scope="module")
def outcomes() -> tuple[Outcome, ...]:
    return at_reference()


def checks_of(outcomes: Iterable[Outcome]) -> list[Check]:
    done = list(outcomes)
    transcripts = [seen for outcome in done for seen in outcome.transcripts]
    wire = [check for check in judge_all(transcripts, Party.SERVER) if of_these_groups(check.requirement)]
    return [check for outcome in done for check in outcome.checks] + wire


def not_applicable(checks: Iterable[Check]) -> set[str]:
    return {check.case for check in checks if check.verdict is Verdict.NOT_APPLICABLE}


class TestReference:
    def test_these_are_the_cases_of_the_groups(self) -> None:
        assert {case.id for case in CASES} - {case.id for case in OWN_CASES} <= {"auth.secrecy"}
        assert len(OWN_CASES) > 40

    def test_nothing_is_worse_than_ok(self, outcomes: tuple[Outcome, ...]) -> None:
        assert [check for check in checks_of(outcomes) if check.verdict is not Verdict.OK] == []

    def test_every_requirement_of_the_groups_is_seen(self, outcomes: tuple[Outcome, ...]) -> None:
        states = coverage("translator", Party.SERVER, checks_of(outcomes))
        rows = requirements.load("translator")
        missed = {name for name, state in states.items() if of_these_groups(name) and state != "tested"}
        assert missed == {name for name in states if of_these_groups(name) and rows[name].excluded}

    def test_only_the_case_about_the_speed_of_speech_takes_time(self, outcomes: tuple[Outcome, ...]) -> None:
        slow = {outcome.case.id: outcome.elapsed_s for outcome in outcomes if outcome.elapsed_s > 0.1}
        assert set(slow) == {"audio.real-time"} <= {case.id for case in OWN_CASES if case.time == "waits"}
        assert slow["audio.real-time"] < 3

    def test_no_more_connections_at_once_than_a_case_says(self, outcomes: tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            spans = [(seen.entries[0].time, seen.entries[-1].time) for seen in outcome.transcripts]
            most = max(sum(start < time < end for start, end in spans) for time, _ in spans)
            assert most <= outcome.case.connections, outcome.case.id

    def test_no_wait_is_in_vain(self, outcomes: tuple[Outcome, ...]) -> None:
        entries = [entry for outcome in outcomes for seen in outcome.transcripts for entry in seen.entries]
        assert [entry for entry in entries if type(entry).__name__ == "Expired"] == []


class TestOtherTargets:
    @pytest.mark.parametrize(
        ("word", "absent"),
        [
            ("tts", {"voice.chosen-by-service", "voice.mp3", "voice.text-only-languages"}),
            ("mp3", {"voice.mp3"}),
            ("partial", {"partial.offered"}),
            ("timing", {"timing.offsets", "timing.size", "audio.speech-in-chunk", "endpoint.max-utterance"}),
            ("profanity", {"profanity.treatment", "profanity.scope"}),
            ("recognition", {"profanity.treatment", "profanity.scope", "final.noise"}),
            ("languages", {"voice.text-only-languages"}),
        ],
    )
    def test_what_is_absent_is_not_applicable(self, word: str, absent: set[str]) -> None:
        checks = checks_of(at_reference(without=frozenset({word})))
        assert [check for check in checks if check.verdict not in FINE] == []
        assert absent <= not_applicable(checks)

    def test_a_language_without_a_voice(self) -> None:
        checks = checks_of(at_reference(target="is", without=frozenset({"tts"})))
        assert [check for check in checks if check.verdict not in FINE] == []

    def test_at_ten_times_the_speed_of_speech(self) -> None:
        checks = checks_of(at_reference(pace=10.0))
        assert [check for check in checks if check.verdict not in FINE] == []


def write_corpus(folder: Path, rate: int) -> corpus.Corpus:
    """Write a user's recordings: the package's `clear-1` alone, at another rate."""
    spoken = corpus.load()["clear-1"]
    with wave.open(str(folder / "mine.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples(spoken, rate))
    bounds = [{"text": u.text, "start_ms": u.start_ms, "end_ms": u.end_ms} for u in spoken.utterances]
    entry = {"id": "clear-1", "file": "mine.wav", "language": "en-US", "text": spoken.text, "utterances": bounds}
    (folder / corpus.MANIFEST).write_text(json.dumps({"recordings": [entry]}), encoding="utf-8")
    return corpus.load(folder)


class TestRecordings:
    @pytest.mark.parametrize("rate", [8000, 44_100])
    def test_a_user_has_one_recording_at_another_rate(self, tmp_path: Path, rate: int) -> None:
        checks = checks_of(at_reference(corpus=write_corpus(tmp_path, rate)))
        assert [check for check in checks if check.verdict not in FINE] == []
        named = {"endpoint.pause-separates", "endpoint.max-utterance", "partial.offered", "timing.size"}
        assert not_applicable(checks) == {*named, "profanity.treatment", "profanity.scope"}

    def test_an_utterance_ends_where_it_ends(self) -> None:
        spoken, index = briefest(corpus.load())
        bounds = spoken.utterances[index]
        pcm = np.frombuffer(utterance(spoken, index, lead_ms=100), dtype="<i2")
        assert len(pcm) == (bounds.end_ms - bounds.start_ms + 100) * 16
        assert not pcm[: 90 * 16].any()

    @pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
    def test_another_rate_keeps_duration_and_shape(self, rate: int) -> None:
        spoken = corpus.load()["numbers"]
        other = np.frombuffer(samples(spoken, rate), dtype="<i2").astype(np.float64)
        given = np.frombuffer(spoken.pcm, dtype="<i2").astype(np.float64)
        assert abs(len(other) / rate - len(given) / 16_000) < 0.001
        assert np.sqrt(np.mean(other**2)) == pytest.approx(np.sqrt(np.mean(given**2)), rel=0.1)
