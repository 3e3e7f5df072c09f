"""What a server of the speech dialects says, as values: read by `parsing`, written by `server.encoding`.

The formats stand in `schemas/speech`. Times are ticks of 100 ns, relative to the turn's first sample.
"""

from __future__ import annotations

from dataclasses import dataclass

V1 = "speech-v1"
V2 = "speech-v2"


SUCCESS = "Success"
ERROR = "Error"
STATUSES = (
    SUCCESS,
    "NoMatch",
    "InitialSilenceTimeout",
    "BabbleTimeout",
    "EndOfDictation",
    ERROR,
    "TooManyRequests",
    "BadRequest",
    "Forbidden",
    "ServiceUnavailable",
)
"""Every RecognitionStatus (table 7.1 of the facts); `EndOfDictation` only acknowledges audio."""


@dataclass(frozen=True, slots=True)
class TurnStart:
    """The turn begins; `service_tag` names it in a later continuation."""

    service_tag: str | None = None


@dataclass(frozen=True, slots=True)
class StartDetected:
    """Speech begins at this offset."""

    offset: int


@dataclass(frozen=True, slots=True)
class EndDetected:
    """Speech ends at this offset; the service sometimes leaves it out."""

    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """A translation: the language tag as the server spells it, and the text."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """One entry of NBest; `confidence` from 0 to 1."""

    confidence: float
    lexical: str
    itn: str
    masked_itn: str
    display: str


@dataclass(frozen=True, slots=True)
class Interim:
    """What an utterance that is still open sounds like so far. `translated`: it is a translation's, not plain."""

    text: str
    offset: int
    duration: int
    translations: tuple[Translation, ...] = ()
    language: str | None = None
    translated: bool = True


@dataclass(frozen=True, slots=True)
class Final:
    """The final result of an utterance, or of a stretch of silence.

    Attributes:
        status: RecognitionStatus, one of `STATUSES`.
        offset: Where the utterance begins.
        duration: Its length; up to offset + duration the audio is acknowledged.
        text: What was said; None where the status is not Success.
        translations: In the order of the targets.
        translation_status: Success or Error; None where nothing was translated.
        failure_reason: Why the translation failed.
        language: The language that was spoken, where the server says so.
        alternatives: The detailed output, best first.
        commit: The token of the `audio.commit` that this acknowledges.
        translated: Whether it is a translation's result, not a plain one.
    """

    status: str
    offset: int
    duration: int
    text: str | None = None
    translations: tuple[Translation, ...] = ()
    translation_status: str | None = None
    failure_reason: str | None = None
    language: str | None = None
    alternatives: tuple[Alternative, ...] = ()
    commit: str | None = None
    translated: bool = True


@dataclass(frozen=True, slots=True)
class SynthesisStart:
    """A voice in this language begins, on this stream (v2 alone)."""

    stream: str | None
    language: str


@dataclass(frozen=True, slots=True)
class SynthesisChunk:
    """A part of a voice's file."""

    stream: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class SynthesisEnd:
    """A voice is complete, or failed."""

    stream: str | None
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """Nothing more comes in this turn."""


@dataclass(frozen=True, slots=True)
class Other:
    """A message of a path that the protocol does not know."""

    path: str


ServerMessage = (
    TurnStart
    | StartDetected
    | EndDetected
    | Interim
    | Final
    | SynthesisStart
    | SynthesisChunk
    | SynthesisEnd
    | TurnEnd
    | Other
)
