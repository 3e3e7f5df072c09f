"""Finding the words that a profanity filter treats; what becomes of them is a dialect's to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection


def treat(text: str, profanities: Collection[str], treatment: Callable[[str], str]) -> str:
    """Return `text` with each whole word of `profanities`, compared without case, replaced by its treatment."""
    if not profanities:
        return text
    words = "|".join(re.escape(word) for word in sorted(profanities, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda match: treatment(match[0]), text, flags=re.IGNORECASE)
