"""One connection and the pipelines of its session, which begin and end as the session says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

import schemas
from conformance.peers import virtual
from protocol.audio import PcmFormat
from protocol.events import Audio, AudioEnded, AudioStarted, Blame, Commit, Drained, Fault, FromPipeline, Phrase, Task
from protocol.languages import PUBLISHED
from protocol.riff import parse_file
from protocol.websocket import ClientEnd, Event, ServerEnd
from protocol.wire import Close, Fragment, HttpRequest, Inbound, Kind, Message, PeerClosed, Tick
from reference_server.connection import Connection
from reference_server.engines.base import EngineFailure, EngineSession, Job, Text, Utterance
from reference_server.engines.scripted import ScriptedEngine
from reference_server.journal import Journal
from reference_server.opening import Opening, Output
from reference_server.policy import Limits
from reference_server.tap import Tap

SHAPE = PcmFormat(16_000)
PAIR = parse_file((schemas.corpus_dir() / "pair.wav").read_bytes())[1]
SPEECH = PAIR + bytes(40_000)
START = AudioStarted(SHAPE, Task("en-US", (), growth_ms=None))
FLOODED, FAILED = Close(1007, "a flood"), Close(1011, "a defect")


class Puppet:
    """A session that does what the client's texts say, and tells the client what the pipeline finds."""

    def __init__(self, now: float) -> None:
        self.open = True
        self.next_deadline: float | None = now + 1e9
        self.found: list[FromPipeline] = []

    def receive(self, event: Inbound) -> Sequence[Output]:
        if isinstance(event, PeerClosed):
            self.open, self.next_deadline = False, None
            return [AudioEnded(flush=False)]
        assert isinstance(event, Fragment)
        if event.kind is Kind.BINARY:
            return [Audio(event.data)]
        orders: dict[str, list[Output]] = {
            "start": [START],
            "end": [AudioEnded(flush=True)],
            "drop": [AudioEnded(flush=False)],
            "commit": [Commit("now")],
        }
        return orders[event.data.decode()]

    def result(self, event: FromPipeline) -> Sequence[Output]:
        self.found.append(event)
        if isinstance(event, Phrase):
            return [Message.text(event.recognition)]
        return [Message.text("drained")] if isinstance(event, Drained) else []

    def shutdown(self, time: float) -> Sequence[Output]:
        return [Close(1001, "")]


class Slow(ScriptedEngine):
    """An engine whose phrases and closes take their time, and whose sessions are counted."""

    def __init__(self, phrase_s: float = 0.0, close_s: float = 0.0) -> None:
        super().__init__()
        self.phrase_s, self.close_s = phrase_s, close_s
        self.opened = self.closed = 0

    def open(self, job: Job) -> EngineSession:  # type: ignore[override]
        self.opened += 1
        return _SlowSession(self)


class _SlowSession:
    def __init__(self, engine: Slow) -> None:
        self.engine = engine
        self.number = engine.opened

    def retarget(self, targets: tuple[str, ...]) -> None:
        raise NotImplementedError

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        raise NotImplementedError

    async def phrase(self, utterance: Utterance) -> Text:
        await asyncio.sleep(self.engine.phrase_s)
        return Text(f"turn {self.number}, utterance {utterance.index}", ())

    async def speak(self, text: str, voice: object) -> bytes:
        raise NotImplementedError

    async def close(self) -> None:
        await asyncio.sleep(self.engine.close_s)
        self.engine.closed += 1


class Overloaded(ScriptedEngine):
    """An engine that has no time for anybody."""

    def open(self, job: Job) -> EngineSession:  # type: ignore[override]
        raise EngineFailure(1011, "busy", Blame.OVERLOAD)


class Client:
    """A client in memory, and what it got."""

    def __init__(self, end: ClientEnd, streams: virtual.Streams, session: Puppet) -> None:
        self.end, self.session = end, session
        self.reader, self.writer = streams
        self.events: list[Event] = []

    def send(self, *texts: str | bytes) -> None:
        for text in texts:
            self.end.send(Message.text(text) if isinstance(text, str) else Message.binary(text))
        self.writer.write(self.end.take()[0])

    async def listen(self) -> None:
        while data := await self.reader.read(1 << 16):
            self.events += self.end.receive(data, 0.0)

    @property
    def texts(self) -> list[str]:
        return [event.data.decode() for event in self.events if isinstance(event, Fragment)]

    @property
    def closes(self) -> list[int]:
        return [event.code for event in self.events if isinstance(event, PeerClosed)]


def play(
    scene: Callable[[Client], Awaitable[None]],
    engine: ScriptedEngine | None = None,
    limits: Limits | None = None,
    session: type[Puppet] = Puppet,
) -> tuple[Client, dict[str, object]]:
    """Run a scene in virtual time; return the client and the record of its session."""

    async def whole() -> tuple[Client, dict[str, object]]:
        puppet = session(0.0)
        server, client = ServerEnd(8192), ClientEnd("localhost", 80, secure=False, target="/")
        client.handshake(server.accepted(server.accept(client.request(()))))
        client.take()
        ours, theirs = virtual.pipe()
        opening = Opening(lambda _: puppet, FLOODED, FAILED)  # type: ignore[arg-type, return-value]
        record = Journal(1, 10).open("puppet", HttpRequest("GET", "/", ()), "id", 0.0)
        connection = Connection(server, theirs, opening, engine or Slow(), limits or Limits(), Tap(), record)
        running = asyncio.ensure_future(connection.run(b""))
        one = Client(client, ours, puppet)
        listening = asyncio.ensure_future(one.listen())
        await scene(one)
        ours[1].close()
        await running
        theirs[1].close()
        await listening
        return one, record.document()

    return virtual.run(whole())


