"""`speechwire translate`, run as its users run it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import schemas
from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import build_file, build_header, parse_file

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

KEY = ("--key", "test-key")
BURST = ("--pace", "0")
CLEAR = "corpus:clear-1"
RECOGNITION = "The train to the airport leaves at half past nine."
TRANSLATION = "O trem para o aeroporto sai às nove e meia."


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


class TestForAPerson:
    def test_shows_what_the_server_says_while_it_says_it(self, speechwire: Speechwire, server: Serving) -> None:
        begun = time.monotonic()
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY)
        assert (ran.code, ran.err) == (0, "")
        lines = ran.out.splitlines()
        assert lines[-3:] == [f"0 {RECOGNITION}", f"  = {TRANSLATION}", "closed 1000"]
        partials = [line for line in lines if "→" in line]
        assert len(partials) >= 2
        assert all(line.startswith("  ") for line in partials)
        assert time.monotonic() - begun > 2.5, "by default it speaks at the speed of speech"

    def test_takes_a_file(self, speechwire: Speechwire, server: Serving) -> None:
        file = schemas.corpus_dir() / "clear-1.wav"
        ran = speechwire("translate", file, "--url", server.url, *KEY, *BURST)
        assert (ran.code, f"0 {RECOGNITION}" in ran.out) == (0, True)

    def test_says_when_nothing_was_heard(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "ends.json"
        script.write_text('{"defaults": [{"end": {"before": "final", "code": 1011, "reason": "no idea"}}]}', "utf-8")
        with speechwire.serve("--script", script) as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST)
        assert ran.code == 1
        assert ran.out.splitlines()[-2:] == [
            "closed 1011 Internal Server Error: no idea",
            "incomplete: no final has come",
        ]


class TestForAProgram:
    @pytest.fixture(scope="class")
    @classmethod
    def ran(cls, speechwire: Speechwire, server: Serving, tmp_path_factory: pytest.TempPathFactory) -> Ran:
        folder = tmp_path_factory.mktemp("voices") / "new" / "folder"
        ran = speechwire(
            "translate", "corpus:pair", "--url", server.url, *KEY, *BURST, "--json", "--voice", "auto", "--save", folder
        )
        assert (ran.code, ran.err) == (0, "")
        return ran

    def test_each_line_is_an_event(self, ran: Ran) -> None:
        events = [line["event"] for line in ran.lines]
        assert events[-1] == "closed"
        assert [event for event in events if event != "partial"] == ["final", "voice", "final", "voice", "closed"]
        assert ran.lines[-1] == {"event": "closed", "code": 1000, "reason": "", "complete": True}

    def test_results_have_ids_texts_and_times_in_ticks(self, ran: Ran) -> None:
        finals = [line for line in ran.lines if line["event"] == "final"]
        assert [final["id"] for final in finals] == ["0", "1"]
        assert [final["recognition"] for final in finals] == [
            "I would like a cup of coffee.",
            "Can you tell me where the station is?",
        ]
        first, second = finals
        assert 0 < first["offset"] < first["offset"] + first["duration"] < second["offset"]
        partials = [line for line in ran.lines if line["event"] == "partial"]
        assert {partial["id"].partition(".")[0] for partial in partials} == {"0", "1"}

    def test_voices_are_saved_as_files_that_play(self, ran: Ran) -> None:
        voices = [line for line in ran.lines if line["event"] == "voice"]
        assert [voice["id"] for voice in voices] == ["0", "1"]
        for voice in voices:
            data = Path(voice["file"]).read_bytes()
            assert len(data) == voice["bytes"]
            header, samples = parse_file(data)
            assert header.format == PcmFormat(16_000)
            assert rms_dbfs(samples) > -40.0

    def test_mp3(self, speechwire: Speechwire, server: Serving, tmp_path: Path) -> None:
        spoken = ("--voice", "pt-BR-Daniel", "--format", "audio/mp3", "--save", tmp_path)
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", *spoken)
        file = tmp_path / "voice-0.mp3"
        (voice,) = (line for line in ran.lines if line["event"] == "voice")
        assert voice["file"] == str(file)
        data = file.read_bytes()
        assert (data[0], data[1] & 0xE0) == (0xFF, 0xE0)
        assert "voice=pt-BR-Daniel" in server.received()[-1]["request"]["target"]

    def test_a_session_that_breaks_off(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "breaks.json"
        script.write_text('{"defaults": [{"end": {"before": "final", "abrupt": true}}]}', "utf-8")
        with speechwire.serve("--script", script) as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST, "--json")
        assert ran.code == 1
        assert ran.lines[-1] == {"event": "closed", "code": 1006, "reason": "", "complete": False}

    def test_a_message_that_breaks_the_protocol(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--fault", "translator.partial.fields/no-recognition") as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST, "--json")
        assert ran.code == 1
        assert {line["requirement"] for line in ran.lines if line["event"] == "error"} == {"translator.partial.fields"}


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(("action", "word"), [("NoAction", "\\w+"), ("Marked", "\\*\\*\\*"), ("Deleted", "")])
    def test_profanities(self, speechwire: Speechwire, server: Serving, action: str, word: str) -> None:
        ran = speechwire(
            "translate", "corpus:profanity", "--url", server.url, *KEY, *BURST, "--json", "--profanity", action
        )
        manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_text("utf-8"))
        (entry,) = (recording for recording in manifest["recordings"] if recording["id"] == "profanity")
        said = re.escape(entry["text"])
        for profanity in entry["profanities"]:
            said = said.replace(re.escape(profanity), word)
        finals = " ".join(line["recognition"] for line in ran.lines if line["event"] == "final")
        assert re.fullmatch(said, finals)

    def test_languages_and_headers(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json"),
            *("--from", "en", "--to", "ja", "--header", "X-CorrelationId: abc", "--header", "X-OsPlatform: none"),
        )
        assert ran.code == 0
        request = server.received()[-1]["request"]
        headers = {name.lower(): value for name, value in request["headers"]}
        assert "from=en&to=ja" in request["target"]
        assert (headers["x-correlationid"], headers["x-osplatform"]) == ("abc", "none")
        assert len(headers["x-clienttraceid"]) == 36

    def test_the_key_may_be_in_the_environment(self, speechwire: Speechwire, server: Serving) -> None:
        good = speechwire("translate", CLEAR, "--url", server.url, *BURST, env={"SPEECHWIRE_KEY": "test-key"})
        bad = speechwire("translate", CLEAR, "--url", server.url, *BURST, env={"SPEECHWIRE_KEY": "another"})
        assert (good.code, bad.code) == (0, 3)


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
        ran = speechwire("translate", file, "--url", server.url, *KEY, *BURST)
        assert (ran.code, f"0 {RECOGNITION}" in ran.out) == (0, True)
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
