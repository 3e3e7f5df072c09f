"""The active check of a client: run it once against a server that records, and judge what it sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


def fill_in(program: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """Return the command with `{url}` and the like filled in; other braces stay as they are."""
    filled = list(program)
    for name, value in values.items():
        filled = [word.replace(f"{{{name}}}", value) for word in filled]
    return filled


async def run_client(program: Sequence[str], environment: Mapping[str, str], hang_s: float) -> Ran:
    """Run a client in a process group of its own; end the whole group when it takes too long.

    However much it prints, only the end is kept. Nothing of it is left when this returns.
    """
    begun = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise NotStarted(f"the command {program[0]!r} cannot be started: {error}") from error
    reading = asyncio.ensure_future(_tail(process))
    code: int | None = None
    try:
        async with asyncio.timeout(hang_s):
            code = await process.wait()
    except TimeoutError:
        pass
    finally:
        await _end_group(process)
    try:
        async with asyncio.timeout(_GRACE_S):
            output = await reading
    except TimeoutError:  # a grandchild that left the group still holds the pipe
        reading.cancel()
        output = ""
    return Ran(code, output, time.monotonic() - begun)


async def _tail(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    kept = b""
    while data := await process.stdout.read(1 << 16):
        kept = (kept + data)[-_KEPT:]
    return kept.decode(errors="replace")


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End the client and its children, first politely."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
                if not _group_lives(process.pid):
                    return
                await asyncio.sleep(0.1)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
