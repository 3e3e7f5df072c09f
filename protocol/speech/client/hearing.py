"""What a client hears in one turn, and what it tells the application of it.

Offsets on the wire begin anew with each turn (fact T-08); the application gets those of the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from protocol.errors import PeerViolation
from protocol.speech.client.telemetry import Report
from protocol.speech.messages import (
    ERROR,
    SUCCESS,
    EndDetected,
    Interim,
    ServerMessage,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    TurnEnd,
)
from protocol.speech.messages import Final as FinalResult

ACKNOWLEDGEMENT: Final = "EndOfDictation"
"""The status that only acknowledges audio; no SDK shows it (fact X7 of the experiments)."""

FAILURES: Final = frozenset({ERROR, "TooManyRequests", "BadRequest", "Forbidden", "ServiceUnavailable"})
"""The statuses with which the service gives up."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A result came. `id` numbers it, hypotheses as `final.number`; `offset` is in ticks of the session."""

    time: float
    id: str
    result: Interim | FinalResult
    offset: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice is complete: its file, the id of its final, and the language, if the server or our wish says which."""

    time: float
    id: str | None
    language: str | None
    file: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """The service says that it failed: the status, and why. It gives up the session, or goes on without that."""

    time: float
    status: str
    reason: str
    gives_up: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """The server broke a requirement; the session goes on without that message."""

    time: float
    violation: PeerViolation


Told = Heard | Voice | Failure | Trouble


@dataclass
class Numbering:
    """Numbers the results of a session, over all its turns."""

    finals: int = 0
    interims: int = 0

    def interim(self) -> str:
        """Return the next id of the open utterance."""
        self.interims += 1
        return f"{self.finals}.{self.interims}"

    def final(self) -> str:
        """Return the id of a final, and begin the next utterance."""
        self.finals, self.interims = self.finals + 1, 0
        return str(self.finals - 1)


@dataclass
class _Speaking:
    """A voice that is still coming."""

    language: str | None
    parts: list[bytes] = field(default_factory=list)


@dataclass
class Turn:
    """One turn, from its context to its end.

    Attributes:
        id: The request id.
        base: Position of its first sample in the session, in bytes; `base_ticks` is the same in ticks.
        report: What its telemetry will say.
        numbering: The session's.
        voices: The voice that was wished for each target.
        ended: When its audio ended on the wire; None before.
        stopped: Whether the service wants no more audio of this turn.
        reached: Up to where finals have acknowledged its audio, in ticks of the turn.
        results: How many finals there were for the application.
        over: Whether turn.end came.
        given_up: Whether the service gave up.
        size: Bytes of the voices that are still coming.
    """

    id: str
    base: int
    base_ticks: int
    report: Report
    numbering: Numbering
    voices: Mapping[str, str]
    ended: float | None = None
    stopped: bool = False
    reached: int = 0
    results: int = 0
    over: bool = False
    given_up: bool = False
    size: int = 0
    _last: str | None = None
    _speaking: dict[str | None, _Speaking] = field(default_factory=dict)

    def hear(self, message: ServerMessage, time: float) -> list[Told]:
        """Take a message of the turn; return what to tell."""
        match message:
            case EndDetected():
                self.stopped = True
            case TurnEnd():
                self.over = True
                cut = PeerViolation("speech.synthesis.end", "turn.end", "the end of the voice before it", "none")
                return [Trouble(time, cut) for _ in self._speaking]
            case Interim(offset=offset):
                return [Heard(time, self.numbering.interim(), message, self.base_ticks + offset)]
            case FinalResult():
                return self._final(message, time)
            case SynthesisStart(stream, language):
                self._speaking[stream] = _Speaking(language)
            case SynthesisChunk(stream, data):
                self._speaking.setdefault(stream, _Speaking(self._only_language)).parts.append(data)
                self.size += len(data)
            case SynthesisEnd():
                return self._voice(message, time)
            case _:
                pass  # turn.start, startDetected, and what nobody knows (speech.client.unknown-messages)
        return []

    def _final(self, result: FinalResult, time: float) -> list[Told]:
        if result.status in FAILURES:
            self.given_up = True
            return [Failure(time, result.status, result.failure_reason or "", True)]
        self.reached = max(self.reached, result.offset + result.duration)
        if result.status == ACKNOWLEDGEMENT:
            return []
        self.results += 1
        self._last = self.numbering.final()
        told: list[Told] = [Heard(time, self._last, result, self.base_ticks + result.offset)]
        if result.translation_status == ERROR:
            told.append(Failure(time, ERROR, result.failure_reason or "", False))
        return told

    def _voice(self, end: SynthesisEnd, time: float) -> list[Told]:
        spoken = self._speaking.pop(end.stream, _Speaking(self._only_language))
        file = b"".join(spoken.parts)
        self.size -= len(file)
        if end.status != SUCCESS:
            return [Failure(time, end.status, end.reason or "", False)]
        if not file:
            return [Trouble(time, PeerViolation("speech.synthesis.file", "the end of a voice", "its audio", "none"))]
        return [Voice(time, self._last, spoken.language, file)]

    @property
    def _only_language(self) -> str | None:
        """The language of a voice that comes without one, as in `speech-v1`: the only one that was wished for."""
        return next(iter(self.voices)) if len(self.voices) == 1 else None
