"""One connection of a program in the speech dialects: how its steps are written, and what has come of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.cases.speech.asking import INTERACTIVE, Ask, config_body, context_body, voice_for
from conformance.cases.speech.mistakes import as_binary, as_text
from conformance.cases.speech.reading import folded, heard
from conformance.cases.target import Target
from conformance.peers.link import Received
from conformance.programs.mistakes import MISTAKES, damage_speech
from conformance.programs.program import (
    AUDIO,
    COMMIT,
    CONFIG,
    CONTEXT,
    END,
    EVENT,
    FINAL,
    HEADER,
    LATE,
    OTHER,
    SPEECH,
    TELEMETRY,
    TURN_END,
    VOICE,
    Step,
    Talk,
)
from conformance.programs.sending import Sent
from conformance.programs.sounds import STREAM, Sounds
from conformance.programs.writing import cut, digest, no_pcm, pieces, recased, split
from protocol.riff import build_header
from protocol.speech.handshake import CONNECTION_ID, Mode, build_target
from protocol.wire import Headers, Kind

_CHUNK: Final = STREAM.ms_to_bytes(250)
_HEADER: Final = build_header(STREAM)
_PATHS: Final = {CONFIG: "speech.config", CONTEXT: "speech.context", OTHER: "speechwire.note"}
_TYPE: Final = "application/json; charset=utf-8"
_WAV: Final = "audio/x-wav"
_REPORT: Final = '{"ReceivedMessages":[],"Metrics":[]}'
_UTC_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SpeechSpeaker:
    """Makes the client's side of connections to one server, which speak in these sounds."""

    def __init__(self, target: Target, sounds: Sounds) -> None:
        self.target = target
        self.sounds = sounds
        self._asks: dict[tuple[str, ...], tuple[Ask, Mapping[str, bytes]]] = {}

    def side(self, talk: Talk, identity: str) -> SpeechSide:
        """Return the side of one connection."""
        if talk.asks not in self._asks:
            target = self.target
            mode = next((mode for mode in Mode if mode.value in talk.asks), INTERACTIVE)
            voice = voice_for(target, target.target) if VOICE in talk.asks else None
            ask = Ask(target.source, (target.target,), mode, {} if voice is None else {target.target: voice})
            self._asks[talk.asks] = ask, _bodies(ask)
        return SpeechSide(self, talk, identity, *self._asks[talk.asks])


