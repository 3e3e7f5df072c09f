"""How `speechwire serve` ends, and how it takes what strangers send: nothing of theirs is complained of."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.transcript import Recorder, Vantage
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.translator.handshake import build_target

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire


class TestEnding:
    @pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_in_silence(self, speechwire: Speechwire, kind: signal.Signals) -> None:
        with speechwire.serve() as serving:
            stopped = serving.stop(kind)
        assert stopped == type(stopped)(0, "", "")

    def test_what_is_in_flight_is_said_first(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "slow.json"
        script.write_text(json.dumps({"defaults": [{"recognition": "Late.", "delay_ms": {"final": 500}}]}), "utf-8")
        with speechwire.serve("--script", script) as serving:
            answers, stopped = asyncio.run(_interrupted(serving))
        final, closed = answers
        assert json.loads(final)["recognition"] == "Late."
        assert closed[0] == 1001
        assert closed[1].startswith("Endpoint Unavailable")
        assert (stopped.code, stopped.err) == (0, "")

    def test_no_connection_is_waited_for(self, speechwire: Speechwire) -> None:
        with speechwire.serve() as serving, socket.create_connection(("127.0.0.1", serving.port)):
            begun = time.monotonic()
            assert serving.stop().code == 0
            assert time.monotonic() - begun < 12


async def _interrupted(serving: Serving) -> tuple[tuple[bytes, tuple[int, str]], Ran]:
    """Speak, and stop the server while it thinks about it."""
    target = build_target(source="en-US", target="pt")
    headers = (("Ocp-Apim-Subscription-Key", "test-key"),)
    recorder = Recorder("translator", Vantage.CLIENT, "ending", 0)
    link = await dial(Address.tcp("127.0.0.1", serving.port, None), target, headers, recorder, Budget())
    assert isinstance(link, Link)
    try:
        pcm = PcmFormat(16_000)
        tone = b"".join((8000 if at % 32 < 16 else -8000).to_bytes(2, "little", signed=True) for at in range(16_000))
        await link.binary(build_header(pcm) + tone + bytes(pcm.ms_to_bytes(1000)))
        await link.ping(b"read")
        stopping = asyncio.get_running_loop().run_in_executor(None, serving.stop)
        final: Any = await link.answer("the final", 10.0)
        closed: Any = await link.answer("the close", 10.0)
        assert isinstance(final, Received)
        return (final.data, (closed.code, closed.reason)), await stopping
    finally:
        await link.finish()


class TestUnderStrangers:
    def test_noise_is_answered_and_not_complained_of(self, speechwire: Speechwire) -> None:
        with speechwire.serve() as serving:
            for noise in (
                b"",
                b"\0" * 100,
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500),
                b"GET / HTTP/9\r\n\r\n",
            ):
                with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as stranger:
                    stranger.sendall(noise)
                    stranger.shutdown(socket.SHUT_WR)
                    while stranger.recv(4096):
                        pass
            _abort(serving.port, b"GET /speech/translate HTTP/1.1\r\n")
            assert speechwire("doctor", serving.url, "--key", "test-key").code == 0
            assert serving.stop().err == ""

    def test_nor_is_a_handshake_that_fails_under_tls(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--tls") as serving:
            _abort(serving.port, b"")
            _abort(serving.port, b"\x16\x03\x01")
            with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                while stranger.recv(4096):
                    pass
            trusting = ssl.create_default_context(cafile=serving.line().removeprefix("CA "))
            with (
                socket.create_connection(("127.0.0.1", serving.port), timeout=10) as plain,
                trusting.wrap_socket(plain, server_hostname="localhost") as secure,
            ):
                secure.sendall(b"GET /speechwire/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert secure.recv(64).startswith(b"HTTP/1.1 200")
            assert serving.stop().err == ""


def _abort(port: int, data: bytes) -> None:
    """Connect, send something, and reset the connection."""
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(data)
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
