"""How a session ends when the client ends it (translator.close.*)."""

from __future__ import annotations

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import Dialogue, open_session
from conformance.cases.translator.streams import ended_with, sentence
from conformance.cases.utterances import briefest, utterance
from conformance.transcript import Frame
from protocol.wire import Kind, Party, PeerClosed

_ABNORMAL = 1006


async def _end(
    context: Context, dialogue: Dialogue, code: int = 1000, reason: str = "", *, deliberate: str | None = None
) -> int | None:
    """Close, judge that the server answers, and return the code of its answer."""
    ended = await dialogue.link.close(code, reason, deliberate=deliberate)
    answered = isinstance(ended, PeerClosed) and ended.code != _ABNORMAL
    observed = "no answer in time" if ended is None else ended_with(dialogue)
    context.check("close.echo", answered, f"a close frame in answer to close {code}", observed)
    return ended.code if isinstance(ended, PeerClosed) and answered else None


@case("close.normal", "close.normal", "close.echo")
async def normal(context: Context) -> None:
    """Close with 1000 behind the final, without a reason and with one."""
    for reason in ("", "end of file"):
        dialogue = await open_session(context)
        await dialogue.pcm(sentence(context))
        await dialogue.need_final()
        code = await _end(context, dialogue, reason=reason)
        if code is not None:
            context.check("close.normal", code == 1000, "close 1000 in answer to close 1000", ended_with(dialogue))


@case("close.before-audio", "close.echo", "session.no-server-message-before-audio")
async def before_audio(context: Context) -> None:
    """Open a session, send nothing and close: nothing comes but the server's close frame."""
    dialogue = await open_session(context, header=False)
    await _end(context, dialogue)
    frames = [entry for entry in dialogue.link.recorder.entries if isinstance(entry, Frame)]
    stray = [frame.data[:60].decode(errors="replace") for frame in frames if frame.sender is Party.SERVER]
    if stray or dialogue.link.closed is not None:
        observed = repr(stray[0]) if stray else ""
        context.check("session.no-server-message-before-audio", not stray, "no message before audio", observed)


@case("close.in-utterance", "close.echo")
async def in_utterance(context: Context) -> None:
    """Close in the middle of an utterance, and in the middle of a message."""
    pcm = utterance(*briefest(context.target.corpus))
    for whole in (True, False):
        dialogue = await open_session(context)
        await dialogue.pcm(pcm[: len(pcm) // 2])
        await dialogue.link.frame(Kind.BINARY, pcm[len(pcm) // 2 :][:3200], final=whole)
        await _end(context, dialogue, deliberate="translator.client.waits-for-final")


@case("close.going-away", "close.echo")
async def going_away(context: Context) -> None:
    """Close with 1001, as a browser does that leaves the page."""
    dialogue = await open_session(context)
    await dialogue.pcm(sentence(context))
    await dialogue.need_final()
    await _end(context, dialogue, 1001, deliberate="translator.client.close-code")
