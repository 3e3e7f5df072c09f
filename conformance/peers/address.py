"""Where a server is, and how to open a byte stream to it: name, TCP, TLS, each a layer that can fail by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]

_BUFFER = 1 << 16
_Found = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]


class DialError(Exception):
    """There is no connection. `layer` is `name`, `tcp`, `tls` or `http`; `reason` is one sentence.

    `hangs` tells a peer that took the connection and then kept silent from one that could not be reached.
    """

    def __init__(self, layer: str, reason: str, *, hangs: bool = False) -> None:
        super().__init__(reason)
        self.layer = layer
        self.reason = reason
        self.hangs = hangs


@dataclass(frozen=True, slots=True)
class Address:
    """Where the peer is, and how to open a byte stream to it (`connect`, which raises DialError or OSError)."""

    host: str
    port: int
    secure: bool
    connect: Connect

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def tcp(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Address:
        """Return the address of a server behind TCP, with TLS if a context is given."""

        async def connect() -> Streams:
            sock = await _reach(host, port)
            try:
                return await asyncio.open_connection(
                    sock=sock, ssl=tls, server_hostname=host if tls else None, limit=_BUFFER
                )
            except ssl.CertificateError as error:
                raise DialError("tls", f"no TLS connection: {error.verify_message or error}") from error
            except ssl.SSLError as error:
                raise DialError("tls", f"no TLS connection: {error.reason or error}") from error
            except OSError as error:
                if tls is None:
                    raise
                raise DialError("tls", f"no TLS connection: {explained(error)}") from error

        return cls(host, port, tls is not None, connect)


def explained(error: OSError) -> str:
    """Return what an error of the system means, in the system's words."""
    if isinstance(error, ConnectionResetError):
        return "the server reset the connection"
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


async def _reach(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first address of a host that takes the connection."""
    loop = asyncio.get_running_loop()
    failed = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in await _resolve(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, place)
        except OSError as error:
            sock.close()
            failed = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failed


async def _resolve(host: str, port: int) -> _Found:
    """Ask the resolver, in a thread that nobody waits for: it may take half a minute, and cannot be interrupted."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Found] = loop.create_future()

    def ask() -> None:
        found: _Found = ()
        failed: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop may be over
            loop.call_soon_threadsafe(tell, found, failed)

    def tell(found: _Found, failed: Exception | None) -> None:
        if answer.done():
            return
        if failed is None:
            answer.set_result(found)
        else:
            reason = failed.strerror if isinstance(failed, OSError) else f"{host!r} is not a host name"
            answer.set_exception(DialError("name", f"no address of {host}: {reason}"))

    threading.Thread(target=ask, name="speechwire-resolver", daemon=True).start()
    return await answer
