"""`speechwire check server` and `speechwire doctor`, run as their users run them."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

import schemas
from conformance.cases import registry

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

KEY = ("--key", "test-key")
QUICK = ("--only", "handshake.accept", "--only", "voice.*")
FAULT = "translator.handshake.request-id/left-out"
STATES = {"tested", "not-applicable", "not-observed", "excluded"}


def read(file: Path) -> dict[str, Any]:
    """Return a report that is valid by its schema."""
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
    return document


def cases(report: dict[str, Any]) -> set[str]:
    return {check["case"] for check in report["checks"]}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class TestAWholeRun:
    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("reports")

    @pytest.fixture(scope="class")
    @classmethod
    def ran(cls, speechwire: Speechwire, server: Serving, folder: Path) -> Ran:
        files = ("--json", folder / "r.json", "--junit", folder / "r.xml", "--markdown", folder / "r.md")
        return speechwire("check", "server", server.url, "--dialect", "translator", *KEY, *files)

    def test_the_reference_server_conforms(self, ran: Ran, folder: Path) -> None:
        report = read(folder / "r.json")
        departing = [check["id"] for check in report["checks"] if check["verdict"] not in {"ok", "not-applicable"}]
        assert departing == []
        assert (ran.code, ran.err, report["outcome"]) == (0, "", "conforming")
        assert "Exit code 0, conforming" in ran.out

    def test_json_says_what_was_covered(self, ran: Ran, folder: Path) -> None:
        report = read(folder / "r.json")
        assert ran.code == 0
        assert set(report["coverage"].values()) <= STATES
        assert sum(state == "tested" for state in report["coverage"].values()) > 100
        assert report["timing"]["waiting_s"] <= report["timing"]["total_s"]

    def test_junit_has_a_test_case_for_every_check(self, ran: Ran, folder: Path) -> None:
        tree = ET.parse(folder / "r.xml")  # noqa: S314 - we have written it
        assert ran.code == 0
        assert len(list(tree.iter("testcase"))) >= len(read(folder / "r.json")["checks"])
        assert list(tree.iter("failure")) == []

    def test_markdown_has_the_summary(self, ran: Ran, folder: Path) -> None:
        assert ran.code == 0
        assert "conforming" in (folder / "r.md").read_text("utf-8")

    def test_no_report_has_the_key(self, ran: Ran, folder: Path) -> None:
        written = [ran.out, *(file.read_text("utf-8") for file in folder.iterdir())]
        assert not any("test-key" in text for text in written)

    def test_no_file_is_left_beside_the_reports(self, ran: Ran, folder: Path) -> None:
        assert ran.code == 0
        assert {file.name for file in folder.iterdir()} == {"r.json", "r.xml", "r.md"}


class TestSelection:
    def test_only_and_skip(self, speechwire: Speechwire, server: Serving, tmp_path: Path) -> None:
        report = tmp_path / "r.json"
        ran = speechwire("check", "server", server.url, *KEY, *QUICK, "--skip", "voice.mp3", "--json", report)
        assert ran.code == 0
        expected = {case.id for case in registry.load("translator") if case.id.startswith("voice.")} - {"voice.mp3"}
        run = cases(read(report)) - {"wire"}
        assert "handshake.accept" in run
        assert "voice.mp3" not in run
        assert run <= expected | {"handshake.accept"}

    def test_that_leaves_nothing_proves_nothing(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("check", "server", server.url, *KEY, "--only", "nothing.*")
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint == "no case matches --only and --skip; `speechwire cases` lists them"

    def test_what_the_server_lacks_is_not_applicable(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path
    ) -> None:
        report = tmp_path / "r.json"
        ran = speechwire("check", "server", server.url, *KEY, *QUICK, "--without", "tts, mp3", "--json", report)
        verdicts = {check["verdict"] for check in read(report)["checks"] if check["case"].startswith("voice.")}
        assert (ran.code, verdicts) == (0, {"not-applicable"})

    def test_stop_at_the_first_violation(self, speechwire: Speechwire, tmp_path: Path) -> None:
        report = tmp_path / "r.json"
        chosen = ("--only", "auth.*", "--only", "voice.*", "--connections", "1")
        with speechwire.serve("--fault", "translator.auth.bad-key/accepted") as serving:
            ran = speechwire("check", "server", serving.url, *KEY, *chosen, "-x", "--json", report)
        assert ran.code == 1
        assert "auth.bad-key" in cases(read(report))
        assert not any(case.startswith("voice.") for case in cases(read(report)))


class TestDepartures:
    def test_a_violation_is_shown_with_what_happened(self, speechwire: Speechwire, tmp_path: Path) -> None:
        files = ("--json", tmp_path / "r.json", "--junit", tmp_path / "r.xml")
        with speechwire.serve("--fault", FAULT) as serving:
            ran = speechwire("check", "server", serving.url, *KEY, "--only", "handshake.accept", *files)
        assert ran.code == 1
        report = read(tmp_path / "r.json")
        assert report["outcome"] == "violations"
        (check,) = (check for check in report["checks"] if check["verdict"] == "violation")
        assert check["row"] == "translator.handshake.request-id"
        assert "< HTTP 101" in ran.out
        assert "again: speechwire check server" in ran.out
        assert len(list(ET.parse(tmp_path / "r.xml").iter("failure"))) == 1  # noqa: S314 - we have written it

    def test_what_is_advised_counts_when_it_is_asked_for(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--fault", "translator.close.reason/empty") as serving:
            chosen = ("check", "server", serving.url, *KEY, "--only", "audio.no-header")
            codes = [speechwire(*chosen).code, speechwire(*chosen, "--strict").code]
        assert codes == [0, 1]


class TestCouldNotRun:
    def test_a_dead_port(self, speechwire: Speechwire, tmp_path: Path) -> None:
        port = free_port()
        ran = speechwire("check", "server", f"ws://127.0.0.1:{port}", *KEY, "--json", tmp_path / "r.json")
        assert ran.code == 3
        report = read(tmp_path / "r.json")
        assert (report["outcome"], cases(report)) == ("could-not-run", {"control"})
        assert f"no connection to 127.0.0.1:{port}" in ran.err

    @pytest.mark.parametrize("credentials", [(), ("--key", "wrong"), ("--token", "wrong"), ("--key", "")])
    def test_no_good_credentials(self, speechwire: Speechwire, server: Serving, credentials: tuple[str, ...]) -> None:
        ran = speechwire("check", "server", server.url, *credentials)
        assert ran.code == 3
        assert "refused with status 401" in ran.err

    def test_a_path_with_nothing_behind_it(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("check", "server", f"{server.url}/t\u00eate", *KEY)
        assert ran.code == 3
        assert "refused with status 404" in ran.err

    def test_a_server_that_takes_the_connection_and_is_silent(self, speechwire: Speechwire) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
            ran = speechwire("check", "server", url, *KEY, "--slow", "0.1")
        assert ran.code == 1, "a hang is a violation"


class TestMistakes:
    @pytest.mark.parametrize("option", ["--json", "--junit", "--markdown"])
    def test_a_report_that_cannot_be_written(self, speechwire: Speechwire, tmp_path: Path, option: str) -> None:
        target = tmp_path / "none" / "report"
        ran = speechwire("check", "server", "ws://127.0.0.1:9", *KEY, option, target)
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint == f"cannot write the report {target}: no such file or directory"

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--without", "wings"), "--without wings"),
            (("--pace", "-1"), "--pace"),
            (("--connections", "0"), "--connections"),
            (("--slow", "0"), "--slow"),
            (("--dialect", "esperanto"), "--dialect"),
            (("--audio", "/nowhere/at/all"), "/nowhere/at/all"),
            (("--insecure",), "wss://"),
            (("--header", "X: \u00fc"), "printable ASCII"),
            (("--fast",), "--fast"),
        ],
    )
    def test_of_the_command_line(self, speechwire: Speechwire, options: tuple[str, ...], says: str) -> None:
        ran = speechwire("check", "server", "ws://127.0.0.1:9", *KEY, *options)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err


class TestDoctor:
    def test_a_good_server(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("doctor", server.url, *KEY)
        assert (ran.code, ran.err) == (0, "")
        lines = ran.out.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["ok", "connection"],
            ["ok", "upgrade"],
            ["ok", "final"],
            ["ok", "close"],
        ]

    def test_shows_the_conversation_when_it_is_asked_to(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("doctor", server.url, *KEY, "-v")
        assert ran.code == 0
        assert "> GET /speech/translate" in ran.out
        assert "< close 1000" in ran.out
        assert "test-key" not in ran.out

    def test_a_dead_port(self, speechwire: Speechwire) -> None:
        ran = speechwire("doctor", f"127.0.0.1:{free_port()}", *KEY)
        assert ran.code == 3
        failed, advice = ran.out.splitlines()
        assert failed.startswith("FAIL tcp")
        assert advice.strip() == "Is the server running, and is this its port?"

    def test_a_wrong_key(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("doctor", server.url, "--key", "wrong")
        assert ran.code == 3
        assert "FAIL upgrade" in ran.out
        assert "give --key or --token" in ran.out

    def test_a_server_that_gives_up(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "ends.json"
        script.write_text('{"defaults": [{"end": {"before": "final", "reason": "no idea"}}]}', "utf-8")
        with speechwire.serve("--script", script) as serving:
            ran = speechwire("doctor", serving.url, *KEY)
        assert ran.code in {1, 3}
        assert "FAIL final" in ran.out
        assert "no idea" in ran.out, "the conversation is shown, to find out why"
