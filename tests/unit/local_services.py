"""Services that are no engines, for the tests of worker processes: the module is imported in the child."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from reference_server.engines.local.parts import Unavailable


class Parrot:
    """Says what it is told, and does what a service should not do."""

    def __init__(self, word: str = "") -> None:
        self._word = word

    def word(self) -> str:
        return self._word

    def echo(self, value: object) -> object:
        return value

    def pid(self) -> int:
        return os.getpid()

    def refuse(self, sentence: str) -> None:
        raise ValueError(sentence)

    def leave(self, code: int) -> None:
        sys.stderr.write("noise\n" * 10_000 + "last words\n")
        sys.stderr.flush()
        os._exit(code)

    def kill(self, signal: int) -> None:
        os.kill(os.getpid(), signal)
        self.hang()

    def hang(self) -> None:
        time.sleep(600)

    def wait_for(self, gate: str) -> str:
        """Answer when there is a file of that name."""
        while not Path(gate).exists():
            time.sleep(0.005)
        return "it is there"

    def chatter(self, text: str) -> str:
        """Write to standard output in every way there is."""
        print(text, flush=True)  # noqa: T201 - that is what is tested
        os.write(1, text.encode())
        subprocess.run(["echo", text], check=True)
        return text

    def read_all(self) -> bytes:
        """Read what standard input has."""
        return sys.stdin.buffer.read()

    def opaque(self) -> object:
        """Return what cannot be sent."""
        return lambda: None

    def leave_behind(self) -> int:
        """Start a process that outlives this one."""
        return subprocess.Popen(["sleep", "600"]).pid

    def start_another(self, note: str) -> None:
        """Start a process, note down which, and wait for it."""
        with subprocess.Popen(["sleep", "600"]) as process:
            Path(note).write_text(str(process.pid), "utf-8")


class Fussy(Parrot):
    """Starts only while there is a file of that name."""

    def __init__(self, model: str) -> None:
        super().__init__()
        if not Path(model).exists():
            raise Unavailable(f"the model file {Path(model).name} is gone; put it back")


class Slow(Parrot):
    """Never has its model loaded; leaves a note that it has begun to."""

    def __init__(self, note: str) -> None:
        super().__init__()
        Path(note).write_text(str(os.getpid()), "utf-8")
        self.hang()


class Mortal(Parrot):
    """Ends its process before its model is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.leave(7)


class Gated(Parrot):
    """Has its model loaded when there is a file of that name; leaves a note that it has begun to."""

    def __init__(self, gate: str, note: str) -> None:
        super().__init__()
        Path(note).write_text(str(os.getpid()), "utf-8")
        self.wait_for(gate)
