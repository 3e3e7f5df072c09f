"""The stand-alone script that holds a recorded conversation once more, with nothing but `websockets`."""

from __future__ import annotations

import base64
import heapq
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final

from conformance.programs.bundle import Bundle
from conformance.transcript import Asked, CloseFrame, Frame
from protocol.request import CREDENTIAL_NAMES
from protocol.wire import Kind, Party

_OF_THE_HANDSHAKE: Final = frozenset({"host", "upgrade", "connection"})
_SUB_PROTOCOL: Final = "sec-websocket-protocol"
_CREDENTIALS: Final = frozenset(in_header.lower() for in_header, _ in CREDENTIAL_NAMES.values())
_KEY: Final = "{key}"

_TEMPLATE: Final = '''"""The shortest conversation found that departs from {requirement}.

{statement}
Expected: {expected}. Seen: {observed}.

Usage: python FILE ws://HOST:PORT [KEY]; needs the package `websockets`, and shows what is sent and what comes.
"""
import base64, contextlib, json, sys, zlib
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

# [connection, "open", path, headers, sub-protocols], [.., "text" or "binary", frames], [.., "close", code],
# [.., "hear", how many messages in all come before the next step].
STEPS = json.loads(zlib.decompress(base64.b64decode("{data}")))
URL, KEY, links, heard = sys.argv[1].rstrip("/"), (sys.argv[2:] or ["test-key"])[0], {{}}, {{}}
opened = contextlib.ExitStack()

def take(number, does, what, headers=(), offered=None):
    if does == "open":
        headers = [(name, value.replace("{key}", KEY)) for name, value in headers]
        links[number] = opened.enter_context(connect(URL + what, additional_headers=headers, subprotocols=offered,
                                                     compression=None, ping_interval=None, max_size=None))
    elif does == "hear":
        while heard.setdefault(number, 0) < what:
            print(number, "<", repr(links[number].recv(timeout=10))[:300])
            heard[number] += 1
    elif does == "close":
        links[number].close(what)
    else:
        frames = [base64.b64decode(frame) for frame in what]
        print(number, ">", does, sum(map(len, frames)), "bytes", str(frames)[:200])
        links[number].send(frames if len(frames) > 1 else frames[0], text=does == "text")

with opened:
    for number, *step in STEPS:
        try:
            take(number, *step)
        except (ConnectionClosed, InvalidStatus, TimeoutError, KeyError) as end:
            print(number, "!", step[0], type(end).__name__, end)
'''


def written(bundle: Bundle, statement: str) -> str:
    """Return the script of a bundle; `statement` is what the requirement says."""
    steps = json.dumps(list(_steps(bundle)), ensure_ascii=False, separators=(",", ":"))
    return _TEMPLATE.format(
        requirement=bundle.departure.requirement,
        statement=_plain(statement),
        expected=_plain(bundle.departure.expected),
        observed=_plain(bundle.departure.observed),
        data=base64.b64encode(zlib.compress(steps.encode(), 9)).decode(),
        key=_KEY,
    )


def _plain(text: str) -> str:
    """Return a text that can stand in a string between three quotation marks, whatever a peer has said."""
    return ascii(text)[1:-1].replace('"', "'")


def _steps(bundle: Bundle) -> Iterator[list[Any]]:
    """Yield what the client did, in the order of time, and between it how much had come by then."""
    heard: dict[int, int] = {}
    frames: dict[int, list[str]] = {}
    closes: dict[int, int] = {}
    streams = [
        [(entry.time, number, entry) for entry in transcript.entries]
        for number, transcript in enumerate(bundle.played.transcripts)
    ]
    for _, number, entry in heapq.merge(*streams, key=lambda one: one[0]):
        if isinstance(entry, Frame) and entry.sender is Party.SERVER:
            heard[number] = heard.get(number, 0) + entry.final
        elif isinstance(entry, Asked):
            yield [number, *_opening(entry)]
        elif isinstance(entry, Frame):
            frames.setdefault(number, []).append(base64.b64encode(entry.data).decode())
            if entry.final:
                yield [number, "hear", heard.get(number, 0)]
                yield [number, "text" if entry.kind is Kind.TEXT else "binary", frames.pop(number)]
        elif isinstance(entry, CloseFrame) and entry.sender is Party.CLIENT and not entry.deliberate:
            closes[number] = entry.code
    for number, stopped in enumerate(bundle.played.stopped):
        # One more than came, where something did not: that shows how the connection ends, or that nothing comes.
        yield [number, "hear", heard.get(number, 0) + (stopped is not None or number not in closes)]
        yield [number, "close", closes.get(number, 1000)]


def _opening(entry: Asked) -> list[Any]:
    headers: list[list[str]] = []
    offered: list[str] | None = None
    for name, value in entry.request.headers:
        if name.lower() == _SUB_PROTOCOL:
            offered = [word.strip() for word in value.split(",")]
        elif name.lower() in _CREDENTIALS:
            words = value.split(" ")
            headers.append([name, " ".join([*words[:-1], _KEY])])
        elif name.lower() not in _OF_THE_HANDSHAKE and not name.lower().startswith("sec-websocket-"):
            headers.append([name, value])
    return ["open", entry.request.target, headers, offered]
