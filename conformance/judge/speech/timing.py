"""Where results stand in the audio, and how far it is acknowledged (speech.result.*, turn.acknowledged, close.*).

What a server can know is bounded by what had been sent before its message was seen, wherever the observer stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Finding, Findings, Rule, broken, kept, rule
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Result
from conformance.judge.verdict import Verdict
from protocol.audio import TICKS_PER_SECOND
from protocol.wire import Party

MS = TICKS_PER_SECOND // 1000
_ABSOLUTE = TICKS_PER_SECOND
"""An offset that is so far beyond the audio of a later turn counts from somewhere else."""

_REST = 20 * TICKS_PER_SECOND
"""Silence behind the last final that nobody acknowledges: the service does so after 15 s of it (fact P-02)."""

_UNACKNOWLEDGED = 60 * TICKS_PER_SECOND


def growth(view: View) -> Findings:
    """speech.result.offsets-grow: a later final begins later, and interims behind it begin behind its end.

    An interim that begins between the start and the end of the last final hurts nobody that we know; one that begins
    with it is another requirement's matter. Two finals that were forced at the same place begin there both.
    """
    name = "speech.result.offsets-grow"
    for turn in view.turns:
        last: tuple[int, int] | None = None
        for result in turn.results:
            if result.offset is None or not turn.answers_with(result):
                continue
            if not result.final:
                if last is not None and result.offset != last[0]:
                    yield _grown(name, result, max(last), last[0])
            elif (result.speaks or result.silent) and "clientAudioMetadata" not in result.speech:
                if last is not None:
                    yield _grown(name, result, last[0] + 1, last[0])
                last = result.offset, result.end or result.offset


def _grown(name: str, result: Result, least: int, last: int) -> Finding:
    offset = result.offset or 0
    if offset >= least:
        return kept(name, result.at)
    verdict = Verdict.NON_STRICT if offset > last else None
    return broken(name, result.at, f"an Offset of {least} or more", str(offset), verdict)


def within(view: View) -> Findings:
    """speech.result.within-audio, turn-relative: results speak of audio of their turn that had been sent."""
    for turn in view.turns:
        if view.continued:
            continue
        for result in turn.results:
            heard = turn.heard(result.said.seen.first)
            if heard is None or result.offset is None or result.end is None or result.failed:
                continue
            most = -(-heard // MS) * MS
            absolute = turn.number > 0 and result.offset > most + _ABSOLUTE
            name = "speech.result.turn-relative"
            if absolute:
                yield broken(name, result.at, f"an Offset within the {most} ticks of this turn", str(result.offset))
                continue
            if turn.number:
                yield kept(name, result.at)
            name = "speech.result.within-audio"
            good = result.end <= most
            yield kept(name, result.at) if good else broken(name, result.at, f"an end up to {most}", str(result.end))


def acknowledged(view: View) -> Findings:
    """speech.turn.acknowledged: at turn.end no more than a silent rest is unacknowledged.

    A rest of silence without a final of its own is how the service ends a turn (fact P-04), and whether it is silence
    cannot be seen; what is longer than the silence that gives a final is not excused by it.
    """
    name = "speech.turn.acknowledged"
    for turn in view.turns:
        if turn.end is None or turn.stopped is None or turn.provoked or turn.abandoned or view.continued:
            continue
        heard = turn.heard(turn.stopped.at)
        done = max((final.end for final in turn.finals if final.end is not None), default=None)
        if heard is None or done is None:
            continue
        rest = heard - done
        if rest <= _REST:
            yield kept(name, turn.end.at)
        else:
            expected = f"finals that reach to within {_REST // TICKS_PER_SECOND} s of the end of the audio"
            observed = f"{rest / TICKS_PER_SECOND:.1f} s without one"
            yield broken(name, turn.end.at, expected, observed, Verdict.NON_STRICT)


def unacknowledged(view: View) -> Findings:
    """speech.close.unacknowledged: no more than a minute of audio waits for an acknowledgement."""
    name, expected = "speech.close.unacknowledged", "an acknowledgement within 60 s of audio"
    for turn in view.turns:
        if view.continued or turn.provoked:
            continue
        reached = [(final.at, final.end) for final in turn.finals if final.end is not None and not final.failed]
        if turn.end is not None and turn.stopped is not None and not reached:
            heard = turn.heard(turn.stopped.at)
            reached = [(turn.end.at, heard)] if heard is not None else []
        done = 0
        for at, end in reached:
            good = end - done <= _UNACKNOWLEDGED
            yield kept(name, at) if good else broken(name, at, expected, f"{(end - done) / TICKS_PER_SECOND:.1f} s")
            done = max(done, end)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, growth, "speech.result.offsets-grow"),
    rule(Party.SERVER, within, "speech.result.within-audio", "speech.result.turn-relative"),
    rule(Party.SERVER, acknowledged, "speech.turn.acknowledged"),
    rule(Party.SERVER, unacknowledged, "speech.close.unacknowledged"),
)
