"""Servers that cannot take every stream that real clients send."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Mutator
from protocol.errors import PeerViolation
from protocol.riff import HeaderReader, RiffHeader
from protocol.wire import Close, Fragment, Kind, Outbound

_SPOILED = b"JUNK"


class HeaderFault(Mutator):
    """Reads the header along with the session; `refuses` says which ones are spoiled before the session sees them."""

    def __init__(self) -> None:
        super().__init__()
        self._reader: HeaderReader | None = HeaderReader()
        self._first = b""
        self.header: RiffHeader | None = None
        self.seen = 0

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Tell whether this fault does not take the header; `rest` is the audio in the same message."""
        return False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Hold frames back until the header is complete, then pass it on or spoil it."""
        if self._reader is None or fragment.kind is not Kind.BINARY:
            return (fragment,)
        self._first += fragment.data
        try:
            found = self._reader.feed(fragment.data)
        except PeerViolation:
            self._reader = None
            return (Fragment(fragment.time, Kind.BINARY, self._first),)
        if found is None:
            return ()
        self._reader, self.header = None, found[0]
        data = _SPOILED + self._first[4:] if self.refuses(*found) else self._first
        return (Fragment(fragment.time, Kind.BINARY, data, fragment.first, fragment.final),)


@fault("audio.header-46", "refused")
class Only44(HeaderFault):
    """Takes a fmt chunk of 16 bytes only."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse longer ones."""
        return header.fmt_size != 16


@fault("audio.extra-chunks", "refused")
class OnlyTwoChunks(HeaderFault):
    """Expects the data chunk right behind fmt."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse a header with more chunks."""
        return len(header.chunks) > 2


@fault("audio.true-sizes", "refused")
class OnlyZeroSizes(HeaderFault):
    """Takes streams of unknown length only."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse a size, unless the stream goes on behind it: that is another requirement."""
        return header.announced is not None and header.announced > 60_000


@fault("audio.header-alone", "refused", implies=("audio.ping", "endpoint.final-after-silence"))
class HeaderWithAudio(HeaderFault):
    """Expects audio behind the header in the same message."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse a message that is a header and nothing else."""
        return not rest


@fault(
    "audio.header-with-audio",
    "refused",
    implies=("audio.header-split", "audio.burst", "audio.fragmented"),
)
class HeaderAlone(HeaderFault):
    """Expects the header in a message of its own."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse audio behind the header."""
        return bool(rest)


@fault("audio.header-split", "refused", implies=("audio.fragmented",))
class WholeHeader(Mutator):
    """Expects the whole header in the first message."""

    def __init__(self) -> None:
        super().__init__()
        self._first = True

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Spoil a first message that is shorter than a header."""
        first, self._first = self._first, False
        if first and fragment.kind is Kind.BINARY and 0 < len(fragment.data) < 44:
            return (Fragment(fragment.time, Kind.BINARY, b"JUNK"),)
        return (fragment,)


@fault("audio.rate-8000", "refused")
class NotTelephone(HeaderFault):
    """Does not take 8 kHz."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse the rate."""
        return header.format.rate == 8_000


@fault("audio.rate-22050", "refused")
class NotHalfCd(HeaderFault):
    """Does not take 22.05 kHz."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse the rate."""
        return header.format.rate == 22_050


@fault("audio.past-declared-size", "ignored")
class StopsAtSize(Mutator):
    """Stops listening at the declared size."""

    def __init__(self) -> None:
        super().__init__()
        self._reader: HeaderReader | None = HeaderReader()
        self._left: int | None = None

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Replace what comes behind the declared size by nothing."""
        if fragment.kind is not Kind.BINARY:
            return (fragment,)
        if self._reader is not None:
            try:
                found = self._reader.feed(fragment.data)
            except PeerViolation:
                self._reader = None
                return (fragment,)
            if found is None:
                return (fragment,)
            self._reader, self._left = None, found[0].announced
            taken = fragment.data[: len(fragment.data) - len(found[1])]
            return (self._cut(fragment, found[1], taken),)
        return (self._cut(fragment, fragment.data, b""),)

    def _cut(self, fragment: Fragment, audio: bytes, before: bytes) -> Fragment:
        if self._left is not None:
            audio = audio[: self._left]
            self._left -= len(audio)
        return Fragment(fragment.time, fragment.kind, before + audio, fragment.first, fragment.final)


@fault("audio.unfinished-message", "held-back")
class WaitsForFin(Mutator):
    """Hands a message on only when its last frame has come."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Collect frames."""
        self._parts.append(fragment.data)
        if not fragment.final:
            return ()
        data, self._parts = b"".join(self._parts), []
        return (Fragment(fragment.time, fragment.kind, data),)


@fault("audio.odd-bytes", "dropped")
class DropsOddByte(Mutator):
    """Drops the last byte of a message that ends in the middle of a sample."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Cut to an even length, header messages excepted."""
        if len(fragment.data) % 2 and len(fragment.data) > 1000:
            return (Fragment(fragment.time, fragment.kind, fragment.data[:-1], fragment.first, fragment.final),)
        return (fragment,)


@fault("audio.empty-message", "closes")
class ClosesOnEmpty(Mutator):
    """Takes an empty message for an error."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Replace it by a text message, which the session refuses."""
        if fragment.data or not fragment.first:
            return (fragment,)
        return (Fragment(fragment.time, Kind.TEXT, b"", fragment.first, fragment.final),)


@fault("audio.header-first", "silent")
class IgnoresBadHeader(Mutator):
    """Says nothing to a stream that does not begin with a header."""

    def __init__(self) -> None:
        super().__init__()
        self._bad: bool | None = None

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Swallow everything behind a bad start."""
        if self._bad is None and fragment.kind is Kind.BINARY and fragment.data:
            self._bad = not b"RIFF".startswith(fragment.data[:4])
        return () if self._bad and fragment.kind is Kind.BINARY else (fragment,)


@fault("audio.format", "unnamed")
class UnnamedFormat(Mutator):
    """Closes a wrong format without naming what is wrong."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Shorten the reason."""
        named = close.code == 1003 and "header" in close.reason and "RIFF" not in close.reason
        return (Close(1003, "Invalid Message Type: bad audio"),) if named else (close,)
