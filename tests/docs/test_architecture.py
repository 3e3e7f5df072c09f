"""What ARCHITECTURE.md shows is what the code says."""

from __future__ import annotations

from pathlib import Path

from protocol.order import diagram
from protocol.translator.order import TABLE

TEXT = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")


def test_the_drawn_order_is_the_table() -> None:
    assert f"```mermaid\n{diagram(TABLE)}```" in TEXT


def test_every_room_is_named() -> None:
    root = Path(__file__).parents[2]
    rooms = [folder.name for folder in (root / "conformance").iterdir() if (folder / "__init__.py").is_file()]
    assert [name for name in rooms if f"conformance/{name}/" not in TEXT] == []
