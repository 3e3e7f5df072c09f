"""How a text becomes heard bit by bit: the hypotheses of an utterance, by its audio time alone."""

from __future__ import annotations

STEP_MS = 300
"""One hypothesis for each of these."""

_WORDS_PER_SECOND = 3.0
_CHARACTERS_PER_SECOND = 7.0  # of a language that is written without blanks

_END = " .,;:!?…。、，！？؟،"  # noqa: RUF001 - the full-width marks are meant


def grown(text: str, heard_ms: int) -> str:
    """Return as much of the text as is recognised after so many ms, without punctuation at its end.

    Every third hypothesis comes without capitals, and the next one revises it. It is never longer than the text.
    """
    units = _units(text)
    rate = _WORDS_PER_SECOND if " " in text else _CHARACTERS_PER_SECOND
    heard = min(len(units), max(1, round(rate * heard_ms / 1000)))
    so_far = "".join(units[:heard]).rstrip(_END)
    uncapitalised = so_far.lower()
    # Some letters become two in lower case; no revision is better than a hypothesis that is too long.
    revised = heard_ms // STEP_MS % 3 == 1 and len(uncapitalised) <= len(so_far)
    return uncapitalised if revised else so_far


def share(text: str, part: str, whole: str) -> str:
    """Return the beginning of a translation that corresponds to `part` of the `whole` recognition."""
    if not text or not whole:
        return ""
    if len(part) >= len(whole.rstrip(_END)):
        return text
    units = _units(text)
    return "".join(units[: max(1, len(units) * len(part) // len(whole))]).rstrip()


def placeholder(text_id: str, recognition: str) -> str:
    """Return the translation into a language for which there is none: `[fi] Good morning.`."""
    return f"[{text_id}] {recognition}" if recognition else ""


def _units(text: str) -> list[str]:
    """Return the words, each with the blank behind it, or the characters of a text without blanks."""
    if " " not in text:
        return list(text)
    words = text.split(" ")
    return [f"{word} " for word in words[:-1]] + words[-1:]
