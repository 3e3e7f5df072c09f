"""What a pipeline keeps of its stream."""

from __future__ import annotations

from dataclasses import replace

from protocol.audio import PcmFormat
from protocol.events import Span
from reference_server.endpointing import Ended, Endpointer, Endpointing, Found
from reference_server.engines.base import Utterance

MARGIN_MS = 300
"""So much is kept of what stands around an utterance, by which recognisers know that its words are whole."""


class Hearing:
    """What is known of a stream: its endpointer, and the samples that an utterance can still need."""

    def __init__(self, pcm: PcmFormat, endpointing: Endpointing) -> None:
        self.format = pcm
        self.endpointer = Endpointer(pcm, endpointing)
        self._margin = pcm.ms_to_bytes(MARGIN_MS)
        self._kept = bytearray()
        self._kept_from = 0
        self._free_from = 0

    def feed(self, data: bytes) -> list[Found]:
        """Take audio; what a span of an earlier feed began with may be forgotten now."""
        self._forget(self.endpointer.needed_from - self._margin)
        self._kept += data
        return self.endpointer.feed(data)

    def open(self, index: int, span: Span) -> Utterance:
        """Return the utterance that was started last, as far as `span` reaches; it is given the number `index`."""
        before = self._pcm(max(self._free_from, span.start - self._margin), span.start)
        return Utterance(index, span, self.format, self._pcm(span.start, span.end), before)

    def whole(self, index: int, ended: Ended) -> Utterance:
        """Return an utterance that is over, which is asked for once; what is behind it may belong to the next."""
        utterance = self.open(index, ended.span)
        self._free_from = end = ended.span.end
        return replace(utterance, behind=self._pcm(end, min(end + self._margin, ended.at)))

    def _pcm(self, start: int, end: int) -> bytes:
        return bytes(self._kept[start - self._kept_from : end - self._kept_from])

    def _forget(self, position: int) -> None:
        if position > self._kept_from:
            del self._kept[: position - self._kept_from]
            self._kept_from = position
