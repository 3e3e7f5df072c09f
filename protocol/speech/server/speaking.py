"""The voices of one turn: what has to be spoken behind a phrase, and how it is told.

v2 speaks the languages that were asked for, one stream after another; v1 has no language on a voice, and speaks one
target (decisions; requirements speech.synthesis.languages, first-target). So does v2 for clients that know no streams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from protocol.events import Phrase, Speak, Speech
from protocol.languages import Catalogue
from protocol.speech.context import Voices
from protocol.speech.handshake import Profanity
from protocol.speech.languages import echo, voice_for
from protocol.speech.messages import ERROR, SUCCESS, ServerMessage, SynthesisChunk, SynthesisEnd, SynthesisStart
from protocol.speech.server.results import Heard, Target, treated


@dataclass(frozen=True, slots=True)
class _Due:
    """A voice that is due: its language as results name it, its stream, and the name that nobody here has."""

    language: str
    stream: str | None
    unknown: str | None


class Speaking:
    """Orders voices and tells them, in order.

    Args:
        heard: Dialect and catalogue.
        voices: What was asked for.
        profanity: Treatment of what is spoken.
        chunk_bytes: Largest part of a voice in one message.
        streams: How many streams the connection has had before; their ids go on from there.
    """

    def __init__(
        self, heard: Heard, voices: Voices | None, profanity: Profanity, chunk_bytes: int, streams: int = 0
    ) -> None:
        self.voices = voices
        self.streams = streams
        self._heard = heard
        # Nobody hears markup.
        self._profanity = Profanity.RAW if profanity is Profanity.TAGGED else profanity
        self._chunk_bytes = chunk_bytes
        self._due: deque[_Due] = deque()

    @property
    def busy(self) -> bool:
        """Whether a voice is due."""
        return bool(self._due)

    def order(self, event: Phrase, targets: tuple[Target, ...]) -> Iterator[Speak | ServerMessage]:
        """Order the voices of a phrase; a voice that nobody has is told as an error when its turn comes."""
        catalogue: Catalogue = self._heard.catalogue
        texts = dict(zip(event.targets, event.translations, strict=True))
        for target, name in self._wanted(targets):
            text = texts.get(target.key or "")
            if target.key is None or not text:
                continue
            voice = voice_for(catalogue, name, target.key)
            self.streams += 1
            stream = str(self.streams) if self._heard.streams else None
            language = echo(self._heard.dialect, target.tag, target.key)
            self._due.append(_Due(language, stream, None if voice else name))
            if voice is not None:
                yield Speak(treated(text, event.profanities, self._profanity), voice.id)
        yield from self._unable()

    def tell(self, event: Speech) -> Iterator[ServerMessage]:
        """Tell the voice that was ordered first: one complete RIFF file, in parts (fact P-07)."""
        due = self._due.popleft()
        if event.failure is not None:
            yield SynthesisEnd(due.stream, ERROR, event.failure)
        else:
            if due.stream is not None:
                yield SynthesisStart(due.stream, due.language)
            for at in range(0, len(event.file), self._chunk_bytes):
                yield SynthesisChunk(due.stream, event.file[at : at + self._chunk_bytes])
            yield SynthesisEnd(due.stream, SUCCESS)
        yield from self._unable()

    def give_up(self, reason: str) -> Iterator[ServerMessage]:
        """Tell that what is due will not come."""
        while self._due:
            yield SynthesisEnd(self._due.popleft().stream, ERROR, reason)

    def _unable(self) -> Iterator[ServerMessage]:
        """Tell of voices that nobody has, up to one that is being spoken (fact P-08)."""
        while self._due and self._due[0].unknown is not None:
            due = self._due.popleft()
            yield SynthesisEnd(due.stream, ERROR, f"Translation request failed: Unsupported voice name {due.unknown}.")

    def _wanted(self, targets: tuple[Target, ...]) -> list[tuple[Target, str]]:
        """Return the targets to speak, each with the name of its voice."""
        if self.voices is None:
            return []
        names = {tag.lower(): name for tag, name in self.voices.by_language}
        fallback = self.voices.by_language[0][1]
        if not self._heard.streams:
            own = [one for one in targets if one.key and fallback.lower().startswith(one.key.lower())]
            return [(one, fallback) for one in (*own, *targets)[:1]]
        spoken = {tag.lower() for tag in self.voices.spoken}
        return [(one, names.get(one.tag.lower(), fallback)) for one in targets if one.tag.lower() in spoken]
