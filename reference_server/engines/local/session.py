"""One session on the local engine: which language is spoken, what was said, what that means, how it sounds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocol.events import Blame
from protocol.languages import Voice
from reference_server.engines.base import EngineFailure, Job, Text, Utterance
from reference_server.engines.local import profanities, readable
from reference_server.engines.local.ears import Ear, Redecoding, Streaming
from reference_server.engines.local.parts import Hears, Part
from reference_server.engines.local.plan import Plan
from reference_server.engines.local.workers import Died, Overloaded, Pool, WorkerFailure

_IDENTIFIED_MS = 1500
"""So much of an utterance is needed to tell its language before it is over."""
_FREE_S = 1.0
"""Enough for the first hypotheses of an utterance that comes in a burst."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """The translations in the order of the targets, an empty one where it failed, and why."""

    translations: tuple[str, ...]
    failures: Mapping[str, str]


class LocalSession:
    """Listens to one stretch of audio.

    Args:
        job: What is wanted.
        plan: Which part does what.
        pools: The processes of the parts, by name.
    """

    def __init__(self, job: Job, plan: Plan, pools: Mapping[str, Pool]) -> None:
        self._job = job
        self._plan = plan
        self._pools = pools
        self._ears: dict[str, Ear] = {}
        self._open = -1
        self._since = self._spent = 0.0
        self._found: tuple[int, str] | None = None
        self._told: tuple[str, tuple[str, ...]] | None = None

    def retarget(self, targets: tuple[str, ...]) -> None:
        """Translate into these languages from the next answer on."""
        self._job = replace(self._job, targets=targets)

    async def hypothesis(self, utterance: Utterance) -> Text | None:
        """Return what is heard so far. None also for whatever goes wrong: the phrase will tell, if it is still so.

        The hypotheses of one utterance take at most half of the time since its first one, and a little: whoever sends
        faster than people speak is not held up by them.
        """
        begun = _now()
        if utterance.index != self._open:
            self._open, self._since, self._spent = utterance.index, begun, 0.0
        if self._spent > _FREE_S + (begun - self._since) / 2:
            return None
        try:
            return await self._so_far(utterance)
        finally:
            self._spent += _now() - begun

    async def _so_far(self, utterance: Utterance) -> Text | None:
        try:
            locale = await self._locale(utterance, over=False)
            if locale is None:
                return None
            words = await self._ear(locale).hypothesis(utterance, locale)
        except WorkerFailure:
            return None
        language = self._language(locale)
        recognition = readable.interim(words or "", language)
        if not recognition or self._told == (recognition, self._job.targets):
            return None
        meaning = await self._meaning(recognition, language)
        if meaning.failures:
            return None
        self._told = (recognition, self._job.targets)
        return self._text(recognition, meaning, locale)

    async def phrase(self, utterance: Utterance) -> Text:
        """Return what was said. A translation that fails spoils nothing else; one of no words is made of none."""
        try:
            try:
                locale, words = await self._heard(utterance)
            except Died:  # another process may have more luck; words are dearer than a second
                locale, words = await self._heard(utterance)
        except WorkerFailure as failure:
            raise _engine_failure(failure) from None
        self._told = None
        language = self._language(locale)
        recognition = readable.sentence(words, language)
        return self._text(recognition, await self._meaning(recognition, language), locale)

    async def _heard(self, utterance: Utterance) -> tuple[str, str]:
        locale = await self._locale(utterance, over=True) or self._job.source
        return locale, await self._ear(locale).phrase(utterance, locale)

    async def speak(self, text: str, voice: Voice) -> bytes:
        """Return the text as the voice says it."""
        try:
            pcm: bytes = await self._pools[self._plan.speaking[voice.id].name].call("speak", text, voice.id)
        except WorkerFailure as failure:
            raise _engine_failure(failure) from None
        return pcm

    async def close(self) -> None:
        """Give back what the ears hold."""
        for ear in self._ears.values():
            ear.close()

    # Which language.

    async def _locale(self, utterance: Utterance, *, over: bool) -> str | None:
        """Return the speech key of an utterance; None while that is not known yet.

        Of an utterance that is too short to tell, it is taken to be the last one that was found out.
        """
        candidates = self._job.candidates
        if not candidates:
            return self._job.source
        if self._found is not None and self._found[0] == utterance.index:
            return self._found[1]
        short = utterance.span.size < utterance.format.ms_to_bytes(_IDENTIFIED_MS)
        if short and not over:
            return None
        known = self._found[1] if short and self._found is not None else await self._identified(utterance, candidates)
        self._found = (utterance.index, known)
        return known

    async def _identified(self, utterance: Utterance, candidates: tuple[str, ...]) -> str:
        for part in (self._plan.hearing[locale] for locale in candidates):
            if isinstance(part.offer, Hears) and part.offer.identifies and len(candidates) > 1:
                arguments = (utterance.sound, utterance.format.rate, candidates)
                return str(await self._pools[part.name].call("identify", *arguments))
        return candidates[0]

    def _language(self, locale: str) -> str:
        return self._plan.catalogue.speech[locale].language

    def _ear(self, locale: str) -> Ear:
        part = self._plan.hearing[locale]
        if part.name not in self._ears:
            self._ears[part.name] = _ear(part, self._pools[part.name])
        return self._ears[part.name]

    # What it means.

    async def _meaning(self, words: str, source: str) -> _Meaning:
        failures: dict[str, str] = {}
        known = {source: words}
        translations = []
        for target in self._job.targets:
            try:
                translations.append(await self._translated(known, source, target) if words else "")
            except WorkerFailure as failure:
                failures[target] = str(failure)
                translations.append("")
        return _Meaning(tuple(translations), failures)

    async def _translated(self, known: dict[str, str], source: str, target: str) -> str:
        """Return the words in the target language; `known` keeps what other targets may need on their way, too."""
        if target in known:
            return known[target]
        route = self._plan.routes.get((source, target))
        if route is None:
            raise WorkerFailure(f"there is no translation from '{source}' to '{target}' here")
        for leg in route:
            if leg.pair.target not in known:
                arguments = (known[leg.pair.source], leg.pair.source, leg.pair.target)
                known[leg.pair.target] = await self._pools[leg.part].call("translate", *arguments)
        return known[target]

    def _text(self, recognition: str, meaning: _Meaning, locale: str) -> Text:
        languages = (self._language(locale), *self._job.targets)
        return Text(
            recognition,
            meaning.translations,
            profanities.found((recognition, *meaning.translations), languages),
            language=locale if self._job.candidates else None,
            failures=meaning.failures,
        )


def _ear(part: Part, pool: Pool) -> Ear:
    streams = isinstance(part.offer, Hears) and part.offer.streams
    return Streaming(pool) if streams else Redecoding(pool)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _engine_failure(failure: WorkerFailure) -> EngineFailure:
    blame = Blame.OVERLOAD if isinstance(failure, Overloaded) else Blame.ENGINE
    return EngineFailure(1011, str(failure), blame)
