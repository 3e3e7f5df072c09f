"""The script of the scripted engine: read, checked, and looked up. Its form is `schemas/script.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from protocol.events import Blame
from protocol.languages import Catalogue
from protocol.validate import validator
from reference_server.engines import ear
from reference_server.engines.base import ABRUPT, EngineFailure, Job

_MAX_BYTES = 1 << 20
_FAILS = {Blame.ENGINE: "the engine failed", Blame.OVERLOAD: "the engine is overloaded"}


class ScriptError(ValueError):
    """A script cannot be used: one sentence that says where it is wrong, what is allowed, and what was there."""


class Moment(Enum):
    """Before which answer something happens."""

    PARTIAL = "partial"
    FINAL = "final"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class When:
    """Conditions that all have to hold; None holds always."""

    utterance: int | None = None
    source: str | None = None
    target: str | None = None
    recording: str | None = None
    part: int | None = None

    def holds(self, job: Job, utterance: int, heard: ear.Known | None) -> bool:
        """Tell whether the conditions hold for an utterance of a session."""
        known = (None, None) if heard is None else (heard.recording, heard.part)
        return (
            self.utterance in {None, utterance}
            and self.source in {None, job.source}
            and (self.target is None or self.target in job.targets)
            and self.recording in {None, known[0]}
            and self.part in {None, known[1]}
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the engine says.

    Attributes:
        when: Its conditions.
        recognition: What was said; None: the translation into the language that is spoken.
        translations: By text id.
        profanities: Words of these texts.
        partials: What is recognised on the way; empty: growing parts of the recognition.
        ms_per_character: How slowly it is spoken.
        level_dbfs: How loudly.
        delays_ms: How long the engine waits before an answer.
        failures: Before which answer the engine fails, or ends the session, if it does.
        language: The speech key of what is spoken; None: that of the recording.
        untranslated: Why there is no translation, by text id.
        status: The RecognitionStatus of a recognition that does not succeed.
    """

    when: When = When()
    recognition: str | None = None
    translations: Mapping[str, str] = field(default_factory=dict)
    profanities: frozenset[str] = frozenset()
    partials: tuple[str, ...] = ()
    ms_per_character: int = 60
    level_dbfs: float = -20.0
    delays_ms: Mapping[Moment, int] = field(default_factory=dict)
    failures: Mapping[Moment, EngineFailure] = field(default_factory=dict)
    language: str | None = None
    untranslated: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None


SILENT = Entry(recognition="")
"""What is said when no entry fits: nothing."""


@dataclass(frozen=True, slots=True)
class Script:
    """A checked script. `document` is its JSON form."""

    document: dict[str, Any]
    utterances: tuple[Entry, ...]
    defaults: tuple[Entry, ...]

    @property
    def listens(self) -> bool:
        """Whether what is said depends on which recording is heard."""
        return any(entry.when.recording is not None for entry in (*self.utterances, *self.defaults))

    def entry(self, job: Job, utterance: int, heard: ear.Known | None) -> Entry:
        """Return what is said in an utterance of a session."""
        for entry in self.utterances:
            if entry.when.holds(job, utterance, heard):
                return entry
        fitting = [entry for entry in self.defaults if entry.when.holds(job, utterance, heard)]
        return fitting[utterance % len(fitting)] if fitting else SILENT


def load(path: Path, catalogue: Catalogue) -> Script:
    """Read a script from a file. Raises ScriptError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > _MAX_BYTES:
        raise ScriptError(f"{path}: expected at most {_MAX_BYTES} bytes, got more")
    try:
        return parse(json.loads(data), catalogue)
    except ScriptError as error:
        raise ScriptError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"{path}: expected one JSON object in UTF-8, got something else ({error})") from error


@cache
def default() -> dict[str, Any]:
    """Return the script of the package: what the speech corpus says, and three sentences for everything else."""
    document: dict[str, Any] = json.loads(files("reference_server.engines").joinpath("default.json").read_bytes())
    return document


def parse(document: object, catalogue: Catalogue) -> Script:
    """Return the script of a JSON value. Raises ScriptError with a JSON pointer to what is wrong."""
    for departure in validator("script").errors(document):
        raise ScriptError(f"{departure.at}: expected {departure.expected}, got {departure.observed}")
    assert isinstance(document, dict)  # noqa: S101 - the schema says so
    entries = {
        key: tuple(_entry(item, f"/{key}/{index}", catalogue) for index, item in enumerate(document.get(key, ())))
        for key in ("utterances", "defaults")
    }
    return Script(document, entries["utterances"], entries["defaults"])


def _entry(item: Mapping[str, Any], at: str, catalogue: Catalogue) -> Entry:
    for member in ("translations", "translation_failures"):
        for text_id in item.get(member, {}):
            _known(f"{at}/{member}/{text_id}", text_id, catalogue.text)
    if "language" in item:
        _known(f"{at}/language", item["language"], catalogue.speech)
    voice = item.get("voice", {})
    return Entry(
        when=_when(item.get("when", {}), f"{at}/when", catalogue),
        recognition=item.get("recognition"),
        translations=item.get("translations", {}),
        profanities=frozenset(item.get("profanities", ())),
        partials=tuple(item.get("partials", ())),
        ms_per_character=voice.get("ms_per_character", SILENT.ms_per_character),
        level_dbfs=voice.get("level_dbfs", SILENT.level_dbfs),
        delays_ms={Moment(word): ms for word, ms in item.get("delay_ms", {}).items()},
        failures=_failures(item, at),
        language=item.get("language"),
        untranslated=item.get("translation_failures", {}),
        status=item.get("status"),
    )


def _when(item: Mapping[str, Any], at: str, catalogue: Catalogue) -> When:
    if "from" in item:
        _known(f"{at}/from", item["from"], catalogue.speech)
    if "to" in item:
        _known(f"{at}/to", item["to"], catalogue.text)
    if "recording" in item:
        recording, part = item["recording"], item.get("part")
        spoken = {name: count for name, count in ear.parts().items() if count}
        _known(f"{at}/recording", recording, spoken)
        if part is not None and part >= spoken[recording]:
            raise ScriptError(f"{at}/part: expected a number below {spoken[recording]}, got {part}")
    return When(item.get("utterance"), item.get("from"), item.get("to"), item.get("recording"), item.get("part"))


def _failures(item: Mapping[str, Any], at: str) -> dict[Moment, EngineFailure]:
    """Return how the engine fails; where it fails and the session ends at the same moment, the end counts."""
    failures: dict[Moment, EngineFailure] = {}
    if "fail" in item:
        blame = Blame(item["fail"].get("as", "engine"))
        failures[Moment(item["fail"]["before"])] = EngineFailure(1011, _FAILS[blame], blame)
    if "end" in item:
        end = item["end"]
        reason = end.get("reason", _FAILS[Blame.ENGINE])
        if len(reason.encode()) > 123:
            raise ScriptError(f"{at}/end/reason: expected at most 123 bytes of UTF-8, got {len(reason.encode())}")
        code = ABRUPT if end.get("abrupt") else end.get("code", 1011)
        failures[Moment(end["before"])] = EngineFailure(code, reason, Blame.SCRIPT)
    return failures


def _known(at: str, value: str, allowed: Mapping[str, object]) -> None:
    if value not in allowed:
        raise ScriptError(f"{at}: expected one of {', '.join(allowed)}, got '{value}'")
