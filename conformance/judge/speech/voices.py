"""What holds for every voice that a server sends (requirements speech.synthesis.*).

A voice is what comes between two ends; on v2 its messages carry the id of its stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from conformance.judge.speech.turn import Turn
from conformance.judge.speech.wave import read_wave
from conformance.judge.verdict import Verdict
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import HeaderRules, parse_file
from protocol.speech.messages import V1
from protocol.speech.parsing import READERS
from protocol.validate import validator
from protocol.wire import Party

_FILE = HeaderRules("speech.synthesis.file", "speech.synthesis.format")
_FORMAT = PcmFormat(16_000)
_ENDS = (spoken.SYNTHESIS_END, spoken.AUDIO_END)
PATHS = (*spoken.SERVER_BINARIES, spoken.AUDIO_START, *_ENDS)
"""The paths of a voice's messages."""


@dataclass(slots=True)
class Voice:
    """The messages of one voice, in order: its start, its chunks, its end; each may be missing."""

    start: Said | None = None
    chunks: list[Said] = field(default_factory=list)
    end: Said | None = None

    @property
    def messages(self) -> list[Said]:
        """All of them."""
        return [said for said in (self.start, *self.chunks, self.end) if said is not None]

    @property
    def data(self) -> bytes:
        """The bytes of its chunks, joined."""
        return b"".join(said.payload for said in self.chunks)


def voices(turn: Turn) -> list[Voice]:
    """Return the voices of a turn up to turn.end, in the order in which they began.

    A message without a stream id belongs to the voice that began last and is still open.
    """
    found: list[Voice] = []
    live: dict[str | None, Voice] = {}
    for said in turn.answers:
        if said.path not in PATHS:
            continue
        stream = _stream(said)
        if stream is None and live and said.path != spoken.AUDIO_START:
            stream = next(reversed(live))
        voice = live.get(stream)
        if voice is None or said.path == spoken.AUDIO_START:
            voice = live[stream] = Voice()
            found.append(voice)
        if said.path == spoken.AUDIO_START:
            voice.start = said
        elif said.path in _ENDS:
            voice.end = said
            del live[stream]
        else:
            voice.chunks.append(said)
    return found


def files(view: View) -> Findings:
    """speech.synthesis.file, format, no-empty-chunk: the chunks of a voice are one WAVE file."""
    for turn in view.turns:
        for voice in voices(turn):
            for said in voice.chunks:
                name = "speech.synthesis.no-empty-chunk"
                yield kept(name, said.at) if said.payload else broken(name, said.at, "audio", "an empty body")
            if voice.end is not None and any(voice.data):  # a recording may have lost the bytes, not their number
                yield from _file(voice.data, voice.chunks[-1].at)


def _file(data: bytes, at: int) -> Findings:
    try:
        header, _ = parse_file(data, _FILE)
    except PeerViolation as error:
        # Several files, or sizes that are left open: a reader gets along. No header at all is noise in an ear.
        verdict = Verdict.NON_STRICT if read_wave(data) is not None else None
        yield broken(error.requirement, at, f"{error.expected} at {error.at} of the file", error.observed, verdict)
        return
    yield kept(_FILE.container, at)
    name, rate = _FILE.format, header.format.rate
    yield kept(name, at) if header.format == _FORMAT else broken(name, at, f"{_FORMAT.rate} Hz", f"{rate} Hz")


def ends(view: View) -> Findings:
    """speech.synthesis.end, end-status, end-reason, end-form, start-form: how a voice begins and ends."""
    for turn in view.turns:
        for voice in voices(turn):
            name = "speech.synthesis.end"
            if voice.end is not None:
                yield kept(name, voice.end.at)
            elif turn.end is not None and voice.chunks and not turn.provoked:
                yield broken(name, turn.end.at, "an end message for each voice", "none")
            for said in (voice.start, voice.end):
                if said is not None and said.body is not None:
                    yield from _form(said)


def _form(said: Said) -> Findings:
    errors = validator(f"speech/{READERS[said.path][0]}").errors(said.body)
    wrong = {error.requirement: error for error in reversed(errors)}
    for name, error in wrong.items():
        yield broken(name, said.at, f"{error.expected} at {error.at}", error.observed)
    shows = ("start-form",) if said.path == spoken.AUDIO_START else ("end-form", "end-status", "end-reason")
    for word in shows:
        if f"speech.synthesis.{word}" not in wrong:
            yield kept(f"speech.synthesis.{word}", said.at)


def shapes(view: View) -> Findings:
    """speech.synthesis.v1-paths, v2-paths: the paths of the dialect; an old client of v2 may be sent those of v1."""
    if view.dialect != V1 and view.asks.old_voice:
        return
    first, second = (spoken.SYNTHESIS, spoken.SYNTHESIS_END), (spoken.AUDIO_START, spoken.AUDIO, spoken.AUDIO_END)
    own, name = (first, "speech.synthesis.v1-paths") if view.dialect == V1 else (second, "speech.synthesis.v2-paths")
    for turn in view.turns:
        for voice in voices(turn):
            odd = next((said for said in voice.messages if said.path not in own), None)
            if odd is not None:
                yield broken(name, odd.at, " or ".join(own), odd.path)
            else:
                yield kept(name, voice.messages[0].at)


def streams(view: View) -> Findings:
    """speech.synthesis.start, stream-id, one-stream-at-a-time: voices of v2 are streams, one after another."""
    used: set[str] = set()
    for turn in view.turns:
        for voice in voices(turn):
            if any(said.path not in (spoken.AUDIO_START, spoken.AUDIO, spoken.AUDIO_END) for said in voice.messages):
                continue  # in the shape of v1
            if voice.start is not None and voice.chunks:
                yield kept("speech.synthesis.start", voice.start.at)
            yield from _stream_id(voice, used)
            if voice.start is not None and voice.end is not None:
                name = "speech.synthesis.one-stream-at-a-time"
                others = [said.at for said in turn.answers if said.path == spoken.AUDIO_START]
                if not any(voice.start.at < at < voice.end.at for at in others):
                    yield kept(name, voice.end.at)


def _stream(said: Said) -> str | None:
    return said.message.stream_id if said.message is not None else None


def _stream_id(voice: Voice, used: set[str]) -> Findings:
    name, at = "speech.synthesis.stream-id", voice.messages[0].at
    streams = {_stream(said) for said in voice.messages}
    bare = next((said for said in voice.messages if _stream(said) is None), None)
    if bare is not None:
        yield broken(name, bare.at, "an X-StreamId on each message of a voice", f"none on {bare.path}")
    elif not used.isdisjoint(streams):
        yield broken(name, at, "an X-StreamId of its own", f"{_stream(voice.messages[0])} again")
    else:
        yield kept(name, at)
    used |= {stream for stream in streams if stream is not None}


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, files, "speech.synthesis.file", "speech.synthesis.format", "speech.synthesis.no-empty-chunk"),
    rule(
        Party.SERVER,
        ends,
        "speech.synthesis.end",
        "speech.synthesis.end-status",
        "speech.synthesis.end-reason",
        "speech.synthesis.end-form",
        "speech.synthesis.start-form",
        "speech.frame.text-json",
    ),
    rule(Party.SERVER, shapes, "speech.synthesis.v1-paths", "speech.synthesis.v2-paths"),
    rule(
        Party.SERVER,
        streams,
        "speech.synthesis.start",
        "speech.synthesis.stream-id",
        "speech.synthesis.one-stream-at-a-time",
    ),
)
