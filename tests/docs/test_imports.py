"""The architecture as import-linter reads it: the contracts hold, name every room, and can break."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "protocol", "reference_server", "conformance")
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS: dict[str, dict[str, Any]] = {contract["id"]: contract for contract in CONFIG["contracts"]}

MAY_IMPORT_THE_SERVER = {"conformance.commands", "conformance.faults", "conformance.launcher"}


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the tree in `folder`."""
    program = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", *options],
        cwd=folder,
        # So that the tree in `folder` is read, not the installed one.
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_contract_holds() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_of_the_suite_is_in_a_contract() -> None:
    rooms = {
        f"conformance.{entry.stem}"
        for entry in (ROOT / "conformance").iterdir()
        if (entry / "__init__.py").is_file() or (entry.suffix == ".py" and entry.stem != "__init__")
    }
    assert rooms - MAY_IMPORT_THE_SERVER == set(CONTRACTS["server"]["source_modules"])
    assert rooms >= MAY_IMPORT_THE_SERVER


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [
        ("layers", "protocol/wire.py", "import conformance.transcript"),
        ("layers", "reference_server/policy.py", "import conformance.transcript"),
        ("layers", "schemas/__init__.py", "import protocol.wire"),
        ("circles", "protocol/wire.py", "import protocol.order"),
        ("no-io", "protocol/wire.py", "def now():\n    import time\n    return time.monotonic()"),
        ("judge", "conformance/judge/verdict.py", "from protocol.translator import session"),
        ("judge", "conformance/judge/verdict.py", "from conformance import faults\nimport conformance.faults.mutator"),
        ("server", "conformance/runner.py", "import reference_server.policy"),
        ("core", "protocol/wire.py", "import h11"),
    ],
)
def test_each_contract_can_break(tmp_path: Path, contract: str, file: str, line: str) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=lambda _, names: [n for n in names if n.startswith("__pyc")]
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    result = lint(tmp_path, "--contract", contract)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{CONTRACTS[contract]['name']} BROKEN" in result.stdout
