"""Translate a recording with the library websocket-client, the way the Python quickstart of the service did.

python quickstart.py URL RECORDING [--from en-US] [--to pt] [--voice NAME] [--key KEY] [--save FILE]

Key in a header, the whole file as one binary message, a second of silence behind it. Each frame event that the
library gives is one line of JSON on standard output: the opcode that it reports, and whether it calls it the last.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import websocket
from websocket import ABNF

SILENCE = bytes(32_000)


def tell(event: str, **members: Any) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps({"event": event, **members}) + "\n")
    sys.stdout.flush()


class Quickstart:
    """The callbacks of one run; `failed` tells how it went."""

    def __init__(self, audio: bytes, *, speaks: bool, save: Path | None) -> None:
        self.failed = False
        self._audio = audio
        self._speaks = speaks
        self._save = save

    def on_open(self, client: websocket.WebSocketApp) -> None:
        """Send everything at once."""
        client.send(self._audio, ABNF.OPCODE_BINARY)
        client.send(SILENCE, ABNF.OPCODE_BINARY)

    def on_data(self, client: websocket.WebSocketApp, data: Any, opcode: int, last: bool) -> None:
        """Show a text; save a voice, which the library gives as the last frame of its message, and leave."""
        if opcode == ABNF.OPCODE_TEXT:
            result = json.loads(data)
            tell("text", opcode=opcode, last=bool(last), result=result)
            if result["type"] == "final" and not self._speaks:
                client.close()
            return
        tell("data", opcode=opcode, last=bool(last), bytes=len(data), first=data[:4].decode("latin-1"))
        if opcode == ABNF.OPCODE_CONT:
            if self._save is not None:
                with self._save.open("ab") as file:
                    file.write(data)
            if last:
                client.close()

    def on_error(self, client: websocket.WebSocketApp, error: object) -> None:
        """Report what the library could not do."""
        self.failed = True
        tell("error", message=f"{type(error).__name__}: {error}")

    def on_close(self, client: websocket.WebSocketApp, code: int | None, reason: str | None) -> None:
        """Report how it ended."""
        tell("close", code=code, reason=reason)


def main() -> int:
    """Run once; return 0 if nothing went wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--from", dest="source", default="en-US")
    parser.add_argument("--to", dest="target", default="pt")
    parser.add_argument("--voice")
    parser.add_argument("--key", default="test-key")
    parser.add_argument("--save", type=Path)
    given = parser.parse_args()
    query = {"api-version": "1.0", "from": given.source, "to": given.target}
    if given.voice:
        query |= {"features": "texttospeech", "voice": given.voice}
    run = Quickstart(given.recording.read_bytes(), speaks=bool(given.voice), save=given.save)
    client = websocket.WebSocketApp(
        f"{given.url}?{urlencode(query)}",
        header=[f"Ocp-Apim-Subscription-Key: {given.key}"],
        on_open=run.on_open,
        on_data=run.on_data,
        on_error=run.on_error,
        on_close=run.on_close,
    )
    client.run_forever()
    return 1 if run.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
