"""The loader of speech corpora: the package's own, and the folders that users bring instead."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import IO, Any

import pytest

import schemas
from conformance.corpus import Corpus, CorpusError, Recording, UtteranceBounds, load
from protocol.audio import PcmFormat
from protocol.riff import build_file, build_header

FORMAT = PcmFormat(8000)
PCM = bytes(range(256)) * 64  # 1024 ms at 8 kHz


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's folder with one good recording."""
    (tmp_path / "a.wav").write_bytes(build_file(FORMAT, PCM))
    write(tmp_path, {"recordings": [entry()]})
    return tmp_path


def entry(**changes: object) -> dict[str, Any]:
    utterances = [{"text": "Bom dia.", "start_ms": 100, "end_ms": 900}]
    return {"id": "a", "file": "a.wav", "language": "pt-BR", "text": "Bom dia."} | {"utterances": utterances} | changes


def write(folder: Path, document: object) -> None:
    (folder / "manifest.json").write_text(json.dumps(document), encoding="utf-8")


def failure(folder: Path) -> CorpusError:
    with pytest.raises(CorpusError) as caught:
        load(folder)
    sentence = str(caught.value)
    assert sentence.startswith(f"{folder}")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert (caught.value.observed in sentence, caught.value.allowed in sentence) == (True, True)
    return caught.value


