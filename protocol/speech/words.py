"""Which word of the order table a message is: the one reading of it that sessions and judge share."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.speech import order
from protocol.speech.messages import (
    EndDetected,
    Final,
    Interim,
    Other,
    ServerMessage,
    StartDetected,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    TurnEnd,
    TurnStart,
)

_WORDS: Mapping[type[ServerMessage], str] = {
    TurnStart: order.TURN_START,
    StartDetected: order.START_DETECTED,
    EndDetected: order.END_DETECTED,
    Interim: order.INTERIM,
    Final: order.FINAL,
    SynthesisStart: order.VOICE_START,
    SynthesisEnd: order.VOICE_END,
    TurnEnd: order.TURN_END,
}


def word_of(message: ServerMessage) -> str:
    """Return the word of a server's message; KeyError for one of a path that the protocol does not know (`Other`)."""
    if isinstance(message, Other):
        raise KeyError(message.path)
    if isinstance(message, SynthesisChunk):
        return order.CHUNK if message.stream is None else order.STREAM_CHUNK
    return _WORDS[type(message)]
