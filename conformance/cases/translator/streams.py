"""Ways to stream the same speech, and the judgement that one of them is taken as well as another.

A way that gives no final proves nothing by itself: the server may give none at all. So each is judged beside a
control that differs from it in nothing but the property in question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, Dialogue, open_session
from conformance.cases.utterances import briefest, utterance
from conformance.judge.verdict import Verdict
from conformance.peers.budget import RESULT
from conformance.peers.link import Answer
from protocol.audio import PcmFormat
from protocol.translator.messages import Timing
from protocol.wire import PeerClosed

PARTIAL: Final = "Partial"
TIMING: Final = "TimingInfo"
SPEECH: Final = "TextToSpeech"
_DECLARED: Final = {PARTIAL: "partial", TIMING: "timing", SPEECH: "tts"}
_REACTION_S = 0.25
_LOOK_S = 0.01


def offered(context: Context, *features: str) -> tuple[str, ...]:
    """Return those of the features that the target was not declared to be without."""
    return tuple(word for word in features if _DECLARED[word] not in context.target.without)


def sentence(context: Context) -> bytes:
    """Return the shortest utterance of the run, a little before it, and the silence that ends it."""
    return utterance(*briefest(context.target.corpus)) + silence(SILENCE_MS)


def silence(milliseconds: int, stream: PcmFormat = STREAM) -> bytes:
    """Return samples of silence."""
    return bytes(stream.ms_to_bytes(milliseconds))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to stream: what is special about it, how it is sent (header and all), the finals that are due.

    `burst_ms` is how much audio is sent at once, where that is so much that hearing it takes its time.
    """

    what: str
    send: Callable[[Dialogue], Awaitable[None]]
    finals: int = 1
    stream: PcmFormat = STREAM
    burst_ms: int = 0


async def _reference(dialogue: Dialogue) -> None:
    await dialogue.header()
    await dialogue.pcm(sentence(dialogue.context))


REFERENCE: Final = Way("the reference header, then chunks of 100 ms", _reference)


async def hold(context: Context, way: Way, features: Iterable[str] = ()) -> Dialogue:
    """Stream in this way in a session of its own, hear as many finals as are due and come, end the session."""
    dialogue = await open_session(context, features, header=False, stream=way.stream)
    await way.send(dialogue)
    await dialogue.final(way.finals, context.budget.patience(way.burst_ms))
    await dialogue.close()
    return dialogue


async def accepted(
    context: Context,
    way: Way,
    control: Way,
    *requirements: str,
    features: Iterable[str] = (),
    verdict: Verdict | None = None,
) -> Dialogue:
    """Judge whether a way of streaming gives its finals; return what was heard.

    Raises:
        Blocked: It does not, but neither does the control.
    """
    dialogue = await hold(context, way, features)
    if len(dialogue.finals) >= way.finals:
        for requirement in requirements:
            context.kept(requirement)
        return dialogue
    other = await hold(context, control, features)
    if len(other.finals) < control.finals:
        raise Blocked(f"neither {way.what} nor {control.what} gives its finals: {other.state()}")
    expected = f"{way.finals} finals for {way.what}, since {control.what} gives {control.finals}"
    for requirement in requirements:
        context.broken(requirement, expected, dialogue.state(), verdict)
    return dialogue


async def need_reference(context: Context) -> Dialogue:
    """Hold a session in the reference way, the control of whatever is to be refused.

    Raises:
        Blocked: It gives no final.
    """
    dialogue = await hold(context, REFERENCE)
    if not dialogue.finals:
        raise Blocked(f"{REFERENCE.what} gives no final: {dialogue.state()}")
    return dialogue


async def live(dialogue: Dialogue, pcm: bytes, count: int = 1, silence_ms: int = SILENCE_MS) -> bool:
    """Send samples, then silence, at the pace of speech; stop as soon as `count` finals in all have come."""
    await dialogue.pcm(pcm, pace=1)
    rest = asyncio.ensure_future(dialogue.pause(silence_ms, pace=1))
    try:
        return await dialogue.final(count, silence_ms / 1000 + dialogue.context.budget.wait(RESULT))
    finally:
        rest.cancel()


async def reaction(dialogue: Dialogue) -> Answer | None:
    """Give the server a moment to end the session; return how it did, or None if it is still open.

    Who goes on sending into a connection that the other side has closed may lose the close frame.
    """
    for _ in range(round(_REACTION_S / _LOOK_S)):
        if dialogue.link.closed is not None:
            break
        await asyncio.sleep(_LOOK_S)
    return dialogue.link.closed


def ended_with(dialogue: Dialogue) -> str:
    """Return how the server ended the session, for a person."""
    ended = dialogue.link.closed
    if isinstance(ended, PeerClosed) and ended.code != 1006:
        return f"close {ended.code} {ended.reason!r}"
    return "the end of the connection without a close frame" if ended is not None else "a session that goes on"


def timing_of(dialogue: Dialogue, index: int) -> Timing:
    """Return the timing of a final.

    Raises:
        Blocked: It has none, or none that can be read (the rules of the wire report that).
    """
    message = dialogue.finals[index].message
    if message is None or message.timing is None:
        error = dialogue.finals[index].error
        why = "it has none" if error is None else f"it breaks {error.requirement}: {error.observed} at {error.at}"
        raise Blocked(f"the timing of final {index + 1} cannot be read: {why}")
    return message.timing


def seconds(ticks: int) -> float:
    """Return ticks of 100 ns as seconds."""
    return ticks / 10_000_000


def near(value: float, wanted: float, tolerance: float = 0.5) -> bool:
    """Tell whether two times in seconds agree as well as two endpointers do."""
    return abs(value - wanted) <= tolerance