class Late(Puppet):
    """A session with a deadline that has long passed when the loop comes to it; any text takes it away."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.ticks: list[float] = []

    def receive(self, event: Inbound) -> Sequence[Output]:
        if isinstance(event, Tick):
            self.ticks.append(event.time)
            self.next_deadline = None
            return []
        if isinstance(event, Fragment):
            self.next_deadline = event.time - 1 if event.data == b"set" else None
            return []
        return super().receive(event)


class TestADeadlineThatIsMissed:
    def test_comes_only_behind_what_came_in_time(self) -> None:
        async def scene(client: Client) -> None:
            client.send("set")
            await asyncio.sleep(0.04)
            client.send("take away")
            await asyncio.sleep(1)

        client, _ = play(scene, session=Late)
        assert isinstance(client.session, Late)
        assert client.session.ticks == []

    def test_comes_all_the_same_where_nothing_did(self) -> None:
        async def scene(client: Client) -> None:
            client.send("set")
            await asyncio.sleep(1)

        client, _ = play(scene, session=Late)
        assert isinstance(client.session, Late)
        assert client.session.ticks == pytest.approx([0.05])


class TestTurns:
    def test_each_has_a_pipeline_of_its_own(self) -> None:
        async def scene(client: Client) -> None:
            for _ in range(3):
                client.send("start", SPEECH, "end")
                await asyncio.sleep(1)

        engine = Slow()
        client, document = play(scene, engine)
        assert client.texts == [
            text
            for turn in (1, 2, 3)
            for text in (f"turn {turn}, utterance {2 * turn - 2}", f"turn {turn}, utterance {2 * turn - 1}", "drained")
        ]
        assert (engine.opened, engine.closed) == (3, 3)
        received = document["received"]
        assert isinstance(received, dict)
        assert (received["turns"], received["audio_seconds"]) == (3, round(3 * len(SPEECH) / 32_000, 3))

    def test_a_new_one_silences_the_one_before(self) -> None:
        async def scene(client: Client) -> None:
            client.send("start", SPEECH)
            await asyncio.sleep(0.5)
            client.send("start", SPEECH, "end")
            await asyncio.sleep(10)

        engine = Slow(phrase_s=1)
        client, _ = play(scene, engine)
        assert client.texts == ["turn 2, utterance 0", "turn 2, utterance 1", "drained"]
        assert engine.closed == 2

    def test_orders_between_them_have_nobody_to_go_to(self) -> None:
        async def scene(client: Client) -> None:
            client.send("commit", SPEECH, "end", "drop")
            await asyncio.sleep(1)
            client.send("start", "end")
            await asyncio.sleep(1)
            client.send("commit", SPEECH, "end")
            await asyncio.sleep(1)

        client, _ = play(scene)
        assert client.texts == ["drained"]

    def test_one_that_fails_leaves_the_next_alone(self) -> None:
        async def scene(client: Client) -> None:
            for _ in range(2):
                client.send("start", SPEECH)
                await asyncio.sleep(1)

        client, _ = play(scene, Overloaded())
        assert client.session.found == [Fault(at, 1011, "busy", Blame.OVERLOAD) for at in (0.0, 1.0)]

    def test_all_of_them_are_waited_for_at_the_end(self) -> None:
        async def scene(client: Client) -> None:
            client.send("start", "start", "start")
            await asyncio.sleep(1)

        engine = Slow(close_s=20)
        play(scene, engine)
        assert engine.closed == engine.opened > 0

    def test_a_client_that_opens_many_has_to_wait(self) -> None:
        async def scene(client: Client) -> None:
            for _ in range(30):
                client.send("start")
                await asyncio.sleep(0.01)
            assert engine.opened <= 7
            client.send("end")
            await asyncio.sleep(19)
            assert client.texts == []
            await asyncio.sleep(2)
            assert client.texts == ["drained"]

        engine = Slow(close_s=20)
        play(scene, engine)

    def test_those_that_are_over_keep_nobody(self) -> None:
        async def scene(client: Client) -> None:
            for _ in range(30):
                client.send("start", "end")
                await asyncio.sleep(0.01)
            assert client.texts == ["drained"] * 30

        play(scene)


class TestCloses:
    def test_a_flood_gets_that_of_the_dialect(self) -> None:
        async def scene(client: Client) -> None:
            for _ in range(50):
                client.end.ping(b"x" * 100)
            client.send()
            await asyncio.sleep(1)

        client, document = play(scene, limits=Limits(overhead_bytes=1000, overhead_bytes_per_s=1))
        assert client.closes == [1007]
        assert document["close"] == {"by": "server", "code": 1007, "reason": "a flood"}

    def test_a_defect_gets_that_of_the_dialect(self, caplog: pytest.LogCaptureFixture) -> None:
        async def scene(client: Client) -> None:
            client.send("no such order")
            await asyncio.sleep(1)

        client, document = play(scene)
        assert client.closes == [1011]
        assert document["close"] == {"by": "server", "code": 1011, "reason": "a defect"}
        assert "a session failed" in caplog.text


def test_the_scripted_engine_serves_a_turn() -> None:
    async def scene(client: Client) -> None:
        client.send("start", SPEECH)
        await asyncio.sleep(1)
        client.send("commit")
        await asyncio.sleep(1)

    client, _ = play(scene, ScriptedEngine(catalogue=PUBLISHED))
    assert client.texts == ["I would like a cup of coffee.", "Can you tell me where the station is?", ""]
