"""`speechwire baseline update` and `--baseline`, from a red run to a green one and back; `--start` and `--profile`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Speechwire

KEY = ("--key", "test-key")
ONLY = ("--only", "handshake.accept", "--only", "session.*")
FAULT = "translator.handshake.request-id/left-out"
CHECK = "wire/translator.handshake.request-id"
WHY = ("--reason", "the balancer drops it", "--link", "https://example.org/12")


def serving(*options: str) -> str:
    """Return the command that starts the reference server, for `--start`."""
    program = Path(sys.executable).with_name("speechwire")
    return " ".join([str(program), "serve", "--port", "{port}", *options])


def check(speechwire: Speechwire, folder: Path, *options: str | Path, fault: bool = True) -> tuple[int, str, Any]:
    """Check a server that is started for it; return exit code, output and report."""
    report = folder / "report.json"
    start = serving("--fault", FAULT) if fault else serving()
    ran = speechwire("check", "server", "ws://127.0.0.1:0", *KEY, "--start", start, *options, "--json", report)
    return ran.code, ran.out + ran.err, json.loads(report.read_text("utf-8"))


class TestABaseline:
    def test_excuses_what_is_known_until_it_is_so_no_longer(self, speechwire: Speechwire, tmp_path: Path) -> None:
        known, report = tmp_path / "known.toml", tmp_path / "report.json"
        code, _, document = check(speechwire, tmp_path, *ONLY, "--strict")
        assert (code, document["outcome"]) == (1, "violations")

        ran = speechwire("baseline", "update", known, report, "--strict")
        assert ran.code == 2
        assert "is new in the baseline: say why it is so with --reason" in ran.err
        assert not known.exists()

        ran = speechwire("baseline", "update", known, report, "--strict", *WHY)
        assert (ran.code, ran.out.splitlines()) == (0, [f"added    {CHECK}", f"{known}: 1 entries"])

        code, text, document = check(speechwire, tmp_path, *ONLY, "--strict", "--baseline", known)
        assert (code, document["outcome"], document["baseline"]["stale"]) == (0, "conforming", [])
        assert "the balancer drops it (https://example.org/12)" in text

        code, text, document = check(speechwire, tmp_path, *ONLY, "--strict", "--baseline", known, fault=False)
        assert (code, document["outcome"], document["baseline"]["stale"]) == (1, "violations", [CHECK])
        assert f"stale, and fails the run: {CHECK}: it is ok now" in text

        ran = speechwire("baseline", "update", known, report, "--strict")
        assert (ran.code, ran.out.splitlines()) == (0, [f"removed  {CHECK}", f"{known}: 0 entries"])
        code, _, document = check(speechwire, tmp_path, *ONLY, "--strict", "--baseline", known, fault=False)
        assert (code, document["outcome"]) == (0, "conforming")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (None, "No such file or directory"),
            ("dialect = 1", "/party: expected"),
            ('dialect = "speech-v2"\nparty = "server"', "it is of speech-v2 and a server, not of translator"),
        ],
    )
    def test_that_cannot_be_used_stops_before_anything_is_run(
        self, speechwire: Speechwire, tmp_path: Path, text: str | None, says: str
    ) -> None:
        known = tmp_path / "known.toml"
        if text is not None:
            known.write_text(text, "utf-8")
        ran = speechwire("check", "server", "ws://127.0.0.1:9", *KEY, "--baseline", known)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
        assert "Traceback" not in ran.err

    @pytest.mark.parametrize(
        ("text", "says"), [("{", "it is no JSON"), ("{}", "/speechwire: expected"), (None, "No such file or directory")]
    )
    def test_is_made_of_reports_alone(
        self, speechwire: Speechwire, tmp_path: Path, text: str | None, says: str
    ) -> None:
        report = tmp_path / "report.json"
        if text is not None:
            report.write_text(text, "utf-8")
        ran = speechwire("baseline", "update", tmp_path / "known.toml", report)
        assert ran.code == 2
        assert says in ran.err


class TestStart:
    def test_a_server_is_started_on_a_free_port_and_is_gone_afterwards(
        self, speechwire: Speechwire, tmp_path: Path
    ) -> None:
        code, _, document = check(speechwire, tmp_path, *ONLY, fault=False)
        assert (code, document["outcome"]) == (0, "conforming")
        ran = speechwire("doctor", document["peer"]["url"], *KEY)
        assert ran.code == 3
        assert "Connection refused" in ran.out + ran.err

    @pytest.mark.parametrize(
        ("command", "code", "says"),
        [
            ("no-such-program {port}", 3, "'no-such-program' cannot be started"),
            (f"{sys.executable} -c \"print('no licence'); raise SystemExit(7)\"", 3, "the server exited with 7"),
            ("it's", 2, "--start: No closing quotation"),
        ],
    )
    def test_one_that_does_not_start_is_told_with_what_it_printed(
        self, speechwire: Speechwire, command: str, code: int, says: str
    ) -> None:
        ran = speechwire("check", "server", "ws://127.0.0.1:0", *KEY, "--start", command)
        assert ran.code == code
        assert says in ran.err
        assert ("no licence" in ran.err) == ("no licence" in command)
        assert "Traceback" not in ran.err

    def test_a_run_that_is_told_to_stop_ends_the_server(self, speechwire: Speechwire, tmp_path: Path) -> None:
        mark = tmp_path / "port"
        inner = f"echo $$ >{mark}; exec {serving()}"
        command = [
            str(speechwire.program),
            "check",
            "server",
            "ws://127.0.0.1:0",
            *KEY,
            "--start",
            f"sh -c {shlex.quote(inner)}",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            assert run.stderr is not None
            assert run.stdout.readline().startswith("speechwire ")
            run.terminate()
            assert run.wait(20) == 3
            assert "the run was told to stop" in run.stderr.read()
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.read_text()), 0)

    def test_without_it_there_is_no_port_0(self, speechwire: Speechwire) -> None:
        ran = speechwire("check", "server", "ws://127.0.0.1:0", *KEY)
        assert ran.code == 2
        assert "has port 0, which only a server that --start starts can have" in ran.err


class TestProfile:
    def test_quick_lets_no_time_pass(self, speechwire: Speechwire, tmp_path: Path) -> None:
        code, text, document = check(speechwire, tmp_path, "--profile", "quick", fault=False)
        assert (code, document["outcome"]) == (0, "conforming")
        assert "audio.real-time" not in text

    def test_deep_tells_of_each_departure_how_often_it_came(self, speechwire: Speechwire, tmp_path: Path) -> None:
        options = ("--only", "session.several", "--profile", "deep")
        report = tmp_path / "report.json"
        start = serving("--fault", "translator.session.several/two-at-once")
        speechwire("check", "server", "ws://127.0.0.1:0", *KEY, "--start", start, *options, "--json", report)
        (found,) = [one for one in json.loads(report.read_text("utf-8"))["checks"] if one["case"] == "session.several"]
        assert (found["verdict"], found["failed"], found["runs"]) == ("non-strict", 3, 3)
        assert found["observed"].endswith("(3 of 3 times)")
