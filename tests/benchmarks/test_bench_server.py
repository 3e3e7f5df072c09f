"""What the reference server costs beside a bare `websockets` sink: CPU for each message, memory for each session.

Both run in processes of their own and are sent the same bytes at the same pace, by sockets without a library.
"""

from __future__ import annotations

import ctypes
import json
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from websockets.frames import Close, Frame, Opcode

from conformance import corpus
from protocol.riff import build_header
from protocol.translator.handshake import Feature, build_target

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter

pytestmark = pytest.mark.slow

SINK = (sys.executable, str(Path(__file__).with_name("sink.py")))
REFERENCE = (str(Path(sys.executable).with_name("speechwire")), "serve", "--port", "0")

CHUNK_S = 0.1
CHUNKS = 50
ROUNDS = 5
SETTLE_S = 0.1
IDLE_CPU_S = 0.001  # within that time: nothing but timers
MEMORY_SESSIONS = 200

PLAIN = build_target(source="en-US", target="pt")
EVERYTHING = build_target(source="en-US", target="pt", features=tuple(Feature))


class Listening:
    """A server in a process of its own: what it costs, and what it says that it received."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().rpartition(":")[2])
        clock = ctypes.c_int()
        assert ctypes.CDLL(None).clock_getcpuclockid(self._process.pid, ctypes.byref(clock)) == 0
        self._clock = clock.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    @property
    def cpu_s(self) -> float:
        """CPU time of all its threads, user and system."""
        return time.clock_gettime(self._clock)

    def finish(self) -> float:
        """Wait until it has no work left; return the seconds that this took."""
        begun = time.monotonic()
        spent = -1.0
        while self.cpu_s - spent > IDLE_CPU_S:
            assert time.monotonic() - begun < 60, "the server does not come to rest"
            spent = self.cpu_s
            time.sleep(SETTLE_S)
        return time.monotonic() - begun - SETTLE_S

    @property
    def rss_kib(self) -> float:
        """Memory that is its own or shared; the rollup is exact, where `status` lags behind."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("Rss:")))

    def sessions(self) -> list[dict[str, Any]]:
        """Return what it remembers of its sessions; the reference server remembers a hundred."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/speechwire/received") as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["sessions"]
        return found

    def messages(self) -> set[int]:
        """Return the numbers of messages that its sessions received."""
        return {session["received"]["messages"] for session in self.sessions()}


class Clients:
    """So many open WebSockets, each sending frames that were made beforehand."""

    def __init__(self, port: int, count: int, target: str) -> None:
        self._sockets = [_upgraded(port, target) for _ in range(count)]
        self._poll = select.poll()
        for one in self._sockets:
            self._poll.register(one, select.POLLIN)
        self._by_number = {one.fileno(): one for one in self._sockets}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.close()

    def send(self, data: bytes) -> None:
        """Send bytes on each connection at once."""
        for one in self._sockets:
            one.sendall(data)
        self._read()

    def pace(self, frames: Sequence[bytes], turns: int, shift: int) -> float:
        """Send `turns` frames on each connection in real time; return how late the latest one was, in s.

        The connections take turns within each tenth of a second, each `shift` frames further than the one before.
        """
        step = CHUNK_S / len(self._sockets)
        late = 0.0
        due = time.monotonic()
        for turn in range(turns):
            for index, one in enumerate(self._sockets):
                ahead = due - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
                late = max(late, -ahead)
                one.sendall(frames[(turn + index * shift) % len(frames)])
                due += step
            self._read()
        return late

    def leave(self) -> None:
        """Close each connection and wait for the server's end of it."""
        for one in self._sockets:
            one.sendall(_frame(Opcode.CLOSE, Close(1000, "").serialize()))
        for one in self._sockets:
            while one.recv(1 << 16):
                pass

    def _read(self) -> None:
        """Throw away what has come, so that no server waits for us."""
        for number, _ in self._poll.poll(0):
            self._by_number[number].recv(1 << 20)


