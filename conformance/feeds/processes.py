"""The processes that a client under test leaves behind: found by what they cannot easily shed, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MARK = "SPEECHWIRE_RUN"
_PROC = Path("/proc")
_GRACE_S = 2.0
_LOOK_S = 0.05
_DEAD = ("Z", "X")


@dataclass(frozen=True, slots=True)
class Family:
    """All processes that come from one start: those of its process group, and those that inherited its mark.

    A child that made itself a daemon has left the group but not its environment. Where there is no /proc, only the
    group is known.

    Attributes:
        mark: Value of the environment variable `MARK` with which the first process has to be started.
    """

    mark: str = field(default_factory=lambda: secrets.token_hex(16))

    async def end(self, leader: int) -> None:
        """End everything that lives, first politely, then not; return when nothing is left, after 4 s at the latest."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            asked: set[int] = set()
            for _ in range(round(_GRACE_S / _LOOK_S)):
                living = set(self.living(leader))
                if not living:
                    return
                for pid in living if kind is signal.SIGKILL else living - asked:
                    with contextlib.suppress(OSError):
                        os.kill(pid, kind)
                asked |= living
                await asyncio.sleep(_LOOK_S)

    def living(self, leader: int) -> Iterator[int]:
        """Yield the ids of the processes that live; of a group without /proc its negative id."""
        if not _PROC.is_dir():
            with contextlib.suppress(OSError):
                os.killpg(leader, 0)
                yield -leader
            return
        wanted = f"{MARK}={self.mark}".encode()
        for entry in _PROC.iterdir():
            if entry.name.isdigit():
                # A process may end while it is looked at, and that of another user shows nothing.
                with contextlib.suppress(OSError):
                    state, _, group = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
                    related = int(group) == leader or wanted in (entry / "environ").read_bytes().split(b"\0")
                    if related and state not in _DEAD:
                        yield int(entry.name)
