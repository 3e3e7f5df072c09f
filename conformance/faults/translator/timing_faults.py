"""Servers that get times and places in the stream wrong."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.mutator import Members, Mutator
from conformance.faults.registry import fault
from conformance.faults.translator.result_faults import is_final

_TIMES = ("audioTimeOffset", "audioTimeSize")
_BYTES = ("audioStreamPosition", "audioSizeBytes")
_ALL = (*_TIMES, *_BYTES)


@fault("timing.only-if-requested", "always")
class AlwaysTimed(Mutator):
    """Sends timing members to everybody."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add members that fit each other and any stream."""
        if self.wants("TimingInfo"):
            return (members,)
        return ({**members, **dict.fromkeys(_ALL, 0)},)


@fault("timing.present", "finals-only")
class PartialsUntimed(Mutator):
    """Sends timing members with finals alone."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop them from partials."""
        if is_final(members):
            return (members,)
        return ({name: value for name, value in members.items() if name not in _ALL},)


@fault("timing.numbers", "strings")
class TimesAsStrings(Mutator):
    """Writes timing values as strings."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Quote them."""
        return ({name: str(value) if name in _ALL else value for name, value in members.items()},)


@fault("timing.ticks", "milliseconds", implies=("timing.offset-from-start", "timing.bytes-match-ticks"))
class Milliseconds(Mutator):
    """Counts audio time in milliseconds."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Divide by ten thousand."""
        return ({name: value // 10_000 if name in _TIMES else value for name, value in members.items()},)


@fault(
    "timing.offset-from-start",
    "from-last-final",
    implies=("timing.offset-grows", "timing.bytes-match-ticks"),
)
class RelativeOffset(Mutator):
    """Counts the offset of each utterance from nothing."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Set the offset to zero."""
        return ({**members, "audioTimeOffset": 0},) if "audioTimeOffset" in members else (members,)


@fault("timing.position-from-start", "samples", implies=("timing.bytes-match-ticks",))
class CountsSamples(Mutator):
    """Counts samples where bytes are asked for."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Halve positions and sizes."""
        return ({name: value // 2 if name in _BYTES else value for name, value in members.items()},)


@fault("timing.bytes-match-ticks", "one-ms-off")
class SlightlyOff(Mutator):
    """Rounds sizes in time up to the next millisecond and half a one more, and not those in bytes."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add half a millisecond to the size of finals."""
        if "audioTimeSize" not in members or not is_final(members):
            return (members,)
        return ({**members, "audioTimeSize": members["audioTimeSize"] + 5_000},)


@fault("timing.within-stream", "beyond-the-end", implies=("timing.bytes-match-ticks", "timing.size-without-silence"))
class BeyondTheEnd(Mutator):
    """Says that the last final is longer than the whole stream."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add 60 seconds of bytes to the size of finals."""
        if "audioSizeBytes" not in members or not is_final(members):
            return (members,)
        return ({**members, "audioSizeBytes": members["audioSizeBytes"] + 1_920_000},)


@fault("timing.partial-shares-offset", "grows")
class PartialsMove(Mutator):
    """Moves the start of an utterance by 100 ms with each partial."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Shift partials, in ticks and bytes alike."""
        if is_final(members) or "audioTimeOffset" not in members:
            return (members,)
        minor = int(members["id"].partition(".")[2])
        moved = {**members, "audioTimeOffset": members["audioTimeOffset"] + minor * 1_000_000}
        return ({**moved, "audioStreamPosition": members["audioStreamPosition"] + minor * 3_200},)


@fault("timing.size-without-silence", "with-silence")
class SizeWithSilence(Mutator):
    """Counts the silence that ends an utterance to its size."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add 800 ms to the size of finals."""
        if "audioTimeSize" not in members or not is_final(members):
            return (members,)
        longer = {**members, "audioTimeSize": members["audioTimeSize"] + 8_000_000}
        return ({**longer, "audioSizeBytes": members["audioSizeBytes"] + 25_600},)
