"""The speech that a check sends: recordings with what is said in them, and when.

The package brings a corpus of its own; `--audio DIR` names a user's, with a manifest of the same form
(`schemas/corpus.schema.json`). Everything that can be wrong with a folder shows when it is loaded, before
anything is sent; samples stay on disk until somebody asks for them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jsonschema

import schemas
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import parse_file

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
MAX_RECORDING_MS = 60_000
MAX_UTTERANCE_MS = 5_000  # what a check sends must itself be legal and short enough for one utterance
MAX_FILE_BYTES = 48_000 * 2 * MAX_RECORDING_MS // 1000 + (1 << 16)  # the highest rate, and a large header


class CorpusError(ValueError):
    """A corpus cannot be used; the message is one sentence: the file, what is wrong, what is allowed."""

    def __init__(self, path: Path, observed: str, allowed: str) -> None:
        super().__init__(f"{path}: {observed}; allowed is {allowed}.")
        self.path = path
        self.observed = observed
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class UtteranceBounds:
    """One utterance: its words, and its bounds in ms from the first sample of the recording."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Recording:
    """One WAV file of a corpus.

    Attributes:
        id: Its name in cases, e.g. `clear-1`.
        path: The WAV file.
        language: BCP 47 tag of what is spoken.
        text: What is said in all of it; empty when nothing is.
        utterances: In the order of time, not overlapping; empty when nothing is said.
        profanities: Words of the text that a profanity filter shall find.
        format: 16-bit mono, 8000 to 48000 Hz.
        size: Bytes of samples.
        sha256: Of the whole file, in hexadecimal digits.
    """

    id: str
    path: Path
    language: str
    text: str
    utterances: tuple[UtteranceBounds, ...]
    profanities: tuple[str, ...]
    format: PcmFormat
    size: int
    sha256: str

    @property
    def pcm(self) -> bytes:
        """The samples, little-endian 16-bit, without a header; read at the first use.

        Raises CorpusError when the file is no longer the one that was loaded.
        """
        return _samples(self.path, self.sha256)

    @property
    def duration_ms(self) -> int:
        """The length of the recording in ms, rounded down."""
        return self.size * 1000 // self.format.bytes_per_second


@dataclass(frozen=True, slots=True)
class Corpus:
    """The recordings of one folder, in the order of its manifest."""

    directory: Path
    recordings: tuple[Recording, ...]

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    def __len__(self) -> int:
        return len(self.recordings)

    def __contains__(self, recording_id: object) -> bool:
        return any(recording.id == recording_id for recording in self.recordings)

    def __getitem__(self, recording_id: str) -> Recording:
        """Return the recording with this id, or raise CorpusError with the ids that there are."""
        for recording in self.recordings:
            if recording.id == recording_id:
                return recording
        ids = ", ".join(recording.id for recording in self.recordings)
        raise CorpusError(self.directory / MANIFEST, f"has no recording {recording_id!r}", f"one of {ids}")


def load(directory: Path | None = None) -> Corpus:
    """Return the corpus of a folder, by default the one of the package; every file is checked.

    Raises CorpusError at the first thing that is wrong.
    """
    folder = schemas.corpus_dir() if directory is None else directory
    manifest = folder / MANIFEST
    entries = _entries(manifest)
    seen: set[str] = set()
    for entry in entries:
        if entry["id"] in seen:
            raise CorpusError(manifest, f"lists {entry['id']!r} twice", "each id once")
        seen.add(entry["id"])
    return Corpus(folder, tuple(_recording(manifest, entry) for entry in entries))


def _entries(manifest: Path) -> list[dict[str, Any]]:
    """Return the manifest's entries, valid by the schema."""
    raw = _read(manifest, MAX_MANIFEST_BYTES, "a JSON manifest, see schemas/corpus.schema.json")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CorpusError(manifest, f"is not JSON ({error})", "one JSON object in UTF-8") from error
    departures = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    if departures:
        first = departures[0]
        message = first.message if len(first.message) <= 160 else f"{first.message[:157]}..."
        raise CorpusError(manifest, f"{first.json_path}: {message}", first.schema["description"])
    entries: list[dict[str, Any]] = document["recordings"]
    return entries


