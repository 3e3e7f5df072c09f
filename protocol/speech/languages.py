"""How the language tags and voice names of the speech dialects meet the catalogue of a server.

Clients name locales and neural voices that come and go; what matters is that the language is one that we have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from protocol.languages import Catalogue, Voice
from protocol.speech.context import OPEN_RANGES, Wanted
from protocol.speech.messages import V1

_LOCALE = re.compile(r"(?:^|\()([A-Za-z]{2,3}(?:-[A-Za-z]{4})?-(?:[A-Za-z]{2}|[0-9]{3}))(?:-|\s*,)")


def is_open(candidates: Iterable[str]) -> bool:
    """Tell whether candidates stand for every language (fact P-22)."""
    return any(tag.upper() in OPEN_RANGES for tag in candidates)


def speech_key(catalogue: Catalogue, tag: str) -> str | None:
    """Return the speech key that serves a source language: its own, else the first of the same language, or None."""
    own = catalogue.resolve_source(tag)
    if own is not None:
        return own
    language = tag.partition("-")[0].lower()
    return next((key for key in catalogue.speech if key.partition("-")[0].lower() == language), None)


def spoken(catalogue: Catalogue, wanted: Wanted) -> tuple[str, tuple[str, ...], str | None]:
    """Return the speech key of what is spoken, those among which it is to be found out, and what is wrong if anything.

    What is wrong is a sentence for the client (facts P-19, P-22): speech.close.bad-source.
    """
    if is_open(wanted.candidates):
        found = tuple(catalogue.speech)
    else:
        keys = (speech_key(catalogue, tag) for tag in wanted.candidates)
        found = tuple(dict.fromkeys(key for key in keys if key))
    source = speech_key(catalogue, wanted.source) if wanted.source else None
    problem = None
    if wanted.candidates and not found:
        problem = "Invalid request. None of the candidate languages is supported."
    elif not wanted.candidates and source is None:
        problem = f"Invalid request. The source language {(wanted.source or 'nothing')[:40]!r} is not supported."
    elif wanted.translated and not wanted.targets:
        problem = "Invalid request. There is no target language."
    return source or next(iter(found), ""), found, problem


def text_key(catalogue: Catalogue, tag: str) -> str | None:
    """Return the text key that a target means, or None."""
    return catalogue.resolve_target(tag)


def echo(dialect: str, tag: str, key: str | None) -> str:
    """Return how results name a target: v2 as it was asked for, v1 by its short tag (fact P-11)."""
    return key if dialect == V1 and key is not None else tag


def voice_for(catalogue: Catalogue, name: str, target: str) -> Voice | None:
    """Return who speaks a target: the named voice, or one of its language; None for a name that means no language.

    A voice of another language than the target's gives way to one of the target's (speech.synthesis.voice-locale).
    """
    locale = _LOCALE.search(name)
    language = catalogue.resolve_target(locale[1]) if locale else None
    if name not in catalogue.voices and (language is None or not catalogue.voices_for(language)):
        return None
    own = catalogue.voices_for(target)
    asked = catalogue.voices.get(name)
    if asked is not None and asked in own:
        return asked
    return next((voice for voice in own if locale and voice.locale.lower() == locale[1].lower()), next(iter(own), None))
