"""Which unit tests are a module's own.

The test of `protocol/x.py` is `tests/unit/test_x.py`, and that of `conformance/judge/translator/x.py` is
`tests/unit/test_judge_translator_x.py`; a long one may go on in `test_x_more.py`. A name that is free in `protocol/`
may go without the word `judge`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"


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
