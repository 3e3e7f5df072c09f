"""The same seed and the same server give the same cases, the same bytes and the same verdicts, over real sockets.

What is different each time is what has to be: the port, the key of the opening handshake, what the clock says in
headers, and how much of what it refuses a server reads before it ends the connection.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest

from conformance.cases.target import ENDPOINTS
from conformance.faults.reach import Recorder
from conformance.feeds.server import Options, check_server
from conformance.judge.benches import BENCHES
from conformance.peers.address import Address
from protocol.wire import Fragment, HttpRequest
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at

_OTHERWISE = {"host", "sec-websocket-key"}
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
    target = target_at(Address.tcp("127.0.0.1", port, None), path=ENDPOINTS[dialect][0])
    try:
        options = Options(seed=seed, profile="quick")
        report = await check_server(target, dialect, options, lambda _: None, {"url": "ws://127.0.0.1"})
    finally:
        await server.shutdown()
    sent = Counter(map(_carried, seen))
    return sent, [(check.id, check.verdict.value) for check in report.checks]


def _carried(connection: Recorder) -> bytes:
    """Return what the client sent on a connection, what the clock says in it left out."""
    parts: list[bytes] = []
    for name, event, _ in connection.steps:
        if name == "request" and isinstance(event, HttpRequest):
            fields = sorted(f"{key}: {value}" for key, value in event.headers if key.lower() not in _OTHERWISE)
            parts.append("\n".join([event.method, event.target, *fields]).encode() + event.body)
        elif isinstance(event, Fragment) and name == "inbound":
            # A message is put together again: the border of a frame may lie within a time.
            parts.append((b"\0" + event.kind.value.encode() if event.first else b"") + event.data)
    return _MILLISECONDS.sub(b"MS", _TIME.sub(b"TIME", b"".join(parts)))


@pytest.mark.parametrize("dialect", BENCHES)
def test_gives_the_same_run(dialect: str) -> None:
    (sent, verdicts), (again, verdicts_again) = (asyncio.run(run(dialect, 5)) for _ in range(2))
    assert verdicts == verdicts_again
    one, other = sorted((sent - again).elements()), sorted((again - sent).elements())
    assert len(one) == len(other)
    assert [pair for pair in zip(one, other, strict=True) if not _cut_off(*pair)] == []


def _cut_off(one: bytes, other: bytes) -> bool:
    """Tell whether a connection carried the same twice, but that the server ended it sooner the one time."""
    return one.startswith(other) or other.startswith(one)


def test_another_seed_gives_another_run() -> None:
    (sent, _), (other, _) = (asyncio.run(run("translator", seed)) for seed in (5, 6))
    assert sent != other
