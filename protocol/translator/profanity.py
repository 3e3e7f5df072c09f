"""The treatment of profanities in `translator` (requirements translator.profanity.*)."""

from __future__ import annotations

import re
from collections.abc import Collection

from protocol.translator.handshake import ProfanityAction, ProfanityMarker
from protocol.translator.policy import Policy


def treat(
    text: str,
    profanities: Collection[str],
    action: ProfanityAction,
    marker: ProfanityMarker,
    policy: Policy,
) -> str:
    """Return `text` with each whole word of `profanities` left, marked or deleted.

    Words compare without case. A deleted word leaves the blanks around it, as the documented example does.
    """
    if action is ProfanityAction.NO_ACTION or not profanities:
        return text
    words = "|".join(re.escape(word) for word in sorted(profanities, key=len, reverse=True))
    found = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    if action is ProfanityAction.DELETED:
        return found.sub("", text)
    if marker is ProfanityMarker.ASTERISK:
        return found.sub(lambda _: policy.asterisks, text)
    return found.sub(lambda match: f"<{policy.tag}>{match[0]}</{policy.tag}>", text)


def spoken(
    text: str,
    profanities: Collection[str],
    action: ProfanityAction,
    marker: ProfanityMarker,
    policy: Policy,
) -> str:
    """Return what the voice says for `text`: treated, but without the markup of Tag."""
    if action is ProfanityAction.MARKED and marker is ProfanityMarker.TAG:
        return text
    return treat(text, profanities, action, marker, policy)
