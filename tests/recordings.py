"""The recordings of a person who reads aloud, what is said in them, and how far a recogniser is from that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parents[2] / "shared" / "audio" / "librivox"
TRANSCRIPTS: Final = {
    "0870": "and mister john dashwood had then leisure to consider how much there might be prudently in his power to "
    "do for them",
    "0880": "he was not an ill disposed young man",
    "0890": "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "0920": "had he married a more amiable woman he might have been made still more respectable than he was",
    "0930": "he might even have been made amiable himself",
}
SENTENCES: Final = tuple(TRANSCRIPTS)

there = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings of ../shared/audio are not there")
"""For tests that need them."""

_WRITTEN: Final = {"mr": "mister", "mr.": "mister"}


def path(number: str) -> Path:
    """Return the WAV file of a recording: 16 kHz, mono, 16 bit."""
    return FOLDER / f"sense_and_sensibility_01_austen_64kb-{number}.wav"


def words(text: str) -> list[str]:
    """Return the words of a text as they are compared: in lower case, hyphens and punctuation gone."""
    return [_WRITTEN.get(word, word) for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower())]  # noqa: RUF001


def word_errors(expected: Sequence[str], heard: Sequence[str]) -> int:
    """Return how many words were left out, put in or taken for others: the edit distance by words."""
    row = list(range(len(heard) + 1))
    for wanted in expected:
        before, row[0] = row[0], row[0] + 1
        for at, got in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (wanted != got))
    return row[-1]


def content_words(text: str) -> set[str]:
    """Return the words of a text that are long enough to carry its meaning."""
    return {word for word in words(text) if len(word) >= 4}
