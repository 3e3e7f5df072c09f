"""The same seed and the same server give the same cases, the same bytes and the same verdicts, over real sockets.

What is different each time is what has to be: the key of the opening handshake, what the clock says in headers, and how
much was sent before the server said that it had enough.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest

from conformance import corpus
from conformance.cases.target import ENDPOINTS, SOURCE, TARGET, Target
from conformance.faults.reach import Recorder
from conformance.feeds.server import Options, check_server
from conformance.judge.benches import BENCHES
from conformance.peers.address import Address
from protocol.wire import Fragment, HttpRequest
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
_MILLISECONDS = re.compile(rb"(?<=X-Timestamp:)\d{13}(?=\r)")


async def run(dialect: str, seed: int) -> tuple[Counter[bytes], list[tuple[str, str]]]:
    """Check the reference server; return what each connection carried to it, and the verdicts."""
    seen: list[Recorder] = []

    def tap() -> Recorder:
        seen.append(Recorder())
        return seen[-1]

    server = Server(Settings(secret=b"s" * 32), ScriptedEngine(), tap=tap, wall_clock=lambda: 1.6e9)
    await server.start()
    port = (await server.listen("127.0.0.1", 0, None)).port
    target = Target(
        address=Address.tcp("127.0.0.1", port, None),
        path=ENDPOINTS[dialect][0],
        key="test-key",
        token=None,
        headers=(),
        source=SOURCE,
        target=TARGET,
        voice=None,
        without=frozenset(),
        corpus=corpus.load(),
    )
    try:
        options = Options(seed=seed, profile="quick")
        report = await check_server(target, dialect, options, lambda _: None, {"url": "ws://127.0.0.1"})
    finally:
        await server.shutdown()
    sent = Counter(_carried(connection, port) for connection in seen)
    return sent, [(check.id, check.verdict.value) for check in report.checks]


def _carried(connection: Recorder, port: int) -> bytes:
    """Return what the client sent on a connection, what the clock says in it left out."""
    parts: list[bytes] = []
    for name, event, _ in connection.steps:
        if name == "request" and isinstance(event, HttpRequest):
            fields = sorted(f"{key}: {value}" for key, value in event.headers if key.lower() != "sec-websocket-key")
            parts.append("\n".join([event.method, event.target, *fields]).encode() + event.body)
        elif isinstance(event, Fragment) and name == "inbound":
            # A message is put together again: the border of a frame may lie within a time.
            parts.append((b"\0" + event.kind.value.encode() if event.first else b"") + event.data)
    # Times first: the digits of the port may stand in one.
    whole = _MILLISECONDS.sub(b"MS", _TIME.sub(b"TIME", b"".join(parts)))
    return whole.replace(str(port).encode(), b"PORT")


@pytest.mark.parametrize("dialect", BENCHES)
def test_gives_the_same_run(dialect: str) -> None:
    (sent, verdicts), (again, verdicts_again) = (asyncio.run(run(dialect, 5)) for _ in range(2))
    assert verdicts == verdicts_again
    assert sent.total() == again.total()
    # Who is told that a turn is over stops sending: how much it had sent by then, the machine decides.
    assert (sent - again).total() <= sent.total() // 50


def test_another_seed_gives_another_run() -> None:
    (sent, _), (other, _) = (asyncio.run(run("translator", seed)) for seed in (5, 6))
    assert sent != other
