"""Which parts are installed, and why others are not."""

from __future__ import annotations

from pathlib import Path

from reference_server.engines import plugins
from reference_server.engines.base import Options
from reference_server.engines.local.parts import Part, Unavailable
from reference_server.engines.plugins import Group, PluginError


def find(options: Options) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return the parts that are wanted and there, and one sentence for each that is wanted and not there."""
    found, missing = [], []
    for name in dict.fromkeys(options.parts or plugins.names(Group.PART)):
        try:
            found.append(_made(name, options.models.get(name)))
        except (PluginError, Unavailable) as error:
            missing.append(f"{name}: {error}")
    return tuple(found), tuple(missing)


def _made(name: str, directory: Path | None) -> Part:
    part = plugins.make(Group.PART, name, directory, (Unavailable,))
    if not isinstance(part, Part) or part.name != name:
        raise Unavailable(f"its factory should return a Part of that name, and returns {part!r}")
    return part
