"""`speechwire check client`, run as its users run it, on clients of every kind of misbehaviour."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas

if TYPE_CHECKING:
    from tests.conftest import Ran, Speechwire

CONNECT = """
import sys, time, websocket
url, wav = sys.argv[1:3]
client = websocket.create_connection(
    url + "?api-version=1.0&from=en-US&to=pt", header=["Ocp-Apim-Subscription-Key: test-key"]
)
"""
SPEAK = "client.send_binary(open(wav, 'rb').read())\nclient.recv()\n"


def python(*lines: str) -> tuple[str, ...]:
    """Return the command of a client that is written in a few lines."""
    return sys.executable, "-c", CONNECT + "\n".join(lines), "{url}", "{wav}"


class Checked:
    """Runs `check client` on a command."""

    def __init__(self, speechwire: Speechwire, folder: Path) -> None:
        self._speechwire = speechwire
        self._file = folder / "report.json"

    def __call__(self, *command: str | Path, options: Sequence[str] = ()) -> Ran:
        """Run it; the report has to be valid."""
        return self._speechwire("check", "client", *options, "--json", self._file, "--", *command)

    @property
    def report(self) -> dict[str, Any]:
        """The report of the last run."""
        document: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
        return document

    def verdict(self, name: str) -> str:
        """Return the verdict on a requirement, named without the dialect's prefix."""
        row = f"translator.client.{name}"
        return next(str(check["verdict"]) for check in self.report["checks"] if check["row"] == row)


@pytest.fixture
def checked(speechwire: Speechwire, tmp_path: Path) -> Checked:
    """Give the runner."""
    return Checked(speechwire, tmp_path)


class TestGoodClients:
    def test_the_reference_client_conforms_strictly(self, speechwire: Speechwire, checked: Checked) -> None:
        client = (speechwire.program, "translate", "{wav}", "--url", "{url}", "--key", "{key}", "--pace", "0")
        ran = checked(*client, "--from", "{from}", "--to", "{to}", "--voice", "{voice}", options=["--strict"])
        assert (ran.code, ran.err) == (0, "")
        assert {check["verdict"] for check in checked.report["checks"]} == {"ok"}
        assert checked.report["peer"]["exit"] == 0

    def test_also_over_tls(self, speechwire: Speechwire, checked: Checked) -> None:
        client = (speechwire.program, "translate", "{wav}", "--url", "{url}", "--key", "{key}", "--pace", "0")
        assert checked(*client, "--ca", "{ca}", options=["--tls"]).code == 0

    def test_what_is_filled_in(self, checked: Checked) -> None:
        words = "{url} {wav} {key} {from} {to} {voice} {other}"
        show = "import os, sys; print(sys.argv[1:], os.environ['SPEECHWIRE_CASE'])"
        checked(sys.executable, "-c", show, *words.split(), options=["--from", "de-DE", "--to", "en", "--voice", "V"])
        printed = checked.report["peer"]["output"]
        assert "'ws://127.0.0.1:" in printed
        assert "/speech/translate'" in printed
        assert "speech.wav', 'test-key', 'de-DE', 'en', 'V', '{other}'] session" in printed

    def test_the_recording_plays_and_ends_in_silence(self, checked: Checked) -> None:
        show = (
            "import sys, wave; f = wave.open(sys.argv[2]); print(f.getframerate(), any(f.readframes(10**6)[-80000:]))"
        )
        checked(sys.executable, "-c", show, "{url}", "{wav}")
        assert checked.report["peer"]["output"] == "16000 False\n"


class TestDepartures:
    def test_a_text_message_is_a_violation(self, checked: Checked) -> None:
        ran = checked(*python("client.send('hello')", "client.recv()", "client.close()"))
        assert ran.code == 1
        assert checked.verdict("binary-only") == "violation"
        assert "a text message 'hello'" in ran.out

    def test_no_header_is_a_violation(self, checked: Checked) -> None:
        ran = checked(*python("client.send_binary(bytes(32000))", "client.recv()", "client.close()"))
        assert ran.code == 1
        assert checked.verdict("header-first") == "violation"

    def test_a_final_that_is_not_waited_for_is_mild(self, checked: Checked) -> None:
        ran = checked(*python("client.send_binary(open(wav, 'rb').read()[:60000])", "client.close()"))
        assert ran.code == 0
        assert checked.verdict("waits-for-final") == "non-strict"
        assert checked.verdict("silence") == "non-strict"

    def test_an_end_without_a_close_frame_is_mild(self, checked: Checked) -> None:
        ran = checked(*python(SPEAK, "client.sock.close()"))
        assert (ran.code, checked.verdict("closes")) == (0, "non-strict")


