"""How much work it is to start the command, in units of starting Python: no seconds, so that no machine is too slow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Speechwire

RUNS = 7
MOST = 7.0  # click alone is 3.5, all of it less than 5; asyncio, numpy or jsonschema would each bring it above this


def cost(*command: str | Path) -> float:
    """Return the processor time of a command, user and system, in seconds: the least of several runs."""
    least = float("inf")
    for _ in range(RUNS):
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = getrusage(RUSAGE_CHILDREN)
        least = min(least, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return least


def test_help_is_little_more_work_than_python_itself(speechwire: Speechwire) -> None:
    python = cost(sys.executable, "-c", "pass")
    command = cost(speechwire.program, "--help")
    assert command < MOST * python, f"{command / python:.1f} times the work of an empty program"
