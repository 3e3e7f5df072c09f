"""What the benchmarks share: measuring several sides in turn, and printing how they compare.

A machine that does something else at the same time disturbs neighbours alike. So all sides are measured in every
round, one after the other, and each is compared with the first side of the same round. No figure passes or fails.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version

import pytest

Side = Callable[[], float]
"""Measures once, and returns the figure."""


class Meter:
    """Measures sides in turn and writes a Markdown table; `write` takes its lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def compare(self, title: str, unit: str, sides: Mapping[str, Side], rounds: int) -> dict[str, float]:
        """Measure all sides `rounds` times, print figures and ratios to the first side, return the medians."""
        figures: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                figures[name].append(side())
        yardstick = next(iter(figures.values()))
        self._write(f"\n\n{title} ({rounds} rounds; load of the machine {os.getloadavg()[0]:.1f})\n\n")
        self._write(f"| side | {unit} | ratio: median | min | max |\n|---|---|---|---|---|\n")
        for name, values in figures.items():
            ratios = [value / first for value, first in zip(values, yardstick, strict=True)]
            low, middle, high = spread(ratios)
            figure = " / ".join(map(shown, spread(values)))
            self._write(f"| {name} | {figure} | {middle:.2f} | {low:.2f} | {high:.2f} |\n")
        return {name: statistics.median(values) for name, values in figures.items()}

    def say(self, line: str) -> None:
        """Print what else belongs to the table above."""
        self._write(f"\n{line}\n")


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, the median and the greatest."""
    return min(values), statistics.median(values), max(values)


def shown(value: float) -> str:
    """Return a figure with three digits that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def per_call(call: Callable[[], object], number: int) -> Side:
    """Return a side that calls so often in one round: µs of CPU for each call."""

    def side() -> float:
        again = range(number)
        begun = time.process_time()
        for _ in again:
            call()
        return (time.process_time() - begun) / number * 1e6

    return side


@pytest.fixture
def meter(request: pytest.FixtureRequest) -> Iterator[Meter]:
    """Give a meter that writes to the terminal, also when output is captured."""
    terminal = request.config.get_terminal_writer()
    yield Meter(terminal.write)
    terminal.flush()


@pytest.fixture
def calls() -> Callable[[Callable[[], object], int], Side]:
    """Give what makes a side of a call and a number of calls."""
    return per_call


def pytest_report_header() -> str:
    """Say where the figures come from."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("websockets", "construct", "jsonschema", "numpy"))
    return f"machine: {os.cpu_count()} cores, {platform.machine()}; {libraries}"
