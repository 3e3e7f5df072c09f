"""What starting the command costs, beside Python itself.

It is CPU time: a start waits for nothing, so on an idle machine that is how long it takes.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter

pytestmark = pytest.mark.slow

ROUNDS = 11
SPEECHWIRE = str(Path(sys.executable).with_name("speechwire"))


def ran(*command: str) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def served() -> None:
    with subprocess.Popen((SPEECHWIRE, "serve", "--port", "0"), stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("LISTENING ")
        process.terminate()
    assert process.returncode == 0


def cpu(start: Callable[[], None]) -> float:
    """Return the CPU time, user and system, of a process that is started and ends, in ms."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000


def test_start(meter: Meter) -> None:
    commands = ("--version", "requirements", "cases", "check server --help", "translate --help")
    sides = {f"speechwire {words}": partial(cpu, partial(ran, SPEECHWIRE, *words.split())) for words in commands}
    meter.compare(
        "Start of the command",
        "ms of CPU (min / median / max)",
        {
            "python -c pass": partial(cpu, partial(ran, sys.executable, "-c", "pass")),
            **sides,
            "speechwire serve, up to LISTENING and stopped": partial(cpu, served),
        },
        ROUNDS,
    )
