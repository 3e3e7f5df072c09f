"""What a pipeline keeps of its stream."""

from __future__ import annotations

from protocol.audio import PcmFormat
from protocol.events import Span
from reference_server.endpointing import Endpointer, Endpointing, Found
from reference_server.engines.base import Utterance


class Hearing:
    """What is known of a stream: its endpointer, and the samples that an utterance can still need."""

    def __init__(self, pcm: PcmFormat, endpointing: Endpointing) -> None:
        self.format = pcm
        self.endpointer = Endpointer(pcm, endpointing)
        self._kept = bytearray()
        self._kept_from = 0

    def feed(self, data: bytes) -> list[Found]:
        """Take audio; what a span of an earlier feed began with may be forgotten now."""
        self._forget(self.endpointer.needed_from)
        self._kept += data
        return self.endpointer.feed(data)

    def utterance(self, index: int, span: Span) -> Utterance:
        """Return the utterance that was started last, as far as `span` reaches; it is given the number `index`."""
        start = span.start - self._kept_from
        return Utterance(index, span, self.format, bytes(self._kept[start : start + span.size]))

    def _forget(self, position: int) -> None:
        del self._kept[: position - self._kept_from]
        self._kept_from = position
