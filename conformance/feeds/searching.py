"""What Hypothesis does for the property tier: it draws programs, and shrinks those that fail.

It is synchronous, and the programs are played in an event loop. So it runs in a thread of its own to which the loop
hands over: one of the two waits while the other one works, and virtual time stands still while something is drawn.
"""

from __future__ import annotations

import contextlib
import os
import queue
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest import SkipTest

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
from hypothesis.errors import HypothesisException

from conformance.feeds.provider import BACKEND
from conformance.programs.program import Program

# What Hypothesis keeps for itself would otherwise be left in the folder from which the command is called.
_HOME = os.environ.get("HOME")
_CACHE = os.environ.get("XDG_CACHE_HOME") or (f"{_HOME}/.cache" if _HOME else tempfile.gettempdir())
set_hypothesis_home_dir(Path(_CACHE) / "speechwire" / "hypothesis")

_MOST_KEPT = 50
Strategy = st.SearchStrategy[Program]


def draw(strategy: Strategy, number: int, count: int) -> list[Program]:
    """Return what a strategy draws with a seed: at most `count` programs, none of them twice."""
    drawn: dict[Program, None] = {}

    @seed(number)
    @settings(_settings(count, Phase.generate), database=None)
    @given(strategy)
    def collect(program: Program) -> None:
        drawn[program] = None

    collect()
    return list(drawn)


class _Fails(Exception):
    """The program that was asked for fails."""


class _Over(BaseException):
    """Nobody waits for what is searched any more."""


class _Search:
    """A search in a thread; `questions` and the answers go to and fro between it and the loop."""

    def __init__(self, search: Callable[[Callable[[Program], bool]], None]) -> None:
        self.questions: queue.SimpleQueue[Program | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bool | None] = queue.SimpleQueue()
        self._search = search
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="speechwire-search", daemon=True)

    def __enter__(self) -> _Search:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            # Where nothing is kept there is nothing to replay, which Hypothesis calls a skip.
            with contextlib.suppress(_Over, _Fails, HypothesisException, SkipTest):
                self._search(self._ask)
        except Exception as error:  # noqa: BLE001 - whoever waits for the search has to hear of it
            self._error = error
        finally:
            self.questions.put(None)

    def _ask(self, program: Program) -> bool:
        self.questions.put(program)
        answer = self._answers.get()
        if answer is None:
            raise _Over
        return answer

    def answer(self, fails: bool) -> None:
        """Answer the last question."""
        self._answers.put(fails)


async def shrink(
    strategy: Strategy,
    number: int,
    count: int,
    fails: Callable[[Program], Awaitable[bool | None]],
    kept: Path | None = None,
) -> Program | None:
    """Return the shortest program found that fails, of those that are drawn with a seed; None if none of them does.

    Args:
        strategy: What programs are drawn from.
        number: The seed.
        count: How many are drawn at most before one fails.
        fails: Whether a program fails; of the same program it has to say the same each time. None ends the search.
        kept: Where failing programs are kept for later runs (`replayed`).
    """
    database = None if kept is None else DirectoryBasedExampleDatabase(kept)

    def search(ask: Callable[[Program], bool]) -> None:
        _asking(strategy, ask, number, _settings(count, Phase.generate, Phase.shrink), database)()

    shortest: Program | None = None
    with _Search(search) as searching:
        while (program := searching.questions.get()) is not None:
            failed = await fails(program)
            if failed is None:
                break
            if failed:
                shortest = program if shortest is None or program.size <= shortest.size else shortest
            searching.answer(failed)
    return shortest


async def replayed(strategy: Strategy, fails: Callable[[Program], Awaitable[bool | None]], kept: Path) -> list[Program]:
    """Return the programs that an earlier run has kept and that fail again; the others are forgotten."""
    found: list[Program] = []

    def search(ask: Callable[[Program], bool]) -> None:
        _asking(strategy, ask, 0, _settings(_MOST_KEPT, Phase.reuse), DirectoryBasedExampleDatabase(kept))()

    with _Search(search) as searching:
        while (program := searching.questions.get()) is not None:
            failed = bool(await fails(program))
            if failed and program not in found:
                found.append(program)
            searching.answer(failed)
    return found


def _asking(
    strategy: Strategy,
    ask: Callable[[Program], bool],
    number: int,
    limits: settings,
    database: ExampleDatabase | None,
) -> Callable[[], None]:
    # The seed first: it takes the database away, which the settings then give back.
    @settings(limits, database=database)
    @seed(number)
    @given(strategy)
    def conversation(program: Program) -> None:
        if ask(program):
            raise _Fails

    return conversation


def _settings(count: int, *phases: Phase) -> settings:
    return settings(
        max_examples=count,
        phases=phases,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        backend=BACKEND,
        suppress_health_check=list(HealthCheck),
    )
