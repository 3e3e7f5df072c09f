"""`speechwire check client` on clients that crash, hang, babble, flood, or leave processes behind.

Each client notes the ids of its processes; none of them may live when the command is done, whatever the client does
against that. Several run side by side, since most of their time is waiting.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas

if TYPE_CHECKING:
    from tests.conftest import Speechwire

HANG_S = 2
LONGEST_S = HANG_S + 15.0  # the command's start, twice the grace for a process that will not go, a busy machine
AT_ONCE = 4
VIOLATION, COULD_NOT_RUN = 1, 3
ENVIRONMENT = dict(os.environ)  # a copy: pytest changes the original while other threads start processes
CLOSES = "translator.client.closes"

PRELUDE = """
import base64, os, signal, socket, struct, subprocess, sys, time
url, note = sys.argv[1:3]
address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))

def noted():
    with open(note, "a") as file:
        file.write(f"{os.getpid()}\\n")

def upgraded():
    link = socket.create_connection(address)
    nonce = base64.b64encode(os.urandom(16)).decode()
    link.sendall((
        "GET /speech/translate?api-version=1.0&from=en-US&to=pt&subscription-key=test-key HTTP/1.1\\r\\n"
        "Host: localhost\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
        f"Sec-WebSocket-Key: {nonce}\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n"
    ).encode())
    assert b" 101 " in link.recv(4096)
    return link

def frame(data):
    return b"\\x82\\xff" + len(data).to_bytes(8, "big") + bytes(4) + data

HEADER = b"RIFF\\0\\0\\0\\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16) + b"data\\0\\0\\0\\0"

def child(daemon, deaf):
    if os.fork():
        return
    if daemon:
        os.setsid()
        if os.fork():
            os._exit(0)
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    noted()
    time.sleep(600)
    os._exit(0)

noted()
"""


@dataclass(frozen=True, slots=True)
class Client:
    """A client in a few lines, and what the command has to make of it: exit code, part of what it says.

    Attributes:
        processes: How many it notes.
        breaks: A requirement that is a violation in the report.
    """

    lines: str
    code: int
    says: str
    processes: int = 1
    breaks: str | None = None


WAIT = "while len(open(note).readlines()) < {0}: time.sleep(0.01)"
CLIENTS: Mapping[str, Client] = {
    "crashes": Client("raise SystemError('no microphone')", COULD_NOT_RUN, "SystemError: no microphone"),
    "is-killed": Client("os.kill(os.getpid(), signal.SIGSEGV)", COULD_NOT_RUN, "was killed by SIGSEGV"),
    "ignores-the-url": Client("pass", COULD_NOT_RUN, "never connected and exited with 0"),
    "never-connects": Client("time.sleep(600)", COULD_NOT_RUN, "never connected and had to be ended"),
    "connects-and-is-silent": Client(
        "link = socket.create_connection(address); time.sleep(600)",
        COULD_NOT_RUN,
        "made 1 connection, none with a request that can be read, and had to be ended",
    ),
    "opens-a-session-and-is-silent": Client(
        "link = upgraded(); time.sleep(600)", VIOLATION, f"still running after {HANG_S} s", breaks=CLOSES
    ),
    "speaks-no-http": Client(
        "link = socket.create_connection(address); link.sendall(b'\\0\\x01 what?\\r\\n\\r\\n' * 99); link.recv(9999)",
        COULD_NOT_RUN,
        "made 1 connection, none with a request that can be read, and exited with 0",
    ),
    "sends-no-frames": Client(
        "link = upgraded(); link.sendall(b'\\xff' * 999); link.recv(9999)",
        COULD_NOT_RUN,
        "the client ended the connection (unreadable)",
    ),
    "sends-no-frames-any-more": Client(
        "link = upgraded(); link.sendall(frame(HEADER + bytes(3200)) + b'\\xff' * 999); link.recv(9999)",
        VIOLATION,
        "observed: ",
        breaks=CLOSES,
    ),
    "leaves-a-child": Client(f"child(False, False)\n{WAIT.format(2)}", COULD_NOT_RUN, "exited with 0", processes=2),
    "leaves-a-deaf-child": Client(f"child(False, True)\n{WAIT.format(2)}", COULD_NOT_RUN, "exited with 0", processes=2),
    "leaves-a-daemon": Client(f"child(True, True)\n{WAIT.format(2)}", COULD_NOT_RUN, "exited with 0", processes=2),
    "is-deaf-to-sigterm": Client(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", COULD_NOT_RUN, "had to be ended"
    ),
    "is-a-deaf-family": Client(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child(False, True); child(True, True)\n{WAIT.format(3)}\nlink = upgraded(); time.sleep(600)",
        VIOLATION,
        "had to be ended",
        processes=3,
        breaks=CLOSES,
    ),
    "prints-megabytes": Client(
        "for _ in range(50): sys.stdout.write('x' * 1_000_000)\nsys.stdout.buffer.write(b'\\x1b[2J\\xff bye')",
        COULD_NOT_RUN,
        "exited with 0",
    ),
    "prints-for-ever": Client("while True: print('x' * 10_000)", COULD_NOT_RUN, "had to be ended"),
    "floods": Client(
        "link = upgraded(); link.sendall(frame(HEADER)); much = frame(bytes(1 << 20))\nwhile True: link.sendall(much)",
        VIOLATION,
        "sent more than 64 MiB",
        breaks=CLOSES,
    ),
    "connects-without-end": Client(
        "while True: upgraded().close()", VIOLATION, "requests and sent no audio and had to be ended", breaks=CLOSES
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """How a run ended: exit code, output, report, seconds, and which of the noted processes lived then."""

    code: int
    out: str
    err: str
    report: dict[str, Any]
    seconds: float
    noted: tuple[int, ...]
    left: tuple[int, ...]


def lives(process: int) -> bool:
    """Tell whether a process runs; one that only waits for its parent to look at it does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def _command(program: Path, folder: Path, lines: str) -> list[str | Path]:
    check = (program, "check", "client", "--hang", str(HANG_S), "--json", folder / "report.json", "--")
    return [*check, sys.executable, "-c", PRELUDE + lines, "{url}", folder / "note"]


