"""The languages and voices of `translator`: what may stand in `from`, `to` and `voice`.

A `Catalogue` is what one server offers. `PUBLISHED` is what the service published; an engine offers a part of it
(`Catalogue.subset`) or its own (`Catalogue.of`). Clients must not hard-code either (fact G8): they ask `/languages`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

from protocol.errors import LocalViolation

Direction = Literal["ltr", "rtl"]
Gender = Literal["female", "male"]

_DATA: Final[Mapping[str, Any]] = tomllib.loads(
    files("protocol").joinpath("catalogue.toml").read_text(encoding="utf-8")
)
_SOURCE_ALIASES: Final = {name.lower(): key.lower() for name, key in _DATA["aliases"]["source"].items()}
_TARGET_ALIASES: Final = {name.lower(): key.lower() for name, key in _DATA["aliases"]["target"].items()}
_REGION: Final = re.compile(r"-(?:[a-z]{2}|[0-9]{3})\Z")


@dataclass(frozen=True, slots=True)
class Speech:
    """A language that can be recognised: its locale, e.g. `en-US`, and the text id of what is written, `en`."""

    locale: str
    language: str


@dataclass(frozen=True, slots=True)
class Text:
    """A language that can be written: its id, e.g. `it` or `zh-Hans`, and the direction of its script."""

    id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice: its id, e.g. `it-IT-Elsa`, made of locale and display name, and the text id that it speaks."""

    id: str
    locale: str
    display_name: str
    gender: Gender
    language: str


