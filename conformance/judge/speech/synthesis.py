"""What holds for every voice that a server sends (requirements speech.synthesis.*).

A voice is what comes between two ends; on v2 its messages carry the id of its stream. Where voices stand among the
other messages is walked with the order table, in `turns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.languages import related
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Result, Said
from conformance.judge.speech.turn import Turn
from conformance.judge.speech.wave import read_wave
from conformance.judge.verdict import Verdict
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import HeaderRules, parse_file
from protocol.speech.messages import READERS, V1
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


def unasked(view: View) -> Findings:
    """speech.synthesis.only-on-request: without a voice asked for, there is none."""
    name = "speech.synthesis.only-on-request"
    for turn in view.turns:
        if turn.wanted.voices is not None or _updated(turn):
            continue
        stray = next((said for said in turn.server if said.path in PATHS), None)
        if stray is not None:
            yield broken(name, stray.at, "no synthesis: no voice was asked for", stray.path)
        elif turn.end is not None and any(final.speaks for final in turn.finals):
            yield kept(name, turn.end.at)


def asked(view: View) -> Findings:
    """speech.synthesis.on-request: each final with a translation that is to be spoken is followed by a voice."""
    name = "speech.synthesis.on-request"
    for turn in view.turns:
        if turn.end is None or turn.wanted.voices is None or turn.provoked or turn.abandoned:
            continue
        due, came = [final for final in turn.finals if _tags(turn, final)], len(voices(turn))
        for final in due[:came]:
            yield kept(name, final.at)
        if came < len(due):
            yield broken(name, due[came].at, f"{len(due)} voices before turn.end", str(came))


def _tags(turn: Turn, final: Result) -> list[str]:
    """Return the languages in which a final is to be spoken, and can be."""
    if turn.wanted.voices is None or not final.speaks:
        return []
    said = [entry.language for entry in final.entries if entry.text]
    return [tag for tag in turn.wanted.voices.spoken if any(related(tag, language) for language in said)]


def _updated(turn: Turn) -> bool:
    return bool(turn.updates)


def places(view: View) -> Findings:
    """speech.synthesis.after-phrase, before-turn-end: behind a final with words, and before the end of the turn."""
    for turn in view.turns:
        first = turn.finals[0].at if turn.finals else None
        for voice in voices(turn):
            at = voice.messages[0].at
            name = "speech.synthesis.after-phrase"
            good = first is not None and first < at
            yield kept(name, at) if good else broken(name, at, "a final before its voice", voice.messages[0].path)
        if turn.end is None:
            continue
        name = "speech.synthesis.before-turn-end"
        late = [said for said in turn.server if said.path in PATHS and said.at > turn.end.at]
        for said in late:
            yield broken(name, said.at, "no synthesis behind turn.end", said.path)
        if voices(turn) and not late:
            yield kept(name, turn.end.at)


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
    """speech.synthesis.v1-paths, v2-paths: the paths of the dialect."""
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


def languages(view: View) -> Findings:
    """speech.synthesis.languages: the targets that were asked for are spoken, and no others.

    That the service speaks each of several is nowhere recorded.
    """
    name = "speech.synthesis.languages"
    for turn in view.turns:
        if turn.wanted.voices is None or _updated(turn):
            continue
        tags, spoken_in = turn.wanted.voices.spoken, []
        for voice in voices(turn):
            language = voice.start.body.get("TranslationLanguage") if voice.start and voice.start.body else None
            if voice.start is None or not isinstance(language, str):
                continue
            good = any(related(language, tag) for tag in tags)
            yield kept(name, voice.start.at) if good else broken(name, voice.start.at, " or ".join(tags), language)
            spoken_in.append(language)
        if turn.end is None or turn.provoked or turn.abandoned or not spoken_in:
            continue
        for tag in tags:
            due = sum(tag in _tags(turn, final) for final in turn.finals)
            came = sum(related(tag, language) for language in spoken_in)
            if came < due:
                yield broken(name, turn.end.at, f"{due} voices in {tag}", str(came), Verdict.NON_STRICT)


def first_target(view: View) -> Findings:
    """speech.synthesis.first-target: one voice for each final."""
    name = "speech.synthesis.first-target"
    for turn in view.turns:
        came, finals = voices(turn), sum(final.speaks for final in turn.finals)
        if came and finals:
            at, observed = came[-1].messages[-1].at, f"{len(came)} voices for {finals} finals"
            good = len(came) <= finals
            yield kept(name, at) if good else broken(name, at, "one voice for each final", observed)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, unasked, "speech.synthesis.only-on-request"),
    rule(Party.SERVER, asked, "speech.synthesis.on-request"),
    rule(Party.SERVER, places, "speech.synthesis.after-phrase", "speech.synthesis.before-turn-end"),
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
    rule(Party.SERVER, languages, "speech.synthesis.languages"),
    rule(Party.SERVER, first_target, "speech.synthesis.first-target"),
)
