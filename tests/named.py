"""Which requirements a schema names."""

from __future__ import annotations

from typing import Any


def requirements_in(schema: Any) -> set[str]:
    """Return every requirement that a schema, or a part of one, names."""
    if isinstance(schema, list):
        return set().union(*map(requirements_in, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["x-requirement"]} if "x-requirement" in schema else set()
    own |= set(schema.get("x-requirements", {}).values())
    return own.union(*(requirements_in(part) for name, part in schema.items() if not name.startswith("x-")))
