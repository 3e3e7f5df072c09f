"""What passes between a server session and the pipeline that listens, translates and speaks.

Positions are bytes of audio behind the header, at the stream's own rate, and always even. Translations stand in
the order of the targets that were asked for; `translator` has exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.audio import PcmFormat


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the stream: where it starts and how long it is, in bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The position behind the last byte."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class AudioStarted:
    """Session to pipeline: the header is complete, audio in this format follows."""

    format: PcmFormat


@dataclass(frozen=True, slots=True)
class Audio:
    """Session to pipeline: whole samples, in order."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AudioEnded:
    """Session to pipeline: no more audio. `flush`: finish the open utterance, else drop it; then say `Drained`."""

    flush: bool


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Pipeline to session: what the open utterance sounds like so far. Later ones replace earlier ones."""

    time: float
    span: Span
    recognition: str
    translations: tuple[str, ...]
    profanities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pipeline to session: the utterance is over. Without words all texts are empty and no `Speech` follows."""

    time: float
    span: Span
    recognition: str
    translations: tuple[str, ...]
    profanities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Speech:
    """Pipeline to session: the voice of the last phrase, a complete WAV or MP3 file."""

    time: float
    file: bytes


@dataclass(frozen=True, slots=True)
class Silence:
    """Pipeline to session: so many bytes of silence up to now, without a break."""

    time: float
    size: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Pipeline to session: the engine failed and the session has to end with this code and reason."""

    time: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Drained:
    """Pipeline to session: after `AudioEnded`, everything in flight has been handed over."""

    time: float


ToPipeline = AudioStarted | Audio | AudioEnded
FromPipeline = Hypothesis | Phrase | Speech | Silence | Fault | Drained
