"""Whole conversations in the speech dialects with the reference server, over pipes in memory and in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

import schemas
from conformance.peers import virtual
from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.transcript import Recorder, Vantage
from protocol.audio import Codec, PcmFormat
from protocol.languages import PUBLISHED
from protocol.riff import build_header, parse_file
from protocol.speech import framing
from protocol.speech.handshake import PATHS
from protocol.speech.messages import (
    V1,
    V2,
    Final,
    Interim,
    ServerMessage,
    SynthesisChunk,
    SynthesisEnd,
    TurnEnd,
    TurnStart,
)
from protocol.speech.parsing import parse
from protocol.websocket import Unreadable
from protocol.wire import HttpResponse, PeerClosed, header
from reference_server.app import Server
from reference_server.engines.script import parse as parse_script
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Limits, Settings

LONG = 10_000.0
SHAPE = PcmFormat(16_000)
SAMPLES = parse_file((schemas.corpus_dir() / "pair.wav").read_bytes())[1] + bytes(40_000)
SENTENCES = ["I would like a cup of coffee.", "Can you tell me where the station is?"]
CLIENT = "c" * 32
STAMPED = (("X-Timestamp", "2026-01-01T00:00:00.000Z"),)
BOTH = pytest.mark.parametrize("dialect", [V1, V2])


class Client:
    """A client of one connection that sends what it is told."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def text(self, path: str, request_id: str, body: dict[str, Any]) -> None:
        await self.link.text(framing.write(framing.text(path, request_id, body, STAMPED)).data.decode())

    async def audio(self, request_id: str, data: bytes) -> None:
        await self.link.binary(framing.write(framing.binary("audio", request_id, data, STAMPED)).data)

    async def turn(self, request_id: str, data: bytes, *, end: bool = True, **context: Any) -> None:
        """Open a turn in conversation mode from en-US to pt, and send its audio, a header included, and its end."""
        detection = {"mode": "Conversation", "language": "en-US"}
        body = {"phraseDetection": detection, "translation": {"targetLanguages": ["pt"]}, **context}
        await self.text("speech.context", request_id, body)
        await self.audio(request_id, data)
        if end:
            await self.audio(request_id, b"")

    async def next(self) -> tuple[str, ServerMessage] | None:
        """The next message with its request id, or None at the end of the connection."""
        answer = await self.link.answer("a message", LONG)
        if not isinstance(answer, Received):
            return None
        message = framing.read(answer.kind, answer.data)
        return message.request_id, parse(message)

    async def until_end(self, request_id: str) -> list[ServerMessage]:
        """What comes of a turn, up to its turn.end; nothing may come of another one."""
        said: list[ServerMessage] = []
        while not said or not isinstance(said[-1], TurnEnd):
            came = await self.next()
            assert came is not None
            assert came[0] == request_id
            said.append(came[1])
        return said

    async def closed(self) -> tuple[int, str]:
        """How the connection ends; what comes before it is passed over."""
        while True:
            answer = await self.link.answer("a close", LONG)
            if isinstance(answer, PeerClosed | Unreadable):
                return answer.code, answer.reason


