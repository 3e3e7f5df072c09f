"""What sessions owe to one another (translator.session.*)."""

from __future__ import annotations

from conformance.cases.context import Blocked, Busy, Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import STREAM, Dialogue, open_session, speech_target, upgrade
from conformance.cases.translator.streams import (
    PARTIAL,
    SPEECH,
    TIMING,
    near,
    need_reference,
    offered,
    seconds,
    sentence,
    timing_of,
)
from conformance.judge.translator.reading import View
from conformance.judge.verdict import Verdict
from conformance.peers.link import Link
from protocol.wire import HttpResponse

_AT_ONCE = 3
_ISOLATION = "session.isolation"


@case("session.isolation", "session.isolation", connections=2)
async def isolation(context: Context) -> None:
    """Speak in one session and be silent in another that asks for everything; then let that one speak too."""
    speaker = await open_session(context, offered(context, TIMING))
    pcm = sentence(context)
    await speaker.pcm(pcm * 2)
    await speaker.need_final(2)
    listener = await open_session(context, offered(context, PARTIAL, TIMING, SPEECH))
    size = STREAM.ms_to_bytes(100)
    for at in range(0, len(pcm), size):
        await speaker.pcm(pcm[at : at + size])
        await listener.pcm(bytes(len(pcm[at : at + size])))
    alone = not await speaker.final(3)
    if not alone:
        await speaker.pcm(pcm)  # when its final has come, whatever of the third went astray has come too
        await speaker.final(4)
    said = {final.recognition for final in speaker.finals}
    heard = [result.recognition for result in View(listener.link.recorder.transcript()).results]
    await listener.pcm(pcm)
    await listener.final()
    strange = [text for text in heard if text and (alone or text in said)]
    expected = "results of a session's own audio"
    if strange:
        observed = f"{strange[0]!r} in a session that was silent"
        context.broken(_ISOLATION, expected, observed, Verdict.VIOLATION)
    elif alone or not listener.finals:
        raise Blocked(f"a final did not come: {speaker.state() if alone else listener.state()}")
    elif _moved(context, speaker, len(pcm) / STREAM.bytes_per_second):
        context.broken(_ISOLATION, expected, "times that move with another session's audio", Verdict.VIOLATION)
    else:
        context.kept(_ISOLATION)


def _moved(context: Context, speaker: Dialogue, distance: float) -> bool:
    """Tell whether the third utterance stands elsewhere than behind the second as that behind the first."""
    if not offered(context, TIMING):
        return False
    first, second, third = (seconds(timing_of(speaker, index).offset_ticks) for index in range(3))
    return near(second - first, distance) and not near(third - second, distance)


async def _open_or_refused(context: Context) -> Link | HttpResponse:
    try:
        return await upgrade(context, speech_target(context))
    except Busy as busy:
        return busy.response


@case("session.several", "session.several", connections=_AT_ONCE)
async def several(context: Context) -> None:
    """Hold three sessions at once with the same credentials."""
    dialogues: list[Dialogue] = []
    for count in range(_AT_ONCE):
        opened = await _open_or_refused(context)
        if isinstance(opened, HttpResponse):
            await context.leave()
            await need_reference(context)
            observed = f"status {opened.status} while {count} are open, and 101 when they are closed"
            context.broken("session.several", f"{_AT_ONCE} sessions at once", observed)
            return
        dialogues.append(Dialogue(context, opened))
    for dialogue in dialogues:
        await dialogue.header()
        await dialogue.pcm(sentence(context))
    heard = [await dialogue.final() for dialogue in dialogues]
    if not any(heard):
        raise Blocked(f"no final came in any of {_AT_ONCE} sessions: {dialogues[0].state()}")
    observed = f"finals in {heard.count(True)} of them"
    context.check("session.several", all(heard), f"a final in each of {_AT_ONCE} sessions at once", observed)
