"""The scripted engine: says what its script says, the same for the same audio, at once or as late as it is told.

It hears only which recording of the speech corpus an utterance is, if it is one.
"""

from __future__ import annotations

import asyncio
from typing import Any

from protocol.languages import PUBLISHED, Catalogue, Voice
from reference_server.engines import ear, tones
from reference_server.engines.base import Job, Text, Utterance
from reference_server.engines.script import Entry, Moment, Script, default, parse
from reference_server.engines.wording import STEP_MS, grown, placeholder, share

_AT_ONCE = 32


class ScriptedEngine:
    """An engine that needs no model.

    Args:
        script: What it says; by default what the corpus says, and three sentences for everything else.
        catalogue: What it offers.
    """

    name = "scripted"

    def __init__(self, script: Script | None = None, catalogue: Catalogue = PUBLISHED) -> None:
        self.catalogue = catalogue
        self._script = parse(default(), catalogue) if script is None else script

    @property
    def document(self) -> dict[str, Any]:
        """The script that holds for new sessions, in its JSON form."""
        return self._script.document

    def replace(self, document: object) -> None:
        """Take a new script, for new sessions. Raises ScriptError with a JSON pointer to what is wrong."""
        self._script = parse(document, self.catalogue)

    async def start(self) -> None:
        """Learn the recordings now rather than with the first utterance."""
        ear.parts()

    async def stop(self) -> None:
        """Nothing is held."""

    def open(self, job: Job) -> ScriptedSession:
        """Return the engine of a new session, on the script of this moment."""
        return ScriptedSession(self._script, job, self.catalogue.speech[job.source].language)


class ScriptedSession:
    """One session on one script."""

    def __init__(self, script: Script, job: Job, language: str) -> None:
        self._script = script
        self._job = job
        self._language = language
        self._entry: tuple[int, Entry] | None = None
        self._last: Entry | None = None
        self._told = ""

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        """Return what is heard so far; None while it is not yet known which recording this is."""
        if self._script.listens and utterance.span.size < utterance.format.ms_to_bytes(ear.NEEDED_MS):
            return None
        entry = self._look_up(utterance)
        heard_ms = utterance.span.size * 1000 // utterance.format.bytes_per_second
        final = self._text(entry)
        recognition = self._heard(entry, final.recognition, heard_ms)
        if recognition in {"", self._told}:
            return None
        await self._moment(entry, Moment.PARTIAL)
        self._told = recognition
        translations = tuple(share(text, recognition, final.recognition) for text in final.translations)
        return Text(recognition, translations, final.profanities)

    async def phrase(self, utterance: Utterance) -> Text:
        """Return what the script says."""
        entry = self._look_up(utterance)
        await self._moment(entry, Moment.FINAL)
        self._last, self._told = entry, ""
        return self._text(entry)

    async def speak(self, text: str, voice: Voice) -> bytes:
        """Return a sequence of tones."""
        entry = self._last or Entry()
        await self._moment(entry, Moment.VOICE)
        spoken = bytearray()
        for index, sound in enumerate(tones.speak(text, voice, entry.ms_per_character, entry.level_dbfs)):
            spoken += sound
            if index % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return bytes(spoken)

    async def close(self) -> None:
        """Nothing is held."""

    def _look_up(self, utterance: Utterance) -> Entry:
        if self._entry is None or self._entry[0] != utterance.index:
            heard = ear.recognise(utterance.pcm, utterance.format) if self._script.listens else None
            self._entry = utterance.index, self._script.entry(self._job, utterance.index, heard)
        return self._entry[1]

    def _heard(self, entry: Entry, recognition: str, heard_ms: int) -> str:
        if not entry.partials:
            return grown(recognition, heard_ms)
        return entry.partials[min(heard_ms // STEP_MS, len(entry.partials)) - 1]

    def _text(self, entry: Entry) -> Text:
        said = entry.translations.get(self._language) if entry.recognition is None else entry.recognition
        if said is None:
            said = placeholder(self._language, next(iter(entry.translations.values()), ""))
        return Text(
            said, tuple(self._translated(entry, said, target) for target in self._job.targets), entry.profanities
        )

    def _translated(self, entry: Entry, said: str, target: str) -> str:
        if not said:
            return ""
        known = entry.translations.get(target)
        if known is not None:
            return known
        return said if target == self._language else placeholder(target, said)

    async def _moment(self, entry: Entry, moment: Moment) -> None:
        """Wait, and fail, as the script has it."""
        delay = entry.delays_ms.get(moment, 0)
        if delay:
            await asyncio.sleep(delay / 1000)
        if moment in entry.ends:
            raise entry.ends[moment]
