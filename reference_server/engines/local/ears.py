"""How a session listens with a recogniser: one that follows the audio, or one that hears an utterance again and again.

Both are given the whole of an utterance with each question, so that nothing is lost with a process that dies.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Protocol

from reference_server.engines.base import Utterance
from reference_server.engines.local.readable import UNSPACED
from reference_server.engines.local.workers import Lease, Pool, WorkerFailure

STEP_MS = 900
"""Audio between two decodes of a growing utterance."""

_PUNCTUATION = " .,;:!?…-–—\"'“”"  # noqa: RUF001 - the dashes are meant


class Ear(Protocol):
    """What listens to the utterances of one session. Every question may raise WorkerFailure."""

    async def hypothesis(self, utterance: Utterance, locale: str) -> str | None:
        """Return the words of an open utterance so far, or None if there is nothing new to say."""

    async def phrase(self, utterance: Utterance, locale: str) -> str:
        """Return all the words of an utterance."""

    def close(self) -> None:
        """Let go of what is held."""


class Redecoding:
    """Decodes a growing utterance from its beginning; what two decodes agree on is said.

    Such a recogniser revises the last words of what it has not heard to the end. While others wait for its processes
    there are no hypotheses.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._index = -1
        self._decoded = 0
        self._before: list[str] = []
        self._agreed: list[str] = []

    async def hypothesis(self, utterance: Utterance, locale: str) -> str | None:
        """Return the words that two decodes agree on, once there are more of them than before."""
        if utterance.index != self._index:
            self._index, self._decoded, self._before, self._agreed = utterance.index, 0, [], []
        fresh = utterance.span.size - self._decoded
        if fresh < utterance.format.ms_to_bytes(STEP_MS) or self._pool.has_line:
            return None
        self._decoded = utterance.span.size
        text = await self._pool.call("decode", utterance.sound, utterance.format.rate, locale, False)
        units = _units(text, locale)
        agreed = agreement(self._before, units)
        self._before = units
        if len(agreed) <= len(self._agreed):
            return None
        self._agreed = agreed
        return "".join(agreed).strip()

    async def phrase(self, utterance: Utterance, locale: str) -> str:
        """Return the words of a last decode."""
        text: str = await self._pool.call("decode", utterance.sound, utterance.format.rate, locale, True)
        return text

    def close(self) -> None:
        """Nothing is held."""


class Streaming:
    """Follows an utterance in a process that is its own as long as it lasts.

    One process is always left for those that have only a phrase to be heard; an utterance that gets none has no
    hypotheses until there is another one. Nor has one whose process died.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._index = -1
        self._lease: Lease | None = None
        self._fed = 0
        self._told = ""
        self._given_up = False

    async def hypothesis(self, utterance: Utterance, locale: str) -> str | None:
        """Return the words so far, if they are others than before."""
        if utterance.index != self._index:
            self.close()
            self._index, self._given_up = utterance.index, False
        if self._lease is None:
            if self._given_up or self._pool.spare < 2:
                return None
            self._lease = await self._begun(utterance, locale)
        words = await self._more(self._lease, utterance)
        if not words or words == self._told:
            return None
        self._told = words
        return words

    async def phrase(self, utterance: Utterance, locale: str) -> str:
        """Return the words of the whole utterance, from its beginning if it was not followed."""
        if utterance.index != self._index or self._lease is None:
            self.close()
            self._lease = await self._begun(utterance, locale)
        try:
            await self._more(self._lease, utterance)
            words: str = await self._lease.call("finish")
        finally:
            self.close()
        return words

    def close(self) -> None:
        """Give the process back."""
        if self._lease is not None:
            self._lease.close()
        self._lease, self._index, self._told = None, -1, ""

    async def _begun(self, utterance: Utterance, locale: str) -> Lease:
        lease, self._fed = await self._pool.lease(), 0
        try:
            await lease.call("begin", utterance.format.rate, locale)
        except BaseException:
            lease.close()
            self._give_up()
            raise
        return lease

    async def _more(self, lease: Lease, utterance: Utterance) -> str:
        sound = utterance.sound
        try:
            words: str = await lease.call("more", sound[self._fed :])
        except WorkerFailure:
            self._give_up()
            raise
        self._fed = len(sound)
        return words

    def _give_up(self) -> None:
        """Go on without hypotheses: the phrase is heard from its beginning, by another process."""
        index = self._index
        self.close()
        self._index, self._given_up = index, True


def agreement(before: list[str], now: list[str]) -> list[str]:
    """Return the units at the beginning of `now` that are also those of `before`, case and punctuation aside."""
    pairs = zip(before, now, strict=False)
    return [new for _, new in takewhile(lambda pair: _bare(pair[0]) == _bare(pair[1]), pairs)]


def _bare(unit: str) -> str:
    return unit.strip(_PUNCTUATION).lower()


def _units(text: str, locale: str) -> list[str]:
    """Return the words, each with the blank behind it, or the characters in a language that is written without."""
    if locale.partition("-")[0] in UNSPACED:
        return list(text.strip())
    return [f"{word} " for word in text.split()]
