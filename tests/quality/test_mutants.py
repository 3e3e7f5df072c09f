"""The unit tests see mistakes: of 50 mutants of the protocol at most two survive them.

Covered lines say that a test came by, not that it looked. Each mutant meets the own tests of its module first, and
those of the whole protocol if it survives them, in a copy of both and in a process of its own. Another draw:
`SPEECHWIRE_MUTANT_SEED=7`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import pytest

from tests.quality.mutation import Mutant, draw, mutants
from tests.quality.own_tests import MODULES, ROOT, own_tests

SEED = 2026
DRAWN = 50
SURVIVORS = 2

# Seconds of the processor: a busy machine makes no mutant hang. The own tests of every module take less than five.
OWN_LIMIT = 15
ALL_LIMIT = 180

# A mutant that does not end must not take all memory on the way either.
PROGRAM = """
import importlib.util, pathlib, resource, sys
limit, *tests = sys.argv[1:]
found = importlib.util.find_spec("protocol")
if not pathlib.Path(found.origin).is_relative_to(pathlib.Path.cwd()):
    sys.exit("not the copy: " + found.origin)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
import pytest
print("the copy", flush=True)
sys.exit(pytest.main(["-q", "-x", "--no-header", *tests]))
"""

# Nothing was tested, or somebody else has ended it: at its limit a process ends with SIGXCPU.
NO_VERDICT = (pytest.ExitCode.NO_TESTS_COLLECTED, -signal.SIGTERM, -signal.SIGKILL)

OWN = {module: own_tests(name) for name, module in MODULES.items() if module.startswith("protocol/")}


class Copy:
    """The protocol, and the unit tests of it without any other room, in a folder where they may be broken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for package in ("protocol", "schemas"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "tests" / "unit").mkdir(parents=True)
        shutil.copy(ROOT / "pyproject.toml", folder)
        shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
        helpers = (file for file in (ROOT / "tests" / "unit").glob("*.py") if not file.name.startswith("test_"))
        for file in (*helpers, *(Path(test) for tests in OWN.values() for test in tests)):
            if file.name != "conftest.py":  # builds transcripts for the tests of the suite
                shutil.copy(file, folder / "tests" / "unit")

    def passes(self, tests: list[str], limit: int) -> bool:
        """Run tests in a process of their own; who does not end within the limit does not pass."""
        names = [f"tests/unit/{Path(test).name}" for test in tests]
        try:
            run = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(limit), *names],
                cwd=self._folder,
                env={**os.environ, "CI": "1", "OPENBLAS_NUM_THREADS": "1"},  # the same examples in every run
                capture_output=True,
                text=True,
                check=False,
                timeout=20 * limit,
            )
        except subprocess.TimeoutExpired:  # it sleeps
            return False
        assert run.stdout.startswith("the copy"), run.stderr
        assert run.returncode not in NO_VERDICT, run.stdout
        return run.returncode == 0

    def survives(self, module: str, code: str) -> bool:
        """Tell whether neither the own tests of a module nor any others see that its code is another."""
        path = self._folder / module
        original = path.read_text("utf-8")
        try:
            self._write(path, code)
            others = [test for tests in OWN.values() for test in tests if test not in OWN[module]]
            return self.passes(OWN[module], OWN_LIMIT) and self.passes(others, ALL_LIMIT)
        finally:
            self._write(path, original)

    @staticmethod
    def _write(path: Path, code: str) -> None:
        path.write_text(code, "utf-8")
        # Python tells by size and second whether what it compiled is still right; two mutants can have both in common.
        Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Queue[Copy]:
    """Two copies, so that two mutants can be judged at a time; where the original does not pass, no mutant can."""
    queue: Queue[Copy] = Queue()
    for _ in range(2):
        queue.put(copy := Copy(tmp_path_factory.mktemp("copy")))
    assert copy.passes([test for tests in OWN.values() for test in tests], ALL_LIMIT), "the original does not pass"
    return queue


@pytest.mark.timeout(600)
def test_what_breaks_everything_does_not_survive(copies: Queue[Copy]) -> None:
    copy = copies.get()
    try:
        assert not copy.survives("protocol/audio.py", "raise RuntimeError\n")
    finally:
        copies.put(copy)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_hardly_a_mutant_survives(copies: Queue[Copy]) -> None:
    def survives(mutant: Mutant) -> bool:
        copy = copies.get()
        try:
            return copy.survives(mutant.module, mutant.code)
        finally:
            copies.put(copy)

    drawn = draw(mutants(ROOT, "protocol"), DRAWN, int(os.environ.get("SPEECHWIRE_MUTANT_SEED", SEED)))
    assert len(drawn) == DRAWN
    with ThreadPoolExecutor(max_workers=2) as pool:
        survivors = [mutant.diff for mutant, survived in zip(drawn, pool.map(survives, drawn), strict=True) if survived]
    assert len(survivors) <= SURVIVORS, "\n\n".join(["nobody sees", *survivors])