class Stage:
    """A server in memory, and links to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listener = virtual.MemoryListener(server.handle)
        self.links: list[Link] = []

    async def ask(self, target: str, *headers: tuple[str, str]) -> Link | HttpResponse:
        """Make the opening handshake."""
        address = Address("localhost", 80, False, self.listener.connect)
        recorder = Recorder("speech-v2", Vantage.CLIENT, "test", len(self.links))
        own = (("Ocp-Apim-Subscription-Key", "test-key"), ("X-ConnectionId", CLIENT))
        answer = await dial(address, target, (*own, *headers), recorder, Budget())
        if isinstance(answer, Link):
            self.links.append(answer)
        return answer

    async def client(self, dialect: str) -> Client:
        """Open a connection, and send speech.config."""
        link = await self.ask(PATHS[dialect][0], ("Sec-WebSocket-Protocol", "USP"))
        assert isinstance(link, Link)
        assert header(link.response.headers, "Sec-WebSocket-Protocol") == "USP"
        client = Client(link)
        await client.text("speech.config", "0" * 32, {"context": {"system": {"version": "1"}}})
        return client


@asynccontextmanager
async def staged(script: dict[str, Any] | None, settings: Settings) -> AsyncIterator[Stage]:
    engine = ScriptedEngine(parse_script(script, PUBLISHED) if script is not None else None)
    server = Server(settings, engine)
    await server.start()
    stage = Stage(server)
    try:
        yield stage
    finally:
        for link in stage.links:
            await link.finish()
        await stage.listener.close()


def play(
    scene: Callable[[Stage], Awaitable[None]], script: dict[str, Any] | None = None, settings: Settings | None = None
) -> None:
    """Run a scene in virtual time."""

    async def whole() -> None:
        async with staged(script, settings or Settings()) as stage:
            await scene(stage)

    virtual.run(whole())


def stream(samples: bytes = SAMPLES) -> bytes:
    return build_header(SHAPE) + samples


def finals(said: list[ServerMessage]) -> list[Final]:
    return [one for one in said if isinstance(one, Final)]


def texts(said: list[ServerMessage]) -> list[str]:
    return [final.text for final in finals(said) if final.text]


class TestTurns:
    @BOTH
    def test_several_follow_each_other_on_one_connection(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            for request_id in ("1" * 32, "2" * 32, "3" * 32):
                await client.turn(request_id, stream())
                said = await client.until_end(request_id)
                assert isinstance(said[0], TurnStart)
                assert texts(said) == SENTENCES
                assert [len(final.translations) for final in finals(said) if final.text] == [1, 1]
                assert any(isinstance(one, Interim) for one in said)

        play(scene)

    @BOTH
    def test_a_new_one_silences_an_open_one(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            await client.turn("1" * 32, stream(), end=False)
            await asyncio.sleep(1)
            await client.turn("2" * 32, stream(SAMPLES[:60_000]))
            ids = []
            while (came := await client.next()) is not None:
                ids.append(came[0])
                if isinstance(came[1], TurnEnd) and came[0] == "2" * 32:
                    break
                assert not isinstance(came[1], Final) or came[0] == "2" * 32
            assert sorted(ids) == ids

        play(scene, {"defaults": [{"recognition": "Hi.", "delay_ms": {"final": 5000, "partial": 5000}}]})

    def test_speech_opens_one_by_itself_in_v1(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.ask(f"{PATHS[V1][0]}?from=en-US&to=de,fr&scenario=conversation")
            assert isinstance(link, Link)
            client = Client(link)
            await client.text("speech.config", "0" * 32, {"context": {}})
            for data in (stream(), b""):
                await client.audio("1" * 32, data)
            said = await client.until_end("1" * 32)
            assert texts(said) == SENTENCES
            assert [one.language for one in finals(said)[0].translations] == ["de", "fr"]

        play(scene)

    @BOTH
    def test_the_engine_gives_up_one_and_serves_the_next(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            statuses = []
            for request_id, samples in (("1" * 32, SAMPLES), ("2" * 32, SAMPLES[90_000:])):
                await client.turn(request_id, stream(samples))
                statuses.append([final.status for final in finals(await client.until_end(request_id))])
            assert statuses[0] == ["TooManyRequests"]
            assert statuses[1][0] == "Success"

        broken = {"when": {"recording": "pair", "part": 0}, "fail": {"before": "final", "as": "overload"}}
        play(scene, {"utterances": [broken], "defaults": [{"recognition": "Hello."}]})

    @BOTH
    def test_the_script_can_end_the_connection(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            await client.turn("1" * 32, stream())
            assert await client.closed() == (1012, "scripted")

        play(scene, {"defaults": [{"end": {"before": "final", "code": 1012, "reason": "scripted"}}]})


class TestAudio:
    @pytest.mark.parametrize(
        ("shape", "codec", "written"),
        [
            (PcmFormat(16_000, 2), Codec.PCM, lambda samples: np.repeat(samples, 2).astype("<i2").tobytes()),
            (PcmFormat(16_000, 1, 8), Codec.PCM, lambda samples: ((samples >> 8) + 128).astype(np.uint8).tobytes()),
        ],
        ids=["stereo", "8 bits"],
    )
    def test_of_another_format_is_heard(
        self, shape: PcmFormat, codec: Codec, written: Callable[[np.ndarray[Any, Any]], bytes]
    ) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(V2)
            samples = np.frombuffer(SAMPLES, dtype="<i2").astype(np.int32)
            await client.turn("1" * 32, build_header(shape, codec=codec) + written(samples))
            assert texts(await client.until_end("1" * 32)) == SENTENCES

        play(scene)

    def test_the_language_that_is_spoken_is_found_out(self) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(V2)
            candidates = {"languages": ["de-DE", "en-US"], "mode": "DetectContinuous"}
            await client.turn("1" * 32, stream(), languageId=candidates)
            said = finals(await client.until_end("1" * 32))
            assert [final.language for final in said if final.text] == ["en-US", "en-US"]

        play(scene)


class TestVoice:
    @BOTH
    def test_comes_behind_its_phrase(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            await client.turn("1" * 32, stream(), synthesis={"defaultVoices": {"pt": "pt-BR-FranciscaNeural"}})
            said = await client.until_end("1" * 32)
            kinds = [type(one) for one in said if isinstance(one, Final | SynthesisEnd)]
            assert kinds[:4] == [Final, SynthesisEnd] * 2
            chunks = [one.data for one in said if isinstance(one, SynthesisChunk)]
            assert chunks[0].startswith(b"RIFF")

        play(scene)

    @BOTH
    def test_that_fails_leaves_the_phrase(self, dialect: str) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(dialect)
            await client.turn("1" * 32, stream(), synthesis={"defaultVoices": {"pt": "pt-BR-FranciscaNeural"}})
            said = await client.until_end("1" * 32)
            assert texts(said) == ["Hi.", "Hi."]
            ends = [(one.status, one.reason) for one in said if isinstance(one, SynthesisEnd)]
            assert ends == [("Error", "the engine failed")] * 2

        play(scene, {"defaults": [{"recognition": "Hi.", "fail": {"before": "voice"}}]})


class TestBounds:
    def test_a_flood_is_closed_with_1007(self) -> None:
        async def scene(stage: Stage) -> None:
            client = await stage.client(V2)
            for _ in range(400):
                await client.link.ping(b"x" * 125)
            assert await client.closed() == (1007, "too much traffic that carries no message")

        play(scene, settings=Settings(limits=Limits(overhead_bytes=20_000, overhead_bytes_per_s=1)))

    def test_a_client_in_haste_is_told_to_wait(self) -> None:
        async def scene(stage: Stage) -> None:
            answers = [await stage.ask(PATHS[V2][0]) for _ in range(3)]
            assert [isinstance(answer, Link) for answer in answers] == [True, True, False]
            assert isinstance(answers[2], HttpResponse)
            assert answers[2].status == 429
            assert header(answers[2].headers, "Retry-After") == "10"

        play(scene, settings=Settings(limits=Limits(reconnects=2)))
