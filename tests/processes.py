"""Which processes a server has started: what it costs, and what is loaded where."""

from __future__ import annotations

from pathlib import Path


def family(pid: int) -> set[int]:
    """Return a process and all that it, and they, have started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
            except OSError:  # it has ended in the meantime
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def using(pid: int, library: str) -> set[int]:
    """Return which processes of a family have a library loaded."""
    return {one for one in family(pid) if library in _maps(one)}


def _maps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""
