"""The pytest plugin, in a pytest of its own: the checks of a server as items, and a server for each test of an app."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from conformance import pytest_plugin
from conformance.cases.target import ENDPOINTS
from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report import json_report, junit
from conformance.report.events import Report
from protocol import requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Serving, Speechwire

FAULT = "translator.handshake.request-id/left-out"
BROKEN = "wire/translator.handshake.request-id"
KEY = ("--speechwire-key", "test-key")
ONE = ("--speechwire-args", "--only handshake.accept")
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the other plugins of this environment take longer than the tests

# Leaves a note of how it was called, and plays the command: writes the reports that lie beside it.
PLAYED = """\
#!{python}
import json, os, pathlib, shutil, sys, time
beside = pathlib.Path(__file__).parent
note = {{"pid": os.getpid(), "line": sys.argv[1:], "key": os.environ.get("SPEECHWIRE_KEY")}}
(beside / "note.tmp").write_text(json.dumps(note))
(beside / "note.tmp").rename(beside / "note.json")
for option in ("--json", "--junit"):
    if (beside / option).exists():
        shutil.copy(beside / option, sys.argv[sys.argv.index(option) + 1])
sys.stderr.write({says!r})
time.sleep({seconds})
sys.exit({code})
"""

APP = """\
import json, os, subprocess, sys, urllib.error, urllib.request

def heard(server, dialect):
    line = [os.environ["SPEECHWIRE"], "translate", "corpus:pair", "--dialect", dialect, "--url", server.url]
    ran = subprocess.run([*line, "--key", server.key, "--pace", "0", "--json"], check=True, capture_output=True)
    events = map(json.loads, ran.stdout.splitlines())
    return [(event["recognition"], event["translation"]) for event in events if event["event"] == "final"]
