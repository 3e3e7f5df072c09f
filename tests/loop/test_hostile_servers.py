"""`speechwire check server` against servers that are none, that hang, flood, lie, break off or die.

Each gets a run of the command of its own, several of them side by side, since nearly all of their time is waiting.
Whatever the server does, the run ends soon, in bounded memory, with the right exit code, a sentence that says why and
a report that is valid.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas
from conformance.commands.target_options import make_target
from conformance.feeds.server import Options, check_server
from conformance.judge.verdict import ExitCode, Verdict, exit_code
from conformance.report.events import CaseFinished, Event, Report
from protocol import requirements
from protocol.requirements import Level
from reference_server.tls import throwaway
from tests.loop import hostile_peers as peers
from tests.loop.hostile_peers import BINARY, CLOSE, PING, TEXT, Peer, after_101, frame, gone, status

if TYPE_CHECKING:
    from tests.conftest import Speechwire

ACCEPT = "translator.handshake.accept"
SILENCE = "translator.endpoint.final-after-silence"
FRAMING = "translator.session.framing"
ECHO = "translator.close.echo"
TEXT_JSON = "translator.result.text-json"
LONGEST_S = 20.0
CONVERSING_S = 90.0  # one that gets through the first good conversation is asked for hundreds of others
COMPUTING_S = 60.0  # what is not waiting depends on the machine, and on what else runs on it
MOST_MIB = 256
AT_ONCE = 8
VIOLATION, COULD_NOT_RUN = 1, 3
ENVIRONMENT = dict(os.environ)  # a copy: pytest changes the original while other threads start processes

WEIRD = (
    b'{"type":"final","id":"0","recognition":"\\ud800","translation":"x","audioTimeOffset":' + b"9" * 4000 + b","
    b'"audioTimeSize":1e999,"audioStreamPosition":NaN,"audioSizeBytes":-1}'
)
BYE = frame(CLOSE, b"\x03\xe8bye")
HUGE_HEAD = bytes((0x80 | BINARY, 127)) + (300 << 20).to_bytes(8, "big") + bytes(1000)
CHUNKED = b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
WRONG_ACCEPT = (
    b"HTTP/1.1 101 Hi\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nX-RequestId: 1\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """A server with what the command has to make of it.

    Attributes:
        peer: The server; None where there is none, and `url` says where.
        code: Exit code.
        says: Part of the doctor's sentence; empty where the one good conversation is good.
        breaks: A requirement that is a violation in the report.
        secure: The URL begins with wss.
        tls: The server speaks TLS.
        url: Where the server is not.
        within: Longest time of the run, in seconds.
    """

    peer: Peer | None
    code: int
    says: str
    breaks: str | None = None
    secure: bool = False
    tls: bool = False
    url: str = ""
    within: float = LONGEST_S


def _raw(response: bytes) -> Peer:
    async def peer(reader: peers.Reader, writer: peers.Writer) -> None:
        await peers.request(reader)
        writer.write(response)
        await writer.drain()

    return peer


def _says(text: bytes) -> Peer:
    return gone(lambda writer: writer.write(frame(TEXT, text) + BYE))


NO_FINAL = "no final came for speech and 2.6 s of silence"
HOSTILE: Mapping[str, Hostile] = {
    # The slow ones first: they decide how long all of this takes.
    "accepts-and-is-silent": Hostile(peers.silent_websocket, VIOLATION, NO_FINAL, SILENCE),
    "accepts-and-reads-nothing": Hostile(peers.deaf_websocket, VIOLATION, NO_FINAL, SILENCE),
    "echoes": Hostile(peers.echo, VIOLATION, NO_FINAL, SILENCE),
    "dribbles-partials": Hostile(peers.dribble, VIOLATION, NO_FINAL, SILENCE),
    "trickles-frames": Hostile(peers.slow_frames, VIOLATION, NO_FINAL, ECHO),
    "is-busy-after-one-session": Hostile(peers.busy_after(1), VIOLATION, "refused with status 503", ECHO),
    "leaves-with-a-close-frame": Hostile(
        gone(lambda writer: writer.write(BYE)), VIOLATION, "the server closed with 1000 'bye'"
    ),
    "sends-no-utf-8": Hostile(_says(b"\xff\xfe{"), VIOLATION, "the server closed with 1000", TEXT_JSON),
    "sends-nested-json": Hostile(_says(b"[" * 100_000), VIOLATION, "the server closed with 1000", TEXT_JSON),
    "sends-weird-json": Hostile(_says(WEIRD), VIOLATION, "", TEXT_JSON, within=CONVERSING_S),
    "leaves-without-a-close-frame": Hostile(
        gone(lambda writer: writer.write_eof()), VIOLATION, "the server ended the connection without a close", FRAMING
    ),
    "resets": Hostile(gone(peers.reset), VIOLATION, "the server ended the connection without a close frame", FRAMING),
    "masks": Hostile(
        after_101(frame(TEXT, b"{}", masked=True)), VIOLATION, "what cannot be read: incorrect masking", FRAMING
    ),
    "announces-300-mb": Hostile(after_101(HUGE_HEAD), VIOLATION, "exceeds limit of 67108864 bytes", FRAMING),
    "sends-noise-after-101": Hostile(
        after_101(peers.NOISE, times=None), VIOLATION, "the session ended before a final", FRAMING
    ),
    "floods-with-small-messages": Hostile(
        after_101(peers.partial(1) * 1000, times=None), VIOLATION, "bytes and went on", FRAMING, within=COMPUTING_S
    ),
    "floods-with-large-messages": Hostile(
        after_101(frame(BINARY, bytes(1 << 20)), times=None), VIOLATION, "went on", FRAMING, within=COMPUTING_S
    ),
    "floods-with-pings": Hostile(
        after_101(frame(PING, b"") * 10_000, times=None), VIOLATION, "bytes and went on", FRAMING, within=COMPUTING_S
    ),
    "sends-a-message-without-end": Hostile(peers.endless_message, VIOLATION, "bytes and went on", FRAMING),
    "dies-in-mid-run": Hostile(
        peers.mortal(peers.reference_server(), 40), VIOLATION, "the server was lost during the run", FRAMING
    ),
    # Below WebSocket.
    "is-silent": Hostile(peers.silent, VIOLATION, "no HTTP response within 5.0 s", ACCEPT),
    "reads-nothing": Hostile(peers.deaf, VIOLATION, "no HTTP response within 5.0 s", ACCEPT),
    "trickles-the-101": Hostile(peers.slow_101, VIOLATION, "within 5.0 s, only", ACCEPT),
    "is-busy": Hostile(status("503 Service Unavailable"), COULD_NOT_RUN, "refused with status 503"),
    "knows-no-key": Hostile(status("401 Unauthorized"), COULD_NOT_RUN, "give --key or --token"),
    "answers-200": Hostile(status("200 OK"), COULD_NOT_RUN, "refused with status 200"),
    "answers-302": Hostile(status("302 Found", "Location: /\r\n"), COULD_NOT_RUN, "refused with status 302"),
    "answers-500": Hostile(status("500 Oops", body=b"\x1b[2J\xff"), COULD_NOT_RUN, r"refused with status 500: \x1b[2J"),
    "accepts-wrongly": Hostile(_raw(WRONG_ACCEPT), COULD_NOT_RUN, "is not a WebSocket handshake: invalid Sec-WebSo"),
    "speaks-http-1.0": Hostile(_raw(b"HTTP/1.0 101 Hi\r\n\r\n"), COULD_NOT_RUN, "unsupported protocol"),
    "breaks-off": Hostile(_raw(b"HTTP/1.1 101 Hi\r\nX-Re"), COULD_NOT_RUN, "ended the connection before the end"),
    "hangs-up": Hostile(_raw(b""), COULD_NOT_RUN, "no HTTP response: the server ended the connection"),
    "makes-noise": Hostile(peers.noise, COULD_NOT_RUN, "no HTTP response: what came begins with b'nK"),
    "sends-a-huge-header": Hostile(peers.huge_header, COULD_NOT_RUN, "no HTTP response: it is too long"),
    "sends-headers-without-end": Hostile(peers.many_headers, COULD_NOT_RUN, "no HTTP response: it is too long"),
    "sends-a-body-without-end": Hostile(
        peers.endless_body(b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(1 << 16)), COULD_NOT_RUN, "no HTTP response: it"
    ),
    "sends-chunks-without-end": Hostile(
        peers.endless_body(CHUNKED, b"1\r\nx\r\n" * 1000), COULD_NOT_RUN, "no HTTP response: it does not end"
    ),
    "speaks-tls-to-ws": Hostile(peers.silent, COULD_NOT_RUN, "Is it ws:// where it should be wss://?", tls=True),
    "shows-tls-to-ws": Hostile(_raw(b"\x15\x03\x03\0\x02\x02\x16"), COULD_NOT_RUN, "the server speaks TLS"),
    "answers-plainly-to-wss": Hostile(peers.impatient, COULD_NOT_RUN, "no TLS connection: WRONG_VERSION", secure=True),
    "hangs-up-on-wss": Hostile(peers.curt, COULD_NOT_RUN, "no TLS connection: the server reset", secure=True),
    "is-silent-to-wss": Hostile(peers.silent, COULD_NOT_RUN, "no TLS connection to 127.0.0.1", secure=True),
    "has-an-unknown-certificate": Hostile(peers.echo, COULD_NOT_RUN, "--ca FILE", secure=True, tls=True),
    # No server at all.
    "is-not-there": Hostile(
        None, COULD_NOT_RUN, "Connection refused", url=f"ws://127.0.0.1:{peers.dead_port()}/speech/translate"
    ),
    "has-no-address": Hostile(None, COULD_NOT_RUN, "no address of name.invalid", url="ws://name.invalid:80"),
}

_MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:], timeout=120)
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """How a run ended: exit code, output, report, and the most memory that it had, in MiB."""

    code: int
    out: str
    err: str
    report: dict[str, Any]
    most_mib: int

    def verdicts(self, requirement: str) -> set[str]:
        """Return the verdicts on a requirement."""
        return {check["verdict"] for check in self.report["checks"] if check["row"] == requirement}


def _check(hostile: Hostile, program: Path) -> Checked:
    """Run the command against a server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if hostile.peer is None:
            return _run(hostile.url, program, folder)
        tls = throwaway(folder).context if hostile.tls else None
        with peers.serving(hostile.peer, tls) as port:
            return _run(f"{'wss' if hostile.secure else 'ws'}://127.0.0.1:{port}", program, folder)


