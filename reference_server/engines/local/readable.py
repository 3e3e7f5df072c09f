"""Making what a recogniser says readable: a capital at the beginning, a full stop at the end.

Recognisers differ: some write no punctuation at all, some end a sentence with a comma because they expect more.
"""

from __future__ import annotations

import re

UNSPACED = frozenset({"ja", "th", "zh"})
"""First subtags of languages that are written without blanks between words."""

_UNFINISHED = " ,;:-–—"  # noqa: RUF001 - the dashes are meant
_FINISHED = ".!?…。！？؟।"  # noqa: RUF001 - the full-width marks are meant
_CLOSING = "\"'”’»)]"  # noqa: RUF001 - the same of quotation marks
_STOPS = {"zh-Hans": "。", "zh-Hant": "。", "ja": "。", "hi": "।"}
_ENGLISH_I = re.compile(r"\bi(?=$|\s|'|[,.;:!?])")


def interim(words: str, language: str) -> str:
    """Return words in mid-sentence: what comes next is not known, so there is no full stop."""
    return _capitalised(words.strip().rstrip(_UNFINISHED + _FINISHED), language)


def sentence(words: str, language: str) -> str:
    """Return all the words of an utterance as a sentence; nothing stays nothing."""
    words = words.strip().rstrip(_UNFINISHED)
    core = words.rstrip(_FINISHED + _CLOSING)
    end = words[len(core) :]
    if core and not set(end) & set(_FINISHED):
        end += _STOPS.get(language, ".")
    return _capitalised(core, language) + end if core else ""


def _capitalised(words: str, language: str) -> str:
    if language == "en":
        words = _ENGLISH_I.sub("I", words)
    return words[:1].upper() + words[1:]
