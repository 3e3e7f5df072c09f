"""Treatment of profanities (translator.profanity.*).

Whether an engine hears the word is not the protocol's matter: a session with NoAction shows that first, and where the
word does not show up nothing is said about the treatment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import Dialogue, open_session
from conformance.cases.translator.streams import PARTIAL, offered
from conformance.cases.utterances import recording

_RECORDING: Final = "profanity"
_ASTERISKS: Final = re.compile(r"(?<!\*)\*{3}(?!\*)")
_TAGS: Final = re.compile(r"</?profanity>", re.IGNORECASE)
_NEEDS: Final = ("profanity", "recognition")


def _listed(context: Context) -> re.Pattern[str]:
    """Return what finds a listed word, without case."""
    words = recording(context, _RECORDING).profanities
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words)) or '(?!)'})(?!\w)", re.IGNORECASE)


async def _hear(context: Context, features: Iterable[str] = (), **parameters: Any) -> Dialogue:
    """Say the recording with these parameters of the handshake and hear its final."""
    dialogue = await open_session(context, features, **parameters)
    await dialogue.say(recording(context, _RECORDING))
    await dialogue.need_final()
    await dialogue.close()
    return dialogue


async def _recognition(context: Context, **parameters: Any) -> str:
    return (await _hear(context, **parameters)).finals[0].recognition


def _treated(text: str) -> bool:
    return bool(_ASTERISKS.search(text) or _TAGS.search(text))


@case(
    "profanity.treatment",
    "profanity.no-action",
    "profanity.default-marked",
    "profanity.asterisk",
    "profanity.tag",
    "profanity.deleted",
    "profanity.marker-ignored",
    needs=_NEEDS,
)
async def treatment(context: Context) -> None:
    """Say a profanity with NoAction; where it is heard, say it with every action and marker."""
    listed = _listed(context)
    plain = await _recognition(context, profanity="NoAction")
    if not listed.search(plain):
        if _treated(plain):
            context.broken("profanity.no-action", "the words as they were said", repr(plain))
        return
    context.check("profanity.no-action", not _treated(plain), "the words as they were said", repr(plain))

    def judge(requirement: str, text: str, kept: bool, expected: str) -> None:
        context.check(
            f"profanity.{requirement}", kept, f"{expected} in place of {listed.findall(plain)[0]!r}", repr(text)
        )

    text = await _recognition(context)
    judge("default-marked", text, _is_starred(text, listed), "***")
    text = await _recognition(context, profanity="Marked", marker="Asterisk")
    judge("asterisk", text, _is_starred(text, listed), "***")
    text = await _recognition(context, profanity="Marked", marker="Tag")
    judge("tag", text, _is_tagged(text, listed), "<profanity> and </profanity> around the word")
    text = await _recognition(context, profanity="Deleted")
    judge("deleted", text, _is_deleted(text, listed), "nothing")
    for action, good, expected in (("NoAction", _is_plain, "the word"), ("Deleted", _is_deleted, "nothing")):
        text = await _recognition(context, profanity=action, marker="Tag")
        judge("marker-ignored", text, good(text, listed), expected)


def _is_plain(text: str, listed: re.Pattern[str]) -> bool:
    return bool(listed.search(text)) and not _treated(text)


def _is_starred(text: str, listed: re.Pattern[str]) -> bool:
    return bool(_ASTERISKS.search(text)) and not listed.search(text) and not _TAGS.search(text)


def _is_tagged(text: str, listed: re.Pattern[str]) -> bool:
    around = re.compile(rf"<profanity>{listed.pattern}</profanity>", re.IGNORECASE)
    return bool(around.search(text)) and not listed.search(around.sub("", text))


def _is_deleted(text: str, listed: re.Pattern[str]) -> bool:
    return not listed.search(text) and not _treated(text) and "*" not in text


@case("profanity.scope", "profanity.scope", needs=_NEEDS)
async def scope(context: Context) -> None:
    """Ask for the language of the speech as the target, so that the translation has the word too, and for partials."""
    listed, same = _listed(context), context.target.source.partition("-")[0]
    plain = (await _hear(context, profanity="NoAction", target=same)).finals[0]
    if not (listed.search(plain.recognition) and listed.search(plain.translation)):
        return
    marked = await _hear(context, offered(context, PARTIAL), profanity="Marked", target=same)
    texts = [text for result in marked.results for text in (result.recognition, result.translation)]
    left = _first(texts, listed)
    kept = left is None and bool(_ASTERISKS.search(marked.finals[0].translation))
    observed = left if left is not None else marked.finals[0].translation
    context.check("profanity.scope", kept, "*** in recognition and translation, partials too", repr(observed))


def _first(texts: Collection[str], listed: re.Pattern[str]) -> str | None:
    return next((text for text in texts if listed.search(text)), None)
