"""The active check of a client: run it once against a server that records, and judge what it sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.feeds.processes import MARK, Family

_KEPT = 4000  # bytes of a client's output that the report shows
_GRACE_S = 2.0


class NotStarted(Exception):
    """The client's command cannot be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a client's process ended. `code` is None if it had to be ended; `output` is the end of what it printed."""

    code: int | None
    output: str
    elapsed_s: float


def ending(code: int | None) -> str:
    """Return how a client ended, for a person: with an exit code, by a signal (a negative code), or not by itself."""
    if code is None:
        return "had to be ended"
    if code >= 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def fill_in(program: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return the command with `{url}` and the like filled in; other braces stay as they are."""
    filled = list(program)
    for name, value in values.items():
        filled = [word.replace(f"{{{name}}}", value) for word in filled]
    return filled


async def run_client(
    program: Sequence[str], environment: Mapping[str, str], hang_s: float, enough: asyncio.Event | None = None
) -> Ran:
    """Run a client; end it when it takes too long, or when `enough` is set.

    However much it prints, only the end is kept. Neither the client nor a process that it has started is left when
    this returns.

    Raises:
        NotStarted: The command cannot be started.
    """
    begun = time.monotonic()
    family = Family()
    async with _output() as (output, target):
        try:
            process = await asyncio.create_subprocess_exec(
                *program,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                env={**os.environ, **environment, MARK: family.mark},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotStarted(f"the command {program[0]!r} cannot be started: {error}") from error
        finally:
            os.close(target)
        try:
            code = await _ended(process, hang_s, enough or asyncio.Event())
        finally:
            await family.end(process.pid)
            await process.wait()
        return Ran(code, await output.end(), time.monotonic() - begun)


async def _ended(process: asyncio.subprocess.Process, hang_s: float, enough: asyncio.Event) -> int | None:
    """Return the exit code of a process; None where it still runs when there was enough time, or enough of it."""
    waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(enough.wait())]
    try:
        await asyncio.wait(waits, timeout=hang_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return process.returncode


class _Output:
    """Takes what is printed, however much, and keeps the end of it.

    The pipe is ours and not asyncio's, which would take a process for alive while a child of it holds the pipe.
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._kept = b""
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        while data := await self._reader.read(1 << 16):
            self._kept = (self._kept + data)[-_KEPT:]

    async def end(self) -> str:
        """Return the end of what was printed, once everybody has closed the pipe, or it is no use to wait for that."""
        await asyncio.wait([self._reading], timeout=_GRACE_S)
        return self._kept.decode(errors="replace")

    def stop(self) -> None:
        """Read no more."""
        self._reading.cancel()


@contextlib.asynccontextmanager
async def _output() -> AsyncIterator[tuple[_Output, int]]:
    """Give the output of a process to come, and the descriptor that it has to print to."""
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0))
    output = _Output(reader)
    try:
        yield output, theirs
    finally:
        output.stop()
        transport.close()
