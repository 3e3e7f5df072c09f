"""What the engine `local` is made of: parts, each of which hears, translates or speaks.

A part has two halves. The one here, in the server's process, says what it offers and loads nothing. The other, its
service, does the work in a process of its own, so that a model can neither block the server nor crash it, and no
licence reaches further than that process. Parts are found as entry points of the group `speechwire.parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from protocol.languages import Speech, Voice


class Kind(StrEnum):
    """How a translation is made."""

    NMT = "nmt"
    """By a neural network."""
    SMT = "smt"
    """By statistics or rules."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A direction that can be translated, by text ids such as `en` and `pt`."""

    source: str
    target: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Hears:
    """A recogniser, and what it can be spoken to in.

    Without `streams` its service has `decode(pcm, rate, locale, final)`, which returns the words of an utterance as
    far as it has been heard, or all of them. With `streams` it has `begin(rate, locale)`, `more(pcm)`, which returns
    the words so far, and `finish()`, which returns all of them; one process hears one utterance at a time then.
    `pcm` is 16-bit mono, `rate` in Hz, `locale` a key of `speech`. With `identifies` there is also
    `identify(pcm, rate, locales)`, which returns the one of the locales that is spoken.
    """

    speech: tuple[Speech, ...]
    streams: bool = False
    identifies: bool = False


@dataclass(frozen=True, slots=True)
class Translates:
    """A translator. Its service has `translate(text, source, target)`, by the ids of one of the pairs."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Speaks:
    """A synthesiser. Its service has `speak(text, voice_id)`, which returns 16-bit mono PCM at 16 kHz."""

    voices: tuple[Voice, ...]


Offer = Hears | Translates | Speaks


class Unavailable(Exception):
    """Why a part, or a model, cannot be had: one sentence, with the command that mends it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One recogniser, translator or synthesiser that is there.

    Attributes:
        name: What it is called in commands and messages.
        offer: What it does.
        service: Where its service is, `module:callable`; called with `arguments` in each of the part's processes. It
            may raise Unavailable.
        arguments: Keyword arguments of the service.
        rank: Of several parts that can do the same, the highest rank does it.
        processes: How many processes it may have at most.
    """

    name: str
    offer: Offer
    service: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    rank: int = 50
    processes: int = 1


Factory = Callable[[Path | None], Part]
"""What an entry point names: makes the part, from the model in a directory of the user's if one is given.

Raises Unavailable when it is not installed. It is called in the server's process: it must not import what it wraps.
"""
