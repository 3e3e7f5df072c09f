"""The audio of a client until the server has acknowledged it: what is to be sent next, and when.

Positions are bytes from the first sample of the session, over all its turns and connections. A final acknowledges
everything up to its Offset + Duration; a new turn begins behind that (requirement speech.client.replay).
"""

from __future__ import annotations

from protocol.audio import TICKS_PER_SECOND, PcmFormat

_MILLISECOND = TICKS_PER_SECOND // 1000


class Replay:
    """A queue that keeps what was taken from it until that is acknowledged.

    Args:
        format: Shape of the samples.
        chunk: Bytes of audio in one message, whole samples.

    Attributes:
        given: Position behind the last byte that the application has given.
        sent: Position of the next byte to send.
        acknowledged: Position up to which nothing has to be sent again.
    """

    def __init__(self, format: PcmFormat, chunk: int) -> None:  # noqa: A002 - the shape is called so everywhere
        self.format = format
        self.given = self.sent = self.acknowledged = 0
        self._chunk = chunk
        self._kept = bytearray()

    def give(self, pcm: bytes) -> None:
        """Add samples at the end."""
        self._kept += pcm
        self.given += len(pcm)

    def ready(self, *, rest: bool) -> int:
        """Return how many bytes the next message has: 0 for none yet. What fills no chunk is one only as the `rest`."""
        size = min(self._chunk, self.given - self.sent)
        return size if rest or size == self._chunk else 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, to send them."""
        at = self.sent - self.acknowledged
        self.sent += size
        return bytes(self._kept[at : at + size])

    def acknowledge(self, position: int) -> bool:
        """Forget what lies before `position`, as far as it was sent; return whether that was anything."""
        position = min(position, self.sent)
        if position <= self.acknowledged:
            return False
        del self._kept[: position - self.acknowledged]
        self.acknowledged = position
        return True

    def rewind(self) -> int:
        """Send again what is not acknowledged; return the position where that begins."""
        self.sent = self.acknowledged
        return self.sent

    @property
    def outstanding(self) -> bool:
        """Whether a millisecond of audio or more is not acknowledged; finals are no more exact than that."""
        return self.format.bytes_to_ticks(self.given - self.acknowledged) >= _MILLISECOND


class Throttle:
    """How fast audio goes out on one connection: some of it at once, the rest at a multiple of the pace of speech.

    Args:
        format: Shape of the samples.
        burst_ms: Audio that goes out without delay.
        speed: The multiple for what follows; None for no limit (requirement speech.client.pace).
        begun: When the connection was ready.
    """

    def __init__(self, format: PcmFormat, burst_ms: int, speed: float | None, begun: float) -> None:  # noqa: A002
        self._burst = format.ms_to_bytes(burst_ms)
        self._rate = None if speed is None else speed * format.bytes_per_second
        self._begun = begun
        self._sent = 0

    def due(self, size: int) -> float:
        """Return when the next `size` bytes may go out."""
        late = max(0, self._sent + size - self._burst)
        return self._begun + (late / self._rate if self._rate else 0.0)

    def count(self, size: int) -> None:
        """Note that so many bytes went out."""
        self._sent += size
