"""How `speechwire translate` tells what happens: lines for a person, or JSON lines for a program."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from conformance.commands.exits import Unusable, why
from conformance.report.text import printable
from protocol.translator.client import Heard, Over, Trouble, Voice
from protocol.translator.messages import Final

Told = Heard | Voice | Trouble | Over


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

    def failed(self, sentence: str) -> None:
        """Tell a program why there is no session; a person reads that on standard error."""
        if self.as_json:
            click.echo(json.dumps({"event": "error", "message": sentence}, ensure_ascii=False))

    def _lines(self, document: dict[str, Any]) -> list[str]:
        match document["event"]:
            case "partial":
                return [f"  {document['recognition']}  →  {document['translation']}"]
            case "final":
                return [f"{document['id']} {document['recognition']}", f"  = {document['translation']}"]
            case "voice":
                return [f"  voice: {document['bytes']} bytes {document.get('file', '')}".rstrip()]
            case "closed":
                lines = [f"closed {document['code']} {document['reason']}".rstrip()]
                return lines if document["complete"] else [*lines, self._missing()]
            case _:
                return [f"error: {document['message']}"]

    def _missing(self) -> str:
        return "incomplete: not every result that was due has come" if self.finals else "incomplete: no final has come"

    def _document(self, event: Told) -> dict[str, Any]:
        match event:
            case Heard(result=result):
                timing = result.timing
                times = {} if timing is None else {"offset": timing.offset_ticks, "duration": timing.size_ticks}
                kind = "final" if isinstance(result, Final) else "partial"
                self.finals += kind == "final"
                texts = {"recognition": result.recognition, "translation": result.translation}
                return {"event": kind, "id": result.id, **texts, **times}
            case Voice():
                saved = {} if self.save is None else {"file": str(self._saved(event, self.save))}
                self.voices += 1
                return {"event": "voice", "id": event.id, "bytes": len(event.file), **saved}
            case Trouble(violation=violation):
                return {"event": "error", "message": str(violation), "requirement": violation.requirement}
            case Over():
                return {"event": "closed", "code": event.code, "reason": event.reason, "complete": event.complete}

    def _saved(self, voice: Voice, folder: Path) -> Path:
        extension = ".wav" if voice.file[:4] == b"RIFF" else ".mp3"
        path = folder / f"voice-{self.voices}{extension}"
        try:
            path.write_bytes(voice.file)
        except OSError as error:
            raise Unusable(f"{path}: {why(error)}") from error
        return path
