"""What ARCHITECTURE.md shows is what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.order import Table, diagram
from protocol.speech.order import TABLES
from protocol.translator.order import TABLE

TEXT = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")


@pytest.mark.parametrize("table", [TABLE, *TABLES.values()], ids=lambda table: table.dialect)
def test_the_drawn_order_is_the_table(table: Table) -> None:
    assert f"## The order of `{table.dialect}`" in TEXT
    assert f"```mermaid\n{diagram(table)}```" in TEXT


def test_every_room_is_named() -> None:
    root = Path(__file__).parents[2]
    rooms = [folder.name for folder in (root / "conformance").iterdir() if (folder / "__init__.py").is_file()]
    assert [name for name in rooms if f"conformance/{name}/" not in TEXT] == []
