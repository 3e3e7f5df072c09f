"""Every module of the protocol and of the judge is covered by its own unit test alone: every branch of it.

What a module promises is tested where a reader looks for it, not by accident from three rooms away. The test of
`protocol/x.py` is `tests/unit/test_x.py`, and that of `conformance/judge/translator/x.py` is
`tests/unit/test_judge_translator_x.py`; a long one may go on in `test_x_more.py`. A name that is free in `protocol/`
may go without the word `judge`.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"

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


def does_something(module: Path) -> bool:
    """Tell whether a module has code; the docstring of a package is none."""
    return any(isinstance(node, ast.stmt) for node in ast.parse(module.read_text("utf-8")).body[1:])


def modules() -> dict[str, str]:
    """Return path by test name (`translator_handshake`) of every module that has to have its own test."""
    found = {name_of(module, ROOT / "protocol"): module for module in python_files(ROOT / "protocol")}
    for module in python_files(ROOT / "conformance" / "judge"):
        name = name_of(module, ROOT / "conformance" / "judge")
        long = f"judge_{name}" if name else "judge"
        short = (UNIT / f"test_{name}.py").is_file() and name not in found
        found[name if short else long] = module
    return {name: str(module.relative_to(ROOT)) for name, module in found.items()}


def python_files(folder: Path) -> Iterator[Path]:
    """Yield the modules below a folder that do something."""
    yield from (module for module in sorted(folder.rglob("*.py")) if does_something(module))


def name_of(module: Path, package: Path) -> str:
    """Return the name that the test of a module bears."""
    parts = module.relative_to(package).with_suffix("").parts
    return "_".join(part for part in parts if part != "__init__")


MODULES = modules()


def own_tests(name: str) -> list[str]:
    """Return the test files of one module: those whose name begins with its name and with no longer one."""
    found = []
    for file in sorted(UNIT.glob("test_*.py")):
        tested = file.stem.removeprefix("test_")
        owners = [other for other in MODULES if tested == other or tested.startswith(f"{other}_")]
        if max(owners, key=len, default="") == name:
            found.append(str(file))
    return found


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
