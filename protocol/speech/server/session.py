"""The server's side of a connection in `speech-v1` and `speech-v2`, without I/O.

The shell hands every event in with its time and carries out what comes back, in order:

- `Message`, `Close`, `Abort` go to the socket;
- `AudioStarted`, `Audio`, `AudioEnded`, `Retarget`, `Commit`, `Speak` go to the pipeline of the present turn, whose
  findings come back through `result`.

When `next_deadline` is reached the shell calls `receive(Tick(now))`. A connection has many turns, one after another;
`turn.Turn` is one of them. What comes with the id of a finished turn is discarded: both official SDKs send such
messages, and closing on them would break them (experiment 5).
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol.errors import PeerViolation
from protocol.events import (
    AudioEnded,
    Begun,
    Blame,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Silence,
    Speech,
    ToPipeline,
)
from protocol.languages import Catalogue
from protocol.order import Conversation
from protocol.speech import framing, order
from protocol.speech.context import Context, read_config, read_context, read_event, settle
from protocol.speech.framing import UspMessage
from protocol.speech.handshake import Mode, SpeechRequest
from protocol.speech.languages import spoken
from protocol.speech.messages import V1, ServerMessage
from protocol.speech.server.assembly import Assembler
from protocol.speech.server.closes import close_for, normal
from protocol.speech.server.encoding import COMMIT_HEADER, encode
from protocol.speech.server.policy import Policy
from protocol.speech.server.results import Heard
from protocol.speech.server.turn import Said, Turn, service_tag
from protocol.speech.words import word_of
from protocol.wire import Close, Fragment, Inbound, Kind, Outbound, Party, PeerClosed

SERVER, CLIENT = Party.SERVER, Party.CLIENT

Output = Outbound | ToPipeline


class ServerSession:
    """One accepted connection.

    Args:
        request: What the handshake asked for.
        policy: How to behave where the protocol leaves a choice.
        catalogue: The languages and voices of the engine.
        time: When the handshake was accepted.
    """

    def __init__(self, request: SpeechRequest, policy: Policy, catalogue: Catalogue, time: float) -> None:
        self.request = request
        self.policy = policy
        self.order = Conversation(order.TABLES[request.dialect], SERVER)
        self.ignored = 0
        self._heard = Heard(request.dialect, catalogue, request.streams)
        self._opened = self._last = self._now = time
        self._assembler = Assembler(policy)
        self._configured = False
        self._recognition: Mode | None = None
        self._turn: Turn | None = None
        self._known: set[str] = set()
        self._streams = 0
        self._empty_at: float | None = None
        self._doom: tuple[float, Close] | None = None
        self._leaving = False
        self._leave_by: float | None = None

    @property
    def open(self) -> bool:
        """Whether either side may still send."""
        return self.order.state(SERVER) != order.CLOSED

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None once the session is over."""
        if not self.open:
            return None
        due = [self._last + self.policy.idle_s, self._opened + self.policy.connection_limit_s]
        if self._empty_at is not None:
            due.append(self._empty_at + self.policy.end_grace_ms / 1000)
        if self._doom is not None:
            due.append(self._doom[0])
        if self._leave_by is not None:
            due.append(self._leave_by)
        return min(due)

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the client, or the passing of time; return what to do."""
        if not self.open:
            return []
        self._now = event.time
        if isinstance(event, PeerClosed):
            self._client(order.CLOSE)
            self.order.step(SERVER, order.CLOSE)
            return [AudioEnded(flush=False)]
        if isinstance(event, Fragment):
            return self._fragment(event)
        return self._tick(event.time)

    def shutdown(self, time: float) -> list[Output]:
        """End the connection because the server goes away (experiment 4): a turn first comes to its end."""
        if not self.open or self._leaving:
            return []
        self._now = time
        self._leaving = True
        if self._turn is None:
            return self._close(normal("the server is going away"))
        self._leave_by = time + self.policy.drain_s
        return [*self._begin(self._turn), *self._say(self._turn, self._turn.flush())]

    def result(self, event: FromPipeline) -> list[Output]:
        """Take a finding of the pipeline; return what to send."""
        turn = self._turn
        if not self.open or turn is None:
            return []
        self._now = max(self._now, event.time)
        if isinstance(event, Fault):
            if event.blame is Blame.SCRIPT:
                return self._close(Close(event.code, event.reason))
            return self._say(turn, turn.fault(event))
        return self._say(turn, _told(turn, event))

    # Messages in.

    def _fragment(self, event: Fragment) -> list[Output]:
        self._last = event.time
        try:
            message = self._assembler.feed(event)
            if message is None:
                return []
            framing.stamped(message)
            return self._message(message)
        except PeerViolation as violation:
            return self._close(close_for(violation))

    def _message(self, message: UspMessage) -> list[Output]:
        path = message.path.lower()
        if message.kind is Kind.BINARY:
            return self._audio(message) if path == "audio" else self._ignore(order.OTHER)
        match path:
            case "speech.config":
                self._client(order.CONFIG)
                self._configured = True
                self._recognition = read_config(message.body) or self._recognition
                return []
            case "speech.context":
                return self._context(message)
            case "telemetry":
                return self._reaction() or self._ignore(order.TELEMETRY)
            case "event":
                update = read_event(message.body)
                if update is None or self._turn is None:
                    return self._ignore(order.EVENT)
                self._client(order.EVENT)
                return self._say(self._turn, self._turn.retarget(update))
            case framing.COMMIT if self._turn is not None and self._is(message.request_id):
                self._client(order.COMMIT)
                return self._say(self._turn, self._turn.commit(message.get(COMMIT_HEADER) or ""))
            case _:
                return self._ignore(order.OTHER)

    def _context(self, message: UspMessage) -> list[Output]:
        """Open a turn, abandoning an open one (fact T-02); an id that is used again ends the connection (T-04)."""
        if self._leaving:
            return self._reaction() or self._ignore(order.OTHER)
        if not self._configured:
            return self._close(Close(1002, "Invalid request. speech.context came before speech.config."))
        context = read_context(message.body)
        turn = self._turn
        if turn is not None and self._is(message.request_id):
            if turn.begun:
                return self._ignore(order.OTHER)
        elif message.request_id.lower() in self._known:
            reused = PeerViolation("speech.context.reused-id", "header X-RequestId", "a new id", "a finished turn's")
            self._doom_with(close_for(reused))
            return []
        self._client(order.CONTEXT)
        return [*self._abandon(), *self._open_turn(message.request_id, context)]

    def _open_turn(self, request_id: str, context: Context) -> list[Output]:
        wanted = settle(self.request, self._recognition, context)
        source, candidates, problem = spoken(self._heard.catalogue, wanted)
        if problem is not None:
            self._doom_with(Close(1007, problem))
        number = len(self._known)
        self._known.add(request_id.lower())
        self._turn = Turn(request_id, number, wanted, self._heard, source, candidates, self.policy, self._streams)
        if number >= self.policy.turns:
            return self._close(Close(1007, "too many turns on one connection"))
        return []

    def _audio(self, message: UspMessage) -> list[Output]:
        turn = self._turn
        if not self._configured:
            return self._close(Close(1002, "Invalid request. Audio came before speech.config."))
        if turn is None or not self._is(message.request_id):
            if not self._starts_by_itself(message):
                return self._stray(message)
            self._client(order.CONTEXT)  # as if there had been an empty one
            opened = [*self._abandon(), *self._open_turn(message.request_id, Context())]
            return [*opened, *self._audio(message)] if self.open else opened
        if self._doom is not None:
            # Not on the header: behind it the client may still be about to send its first samples.
            return self._ignore(None) if message.body.startswith(b"RIFF") else self._close(self._doom[1])
        self._client(order.END if not message.body else order.AUDIO if turn.begun else order.HEADER)
        begun = self._begin(turn)
        if message.body:
            self._empty_at = None
            return [*begun, *self._say(turn, turn.audio(message.body))]
        # The grace costs nothing where a phrase will be told anyway, and nobody replays in a first turn.
        if turn.number == 0 and turn.spoke and not turn.wanted.resumed:
            return [*begun, *self._say(turn, turn.flush())]
        if not turn.flushing:
            self._empty_at = self._now
        return begun

    def _starts_by_itself(self, message: UspMessage) -> bool:
        """Whether audio opens a turn without a context: in v1, with a new id and a header (decision)."""
        new = message.request_id.lower() not in self._known and not self._leaving
        return self.request.dialect == V1 and new and bool(message.body) and b"RIFF".startswith(message.body[:4])

    def _stray(self, message: UspMessage) -> list[Output]:
        """Discard audio of a finished or unknown id, unless the client has never opened any turn at all."""
        if self.request.dialect != V1 and not self._known:
            return self._close(Close(1002, "Invalid request. Audio came before speech.context."))
        return self._ignore(None)

    def _is(self, request_id: str) -> bool:
        return self._turn is not None and self._turn.id.lower() == request_id.lower()

    def _ignore(self, word: str | None) -> list[Output]:
        """Count what means nothing here."""
        if word is not None:
            self._client(word)
        self.ignored += 1
        return []

    # Time.

    def _tick(self, now: float) -> list[Output]:
        if self._doom is not None and now >= self._doom[0]:
            return self._close(self._doom[1])
        grace = self.policy.end_grace_ms / 1000
        if self._turn is not None and self._empty_at is not None and now >= self._empty_at + grace:
            self._empty_at = None
            return self._say(self._turn, self._turn.flush())
        if self._leave_by is not None and now >= self._leave_by:
            return self._leave()
        if now >= self._opened + self.policy.connection_limit_s:
            return self._limit("the connection has reached its maximum age")
        if now >= self._last + self.policy.idle_s:
            return self._limit("the connection was idle for too long")
        return []

    def _limit(self, why: str) -> list[Output]:
        """Close at a limit: with 1000 when idle, with 1001 in a turn, where 1000 would hang a client (P-23, X-12)."""
        return self._close(normal(why) if self._turn is None else Close(1001, why))

    def _leave(self) -> list[Output]:
        """Come to the end of draining: cut a turn that takes too long, then go."""
        turn = self._turn
        if turn is None:
            return self._close(normal("the server is going away"))
        return self._say(turn, turn.fault(Fault(self._now, 1001, "the server is going away")))

    def _reaction(self) -> list[Output]:
        """Leave, once the client has reacted to the end of the last turn (experiment 4e)."""
        if self._leaving and self._turn is None:
            return self._close(normal("the server is going away"))
        return []

    def _doom_with(self, close: Close) -> None:
        """Close a little later: one client misses a close that comes before its first audio (fact P-20)."""
        self._doom = (self._now + self.policy.error_delay_ms / 1000, close)

    # Messages out.

    def _begin(self, turn: Turn) -> list[Output]:
        return [] if turn.begun else self._say(turn, turn.start(service_tag(self.request.connection_id, turn.id)))

    def _abandon(self) -> list[Output]:
        self._turn = self._empty_at = None
        return [AudioEnded(flush=False)]

    def _say(self, turn: Turn, said: Iterable[Said]) -> list[Output]:
        """Return what the present turn says, as it goes to the wire and to the pipeline."""
        outputs: list[Output] = []
        for one in said:
            if isinstance(one, ServerMessage):
                self.order.step(SERVER, word_of(one))
                self._last = self._now
                outputs.append(framing.write(encode(self.request.dialect, turn.id, one)))
            else:
                outputs.append(one)
        self._streams = turn.streams
        if turn.over:
            self._turn = self._empty_at = None
            if self._leaving:
                self._leave_by = self._now + self.policy.reaction_s
        return outputs

    def _client(self, word: str) -> None:
        """Follow the client through the order table; what it does out of order is somebody else's to judge."""
        if self.order.may(CLIENT, word):
            self.order.step(CLIENT, word)
        else:
            self.order.resume(CLIENT, word)

    def _close(self, close: Close) -> list[Output]:
        self.order.step(SERVER, order.CLOSE)
        self._turn = self._doom = self._empty_at = None
        return [AudioEnded(flush=False), close]


def _told(turn: Turn, event: Hypothesis | Phrase | Speech | Begun | Silence | Drained) -> Iterable[Said]:
    match event:
        case Begun():
            return turn.begins(event)
        case Hypothesis():
            return turn.hypothesis(event)
        case Phrase():
            return turn.phrase(event)
        case Speech():
            return turn.speech(event)
        case Silence():
            return turn.silence(event)
        case _:
            return turn.drained()
