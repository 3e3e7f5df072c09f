"""One connection as a client of the speech dialects sees it: its messages, written in order and read from frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.errors import PeerViolation
from protocol.order import Conversation
from protocol.speech import framing, messages, order
from protocol.speech.client.telemetry import Stamp
from protocol.speech.words import word_of
from protocol.wire import Close, Fragment, Headers, Message, Party

SERVER, CLIENT = Party.SERVER, Party.CLIENT

_BROKEN: Final[Mapping[str, str]] = {
    framing.SIZE_PREFIX: "speech.frame.binary-size",
    framing.HEADER_SIZE: "speech.frame.binary-size",
    framing.BINARY_UTF8: "speech.frame.binary-ascii",
    framing.TEXT_EMPTY: "speech.frame.text-separator",
    framing.TEXT_UTF8: "speech.frame.text-json",
    framing.TEXT_SEPARATOR: "speech.frame.text-separator",
    framing.HEADER_LINE: "speech.frame.text-crlf",
    framing.DUPLICATE: "speech.frame.header-once",
}
"""What a server breaks by a message that cannot be read; the requirements of `framing` say what it does to ours."""


class Line:
    """Writes and reads the messages of one connection; a wrong step of our own raises LocalViolation.

    Args:
        dialect: `speech-v1` or `speech-v2`.
        stamp: Writes the shell's times in UTC.
        most: Longest message that is taken, in bytes.
        time: When the connection was ready.

    Attributes:
        heard: When the server last said anything; at first when the connection was ready.
    """

    def __init__(self, dialect: str, stamp: Stamp, most: int, time: float) -> None:
        self.heard = time
        self._order = Conversation(order.TABLES[dialect], CLIENT)
        self._stamp = stamp
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0

    # Writing.

    def text(self, word: str, path: str, request_id: str, body: Mapping[str, Any], time: float) -> Message:
        """Return a text message; `word` is what it is in the order table."""
        self._order.step(CLIENT, word)
        return framing.write(framing.text(path, request_id, body, (("X-Timestamp", self._stamp(time)),)))

    def audio(self, word: str, request_id: str, payload: bytes, time: float, headers: Headers = ()) -> Message:
        """Return a binary message `audio`."""
        self._order.step(CLIENT, word)
        stamp = ("X-Timestamp", self._stamp(time))
        return framing.write(framing.binary("audio", request_id, payload, (stamp, *headers)))

    def close(self, code: int, reason: str) -> Close:
        """Return the close frame."""
        self._order.step(CLIENT, order.CLOSE)
        return Close(code, reason)

    # Reading.

    def take(self, frame: Fragment) -> framing.UspMessage | None:
        """Return the message that this frame completes, or None.

        Raises:
            PeerViolation: It cannot be read.
            OverflowError: It is too long; there is no point in going on.
        """
        self.heard = frame.time
        if frame.first:
            self._parts, self._size = [], 0
        self._parts.append(frame.data)
        self._size += len(frame.data)
        if self._size > self._most:
            raise OverflowError("a message is too long")
        if not frame.final:
            return None
        data, self._parts = b"".join(self._parts), []
        try:
            return framing.read(frame.kind, data)
        except PeerViolation as error:
            raise PeerViolation(_BROKEN[error.requirement], error.at, error.expected, error.observed) from None

    def follow(self, said: messages.ServerMessage) -> None:
        """Follow the server through the order table; what it does out of order is taken all the same."""
        if isinstance(said, messages.Other):
            return
        word = word_of(said)
        if self._order.may(SERVER, word):
            self._order.step(SERVER, word)
        else:
            self._order.resume(SERVER, word)


def check_id(message: framing.UspMessage, request_id: str) -> bool:
    """Tell whether a message belongs to the turn. What belongs to one that is over, or to nobody, is no matter.

    Raises:
        PeerViolation: It has no id (speech.frame.header-request-id), or the turn's in another spelling
            (speech.turn.id-echo).
    """
    name = "X-RequestId"
    given = message.request_id
    if not given:
        raise PeerViolation("speech.frame.header-request-id", f"header {name}", "the id of a turn", "none")
    if given != request_id and given.lower().replace("-", "") == request_id:
        raise PeerViolation("speech.turn.id-echo", f"header {name}", request_id, given)
    return given == request_id
