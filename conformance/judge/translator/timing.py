"""What holds for every timing member (requirements translator.timing.*, and partial.interval that needs them)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from conformance.judge.findings import BESIDE_CLIENT, Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import Result, View
from conformance.judge.translator.results import utterances
from protocol.translator.messages import Timing
from protocol.wire import Party

_INTERVAL_MS = 300


def _timed(view: View) -> list[tuple[Result, Timing]]:
    pairs = ((result, result.message.timing) for result in view.results if result.message is not None)
    return [(result, timing) for result, timing in pairs if timing is not None]


def presence(view: View) -> Findings:
    """translator.timing.present, only-if-requested: all four members with TimingInfo, none without."""
    wanted = "timinginfo" in view.features
    name = "translator.timing.present" if wanted else "translator.timing.only-if-requested"
    for result in view.results:
        if result.message is None:
            continue
        given = result.message.timing is not None
        if given is wanted:
            yield kept(name, result.seen.last)
        elif wanted:
            yield broken(name, result.seen.last, "the four timing members: features has TimingInfo", "none of them")
        else:
            yield broken(name, result.seen.last, "no timing members: features has no TimingInfo", "timing members")


def agreement(view: View) -> Findings:
    """translator.timing.bytes-match-ticks: times and byte counts agree at the rate of the stream."""
    if view.header is None:
        return
    right = view.header.format.bytes_to_ticks  # integers: a peer may send a number that no float can hold
    name = "translator.timing.bytes-match-ticks"
    for result, timing in _timed(view):
        pairs = (
            ("audioTimeOffset", timing.offset_ticks, timing.position_bytes),
            ("audioTimeSize", timing.size_ticks, timing.size_bytes),
        )
        wrong = [(member, ticks, size) for member, ticks, size in pairs if abs(ticks - right(size)) > 1]
        if wrong:
            member, ticks, size = wrong[0]
            yield broken(name, result.seen.last, f"{member} {right(size)}, as its byte count says", str(ticks))
        else:
            yield kept(name, result.seen.last)


def inside(view: View) -> Findings:
    """translator.timing.within-stream: no result speaks of audio that had not been sent."""
    name = "translator.timing.within-stream"
    for result, timing in _timed(view):
        sent = view.audio_before(result.seen.first)
        end = timing.position_bytes + timing.size_bytes
        if end > sent:
            yield broken(name, result.seen.last, f"an end within the {sent} bytes sent before it", f"byte {end}")
        else:
            yield kept(name, result.seen.last)


def growth(view: View) -> Findings:
    """translator.timing.offset-grows: a later utterance starts later."""
    last: int | None = None
    for result, timing in _timed(view):
        if not result.final:
            continue
        name = "translator.timing.offset-grows"
        if last is not None and timing.offset_ticks <= last:
            yield broken(name, result.seen.last, f"audioTimeOffset above {last}", str(timing.offset_ticks))
        elif last is not None:
            yield kept(name, result.seen.last)
        last = timing.offset_ticks


def partials_of_final(view: View) -> Findings:
    """translator.timing.partial-shares-offset: partials start where their final starts and are not longer."""
    name = "translator.timing.partial-shares-offset"
    for group in utterances(view):
        timed = [(r, r.message.timing) for r in group if r.message is not None and r.message.timing is not None]
        if not timed or not timed[-1][0].final:
            continue
        final, whole = timed[-1]
        for result, part in timed[:-1]:
            if result.id.partition(".")[0] != final.id:
                continue  # whose partial it is, is another requirement's matter
            same = (part.offset_ticks, part.position_bytes) == (whole.offset_ticks, whole.position_bytes)
            if same and part.size_ticks <= whole.size_ticks and part.size_bytes <= whole.size_bytes:
                yield kept(name, result.seen.last)
            else:
                expected = f"offset {whole.offset_ticks} and at most {whole.size_ticks} ticks, as its final"
                yield broken(name, result.seen.last, expected, f"offset {part.offset_ticks}, {part.size_ticks} ticks")


def interval(view: View) -> Findings:
    """translator.partial.interval: at most one partial for every 300 ms of audio."""
    if view.header is None:
        return
    least = view.header.format.ms_to_bytes(_INTERVAL_MS)
    name = "translator.partial.interval"
    for group in utterances(view):
        ends = [
            (result, result.message.timing.position_bytes + result.message.timing.size_bytes)
            for result in group
            if not result.final and result.message is not None and result.message.timing is not None
        ]
        for (_, before), (result, end) in pairwise(ends):
            if end - before >= least:
                yield kept(name, result.seen.last)
            else:
                yield broken(name, result.seen.last, f"{least} bytes of audio between partials", f"{end - before}")


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, presence, "translator.timing.present", "translator.timing.only-if-requested"),
    rule(Party.SERVER, agreement, "translator.timing.bytes-match-ticks"),
    rule(Party.SERVER, growth, "translator.timing.offset-grows"),
    rule(Party.SERVER, partials_of_final, "translator.timing.partial-shares-offset"),
    rule(Party.SERVER, interval, "translator.partial.interval"),
    rule(Party.SERVER, inside, "translator.timing.within-stream", vantages=BESIDE_CLIENT),
)