"""


class Inner:
    """Runs pytest in a folder that is a project of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pytest.ini").write_text("[pytest]\n")

    def start(self, *options: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PYTEST, "-p", "speechwire", *options],
            cwd=self.folder,
            env={**os.environ, **ALONE, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def __call__(self, *options: str, **env: str) -> tuple[int, str]:
        """Return the exit code and all that was written, without a traceback."""
        with self.start(*options, **env) as process:
            out = process.communicate(timeout=100)[0]
        assert "Traceback" not in out
        assert "INTERNALERROR" not in out
        return process.returncode, out

    def test(self, *lines: str) -> None:
        """Write one test that has the fixture."""
        body = "".join(f"    {line}\n" for line in lines)
        (self.folder / "test_app.py").write_text(f"{APP}\ndef test_app(speechwire_server):\n{body}", "utf-8")


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    return Inner(tmp_path)


@pytest.fixture
def played(tmp_path: Path) -> Callable[..., tuple[str, ...]]:
    """Give what names a server, and a command that plays ours."""
    program = tmp_path / "played"

    def play(*, code: int = 0, says: str = "", seconds: float = 0) -> tuple[str, ...]:
        program.write_text(PLAYED.format(python=sys.executable, code=code, says=says, seconds=seconds))
        program.chmod(0o755)
        return ("--speechwire-server", "ws://server.test", f"--speechwire-command={program}")

    return play


def note(folder: Path) -> dict[str, object]:
    read: dict[str, object] = json.loads((folder / "note.json").read_text())
    return read


def report(folder: Path, *checks: Check) -> None:
    """Lay the reports of these checks where the played command finds them."""
    whole = Report("1", "2026.1", {}, "translator", 0, "conforming", ExitCode.CONFORMING, checks, {}, 1.0, 0.0)
    register = requirements.load("translator")
    (folder / "--json").write_text(json_report.render(whole, register), "utf-8")
    (folder / "--junit").write_text(junit.render(whole, register), "utf-8")


def check(verdict: Verdict, worst: Verdict | None = None) -> Check:
    case = f"{verdict.value}-{worst.value}" if worst else verdict.value
    return Check(case, "translator.close.echo", verdict, "a close", "nothing", 3, 1 if worst else 0, worst=worst)


def outcomes(out: str) -> dict[str, str]:
    """Return how the item of each case ended, of a run with -v."""
    return dict(re.findall(r"^speechwire::(\S+)/translator\.close\.echo (\w+)", out, re.MULTILINE))


def test_the_installed_plugin_is_the_one_of_this_tree() -> None:
    spec = find_spec("pytest_speechwire")
    assert spec is not None, "`make install` registers it"
    assert spec.origin is not None
    assert Path(spec.origin).read_bytes() == Path(pytest_plugin.__file__).read_bytes(), "`make install` copies it"


def test_it_knows_where_each_dialect_is_served() -> None:
    assert {dialect: paths[0] for dialect, paths in ENDPOINTS.items()} == pytest_plugin.PATHS


def test_it_loads_nothing_that_pytest_has_not_loaded(inner: Inner) -> None:
    (inner.folder / "conftest.py").write_text(
        "import sys\n"
        "known = set(sys.modules)\n"
        "import pytest_speechwire\n"
        "print('NEW', sorted(set(sys.modules) - known))\n"
    )
    ran = subprocess.run(
        [*PYTEST, "-s"],
        cwd=inner.folder,
        env={**os.environ, **ALONE},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "NEW ['pytest_speechwire']\n" in ran.stdout


class TestAConformingServer:
    def test_each_check_is_an_item_that_passes(self, inner: Inner, server: Serving) -> None:
        (inner.folder / "schemas").mkdir()
        (inner.folder / "schemas" / "__init__.py").write_text("raise ImportError('not the one of speechwire')")
        chosen = ("--speechwire-args", "--only 'turn.silence*' --only turn.end-of-audio --only audio.header")
        code, out = inner("--speechwire-server", server.url, "--speechwire-dialect", "speech-v2", *KEY, *chosen, "-v")
        assert code == 0, out
        assert "speechwire::audio.header/speech.audio.header-alone PASSED" in out
        assert "speechwire::wire/speech." in out

    def test_what_does_not_apply_is_skipped_with_the_reason(self, inner: Inner, server: Serving) -> None:
        chosen = ("--speechwire-args", "--only voice.mp3 --without mp3")
        code, out = inner("--speechwire-server", server.url, *KEY, *chosen, "-rs")
        assert code == 0, out
        assert "SKIPPED [1] speechwire: the target was declared to be without mp3" in out


class TestAServerThatBreaksARequirement:
    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls, speechwire: Speechwire) -> Iterator[tuple[str, ...]]:
        with speechwire.serve("--fault", FAULT) as serving:
            yield ("--speechwire-server", serving.url, *KEY, *ONE)

    def test_its_item_fails_with_the_card(self, inner: Inner, faulty: tuple[str, ...]) -> None:
        code, out = inner(*faulty, "--junitxml", "pytest.xml")
        assert code == 1
        assert f"FAILED speechwire::{BROKEN} - Failed: violation" in out
        for line in (
            "The 101 response carries the header X-RequestId with a value that the server chose.",
            "[MUST, documented: REF18, REF19]",
            "expected: a header X-RequestId with a value",
            "observed: nothing",
        ):
            assert f"\n{line}\n" in out
        assert "pytest_speechwire.py" not in out
        cases = ET.parse(inner.folder / "pytest.xml").getroot().iter("testcase")  # noqa: S314 - pytest has written it
        failed = [(case.get("classname"), case.get("name")) for case in cases if case.find("failure") is not None]
        assert failed == [("speechwire", BROKEN)]

    def test_x_stops_there_and_k_selects(self, inner: Inner, faulty: tuple[str, ...]) -> None:
        code, out = inner(*faulty, "-x", "-k", "request-id or no-data-after-close")
        assert code == 1
        assert "stopping after 1 failures" in out
        assert " deselected" in out

    def test_collecting_shows_the_checks_and_judges_nothing(self, inner: Inner, faulty: tuple[str, ...]) -> None:
        code, out = inner(*faulty, "--collect-only", "-q")
        assert code == 0
        assert f"speechwire::{BROKEN}\n" in out


class TestVerdicts:
    @pytest.mark.parametrize(
        ("options", "advised"),
        [
            (("-o", "filterwarnings="), "PASSED"),
            (("-W", "error"), "FAILED"),
            (("--speechwire-strict",), "FAILED"),
            (("-o", "speechwire_strict=true"), "FAILED"),
            (("--speechwire-args=--strict",), "FAILED"),
        ],
    )
    def test_what_each_comes_to(
        self, inner: Inner, played: Callable[..., tuple[str, ...]], options: tuple[str, ...], advised: str
    ) -> None:
        flaky = (Verdict.VIOLATION, Verdict.COULD_NOT_RUN, Verdict.NON_STRICT, Verdict.INFORMATIONAL)
        plain = [verdict for verdict in Verdict if verdict is not Verdict.FLAKY]
        report(inner.folder, *map(check, plain), *(check(Verdict.FLAKY, worst) for worst in flaky))
        code, out = inner(*played(), "-v", "-rs", *options)
        assert code == 1
        assert outcomes(out) == {
            "ok": "PASSED",
            "informational": "PASSED",
            "non-strict": advised,
            "violation": "FAILED",
            "could-not-run": "FAILED",
            "not-applicable": "SKIPPED",
            "flaky-violation": "FAILED",
            "flaky-could-not-run": "FAILED",
            "flaky-non-strict": advised,
            "flaky-informational": "PASSED",
        }
        assert out.count("NonStrictWarning: ") == (2 if advised == "PASSED" else 0)
        assert "observed: failed 1 of 3 times, as violation: nothing" in out

    def test_a_run_that_fails_while_no_check_does_is_an_item(
        self, inner: Inner, played: Callable[..., tuple[str, ...]]
    ) -> None:
        report(inner.folder, check(Verdict.NOT_APPLICABLE))
        code, out = inner(*played(code=3))
        assert code == 1
        assert "1 failed, 1 skipped" in out
        assert "\ncould-not-run: `speechwire check server` ended with exit code 3\n" in out


class TestARunThatProvesNothing:
    def test_where_nobody_serves_the_item_says_so(self, inner: Inner) -> None:
        code, out = inner("--speechwire-server", "ws://127.0.0.1:9", *KEY)
        assert code == 1
        assert "observed: no connection to 127.0.0.1:9: Connection refused" in out

    def test_where_there_is_no_report_an_item_says_why(self, inner: Inner) -> None:
        code, out = inner("--speechwire-server", "ws://127.0.0.1:9", "--speechwire-args", "--only nothing.*")
        assert code == 1
        assert "FAILED speechwire::run" in out
        assert "no case matches --only and --skip" in out


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (("--speechwire-dialect", "x"), "speechwire: Invalid value for '--dialect': 'x' is not one of"),
            (("--speechwire-args=--json x",), "--speechwire-args: --json and --junit are taken"),
            (("--speechwire-args='",), "--speechwire-args: No closing quotation"),
            (("--speechwire-command", "no-such-program"), "--speechwire-command: 'no-such-program' is no program"),
        ],
    )
    def test_each_ends_the_session_with_one_sentence(
        self, inner: Inner, options: tuple[str, ...], sentence: str
    ) -> None:
        code, out = inner("--speechwire-server", "ws://127.0.0.1:9", *options)
        assert code == pytest.ExitCode.USAGE_ERROR
        (said,) = [line for line in out.splitlines() if line.startswith("ERROR: ")]
        assert said.startswith(f"ERROR: {sentence}")


