"""The other end of a worker process: it serves one service until its standard input ends.

A message is four bytes of length and a pickle. The first says which service is wanted and how it is made, each later
one is a call; each is answered with a pair: `answer` and what was returned, or `refusal` and one sentence.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import IO, Any

ANSWER, REFUSAL = "answer", "refusal"
LENGTH = struct.Struct("<I")


def pack(message: object) -> bytes:
    """Return a message as it stands on the pipe."""
    data = pickle.dumps(message)
    return LENGTH.pack(len(data)) + data


def unpack(data: bytes) -> Any:
    """Return what a message holds, its length taken off."""
    return pickle.loads(data)  # noqa: S301 - both ends are ours, on a pipe that nobody else has


def command() -> list[str]:
    """Return what starts a worker: this Python, looking for modules in no current directory."""
    return [sys.executable, "-P", "-m", "reference_server.engines.local.worker"]


class Child:
    """A worker that the caller waits for: for services that need another one, whose licence keeps it apart.

    Raises RuntimeError, with the sentence, for what the other service refuses, and OSError when it has died.
    """

    def __init__(self, service: str, arguments: Mapping[str, object]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            self._ask((service, dict(arguments)))
        except BaseException:
            self.close()
            raise

    def call(self, name: str, *arguments: object) -> Any:
        """Call a method of the service."""
        return self._ask((name, arguments))

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        with contextlib.suppress(OSError), self._process:  # of a dead one: what it never read
            pass

    def _ask(self, message: object) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise OSError("the process has no pipes")
        stdin.write(pack(message))
        stdin.flush()
        answer = _read(stdout)
        if answer is None:
            raise OSError("the process has ended")
        kind, value = answer
        if kind == REFUSAL:
            raise RuntimeError(value)
        return value


def _read(stream: IO[bytes]) -> Any:
    """Return the next message; None when the other end is gone, even in the middle of one."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size = LENGTH.unpack(head)[0]
    data = stream.read(size)
    return unpack(data) if len(data) == size else None


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    service: Any = None
    while (request := _read(requests)) is not None:
        name, arguments = request
        try:
            if service is None:
                module, _, attribute = name.partition(":")
                service = getattr(import_module(module), attribute)(**arguments)
                answer = pack((ANSWER, None))
            else:
                answer = pack((ANSWER, getattr(service, name)(*arguments)))
        except Exception as error:  # noqa: BLE001 - whatever a model does is told to the caller
            answer = pack((REFUSAL, str(error) or type(error).__name__))
        answers.write(answer)
        answers.flush()


def main() -> None:
    """Serve standard input. A model, and what it starts, have neither of the pipes: it prints to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the server ends first, and the pipe with it
    with os.fdopen(os.dup(0), "rb") as requests, os.fdopen(os.dup(1), "wb") as answers:
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        _serve(requests, answers)


if __name__ == "__main__":
    main()