@dataclass(frozen=True)
class Catalogue:
    """What a server offers, by the ids of the wire; of the voices of a language the first is the default.

    `pairs` are the text ids into which each spoken language can be translated; None: each into every one. What is said
    can always be written in its own language.

    Raises LocalViolation when a key is not its entry's id, a language is no text id
    (translator.languages.cross-reference), or a voice's id is not locale-name (translator.languages.voice-id).
    """

    speech: Mapping[str, Speech]
    text: Mapping[str, Text]
    voices: Mapping[str, Voice]
    pairs: Mapping[str, frozenset[str]] | None = None

    def __post_init__(self) -> None:
        for scope, keys in (
            ("speech", {key: entry.locale for key, entry in self.speech.items()}),
            ("text", {key: entry.id for key, entry in self.text.items()}),
            ("tts", {key: entry.id for key, entry in self.voices.items()}),
        ):
            for key, own in keys.items():
                _hold("translator.languages.cross-reference", f"/{scope}/{key}", key, own)
        for voice in self.voices.values():
            expected = f"{voice.locale}-{voice.display_name}"
            _hold("translator.languages.voice-id", f"/tts/{voice.id}", expected, voice.id)
        spoken = {f"/speech/{key}": entry.language for key, entry in self.speech.items()}
        voiced = {f"/tts/{key}": entry.language for key, entry in self.voices.items()}
        for at, language in (spoken | voiced).items():
            if language not in self.text:
                expected = "a language that is a text id"
                raise LocalViolation("translator.languages.cross-reference", at, expected, language)

    @classmethod
    def of(
        cls,
        speech: Iterable[Speech],
        text: Iterable[Text],
        voices: Iterable[Voice] = (),
        pairs: Mapping[str, frozenset[str]] | None = None,
    ) -> Catalogue:
        """Return the catalogue of these entries, in their order."""
        return cls(
            MappingProxyType({entry.locale: entry for entry in speech}),
            MappingProxyType({entry.id: entry for entry in text}),
            MappingProxyType({entry.id: entry for entry in voices}),
            pairs,
        )

    def targets(self, language: str) -> tuple[str, ...]:
        """Return the text ids into which a spoken language, by its text id, can be translated, its own among them."""
        if self.pairs is None:
            return tuple(self.text)
        reached = self.pairs.get(language, frozenset())
        return tuple(text_id for text_id in self.text if text_id == language or text_id in reached)

    def complete(self) -> Catalogue:
        """Return the part of the catalogue in which every language that is spoken goes into every one that is written.

        Clients combine any two that are listed. The text languages are those that the most capable spoken one reaches,
        English before others that reach as many; the spoken ones are those that reach them all.
        """
        reach = {entry.language: frozenset(self.targets(entry.language)) for entry in self.speech.values()}
        if not reach:
            return self
        text = max(reach.items(), key=lambda item: (len(item[1]), item[0] == "en"))[1]
        speech = [entry.locale for entry in self.speech.values() if reach[entry.language] >= text]
        return self.subset(speech=speech, text=text)

    def resolve_source(self, value: str) -> str | None:
        """Return the speech key that `from=value` means, or None (translator.handshake.source-alias).

        Taken without regard to case: a key, the text id of one, or an alias such as `zh-CHS`.
        """
        keys, wanted = self._spoken, value.lower()
        return keys.get(wanted) or keys.get(_SOURCE_ALIASES.get(wanted, wanted))

    def resolve_target(self, value: str) -> str | None:
        """Return the text key that `to=value` means, or None (translator.handshake.target-locale).

        Taken without regard to case: a key, an alias such as `zh-TW`, or either with a region behind it (`it-IT`).
        """
        keys, wanted = self._texts, value.lower()
        if wanted not in keys and wanted not in _TARGET_ALIASES:
            wanted = _REGION.sub("", wanted)
        return keys.get(wanted) or keys.get(_TARGET_ALIASES.get(wanted, wanted))

    @cached_property
    def _spoken(self) -> Mapping[str, str]:
        keys = {locale.lower(): locale for locale in self.speech}
        for entry in self.speech.values():
            keys.setdefault(entry.language.lower(), entry.locale)
        return keys

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        return {text_id.lower(): text_id for text_id in self.text}

    def voices_for(self, text_id: str) -> tuple[Voice, ...]:
        """Return the voices that speak the text language, the default one first; none if it has no voice."""
        return tuple(voice for voice in self.voices.values() if voice.language == text_id)

    def subset(
        self,
        *,
        speech: Collection[str] | None = None,
        text: Collection[str] | None = None,
        voices: Collection[str] | None = None,
    ) -> Catalogue:
        """Return the catalogue with these ids alone, in this catalogue's order.

        A scope that is not given keeps the entries whose language is among the remaining text ids.
        Raises ValueError for an id that is not here, LocalViolation for an id whose language is left out.
        """
        for given, own in ((speech, self.speech), (text, self.text), (voices, self.voices)):
            unknown = sorted(set(given or ()) - own.keys())
            if unknown:
                raise ValueError(f"not in the catalogue: {', '.join(unknown)}")
        texts = [entry for entry in self.text.values() if text is None or entry.id in text]
        kept = {entry.id for entry in texts}
        return Catalogue.of(
            (s for s in self.speech.values() if (s.language in kept if speech is None else s.locale in speech)),
            texts,
            (v for v in self.voices.values() if (v.language in kept if voices is None else v.id in voices)),
            self.pairs,
        )


def _hold(requirement: str, at: str, expected: str, observed: str) -> None:
    if expected != observed:
        raise LocalViolation(requirement, at, expected, observed)


def _published() -> Catalogue:
    directions: tuple[Direction, ...] = ("ltr", "rtl")
    return Catalogue.of(
        (Speech(locale, language) for locale, language in _DATA["speech"].items()),
        sorted(
            (Text(text_id, direction) for direction in directions for text_id in _DATA["text"][direction]),
            key=lambda entry: entry.id,
        ),
        (
            Voice(f"{locale}-{name}", locale, name, gender, language)
            for language, locales in _DATA["voices"].items()
            for locale, names in locales.items()
            for name, gender in names.items()
        ),
    )


PUBLISHED: Final = _published()
"""What the service published: 11 speech languages, 63 text languages, and their voices (facts G7, G8)."""
