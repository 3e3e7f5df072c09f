"""How the judge reads the turns of a connection, and what belongs to each.

A turn begins with a speech.context of a new id, or with audio of a new id that begins with a header. What the server
says belongs to the turn whose id it means, however it spells it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

from conformance.judge.speech import spoken
from conformance.judge.speech.spoken import PLAIN, Result, Said, read_result
from conformance.judge.speech.wave import Wave, begins_like_one, read_wave
from protocol.errors import PeerViolation
from protocol.speech.context import Context, Update, Wanted, read_config, read_context, read_event, settle
from protocol.speech.handshake import Mode, SpeechRequest
from protocol.wire import Party

T = TypeVar("T")


@dataclass(frozen=True)
class Turn:
    """One turn, as far as it was seen.

    Attributes:
        number: Its place on the connection, from 0.
        id: Its request id as the client spelled it.
        begun: Index of the entry that began it.
        wanted: What the client asked for.
        context: Its speech.context, if it has one.
        client: The client's messages that mean it, in order; what came before it began is not among them.
        server: The server's messages that mean it, in order.
        updates: Changes of languages that may hold in it, each with its index.
        next: Index of the entry that began the client's next turn, if there is one.
        provoked: Whether the observer had broken something on purpose before its end.
    """

    number: int
    id: str
    begun: int
    wanted: Wanted
    context: Said | None
    client: tuple[Said, ...]
    server: tuple[Said, ...]
    updates: tuple[tuple[int, Update], ...]
    next: int | None
    provoked: bool

    @property
    def key(self) -> str:
        """Its request id in the form that tells turns apart."""
        return self.client[0].key

    @cached_property
    def start(self) -> Said | None:
        """Its turn.start, if that came."""
        return next((said for said in self.server if said.path == spoken.TURN_START), None)

    @cached_property
    def end(self) -> Said | None:
        """Its turn.end, if that came."""
        return next((said for said in self.server if said.path == spoken.TURN_END), None)

    @cached_property
    def answers(self) -> tuple[Said, ...]:
        """What the server said up to turn.end, that included."""
        end = self.end
        return self.server if end is None else tuple(said for said in self.server if said.at <= end.at)

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The results up to turn.end."""
        return tuple(result for said in self.answers if (result := read_result(said)) is not None)

    @cached_property
    def finals(self) -> tuple[Result, ...]:
        """The finals up to turn.end."""
        return tuple(result for result in self.results if result.final)

    def answers_with(self, result: Result) -> bool:
        """Tell whether a result is of the kind that was asked for: no plain one beside a translation."""
        return result.shape != PLAIN or not self.wanted.translated

    @property
    def abandoned(self) -> bool:
        """Whether the client began another turn before this one ended."""
        return self.next is not None and (self.end is None or self.next < self.end.at)

    @cached_property
    def audio(self) -> tuple[Said, ...]:
        """The client's audio messages up to turn.end; what comes later is for nobody."""
        until = math.inf if self.end is None else self.end.at
        return tuple(said for said in self.client if said.path == spoken.AUDIO and said.at < until)

    @cached_property
    def stopped(self) -> Said | None:
        """The empty audio message that ended the client's stream; audio behind one makes it void."""
        last = max((said.at for said in self.audio if said.payload), default=-1)
        return next((said for said in self.audio if not said.payload and said.at > last), None)

    @cached_property
    def wave(self) -> Wave | None:
        """The header of the client's audio, if it can be read."""
        return read_wave(b"".join(said.payload for said in self.audio[:4]))

    @cached_property
    def _sums(self) -> tuple[list[int], list[int]]:
        return [said.at for said in self.audio], list(accumulate((len(said.payload) for said in self.audio), initial=0))

    def heard(self, index: int) -> int | None:
        """Return the audio that the client had sent before an entry, in ticks; None where its rate is unknown."""
        if self.wave is None:
            return None
        indexes, sums = self._sums
        return self.wave.ticks(max(0, sums[bisect_left(indexes, index)] - self.wave.length))

    @property
    def owed(self) -> bool:
        """Whether turn.end is due: it is still open, and the stream has ended or a one-shot turn has its final."""
        if self.provoked or self.abandoned or self.start is None or self.end is not None:
            return False
        one_shot = self.wanted.mode is Mode.INTERACTIVE and any(final.counts for final in self.finals)
        return one_shot or (self.stopped is not None and self.wave is not None)


