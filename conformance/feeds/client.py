"""The active check of a client: run it once against a server that records, and judge what it sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conformance.feeds.programs import running


@dataclass(frozen=True, slots=True)
class Ran:
    """How a client's process ended. `code` is None if it had to be ended; `output` is the end of what it printed."""

    code: int | None
    output: str
    elapsed_s: float


async def run_client(
    program: Sequence[str], environment: Mapping[str, str], hang_s: float, enough: asyncio.Event | None = None
) -> Ran:
    """Run a client; end it when it takes too long, or when `enough` is set.

    Neither the client nor a process that it has started is left when this returns.

    Raises:
        NotStarted: The command cannot be started.
    """
    begun = time.monotonic()
    async with running(program, environment) as client:
        code = await _ended(client.process, hang_s, enough or asyncio.Event())
        return Ran(code, await client.stop(), time.monotonic() - begun)


async def _ended(process: asyncio.subprocess.Process, hang_s: float, enough: asyncio.Event) -> int | None:
    """Return the exit code of a process; None where it still runs when there was enough time, or enough of it."""
    waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(enough.wait())]
    try:
        await asyncio.wait(waits, timeout=hang_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return process.returncode
