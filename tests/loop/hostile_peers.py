"""Servers that no suite should have to meet, each a coroutine over one connection, and a thread that serves them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import socket
import ssl
import struct
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Peer = Callable[[Reader, Writer], Awaitable[None]]

FIN, TEXT, BINARY, CONTINUATION, CLOSE, PING = 0x80, 1, 2, 0, 8, 9
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
NOISE = bytes(hashlib.sha256(bytes((index,))).digest()[0] for index in range(256)) * 16


# Serving.


@contextlib.contextmanager
def serving(peer: Peer, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve `peer` on loopback in a thread of its own; give the port."""
    ready = threading.Event()
    ports: list[int] = []
    stops: list[Callable[[], object]] = []

    async def main() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: Reader, writer: Writer) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await peer(reader, writer)
            finally:
                tasks.discard(task)
                writer.transport.abort()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        stops[0]()
        thread.join(10)


def dead_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


# Parts of peers.


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = False) -> bytes:
    """Return one frame; `masked` as only a client may."""
    head = bytes(((FIN if fin else 0) | opcode,))
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes((mask | len(payload),))
    elif len(payload) < 1 << 16:
        head += bytes((mask | 126,)) + len(payload).to_bytes(2, "big")
    else:
        head += bytes((mask | 127,)) + len(payload).to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


def partial(index: int) -> bytes:
    """Return the frame of a partial result that is as it should be."""
    members = {"type": "partial", "id": f"0.{index}", "recognition": "so", "translation": "so"}
    return frame(TEXT, json.dumps(members).encode())


async def request(reader: Reader) -> bytes:
    """Return the head of a request."""
    return await reader.readuntil(b"\r\n\r\n")


def switching(head: bytes) -> bytes:
    """Return the 101 that accepts an upgrade, X-RequestId and all."""
    key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key.partition(b":")[2].strip() + _MAGIC, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + f"\r\nX-RequestId: {uuid.uuid4()}\r\n\r\n".encode()
    )


async def upgraded(reader: Reader, writer: Writer) -> None:
    """Accept an upgrade; answer any other request with 404."""
    head = await request(reader)
    if b"upgrade: websocket" not in head.lower():
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        raise ConnectionResetError
    writer.write(switching(head))
    await writer.drain()


async def for_ever(reader: Reader) -> None:
    """Take whatever comes, until the other side goes."""
    while await reader.read(1 << 16):
        pass
    raise ConnectionResetError


async def frames(reader: Reader) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the first byte and the payload of each frame of a client."""
    while True:
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
        mask = await reader.readexactly(4)
        data = await reader.readexactly(length)
        repeated = (mask * (length // 4 + 1))[:length]
        yield first, (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")


async def trickle(writer: Writer, data: bytes, seconds: float = 1.0) -> None:
    """Send a byte at a time."""
    for byte in data:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(seconds)


def reset(writer: Writer) -> None:
    """End a connection with RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# Below HTTP.


async def silent(reader: Reader, _writer: Writer) -> None:
    """Take the connection and say nothing."""
    await for_ever(reader)


async def deaf(_reader: Reader, writer: Writer) -> None:
    """Take the connection, and neither read nor say anything."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads, too
    await asyncio.sleep(3600)


async def noise(_reader: Reader, writer: Writer) -> None:
    """Send bytes that mean nothing."""
    while True:
        writer.write(NOISE)
        await writer.drain()


async def slow_101(reader: Reader, writer: Writer) -> None:
    """Send a good 101, one byte a second."""
    await trickle(writer, switching(await request(reader)))


# HTTP.


def status(line: str, headers: str = "", body: bytes = b"no") -> Peer:
    """Return a peer that answers every request like this."""

    async def peer(reader: Reader, writer: Writer) -> None:
        await request(reader)
        head = f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return peer


async def curt(reader: Reader, writer: Writer) -> None:
    """Reset the connection at the first bytes that come."""
    await reader.read(1)
    reset(writer)


async def impatient(reader: Reader, writer: Writer) -> None:
    """Answer 400 to the first bytes that come, whatever they are."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()


def busy_after(sessions: int) -> Peer:
    """Return a peer that accepts so many upgrades, and says nothing in them; to all else it answers 503."""
    accepted = 0

    async def peer(reader: Reader, writer: Writer) -> None:
        nonlocal accepted
        head = await request(reader)
        accepted += 1
        if accepted > sessions:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        writer.write(switching(head))
        await for_ever(reader)

    return peer


