"""Reads the sheets of facts that may lie beside the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "facts"


def sheet(name: str) -> str:
    """Return the text of a sheet; skip the test, loudly, if it is not there."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"the sheet of facts is not there, so its ids were not compared: {path}")
    return path.read_text(encoding="utf-8")


def section(text: str, start: str, end: str) -> str:
    """Return the text from the line that begins with `start` to the next that begins with `end`."""
    found = re.search(rf"^{re.escape(start)}.*?(?=^{re.escape(end)})", text, re.MULTILINE | re.DOTALL)
    assert found, f"the sheet has no part from {start!r} to {end!r}"
    return found[0]


def first_cells(part: str) -> list[str]:
    """Return the first cell of each line of the part's table, without head and rule."""
    cells = [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("|")]
    assert len(cells) > 2, "the part has no table"
    return cells[2:]
