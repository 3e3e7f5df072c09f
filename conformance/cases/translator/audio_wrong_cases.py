"""Audio that is none: no header, other formats, text (translator.audio.*, translator.close.bad-data)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import STREAM, Dialogue, open_session
from conformance.cases.translator.streams import ended_with, need_reference, reaction, sentence
from conformance.judge.verdict import Verdict
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import PeerClosed

_NO_HEADER: Final = "translator.client.header-first"
_NOT_PCM: Final = "translator.client.pcm-format"
_ABNORMAL = 1006
_CODEC_AT = 20
_FLOAT: Final = b"\x03\x00"


def _code(dialogue: Dialogue) -> int | None:
    """Return the code with which the server ended the session; None while it has not."""
    ended = dialogue.link.closed
    if ended is None:
        return None
    return ended.code if isinstance(ended, PeerClosed) else _ABNORMAL


async def _send(dialogue: Dialogue, start: bytes, pcm: bytes, mark: str) -> None:
    """Send a wrong start of a stream, and the audio behind it if the server still listens then."""
    await dialogue.link.binary(start, deliberate=mark)
    if await reaction(dialogue) is None:
        await dialogue.pcm(pcm, deliberate=mark)
        await dialogue.final()


@case("audio.no-header", "audio.header-first", "close.bad-data")
async def no_header(context: Context) -> None:
    """Stream samples without a header, then behind a header that is not RIFF/WAVE; with a good header all is well."""
    await need_reference(context)
    pcm, good = sentence(context), build_header(STREAM)
    size = STREAM.ms_to_bytes(100)
    starts = {
        "samples without a header": (pcm[:size], pcm[size:]),
        "a RIFF header of another kind": (good.replace(b"WAVE", b"AVI "), pcm),
    }
    for what, (start, rest) in starts.items():
        dialogue = await open_session(context, header=False)
        await _send(dialogue, start, rest, _NO_HEADER)
        _judge_start(context, dialogue, what)
        await dialogue.close()


def _judge_start(context: Context, dialogue: Dialogue, what: str) -> None:
    """Close 1003 is right; another code or results are mild; an abort, or silence for ever, is not."""
    code, expected = _code(dialogue), f"close 1003 for {what}"
    if code is None:
        verdict = Verdict.NON_STRICT if dialogue.finals else Verdict.VIOLATION
        observed = "results" if dialogue.finals else f"nothing: {dialogue.state()}"
        context.broken("audio.header-first", expected, observed, verdict)
        return
    verdict = Verdict.VIOLATION if code == _ABNORMAL else Verdict.NON_STRICT
    context.check("audio.header-first", code == 1003, expected, ended_with(dialogue), verdict)
    if code != _ABNORMAL:
        context.check("close.bad-data", code == 1003, expected, ended_with(dialogue))


def _formats() -> dict[str, tuple[bytes, tuple[str, ...]]]:
    """Return wrong headers by what is wrong, with words of which a reason that names the field has one."""
    good = build_header(STREAM)
    return {
        "stereo": (build_header(PcmFormat(16_000, 2)), ("channel", "mono", "stereo")),
        "8-bit samples": (build_header(PcmFormat(16_000, 1, 8)), ("bit", "width", "depth")),
        "96 kHz": (build_header(PcmFormat(96_000)), ("rate", "hz", "samples per second")),
        "floating-point samples": (
            good[:_CODEC_AT] + _FLOAT + good[_CODEC_AT + len(_FLOAT) :],
            ("codec", "pcm", "format", "tag"),
        ),
    }


@case("audio.formats", "audio.format")
async def formats(context: Context) -> None:
    """Announce stereo, 8-bit, 96 kHz and floating-point audio; the same stream as 16 kHz mono 16-bit PCM is taken."""
    await need_reference(context)
    for what, (header, words) in _formats().items():
        dialogue = await open_session(context, header=False)
        await _send(dialogue, header, sentence(context), _NOT_PCM)
        ended = dialogue.link.closed
        reason = ended.reason.lower() if isinstance(ended, PeerClosed) else ""
        kept = _code(dialogue) == 1003 and any(word in reason for word in words)
        observed = "results" if dialogue.finals else ended_with(dialogue)
        context.check("audio.format", kept, f"close 1003 for {what}, with a reason that names the field", observed)
        await dialogue.close()


@case("audio.text-message", "audio.text-message")
async def text_message(context: Context) -> None:
    """Send a text message in a session that has just given a final."""
    dialogue = await open_session(context)
    await dialogue.pcm(sentence(context))
    if not await dialogue.final():
        raise Blocked(f"no final came before the text message: {dialogue.state()}")
    await dialogue.link.text("hello", deliberate="translator.client.binary-only")
    if await reaction(dialogue) is None and await dialogue.canary():
        context.broken("audio.text-message", "close 1003", "a session that goes on, and a final behind it")
        return
    context.check("audio.text-message", _code(dialogue) == 1003, "close 1003", ended_with(dialogue))
