"""Puts WebSocket messages together from their frames, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.errors import PeerViolation
from protocol.speech.framing import MOST_HEADER_BYTES, UspMessage, addressed, read
from protocol.speech.server.policy import Policy
from protocol.wire import Fragment, Kind

TEXT_SIZE = "speech.malformed.text-size"
BINARY_SIZE = "speech.malformed.binary-size"


@dataclass(slots=True)
class Assembler:
    """Collects the frames of one message at a time."""

    policy: Policy
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def feed(self, fragment: Fragment) -> UspMessage | None:
        """Take a frame; return the message once it is complete.

        Raises:
            PeerViolation: It is too long (speech.malformed.text-size, binary-size), or cannot be understood, or does
                not say what it is and to which turn it belongs (framing.read, framing.addressed).
        """
        if fragment.first:
            self._parts, self._size = [], 0
        self._parts.append(fragment.data)
        self._size += len(fragment.data)
        text = fragment.kind is Kind.TEXT
        most = self.policy.text_bytes if text else 2 + MOST_HEADER_BYTES + self.policy.binary_bytes
        if self._size > most:
            self._parts = []
            raise PeerViolation(
                TEXT_SIZE if text else BINARY_SIZE, "size", f"a message of at most {most} bytes", f"{self._size} bytes"
            )
        if not fragment.final:
            return None
        data, self._parts = b"".join(self._parts), []
        message = read(fragment.kind, data)
        addressed(message)
        return message