@cache
def _validator() -> jsonschema.Draft202012Validator:
    """Return the validator of manifests."""
    return jsonschema.Draft202012Validator(schemas.read("corpus"))


def _recording(manifest: Path, entry: dict[str, Any]) -> Recording:
    """Return the recording of a valid entry, after comparing the entry with its file."""
    path = manifest.parent / entry["file"]
    data = _read(path, MAX_FILE_BYTES, "a WAV file beside the manifest")
    digest = hashlib.sha256(data).hexdigest()
    if entry.get("sha256", digest) != digest:
        raise CorpusError(path, f"has the SHA-256 {digest}", f"{entry['sha256']} by its manifest")
    pcm_format, pcm = _parse(path, data)
    recording = Recording(
        id=entry["id"],
        path=path,
        language=entry["language"],
        text=entry["text"],
        utterances=tuple(
            UtteranceBounds(item["text"], int(item["start_ms"]), int(item["end_ms"])) for item in entry["utterances"]
        ),
        profanities=tuple(entry.get("profanities", ())),
        format=pcm_format,
        size=len(pcm),
        sha256=digest,
    )
    if not 0 < recording.duration_ms <= MAX_RECORDING_MS:
        raise CorpusError(path, f"is {recording.duration_ms} ms long", f"1 to {MAX_RECORDING_MS} ms")
    _check_utterances(manifest, recording)
    _check_text(manifest, recording)
    return recording


def _check_utterances(manifest: Path, recording: Recording) -> None:
    """Raise CorpusError unless the utterances lie in the file, one after another, none too long."""
    earliest = 0
    for index, utterance in enumerate(recording.utterances):
        start, end = utterance.start_ms, utterance.end_ms
        if not earliest <= start < end <= recording.duration_ms:
            raise CorpusError(
                manifest,
                f"utterance {index} of {recording.id!r} is from {start} to {end} ms",
                f"a start before the end, both between {earliest} and {recording.duration_ms} ms",
            )
        if end - start > MAX_UTTERANCE_MS:
            raise CorpusError(
                manifest,
                f"utterance {index} of {recording.id!r} lasts {end - start} ms",
                f"at most {MAX_UTTERANCE_MS} ms",
            )
        earliest = end


def _check_text(manifest: Path, recording: Recording) -> None:
    """Raise CorpusError unless the text is that of the utterances and has every listed profanity."""
    joined = " ".join(utterance.text for utterance in recording.utterances)
    if recording.text != joined:
        raise CorpusError(
            manifest,
            f"the text of {recording.id!r} is not that of its utterances",
            "their texts in order with one blank between",
        )
    for word in recording.profanities:
        if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", recording.text, re.IGNORECASE):
            raise CorpusError(
                manifest, f"the profanity {word!r} is not in the text of {recording.id!r}", "words of the text"
            )


@lru_cache(maxsize=64)
def _samples(path: Path, sha256: str) -> bytes:
    """Return the samples of a file that was loaded with this SHA-256."""
    data = _read(path, MAX_FILE_BYTES, "a WAV file beside the manifest")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CorpusError(path, "changed during the run", "a file that stays as it was loaded")
    return _parse(path, data)[1]


def _parse(path: Path, data: bytes) -> tuple[PcmFormat, bytes]:
    """Return the format and the samples of a WAV file's bytes."""
    try:
        header, pcm = parse_file(data)
    except PeerViolation as error:
        raise CorpusError(path, f"has {error.observed} at {error.at}", error.expected) from error
    return header.format, pcm


def _read(path: Path, limit: int, allowed: str) -> bytes:
    """Return a file's bytes, or raise CorpusError: missing, unreadable, or larger than `limit`."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise CorpusError(path, f"cannot be read ({error.strerror})", allowed) from error
    if len(data) > limit:
        raise CorpusError(path, f"is larger than {limit} bytes", f"at most {limit} bytes")
    return data
