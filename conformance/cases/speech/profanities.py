"""Whether a profanity that was said shows up in a text, and in which form.

Whether an engine hears the word is not the protocol's matter: a turn without any treatment shows that first.
"""

from __future__ import annotations

import re
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.speech.asking import Ask
from conformance.cases.speech.dialogue import Session
from conformance.cases.speech.ways import hung_up
from conformance.cases.utterances import recording

RECORDING: Final = "profanity"
_MASK: Final = re.compile(r"\*+")


class Profanities:
    """The words of the run's recording that a filter has to find."""

    def __init__(self, context: Context) -> None:
        words = recording(context, RECORDING).profanities
        self._listed = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words)) or '(?!)'})(?!\w)", re.IGNORECASE)

    def in_(self, text: str) -> bool:
        """Tell whether a listed word stands in the text."""
        return bool(self._listed.search(text))

    def first(self, text: str) -> str:
        """Return the first listed word of a text that has one."""
        return self._listed.findall(text)[0]  # type: ignore[no-any-return]  # one group: a list of texts

    def masked(self, text: str) -> bool:
        """Tell whether a mask stands where the word was."""
        return not self.in_(text) and bool(_MASK.search(text))

    def removed(self, text: str) -> bool:
        """Tell whether nothing stands where the word was."""
        return not self.in_(text) and not _MASK.search(text)


async def heard_profanity(session: Session, ask: Ask | None = None) -> str:
    """Say the recording in one turn, end the connection, and return what was recognised.

    Raises:
        Blocked: Nothing was.
    """
    turn = await session.begin(ask)
    await turn.say(recording(session.context, RECORDING))
    await hung_up(turn)
    if not turn.results:
        raise Blocked(f"nothing was recognised: {turn.state}")
    return turn.results[0].text
