"""Cuts long masked frames into short ones while their bytes arrive.

A client may put minutes of audio into one frame (fact A11), and `websockets` hands a frame on only when it is
complete. RFC 6455 §5.4 lets an intermediary fragment a message, so the server fragments what it reads before it
parses it: no frame is ever held whole, whatever its length, and a connection costs a fixed amount of memory.
"""

from __future__ import annotations

_SHORT = 126  # payload lengths below this stand in the second byte
_FIN = 0x80
_MASKED = 0x80
_CONTINUATION = 0
_DATA_OPCODES = frozenset({0, 1, 2})


class Reframer:
    """Takes the raw bytes of masked frames, gives the bytes of frames of at most `limit` payload bytes.

    Args:
        limit: Largest payload handed on; a multiple of 4, so that the masking key keeps its phase, and no less than
            the payload of a control frame, which is never cut.
    """

    def __init__(self, limit: int) -> None:
        if limit < _SHORT or limit % 4:
            raise ValueError(f"the limit of a frame must be a multiple of 4 from 128 on, not {limit}")
        self._limit = limit
        self._buffer = bytearray()
        self._left = 0
        self._first = 0
        self._mask = b""

    def feed(self, data: bytes) -> bytes:
        """Return what can be handed on; incomplete pieces stay until the rest has come."""
        self._buffer += data
        out: list[bytes] = []
        while piece := self._piece():
            out.append(piece)
        return b"".join(out)

    def _piece(self) -> bytes:
        if self._left:
            return self._continue()
        head = self._head_length()
        if head is None:
            return b""
        length = self._length()
        masked, data = self._buffer[1] & _MASKED, self._buffer[0] & 0x0F in _DATA_OPCODES
        if not masked or (length > self._limit and not data):
            return self._cut(len(self._buffer))  # broken: the parser behind will say why
        if length <= self._limit:
            return self._cut(head + length) if len(self._buffer) >= head + length else b""
        self._first, self._mask, self._left = self._buffer[0], bytes(self._buffer[head - 4 : head]), length
        del self._buffer[:head]
        return self._continue()

    def _cut(self, size: int) -> bytes:
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def _continue(self) -> bytes:
        """Return the next piece of a long frame as a frame of its own."""
        size = min(self._left, self._limit)
        if len(self._buffer) < size:
            return b""
        self._left -= size
        first = self._first & ~_FIN if self._left else self._first
        self._first = (self._first & 0xF0) | _CONTINUATION
        return _head(first, size) + self._mask + self._cut(size)

    def _head_length(self) -> int | None:
        """Return the length of the frame's head, mask included, or None while it is incomplete."""
        if len(self._buffer) < 2:
            return None
        marker = self._buffer[1] & 0x7F
        extended = {126: 2, 127: 8}.get(marker, 0)
        head = 2 + extended + (4 if self._buffer[1] & _MASKED else 0)
        return head if len(self._buffer) >= head else None

    def _length(self) -> int:
        marker = self._buffer[1] & 0x7F
        if marker < _SHORT:
            return marker
        return int.from_bytes(self._buffer[2 : 4 if marker == _SHORT else 10], "big")


def _head(first: int, size: int) -> bytes:
    if size < _SHORT:
        return bytes((first, _MASKED | size))
    if size <= 0xFFFF:
        return bytes((first, _MASKED | _SHORT)) + size.to_bytes(2, "big")
    return bytes((first, _MASKED | 127)) + size.to_bytes(8, "big")
