"""Parts, and processes that are none, for the tests of the engine `local`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from protocol.audio import PcmFormat
from protocol.events import Span
from protocol.languages import Speech, Voice
from reference_server.engines.base import Utterance
from reference_server.engines.local.parts import Hears, Kind, Pair, Part, Speaks, Translates
from reference_server.engines.local.workers import Lease, Overloaded, Pool

PCM = PcmFormat(16_000)


def hears(name: str, *locales: str, rank: int = 50, streams: bool = False, identifies: bool = False) -> Part:
    speech = tuple(Speech(locale, locale.partition("-")[0]) for locale in locales)
    return Part(name, Hears(speech, streams, identifies), "nowhere:Service", rank=rank)


def translates(name: str, *pairs: str, kind: Kind = Kind.NMT, rank: int = 50) -> Part:
    """A translator of pairs such as `en-pt`."""
    made = [pair.partition("-") for pair in pairs]
    return Part(
        name, Translates(tuple(Pair(source, target, kind) for source, _, target in made)), "nowhere:Service", rank=rank
    )


def speaks(name: str, *locales: str, rank: int = 50) -> Part:
    voices = (Voice(f"{locale}-{name.title()}", locale, name.title(), "male", locale[:2]) for locale in locales)
    return Part(name, Speaks(tuple(voices)), "nowhere:Service", rank=rank)


def utterance(ms: int, index: int = 0, before: bytes = b"", behind: bytes = b"") -> Utterance:
    size = PCM.ms_to_bytes(ms)
    return Utterance(index, Span(len(before), size), PCM, bytes(size), before, behind)


class Answers(Pool):
    """A pool whose answers are a function's. `calls` are the names and arguments; `free` and `line` can be set."""

    def __init__(self, part: Part, answer: Callable[..., Any], spare: int = 2) -> None:
        super().__init__(part)
        self.calls: list[tuple[object, ...]] = []
        self.leases: list[Leased] = []
        self.free = spare
        self.line = False
        self._answer = answer

    @property
    def spare(self) -> int:
        return self.free

    @property
    def has_line(self) -> bool:
        return self.line

    async def call(self, name: str, *arguments: object) -> Any:
        self.calls.append((name, *arguments))
        answer = self._answer(name, *arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lease(self) -> Lease:
        if not self.free:
            raise Overloaded("busy")
        self.free -= 1
        self.leases.append(Leased(self))
        return self.leases[-1]


class Leased(Lease):
    """A lease of a pool of answers."""

    def __init__(self, pool: Answers) -> None:
        self.closed = False
        self._answers = pool

    async def call(self, name: str, *arguments: object) -> Any:
        return await self._answers.call(name, *arguments)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._answers.free += 1


def in_turn(answers: Sequence[Any]) -> Callable[..., Any]:
    """A function that gives these answers, one after another."""
    left = iter(answers)
    return lambda *_: next(left)
