"""`speechwire translate` where something is wrong: the server, the file, the command line."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import schemas
from protocol.audio import PcmFormat
from protocol.riff import build_file, build_header, parse_file

if TYPE_CHECKING:
    from tests.conftest import Serving, Speechwire

KEY = ("--key", "test-key")
CLEAR = "corpus:clear-1"


@contextlib.contextmanager
def answering(response: bytes) -> Iterator[str]:
    """Give the URL of a server that answers every connection with the same bytes and ends it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(response)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class TestNoSession:
    def test_a_wrong_key(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("translate", CLEAR, "--url", server.url, "--key", "hunter2-wrong")
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint.startswith("the server refused the session with status 401: credentials: expected ")
        assert "hunter2" not in ran.err

    def test_a_program_is_told_too(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("translate", CLEAR, "--url", server.url, "--key", "wrong", "--json")
        assert ran.code == 3
        assert ran.lines == [{"event": "error", "message": ran.complaint}]

    def test_a_parameter_that_the_server_refuses(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY, "--from", "xx")
        assert ran.code == 3
        assert ran.complaint.startswith("the server refused the session with status 400: parameter 'from': expected ")

    def test_a_dead_port(self, speechwire: Speechwire) -> None:
        port = free_port()
        ran = speechwire("translate", CLEAR, "--url", f"ws://127.0.0.1:{port}", *KEY)
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint.startswith(f"no connection to 127.0.0.1:{port}: ")

    @pytest.mark.parametrize(
        ("response", "says"),
        [
            (b"", "no HTTP response"),
            (b"\x15\x03\x01\x00\x02\x02\x46", "no HTTP response"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "status 200: hello"),
            (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "status 302"),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "not a WebSocket handshake"),
            (b"HTTP/1.1 400 Bad\r\nContent-Length: 4\r\n\r\n[[[[", "status 400: [[[["),
            (b"HTTP/1.1 400 Bad\r\nContent-Length: 6\r\n\r\n\x1b[2Ja\0", "status 400: \\x1b[2Ja\\x00"),
        ],
    )
    def test_something_else_listens(self, speechwire: Speechwire, response: bytes, says: str) -> None:
        with answering(response) as url:
            ran = speechwire("translate", CLEAR, "--url", url, *KEY)
        assert (ran.code, ran.out) == (3, "")
        assert says in ran.complaint


class TestAudio:
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "ends within its WAV header"),
            (b"This is a text.", "at offset 0"),
            (build_header(PcmFormat(16_000))[:30], "ends within its WAV header"),
            (build_file(PcmFormat(16_000, channels=2), bytes(64)), "at offset 22"),
            (build_file(PcmFormat(16_000, bits=8), bytes(64)), "at offset 34"),
            (build_file(PcmFormat(96_000), bytes(64)), "at offset 24"),
            (b"ID3\x04" + bytes(100), "at offset 0"),
        ],
    )
    def test_what_cannot_be_streamed_is_one_sentence(
        self, speechwire: Speechwire, tmp_path: Path, data: bytes, says: str
    ) -> None:
        file = tmp_path / "bad.wav"
        file.write_bytes(data)
        ran = speechwire("translate", file, "--url", "ws://127.0.0.1:9")
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint.startswith(f"{file}: ")
        assert says in ran.complaint

    def test_a_missing_file_and_a_folder(self, speechwire: Speechwire, tmp_path: Path) -> None:
        missing = speechwire("translate", tmp_path / "none.wav", "--url", "ws://127.0.0.1:9")
        assert (missing.code, missing.complaint) == (2, f"{tmp_path / 'none.wav'}: No such file or directory")
        folder = speechwire("translate", tmp_path, "--url", "ws://127.0.0.1:9")
        assert (folder.code, folder.complaint) == (2, f"{tmp_path}: Is a directory")

    def test_a_recording_that_the_corpus_does_not_have(self, speechwire: Speechwire) -> None:
        ran = speechwire("translate", "corpus:none", "--url", "ws://127.0.0.1:9")
        assert ran.code == 2
        assert "clear-1, clear-2" in ran.complaint

    def test_another_rate_and_a_size_that_is_larger_than_the_file(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path
    ) -> None:
        _, samples = parse_file((schemas.corpus_dir() / "clear-1.wav").read_bytes())
        file = tmp_path / "half.wav"
        file.write_bytes(build_header(PcmFormat(8_000), data_size=10_000_000) + b"".join(_every_other(samples)))
        ran = speechwire("translate", file, "--url", server.url, *KEY, "--pace", "0")
        assert (ran.code, "0 The train to the airport leaves" in ran.out) == (0, True)
        assert server.received()[-1]["received"]["rate"] == 8_000


def _every_other(samples: bytes) -> Iterator[bytes]:
    return (samples[at : at + 2] for at in range(0, len(samples), 4))


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--url", "ws://127.0.0.1:9", "--to", "pt", "--to", "de"), "give --to once"),
            (("--url", "ws://127.0.0.1:9", "--pace", "-1"), "--pace"),
            (("--url", "ws://127.0.0.1:9", "--pace", "fast"), "--pace"),
            (("--url", "ftp://127.0.0.1"), "ws:// or wss://"),
            (("--url", "ws://"), "ws:// or wss://"),
            (("--url", "ws://127.0.0.1:99999"), "cannot be read"),
            (("--url", "ws://[::1"), "cannot be read"),
            (("--url", "ws://127.0.0.1:9", "--insecure"), "wss://"),
            (("--url", "ws://127.0.0.1:9", "--header", "none"), "NAME: VALUE"),
            (("--url", "ws://127.0.0.1:9", "--header", "a b: c"), "NAME: VALUE"),
            (("--url", "ws://127.0.0.1:9", "--header", "a: b\r\nc: d"), "printable ASCII"),
            (("--url", "ws://127.0.0.1:9", "--key", "gehe\u00efm"), "printable ASCII"),
            (("--url", "ws://127.0.0.1:9", "--token", "gehe\nim"), "printable ASCII"),
            (("--url", "ws://127.0.0.1:9", "--format", "audio/ogg"), "--format"),
            ((), "--url"),
        ],
    )
    def test_of_the_command_line(self, speechwire: Speechwire, options: tuple[str, ...], says: str) -> None:
        ran = speechwire("translate", CLEAR, *options)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
        assert "gehe" not in ran.err, "credentials are not shown"

    def test_a_folder_that_cannot_be_made(self, speechwire: Speechwire, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.touch()
        ran = speechwire("translate", CLEAR, "--url", "ws://127.0.0.1:9", "--save", file / "voices")
        assert (ran.code, ran.complaint) == (2, f"{file / 'voices'}: Not a directory")

    def test_a_ca_that_is_none(self, speechwire: Speechwire, tmp_path: Path) -> None:
        file = tmp_path / "ca.pem"
        file.write_text("nothing", "utf-8")
        ran = speechwire("translate", CLEAR, "--url", "wss://127.0.0.1:9", "--ca", file)
        assert ran.code == 2
        assert ran.complaint.startswith(f"{file}: no certificate can be read from it")


class TestInterrupted:
    def test_says_so_and_proves_nothing(self, speechwire: Speechwire, server: Serving) -> None:
        with subprocess.Popen(
            [speechwire.program, "translate", "corpus:numbers", "--url", server.url, *KEY],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert "→" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            complaint = process.stderr.read()
        assert process.returncode == 3
        assert complaint.strip() == "Error: interrupted"