class TestUsersFolder:
    """What `--audio DIR` takes."""

    def test_the_default_is_the_corpus_of_the_package(self) -> None:
        assert load() == load(schemas.corpus_dir())

    def test_has_as_many_recordings_as_its_manifest(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(), entry(id="b")]})
        assert len(load(folder)) == 2
        assert [recording.id for recording in load(folder)] == ["a", "b"]

    def test_loads_with_the_optional_members_left_out(self, folder: Path) -> None:
        digest = hashlib.sha256((folder / "a.wav").read_bytes()).hexdigest()
        bounds = (UtteranceBounds("Bom dia.", 100, 900),)
        only = Recording("a", folder / "a.wav", "pt-BR", "Bom dia.", bounds, (), FORMAT, len(PCM), digest)
        assert load(folder) == Corpus(folder, (only,))
        assert only.pcm == PCM
        assert only.duration_ms == 1024

    def test_whole_milliseconds_may_be_written_as_floats(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(utterances=[{"text": "Bom dia.", "start_ms": 100.0, "end_ms": 9e2}])]})
        (utterance,) = load(folder)["a"].utterances
        assert (repr(utterance.start_ms), repr(utterance.end_ms)) == ("100", "900")

    def test_profanities_are_words_in_any_letter_case(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(profanities=["DIA"])]})
        assert load(folder)["a"].profanities == ("DIA",)

    def test_membership_is_by_id(self, folder: Path) -> None:
        assert "a" in load(folder)
        assert "pair" not in load(folder)

    def test_unknown_id_names_those_that_there_are(self, folder: Path) -> None:
        with pytest.raises(CorpusError) as caught:
            load(folder)["pair"]
        assert str(caught.value) == f"{folder / 'manifest.json'}: has no recording 'pair'; allowed is one of a."

    def test_samples_are_read_when_asked_for(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        recording = load(folder)["a"]
        opened: list[Path] = []
        original = Path.open

        def spy(self: Path, mode: str) -> IO[Any]:
            opened.append(self)
            return original(self, mode)

        monkeypatch.setattr(Path, "open", spy)
        assert (recording.pcm, recording.pcm) == (PCM, PCM)
        assert opened == [folder / "a.wav"]

    def test_a_file_that_changed_after_loading_is_refused(self, folder: Path) -> None:
        recording = load(folder)["a"]
        (folder / "a.wav").write_bytes(build_file(FORMAT, bytes(len(PCM))))
        with pytest.raises(CorpusError, match="changed during the run; allowed is a file that stays as it was"):
            _ = recording.pcm


class TestManifestErrors:
    """One sentence each: the file, what is wrong, what is allowed."""

    def test_missing_folder(self, tmp_path: Path) -> None:
        error = failure(tmp_path / "nowhere")
        assert error.path == tmp_path / "nowhere" / "manifest.json"
        assert error.observed == "cannot be read (No such file or directory)"

    def test_missing_manifest(self, tmp_path: Path) -> None:
        error = failure(tmp_path)
        assert error.path == tmp_path / "manifest.json"
        assert error.allowed == "a JSON manifest, see schemas/corpus.schema.json"

    def test_manifest_that_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").mkdir()
        assert failure(tmp_path).observed == "cannot be read (Is a directory)"

    def test_manifest_that_is_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").write_bytes(b" " * ((1 << 20) + 1))
        assert failure(tmp_path).allowed == "at most 1048576 bytes"

    @pytest.mark.parametrize("raw", [b"", b"{", b'"\xff"', b"[" * 100_000], ids=["empty", "cut", "latin-1", "deep"])
    def test_bad_json(self, tmp_path: Path, raw: bytes) -> None:
        (tmp_path / "manifest.json").write_bytes(raw)
        error = failure(tmp_path)
        assert error.observed.startswith("is not JSON (")
        assert error.allowed == "one JSON object in UTF-8"

    @pytest.mark.parametrize(
        ("document", "observed", "allowed"),
        [
            ([], "$: [] is not of type 'object'", "an object that lists the recordings of its folder"),
            ({}, "$: 'recordings' is a required property", "an object that lists the recordings of its folder"),
            ({"recordings": []}, "$.recordings: [] should be non-empty", "a list of 1 to 64 recordings"),
            ({"recordings": [{}]}, None, "an object with id, file, language, text and utterances"),
            ({"recordings": [entry(id="A b")]}, None, "lower-case letters, digits and hyphens, at most 64 of them"),
            (
                {"recordings": [entry(file="../a.wav")]},
                None,
                "the name of a WAV file beside the manifest, without a folder",
            ),
            ({"recordings": [entry(language="english")]}, None, "a BCP 47 tag such as en-US"),
            ({"recordings": [entry(utterances=[{"text": "a"}])]}, None, "an object with text, start_ms and end_ms"),
            (
                {"recordings": [entry(sha256="00")]},
                None,
                "the SHA-256 of the file in 64 lower-case hexadecimal digits",
            ),
        ],
    )
    def test_schema(self, tmp_path: Path, document: object, observed: str | None, allowed: str) -> None:
        write(tmp_path, document)
        error = failure(tmp_path)
        assert (observed or error.observed, allowed) == (error.observed, error.allowed)

    def test_a_long_schema_message_is_cut(self, tmp_path: Path) -> None:
        write(tmp_path, {"recordings": [entry(language="x" * 10_000)]})
        assert len(failure(tmp_path).observed) < 200

    def test_every_schema_constraint_has_its_sentence(self) -> None:
        schema = schemas.read("corpus")
        assert schema["$id"] == "urn:speechwire:corpus"

        def places(node: object) -> list[dict[str, Any]]:
            if isinstance(node, list):
                return [place for item in node for place in places(item)]
            if not isinstance(node, dict):
                return []
            own = [node] if "type" in node and isinstance(node["type"], str | list) else []
            return own + [place for item in node.values() for place in places(item)]

        assert len(places(schema)) > 10
        assert all(place["description"] for place in places(schema))

    def test_id_listed_twice(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(), entry()]})
        assert str(failure(folder)).endswith("lists 'a' twice; allowed is each id once.")

    @pytest.mark.parametrize(
        ("start", "end"), [(900, 900), (900, 100), (100, 1025)], ids=["empty", "backwards", "past the end"]
    )
    def test_bounds_outside_the_recording(self, folder: Path, start: int, end: int) -> None:
        write(folder, {"recordings": [entry(utterances=[{"text": "Bom dia.", "start_ms": start, "end_ms": end}])]})
        error = failure(folder)
        assert error.observed == f"utterance 0 of 'a' is from {start} to {end} ms"
        assert error.allowed == "a start before the end, both between 0 and 1024 ms"

    def test_overlapping_utterances(self, folder: Path) -> None:
        first = {"text": "Bom", "start_ms": 100, "end_ms": 500}
        second = {"text": "dia.", "start_ms": 499, "end_ms": 900}
        write(folder, {"recordings": [entry(utterances=[first, second])]})
        error = failure(folder)
        assert error.observed == "utterance 1 of 'a' is from 499 to 900 ms"
        assert error.allowed == "a start before the end, both between 500 and 1024 ms"

    def test_utterance_that_is_too_long(self, folder: Path) -> None:
        (folder / "a.wav").write_bytes(build_file(FORMAT, bytes(8000 * 2 * 6)))
        write(folder, {"recordings": [entry(utterances=[{"text": "Bom dia.", "start_ms": 0, "end_ms": 5001}])]})
        assert str(failure(folder)).endswith("utterance 0 of 'a' lasts 5001 ms; allowed is at most 5000 ms.")

    def test_text_that_is_not_that_of_the_utterances(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(text="Boa noite.")]})
        assert failure(folder).observed == "the text of 'a' is not that of its utterances"

    @pytest.mark.parametrize("word", ["noite", "di", "."])
    def test_profanity_that_is_no_word_of_the_text(self, folder: Path, word: str) -> None:
        write(folder, {"recordings": [entry(profanities=[word])]})
        assert failure(folder).observed == f"the profanity {word!r} is not in the text of 'a'"


