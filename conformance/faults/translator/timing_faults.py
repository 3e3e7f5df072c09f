"""Servers that get times and places in the stream wrong."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Members, Mutator
from conformance.faults.translator.result_faults import is_final

_TIMES = ("audioTimeOffset", "audioTimeSize")
_BYTES = ("audioStreamPosition", "audioSizeBytes")
_ALL = (*_TIMES, *_BYTES)


@fault("timing.only-if-requested", "always")
class AlwaysTimed(Mutator):
    """Sends timing members to everybody."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add members to finals that fit each other and any stream."""
        if self.wants("TimingInfo") or not is_final(members):
            return (members,)
        place = int(members["id"])
        timing = {"audioTimeOffset": place * 10_000, "audioStreamPosition": place * 32}
        return ({**members, **timing, "audioTimeSize": 0, "audioSizeBytes": 0},)


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


@fault("timing.ticks", "milliseconds", implies=("timing.bytes-match-ticks",))
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


@fault("timing.position-from-start", "samples", implies=("timing.bytes-match-ticks", "partial.interval"))
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


@fault("timing.within-stream", "beyond-the-end", implies=("timing.bytes-match-ticks", "timing.position-from-start"))
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
        """Shift the start of partials and leave their end, in ticks and bytes alike, at 16 kHz."""
        if is_final(members) or "audioTimeOffset" not in members:
            return (members,)
        steps = min(int(members["id"].partition(".")[2]), members["audioTimeSize"] // 1_000_000)
        return (
            {
                **members,
                "audioTimeOffset": members["audioTimeOffset"] + steps * 1_000_000,
                "audioTimeSize": members["audioTimeSize"] - steps * 1_000_000,
                "audioStreamPosition": members["audioStreamPosition"] + steps * 3_200,
                "audioSizeBytes": members["audioSizeBytes"] - steps * 3_200,
            },
        )


@fault("timing.size-without-silence", "with-silence")
class SizeWithSilence(Mutator):
    """Counts the silence that ends an utterance to its size."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add 800 ms to the size of finals of up to 20 s, at whatever rate the stream has."""
        ticks = members.get("audioTimeSize", 0)
        if not is_final(members) or not 0 < ticks < 200_000_000:
            return (members,)
        more = round(8_000_000 * members["audioSizeBytes"] / ticks)
        return ({**members, "audioTimeSize": ticks + 8_000_000, "audioSizeBytes": members["audioSizeBytes"] + more},)