class TestTheCommand:
    def test_is_not_run_where_no_server_is_named(self, inner: Inner, played: Callable[..., tuple[str, ...]]) -> None:
        code, out = inner(*played()[2:])
        assert code == pytest.ExitCode.NO_TESTS_COLLECTED, out
        assert not (inner.folder / "note.json").exists()

    def test_gets_the_key_where_nobody_else_sees_it(self, inner: Inner, played: Callable[..., tuple[str, ...]]) -> None:
        report(inner.folder, check(Verdict.OK))
        code, out = inner(*played(), "--speechwire-key", "se-cret", "-v")
        assert code == 0
        assert note(inner.folder)["key"] == "se-cret"
        assert "se-cret" not in str(note(inner.folder)["line"]) + out

    def test_can_be_described_in_the_ini_file(self, inner: Inner, played: Callable[..., tuple[str, ...]]) -> None:
        report(inner.folder, check(Verdict.OK))
        command = played()[2].partition("=")[2]
        settings = {"server": "ws://x", "dialect": "speech-v1", "key": "k", "args": "--only 'a b'", "command": command}
        lines = [f"speechwire_{name} = {value}\n" for name, value in settings.items()]
        (inner.folder / "pytest.ini").write_text(f"[pytest]\n{''.join(lines)}")
        code, out = inner()
        assert code == 0, out
        called = note(inner.folder)
        assert called["key"] == "k"
        assert str(called["line"]).startswith(
            "['check', 'server', 'ws://x', '--dialect', 'speech-v1', '--only', 'a b', '--json'"
        )

    def test_ends_with_pytest_that_is_interrupted(self, inner: Inner, played: Callable[..., tuple[str, ...]]) -> None:
        with inner.start(*played(seconds=100)) as process:
            until = time.monotonic() + 60
            while not (inner.folder / "note.json").exists() and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out = process.communicate(timeout=60)[0]
        assert process.returncode == pytest.ExitCode.INTERRUPTED, out
        assert not Path(f"/proc/{note(inner.folder)['pid']}").exists()

    def test_is_run_once_for_all_workers_of_xdist(self, inner: Inner, played: Callable[..., tuple[str, ...]]) -> None:
        # What pytest-xdist does, as far as this plugin sees it; it is none of this project's dependencies.
        (inner.folder / "conftest.py").write_text(
            "from types import SimpleNamespace\n"
            "import pathlib, json\n"
            "handed = pathlib.Path('handed.json')\n"
            "def pytest_sessionstart(session):\n"
            "    if handed.exists():\n"
            "        session.config.workerinput = json.loads(handed.read_text())\n"
            "        return\n"
            "    node = SimpleNamespace(workerinput={})\n"
            "    session.config.pluginmanager.get_plugin('speechwire-checks').pytest_configure_node(node)\n"
            "    handed.write_text(json.dumps(node.workerinput))\n"
        )
        report(inner.folder, check(Verdict.VIOLATION))
        as_controller = inner(*played())
        (inner.folder / "note.json").unlink()
        as_worker = inner(*played())
        assert as_controller[0] == as_worker[0] == 1
        assert "1 failed" in as_worker[1]
        assert not (inner.folder / "note.json").exists()


