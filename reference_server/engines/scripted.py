"""The scripted engine: says what its script says, the same for the same audio, at once or as late as it is told.

It hears only which recording of the speech corpus an utterance is, if it is one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from protocol.languages import PUBLISHED, Catalogue, Voice
from reference_server.engines import ear, tones
from reference_server.engines.base import Job, Options, Text, Utterance
from reference_server.engines.script import Entry, Moment, Script, default, load, parse
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
        return ScriptedSession(self._script, job, self.catalogue)


@dataclass(frozen=True, slots=True)
class _Said:
    """One utterance: what the script has for it, in which language it is spoken, and whether that was found out."""

    index: int
    entry: Entry
    locale: str
    found: bool


class ScriptedSession:
    """One session on one script."""

    def __init__(self, script: Script, job: Job, catalogue: Catalogue) -> None:
        self._script = script
        self._job = job
        self._catalogue = catalogue
        self._listens = script.listens or bool(job.candidates)
        self._said: _Said | None = None
        self._last: Entry | None = None
        self._told = ""

    def retarget(self, targets: tuple[str, ...]) -> None:
        """Translate into these languages from the next answer on."""
        self._job = replace(self._job, targets=targets)

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        """Return what is heard so far; None while it is not yet known which recording this is.

        A translation that will fail is not known to fail yet.
        """
        if self._listens and utterance.span.size < utterance.format.ms_to_bytes(ear.NEEDED_MS):
            return None
        said = self._look_up(utterance)
        heard_ms = utterance.span.size * 1000 // utterance.format.bytes_per_second
        whole, translations = self._texts(said)
        recognition = self._heard(said.entry, whole, heard_ms)
        if recognition in {"", self._told}:
            return None
        await self._moment(said.entry, Moment.PARTIAL)
        self._told = recognition
        shares = tuple(share(text, recognition, whole) for text in translations)
        return Text(recognition, shares, said.entry.profanities, said.locale if said.found else None)

    async def phrase(self, utterance: Utterance) -> Text:
        """Return what the script says."""
        said = self._look_up(utterance)
        await self._moment(said.entry, Moment.FINAL)
        self._last, self._told = said.entry, ""
        targets, missing = self._job.targets, said.entry.untranslated
        recognition, translations = self._texts(said)
        return Text(
            recognition,
            tuple("" if target in missing else text for target, text in zip(targets, translations, strict=True)),
            said.entry.profanities,
            language=said.locale if said.found else None,
            failures={target: missing[target] for target in targets if target in missing},
            status=said.entry.status,
        )

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

    def _look_up(self, utterance: Utterance) -> _Said:
        if self._said is None or self._said.index != utterance.index:
            heard = ear.recognise(utterance.pcm, utterance.format) if self._listens else None
            entry = self._script.entry(self._job, utterance.index, heard)
            candidates = self._job.candidates
            recorded = None if heard is None else ear.languages()[heard.recording]
            spoken = next((locale for locale in (entry.language, recorded) if locale in candidates), None)
            locale = spoken or (candidates[0] if candidates else self._job.source)
            self._said = _Said(utterance.index, entry, locale, found=bool(candidates))
        return self._said

    def _heard(self, entry: Entry, recognition: str, heard_ms: int) -> str:
        if not entry.partials:
            return grown(recognition, heard_ms)
        return entry.partials[min(heard_ms // STEP_MS, len(entry.partials)) - 1]

    def _texts(self, said: _Said) -> tuple[str, tuple[str, ...]]:
        """Return what is recognised, and its translations."""
        entry, language = said.entry, self._catalogue.speech[said.locale].language
        words = entry.translations.get(language) if entry.recognition is None else entry.recognition
        if words is None:
            words = placeholder(language, next(iter(entry.translations.values()), ""))
        return words, tuple(_translated(entry, words, language, target) for target in self._job.targets)

    async def _moment(self, entry: Entry, moment: Moment) -> None:
        """Wait, and fail, as the script has it."""
        delay = entry.delays_ms.get(moment, 0)
        if delay:
            await asyncio.sleep(delay / 1000)
        if moment in entry.failures:
            raise replace(entry.failures[moment])  # one that is raised twice would keep the frames of both


def _translated(entry: Entry, words: str, language: str, target: str) -> str:
    if not words:
        return ""
    known = entry.translations.get(target)
    if known is not None:
        return known
    return words if target == language else placeholder(target, words)


def create(options: Options) -> ScriptedEngine:
    """Return the engine, on the script of the options if there is one. Raises ScriptError for a bad one."""
    return ScriptedEngine(None if options.script is None else load(options.script, PUBLISHED))
