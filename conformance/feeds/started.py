"""A server under test that we start ourselves: ready before the first case, gone behind the last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from conformance.feeds.programs import NotStarted, ending, running

READY_S = 60.0
_LOOK_S = 0.05
_KEPT_LINES = 10


@contextlib.asynccontextmanager
async def started(command: Sequence[str], host: str, port: int, ready_s: float = READY_S) -> AsyncIterator[None]:
    """Start a server and wait until it takes connections; end it, its children too, at the end of the block.

    Raises:
        NotStarted: It cannot be started, ends before it is ready, or is not ready in time; the text has the end of
            what it printed.
    """
    async with running(command, {}) as server:
        limit = asyncio.get_running_loop().time() + ready_s
        while not await _takes_connections(host, port):
            code = server.process.returncode
            if code is not None or asyncio.get_running_loop().time() > limit:
                how = (
                    ending(code) if code is not None else f"takes no connection at {host}:{port} after {ready_s:.0f} s"
                )
                raise NotStarted(f"the server {how}{printed(await server.stop())}")
            await asyncio.sleep(_LOOK_S)
        yield


def printed(output: str) -> str:
    """Return the end of what a program printed, to be put behind a sentence about it."""
    lines = output.strip().splitlines()[-_KEPT_LINES:]
    return "; it printed at the end:\n" + "\n".join(f"    {line}" for line in lines) if lines else ""


async def _takes_connections(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
