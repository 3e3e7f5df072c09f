"""How long the command takes to start, beside Python itself."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter

pytestmark = pytest.mark.slow

ROUNDS = 11
SPEECHWIRE = str(Path(sys.executable).with_name("speechwire"))


def ran(*command: str) -> float:
    """Run a command to its end; return the ms that it took."""
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def listening(*command: str) -> float:
    """Start a server; return the ms until it listened."""
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        took = (time.perf_counter() - begun) * 1000
        process.terminate()
    assert first.startswith("LISTENING ")
    return took


def test_start(meter: Meter) -> None:
    meter.compare(
        "Start of the command",
        "ms (min / median / max)",
        {
            "python -c pass": partial(ran, sys.executable, "-c", "pass"),
            "speechwire --version": partial(ran, SPEECHWIRE, "--version"),
            "speechwire requirements": partial(ran, SPEECHWIRE, "requirements"),
            "speechwire cases": partial(ran, SPEECHWIRE, "cases"),
            "speechwire check server --help": partial(ran, SPEECHWIRE, "check", "server", "--help"),
            "speechwire serve, until it listens": partial(listening, SPEECHWIRE, "serve", "--port", "0"),
        },
        ROUNDS,
    )
