"""Clients that flood, stall, trickle or lie: they are closed with a reason, and cost nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest

import schemas
from conformance.peers import virtual
from protocol.audio import PcmFormat
from protocol.languages import PUBLISHED
from protocol.riff import build_header
from protocol.translator.handshake import build_target
from reference_server.app import Server
from reference_server.engines.script import parse
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Limits, Settings

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9
SPEECH = (schemas.corpus_dir() / "clear-2.wav").read_bytes()
SAMPLES = SPEECH[44:]
SECOND = bytes(32_000)
HEADER = build_header(PcmFormat(16_000))


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a peer does, nothing of it is an error of ours, and no credential is in the log."""
    caplog.set_level("INFO")
    yield
    assert [record for record in caplog.records if record.levelname in {"ERROR", "WARNING"} or record.exc_info] == []
    assert "test-key" not in caplog.text


def frame(opcode: int, data: bytes = b"", *, final: bool = True) -> bytes:
    """A masked frame; the mask is all zeros."""
    size = len(data)
    if size < 126:
        head = bytes((0x80 | size,))
    elif size < 1 << 16:
        head = bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    return bytes((opcode | (0x80 if final else 0),)) + head + bytes(4) + data


class Peer:
    """A client that sends bytes and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(OSError):
            await asyncio.sleep(0)
            await self.writer.drain()

    async def upgrade(self, features: str = "") -> None:
        target = build_target(source="en-US", target="pt", features=features)
        await self.send(
            f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Ocp-Apim-Subscription-Key: test-key\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: opcode and payload."""
        first, second = await self.reader.readexactly(2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 15, await self.reader.readexactly(length)

    async def close_code(self) -> int:
        """The code of the server's close frame; what comes before it is passed over."""
        while True:
            opcode, data = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(data[:2], "big")

    async def rest(self) -> bytes:
        """What comes until the server ends the connection."""
        with contextlib.suppress(OSError):
            return await self.reader.read(-1)
        return b""


Connect = Callable[[], Awaitable[Peer]]


def play(
    scene: Callable[[Connect], Awaitable[None]], limits: Limits | None = None, script: dict[str, Any] | None = None
) -> float:
    """Run a scene in virtual time; return how long it took."""

    async def whole() -> float:
        engine = ScriptedEngine(parse(script, PUBLISHED) if script else None)
        server = Server(Settings(limits=limits or Limits()), engine)
        listener = virtual.MemoryListener(server.handle)

        async def connect() -> Peer:
            peers.append(Peer(*await listener.connect()))
            return peers[-1]

        peers: list[Peer] = []
        try:
            await scene(connect)
            return asyncio.get_running_loop().time()
        finally:
            for peer in peers:
                peer.writer.close()
            await listener.close()

    return virtual.run(whole())


class TestHttp:
    def test_nothing_at_all_is_closed_in_silence(self) -> None:
        async def scene(connect: Connect) -> None:
            assert await (await connect()).rest() == b""

        assert play(scene) == pytest.approx(10)

    @pytest.mark.parametrize(
        "begin", [b"GET / HTTP/1.1\r\nHost: x\r\nX-A", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n"]
    )
    def test_a_request_that_trickles(self, begin: bytes) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.send(begin)
            answer = asyncio.ensure_future(peer.reader.readuntil(b"\r\n"))
            while not answer.done():
                await peer.send(b"a")
                await asyncio.sleep(1)
            assert (await answer).startswith(b"HTTP/1.1 408 ")
            peer.writer.close()

        assert play(scene) == pytest.approx(10, abs=1.1)

    def test_a_connection_that_idles_between_requests(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.send(b"GET /speechwire/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await peer.rest()).startswith(b"HTTP/1.1 200 ")

        assert play(scene) == pytest.approx(60)

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000, 431),
            (b"GET /" + b"a" * 20_000, 431),
            (b"\x00\x01\x02\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/3.7\r\nHost: x\r\n\r\n", 505),
            (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("GET /\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400),
        ],
    )
    def test_what_is_no_request(self, data: bytes, status: int) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.send(data)
            head = await peer.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"X-RequestId: " in head
            assert b"Connection: close" in head
            peer.writer.close()

        play(scene)

    def test_a_client_that_leaves_within_its_request(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.send(b"POST /sts/v1.0/issueToken HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
            peer.writer.transport.abort()
            await asyncio.sleep(1)

        play(scene)

    def test_a_client_that_never_takes_its_response(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            many = b"GET /languages?scope=text,tts,speech HTTP/1.1\r\nHost: x\r\n\r\n" * 300
            await peer.send(many)
            await asyncio.sleep(100)
            assert peer.writer.transport.is_closing()

        play(scene)

    def test_more_connections_than_there_may_be(self) -> None:
        async def scene(connect: Connect) -> None:
            held = [await connect() for _ in range(2)]
            for peer in held:
                await peer.upgrade()
            late = await connect()
            head = await late.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 5" in head
            late.writer.close()
            held[0].writer.close()
            await asyncio.sleep(0.1)
            await (await connect()).upgrade()

        play(scene, Limits(connections=2))

    def test_so_many_that_not_even_a_refusal_is_due(self) -> None:
        async def scene(connect: Connect) -> None:
            refused = [await connect() for _ in range(100)]
            for peer in refused:
                assert (await peer.reader.readline()).startswith(b"HTTP/1.1 503 ")
            assert await (await connect()).rest() == b""
            await asyncio.sleep(6)
            assert (await (await connect()).reader.readline()).startswith(b"HTTP/1.1 503 ")

        play(scene, Limits(connections=0))


class TestFrames:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"\x82\x05hello", 1002),
            (b"\x83\x80\0\0\0\0", 1002),
            (b"\xc2\x80\0\0\0\0", 1002),
            (frame(CONTINUATION, b"x"), 1002),
            (frame(PING, bytes(126)), 1002),
            (frame(BINARY, HEADER, final=False) + frame(BINARY, b"x"), 1002),
            (frame(CLOSE, b"\x00"), 1002),
        ],
    )
    def test_what_is_no_websocket(self, data: bytes, code: int) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            await peer.send(data)
            assert await peer.close_code() == code
            await peer.rest()

        assert play(scene) <= 5

    @pytest.mark.parametrize("data", [frame(PING, b"x"), frame(BINARY), frame(TEXT, final=False) + frame(CONTINUATION)])
    def test_a_flood_that_carries_no_audio(self, data: bytes) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            reading = asyncio.ensure_future(peer.close_code())
            while not reading.done():
                await peer.send(data * 1000)
                await asyncio.sleep(0.001)
            assert await reading in {1003, 1008}
            await peer.send(frame(CLOSE, b"\x03\xf0"))
            await peer.rest()

        play(scene)

    def test_a_frame_that_never_ends_keeps_nobody(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            await peer.send(b"\x82\xff" + (1 << 62).to_bytes(8, "big") + bytes(4) + HEADER)
            assert await peer.close_code() == 1000

        assert play(scene) == pytest.approx(600)

    def test_a_client_that_ignores_the_close(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            await peer.send(frame(TEXT, b"hello"))
            assert await peer.close_code() == 1003
            for _ in range(20):
                await peer.send(frame(BINARY, SECOND))
                await asyncio.sleep(0.5)
            assert peer.writer.transport.is_closing()

        play(scene)

    def test_a_client_that_closes_and_stays(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            await peer.send(frame(CLOSE, b"\x03\xe8"))
            assert await peer.close_code() == 1000
            assert await peer.rest() == b""
            await asyncio.sleep(6)
            assert peer.writer.transport.is_closing()

        play(scene)

    @pytest.mark.parametrize("end", ["reset", "half-close", "close"])
    def test_a_client_that_vanishes_within_an_utterance(self, end: str) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade("Partial,TextToSpeech")
            await peer.send(frame(BINARY, SPEECH[:40_000]) + frame(BINARY, SAMPLES)[:1000])
            await peer.frame()
            transport = peer.writer.transport
            {"reset": transport.abort, "half-close": transport.write_eof, "close": transport.close}[end]()
            await asyncio.sleep(1)

        play(scene)


class TestShutdown:
    def rush(
        self, begin: Callable[[Peer], Awaitable[None]], limits: Limits, script: dict[str, Any] | None = None
    ) -> float:
        """Shut down a server beside one client; return how long it took."""

        async def whole() -> float:
            engine = ScriptedEngine(parse(script, PUBLISHED) if script else None)
            server = Server(Settings(limits=limits), engine)
            listener = virtual.MemoryListener(server.handle)
            peer = Peer(*await listener.connect())
            await begin(peer)
            await asyncio.sleep(0.1)
            begun = asyncio.get_running_loop().time()
            await server.shutdown()
            elapsed = asyncio.get_running_loop().time() - begun
            peer.writer.close()
            return elapsed

        return virtual.run(whole())

    def test_waits_for_no_idle_connection(self) -> None:
        async def begin(peer: Peer) -> None:
            await peer.send(b"GET /speechwire/health HTTP/1.1\r\nHost: x\r\n\r\n")
            await peer.reader.readuntil(b"}")

        assert self.rush(begin, Limits()) < 0.1

    def test_lets_a_request_come_to_its_end(self) -> None:
        async def begin(peer: Peer) -> None:
            await peer.send(b"GET /speechwire/health HTTP/1.1\r\n")

        assert self.rush(begin, Limits()) == pytest.approx(15, abs=0.2)

    def test_cuts_off_whoever_takes_longer_than_there_is_time(self) -> None:
        async def begin(peer: Peer) -> None:
            await peer.upgrade()
            await peer.send(frame(BINARY, SPEECH))

        assert self.rush(begin, Limits(shutdown_s=3), THINKS_LONG) == pytest.approx(3, abs=0.1)


SPEAKS_LONG = {"defaults": [{"recognition": "Long.", "translations": {"pt": "lorem ipsum " * 150}}]}
THINKS_LONG = {"defaults": [{"recognition": "Late.", "delay_ms": {"final": 20_000}}]}


class TestBackPressure:
    def test_a_client_that_never_reads_is_cut_off(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade("TextToSpeech")
            await peer.send(frame(BINARY, HEADER))
            for _ in range(20):
                peer.writer.write(frame(BINARY, SAMPLES + bytes(64_000)))
            await asyncio.sleep(100)
            assert peer.writer.transport.is_closing()

        play(scene, script=SPEAKS_LONG)

    def test_audio_waits_outside_while_the_engine_thinks(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade()
            begun = asyncio.get_running_loop().time()
            await peer.send(frame(BINARY, SPEECH + bytes(64_000)))
            for _ in range(300):
                await peer.send(frame(BINARY, SECOND))
            assert asyncio.get_running_loop().time() - begun >= 20
            assert json.loads((await peer.frame())[1])["recognition"] == "Late."

        play(scene, script=THINKS_LONG)

    def test_a_slow_reader_gets_everything(self) -> None:
        async def scene(connect: Connect) -> None:
            peer = await connect()
            await peer.upgrade("TextToSpeech")
            writing = asyncio.ensure_future(
                peer.send(frame(BINARY, HEADER) + frame(BINARY, SAMPLES + bytes(64_000)) * 3)
            )
            finals = 0
            while finals < 3:
                opcode, _ = await peer.frame()
                finals += opcode == TEXT
                await asyncio.sleep(0.05)
            await writing

        play(scene, script=SPEAKS_LONG)


class TestNeighbours:
    """A healthy session at the pace of speech, beside others; over real sockets, since it is about real time."""

    async def latency(self, connect: Connect) -> float:
        """The seconds from the last needed sample to its final."""
        peer = await connect()
        await peer.upgrade("Partial")
        await peer.send(frame(BINARY, HEADER))
        stream = SAMPLES[:70_000] + bytes(25_600 + 640)
        begun = time.perf_counter()
        for at in range(0, len(stream), 3200):
            await asyncio.sleep(max(0.0, begun + at / 32_000 - time.perf_counter()))
            await peer.send(frame(BINARY, stream[at : at + 3200]))
        sent = time.perf_counter()
        while b'"final"' not in (await peer.frame())[1]:
            pass
        elapsed = time.perf_counter() - sent
        peer.writer.close()
        return elapsed

    async def flood(self, connect: Connect, data: bytes, features: str = "") -> None:
        peer = await connect()
        await peer.upgrade(features)
        await peer.send(frame(BINARY, HEADER))

        async def swallow() -> None:
            while await peer.reader.read(1 << 16):
                pass

        reading = asyncio.ensure_future(swallow())
        try:
            while not peer.writer.is_closing() and not reading.done():
                await peer.send(data)
                await asyncio.sleep(0)
        finally:
            reading.cancel()
            peer.writer.transport.abort()

    async def stall(self, connect: Connect) -> None:
        peer = await connect()
        await peer.upgrade("TextToSpeech")
        try:
            await peer.send(frame(BINARY, HEADER))
            while True:
                await peer.send(frame(BINARY, SAMPLES + bytes(64_000)))
                await asyncio.sleep(0.05)
        finally:
            peer.writer.transport.abort()

    async def trickle(self, connect: Connect) -> None:
        peer = await connect()
        try:
            for byte in b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 1000:
                await peer.send(bytes((byte,)))
                await asyncio.sleep(0.05)
        finally:
            peer.writer.transport.abort()

    def test_a_healthy_session_does_not_notice(self) -> None:
        noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype("<i2").tobytes()

        async def whole() -> float:
            server = Server(Settings(), ScriptedEngine())
            await server.start()
            listener = await server.listen("127.0.0.1", 0)

            async def connect() -> Peer:
                return Peer(*await asyncio.open_connection("127.0.0.1", listener.port))

            hostile = [
                self.flood(connect, frame(BINARY, SECOND * 10)),
                self.flood(connect, frame(BINARY, noise), "Partial,TextToSpeech"),
                self.flood(connect, frame(PING, b"x") * 500),
                self.flood(connect, frame(BINARY, b"\x00") * 500),
                self.stall(connect),
                self.trickle(connect),
            ]
            tasks = [asyncio.ensure_future(one) for one in hostile]
            try:
                return max(await asyncio.gather(*(self.latency(connect) for _ in range(3))))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await server.shutdown()

        # Client and server share one thread here, and the flooders' own work is in it, too.
        assert asyncio.run(whole()) < 0.5