def _run(url: str, program: Path, folder: Path) -> Checked:
    report, most = folder / "report.json", folder / "most"
    # In between stands a small process: at first a child counts the memory of its parent as its own.
    command = (program, "check", "server", url, "--key", "test-key", "--json", report)
    measured: list[str | Path] = [sys.executable, "-c", _MEASURED, most, *command]
    ended = subprocess.run(measured, capture_output=True, encoding="utf-8", env=ENVIRONMENT, cwd=folder, check=False)
    document = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return Checked(ended.returncode, ended.stdout, ended.stderr, document, int(most.read_text()))


@pytest.fixture(scope="module")
def runs(speechwire: Speechwire, request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Checked]]]:
    """Give the runs against the servers that the selected tests name, begun in the order of the table."""
    calls = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    wanted = {call.params.get("name") for call in calls if call is not None}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(_check, hostile, speechwire.program)
            for name, hostile in HOSTILE.items()
            if name in wanted
        }


@pytest.fixture(params=HOSTILE)
def name(request: pytest.FixtureRequest) -> str:
    """Give each server's name in turn."""
    found: str = request.param
    return found


@pytest.fixture
def checked(name: str, runs: Mapping[str, Future[Checked]]) -> Checked:
    """Give the run against a server."""
    return runs[name].result()