async def huge_header(reader: Reader, writer: Writer) -> None:
    """Answer with a header field that never ends."""
    await request(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX-RequestId: ")
    while True:
        writer.write(b"x" * (1 << 16))
        await writer.drain()


async def many_headers(reader: Reader, writer: Writer) -> None:
    """Answer with header fields without end."""
    await request(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
    for index in itertools.count():
        writer.write(b"X-%d: 1\r\n" % index)
        await writer.drain()


def endless_body(head: bytes, piece: bytes) -> Peer:
    """Return a peer that answers with a body that never ends."""

    async def peer(reader: Reader, writer: Writer) -> None:
        await request(reader)
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return peer


# WebSocket.


async def silent_websocket(reader: Reader, writer: Writer) -> None:
    """Accept every upgrade, and then say nothing; nor answer any other request."""
    head = await request(reader)
    if b"upgrade: websocket" in head.lower():
        writer.write(switching(head))
    await for_ever(reader)


async def deaf_websocket(reader: Reader, writer: Writer) -> None:
    """Accept every upgrade, and then neither read nor say anything."""
    await upgraded(reader, writer)
    await deaf(reader, writer)


async def echo(reader: Reader, writer: Writer) -> None:
    """Accept every upgrade, and send every frame back, close frames too."""
    await upgraded(reader, writer)
    async for first, payload in frames(reader):
        writer.write(frame(first & 0x0F, payload, fin=bool(first & FIN)))
        await writer.drain()


def after_101(data: bytes, *, times: int | None = 1) -> Peer:
    """Return a peer that accepts, sends these bytes (None: again and again) and then says nothing."""

    async def peer(reader: Reader, writer: Writer) -> None:
        await upgraded(reader, writer)
        listening = asyncio.ensure_future(for_ever(reader))
        try:
            for _ in itertools.count() if times is None else range(times):
                writer.write(data)
                await writer.drain()
            await listening
        finally:
            listening.cancel()

    return peer


async def endless_message(reader: Reader, writer: Writer) -> None:
    """Accept, then send a message whose last frame never comes."""
    await upgraded(reader, writer)
    writer.write(frame(BINARY, b"RIFF", fin=False))
    while True:
        writer.write(frame(CONTINUATION, bytes(1 << 14), fin=False))
        await writer.drain()


async def slow_frames(reader: Reader, writer: Writer) -> None:
    """Accept, then send good partials, one byte a second."""
    await upgraded(reader, writer)
    await trickle(writer, b"".join(partial(index) for index in range(100)))


async def dribble(reader: Reader, writer: Writer) -> None:
    """Accept, then send a good partial ten times a second, for ever; never a final, never a close."""
    await upgraded(reader, writer)
    for index in itertools.count():
        writer.write(partial(index))
        await writer.drain()
        await asyncio.sleep(0.1)


def gone(how: Callable[[Writer], None]) -> Peer:
    """Return a peer that accepts, and leaves at once in this way."""

    async def peer(reader: Reader, writer: Writer) -> None:
        await upgraded(reader, writer)
        how(writer)
        await writer.drain()
        with contextlib.suppress(ConnectionResetError):
            await for_ever(reader)

    return peer


def mortal(peer: Peer, connections: int) -> Peer:
    """Return a peer that serves so many connections, and is dead from the next one on: also those that are open."""
    served = 0
    dead = asyncio.Event()

    async def once(reader: Reader, writer: Writer) -> None:
        nonlocal served
        served += 1
        if served > connections:
            dead.set()
            reset(writer)
            return
        living = asyncio.ensure_future(peer(reader, writer))
        dying = asyncio.ensure_future(dead.wait())
        await asyncio.wait((living, dying), return_when=asyncio.FIRST_COMPLETED)
        for task in (living, dying):
            task.cancel()
        await asyncio.gather(living, dying, return_exceptions=True)
        if dead.is_set():
            reset(writer)

    return once


def reference_server() -> Peer:
    """Return the reference server as a peer; its key is `test-key`."""
    server = Server(Settings(keys=("test-key",)), ScriptedEngine())
    started = False

    async def peer(reader: Reader, writer: Writer) -> None:
        nonlocal started
        if not started:
            started = True
            await server.start()
        await server.handle(reader, writer)

    return peer
