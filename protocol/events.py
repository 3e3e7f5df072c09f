"""What passes between a server session and the pipeline that listens, translates and speaks.

Positions are bytes of 16-bit mono audio behind the header, at the stream's own rate, and always even. Translations
stand in the order of the targets that were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from protocol.audio import PcmFormat

VoiceEncoding = Literal["wav", "mp3"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the stream: where it starts and how long it is, in bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The position behind the last byte."""
        return self.start + self.size


# From the session to the pipeline.


@dataclass(frozen=True, slots=True)
class Task:
    """What is wanted of a stretch of audio.

    Attributes:
        source: The speech key of what is spoken, e.g. `en-US`.
        targets: Text keys to translate into, in the order of the answers; none for recognition alone.
        candidates: Speech keys among which the engine finds out what is spoken; `source` is what it falls back on.
        silence_ms: Silence that ends an utterance.
        longest_ms: Length at which an utterance is cut.
        growth_ms: Audio between two hypotheses; None for no hypotheses at all.
    """

    source: str
    targets: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    silence_ms: int = 800
    longest_ms: int = 30_000
    growth_ms: int | None = 300


@dataclass(frozen=True, slots=True)
class AudioStarted:
    """Session to pipeline: the header is complete, audio in this format follows, and this is to be done with it."""

    format: PcmFormat
    task: Task


@dataclass(frozen=True, slots=True)
class Audio:
    """Session to pipeline: whole samples, in order."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AudioEnded:
    """Session to pipeline: no more audio. `flush`: finish the open utterance, else drop it; then say `Drained`."""

    flush: bool


@dataclass(frozen=True, slots=True)
class Retarget:
    """Session to pipeline: from here on, translate into these languages."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """Session to pipeline: the open utterance ends here; answer with a `Phrase` that has this token, in any case."""

    token: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Session to pipeline, as a reply to a `Phrase`: speak this, before anything else; answer with `Speech`."""

    text: str
    voice: str
    encoding: VoiceEncoding = "wav"


# From the pipeline to the session.


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Pipeline to session: what the open utterance sounds like so far. Later ones replace earlier ones.

    `language` is the speech key that was found out, where the task had candidates. `targets` are those of the
    translations.
    """

    time: float
    span: Span
    recognition: str
    translations: tuple[str, ...]
    profanities: frozenset[str] = frozenset()
    language: str | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pipeline to session: the utterance is over. Without words all texts are empty, and nothing is to be spoken.

    `targets` are those of the translations; `failures` says why a translation into one of them failed, whose text is
    then empty. `commit` is the token of the `Commit` that ended it; if there was no open utterance, the span is empty
    and lies where the audio ends. `last`: the end of the audio ended it (`AudioEnded` with flush). `status` is the
    RecognitionStatus of a recognition that did not succeed.
    """

    time: float
    span: Span
    recognition: str
    translations: tuple[str, ...]
    profanities: frozenset[str] = frozenset()
    language: str | None = None
    targets: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    status: str | None = None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Speech:
    """Pipeline to session: the answer to a `Speak`, in order: a complete WAV or MP3 file, or why there is none."""

    time: float
    file: bytes
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """Pipeline to session: speech has begun at this position; it is an utterance."""

    time: float
    start: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Pipeline to session: so many bytes of silence up to position `end`, without a break."""

    time: float
    size: int
    end: int


class Blame(Enum):
    """Whose doing a failure is."""

    ENGINE = "engine"
    """The engine cannot go on with this audio."""
    OVERLOAD = "overload"
    """There is too much to do; the same may work later."""
    SCRIPT = "script"
    """Whoever scripted the engine wants the connection to end so."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Pipeline to session: nothing more comes. `code` and `reason` are those of a close frame that would say so."""

    time: float
    code: int
    reason: str
    blame: Blame = Blame.ENGINE


@dataclass(frozen=True, slots=True)
class Drained:
    """Pipeline to session: after `AudioEnded`, everything in flight has been handed over."""

    time: float


ToPipeline = AudioStarted | Audio | AudioEnded | Retarget | Commit | Speak
FromPipeline = Hypothesis | Phrase | Speech | Begun | Silence | Fault | Drained
