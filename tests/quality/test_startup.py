"""The command answers at once: it imports what was asked for, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

BUDGET_S = 0.4
TRIES = 5

HEAVY = {"asyncio", "construct", "cryptography", "hypothesis", "jsonschema", "numpy", "rich", "websockets"}

LOADED = """
import json, sys
from conformance.launcher import main
try:
    main()
except SystemExit:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def start(*arguments: str, program: str = "from conformance.launcher import main; main()") -> str:
    """Run the command and return what it wrote to standard error."""
    run = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return run.stderr


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_answers_within_the_budget(option: str) -> None:
    took = []
    for _ in range(TRIES):  # the quickest of them: the others waited for somebody else's work
        began = time.monotonic()
        start(option)
        took.append(time.monotonic() - began)
    assert min(took) < BUDGET_S, f"{min(took):.2f} s at best"


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_imports_no_library_that_the_answer_does_not_need(option: str) -> None:
    loaded = {name.partition(".")[0] for name in json.loads(start(option, program=LOADED))}
    assert "click" in loaded
    assert loaded & HEAVY == set()
