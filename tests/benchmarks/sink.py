"""The yardstick of the server: `websockets` as it comes, counting messages and doing nothing else.

Its first line is LISTENING and its URL, and it says at the same address as the reference server what it received.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

RECEIVED_PATH = "/speechwire/received"


async def main() -> None:
    """Serve until the process is ended."""
    sessions: list[dict[str, dict[str, int]]] = []

    async def take(connection: ServerConnection) -> None:
        received = {"messages": 0, "bytes": 0}
        sessions.append({"received": received})
        async for message in connection:
            received["messages"] += 1
            received["bytes"] += len(message)

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        if request.path != RECEIVED_PATH:
            return None
        return connection.respond(HTTPStatus.OK, json.dumps({"sessions": sessions}))

    # Without compression, which the protocol does not have either.
    async with serve(take, "127.0.0.1", 0, compression=None, process_request=answer) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        sys.stdout.write(f"LISTENING ws://127.0.0.1:{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
