"""What the corpus and the script of the server have for the official SDKs to report, and whether they report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import schemas
from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import parse_file
from tests.interop.official import Outcome

TICKS_PER_MS = 10_000
MS_PER_CHARACTER = 60
"""How fast the voices of the scripted engine speak: which text was spoken shows in how long it took."""
AUDIBLE_DBFS = -40.0

VOICE = "de-DE-KatjaNeural"
PAIR_WAV = str(schemas.corpus_dir() / "pair.wav")
CLEAR_WAV = str(schemas.corpus_dir() / "clear-1.wav")


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance: what was said, its translations, and when, in ms of its recording."""

    text: str
    translations: Mapping[str, str]
    start_ms: int
    end_ms: int


COFFEE = Said(
    "I would like a cup of coffee.",
    {"de": "Ich hätte gern eine Tasse Kaffee.", "fr": "Je voudrais une tasse de café."},
    200,
    1460,
)
STATION = Said(
    "Can you tell me where the station is?",
    {"de": "Können Sie mir sagen, wo der Bahnhof ist?", "fr": "Pouvez-vous me dire où se trouve la gare ?"},
    3060,
    4700,
)
PAIR = (COFFEE, STATION)
PAIR_MS = 5000
TRAIN = Said(
    "The train to the airport leaves at half past nine.",
    {
        "de": "Der Zug zum Flughafen fährt um halb zehn ab.",
        "fr": "Le train pour l'aéroport part à neuf heures et demie.",
    },
    200,
    2560,
)


def says(event: Mapping[str, Any], said: Said, targets: Sequence[str] = ("de", "fr")) -> None:
    """Assert that an event reports an utterance, with exactly these targets in this order."""
    assert event["reason"] == "TranslatedSpeech"
    assert event["text"] == said.text
    assert list(event["translations"].items()) == [(target, said.translations[target]) for target in targets]


def lies_at(event: Mapping[str, Any], said: Said, *, base_ms: int = 0, within_ms: int = 0) -> None:
    """Assert that an event lies where the utterance does, behind so much audio; a last one may reach further."""
    start = event["offset"] / TICKS_PER_MS - base_ms
    assert abs(start - said.start_ms) <= within_ms
    assert start + event["duration"] / TICKS_PER_MS >= said.end_ms - within_ms


def interim(outcome: Outcome, *, least: int = 1) -> None:
    """Assert that each final had interims before it: parts of its text at its offset, with all its targets."""
    waiting: list[Mapping[str, Any]] = []
    for event in outcome.told("recognizing", "recognized"):
        if event["event"] == "recognizing":
            waiting.append(event)
        elif event["reason"] == "TranslatedSpeech":
            assert len(waiting) >= least
            for part in waiting:
                assert part["reason"] == "TranslatingSpeech"
                assert event["text"].lower().startswith(part["text"].lower())
                assert part["offset"] == event["offset"]
                assert list(part["translations"]) == list(event["translations"])
                assert all(part["translations"].values())
            waiting.clear()
    assert waiting == [], "nothing is interim that does not become final"


def speaks(outcome: Outcome, texts: Sequence[str]) -> None:
    """Assert that there is a complete RIFF file for each of these texts, in order, and that it says something."""
    spoken = []
    for file in outcome.audio:
        header, samples = parse_file(file)
        assert header.format == PcmFormat(16_000)
        assert rms_dbfs(samples) > AUDIBLE_DBFS
        spoken.append(1000 * len(samples) / header.format.bytes_per_second)
    assert spoken == [MS_PER_CHARACTER * len(text) for text in texts]
    assert {event["reason"] for event in outcome.told("synthesizing")} == {
        "SynthesizingAudio",
        "SynthesizingAudioCompleted",
    }


def ends_cleanly(outcome: Outcome) -> None:
    """Assert that the program came to its end, and that nothing went wrong on the way."""
    assert outcome.code == 0, outcome.events
    assert outcome.told("error", "hang", "rejected") == []
    assert [event for event in outcome.told("canceled") if event["reason"] != "EndOfStream"] == []
    assert outcome.order("connected", "disconnected") == ["connected", "disconnected"]
    assert outcome.order("done", "sessionStarted", "sessionStopped")[-2:] == ["sessionStopped", "done"]
