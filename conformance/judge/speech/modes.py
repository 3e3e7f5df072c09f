"""How many finals a turn has, by its mode (requirements speech.turn.*, status.end-of-dictation).

Of a turn that was abandoned, or in which the observer had broken something, nothing can be said.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.turn import Turn
from conformance.judge.verdict import Verdict
from protocol.speech.handshake import Mode
from protocol.wire import Party


def modes(view: View) -> Findings:
    """speech.turn.one-shot-final, one-shot-ends, unknown-mode, conversation-goes-on: how many finals a turn has."""
    for turn in view.turns:
        if turn.provoked or turn.abandoned or turn.start is None:
            continue
        if turn.wanted.mode is Mode.INTERACTIVE:
            yield from _one_shot(turn)
        elif turn.wanted.mode is None:
            yield from _unknown(turn)
        else:
            yield from _conversation(view, turn)


def _one_shot(turn: Turn) -> Findings:
    name = "speech.turn.one-shot-final"
    finals = [final for final in turn.finals if final.counts and turn.answers_with(final)]
    for final in finals[1:]:
        yield broken(name, final.at, "one final in a one-shot turn", f"a second one ({final.status or 'no status'})")
    if turn.end is None:
        return
    dictation = "speech.status.end-of-dictation"
    if finals:
        yield kept(name, turn.end.at) if len(finals) == 1 else broken(name, turn.end.at, "one final", str(len(finals)))
        yield kept("speech.turn.one-shot-ends", turn.end.at)
    elif any(final.status == "EndOfDictation" for final in turn.finals):
        yield broken(dictation, turn.finals[-1].at, "another final in a one-shot turn", "EndOfDictation alone")
    else:
        yield broken(name, turn.end.at, "a final before turn.end", "none")
    if finals and any(final.status == "EndOfDictation" for final in turn.finals):
        yield kept(dictation, turn.end.at)


def _unknown(turn: Turn) -> Findings:
    name = "speech.turn.unknown-mode"
    finals = [final for final in turn.finals if final.speaks and turn.answers_with(final)]
    if turn.end is None or not finals:
        return
    detected = any(said.path == spoken.END_DETECTED for said in turn.answers)
    if len(finals) == 1 and detected:
        yield kept(name, turn.end.at)
    else:
        observed = f"{len(finals)} finals and {'a' if detected else 'no'} speech.endDetected"
        yield broken(name, turn.end.at, "one final, speech.endDetected, turn.end", observed, Verdict.INFORMATIONAL)


def _conversation(view: View, turn: Turn) -> Findings:
    """Judge that it goes on. What ends it may be seen: the end of the stream, silence, an error, the server's close."""
    name, finals = "speech.turn.conversation-goes-on", [final for final in turn.finals if turn.answers_with(final)]
    spoke = [final for final in finals if final.speaks]
    if len(spoke) > 1:
        yield kept(name, spoke[1].at)
        return
    # An empty message that audio made void may have been taken for the end before that came.
    unstopped = all(said.payload for said in turn.audio)
    by_itself = unstopped and view.started_close is None and spoke == finals
    if turn.end is not None and spoke and by_itself:
        yield broken(name, turn.end.at, "no turn.end before the stream ends", "turn.end behind a final")


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        modes,
        "speech.turn.one-shot-final",
        "speech.turn.one-shot-ends",
        "speech.turn.unknown-mode",
        "speech.turn.conversation-goes-on",
        "speech.status.end-of-dictation",
    ),
)
