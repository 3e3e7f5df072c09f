"""The reference server over real loopback sockets: TCP and TLS, HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

import schemas
from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial, fetch
from conformance.transcript import Recorder, Vantage
from protocol.riff import parse_file
from protocol.translator.handshake import build_target
from protocol.wire import Headers, HttpRequest, HttpResponse, Kind, PeerClosed, header
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tls import Throwaway, throwaway

KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)
GOOD = build_target(source="en-US", target="pt")
SPEECH = (schemas.corpus_dir() / "clear-1.wav").read_bytes()
SILENCE = bytes(80_000)
GUID = 36


class Stage:
    """A listening server, and what is asked of it."""

    def __init__(self, server: Server, address: Address) -> None:
        self.server = server
        self.address = address
        self.recorder = Recorder("translator", Vantage.CLIENT, "test", 1)
        self.budget = Budget()

    async def link(self, target: str = GOOD, headers: Headers = KEY) -> Link:
        answer = await dial(self.address, target, headers, self.recorder, self.budget)
        assert isinstance(answer, Link), answer
        return answer

    async def refusal(self, target: str = GOOD, headers: Headers = KEY) -> HttpResponse:
        answer = await dial(self.address, target, headers, self.recorder, self.budget)
        assert isinstance(answer, HttpResponse), answer
        return answer

    async def ask(self, method: str, target: str, headers: Headers = (), body: bytes = b"") -> HttpResponse:
        request = HttpRequest(method, target, headers, body)
        return await fetch(self.address, request, self.recorder, self.budget)

    async def token(self) -> str:
        response = await self.ask("POST", "/sts/v1.0/issueToken", KEY)
        assert response.status == 200
        return response.body.decode()


@asynccontextmanager
async def staged(settings: Settings | None = None, tls: Throwaway | None = None) -> AsyncIterator[Stage]:
    server = Server(settings or Settings(), ScriptedEngine())
    await server.start()
    listener = await server.listen("127.0.0.1", 0, tls.context if tls else None)
    trusted = ssl.create_default_context(cafile=str(tls.ca)) if tls else None
    try:
        yield Stage(server, Address.tcp("127.0.0.1", listener.port, trusted))
    finally:
        await server.shutdown()


def play(
    scene: Callable[[Stage], Awaitable[None]], settings: Settings | None = None, tls: Throwaway | None = None
) -> None:
    """Run a scene in real time."""

    async def whole() -> None:
        async with staged(settings, tls) as stage:
            await scene(stage)

    asyncio.run(whole())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    return throwaway(tmp_path_factory.mktemp("tls"))


async def spoken(link: Link) -> tuple[str, bytes]:
    """The next final's translation, and its voice."""
    text = ""
    while True:
        answer = await link.answer("a voice")
        assert isinstance(answer, Received), answer
        if answer.kind is Kind.BINARY:
            return text, answer.data
        text = json.loads(answer.data)["translation"]


def error(response: HttpResponse) -> dict[str, str]:
    found: dict[str, str] = json.loads(response.body)["error"]
    return found


