"""What holds for every voice, and the order of texts and voices (requirements translator.voice.*).

The order is walked with the shared order table; what a voice has to be like is written here.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Finding, Findings, Rule, broken, kept, rule
from conformance.judge.reading import Seen
from conformance.judge.translator.reading import Result, View
from conformance.judge.verdict import Verdict
from conformance.transcript import CloseFrame, Frame
from protocol.audio import rms_dbfs
from protocol.errors import PeerViolation
from protocol.order import Conversation
from protocol.riff import HeaderRules, parse_file
from protocol.translator import order
from protocol.wire import Kind, Party

_FILE = HeaderRules("translator.voice.complete-file", "translator.voice.wav-format")
_RATES = (16_000, 24_000)
_AUDIBLE_DBFS = -60.0
_ONE = "translator.voice.one-message"
_FOLLOWS = "translator.voice.follows-final"


def _wanted(view: View) -> bool:
    return "texttospeech" in view.features


def _mp3(view: View) -> bool:
    return view.parameters.get("format", "").lower() == "audio/mp3"


def unasked(view: View) -> Findings:
    """translator.voice.only-if-requested: without TextToSpeech there is no binary message.

    That none came is shown by the server's close frame behind a final.
    """
    if _wanted(view) or not view.opened:
        return
    name = "translator.voice.only-if-requested"
    stray = [seen for seen in view.from_server if seen.kind is Kind.BINARY]
    for seen in stray:
        yield broken(name, seen.last, "no binary message: features has no TextToSpeech", f"{len(seen.data)} bytes")
    if not stray and view.finals and view.close_of(Party.SERVER) is not None:
        yield kept(name, view.finals[0].seen.last)


def files(view: View) -> Findings:
    """translator.voice.complete-file, wav-format, mp3, default-wav, audible: each voice is a file of its format."""
    if not _wanted(view):
        return
    for seen in view.from_server:
        if seen.kind is not Kind.BINARY or not seen.complete:
            continue
        if _mp3(view):
            name = "translator.voice.mp3"
            if _is_mp3(seen.data):
                yield kept(name, seen.last)
            else:
                yield broken(name, seen.last, "an MP3 frame or an ID3 tag", _start(seen.data))
        else:
            yield from _wav(view, seen)


def _wav(view: View, seen: Seen) -> Findings:
    default = "translator.voice.default-wav"
    if not view.parameters.get("format"):
        if seen.data[:4] == b"RIFF":
            yield kept(default, seen.last)
        elif _is_mp3(seen.data):
            yield broken(default, seen.last, "a WAV file, since format is absent", "an MP3 stream")
            return
    try:
        header, pcm = parse_file(seen.data, _FILE)
    except PeerViolation as error:
        yield broken(error.requirement, seen.last, f"{error.expected} at {error.at} of the voice", error.observed)
        return
    yield kept(_FILE.container, seen.last)
    if header.format.rate in _RATES:
        yield kept(_FILE.format, seen.last)
    else:
        yield broken(_FILE.format, seen.last, "16000 or 24000 Hz", f"{header.format.rate} Hz")
    level = rms_dbfs(pcm)
    name = "translator.voice.audible"
    if level > _AUDIBLE_DBFS:
        yield kept(name, seen.last)
    else:
        yield broken(name, seen.last, f"speech above {_AUDIBLE_DBFS:.0f} dBFS", f"{level:.0f}", Verdict.INFORMATIONAL)


def _is_mp3(data: bytes) -> bool:
    """Tell whether this begins with an ID3 tag or the sync word of an MPEG audio layer III frame."""
    if data[:3] == b"ID3":
        return True
    return len(data) > 4 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 == 0x02


def _start(data: bytes) -> str:
    return data[:12].hex(" ") or "an empty message"


def _voices(view: View) -> list[Seen]:
    return [seen for seen in view.from_server if seen.kind is Kind.BINARY and seen.complete]


def _owed(view: View, before: int) -> int:
    """Return how many voices of earlier finals have not come before an entry: those that may still come late."""
    due = sum(bool(final.translation) for final in view.finals if final.seen.last < before)
    return due - sum(seen.last < before for seen in _voices(view))


def walk(view: View) -> Findings:
    """Walk the order table over both directions: each step that it refuses breaks the requirement it names.

    A voice that is late because the next text did not wait for it, and the voice of an empty final, are no steps:
    they are reported where they went wrong (before-next-text, not-for-empty), and as nothing else.
    """
    if not view.opened:
        return
    conversation = Conversation(order.TABLE, we=None)
    results = {result.seen.last: result for result in view.results}
    voices = {seen.last: seen for seen in _voices(view)}
    excused = {at for at in voices if _owed(view, at) > 0} | {seen.last for _, seen in _for_empty(view)}
    closed = view.close_of(Party.SERVER)
    for at, entry in enumerate(view.entries):
        if isinstance(entry, Frame) and entry.sender is Party.SERVER and closed is not None and at > closed[0]:
            yield broken("translator.session.no-data-after-close", at, "nothing behind the close", "a message")
        elif isinstance(entry, Frame) and entry.sender is Party.CLIENT:
            if entry.data and conversation.may(Party.CLIENT, order.HEADER):
                conversation.step(Party.CLIENT, order.HEADER)
        elif isinstance(entry, CloseFrame) and entry.sender is Party.SERVER:
            yield from _step(conversation, at, order.CLOSE, None)
        elif at in results:
            yield from _step(conversation, at, _word(view, results[at]), None)
        elif at in voices and _wanted(view) and (conversation.may(Party.SERVER, order.VOICE) or at not in excused):
            yield from _step(conversation, at, order.VOICE, voices[at])


def _word(view: View, result: Result) -> str:
    if not result.final:
        return order.PARTIAL
    return order.SPOKEN_FINAL if _wanted(view) and result.translation else order.FINAL


_SHOWS = {
    (order.VOICE_DUE, order.VOICE): (_FOLLOWS, _ONE, "translator.voice.never-for-partial"),
    (order.LISTENING, order.CLOSE): ("translator.session.no-data-after-close",),
    (order.LISTENING, order.FINAL): ("translator.session.no-server-message-before-audio",),
    (order.LISTENING, order.SPOKEN_FINAL): (
        "translator.session.no-server-message-before-audio",
        "translator.voice.before-next-text",
    ),
    (order.LISTENING, order.PARTIAL): ("translator.session.no-server-message-before-audio",),
}


def _step(conversation: Conversation, at: int, message: str, voice: Seen | None) -> Findings:
    state = conversation.state(Party.SERVER)
    try:
        conversation.step(Party.SERVER, message)
    except PeerViolation as error:
        conversation.resume(Party.SERVER, message)
        yield _refused(error, at, voice)
        return
    for name in _SHOWS.get((state, message), ()):
        yield kept(name, at)


def _refused(error: PeerViolation, at: int, voice: Seen | None) -> Finding:
    """A voice in several messages that are files of their own is what some documents say, and some clients read."""
    whole = voice is not None and (voice.data[:4] == b"RIFF" or _is_mp3(voice.data))
    verdict = Verdict.NON_STRICT if error.requirement == _ONE and whole else None
    return broken(error.requirement, at, error.expected, f"{error.observed} in {error.at}", verdict)


def missing(view: View) -> Findings:
    """translator.voice.follows-final: a final with a translation whose voice was waited for, or was cut off.

    Voices are counted off against finals in their order, so that a late one is not taken for a missing one.
    """
    if not _wanted(view):
        return
    due = [final for final in view.finals if final.translation]
    waited = view.expired("voice") is not None
    cut = view.close_of(Party.SERVER) is not None and view.close_of(Party.CLIENT) is None
    if waited or cut:
        for final in due[len(_voices(view)) :]:
            yield broken(_FOLLOWS, final.seen.last, "the voice of this final behind it", "no voice")


def _empty(view: View) -> list[Result]:
    return [final for final in view.finals if final.message is not None and not final.translation]


def _for_empty(view: View) -> list[tuple[Result, Seen]]:
    """Return each empty final behind which a voice comes that is not an earlier final's, with that voice."""
    following = (
        (final, next((seen for seen in view.from_server if seen.first > final.seen.last), None))
        for final in _empty(view)
    )
    return [
        (final, seen)
        for final, seen in following
        if seen is not None and seen.kind is Kind.BINARY and _owed(view, seen.last) <= 0
    ]


def for_nothing(view: View) -> Findings:
    """translator.voice.not-for-empty: a final with an empty translation has no voice."""
    if not _wanted(view):
        return
    name, strays = "translator.voice.not-for-empty", dict(_for_empty(view))
    for final in _empty(view):
        if final in strays:
            voice = strays[final]
            yield broken(name, voice.last, "no voice for an empty translation", f"{len(voice.data)} bytes")
        else:
            yield kept(name, final.seen.last)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, unasked, "translator.voice.only-if-requested"),
    rule(
        Party.SERVER,
        files,
        "translator.voice.complete-file",
        "translator.voice.wav-format",
        "translator.voice.mp3",
        "translator.voice.default-wav",
        "translator.voice.audible",
    ),
    rule(
        Party.SERVER,
        walk,
        "translator.voice.follows-final",
        "translator.voice.one-message",
        "translator.voice.never-for-partial",
        "translator.voice.before-next-text",
        "translator.session.no-data-after-close",
        "translator.session.no-server-message-before-audio",
    ),
    rule(Party.SERVER, missing, "translator.voice.follows-final"),
    rule(Party.SERVER, for_nothing, "translator.voice.not-for-empty"),
)