class SpeechSide:
    """The client's side of one connection (`sending.Side`)."""

    def __init__(
        self, speaker: SpeechSpeaker, talk: Talk, identity: str, ask: Ask, bodies: Mapping[str, bytes]
    ) -> None:
        self.texts: list[str] = []
        self._speaker = speaker
        self._talk = talk
        self._identity = identity
        self._ask = ask
        self._bodies = bodies
        self._ids: dict[int, str] = {}
        self._turns: dict[str, int] = {}
        self._counts: dict[tuple[str, int], int] = {}

    # The request.

    def request(self) -> tuple[str, Headers]:
        """Return the request target and the header fields of the upgrade."""
        identity = digest(self._identity, "connection")
        form = self._talk.form
        extra = [(CONNECTION_ID, identity)] if form == "id-in-query" else []
        extra += [("speechwire", "1")] if form == "parameter" else []
        headers = list(self._speaker.target.credentials)
        if form != "id-in-query":
            headers.append((CONNECTION_ID, identity.upper() if form == "upper-id" else identity))
        headers += [("Sec-WebSocket-Protocol", "USP")] if form == "sub-protocol" else []
        headers += [("X-Speechwire", "1")] if form == "header" else []
        ask, voice = self._ask, next(iter(self._ask.voices.values()), None)
        path = self._speaker.target.path
        target = build_target(path, source=ask.source, targets=ask.targets, mode=ask.mode, voice=voice, extra=extra)
        return target, tuple(headers)

    # Sending.

    def messages(self, step: Step, wall: float) -> Iterator[Sent]:
        """Yield the messages of a step; `wall` is the time in seconds since 1970."""
        mark = f"speech.{MISTAKES['speech'][step.wrong].breaks}" if step.wrong else None
        for number, (kind, headers, body) in enumerate(self._plain(step)):
            head = self._head(headers, step, wall)
            if step.wrong and MISTAKES["speech"][step.wrong].damages:
                data = damage_speech(step.wrong, step.at[0] if step.at else 0, kind, head, body)
            elif kind is Kind.BINARY:
                data = as_binary(head, body)
            else:
                data = head if step.does == COMMIT else as_text(head, body)
            parts = cut(data, step.at) if step.form == "frames" and number == 0 else [data]
            yield Sent(kind, parts, mark)

    def _plain(self, step: Step) -> Iterator[tuple[Kind, Headers, bytes]]:
        """Yield the messages of a step as they usually are: kind, headers without a time, body."""
        does, identity = step.does, self._id(step)
        if does in (HEADER, AUDIO, END, LATE):
            for number, body in enumerate(self._audio(step)):
                typed = (("Content-Type", _WAV),) if does == HEADER and number == 0 else ()
                stream = (("X-StreamId", str(step.at[0])),) if step.form == "stream" else ()
                yield Kind.BINARY, (("Path", "audio"), ("X-RequestId", identity), *typed, *stream), body
            return
        if does == OTHER and step.what == "binary":
            yield Kind.BINARY, (("Path", _PATHS[OTHER]), ("X-RequestId", identity)), b""
            return
        path = "audio.commit" if does == COMMIT else _PATHS.get(does, does)
        named = () if step.form == "anonymous" else (("X-RequestId", identity),)
        last = (("X-Client-Commit-Token", "1"),) if does == COMMIT else (("Content-Type", _TYPE),)
        headers = (("Path", path), *named, *(() if step.form == "untyped" else last))
        yield Kind.TEXT, headers, b"" if does == COMMIT else self._body(step)

    def _id(self, step: Step) -> str:
        """Return the request id of a step: that of its turn, or of none."""
        if step.does == EVENT and not step.what:
            return digest(self._identity, "no turn")
        turn = step.turn - 1 if step.wrong == "reused-id" else step.turn
        if turn not in self._ids:
            made = digest(self._identity, str(turn))
            if step.form == "upper":
                made = made.upper()
            elif step.form == "zeros":
                made = "0" * step.at[0] + made[step.at[0] :]
            self._ids[turn] = made
            self._turns[folded(made)] = turn
        return self._ids[turn]

    def _audio(self, step: Step) -> list[bytes]:
        """Return the bodies of the audio messages of a step."""
        if step.does == END:
            return [b"", b""] if step.form == "repeated" else [b""]
        if step.does == HEADER:
            header = _HEADER
            if step.wrong == "codec":
                header = no_pcm(header, step.at[0])
            elif step.wrong == "no-riff":
                header = bytes(len(_HEADER))
            if step.form == "split":
                return split(header, step.at)
            return [header + bytes(step.at[0])] if step.form == "samples" else [header]
        sounds = self._speaker.sounds
        if step.does == AUDIO and step.what == SPEECH:
            self.texts.append(sounds.text(step))
        sizes = step.at if step.form in ("small", "large") else ()
        return pieces(sounds.pcm(step), sizes, _CHUNK)

    def _body(self, step: Step) -> bytes:
        """Return the JSON body of a text message."""
        if step.does == CONTEXT:
            return _shaped(self._bodies[CONTEXT], step)
        if step.does == CONFIG:
            config = self._bodies[CONFIG]
            return config if step.form != "members" else _with(config, step.body)
        if step.does == TELEMETRY:
            return (step.body or _REPORT).encode()
        return self._bodies[EVENT] if step.does == EVENT else b"{}"

    def _head(self, headers: Headers, step: Step, wall: float) -> bytes:
        """Return the header block in the form of the step, with the time of sending."""
        digits = 3 if step.form == "digits" else 7
        moment = _UTC_1970 + timedelta(seconds=wall)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S.%f}0"[: 20 + digits] + "Z"
        if step.form == "epoch":
            stamp = str(int(wall * 1000))
        fields = [*headers[:2], ("X-Timestamp", stamp), *headers[2:]]
        at = step.at[0] if step.at else 0
        if step.form == "order":
            orders = tuple(itertools.permutations(fields))
            fields = list(orders[at % len(orders)])
        elif step.form == "case":
            fields = [(recased(name, at), value) for name, value in fields]
        elif step.form == "extra":
            fields.insert(at % (len(fields) + 1), ("X-Speechwire", "x" * (at // 8)))
        blank = " " if step.form == "blank" else ""
        return "".join(f"{name}:{blank}{value}\r\n" for name, value in fields).encode()

    # Hearing.

    def hear(self, answer: Received) -> None:
        """Take in a message of the server."""
        message = heard(answer)
        what = TURN_END if message.path == "turn.end" else FINAL if message.is_final and message.text else ""
        if what:
            place = what, self._turns.get(message.turn, -1)
            self._counts[place] = self._counts.get(place, 0) + 1

    def came(self, step: Step) -> bool:
        """Tell whether what a step waits for has come."""
        return self._counts.get((step.what, step.turn), 0) >= step.count

    def in_vain(self, step: Step) -> bool:
        """Tell whether it cannot come any more."""
        return step.what != TURN_END and (TURN_END, step.turn) in self._counts


def recognised(answer: Received) -> str:
    """Return the text of a final that is one with words; else ""."""
    message = heard(answer)
    return message.text if message.is_final else ""


def _bodies(ask: Ask) -> Mapping[str, bytes]:
    event = {"id": "translation", "name": "updateLanguage", "to": list(ask.targets)}
    members = {CONFIG: config_body(ask), CONTEXT: context_body(ask), EVENT: event}
    return {word: _dumped(body) for word, body in members.items()}


def _dumped(members: object) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def _with(body: bytes, member: str) -> bytes:
    return _dumped({**json.loads(body), "speechwire": json.loads(member)})


def _shaped(body: bytes, step: Step) -> bytes:
    """Return the body of a speech.context in the form of the step."""
    if step.form == "open":
        return _with(body, step.body)
    if step.form not in ("mode-case", "keys-case"):
        return body
    members: dict[str, Any] = json.loads(body)
    if step.form == "mode-case":
        detection = members["phraseDetection"]
        detection["mode"] = recased(detection["mode"], step.at[0])
        return _dumped(members)
    return _dumped({recased(name, step.at[0]): value for name, value in members.items()})
