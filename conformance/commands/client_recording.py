"""What `check client` writes down of a client: a transcript of each exchange, as the server sees it, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.transcript import Answered, Asked, CloseFrame, Ended, Ending, Frame, Recorder, Vantage
from protocol.websocket import ABNORMAL
from protocol.wire import Close, Fragment, HttpRequest, HttpResponse, Message, Outbound, Party, PeerClosed
from reference_server.tap import Tap

CASE = "session"
MOST = 64 << 20
"""Bytes of a client that are recorded: half an hour of speech."""

_ENTRY = 1024  # bytes that an entry costs beside its payload


@dataclass
class Recording:
    """The transcripts of a run, one for each HTTP exchange or session, and how many connections there were.

    `enough` is set when it is of no use to go on: when the client has sent `MOST`. What it sends then is neither
    recorded nor heard by the server.
    """

    dialect: str
    recorders: list[Recorder] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    _size: int = 0

    def begin(self) -> Recorder:
        """Return the recorder of the next exchange."""
        self.recorders.append(Recorder(self.dialect, Vantage.SERVER, CASE, len(self.recorders)))
        return self.recorders[-1]

    def room(self, data: bytes) -> bool:
        """Tell whether there is room for one more entry with this payload."""
        self._size += len(data) + _ENTRY
        if self._size > MOST:
            self.enough.set()
        return not self.enough.is_set()


class RecordingTap(Tap):
    """Writes a transcript of each HTTP exchange and session on a connection, as the server sees it."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        recording.connections += 1
        self._now: Recorder | None = None

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Begin a transcript."""
        self._now = None
        if self._recording.room(request.body):
            self._now = self._recording.begin()
            self._now.add(Asked(time, request))
        return request

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Note the response."""
        if self._now is not None:
            self._now.add(Answered(time, response))
        return response

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed]:
        """Note what the client sent."""
        if isinstance(event, Fragment) and not self._recording.room(event.data):
            return ()
        if self._now is not None:
            self._now.add(_entry(event))
        return (event,)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        """Note what the server sends."""
        if self._now is not None:
            if isinstance(event, Message):
                last = len(event.fragments) - 1
                for index, data in enumerate(event.fragments):
                    self._now.add(Frame(time, Party.SERVER, event.kind, data, index == 0, index == last))
            elif isinstance(event, Close):
                self._now.add(CloseFrame(time, Party.SERVER, event.code, event.reason))
            else:
                self._now.add(Ended(time, Party.SERVER, Ending.RESET))
        return (event,)


def _entry(event: Fragment | PeerClosed) -> Frame | CloseFrame | Ended:
    if isinstance(event, Fragment):
        return Frame(event.time, Party.CLIENT, event.kind, event.data, event.first, event.final)
    if event.code == ABNORMAL:
        return Ended(event.time, Party.CLIENT, Ending.UNREADABLE if event.reason else Ending.EOF, event.reason)
    return CloseFrame(event.time, Party.CLIENT, event.code, event.reason)
