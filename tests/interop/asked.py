"""Runs of the official SDKs that are asked for in advance, and happen at the same time, by servers of this process.

Such servers may have policies that the command does not offer, and what they remember can be looked at.
"""

from __future__ import annotations

import asyncio
import threading
import urllib.request
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from protocol.speech import framing
from protocol.wire import Kind
from reference_server.app import Server
from tests.interop.official import V2, Client, Outcome, each, run

_AT_ONCE: Final = 10  # programs; they wait most of the time


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What clients are asked to do, by which server, and under which name it remembers them."""

    clients: Sequence[Client]
    path: str
    server: str
    options: Mapping[str, Any]
    name: str


class Book:
    """What is asked for. It starts in this order: what takes long should come first."""

    def __init__(self) -> None:
        self._asked: list[Asked] = []

    def ask(self, *clients: Client, path: str = V2, server: str = "usual", **options: Any) -> Asked:
        """Put a run of each of these clients on the list. `options` are those of `official.run`."""
        asked = Asked(clients, path, server, options, f"asked-{len(self._asked)}")
        self._asked.append(asked)
        return asked

    @contextmanager
    def told(
        self, servers: Mapping[str, Server], fill: Callable[[Mapping[str, Any], str], Mapping[str, Any]]
    ) -> Iterator[Told]:
        """Serve, and run all of them; `fill` completes the options with what is known only now, given the URL."""
        with serving(servers) as (urls, loop):
            pool = ThreadPoolExecutor(_AT_ONCE)
            try:
                runs = {
                    (asked, client): pool.submit(self._run, asked, client, urls[asked.server], fill)
                    for asked in self._asked
                    for client in asked.clients
                    if not client.missing
                }
                yield Told(servers, urls, loop, runs)
            finally:
                pool.shutdown(cancel_futures=True)

    @staticmethod
    def _run(
        asked: Asked, client: Client, url: str, fill: Callable[[Mapping[str, Any], str], Mapping[str, Any]]
    ) -> Outcome:
        return run(client, url=f"{url}{asked.path}?by={asked.name}-{client}", **fill(asked.options, url))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of all that was asked for. `urls` are those of the servers, by their names; `loop` is theirs."""

    servers: Mapping[str, Server]
    urls: Mapping[str, str]
    loop: asyncio.AbstractEventLoop
    _runs: Mapping[tuple[Asked, Client], Future[Outcome]]

    def of(self, asked: Asked, client: Client) -> Outcome:
        """Return what a client reported; where it is missing, the test is skipped with the reason."""
        if client.missing:
            pytest.skip(client.missing)
        return self._runs[asked, client].result()

    def sessions(self, asked: Asked, client: Client) -> list[dict[str, Any]]:
        """Return what the server remembers of the connections of a client, once that is done."""
        self.of(asked, client)
        name = f"{asked.name}-{client}"

        async def remembered() -> list[dict[str, Any]]:
            sessions: list[dict[str, Any]] = self.servers[asked.server].journal.document()["sessions"]
            return sessions

        # In the servers' own thread: others may still be connecting.
        sessions = asyncio.run_coroutine_threadsafe(remembered(), self.loop).result(10)
        return [session for session in sessions if query(session).get("by") == [name]]


@contextmanager
def serving(servers: Mapping[str, Server]) -> Iterator[tuple[dict[str, str], asyncio.AbstractEventLoop]]:
    """Serve in a thread of its own; give the URLs, and the event loop."""
    urls: dict[str, str] = {}
    ready = threading.Event()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        for name, server in servers.items():
            await server.start()
            urls[name] = f"ws://127.0.0.1:{(await server.listen('127.0.0.1', 0)).port}"
        ready.set()
        await stop.wait()
        await asyncio.gather(*(server.shutdown() for server in servers.values()))

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield urls, loops[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


def query(session: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the query of the request that opened a session."""
    return parse_qs(urlsplit(session["request"]["target"]).query, keep_blank_values=True)


def paths(texts: Sequence[str]) -> list[str]:
    """Return the paths of text messages."""
    return [framing.read(Kind.TEXT, text.encode()).path for text in texts]


def sent(session: Mapping[str, Any]) -> list[str]:
    """Return the paths of the text messages that the server sent."""
    return paths([message["text"] for message in session["sent"] if "text" in message])


def contexts(sessions: Sequence[Mapping[str, Any]]) -> int:
    """Return how many turns the client opened on these connections."""
    return sum(paths(session["received"]["texts"]).count("speech.context") for session in sessions)


def record(file: Path, *parts: str | float) -> None:
    """Write a recording that is made of others, all in one format, and of seconds of silence."""
    recordings = [part for part in parts if isinstance(part, str)]
    with wave.open(recordings[0]) as first, wave.open(str(file), "wb") as sink:
        sink.setparams(first.getparams())
        for part in parts:
            if isinstance(part, str):
                with wave.open(part) as source:
                    sink.writeframes(source.readframes(source.getnframes()))
            else:
                sink.writeframes(bytes(round(part * first.getframerate()) * first.getsampwidth()))


def token(url: str) -> str:
    """Return what the token service gives for a key; there is no body, but its type, as with the tests of the SDK."""
    request = urllib.request.Request(  # noqa: S310 - the URL is the server's
        url.replace("ws://", "http://") + "/sts/v1.0/issueToken",
        data=b"",
        headers={"Ocp-Apim-Subscription-Key": "test-key", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
        return str(answer.read().decode())


def by(*clients: Client) -> pytest.MarkDecorator:
    """Return what makes a test one of each of these clients."""
    return pytest.mark.parametrize("client", [one for one in each() if one.values[0] in clients])
