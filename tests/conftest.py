"""What all tests share: how Hypothesis draws, and the installed command, run the way its users run it.

A slow machine fails no property, and a build repeats the same examples.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import settings

settings.register_profile("speechwire", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("speechwire")

# A shell has its background jobs ignore Ctrl-C, and so would every command that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of standard output, each a JSON object."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one sentence of a command that did not do what it was asked to, without the word in front of it."""
        assert self.err.startswith("Error: ")
        assert self.err.count("\n") == 1
        return self.err.removeprefix("Error: ").rstrip("\n")


class Serving:
    """A running `speechwire serve`. `url` is what it said; `printed` are the lines up to there."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process = process
        self._errors = errors
        assert process.stdout is not None
        self._out = process.stdout
        first = self._out.readline()
        if not first.startswith("LISTENING "):
            process.kill()
            process.wait()
            errors.seek(0)
            pytest.fail(f"no server: {first!r} {errors.read()}")
        self.url = first.split()[1]
        self.port = int(self.url.rpartition(":")[2])

    def line(self) -> str:
        """Return the next line of standard output."""
        return self._out.readline().rstrip("\n")

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> Ran:
        """Send a signal and return how the server ended."""
        self._process.send_signal(kind)
        code = self._process.wait(timeout=30)
        out = self._out.read()
        self._errors.seek(0)
        return Ran(code, out, _sound(self._errors.read()))

    def received(self) -> list[dict[str, Any]]:
        """Return what the server remembers of its sessions, the oldest first."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/speechwire/received") as answer:
            sessions: list[dict[str, Any]] = json.loads(answer.read())["sessions"]
        return sessions


class Speechwire:
    """The command of the environment that runs the tests."""

    program = Path(sys.executable).with_name("speechwire")

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="speechwire-bundles-")

    def __call__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        given: str = "",
        patience_s: float = 110.0,
    ) -> Ran:
        """Run the command to its end; it must never show a traceback.

        Conversations that fail are written into a folder that nobody looks at, unless a test says where.
        """
        if arguments[:2] == ("check", "server") and cwd is None and "--bundles" not in arguments:
            arguments = (*arguments, "--bundles", Path(self.folder.name))
        ended = subprocess.run(
            [self.program, *arguments],
            input=given,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=patience_s,
            check=False,
        )
        return Ran(ended.returncode, _sound(ended.stdout), _sound(ended.stderr))

    @contextlib.contextmanager
    def serve(self, *arguments: str | Path) -> Iterator[Serving]:
        """Run a server on a port of its own, and stop it."""
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
            subprocess.Popen(
                [self.program, "serve", "--port", "0", *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            ) as process,
        ):
            try:
                yield Serving(process, errors)
            finally:
                if process.poll() is None:
                    process.kill()


def _sound(text: str) -> str:
    assert "Traceback" not in text
    return text


@pytest.fixture(scope="session")
def speechwire() -> Iterator[Speechwire]:
    """Give the command."""
    command = Speechwire()
    yield command
    command.folder.cleanup()


@pytest.fixture(scope="module")
def server(speechwire: Speechwire) -> Iterator[Serving]:
    """Give a server with the key `test-key`, the same one for all tests of a file."""
    with speechwire.serve() as serving:
        yield serving
        assert serving.running
        stopped = serving.stop()
        assert (stopped.code, stopped.err) == (0, "")
