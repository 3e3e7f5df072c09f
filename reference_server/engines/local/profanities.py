"""The words that a profanity filter treats, by language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


def found(texts: Iterable[str], languages: Iterable[str]) -> frozenset[str]:
    """Return the listed words of these languages that stand in the texts, in lower case."""
    listed = frozenset().union(*(_words().get(language, frozenset()) for language in languages))
    return listed & {word for text in texts for word in re.findall(r"\w+", text.lower())}


@cache
def _words() -> dict[str, frozenset[str]]:
    text = files("reference_server.engines.local").joinpath("profanities.toml").read_text(encoding="utf-8")
    return {language: frozenset(words) for language, words in tomllib.loads(text)["words"].items()}
