"""The recordings of the package: what the manifest says of them is true."""

from __future__ import annotations

import hashlib
import json

import jsonschema
import numpy as np
import pytest

import schemas
from conformance.corpus import Recording, load
from protocol.audio import PcmFormat, rms_dbfs

OWN = load()
SPOKEN = [recording for recording in OWN if recording.utterances]
UNSPOKEN = [recording for recording in OWN if not recording.utterances]
FRAME_MS = 20


def part(recording: Recording, start_ms: int, end_ms: int) -> bytes:
    """Return the samples between two times."""
    return recording.pcm[recording.format.ms_to_bytes(start_ms) : recording.format.ms_to_bytes(end_ms)]


def named(recordings: list[Recording]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("recording", recordings, ids=lambda recording: recording.id)


class TestOwnCorpus:
    """What the package brings."""

    def test_has_exactly_the_documented_recordings(self) -> None:
        ids = ["clear-1", "clear-2", "numbers", "pair", "profanity", "silence", "noise"]
        assert [recording.id for recording in OWN] == ids
        assert len(OWN) == len(ids)

    def test_every_wav_file_is_listed(self) -> None:
        listed = {recording.path for recording in OWN}
        assert listed == set(schemas.corpus_dir().glob("*.wav"))

    def test_stays_below_two_megabytes(self) -> None:
        assert sum(recording.path.stat().st_size for recording in OWN) < 2_000_000

    def test_manifest_states_checksum_and_voice_of_each(self) -> None:
        manifest = json.loads((OWN.directory / "manifest.json").read_bytes())
        for entry in manifest["recordings"]:
            digest = hashlib.sha256((OWN.directory / entry["file"]).read_bytes()).hexdigest()
            assert entry["sha256"] == digest == OWN[entry["id"]].sha256
            assert bool(entry["voice"]) is bool(entry["utterances"])

    def test_readme_has_every_sentence_and_bound(self) -> None:
        readme = (OWN.directory / "README.md").read_text(encoding="utf-8")
        for recording in OWN:
            (line,) = [line for line in readme.splitlines() if line.startswith(f"| `{recording.id}` |")]
            for utterance in recording.utterances:
                assert utterance.text in line
                assert f"{utterance.start_ms}–{utterance.end_ms}" in line  # noqa: RUF001 - a typeset range

    @named(list(OWN))
    def test_is_16_khz_mono_in_english(self, recording: Recording) -> None:
        assert recording.format == PcmFormat(16000, 1, 16)
        assert recording.language == "en-US"
        assert len(recording.pcm) == recording.size
        assert recording.duration_ms * 32 == recording.size

    @named(SPOKEN)
    def test_utterances_are_short_and_loud(self, recording: Recording) -> None:
        for utterance in recording.utterances:
            assert 1000 <= utterance.end_ms - utterance.start_ms <= 5000
            assert rms_dbfs(part(recording, utterance.start_ms, utterance.end_ms)) > -35

    @named(SPOKEN)
    def test_bounds_are_those_of_the_energy(self, recording: Recording) -> None:
        samples = np.frombuffer(recording.pcm, dtype="<i2").astype(np.float64)
        frames = samples.reshape(-1, recording.format.rate * FRAME_MS // 1000)
        voiced = np.flatnonzero(np.sqrt(np.mean(np.square(frames), axis=1)) > 32768 * 10 ** (-50 / 20))
        breaks = np.flatnonzero(np.diff(voiced) > 400 // FRAME_MS)
        starts = voiced[np.concatenate(([0], breaks + 1))] * FRAME_MS
        ends = (voiced[np.concatenate((breaks, [-1]))] + 1) * FRAME_MS
        measured = list(zip(starts.tolist(), ends.tolist(), strict=True))
        assert measured == [(utterance.start_ms, utterance.end_ms) for utterance in recording.utterances]

    @named(SPOKEN)
    def test_begins_and_ends_with_near_silence(self, recording: Recording) -> None:
        assert recording.utterances[0].start_ms == 200
        assert 300 <= recording.duration_ms - recording.utterances[-1].end_ms <= 320
        assert rms_dbfs(part(recording, 0, 200)) < -60
        assert rms_dbfs(part(recording, recording.duration_ms - 300, recording.duration_ms)) < -60

    def test_pair_has_a_silent_pause_of_1600_ms(self) -> None:
        first, second = OWN["pair"].utterances
        assert second.start_ms - first.end_ms == 1600
        assert rms_dbfs(part(OWN["pair"], first.end_ms, second.start_ms)) < -60

    def test_only_profanity_has_one(self) -> None:
        assert {recording.id: recording.profanities for recording in OWN if recording.profanities} == {
            "profanity": ("jackass",)
        }
        assert OWN["profanity"].text.count("jackass") == 1

    @named(UNSPOKEN)
    def test_background_has_no_text_and_lasts_3_s(self, recording: Recording) -> None:
        assert (recording.text, recording.duration_ms) == ("", 3000)

    def test_silence_is_digital(self) -> None:
        assert OWN["silence"].pcm == bytes(96000)

    def test_noise_is_low_and_steady(self) -> None:
        levels = [rms_dbfs(part(OWN["noise"], at, at + 100)) for at in range(0, 3000, 100)]
        assert min(levels) > -56
        assert max(levels) < -54


class TestExamples:
    """The examples beside the manifest's schema."""

    @pytest.mark.parametrize("example", schemas.examples("corpus"), ids=lambda example: example.name)
    def test_is_judged_as_its_folder_says(self, example: schemas.Example) -> None:
        validator = jsonschema.Draft202012Validator(schemas.read("corpus"))
        assert validator.is_valid(example.instance) is example.valid

    def test_there_are_both_kinds(self) -> None:
        assert {example.requirement for example in schemas.examples("corpus")} == {None, "urn:speechwire:corpus"}
