"""The engine `local`: recognisers, translators and voices on this machine, as good as what is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from protocol.languages import Catalogue
from reference_server.engines.base import CannotStart, Job, Options
from reference_server.engines.local.finding import find
from reference_server.engines.local.parts import Part, Unavailable
from reference_server.engines.local.plan import Plan, plan
from reference_server.engines.local.session import LocalSession
from reference_server.engines.local.workers import Pool


class LocalEngine:
    """An engine made of parts; one that cannot load its model is left out, and the rest offers less.

    Args:
        parts: What was found.
        missing: Why others were not: one sentence each.
    """

    name = "local"

    def __init__(self, parts: Iterable[Part], missing: Iterable[str] = ()) -> None:
        self._found = tuple(parts)
        self._missing = list(missing)
        self._plan = plan(())
        self._pools: dict[str, Pool] = {}

    @property
    def catalogue(self) -> Catalogue:
        """What is offered, once it has started."""
        return self._plan.catalogue

    @property
    def plan(self) -> Plan:
        """Who does what, once it has started."""
        return self._plan

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that run."""
        return tuple(part for part in self._found if part.name in self._pools)

    @property
    def missing(self) -> tuple[str, ...]:
        """Why parts are left out: one sentence each, with the command that mends it."""
        return tuple(self._missing)

    async def start(self) -> None:
        """Load the models of all parts that are needed. Raises CannotStart when nothing is left that hears."""
        left = list(self._found)
        while True:
            self._plan = plan(left)
            new = [part for part in left if part.name in self._plan.needed and part.name not in self._pools]
            if not new:
                break
            for part, trouble in zip(new, await asyncio.gather(*map(self._load, new)), strict=True):
                if trouble is not None:
                    self._missing.append(trouble)
                    left.remove(part)
        if not self._plan.hearing:
            await self.stop()
            raise CannotStart(f"the engine 'local' has no recogniser: {'; '.join(self._missing) or 'no part hears'}")

    async def stop(self) -> None:
        """End all processes."""
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        self._pools.clear()

    def open(self, job: Job) -> LocalSession:
        """Return the engine of a new session."""
        return LocalSession(job, self._plan, self._pools)

    async def _load(self, part: Part) -> str | None:
        """Start the first process of a part; return why it cannot, if it cannot."""
        pool = Pool(part)
        try:
            await pool.start()
        except Unavailable as error:
            return str(error)
        self._pools[part.name] = pool
        return None


def create(options: Options) -> LocalEngine:
    """Return the engine with the parts that are installed, or those of them that the options name."""
    return LocalEngine(*find(options))
