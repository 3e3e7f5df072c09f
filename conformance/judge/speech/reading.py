"""How the judge reads a transcript of the speech dialects: the request, what was said, the turns."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from conformance.judge.reading import BaseView
from conformance.judge.speech.spoken import Said, read_said
from conformance.judge.speech.turn import Turn, read_turns
from conformance.transcript import Asked, CloseFrame, Frame
from protocol.speech.handshake import CONNECTION_ID, PATHS, SpeechRequest, read_request
from protocol.wire import Party, header


class View(BaseView):
    """A transcript as the rules want to see it. Everything is computed when first asked for."""

    @property
    def dialect(self) -> str:
        """`speech-v1` or `speech-v2`."""
        return self.transcript.dialect

    @property
    def for_speech(self) -> bool:
        """Whether the request asks for a session of this dialect."""
        return self.upgrading and self.request is not None and self.request.path.lower().endswith(PATHS[self.dialect])

    @property
    def upgrading(self) -> bool:
        """Whether the request wants to speak WebSocket."""
        asked = self.request is not None and (header(self.request.headers, "Upgrade") or "").lower() == "websocket"
        return asked or self.opened

    @cached_property
    def asks(self) -> SpeechRequest:
        """What the upgrade request asks for, whether or not it has a connection id."""
        if self.request is None:
            return SpeechRequest(self.dialect, "")
        known = ((CONNECTION_ID, "0" * 32), *self.request.headers)
        return read_request(replace(self.request, headers=known), self.dialect)

    @cached_property
    def server_said(self) -> tuple[Said, ...]:
        """What the server said, in order."""
        return tuple(read_said(seen) for seen in self.from_server if seen.complete)

    @cached_property
    def client_said(self) -> tuple[Said, ...]:
        """What the client said, in order."""
        return tuple(read_said(seen) for seen in self.from_client if seen.complete)

    @cached_property
    def client_keys(self) -> frozenset[str]:
        """Every request id that the client has used, in whatever message."""
        return frozenset(said.key for said in self.client_said if said.key)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The turns, in the order in which they began."""
        return read_turns(self.asks, self.client_said, self.server_said, self._provoked)

    @cached_property
    def strays(self) -> tuple[Said, ...]:
        """What the server said that belongs to no turn."""
        placed = {said.at for turn in self.turns for said in turn.server}
        return tuple(said for said in self.server_said if said.key and said.at not in placed)

    def turn_at(self, index: int) -> Turn | None:
        """Return the latest turn that had begun before an entry."""
        return next((turn for turn in reversed(self.turns) if turn.begun < index), None)

    def provoked(self, before: int) -> bool:
        """Tell whether the observer had broken something on purpose before an entry."""
        return self._provoked is not None and self._provoked < before

    @cached_property
    def _provoked(self) -> int | None:
        sent = ((at, entry) for at, entry in enumerate(self.entries) if isinstance(entry, Asked | Frame | CloseFrame))
        return next((at for at, entry in sent if entry.deliberate), None)

    @cached_property
    def continued(self) -> bool:
        """Whether the server speaks of continuation: then offsets and acknowledgement are another matter."""
        return any(
            name.lower().startswith("x-continuation")
            for said in self.server_said
            if said.message is not None
            for name, _ in said.message.headers
        )

    @property
    def started_close(self) -> tuple[int, CloseFrame] | None:
        """The server's close frame, where that is not the answer to the client's."""
        theirs, ours = self.close_of(Party.SERVER), self.close_of(Party.CLIENT)
        return None if theirs is None or (ours is not None and ours[0] < theirs[0]) else theirs
