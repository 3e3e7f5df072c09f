"""One HTTP exchange with a server under test: the opening handshake, or a plain request.

Whatever comes instead of a response, and whatever never comes, ends in a sentence that says so.
"""

from __future__ import annotations

import asyncio

from conformance.peers.address import Address, DialError, Streams, explained
from conformance.peers.budget import Budget
from conformance.transcript import Answered, Asked, Ended, Ending, Expired, Recorder
from protocol.websocket import ClientEnd
from protocol.wire import Headers, HttpRequest, HttpResponse, Party

_READ = 1 << 14
_RESPONSE = 1 << 20
_SHOWN = 24
_HTTP = b"HTTP/"
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


def now() -> float:
    """Return the loop's time, the clock of every transcript."""
    return asyncio.get_running_loop().time()


async def exchange(
    address: Address,
    target: str,
    headers: Headers,
    recorder: Recorder,
    budget: Budget,
    *,
    kind: str,
    method: str = "GET",
    body: bytes = b"",
    leave_out: frozenset[str] = frozenset(),
    deliberate: str | None = None,
) -> tuple[ClientEnd, Streams, HttpResponse]:
    """Connect, send a request, wait for its response; return all three, with the connection still open.

    Raises:
        DialError: There was no HTTP response, or no connection at all; the recorder holds what was seen.
    """
    seconds = budget.wait(kind)
    begun = now()
    if budget.spent:
        raise DialError("tcp", "the server floods every connection, so no more are opened")
    end = ClientEnd(address.host, address.port, secure=address.secure, target=target)
    streams: Streams | None = None
    heard = bytearray()
    try:
        async with budget.limit(seconds):
            streams = await _open(address)
            asked = end.request(headers, method=method, leave_out=leave_out)
            recorder.add(Asked(now(), HttpRequest(method, target, asked.headers, body), deliberate))
            streams[1].write(end.take()[0] + body)
            response = await _response(end, streams[0], heard)
            budget.heard(now())
    except TimeoutError:
        budget.expired(kind, begun, now())
        recorder.add(Expired(now(), "an HTTP response", seconds))
        _give_up(streams)
        if streams is None:
            layer = "TLS" if address.secure else "TCP"
            raise DialError(layer.lower(), f"no {layer} connection to {address} within {seconds:.1f} s") from None
        begins = f", only {len(heard)} bytes of one" if heard else ""
        raise DialError("http", f"no HTTP response within {seconds:.1f} s{begins}", hangs=True) from None
    except (OSError, ValueError) as error:
        reason = _no_response(error, bytes(heard))
        recorder.add(Ended(now(), Party.SERVER, Ending.UNREADABLE, reason))
        _give_up(streams)
        raise DialError("http", f"no HTTP response: {reason}") from error
    except asyncio.CancelledError:
        _give_up(streams)
        raise
    budget.came(kind)
    recorder.add(Answered(now(), response))
    return end, streams, response


async def _open(address: Address) -> Streams:
    try:
        return await address.connect()
    except OSError as error:
        raise DialError("tcp", f"no connection to {address}: {explained(error)}") from error


async def _response(end: ClientEnd, reader: asyncio.StreamReader, heard: bytearray) -> HttpResponse:
    """Return the response; `heard` holds what has come of it whenever this ends."""
    while True:
        data = await reader.read(_READ)
        heard += data
        try:
            response = end.handshake(data)
        except ValueError:
            if data:
                raise
            response = None
        if response is not None:
            return response
        if not data:
            raise ConnectionError("the server ended the connection" + (" before the end of it" if heard else ""))
        if len(heard) > _RESPONSE:
            raise ValueError(f"it does not end within {_RESPONSE} bytes")


def _no_response(error: OSError | ValueError, heard: bytes) -> str:
    """Return why what came is no response. TLS gives itself away by the type and the version of its records."""
    if heard[:2] in _TLS_RECORDS:
        return "the server speaks TLS: the URL has to begin with wss://"
    if heard and not heard.startswith(_HTTP[: len(heard)]):
        return f"what came begins with {heard[:_SHOWN]!r}"
    if isinstance(error, OSError):
        return explained(error)
    return f"it is too long: {error}" if "no more than" in str(error) else str(error)


def _give_up(streams: Streams | None) -> None:
    if streams is not None:
        streams[1].transport.abort()
