"""What an engine is: it hears an utterance, says it in other languages, and speaks.

An engine knows no dialect and no socket. The pipeline asks it one thing at a time within a session; sessions are
independent of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from protocol.audio import PcmFormat
from protocol.events import Blame, Span
from protocol.languages import Catalogue, Voice

VOICE_RATE = 16_000
"""Sampling rate in Hz of what engines speak: 16-bit mono PCM."""

LONGEST_VOICE_S = 120
"""More is not spoken; the rest of a longer text is left out."""

ABRUPT = 1006
"""The code of a failure that ends the connection without a closing handshake."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted: `source` is a speech key such as `en-US`, `targets` are text keys such as `pt`, maybe none.

    With `candidates`, speech keys too, the engine finds out which of them is spoken.
    """

    source: str
    targets: tuple[str, ...]
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance, whole or as far as it has been heard.

    Attributes:
        index: Counts the utterances of the session from 0.
        span: Where it stands in the stream, in bytes.
        format: The stream's format.
        pcm: Its samples, `span.size` bytes.
        before: What was to be heard right before it, at most 300 ms and nothing of another utterance.
        behind: The same of what followed; only of a whole utterance, and nothing where it was cut.
    """

    index: int
    span: Span
    format: PcmFormat
    pcm: bytes
    before: bytes = b""
    behind: bytes = b""

    @property
    def sound(self) -> bytes:
        """The samples with those around them: a recogniser loses words that begin or end where its audio does."""
        return self.before + self.pcm + self.behind


@dataclass(frozen=True, slots=True)
class Text:
    """What was said and its translations in the order of the targets; all empty if nothing was.

    Attributes:
        recognition: What was said.
        translations: One for each target.
        profanities: The words, in any of these texts, that a profanity filter has to treat.
        language: The speech key that was found out; None without candidates.
        failures: Why there is no translation, by target.
        status: The RecognitionStatus, if the recognition did not succeed.
    """

    recognition: str
    translations: tuple[str, ...]
    profanities: frozenset[str] = frozenset()
    language: str | None = None
    failures: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None


@dataclass
class EngineFailure(Exception):
    """The engine cannot go on with this session; `code` and `reason` are those of a close frame that would say so."""

    code: int
    reason: str
    blame: Blame = Blame.ENGINE

    def __post_init__(self) -> None:
        Exception.__init__(self, self.code, self.reason, self.blame)


class CannotStart(Exception):
    """Why an engine cannot run here: one sentence."""


class EngineSession(Protocol):
    """What listens to one stretch of audio. Every question may raise EngineFailure."""

    def retarget(self, targets: tuple[str, ...]) -> None:
        """Translate into these languages from the next answer on."""

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        """Return what an open utterance sounds like so far, or None if there is nothing new to say."""

    async def phrase(self, utterance: Utterance) -> Text:
        """Return what was said in a whole utterance."""

    async def speak(self, text: str, voice: Voice) -> bytes:
        """Return the text as spoken by the voice: 16-bit mono PCM at VOICE_RATE."""

    async def close(self) -> None:
        """Let go of everything; called once, also after a failure."""


class Engine(Protocol):
    """What a server runs on.

    `catalogue` is read with each request, and not before `start` is done. An engine that does without something may
    have `missing`, a tuple of sentences; each is told to whoever starts the server.
    """

    name: str

    @property
    def catalogue(self) -> Catalogue:
        """What is offered."""

    async def start(self) -> None:
        """Make ready; called once before the first session. Raises CannotStart."""

    async def stop(self) -> None:
        """Let go of everything; called once, also when `start` failed or was cancelled."""

    def open(self, job: Job) -> EngineSession:
        """Return the engine of a new session. Raises EngineFailure, e.g. one of overload."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line tells an engine; each takes what concerns it.

    Attributes:
        script: A file that says what the engine says.
        models: Folders of the user's, by the name of the part that loads its model from there.
        parts: The names of the only parts to use; empty means all that are installed.
    """

    script: Path | None = None
    models: Mapping[str, Path] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


EngineFactory = Callable[[Options], Engine]
"""What an entry point of the group `speechwire.engines` names. Raises CannotStart."""
