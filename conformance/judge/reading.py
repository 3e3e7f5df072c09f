"""What every dialect's judge reads in a transcript: the request, the answer, whole messages, the end.

Reading is lenient where judging is strict, so that one departure is reported once and not as a dozen others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from conformance.transcript import Answered, Asked, CloseFrame, Expired, Frame, Transcript
from protocol.wire import HttpRequest, HttpResponse, Kind, Party


@dataclass(frozen=True, slots=True)
class Seen:
    """A data message: the entries of its first and last frame, their times, and whether the last frame came."""

    first: int
    last: int
    started: float
    ended: float
    kind: Kind
    data: bytes
    complete: bool
    deliberate: str | None


def assemble(transcript: Transcript, party: Party) -> tuple[Seen, ...]:
    """Return the data messages of a party, in the order in which they began; an unfinished one is last."""
    messages: list[Seen] = []
    open_at: list[int] = []
    frames: list[Frame] = []
    for index, entry in enumerate(transcript.entries):
        if not isinstance(entry, Frame) or entry.sender is not party:
            continue
        if entry.first:
            open_at, frames = [], []
        open_at.append(index)
        frames.append(entry)
        if entry.final:
            messages.append(_seen(open_at, frames, complete=True))
            open_at, frames = [], []
    if frames:
        messages.append(_seen(open_at, frames, complete=False))
    return tuple(messages)


def _seen(indexes: list[int], frames: list[Frame], *, complete: bool) -> Seen:
    return Seen(
        indexes[0],
        indexes[-1],
        frames[0].time,
        frames[-1].time,
        frames[0].kind,
        b"".join(frame.data for frame in frames),
        complete,
        next((frame.deliberate for frame in frames if frame.deliberate), None),
    )


class BaseView:
    """A transcript as the rules of any dialect want to see it. Everything is computed when first asked for."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.entries = transcript.entries

    @cached_property
    def asked(self) -> tuple[int, Asked] | None:
        """The HTTP request, with its index."""
        return next(((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Asked)), None)

    @cached_property
    def answered(self) -> tuple[int, Answered] | None:
        """The HTTP response, with its index."""
        return next(((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Answered)), None)

    @property
    def request(self) -> HttpRequest | None:
        """The HTTP request, if one was seen."""
        return self.asked[1].request if self.asked else None

    @property
    def response(self) -> HttpResponse | None:
        """The HTTP response, if one was seen."""
        return self.answered[1].response if self.answered else None

    @property
    def opened(self) -> bool:
        """Whether this is a conversation: the upgrade was accepted."""
        return self.response is not None and self.response.status == 101

    @cached_property
    def from_server(self) -> tuple[Seen, ...]:
        """The data messages of the server up to its close; what it says behind that is wrong whatever it is."""
        closed = self.close_of(Party.SERVER)
        said = assemble(self.transcript, Party.SERVER)
        return said if closed is None else tuple(seen for seen in said if seen.first < closed[0])

    @cached_property
    def from_client(self) -> tuple[Seen, ...]:
        """The data messages of the client."""
        return assemble(self.transcript, Party.CLIENT)

    def close_of(self, party: Party) -> tuple[int, CloseFrame] | None:
        """Return a party's close frame with its index."""
        found = ((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, CloseFrame))
        return next((pair for pair in found if pair[1].sender is party), None)

    def expired(self, word: str) -> tuple[int, Expired] | None:
        """Return the first wait in vain for something whose name has `word` in it."""
        found = ((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Expired))
        return next((pair for pair in found if word in pair[1].what), None)