def _check(client: Client, program: Path) -> Checked:
    """Run the command on a client."""
    with tempfile.TemporaryDirectory() as name:
        folder, begun = Path(name), time.monotonic()
        command = _command(program, folder, client.lines)
        ended = subprocess.run(
            command, capture_output=True, encoding="utf-8", env=ENVIRONMENT, timeout=100, check=False
        )
        seconds = time.monotonic() - begun
        noted = tuple(int(line) for line in (folder / "note").read_text().split())
        left = tuple(filter(lives, noted))
        report = json.loads((folder / "report.json").read_text("utf-8"))
    return Checked(ended.returncode, ended.stdout, ended.stderr, report, seconds, noted, left)


@pytest.fixture(scope="module")
def runs(speechwire: Speechwire, request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Checked]]]:
    """Give the runs on the clients that the selected tests name, begun in the order of the table."""
    calls = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    wanted = {call.params.get("name") for call in calls if call is not None}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(_check, client, speechwire.program) for name, client in CLIENTS.items() if name in wanted
        }


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    """Give each client's name in turn."""
    found: str = request.param
    return found


@pytest.fixture
def checked(name: str, runs: Mapping[str, Future[Checked]]) -> Checked:
    """Give the run on a client."""
    return runs[name].result()


class TestEveryClient:
    def test_gets_its_exit_code(self, name: str, checked: Checked) -> None:
        assert checked.code == CLIENTS[name].code, checked.out

    def test_is_told_what_is_wrong(self, name: str, checked: Checked) -> None:
        assert CLIENTS[name].says in checked.out + checked.err
        assert f"Exit code {checked.code}" in checked.out
        assert "Event loop is closed" not in checked.err
        # The only traceback is the client's own, which is quoted.
        assert not [line for line in checked.err.splitlines() if line.startswith("Traceback")]
        assert "\x1b" not in checked.out + checked.err

    def test_has_a_valid_report(self, name: str, checked: Checked) -> None:
        jsonschema.Draft202012Validator(schemas.read("report")).validate(checked.report)
        assert checked.report["outcome"] == {1: "violations", 3: "could-not-run"}[checked.code]
        assert len(checked.report["peer"]["output"]) <= 4000
        violations = {check["row"] for check in checked.report["checks"] if check["verdict"] == "violation"}
        breaks = CLIENTS[name].breaks
        assert violations == (set() if breaks is None else {breaks})

    def test_leaves_no_process(self, name: str, checked: Checked) -> None:
        assert len(checked.noted) == CLIENTS[name].processes
        assert checked.left == ()

    def test_takes_bounded_time(self, checked: Checked) -> None:
        assert checked.seconds < LONGEST_S


class TestNoClient:
    @pytest.mark.parametrize("command", ["./no-such-client", "/", "/dev/null", ""])
    def test_what_cannot_be_started_is_told_and_reported(
        self, speechwire: Speechwire, tmp_path: Path, command: str
    ) -> None:
        report = tmp_path / "report.json"
        ran = speechwire("check", "client", "--json", report, "--", command, "{url}")
        assert ran.code == COULD_NOT_RUN
        assert ran.complaint.startswith(f"the command {command!r} cannot be started: ")
        document = json.loads(report.read_text("utf-8"))
        jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
        assert document["outcome"] == "could-not-run"
        assert {check["observed"] for check in document["checks"]} == {ran.complaint}


class TestStopped:
    @pytest.mark.parametrize(
        ("kind", "code", "says"), [(signal.SIGINT, 3, "interrupted"), (signal.SIGTERM, 3, "was told to stop")]
    )
    def test_the_client_goes_with_the_command(
        self, speechwire: Speechwire, tmp_path: Path, kind: signal.Signals, code: int, says: str
    ) -> None:
        lines = f"child(True, True)\n{WAIT.format(2)}\nlink = upgraded(); time.sleep(600)"
        command = _command(speechwire.program, tmp_path, lines)
        note = tmp_path / "note"
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as check:
            deadline = time.monotonic() + 20
            while not (note.exists() and note.read_text().count("\n") == 2) and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(check.pid, kind)
            out, _ = check.communicate(timeout=20)
        noted = [int(line) for line in note.read_text().split()]
        assert (check.returncode, len(noted)) == (code, 2)
        assert says in out
        assert "Traceback" not in out
        assert not list(filter(lives, noted))
