"""Between a client session and a link: messages out, events in, samples at their pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.peers.link import Link, Received
from protocol.audio import PcmFormat
from protocol.wire import Fragment, Inbound, Message, PeerClosed, Tick

_LOOK_UP_S = 0.5  # the deadline may change while nothing comes


async def put(link: Link, message: Message) -> None:
    """Send a message in its frames."""
    last = len(message.fragments) - 1
    for index, data in enumerate(message.fragments):
        await link.frame(message.kind, data, first=index == 0, final=index == last)


async def hear(link: Link | None, deadline: float | None) -> Inbound:
    """Return what comes next, or the time when it is the session's deadline or time to look that up again."""
    wait = _LOOK_UP_S if deadline is None else max(0.0, min(_LOOK_UP_S, deadline - Link.now()))
    if link is None:
        await asyncio.sleep(wait)
        return Tick(Link.now())
    answer = await link.answer("the next message", wait)
    if answer is None:
        return Tick(Link.now())
    if isinstance(answer, Received):
        return Fragment(answer.ended, answer.kind, answer.data)
    return PeerClosed(answer.time, answer.code, answer.reason)


async def feed(
    stream: PcmFormat, pcm: bytes, pace: float, chunk_ms: int, give: Callable[[bytes], Awaitable[None]]
) -> None:
    """Give samples in chunks, at a factor of real time; 0 as fast as they are taken."""
    size = stream.ms_to_bytes(chunk_ms)
    begun = Link.now()
    for at in range(0, len(pcm), size):
        await give(pcm[at : at + size])
        if pace:
            due = begun + (at + size) / stream.bytes_per_second / pace
            await asyncio.sleep(max(0.0, due - Link.now()))