@pytest.mark.timeout(2 * CONVERSING_S)
class TestEveryServer:
    def test_gets_its_exit_code(self, name: str, checked: Checked) -> None:
        assert checked.code == HOSTILE[name].code, checked.err

    def test_is_told_in_a_sentence_what_is_wrong(self, name: str, checked: Checked) -> None:
        told = checked.err.splitlines()
        assert HOSTILE[name].says in checked.err
        assert all(line.startswith(("doctor: ", "        ")) for line in told)
        assert len(told) in ({2, 4} if HOSTILE[name].says else {0})
        assert "Traceback" not in checked.err + checked.out
        assert "defect of the suite" not in checked.out
        assert f"Exit code {checked.code}" in checked.out

    def test_has_a_valid_report(self, name: str, checked: Checked) -> None:
        jsonschema.Draft202012Validator(schemas.read("report")).validate(checked.report)
        assert checked.report["outcome"] == {1: "violations", 3: "could-not-run"}[checked.code]
        assert checked.report["checks"]
        breaks = HOSTILE[name].breaks
        assert breaks is None or "violation" in checked.verdicts(breaks)
        assert "flaky" not in {check["verdict"] for check in checked.report["checks"]}

    def test_takes_bounded_time_and_memory(self, name: str, checked: Checked) -> None:
        timing = checked.report["timing"]
        assert timing["waiting_s"] <= timing["total_s"] <= HOSTILE[name].within
        assert checked.most_mib < MOST_MIB


# In process, where somebody has to look at the clock or act in mid-run.


