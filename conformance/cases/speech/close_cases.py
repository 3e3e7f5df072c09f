"""How connections end: for a language that nobody speaks, and because the client ends them (speech.close.*)."""

from __future__ import annotations

import asyncio
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, usual
from conformance.cases.speech.dialogue import Session, open_session
from conformance.cases.speech.hearing import open_or_refused, sentence, silence
from conformance.cases.speech.turn import CHUNK_MS, Turn
from conformance.cases.speech.ways import aborted, need_reference
from conformance.cases.utterances import briefest, utterance
from conformance.peers.link import Answer
from conformance.transcript import Ended, Ending, Expired
from protocol.websocket import ABNORMAL
from protocol.wire import HttpResponse, Kind, Party, PeerClosed

_SOURCE: Final = "xx-XX"
_FORM: Final = "speech.client.context-form"
_EARLY_S: Final = 0.1
_CLOCKS_S: Final = 0.01  # timers may be this early
_WITHOUT_SAMPLES_S: Final = 0.5
_PIECE: Final = 1 << 16
_PIECES: Final = 96  # more than the buffers between the two can hold
_END_S: Final = 0.5
_LOOK_S: Final = 0.01


async def _badly_asked(context: Context, *, header: bool = True) -> Turn | HttpResponse:
    """Begin a turn in a language that nobody speaks, or return the response that refuses that."""
    opened = await open_or_refused(context, usual(context, source=_SOURCE), deliberate=_FORM)
    return opened if isinstance(opened, HttpResponse) else await opened.begin(header=header, deliberate=_FORM)


def _judge_code(context: Context, turn: Turn) -> None:
    ended = turn.line.ended
    right = isinstance(ended, PeerClosed) and ended.code == 1007
    context.check("close.bad-source", right, f"close 1007 for the source language {_SOURCE}", turn.state)


@case("close.bad-source", "close.bad-source", "close.bad-source-late")
async def bad_source(context: Context) -> None:
    """Ask for a source language that nobody speaks, with audio and with a header alone: close 1007, and not at once."""
    await need_reference(context)
    for at_once in (True, False):
        turn = await _badly_asked(context)
        if isinstance(turn, HttpResponse):
            context.broken("close.bad-source", "close 1007 behind an accepted upgrade", f"status {turn.status}")
            return
        begun = turn.line.link.now()
        if at_once:
            await turn.pcm(sentence(context))
            await _ended(turn)
            _judge_code(context, turn)
            continue
        # Until then nothing is due: the server may wait for audio.
        await _ended(turn, _WITHOUT_SAMPLES_S)
        ended = turn.line.ended
        if isinstance(ended, PeerClosed):
            passed = ended.time - begun
            expected = f"no close within {_EARLY_S * 1000:.0f} ms before any audio with samples"
            late = passed >= _EARLY_S - _CLOCKS_S
            context.check("close.bad-source-late", late, expected, f"a close after {passed * 1000:.0f} ms")
        else:
            context.kept("close.bad-source-late")
            await turn.pcm(sentence(context))
            await _ended(turn)
        _judge_code(context, turn)


async def _ended(turn: Turn, budget: float | None = None) -> bool:
    """Wait for the server to end the connection; a turn that goes on instead is ended, so that something comes."""
    line = turn.line
    await line.until(lambda: int(line.ended is not None), 1, "a close", budget=budget, vain=lambda: turn.over)
    return line.ended is not None


@case("close.reads-on", "close.reads-on")
async def reads_on(context: Context) -> None:
    """Make the server close while there is much that it has not read: it takes that, and the client's close."""
    await need_reference(context)
    turn = await _badly_asked(context)
    if isinstance(turn, HttpResponse):
        raise Blocked(f"a source language that nobody speaks is refused with status {turn.status}")
    await turn.pcm(silence(CHUNK_MS), pace=0)
    data = bytes(_PIECE * _PIECES)
    await turn.pcm(data, pace=0, size=_PIECE, deliberate="speech.client.chunk-size")
    await _ended(turn)
    if not isinstance(turn.line.ended, PeerClosed) or aborted(turn):
        raise Blocked(f"the server does not close for a source language that nobody speaks: {turn.state}")
    recorder = turn.line.link.recorder
    # A reset comes at once; who leaves the end of the connection to the client does nothing wrong here.
    for _ in range(round(_END_S / _LOOK_S)):
        if any(isinstance(entry, Ended) for entry in recorder.entries):
            break
        await asyncio.sleep(_LOOK_S)
    troubles = [trouble for entry in recorder.entries if (trouble := _trouble(entry)) is not None]
    expected = "all data of the client taken until its close has come"
    context.check("close.reads-on", not troubles, expected, f"{', '.join(troubles)}; {turn.state}")


def _trouble(entry: object) -> str | None:
    """Return what an entry of the transcript says of a server that has stopped to read, or None."""
    if isinstance(entry, Expired) and "to read what is sent" in entry.what:
        return f"nothing taken for {entry.budget:.1f} s"
    if isinstance(entry, Ended) and entry.by is Party.SERVER and entry.how is Ending.RESET:
        return "the connection reset"
    return None


@case("close.answer", "close.answer")
async def answer(context: Context) -> None:
    """Close with 1000 before the configuration, behind a turn, in the middle of a turn, and in that of a message."""
    spoken = utterance(*briefest(context.target.corpus))

    async def idle(_: Session) -> None:
        return

    async def behind_turn(session: Session) -> None:
        turn = await session.begin()
        await turn.say()
        await turn.finished()

    async def in_turn(session: Session) -> None:
        turn = await session.begin(usual(context, mode=CONVERSATION))
        await turn.pcm(spoken)

    async def in_message(session: Session) -> None:
        await in_turn(session)
        await session.link.frame(Kind.BINARY, b"\x00\x20Path:audio", final=False)

    async def ending(session: Session) -> None:
        turn = await session.begin(usual(context, mode=CONVERSATION))
        await turn.pcm(spoken)
        await turn.end()

    for what, arrive in (
        ("on a connection without a turn", idle),
        ("behind a turn", behind_turn),
        ("in the middle of a turn", in_turn),
        ("in the middle of a message", in_message),
        ("behind the end of a stream", ending),
    ):
        session = await open_session(context)
        await arrive(session)
        _judge_answer(context, await session.link.close(), f"close 1000 {what}")


@case("close.going-away", "close.answer")
async def going_away(context: Context) -> None:
    """Close with 1001 in the middle of a turn, as a browser does that leaves the page; with a reason, too."""
    for reason in ("", "the page is left"):
        session = await open_session(context)
        turn = await session.begin(usual(context, mode=CONVERSATION))
        await turn.say()
        ended = await session.link.close(1001, reason, deliberate="speech.client.close")
        _judge_answer(context, ended, "close 1001 in the middle of a turn")


def _judge_answer(context: Context, ended: Answer | None, what: str) -> None:
    kept = isinstance(ended, PeerClosed) and ended.code != ABNORMAL
    observed = "no answer in time" if ended is None else "the end of the connection without a close frame"
    context.check("close.answer", kept, f"a close frame in answer to {what}", observed)
