"""What the interop tests share: a relay that keeps every byte between a client and the server."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas

if TYPE_CHECKING:
    from tests.conftest import Serving, Speechwire

CONTINUATION, BINARY = 0x0, 0x2


@dataclass(frozen=True, slots=True)
class WireFrame:
    """A WebSocket frame, unmasked."""

    final: bool
    opcode: int
    masked: bool
    payload: bytes


@dataclass(slots=True)
class Exchange:
    """One TCP connection: all that the client sent, and all that it got."""

    sent: bytearray = field(default_factory=bytearray)
    got: bytearray = field(default_factory=bytearray)

    @property
    def request_line(self) -> str:
        """The first line of the request."""
        return self.sent.partition(b"\r\n")[0].decode()

    @property
    def status(self) -> int:
        """The status of the response."""
        return int(self.got.split()[1])

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields of the request, by their names in lower case."""
        head = bytes(self.sent.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2])
        return {name.lower(): str(value) for name, value in message_from_bytes(head).items()}

    @property
    def body(self) -> bytes:
        """What came behind the head of the response."""
        return bytes(self.got.partition(b"\r\n\r\n")[2])

    @property
    def frames_sent(self) -> list[WireFrame]:
        """The frames of the client."""
        return list(_frames(bytes(self.sent.partition(b"\r\n\r\n")[2])))

    @property
    def audio_sent(self) -> list[bytes]:
        """The binary messages of the client, put together from their frames."""
        messages: list[bytes] = []
        for frame in self.frames_sent:
            if frame.opcode == BINARY:
                messages.append(frame.payload)
            elif frame.opcode == CONTINUATION:
                messages[-1] += frame.payload
        return messages

    @property
    def frames_got(self) -> list[WireFrame]:
        """The frames of the server."""
        return list(_frames(self.body))


def _frames(data: bytes) -> Iterator[WireFrame]:
    """Yield the frames of one direction (RFC 6455, section 5.2); a last one that is cut off is left out."""
    while len(data) >= 2:
        first, second = data[0], data[1]
        size, at = second & 0x7F, 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2 : 2 + wide], "big"), 2 + wide
        mask = data[at : at + 4] if second & 0x80 else b""
        at += len(mask)
        if len(data) < at + size:
            return
        payload = data[at : at + size]
        if mask:
            keys = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")
        yield WireFrame(bool(first & 0x80), first & 0x0F, bool(mask), payload)
        data = data[at + size :]


class Relay:
    """Listens in front of a server and passes bytes on, as they are, both ways.

    Args:
        port: Of the server. `upstream`, where it is kept, may be changed: another server gets the connections to come.
    """

    def __init__(self, port: int) -> None:
        self.upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.base = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{self.base}/speech/translate"
        self.exchanges: list[Exchange] = []
        self._start(self._accept)

    def stop(self) -> None:
        """Take no more connections, and wait for the end of those that are there."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive()

    def _start(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        exchange = Exchange()
        self.exchanges.append(exchange)
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            answers = threading.Thread(target=_pump, args=(server, client, exchange.got), daemon=True)
            answers.start()
            _pump(client, server, exchange.sent)
            answers.join()


def _pump(source: socket.socket, drain: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            kept += data
            drain.sendall(data)
    with contextlib.suppress(OSError):
        drain.shutdown(socket.SHUT_WR)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client printed, how it ended, and what crossed the wire."""

    code: int
    events: Sequence[Mapping[str, Any]]
    exchanges: Sequence[Exchange]

    def told(self, event: str) -> list[Mapping[str, Any]]:
        """Return the events of one kind."""
        return [members for members in self.events if members["event"] == event]


class Laboratory:
    """Runs clients against the server, with the relay in between."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def run(self, *command: str | Path) -> Outcome:
        """Run a client; `{url}` in its command is the relay's."""
        relay = Relay(self._serving.port)
        try:
            ended = subprocess.run(
                [str(word).replace("{url}", relay.url) for word in command],
                capture_output=True,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
        finally:
            relay.stop()
        events = [json.loads(line) for line in ended.stdout.splitlines()]
        return Outcome(ended.returncode, events, relay.exchanges)


@pytest.fixture(scope="module")
def laboratory(server: Serving) -> Laboratory:
    """Give the place where clients are run."""
    return Laboratory(server)


@pytest.fixture(scope="session")
def recording() -> Path:
    """Give a WAV file with one sentence."""
    return schemas.corpus_dir() / "clear-1.wav"


class Judged:
    """The JSON report of `speechwire check client` on one command."""

    def __init__(self, speechwire: Speechwire, folder: Path) -> None:
        self._speechwire = speechwire
        self._file = folder / "report.json"

    def __call__(self, *command: str | Path, options: Sequence[str] = ()) -> tuple[int, dict[str, str]]:
        """Return the exit code and the verdicts by requirement, without the dialect's prefix."""
        words = ["check", "client", "--dialect", "translator", "--json", str(self._file), *options, "--", *command]
        ended = self._speechwire(*words)
        report = json.loads(self._file.read_text("utf-8"))
        assert report["peer"]["exit"] == 0, report["peer"]
        prefix = "translator.client."
        return ended.code, {check["row"].removeprefix(prefix): check["verdict"] for check in report["checks"]}


@pytest.fixture
def judged(speechwire: Speechwire, tmp_path: Path) -> Judged:
    """Give the judge of clients."""
    return Judged(speechwire, tmp_path)
