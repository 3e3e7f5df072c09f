"""A builder of transcripts for what reads them, and a server in memory for what makes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cases.target import Target
from conformance.peers.address import Streams
from conformance.peers.virtual import MemoryListener
from conformance.transcript import (
    Answered,
    Asked,
    Barrier,
    CloseFrame,
    Ended,
    Ending,
    Entry,
    Expired,
    Frame,
    Transcript,
    Vantage,
)
from protocol.audio import PcmFormat
from protocol.riff import build_file, build_header
from protocol.websocket import ServerEnd
from protocol.wire import Headers, HttpRequest, HttpResponse, Kind, Party
from tests.targets import target_at

if TYPE_CHECKING:
    from conformance.judge.findings import Bench

GUID = "{8f1ddc4c-2f1f-4b3c-9c1e-0a4ed1f0c6b7}"
GOOD_QUERY = "api-version=1.0&from=en-US&to=it"
GOOD_HEADERS = (("Ocp-Apim-Subscription-Key", "s3cret"), ("X-ClientTraceId", GUID))
TONE = b"\x00\x10\x00\xf0"  # two loud samples


class Talk:
    """Builds the transcript of one connection in `translator`, an entry at a time, a tenth of a second apart.

    Every method returns the builder. What a test does not say is as a good peer would have it.
    """

    def __init__(self, vantage: Vantage = Vantage.CLIENT, case: str = "case.of-a-test", connection: int = 0) -> None:
        self.vantage = vantage
        self.case = case
        self.connection = connection
        self.entries: list[Entry] = []
        self._waited = 0.0

    def transcript(self) -> Transcript:
        """Return what was built so far."""
        return Transcript("translator", self.vantage, self.case, self.connection, tuple(self.entries))

    def said(self, bench: Bench[Any], requirement: str, party: Party = Party.SERVER) -> list[str]:
        """Return what a bench says of one requirement of `translator`: `kept`, or what was seen and expected."""
        return [
            "kept" if finding.kept else f"{finding.observed}; expected {finding.expected}"
            for finding in bench.judge(self.transcript(), party)
            if finding.requirement == f"translator.{requirement}"
        ]

    def places(self, bench: Bench[Any], party: Party = Party.SERVER) -> dict[str, list[int]]:
        """Return at which entries a bench finds something, by requirement without the dialect."""
        found: dict[str, list[int]] = {}
        for finding in bench.judge(self.transcript(), party):
            found.setdefault(finding.requirement.removeprefix("translator."), []).append(finding.at)
        return found

    # The handshake.

    def ask(
        self,
        features: str = "",
        *,
        query: str = GOOD_QUERY,
        path: str = "/speech/translate",
        method: str = "GET",
        headers: Headers = GOOD_HEADERS,
        body: bytes = b"",
        deliberate: str | None = None,
    ) -> Talk:
        """Add the client's HTTP request; `features` joins the query."""
        query = f"{query}&features={features}" if features else query
        target = f"{path}?{query}" if query else path
        return self._add(Asked(self._now, HttpRequest(method, target, headers, body), deliberate))

    def answer(self, status: int = 101, headers: Headers = (("X-RequestId", GUID),), body: bytes = b"") -> Talk:
        """Add the server's HTTP response."""
        return self._add(Answered(self._now, HttpResponse(status, headers, body)))

    def open(self, features: str = "", query: str = GOOD_QUERY) -> Talk:
        """Add an accepted upgrade."""
        return self.ask(features, query=query).answer()

    # The client.

    def sends(self, data: bytes, kind: Kind = Kind.BINARY, **frame: Any) -> Talk:
        """Add a frame of the client; `frame` are further fields of it."""
        return self._add(Frame(self._now, Party.CLIENT, kind, data, **frame))

    def header(self, rate: int = 16_000) -> Talk:
        """Add the header of the client's audio."""
        return self.sends(build_header(PcmFormat(rate)))

    def audio(self, milliseconds: int = 100, *, loud: bool = True, rate: int = 16_000) -> Talk:
        """Add audio in one message: a tone, or digital silence."""
        size = PcmFormat(rate).ms_to_bytes(milliseconds)
        return self.sends((TONE if loud else bytes(4)) * (size // 4))

    # The server.

    def replies(self, data: bytes | str, kind: Kind | None = None, **frame: Any) -> Talk:
        """Add a frame of the server, text if `data` is; `frame` are further fields of it."""
        found = Kind.TEXT if isinstance(data, str) else Kind.BINARY
        raw = data.encode() if isinstance(data, str) else data
        return self._add(Frame(self._now, Party.SERVER, kind or found, raw, **frame))

    def result(self, kind: str, identity: object, recognition: object, translation: object, **members: object) -> Talk:
        """Add a result; `members` are further ones, or others in their place."""
        said = {"type": kind, "id": identity, "recognition": recognition, "translation": translation}
        return self.replies(json.dumps({**said, **members}))

    def partial(
        self, identity: object = "0.1", recognition: object = "hel", translation: object = "ci", **more: object
    ) -> Talk:
        """Add a partial."""
        return self.result("partial", identity, recognition, translation, **more)

    def final(
        self, identity: object = "0", recognition: object = "hello", translation: object = "ciao", **more: object
    ) -> Talk:
        """Add a final."""
        return self.result("final", identity, recognition, translation, **more)

    def voice(self, pcm: bytes = TONE * 100, rate: int = 16_000) -> Talk:
        """Add a voice: a WAV file in one frame."""
        return self.replies(build_file(PcmFormat(rate), pcm))

    # Either, and the observer.

    def client_closes(self, code: int = 1000, reason: str = "", deliberate: str | None = None) -> Talk:
        """Add a close frame of the client."""
        return self._add(CloseFrame(self._now, Party.CLIENT, code, reason, deliberate))

    def server_closes(self, code: int = 1000, reason: str = "") -> Talk:
        """Add a close frame of the server."""
        return self._add(CloseFrame(self._now, Party.SERVER, code, reason))

    def ended(self, by: Party = Party.SERVER, how: Ending = Ending.EOF, detail: str = "") -> Talk:
        """Add the end of the connection."""
        return self._add(Ended(self._now, by, how, detail))

    def expired(self, what: str, budget: float = 2.0) -> Talk:
        """Add a wait in vain."""
        return self._add(Expired(self._now, what, budget))

    def barrier(self, what: str = "the final of a canary utterance") -> Talk:
        """Add a barrier."""
        return self._add(Barrier(self._now, what))

    def wait(self, seconds: float) -> Talk:
        """Let time pass."""
        self._waited += seconds
        return self

    @property
    def _now(self) -> float:
        return round(10.0 + 0.1 * len(self.entries) + self._waited, 3)

    def _add(self, entry: Entry) -> Talk:
        self.entries.append(entry)
        return self


@pytest.fixture
def talk() -> Talk:
    """A new builder, of a connection seen by its client."""
    return Talk()


@pytest.fixture
def new_talk() -> Callable[..., Talk]:
    """What makes builders, where a test needs several or another vantage."""
    return Talk


# A server in memory.

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class HttpServer:
    """Answers HTTP requests with these statuses in turn, the last one for ever; a 101 opens a WebSocket.

    What was asked is in `requests`. `body` is that of every other response.
    """

    def __init__(self, *statuses: int, body: bytes = b"no") -> None:
        self.statuses = list(statuses)
        self.body = body
        self.requests: list[HttpRequest] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        request = await self._request(reader)
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 101:
            end = ServerEnd(8192)
            response = end.accept(request)
            writer.write(end.accepted(replace(response, headers=(*response.headers, ("X-RequestId", GUID)))))
            await self.converse(end, reader, writer)
        else:
            head = f"HTTP/1.1 {status} Whatever\r\nX-RequestId: {GUID}\r\nContent-Length: {len(self.body)}\r\n\r\n"
            writer.write(head.encode() + self.body)
            await reader.read()

    async def converse(self, end: ServerEnd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold the conversation behind a 101: listen, and answer a close."""
        while data := await reader.read(1 << 16):
            end.receive(data, 0.0)
            out, eof = end.take()
            writer.write(out)
            if eof:
                return

    @staticmethod
    async def _request(reader: asyncio.StreamReader) -> HttpRequest:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        method, target, _ = first.split(" ")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line))
        length = next((int(value) for name, value in headers if name == "Content-Length"), 0)
        return HttpRequest(method, target, headers, await reader.readexactly(length))


async def _refuse() -> Streams:
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def target_of() -> Callable[..., Target]:
    """What makes targets: a handler of connections in memory (none: nobody listens), and fields of the target."""

    def make(handler: Handler | None = None, **fields: Any) -> Target:
        connect = _refuse if handler is None else MemoryListener(handler).connect
        return target_at(connect, **{"target": "it", **fields})

    return make


@pytest.fixture
def http_server() -> type[HttpServer]:
    """What makes servers for `target_of`."""
    return HttpServer
