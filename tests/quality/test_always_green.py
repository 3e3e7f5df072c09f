"""No false alarm: the reference server is green every time, also when the machine is busy with something else."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.synchronize
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.judge.benches import BENCHES

SPEECHWIRE = str(Path(sys.executable).parent / "speechwire")
RUNS = 20


@contextmanager
def reference_server() -> Iterator[str]:
    process = subprocess.Popen([SPEECHWIRE, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("LISTENING ").strip()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def _burn(stop: multiprocessing.synchronize.Event) -> None:
    while not stop.is_set():
        sum(range(10_000))


@contextmanager
def busy_cores() -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    burners = [context.Process(target=_burn, args=(stop,)) for _ in range(os.cpu_count() or 1)]
    for burner in burners:
        burner.start()
    try:
        yield
    finally:
        stop.set()
        for burner in burners:
            burner.join(20)


def departures(url: str, dialect: str, folder: Path, runs: int) -> dict[int, object]:
    """Check a server so often; return what was not ok in which run."""
    options = ["--dialect", dialect, "--key", "test-key"]
    found: dict[int, object] = {}
    for run in range(runs):
        report = folder / "report.json"
        command = [SPEECHWIRE, "check", "server", url, *options, "--json", str(report), "--seed", str(run)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        checks = json.loads(report.read_text())["checks"]
        wrong = [check for check in checks if check["verdict"] not in {"ok", "not-applicable"}]
        if wrong or done.returncode:
            found[run] = (done.returncode, wrong)
    return found


@pytest.mark.parametrize("dialect", BENCHES)
def test_green_under_load(dialect: str, tmp_path: Path) -> None:
    with reference_server() as url, busy_cores():
        assert departures(url, dialect, tmp_path, 3) == {}


@pytest.mark.slow
@pytest.mark.parametrize("dialect", BENCHES)
class TestTwentyTimes:
    def test_on_a_quiet_machine(self, dialect: str, tmp_path: Path) -> None:
        with reference_server() as url:
            assert departures(url, dialect, tmp_path, RUNS) == {}

    def test_with_all_cores_busy(self, dialect: str, tmp_path: Path) -> None:
        with reference_server() as url, busy_cores():
            assert departures(url, dialect, tmp_path, RUNS) == {}
