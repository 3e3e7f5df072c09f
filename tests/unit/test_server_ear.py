"""Recordings of the corpus, known by how their utterances begin."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import soxr

import schemas
from protocol.audio import PcmFormat
from protocol.riff import parse_file
from reference_server.endpointing import Ended, Endpointer, Endpointing
from reference_server.engines.ear import NEEDED_MS, Known, languages, parts, recognise

MANIFEST = json.loads((schemas.corpus_dir() / "manifest.json").read_bytes())["recordings"]
SPOKEN = [entry["id"] for entry in MANIFEST if entry["utterances"]]
REAL_SPEECH = Path(__file__).parents[3] / "shared" / "audio" / "librivox"


def heard(samples: np.ndarray, rate: int) -> list[Known | None]:
    """What each utterance of a stream is taken for."""
    shape = PcmFormat(rate)
    pcm = np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()
    endpointer = Endpointer(shape, Endpointing())
    found = [*endpointer.feed(pcm), endpointer.finish()]
    spans = [event.span for event in found if isinstance(event, Ended)]
    return [recognise(pcm[span.start : span.end], shape) for span in spans]


def recording(name: str) -> np.ndarray:
    entry = next(one for one in MANIFEST if one["id"] == name)
    return np.frombuffer(parse_file((schemas.corpus_dir() / entry["file"]).read_bytes())[1], "<i2") / 32768


def expected(name: str) -> list[Known]:
    return [Known(name, part) for part in range(parts()[name])]


class TestCorpus:
    @pytest.mark.parametrize("name", SPOKEN)
    @pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
    def test_is_known_at_every_rate(self, name: str, rate: int) -> None:
        samples = recording(name)
        assert heard(samples if rate == 16_000 else soxr.resample(samples, 16_000, rate), rate) == expected(name)

    @pytest.mark.parametrize("name", SPOKEN)
    @pytest.mark.parametrize("gain", [0.25, 2.0])
    def test_is_known_at_every_level(self, name: str, gain: float) -> None:
        assert heard(recording(name) * gain, 16_000) == expected(name)

    @pytest.mark.parametrize("name", SPOKEN)
    def test_is_known_in_noise(self, name: str) -> None:
        samples = recording(name)
        noise = np.random.default_rng(1).normal(0, 10 ** (-52 / 20), len(samples))
        assert heard(samples + noise, 16_000) == expected(name)

    @pytest.mark.parametrize("name", SPOKEN)
    def test_is_known_behind_odd_silence(self, name: str) -> None:
        assert heard(np.concatenate((np.zeros(7777), recording(name))), 16_000) == expected(name)

    def test_counts_the_utterances_of_each_recording(self) -> None:
        assert parts() == {entry["id"]: len(entry["utterances"]) for entry in MANIFEST}


class TestUnknown:
    def test_too_little_is_unknown(self) -> None:
        shape = PcmFormat(16_000)
        begin = recording("numbers")[3200:]
        pcm = (begin * 32768).astype("<i2").tobytes()
        assert recognise(pcm[: shape.ms_to_bytes(NEEDED_MS)], shape) == Known("numbers", 0)
        assert recognise(pcm[: shape.ms_to_bytes(NEEDED_MS) - 2], shape) is None

    @pytest.mark.parametrize("hertz", [110, 220, 440, 1000])
    def test_a_tone_is_unknown(self, hertz: int) -> None:
        assert heard(0.1 * np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000), 16_000) == [None]

    @pytest.mark.parametrize("seed", range(10))
    def test_speech_like_bursts_are_unknown(self, seed: int) -> None:
        draw = random.Random(seed)
        source = np.random.default_rng(seed)
        bursts = [source.normal(0, draw.uniform(0.01, 0.2), draw.randrange(400, 2000)) for _ in range(30)]
        assert set(heard(np.concatenate(bursts), 16_000)) == {None}

    @pytest.mark.real_speech
    @pytest.mark.skipif(not REAL_SPEECH.is_dir(), reason=f"needs recordings of people in {REAL_SPEECH.name}")
    def test_other_people_are_unknown(self) -> None:
        for path in sorted(REAL_SPEECH.glob("*.wav")):
            header, pcm = parse_file(path.read_bytes())
            samples = np.frombuffer(pcm, "<i2") / 32768
            assert set(heard(samples, header.format.rate)) == {None}, path.name


def test_it_knows_what_is_spoken_in_each_recording() -> None:
    assert languages().keys() == parts().keys()
    assert languages()["clear-1"] == "en-US"
