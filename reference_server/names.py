"""Names of languages and regions in the language of the reader, from CLDR by way of Babel.

Babel is loaded with the first question, and each locale's data with the first reader of that language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from protocol.languages import PUBLISHED

if TYPE_CHECKING:
    from babel import Locale

FALLBACK: Final = "en"

# What CLDR has no name for, in no language.
_ENGLISH: Final = {
    "mww": "Hmong Daw",
    "otq": "Querétaro Otomi",
    "yua": "Yucatec Maya",
}
_SCRIPTS: Final = {"Qaak": "pIqaD"}

# A reader of Chinese by region means a script; the catalogue's alias for zh-HK means spoken Cantonese.
_READERS: Final = {"zh-hk": "zh-Hant"}

_RANGE: Final = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*"
    r"(?:;\s*q\s*=\s*(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE,
)


def negotiate(accept_language: str | None) -> str:
    """Return the text id of the language that names are given in (translator.languages.accept-language).

    The best range by q-value decides, the first of equals; subtags are dropped from the right until a published text
    language is left. Ranges that are malformed, refused (q=0), or without names are passed over; when none is left,
    or `*` comes first, it is English (translator.languages.accept-language-fallback).
    """
    for tag in _by_preference(accept_language or ""):
        if tag == "*":
            return FALLBACK
        while tag:
            text_id = _READERS.get(tag) or PUBLISHED.resolve_target(tag)
            if text_id and _has_names(text_id):
                return text_id
            tag = tag.rpartition("-")[0]  # noqa: PLW2901 - lookup by truncation, as RFC 4647 words it
    return FALLBACK


def _by_preference(accept_language: str) -> Iterator[str]:
    """Yield the lower-case tags of a header value, best quality first."""
    ranges = [_RANGE.fullmatch(item.strip()) for item in accept_language.split(",")]
    weighed = [(float(found["quality"] or 1), found["tag"].lower()) for found in ranges if found]
    for quality, tag in sorted(weighed, key=lambda pair: -pair[0]):
        if quality > 0:
            yield tag


def language_name(text_id: str, reader: str) -> str:
    """Return the name of a text language for a reader of the text language `reader`.

    CLDR's name for the whole id, else its name for the language with its name of script or region in brackets. What
    CLDR lacks in that language is said in English; an id that has no name at all stands for itself.
    """
    for locale in (_locale(reader), _locale(FALLBACK)):
        whole = locale.languages.get(text_id.replace("-", "_"))
        if whole:
            return str(whole)
        language, *rest = text_id.split("-")
        base = locale.languages.get(language)
        if base and rest:
            return f"{base} ({', '.join(_subtag_name(subtag, locale) for subtag in rest)})"
    return _ENGLISH.get(text_id, text_id)


def region_name(locale_id: str, reader: str) -> str:
    """Return the name of the region of a locale such as `it-IT`; a region without a name stands for itself."""
    region = locale_id.rpartition("-")[2]
    names = (_locale(tag).territories.get(region) for tag in (reader, FALLBACK))
    return next((str(name) for name in names if name), region)


def _subtag_name(subtag: str, locale: Locale) -> str:
    name = locale.scripts.get(subtag) or locale.territories.get(subtag)
    return str(name or _SCRIPTS.get(subtag, subtag))


@cache
def _locale(text_id: str) -> Locale:
    from babel import Locale  # noqa: PLC0415 - a server that nobody asks for names need not load it

    return Locale.parse(text_id, sep="-")


@cache
def _has_names(text_id: str) -> bool:
    from babel.localedata import exists  # noqa: PLC0415 - the same

    return bool(exists(text_id.replace("-", "_")))
