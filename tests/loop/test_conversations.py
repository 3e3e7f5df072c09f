"""Conversations that nobody wrote, over real sockets: found, written, replayed elsewhere, and by a script alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Serving, Speechwire

FAULT = "speech.read.header-order/time-before-path"
REQUIREMENT = "speech.read.header-order"
CHECK = ("--dialect", "speech-v2", "--key", "test-key", "--only", "conversations")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, speechwire: Speechwire) -> Path:
    """Give the folder of a run against a server with a fault."""
    folder = tmp_path_factory.mktemp("run")
    with speechwire.serve("--fault", FAULT) as faulty:
        ran = speechwire("check", "server", faulty.url, *CHECK, "--json", folder / "report.json", cwd=folder)
    (folder / "printed").write_text(ran.out, "utf-8")
    assert ran.code == 1
    return folder


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    return folder / "speechwire-bundles" / f"speech-v2-{REQUIREMENT}.json"


@pytest.mark.timeout(240)
class TestAFailure:
    def test_is_in_the_report_with_its_bundle(self, folder: Path, bundle: Path) -> None:
        report = json.loads((folder / "report.json").read_text("utf-8"))
        found = next(check for check in report["checks"] if check["row"] == REQUIREMENT)
        assert (found["case"], found["verdict"]) == ("conversations", "violation")
        assert folder / found["bundle"] == bundle
        assert report["conversations"] >= 100

    def test_is_shown_with_what_was_sent_and_how_to_see_it_again(self, folder: Path) -> None:
        printed = (folder / "printed").read_text("utf-8")
        assert "Headers are accepted in any order." in printed
        assert "form 'order'" in printed
        assert "again: speechwire replay speechwire-bundles/speech-v2-speech.read.header-order.json --url ws" in printed

    def test_is_short(self, bundle: Path) -> None:
        steps = json.loads(bundle.read_text("utf-8"))["program"]["steps"]
        assert len(steps) <= 8

    def test_holds_no_key(self, folder: Path) -> None:
        for file in (folder / "speechwire-bundles").iterdir():
            assert "test-key" not in file.read_text("utf-8").replace('["test-key"]', "")


class TestAReplay:
    def test_says_the_same_of_what_was_recorded(self, speechwire: Speechwire, bundle: Path) -> None:
        ran = speechwire("replay", bundle)
        assert ran.code == 1
        assert ran.out.startswith(f"{REQUIREMENT}: then violation, now violation\n")

    def test_fails_with_such_a_server_on_another_port(self, speechwire: Speechwire, bundle: Path) -> None:
        with speechwire.serve("--fault", FAULT) as other:
            ran = speechwire("replay", bundle, "--url", other.url, "--key", "test-key")
        assert ran.code == 1
        assert "then violation, now violation" in ran.out

    def test_is_ok_with_a_sound_one(self, speechwire: Speechwire, bundle: Path, server: Serving) -> None:
        ran = speechwire("replay", bundle, "--url", server.url, "--key", "test-key")
        assert ran.code == 0
        assert "then violation, now ok" in ran.out

    def test_could_not_run_where_nobody_is(self, speechwire: Speechwire, bundle: Path) -> None:
        ran = speechwire("replay", bundle, "--url", "ws://127.0.0.1:1", "--key", "test-key")
        assert ran.code == 3
        assert "does not work" in ran.err

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"seed": 1}', "\xff"])
    def test_of_what_is_no_bundle_is_refused(self, speechwire: Speechwire, tmp_path: Path, text: str) -> None:
        (tmp_path / "b.json").write_text(text, "latin-1")
        ran = speechwire("replay", tmp_path / "b.json")
        assert ran.code == 2
        assert "b.json" in ran.err

    def test_of_a_bundle_with_parts_missing_is_refused(
        self, speechwire: Speechwire, tmp_path: Path, bundle: Path
    ) -> None:
        whole = json.loads(bundle.read_text("utf-8"))
        changes: tuple[dict[str, object], ...] = (
            {"stopped": []},
            {"spans": []},
            {"departure": {**whole["departure"], "talk": 7}},
        )
        for change in changes:
            (tmp_path / "b.json").write_text(json.dumps({**whole, **change}), "utf-8")
            ran = speechwire("replay", tmp_path / "b.json")
            assert (ran.code, "b.json" in ran.err) == (2, True)


class TestTheScript:
    def script(self, bundle: Path, url: str) -> str:
        # Isolated: of what is installed it may use `websockets`, and nothing of the project's folder.
        ran = subprocess.run(
            [sys.executable, "-I", bundle.with_suffix(".py"), url, "test-key"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=bundle.parent,
        )
        return ran.stdout

    def test_is_short_and_needs_nothing_but_websockets(self, bundle: Path) -> None:
        text = bundle.with_suffix(".py").read_text("utf-8")
        assert text.count("\n") < 40
        imports = [line for line in text.split("\n") if line.startswith(("import ", "from "))]
        assert imports == [
            "import base64, contextlib, json, sys, zlib",
            "from websockets.exceptions import ConnectionClosed, InvalidStatus",
            "from websockets.sync.client import connect",
        ]

    def test_shows_the_failure_by_itself(self, speechwire: Speechwire, bundle: Path) -> None:
        with speechwire.serve("--fault", FAULT) as other:
            assert "1007" in self.script(bundle, other.url)

    def test_shows_none_with_a_sound_server(self, bundle: Path, server: Serving) -> None:
        assert "1007" not in self.script(bundle, server.url)


class TestTheDeepProfile:
    def test_goes_on_for_its_minutes_and_keeps_nothing_of_a_sound_server(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path
    ) -> None:
        options = ("--profile", "deep", "--minutes", "0.05", "--json", tmp_path / "r.json")
        ran = speechwire("check", "server", server.url, *CHECK, *options, cwd=tmp_path)
        assert ran.code == 0
        report = json.loads((tmp_path / "r.json").read_text("utf-8"))
        assert report["conversations"] > 0
        assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
