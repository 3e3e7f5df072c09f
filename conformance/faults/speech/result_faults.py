"""Servers that get results wrong: which come, where they stand in the audio, in which languages they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Conversing, Mutator, Result
from protocol.speech.framing import UspMessage
from protocol.wire import Outbound

_SECOND = 10_000_000
_TIMES = ("Offset", "Duration")

Changed = Iterable[Result | UspMessage | Outbound]


class Counting(Mutator):
    """Counts the finals with words of each turn."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[str] = Counter()

    def on_result(self, result: Result) -> Changed:
        """Hand such a final on with its number from 0."""
        if not result.speaks:
            return (result,)
        self._counts[result.message.request_id] += 1
        return self.on_final(result, self._counts[result.message.request_id] - 1)

    def on_final(self, result: Result, number: int) -> Changed:
        """Change a final."""
        return (result,)


@fault("result.final-always", "second-dropped")
class DropsOne(Counting):
    """Loses the second final of a dictation."""

    def on_final(self, result: Result, number: int) -> Changed:
        """Drop it."""
        return () if number == 1 and self.mode == "Dictation" else (result,)


@fault("result.ticks", "texts")
class TicksAsTexts(Conversing):
    """Writes offsets and durations of hypotheses as texts, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Quote them."""
        if result.final:
            return (result,)
        return (result.saying(**{name: str(result.speech[name]) for name in _TIMES}),)


@fault("result.ticks", "floats")
class TicksAsFloats(Conversing):
    """Writes the durations of hypotheses with a point, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Add half a tick."""
        return (result.saying(Duration=result.speech["Duration"] + 0.5),) if not result.final else (result,)


@fault("result.turn-relative", "absolute", implies=("audio.header-each-turn",))
class Absolute(Mutator):
    """Counts offsets from somewhere before the turn in all one-shot turns but the first."""

    def on_result(self, result: Result) -> Changed:
        """Add ten seconds."""
        if self.turn < 1 or not result.speaks or self.continuous:
            return (result,)
        return (result.saying(Offset=result.speech["Offset"] + 10 * _SECOND),)


@fault("result.offsets-grow", "constant")
class ConstantOffset(Counting):
    """Has the second final of a turn begin with the first, where that makes no long one."""

    def __init__(self) -> None:
        super().__init__()
        self._first = 0

    def on_final(self, result: Result, number: int) -> Changed:
        """Stretch it."""
        offset, end = result.speech["Offset"], result.speech["Offset"] + result.speech["Duration"]
        if number == 0:
            self._first = offset
        if number != 1 or end - self._first > 20 * _SECOND:
            return (result,)
        return (result.saying(Offset=self._first, Duration=end - self._first),)


@fault("result.within-audio", "beyond-the-end")
class BeyondTheEnd(Mutator):
    """Says that the final of a one-shot turn is ten seconds longer than the audio."""

    def on_result(self, result: Result) -> Changed:
        """Add them."""
        if not result.speaks or self.mode != "Interactive":
            return (result,)
        return (result.saying(Duration=result.speech["Duration"] + 10 * _SECOND),)


@fault("result.no-partial-after-final", "again")
class PartialAgain(Mutator):
    """Sends the last hypothesis of an utterance again in front of the first one of the next utterance."""

    def __init__(self) -> None:
        super().__init__()
        self._last: Result | None = None
        self._late: Result | None = None

    def on_result(self, result: Result) -> Changed:
        """Remember it up to there."""
        if result.final:
            self._last, self._late = None, self._last
            return (result,)
        late, self._last, self._late = self._late, result, None
        same = late is not None and late.message.request_id == result.message.request_id
        return (late.message, result) if late is not None and same else (result,)


@fault("result.partial-before-final", "none", implies=("audio.real-time",))
class NoPartials(Conversing):
    """Sends no hypotheses of translations, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Drop them."""
        return (result,) if result.final or result.plain else ()