class TestFileErrors:
    """The same for WAV files."""

    def test_missing_file(self, folder: Path) -> None:
        (folder / "a.wav").unlink()
        error = failure(folder)
        assert error.path == folder / "a.wav"
        assert error.allowed == "a WAV file beside the manifest"

    def test_other_checksum(self, folder: Path) -> None:
        write(folder, {"recordings": [entry(sha256="0" * 64)]})
        error = failure(folder)
        assert error.observed.startswith("has the SHA-256 ")
        assert error.allowed == f"{'0' * 64} by its manifest"

    def test_larger_than_any_allowed_recording(self, folder: Path) -> None:
        with (folder / "a.wav").open("wb") as file:
            file.truncate(48_000 * 2 * 60 + 65_537)
        assert failure(folder).observed == "is larger than 5825536 bytes"

    @pytest.mark.parametrize(
        ("format_", "offset", "allowed"),
        [
            (PcmFormat(16000, channels=2), 22, "1 channel"),
            (PcmFormat(16000, bits=24), 34, "16 bits"),
            (PcmFormat(96000), 24, "8000 to 48000"),
        ],
        ids=["stereo", "24 bits", "96 kHz"],
    )
    def test_other_format(self, folder: Path, format_: PcmFormat, offset: int, allowed: str) -> None:
        (folder / "a.wav").write_bytes(build_file(format_, bytes(12000)))
        error = failure(folder)
        assert error.path == folder / "a.wav"
        assert error.observed.endswith(f" at offset {offset}")
        assert allowed in error.allowed

    @pytest.mark.parametrize(
        ("data", "observed"),
        [
            (b"ID3\x04 an MP3 file", "has 0x49 at offset 0"),
            (build_file(FORMAT, PCM)[:30], "has the end of the file at offset 30"),
            (build_header(FORMAT) + PCM, "has 0 at offset 4"),
            (build_file(FORMAT, b""), "is 0 ms long"),
            (build_file(FORMAT, bytes(8000 * 2 * 60 + 16)), "is 60001 ms long"),
        ],
        ids=["no WAV", "cut", "open sizes", "no samples", "too long"],
    )
    def test_other_content(self, folder: Path, data: bytes, observed: str) -> None:
        (folder / "a.wav").write_bytes(data)
        assert failure(folder).observed == observed
