"""One connection of a program in the dialect `translator`: how its steps are written, and what has come of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.cases.context import as_guid
from conformance.cases.target import Target
from conformance.judge.reading import Seen
from conformance.judge.translator.reading import read_result
from conformance.peers.link import Received
from conformance.programs.mistakes import MISTAKES
from conformance.programs.program import AUDIO, FINAL, HEADER, SPEECH, VOICE, Step, Talk
from conformance.programs.sending import Sent
from conformance.programs.sounds import STREAM, Sounds
from conformance.programs.writing import cut, digest, no_pcm, pieces, recased, split
from protocol.riff import build_header
from protocol.translator.handshake import build_target
from protocol.wire import Headers, Kind

_HEADER: Final = build_header(STREAM)
_CHUNK: Final = STREAM.ms_to_bytes(250)
_TRACE: Final = "X-ClientTraceId"
_FEATURES: Final = {"partial": "Partial", "timing": "TimingInfo", VOICE: "TextToSpeech"}


class TranslatorSpeaker:
    """Makes the client's side of connections to one server, which speak in these sounds."""

    def __init__(self, target: Target, sounds: Sounds) -> None:
        self.target = target
        self.sounds = sounds

    def side(self, talk: Talk, identity: str) -> TranslatorSide:
        """Return the side of one connection."""
        return TranslatorSide(self, talk, identity)


class TranslatorSide:
    """The client's side of one connection (`sending.Side`)."""

    def __init__(self, speaker: TranslatorSpeaker, talk: Talk, identity: str) -> None:
        self.texts: list[str] = []
        self._speaker = speaker
        self._talk = talk
        self._identity = identity
        self._counts = {FINAL: 0, VOICE: 0}

    def request(self) -> tuple[str, Headers]:
        """Return the request target and the header fields of the upgrade."""
        target, form, asks = self._speaker.target, self._talk.form, self._talk.asks
        at = self._talk.at[0] if self._talk.at else 0
        words = [recased(_FEATURES[word], at) if form == "words" else _FEATURES[word] for word in asks]
        extra = {"parameter": [("speechwire", "1")], "empty": [("ProfanityAction", "")]}.get(form, [])
        if form == "trace":
            extra = [("X-CorrelationId", digest(self._identity, "correlation"))]
        voice = target.voice if VOICE in asks else None
        asked = build_target(
            target.path, source=target.source, target=target.target, features=words, voice=voice, extra=extra
        )
        path, _, query = asked.partition("?")
        pairs = query.split("&")
        if form == "order":
            pairs = pairs[at % len(pairs) :] + pairs[: at % len(pairs)]
        elif form == "names":
            pairs = [f"{recased(name, at)}={value}" for name, _, value in (pair.partition("=") for pair in pairs)]
        return f"{path}?{'&'.join(pairs)}", (*target.credentials, (_TRACE, as_guid(digest(self._identity, "trace"))))

    def messages(self, step: Step, wall: float) -> Iterator[Sent]:
        """Yield the messages of a step; nothing in them depends on the time."""
        mark = f"translator.{MISTAKES['translator'][step.wrong].breaks}" if step.wrong else None
        if step.wrong == "text":
            yield Sent(Kind.TEXT, (b"speechwire",), mark)
            return
        bodies = self._header(step) if step.does == HEADER else self._audio(step)
        for number, body in enumerate(bodies):
            parts = cut(body, step.at) if step.form == "frames" and number == 0 else [body]
            yield Sent(Kind.BINARY, parts, mark)

    def _header(self, step: Step) -> list[bytes]:
        at = step.at[0] if step.at else 0
        header = _HEADER
        if step.wrong == "codec":
            return [no_pcm(header, at)]
        if step.wrong == "no-riff":
            return [bytes(len(header))]
        match step.form:
            case "46":
                return [build_header(STREAM, fmt_size=18)]
            case "chunks":
                chunks = [(b"LIST", bytes(size)) for size in step.at]
                return [build_header(STREAM, extra_chunks=chunks)]
            case "sizes":
                return [build_header(STREAM, data_size=at)]
            case "with-audio":
                return [header + bytes(at)]
            case "split":
                return split(header, step.at)
            case _:
                return [header]

    def _audio(self, step: Step) -> list[bytes]:
        sounds = self._speaker.sounds
        if step.does == AUDIO and step.what == SPEECH:
            self.texts.append(sounds.text(step))
        pcm = sounds.pcm(step)
        sizes = step.at if step.form in ("any-size", "odd") else ()
        bodies = pieces(pcm, sizes, _CHUNK)
        if step.form == "empty":
            bodies.insert(step.at[0] % (len(bodies) + 1), b"")
        return bodies

    def hear(self, answer: Received) -> None:
        """Take in a message of the server."""
        if answer.kind is Kind.BINARY:
            self._counts[VOICE] += 1
            return
        if recognised(answer):
            self._counts[FINAL] += 1

    def came(self, step: Step) -> bool:
        """Tell whether what a step waits for has come."""
        return self._counts[step.what] >= step.count

    def in_vain(self, step: Step) -> bool:
        """Tell that everything can come up to the end of the session."""
        return False


def recognised(answer: Received) -> str:
    """Return the text of a final that is one with words; else ""."""
    result = read_result(Seen(-1, -1, answer.started, answer.ended, answer.kind, answer.data, True, None))
    return result.recognition if result is not None and result.final else ""