class TestTheFixture:
    def test_a_test_sets_what_is_said_and_reads_what_was_received(self, inner: Inner, speechwire: Speechwire) -> None:
        inner.test(
            "speechwire_server.says('Hello.', {'pt': 'Olá.'})",
            "speechwire_server.says('Bye.', {'pt': 'Tchau.'}, partials=['By'], delay_ms={'final': 1})",
            "expected = [('Hello.', 'Olá.'), ('Bye.', 'Tchau.')]",
            "assert heard(speechwire_server, 'translator') == expected",
            "assert heard(speechwire_server, 'speech-v2') == expected",
            "first, second = speechwire_server.received",
            "assert speechwire_server.endpoint('translator') == speechwire_server.url + first.path",
            "assert first.query['to'] == ['pt']",
            "assert first.texts == ()",
            "assert first.document['received']['rate'] == 16000",
            "assert dict(second.headers)['Ocp-Apim-Subscription-Key'] == '(hidden)'",
            "assert speechwire_server.endpoint('speech-v2') == speechwire_server.url + second.path",
            "assert 'speech.config' in second.texts[0]",
            "assert (first.audio_seconds, second.audio_seconds) >= (4, 4)",
        )
        code, out = inner(SPEECHWIRE=str(speechwire.program))
        assert code == 0, out

    def test_an_utterance_that_no_script_may_have_is_refused_and_forgotten(self, inner: Inner) -> None:
        inner.test(
            "import pytest",
            "with pytest.raises(ValueError, match=r'^script: /defaults/0: expected'):",
            "    speechwire_server.says('Hello.', wrong=1)",
            "speechwire_server.says('Hello.')",
            "speechwire_server.says('Nobody.', when={'from': 'de-DE'})",
        )
        code, out = inner("-W", "error")
        assert code == 0, out

    @pytest.mark.parametrize("line", ["raise AssertionError", "raise KeyboardInterrupt"])
    def test_the_server_ends_with_a_test_that_does_not_end_well(self, inner: Inner, line: str) -> None:
        inner.test("open('url', 'w').write(speechwire_server.url)", line)
        inner()
        port = int((inner.folder / "url").read_text().rpartition(":")[2])
        listening = [text.split()[1:4] for text in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        assert f"0100007F:{port:04X}" not in [where for where, _, state in listening if state == "0A"]

    def test_a_server_that_does_not_start_is_one_sentence(
        self, inner: Inner, played: Callable[..., tuple[str, ...]]
    ) -> None:
        inner.test("pass")
        code, out = inner(*played(code=3, says="Error: no room\n")[2:])
        assert code == 1
        assert "\n`speechwire serve` did not start: no room\n" in out

    def test_a_command_that_is_missing_is_one_sentence(self, inner: Inner) -> None:
        inner.test("pass")
        code, out = inner("--speechwire-command", "no-such-program")
        assert code == 1
        assert "\n--speechwire-command: 'no-such-program' is no program\n" in out
        assert "another exception" not in out