class TestConversation:
    def scene_of_a_voice(self) -> Callable[[Stage], Awaitable[None]]:
        async def scene(stage: Stage) -> None:
            link = await stage.link(build_target(source="en-US", target="pt", features="Partial,TextToSpeech"))
            for at in range(0, len(SPEECH), 3200):
                await link.binary(SPEECH[at : at + 3200])
            await link.binary(SILENCE)
            text, file = await spoken(link)
            assert text == "O trem para o aeroporto sai às nove e meia."
            assert len(parse_file(file)[1]) == len(text) * 1920
            answer = await link.close()
            assert isinstance(answer, PeerClosed)
            assert answer.code == 1000

        return scene

    def test_over_tcp(self) -> None:
        play(self.scene_of_a_voice())

    def test_over_tls(self, certificate: Throwaway) -> None:
        play(self.scene_of_a_voice(), tls=certificate)

    def test_a_hundred_sessions_of_five_seconds_in_one_burst(self) -> None:
        async def one(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(SPEECH + SILENCE[: 160_000 - len(SPEECH)])
            answer = await link.answer("a final")
            assert isinstance(answer, Received)
            assert "trem" in answer.data.decode()
            await link.finish()

        async def scene(stage: Stage) -> None:
            begun = time.perf_counter()
            await asyncio.gather(*(one(stage) for _ in range(100)))
            assert time.perf_counter() - begun < 10

        play(scene)

    def test_shutdown_closes_with_1001(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(SPEECH[:60_000])
            await asyncio.sleep(0.05)
            leaving = asyncio.ensure_future(stage.server.shutdown())
            answer = await link.answer("a final")
            assert isinstance(answer, Received)
            answer = await link.answer("a close")
            assert isinstance(answer, PeerClosed)
            assert answer.code == 1001
            await link.finish()
            await asyncio.wait_for(leaving, 2)

        play(scene)


class TestCredentials:
    def test_a_key_in_every_place(self) -> None:
        async def scene(stage: Stage) -> None:
            for target, headers in (
                (GOOD, KEY),
                (GOOD, (("ocp-apim-subscription-key", "test-key"),)),
                (f"{GOOD}&subscription-key=test-key", ()),
                (f"{GOOD}&Subscription-Key=test-key", ()),
            ):
                await (await stage.link(target, headers)).finish()

        play(scene)

    def test_a_token_in_every_place(self) -> None:
        async def scene(stage: Stage) -> None:
            token = await stage.token()
            assert token.count(".") == 2
            for target, headers in (
                (GOOD, (("Authorization", f"Bearer {token}"),)),
                (GOOD, (("Authorization", f"bearer {token}"), ("Ocp-Apim-Subscription-Key", "wrong"))),
                (f"{GOOD}&access_token={quote(token)}", ()),
            ):
                await (await stage.link(target, headers)).finish()

        play(scene)

    def test_wrong_ones_in_every_place(self) -> None:
        async def scene(stage: Stage) -> None:
            for target, headers in (
                (GOOD, ()),
                (GOOD, (("Ocp-Apim-Subscription-Key", ""),)),
                (GOOD, (("Ocp-Apim-Subscription-Key", "wrong"),)),
                (f"{GOOD}&subscription-key=test-key", (("Ocp-Apim-Subscription-Key", "wrong"),)),
                (GOOD, (("Authorization", "Bearer wrong"), *KEY)),
                (GOOD, (("Authorization", "Basic dGVzdA=="), *KEY)),
                (f"{GOOD}&access_token=wrong", ()),
            ):
                response = await stage.refusal(target, headers)
                assert response.status == 401
                assert "wrong" not in response.body.decode()

        play(scene)

    def test_a_token_runs_out(self) -> None:
        async def scene(stage: Stage) -> None:
            headers = (("Authorization", f"Bearer {await stage.token()}"),)
            await (await stage.link(GOOD, headers)).finish()
            await asyncio.sleep(0.3)
            assert (await stage.refusal(GOOD, headers)).status == 401

        play(scene, Settings(token_lifetime_s=0.25))


class TestOrderOfChecks:
    def test_path_then_method_then_upgrade_then_credentials_then_parameters(self) -> None:
        async def scene(stage: Stage) -> None:
            bad = build_target(source="xx", target="pt")
            upgrade = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
            assert (await stage.ask("POST", "/speech/elsewhere?from=xx")).status == 404
            response = await stage.ask("POST", bad)
            assert response.status == 405
            assert header(response.headers, "Allow") == "GET, HEAD, OPTIONS"
            response = await stage.ask("GET", bad)
            assert response.status == 426
            assert header(response.headers, "Upgrade") == "websocket"
            assert (await stage.ask("GET", bad, upgrade)).status == 426
            assert (await stage.refusal(bad, ())).status == 401
            response = await stage.refusal(bad)
            assert response.status == 400
            assert error(response)["parameter"] == "from"

        play(scene)

    @pytest.mark.parametrize(
        ("extra", "status"),
        [
            ((("Sec-WebSocket-Version", "8"),), 426),
            ((("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "short")), 400),
            ((("Sec-WebSocket-Version", "13"),), 400),
        ],
    )
    def test_a_broken_handshake(self, extra: Headers, status: int) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await stage.address.connect()
            lines = [f"GET {GOOD} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade"]
            lines += [f"{name}: {value}" for name, value in (*KEY, *extra)]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            assert int((await reader.readline()).split()[1]) == status
            writer.close()

        play(scene)


class TestHttp:
    def test_every_response_has_a_request_id_of_its_own(self) -> None:
        async def scene(stage: Stage) -> None:
            seen = set()
            for method, target in (
                ("GET", "/"),
                ("GET", "/languages"),
                ("POST", "/sts/v1.0/issueToken"),
                ("GET", GOOD),
            ):
                identity = header((await stage.ask(method, target)).headers, "X-RequestId") or ""
                assert len(identity) == GUID
                seen.add(identity)
            assert len(seen) == 4

        play(scene)

    def test_languages(self) -> None:
        async def scene(stage: Stage) -> None:
            response = await stage.ask("GET", "/Languages?api-version=1.0&scope=speech", (("Accept-Language", "fr"),))
            assert json.loads(response.body)["speech"]["de-DE"]["name"] == "allemand"

        play(scene)

    def test_head_has_the_headers_and_no_body(self) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await stage.address.connect()
            writer.write(b"HEAD /languages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) > 1000
            assert body == b""
            writer.close()

        play(scene)

    def test_options_is_answered_everywhere(self) -> None:
        async def scene(stage: Stage) -> None:
            for target in (GOOD, "/languages", "/sts/v1.0/issueToken", "/speechwire/health"):
                response = await stage.ask("OPTIONS", target, (("Access-Control-Request-Headers", "authorization"),))
                assert response.status == 200
                assert header(response.headers, "Access-Control-Allow-Headers") == "authorization"

        play(scene)

    def test_health(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            response = await stage.ask("GET", "/speechwire/health")
            assert json.loads(response.body) == {"status": "ok", "engine": "scripted", "sessions": 1}
            assert (await stage.ask("PUT", "/speechwire/health")).status == 405
            await link.finish()

        play(scene)

    @pytest.mark.parametrize(("size", "status"), [(0, 200), (4096, 200), (4097, 413), (1 << 22, 413)])
    def test_the_token_service_takes_a_small_body(self, size: int, status: int) -> None:
        async def scene(stage: Stage) -> None:
            response = await stage.ask("POST", "/sts/v1.0/issueToken", KEY, b"x" * size)
            assert response.status == status

        play(scene)

    def test_a_client_that_asks_whether_to_go_on_is_told(self) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await stage.address.connect()
            writer.write(
                b"POST /sts/v1.0/issueToken HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: test-key\r\n"
                b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"
            )
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"body")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()

        play(scene)

    def test_a_connection_carries_many_requests_and_then_a_session(self) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await stage.address.connect()
            for _ in range(3):
                writer.write(b"GET /speechwire/health HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            for _ in range(6):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                assert json.loads(await reader.readexactly(length))["status"] == "ok"
            lines = (
                f"GET {GOOD} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Ocp-Apim-Subscription-Key: test-key\r\n\r\n"
            )
            # The close frame comes in one piece with the request.
            writer.write(lines.encode() + b"\x88\x82\0\0\0\0\x03\xe8")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
            assert await reader.read() == b"\x88\x02\x03\xe8"
            writer.close()

        play(scene)

    def test_an_absolute_target_is_taken(self) -> None:
        async def scene(stage: Stage) -> None:
            response = await stage.ask("GET", "http://localhost:1/languages?scope=speech")
            assert response.status == 200

        play(scene)


class TestControl:
    SETTINGS = Settings(control=True)
    JSON: Headers = (("Content-Type", "application/json"),)

    def test_is_not_there_unless_asked_for(self) -> None:
        async def scene(stage: Stage) -> None:
            assert (await stage.ask("GET", "/speechwire/script")).status == 404
            assert (await stage.ask("GET", "/speechwire/received")).status == 404

        play(scene)

    def test_a_new_script_is_said(self) -> None:
        async def scene(stage: Stage) -> None:
            script = json.dumps({"defaults": [{"recognition": "Ahoy.", "translations": {"pt": "Olá."}}] * 500})
            response = await stage.ask("PUT", "/speechwire/script", self.JSON, script.encode())
            assert response.status == 204
            link = await stage.link()
            await link.binary(SPEECH + SILENCE)
            answer = await link.answer("a final")
            assert isinstance(answer, Received)
            assert json.loads(answer.data)["translation"] == "Olá."
            await link.finish()

        play(scene, self.SETTINGS)

    def test_a_body_above_the_limit_is_refused(self) -> None:
        async def scene(stage: Stage) -> None:
            response = await stage.ask("PUT", "/speechwire/script", self.JSON, bytes((1 << 20) + 1))
            assert response.status == 413

        play(scene, self.SETTINGS)

    def test_what_was_received_can_be_read(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link(f"{GOOD}&subscription-key=test-key", (("X-ClientTraceId", "abc"), *KEY))
            await link.binary(SPEECH + SILENCE)
            await link.answer("a final")
            await link.close(1000, "done")
            await link.finish()
            response = await stage.ask("GET", "/speechwire/received")
            assert b"test-key" not in response.body
            (session,) = json.loads(response.body)["sessions"]
            assert session["request_id"] == header(link.response.headers, "X-RequestId")
            assert session["request"]["target"] == f"{GOOD}&subscription-key=(hidden)"
            assert ["X-ClientTraceId", "abc"] in session["request"]["headers"]
            assert session["received"]["header_bytes"] == 44
            assert session["received"]["audio_seconds"] == (len(SPEECH) - 44 + 80_000) / 32_000
            assert json.loads(session["sent"][0]["text"])["type"] == "final"
            assert session["close"] == {"by": "client", "code": 1000, "reason": "done"}

        play(scene, self.SETTINGS)


class TestTls:
    def test_plain_bytes_on_a_tls_port_cost_nothing(
        self, certificate: Throwaway, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.address.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in await reader.read()
            writer.close()
            assert (await stage.ask("GET", "/languages")).status == 200

        play(scene, tls=certificate)
        assert not [record for record in caplog.records if record.exc_info]

    def test_tls_on_a_plain_port_is_told_so(self) -> None:
        async def scene(stage: Stage) -> None:
            reader, writer = await stage.address.connect()
            writer.write(bytes.fromhex("16030100c8010000c40303") + bytes(100))
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.close()

        play(scene)

    def test_the_key_is_for_its_owner_alone(self, certificate: Throwaway) -> None:
        assert certificate.key.stat().st_mode & 0o077 == 0
        assert {path.name for path in Path(certificate.ca).parent.iterdir()} == {"ca.pem", "server.pem", "server.key"}
