"""Every module of the protocol and of the judge is covered by its own unit test alone: every branch of it.

What a module promises is tested where a reader looks for it, not by accident from three rooms away; `own_tests` says
where that is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.quality.own_tests import MODULES, ROOT, own_tests

PROGRAM = """
import json, sys
import coverage, pytest
module, *tests = sys.argv[1:]
measured = coverage.Coverage(data_file=None, include=[module])
measured.start()
code = pytest.main(["-q", *tests])
measured.stop()
percent = measured.report() if module in measured.get_data().measured_files() else 0.0
print()
print(json.dumps({"code": int(code), "percent": percent}))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the own tests of one module did: pytest's exit code, and how much of the module they ran."""

    code: int
    percent: float
    output: str


def measure(name: str) -> Outcome:
    """Run the own tests of one module in a process of their own."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / MODULES[name]), *own_tests(name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        said = json.loads(run.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return Outcome(run.returncode or -1, 0.0, run.stdout + run.stderr)
    return Outcome(said["code"], said["percent"], run.stdout)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Outcome]]]:
    """Start to measure the modules that were asked for, two at a time, while the tests wait for their own."""
    chosen = {item.name for item in request.session.items}
    asked = [name for name, module in MODULES.items() if f"test_covered_by_its_own_test[{module}]" in chosen]
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {name: pool.submit(measure, name) for name in asked if own_tests(name)}


@pytest.mark.parametrize("name", MODULES, ids=MODULES.values())
def test_covered_by_its_own_test(name: str, outcomes: dict[str, Future[Outcome]]) -> None:
    assert name in outcomes, f"{MODULES[name]} has no test of its own: tests/unit/test_{name}.py is missing"
    outcome = outcomes[name].result()
    assert outcome.code == 0, outcome.output
    assert outcome.percent == 100, outcome.output


def test_there_is_something_to_measure() -> None:
    assert {"protocol/order.py", "protocol/translator/handshake.py"} <= set(MODULES.values())
    assert any(module.startswith("conformance/judge/") for module in MODULES.values())
