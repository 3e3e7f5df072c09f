"""How `speechwire translate` tells what happens: lines for a person, or JSON lines for a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from conformance.commands.exits import Unusable, why
from conformance.report.text import printable


@dataclass(frozen=True, slots=True)
class Result:
    """A partial or final result.

    Attributes:
        translation: The text in the language that was asked for first.
        offset: Where the utterance begins, in ticks of the session, or None.
        duration: Its length in ticks, or None.
        translations: The text in each language, where a dialect has several.
        more: Further members for a program.
    """

    final: bool
    id: str
    recognition: str
    translation: str
    offset: int | None = None
    duration: int | None = None
    translations: Mapping[str, str] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Voiced:
    """A voice: the id of its final, and a complete file; `more` are further members for a program."""

    id: str | None
    file: bytes
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong, in a sentence; `more` are further members for a program."""

    message: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; `complete` tells whether everything that was due has come."""

    code: int
    reason: str
    complete: bool


Told = Result | Voiced | Problem | Closed


@dataclass
class Show:
    """Tells events, and saves voices in `save` if that is a folder.

    Attributes:
        finals: How many final results were told.
        voices: How many voices were.
    """

    as_json: bool
    save: Path | None
    finals: int = 0
    voices: int = 0

    def tell(self, event: Told) -> None:
        """Print one event. Raises Unusable when a voice cannot be saved."""
        document = self._document(event)
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            click.echo("\n".join(printable(line) for line in self._lines(document)))

    def note(self, sentence: str) -> None:
        """Tell a person something that is nothing to a program."""
        if not self.as_json:
            click.echo(printable(sentence))

    def failed(self, sentence: str) -> None:
        """Tell a program why there is no session; a person reads that on standard error."""
        if self.as_json:
            click.echo(json.dumps({"event": "error", "message": sentence}, ensure_ascii=False))

    def _lines(self, document: dict[str, Any]) -> list[str]:
        match document["event"]:
            case "partial":
                return [f"  {document['recognition']}  →  {document['translation']}"]
            case "final":
                said = document["recognition"] or (f"({document['status']})" if "status" in document else "")
                return [f"{document['id']} {said}".rstrip(), *_translated(document)]
            case "voice":
                language = f" {document['language']}" if document.get("language") else ""
                return [f"  voice{language}: {document['bytes']} bytes {document.get('file', '')}".rstrip()]
            case "closed":
                lines = [f"closed {document['code']} {document['reason']}".rstrip()]
                return lines if document["complete"] else [*lines, self._missing()]
            case _:
                return [f"error: {document['message']}"]

    def _missing(self) -> str:
        return "incomplete: not every result that was due has come" if self.finals else "incomplete: no final has come"

    def _document(self, event: Told) -> dict[str, Any]:
        match event:
            case Result():
                self.finals += event.final
                document = {
                    "event": "final" if event.final else "partial",
                    "id": event.id,
                    "recognition": event.recognition,
                    "translation": event.translation,
                    "translations": event.translations,
                    "offset": event.offset,
                    "duration": event.duration,
                    **event.more,
                }
                return {name: value for name, value in document.items() if value is not None}
            case Voiced():
                saved = {} if self.save is None else {"file": str(self._saved(event, self.save))}
                self.voices += 1
                return {"event": "voice", "id": event.id, **event.more, "bytes": len(event.file), **saved}
            case Problem():
                return {"event": "error", "message": event.message, **event.more}
            case Closed():
                return {"event": "closed", "code": event.code, "reason": event.reason, "complete": event.complete}

    def _saved(self, voice: Voiced, folder: Path) -> Path:
        path = folder / f"voice-{self.voices}{_extension(voice.file)}"
        try:
            path.write_bytes(voice.file)
        except OSError as error:
            raise Unusable(f"{path}: {why(error)}") from error
        return path


def _translated(document: Mapping[str, Any]) -> list[str]:
    """Return the lines of a final's translations: one for each language, named where there are several."""
    several = document.get("translations", {"": document["translation"]})
    if len(several) == 1:
        return [f"  = {text}" for text in several.values()]
    return [f"  {language} = {text}" for language, text in several.items()]


def _extension(file: bytes) -> str:
    """Return the extension that tells what a file is: its first bytes say so."""
    if file[:4] == b"RIFF":
        return ".wav"
    return ".mp3" if file[:3] == b"ID3" or (len(file) > 1 and file[0] == 0xFF and file[1] & 0xE0 == 0xE0) else ".raw"