class TestClientsThatDoNotEndWell:
    def test_one_that_hangs_is_ended_with_all_its_children(self, checked: Checked, tmp_path: Path) -> None:
        note = tmp_path / "pid"
        client = python(
            "import subprocess",
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
            f"open({str(note)!r}, 'w').write(str(child.pid))",
            SPEAK,
            "time.sleep(600)",
        )
        begun = time.monotonic()
        ran = checked(*client, options=["--hang", "3"])
        assert time.monotonic() - begun < 20
        assert (ran.code, checked.verdict("closes")) == (1, "violation")
        assert "still running after 3 s" in ran.out
        assert "had to be ended" in ran.err
        child = int(note.read_text("utf-8"))
        deadline = time.monotonic() + 5
        while _lives(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _lives(child)

    def test_one_that_never_connects_proves_nothing(self, checked: Checked) -> None:
        ran = checked(sys.executable, "-c", "print('no such host'); raise SystemExit(4) # {url}")
        assert (ran.code, checked.report["outcome"]) == (3, "could-not-run")
        assert "never connected and exited with 4" in ran.out
        assert ran.err.splitlines() == ["the client exited with 4; it printed at the end:", "    no such host"]

    def test_what_it_prints_cannot_act_on_the_terminal(self, checked: Checked) -> None:
        ran = checked(sys.executable, "-c", "print('\\x1b[2J[red]'); raise SystemExit(1) # {url}")
        assert "\x1b" not in ran.out + ran.err
        assert "    \\x1b[2J[red]" in ran.err

    def test_one_that_prints_without_end_is_kept_short(self, checked: Checked) -> None:
        ran = checked(sys.executable, "-c", "for n in range(200_000): print('line', n) # {url}")
        assert ran.code == 3
        assert len(checked.report["peer"]["output"]) < 5000
        assert checked.report["peer"]["output"].endswith("line 199999\n")

    def test_one_that_is_refused(self, checked: Checked) -> None:
        line = CONNECT.replace("test-key", "wrong")
        ran = checked(sys.executable, "-c", line, "{url}", "{wav}")
        assert ran.code == 3
        assert checked.verdict("credentials") == "ok"
        assert "401" in ran.err

    def test_one_that_cannot_be_started(self, speechwire: Speechwire) -> None:
        ran = speechwire("check", "client", "--", "./no-such-client", "{url}")
        assert ran.code == 3
        assert ran.complaint.startswith("the command './no-such-client' cannot be started: ")


def _lives(process: int) -> bool:
    """Tell whether a process runs; one that waits for its parent to look at it does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


class TestMistakes:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ((), "Missing argument"),
            (("--", "./my-client"), "COMMAND has no {url} in it"),
            (("--hang", "0", "--", "./my-client", "{url}"), "--hang"),
            (("--dialect", "esperanto", "--", "./my-client", "{url}"), "--dialect"),
        ],
    )
    def test_of_the_command_line(self, speechwire: Speechwire, words: tuple[str, ...], says: str) -> None:
        ran = speechwire("check", "client", *words)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err

    def test_a_report_that_cannot_be_written(self, speechwire: Speechwire, tmp_path: Path) -> None:
        ran = speechwire("check", "client", "--junit", tmp_path, "--", "./my-client", "{url}")
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint == f"cannot write the report {tmp_path}: is a directory"

    def test_a_selection_that_leaves_nothing(self, speechwire: Speechwire) -> None:
        ran = speechwire("check", "client", "--skip", "s*", "--", "./my-client", "{url}")
        assert ran.code == 3
        assert ran.complaint == "no case matches --only and --skip; a client has the case session"
