"""Programs of other people, run by us: what they print is kept, and nothing of them is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.feeds.processes import MARK, Family

_KEPT = 4000  # bytes of a program's output that are shown
_GRACE_S = 2.0


class NotStarted(Exception):
    """The command cannot be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs, in a process group of its own."""

    process: asyncio.subprocess.Process
    _family: Family
    _output: _Output

    async def stop(self) -> str:
        """End it and whatever it has started, if it still runs; return the end of what it printed."""
        await self._family.end(self.process.pid)
        await self.process.wait()
        return await self._output.end()


@contextlib.asynccontextmanager
async def running(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Program]:
    """Run a program; however much it prints, only the end is kept. At the end of the block it is stopped.

    Raises:
        NotStarted: The command cannot be started.
    """
    family = Family()
    async with _output() as (output, target):
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                env={**os.environ, **environment, MARK: family.mark},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotStarted(f"the command {command[0]!r} cannot be started: {error}") from error
        finally:
            os.close(target)
        program = Program(process, family, output)
        try:
            yield program
        finally:
            await program.stop()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM end the run as an interrupt does, behind what we have started: nothing of that may outlive us."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def ending(code: int | None) -> str:
    """Return how a program ended, for a person: with an exit code, by a signal (a negative code), or not by itself."""
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