def _checked_here(url: str, emit: Callable[[Event], None] = lambda _: None) -> tuple[Report, float]:
    """Check a server in this process; return the report, and the seconds from the first to the last thing done."""
    options: dict[str, Any] = {"dialect": "translator", "key": "test-key", "token": None, "headers": ()}
    options |= {"source": "en-US", "target": "pt", "voice": None, "audio": None, "without": "", "pace": 0.0}
    target = make_target(url, options | {"ca": None, "insecure": False})
    begun = time.monotonic()
    report = asyncio.run(check_server(target, "translator", Options(), emit, {"url": url}))
    return report, time.monotonic() - begun


class TestNoServer:
    def test_a_dead_port_takes_no_time(self) -> None:
        report, seconds = _checked_here(f"ws://127.0.0.1:{peers.dead_port()}")
        assert report.exit_code is ExitCode.COULD_NOT_RUN
        assert seconds <= 0.5

    def test_the_last_address_of_a_name_is_tried_too(self) -> None:
        with peers.serving(status("401 Unauthorized")) as port:
            report, _ = _checked_here(f"ws://localhost:{port}")  # ::1 first, where there is one
        assert "refused with status 401" in report.checks[0].observed

    def test_nobody_waits_for_a_resolver_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def resolve(*_: object, **__: object) -> list[object]:
            time.sleep(12)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        report, seconds = _checked_here("ws://slow.test")
        assert report.exit_code is ExitCode.COULD_NOT_RUN
        assert report.checks[0].observed == "no TCP connection to slow.test:80 within 5.0 s"
        assert seconds < 7


class TestServerLostInMidRun:
    """After so many cases something happens to the server's process."""

    CASES = 20
    IN_FLIGHT = 8

    @pytest.fixture(params=[signal.SIGKILL, signal.SIGSTOP], scope="class")
    @classmethod
    def lost(
        cls, request: pytest.FixtureRequest, speechwire: Speechwire
    ) -> tuple[signal.Signals, Report, list[CaseFinished]]:
        """Give the run: the report, and the cases in the order in which they ended."""
        command: list[str | Path] = [speechwire.program, "serve", "--port", "0", "--key", "test-key"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as server:
            assert server.stdout is not None
            url, finished = server.stdout.readline().split()[1], []

            def emit(event: Event) -> None:
                if isinstance(event, CaseFinished):
                    finished.append(event)
                    if len(finished) == cls.CASES:
                        server.send_signal(request.param)
                        if request.param is signal.SIGKILL:
                            server.wait()

            try:
                report, _ = _checked_here(url, emit)
            finally:
                server.kill()
        return request.param, report, finished

    def test_what_comes_later_could_not_be_run(self, lost: tuple[signal.Signals, Report, list[CaseFinished]]) -> None:
        kind, _, finished = lost
        later = finished[self.CASES :]
        assert len(later) > 30
        if kind is signal.SIGKILL:
            refused = [
                event for event in later if all("Connection refused" in check.observed for check in event.checks)
            ]
            assert len(later) - len(refused) <= self.IN_FLIGHT
            assert {check.verdict for event in refused for check in event.checks} == {Verdict.COULD_NOT_RUN}

    def test_the_report_says_so(self, lost: tuple[signal.Signals, Report, list[CaseFinished]]) -> None:
        kind, report, _ = lost
        (control,) = [check for check in report.checks if check.case == "control"]
        expected = "Connection refused" if kind is signal.SIGKILL else "no HTTP response within"
        assert control.observed.startswith("the server was lost during the run: ")
        assert expected in control.observed

    def test_the_exit_code_follows_from_the_verdicts(
        self, lost: tuple[signal.Signals, Report, list[CaseFinished]]
    ) -> None:
        _, report, _ = lost
        assert report.exit_code == exit_code(report.checks, strict=False, executed=1)
        assert report.exit_code in {ExitCode.VIOLATIONS, ExitCode.COULD_NOT_RUN}
        rows = requirements.load("translator")
        blocked = [check for check in report.checks if check.verdict is Verdict.COULD_NOT_RUN]
        assert all(rows[check.requirement].level is Level.MUST for check in blocked)
        assert not [check for check in report.checks if check.verdict is Verdict.FLAKY]

    def test_it_is_over_soon(self, lost: tuple[signal.Signals, Report, list[CaseFinished]]) -> None:
        kind, report, _ = lost
        # What a run waits in vain is up to the suite; how long the rest takes, to the machine.
        assert report.waiting_s < (5 if kind is signal.SIGKILL else LONGEST_S)
        assert report.total_s < 3 * LONGEST_S
