"""The treatment of profanities in `translator` (requirements translator.profanity.*)."""

from __future__ import annotations

from collections.abc import Collection

from protocol import profanity
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
    if action is ProfanityAction.NO_ACTION:
        return text
    if action is ProfanityAction.DELETED:
        return profanity.treat(text, profanities, lambda _: "")
    if marker is ProfanityMarker.ASTERISK:
        return profanity.treat(text, profanities, lambda _: policy.asterisks)
    return profanity.treat(text, profanities, lambda word: f"<{policy.tag}>{word}</{policy.tag}>")


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