def _upgraded(port: int, target: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = (
        f"GET {target} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        "Ocp-Apim-Subscription-Key: test-key",
        "X-ClientTraceId: {8f1ddc4c-2f1f-4b3c-9c1e-0a4ed1f0c6b7}",
    )
    connection.sendall("".join(f"{line}\r\n" for line in (*request, "")).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return connection


def _frame(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=True)


# --- what is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Audio:
    """A header, and audio in frames of a tenth of a second."""

    header: bytes
    frames: tuple[bytes, ...]


def audio(identity: str, silence_s: float = 0.0) -> Audio:
    """Return a recording of the corpus with silence behind it, cut to whole chunks."""
    recording = corpus.load()[identity]
    pcm = recording.pcm + bytes(int(silence_s * recording.format.bytes_per_second) & ~1)
    size = int(CHUNK_S * recording.format.bytes_per_second)
    chunks = [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]
    return Audio(
        _frame(Opcode.BINARY, build_header(recording.format)),
        tuple(_frame(Opcode.BINARY, chunk) for chunk in chunks),
    )


QUIET = audio("noise")
SPEECH = audio("clear-2", silence_s=1.0)


# --- CPU --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [100, 400])
def test_cpu_of_a_message(meter: Meter, streams: int) -> None:
    late: list[float] = []
    backlog: list[float] = []

    def cpu(command: Sequence[str], target: str, sent: Audio, *, finals: bool = False) -> float:
        """Return the CPU time of the server for each message, in µs."""
        with Listening(command) as server, Clients(server.port, streams, target) as clients:
            clients.send(sent.header)
            server.finish()
            before = server.cpu_s
            late.append(clients.pace(sent.frames, CHUNKS, shift=7))
            backlog.append(server.finish())
            spent = server.cpu_s - before
            clients.leave()
            assert server.messages() == {CHUNKS + 1}
            assert all(_has_final(session) == finals for session in server.sessions())
        return spent / (streams * CHUNKS) * 1e6

    meter.compare(
        f"Server CPU for each message: {streams} streams in real time, 100 ms of audio in each message",
        "µs (min / median / max)",
        {
            "sink": partial(cpu, SINK, PLAIN, QUIET),
            "reference server, nobody speaks": partial(cpu, REFERENCE, PLAIN, QUIET),
            "reference server, finals": partial(cpu, REFERENCE, PLAIN, SPEECH, finals=True),
            "reference server, finals, partials, timing, voice": partial(
                cpu, REFERENCE, EVERYTHING, SPEECH, finals=True
            ),
        },
        ROUNDS,
    )
    meter.say(
        f"Messages were sent up to {max(late) * 1000:.0f} ms late, and the longest backlog was {max(backlog):.1f} s."
    )


def _has_final(session: dict[str, Any]) -> bool:
    return any('"final"' in sent.get("text", "") for sent in session.get("sent", ()))


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_of_a_session(meter: Meter) -> None:
    def kib(command: Sequence[str], sent: Audio, chunks: int) -> float:
        """Return what an open session adds to the server, having sent its header and so many chunks."""
        with Listening(command) as server:
            with Clients(server.port, 1, PLAIN) as first:
                first.send(sent.header + b"".join(sent.frames[:chunks]))
                first.leave()
            server.finish()
            before = server.rss_kib
            with Clients(server.port, MEMORY_SESSIONS, PLAIN) as clients:
                clients.send(sent.header)
                clients.pace(sent.frames, chunks, shift=0)
                server.finish()
                assert server.messages() == {chunks + 1}
                added = server.rss_kib - before
                clients.leave()
        return added / MEMORY_SESSIONS

    meter.compare(
        f"Memory of an open session: {MEMORY_SESSIONS} of them",
        "KiB (min / median / max)",
        {
            "sink, 2 s of audio": partial(kib, SINK, QUIET, 20),
            "sink, header only": partial(kib, SINK, QUIET, 0),
            "reference server, header only": partial(kib, REFERENCE, QUIET, 0),
            "reference server, 2 s in which nobody speaks": partial(kib, REFERENCE, QUIET, 20),
            "reference server, in an utterance of 2 s": partial(kib, REFERENCE, SPEECH, 20),
        },
        ROUNDS,
    )