def read_turns(
    asks: SpeechRequest, client: Iterable[Said], server: Iterable[Said], provoked: int | None
) -> tuple[Turn, ...]:
    """Return the turns of a connection, in the order in which they began.

    Args:
        asks: What the upgrade request asked for.
        client: What the client said.
        server: What the server said.
        provoked: Index of the first entry that the observer broke on purpose.
    """
    both = [(said, Party.CLIENT) for said in client] + [(said, Party.SERVER) for said in server]
    walk = _Turns(asks, provoked)
    for said, sender in sorted(both, key=lambda pair: pair[0].at):
        walk.take(said, sender)
    return tuple(walk.turn(number) for number in range(len(walk.drafts)))


@dataclass
class _Draft:
    said: Said
    context: Said | None
    client: list[Said]
    server: list[Said]

    @property
    def ended(self) -> int | None:
        return next((said.at for said in self.server if said.path == spoken.TURN_END), None)


def _lenient(read: Callable[[bytes], T], body: bytes) -> T | None:
    try:
        return read(body)
    except PeerViolation:
        return None


class _Turns:
    """One pass over both parties' messages, in the order in which they were seen."""

    def __init__(self, asks: SpeechRequest, provoked: int | None) -> None:
        self.asks = asks
        self.provoked = math.inf if provoked is None else provoked
        self.drafts: list[_Draft] = []
        self.latest: dict[str, _Draft] = {}
        self.mode: Mode | None = None
        self.modes: list[Mode | None] = []
        self.updates: list[tuple[int, Update]] = []

    def take(self, said: Said, sender: Party) -> None:
        """Take the next message."""
        if sender is Party.CLIENT:
            self._client(said)
        elif said.key in self.latest:
            self.latest[said.key].server.append(said)

    def _client(self, said: Said) -> None:
        draft = self.latest.get(said.key)
        if said.path == spoken.CONFIG and said.message is not None:
            self.mode = _lenient(read_config, said.message.body) or self.mode
        elif said.path == spoken.EVENT and said.message is not None:
            update = _lenient(read_event, said.message.body)
            self.updates += [(said.at, update)] if update is not None else []
        if said.key and self._begins(said, draft):
            draft = _Draft(said, said if said.path == spoken.CONTEXT else None, [], [])
            self.latest[said.key] = draft
            self.drafts.append(draft)
            self.modes.append(self.mode)
        if draft is not None:
            draft.client.append(said)

    @staticmethod
    def _begins(said: Said, draft: _Draft | None) -> bool:
        if said.path == spoken.CONTEXT:
            return draft is None or draft.ended is not None
        return draft is None and said.path == spoken.AUDIO and bool(said.payload) and begins_like_one(said.payload)

    def turn(self, number: int) -> Turn:
        draft = self.drafts[number]
        following = self.drafts[number + 1].said.at if number + 1 < len(self.drafts) else None
        last = math.inf if following is None else following
        context = _lenient(read_context, draft.context.payload) if draft.context is not None else None
        begun = draft.said.at
        since = begun if context is not None and context.targets is not None else -1
        return Turn(
            number=number,
            id=draft.said.message.request_id if draft.said.message is not None else "",
            begun=begun,
            wanted=settle(self.asks, self.modes[number], context or Context()),
            context=draft.context,
            client=tuple(draft.client),
            server=tuple(draft.server),
            updates=tuple((at, update) for at, update in self.updates if since < at < last),
            next=following,
            provoked=self.provoked < (last if draft.ended is None else draft.ended),
        )
