"""The order tables of `speech-v1` and `speech-v2`.

A table follows one connection through its turns, one turn at a time. It speaks of the messages of the present turn;
what still comes with the id of a finished one (audio, telemetry, events) is discarded by servers and is no step.

The words are what a message does, not its Path alone: `final` is also an error or a silence. A part of a voice is a
`chunk` where it has no stream, as in v1; v2 takes that too, since clients of before 2025 know nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocol.order import Edge, Refusal, Table
from protocol.speech.messages import V1, V2
from protocol.wire import Party

CLIENT, SERVER = Party.CLIENT, Party.SERVER

# States of the client.
FRESH = "fresh"
CONFIGURED = "configured"
READY = "ready"
STREAMING = "streaming"
ENDED = "ended"

# States of the server.
IDLE = "idle"
DUE = "due"
OPEN = "open"
HEARING = "hearing"
SPEAKING = "speaking"

CLOSED = "closed"

# Messages of the client.
CONFIG = "config"
CONTEXT = "context"
HEADER = "header"
AUDIO = "audio"
END = "end"
TELEMETRY = "telemetry"
EVENT = "event"
COMMIT = "commit"
OTHER = "other"

# Messages of the server.
TURN_START = "turn.start"
START_DETECTED = "startDetected"
INTERIM = "interim"
FINAL = "final"
VOICE_START = "voice start"
CHUNK = "chunk"
STREAM_CHUNK = "chunk of a stream"
VOICE_END = "voice end"
END_DETECTED = "endDetected"
TURN_END = "turn.end"

CLOSE = "close"

_BEGINS = ((IDLE, DUE),)
_ABANDONS = ((IDLE, DUE), (OPEN, DUE), (HEARING, DUE), (SPEAKING, DUE))
_FINISHES = ((READY, CONFIGURED), (STREAMING, CONFIGURED), (ENDED, CONFIGURED))
_ANY_TIME = (CONFIG, TELEMETRY, EVENT, OTHER)
_AFTER_CLOSE = "speech.close.no-data-after"


def _client_edges(dialect: str) -> tuple[Edge, ...]:
    alone = (Edge(CLIENT, CONFIGURED, HEADER, STREAMING, ("S-08", "T-01"), _BEGINS),) if dialect == V1 else ()
    return (
        Edge(CLIENT, FRESH, CONFIG, CONFIGURED, ("C-01",)),
        Edge(CLIENT, CONFIGURED, CONTEXT, READY, ("C-03", "T-05"), _BEGINS),
        *alone,
        Edge(CLIENT, READY, HEADER, STREAMING, ("C-04",)),
        Edge(CLIENT, READY, CONTEXT, READY, ("T-02",), _ABANDONS),
        Edge(CLIENT, STREAMING, AUDIO, STREAMING, ("C-06",)),
        Edge(CLIENT, STREAMING, COMMIT, STREAMING, ("C-10",)),
        Edge(CLIENT, STREAMING, END, ENDED, ("C-07",)),
        Edge(CLIENT, STREAMING, CONTEXT, READY, ("T-02",), _ABANDONS),
        Edge(CLIENT, ENDED, AUDIO, STREAMING, ("X1b:grace",)),
        Edge(CLIENT, ENDED, END, ENDED, ("C-07",)),
        Edge(CLIENT, ENDED, CONTEXT, READY, ("T-02",), _ABANDONS),
        *(
            Edge(CLIENT, state, word, state, ("C-01", "C-08", "C-09", "C-11"))
            for state in (CONFIGURED, READY, STREAMING, ENDED)
            for word in _ANY_TIME
        ),
        *(Edge(CLIENT, state, CLOSE, CLOSED, ("X-14",)) for state in (FRESH, CONFIGURED, READY, STREAMING, ENDED)),
    )


def _server_edges(dialect: str) -> tuple[Edge, ...]:
    started = (OPEN, HEARING)
    streams = (
        Edge(SERVER, OPEN, VOICE_START, SPEAKING, ("V-11", "T-13")),
        Edge(SERVER, SPEAKING, STREAM_CHUNK, SPEAKING, ("V-12",)),
    )
    return (
        Edge(SERVER, DUE, TURN_START, OPEN, ("T-03", "V-01")),
        *(Edge(SERVER, state, START_DETECTED, state, ("V-02", "T-12")) for state in (*started, SPEAKING)),
        *(Edge(SERVER, state, INTERIM, HEARING, ("V-04", "V-08")) for state in started),
        *(Edge(SERVER, state, FINAL, OPEN, ("V-05", "V-09")) for state in started),
        *(Edge(SERVER, state, END_DETECTED, state, ("V-03", "P-04")) for state in (*started, SPEAKING)),
        Edge(SERVER, OPEN, CHUNK, SPEAKING, ("V-06", "T-13")),
        *(() if dialect == V1 else streams),
        Edge(SERVER, OPEN, VOICE_END, OPEN, ("P-08",)),
        Edge(SERVER, SPEAKING, CHUNK, SPEAKING, ("V-06",)),
        Edge(SERVER, SPEAKING, VOICE_END, OPEN, ("V-07", "V-13")),
        Edge(SERVER, OPEN, TURN_END, IDLE, ("T-03", "V-15"), _FINISHES),
        *(Edge(SERVER, state, CLOSE, CLOSED, ("L-01", "X-01")) for state in (IDLE, DUE, OPEN, HEARING, SPEAKING)),
    )


_CLIENT_WORDS = (CONFIG, CONTEXT, HEADER, AUDIO, END, TELEMETRY, EVENT, COMMIT, OTHER, CLOSE)
_SERVER_WORDS = (
    TURN_START,
    START_DETECTED,
    INTERIM,
    FINAL,
    VOICE_START,
    CHUNK,
    STREAM_CHUNK,
    VOICE_END,
    END_DETECTED,
    TURN_END,
    CLOSE,
)

_CLIENT_REFUSALS: Mapping[tuple[str, str], tuple[str, str]] = {
    **{(FRESH, word): ("speech.client.config-first", FRESH) for word in _CLIENT_WORDS},
    (FRESH, CONTEXT): ("speech.client.config-first", READY),
    (FRESH, HEADER): ("speech.client.config-first", STREAMING),
    (FRESH, AUDIO): ("speech.client.config-first", STREAMING),
    (CONFIGURED, HEADER): ("speech.client.context-first", STREAMING),
    (CONFIGURED, AUDIO): ("speech.client.audio-header", STREAMING),
    (CONFIGURED, END): ("speech.client.audio-header", CONFIGURED),
    (CONFIGURED, COMMIT): ("speech.client.commit-after-audio", CONFIGURED),
    (READY, AUDIO): ("speech.client.audio-header", STREAMING),
    (READY, END): ("speech.client.audio-header", ENDED),
    (READY, COMMIT): ("speech.client.commit-after-audio", READY),
    (STREAMING, HEADER): ("speech.client.audio-header", STREAMING),
    (ENDED, HEADER): ("speech.client.nothing-after-end", STREAMING),
    (ENDED, COMMIT): ("speech.client.nothing-after-end", ENDED),
}
"""What a client must not do: the requirement that it breaks, and where a reader goes on."""

_SERVER_REFUSALS: Mapping[tuple[str, str], tuple[str, str]] = {
    **{(IDLE, word): ("speech.turn.nothing-after-end", IDLE) for word in _SERVER_WORDS},
    (IDLE, TURN_START): ("speech.frame.request-id-known", OPEN),
    **{(DUE, word): ("speech.turn.start-first", OPEN) for word in _SERVER_WORDS},
    (DUE, INTERIM): ("speech.turn.start-first", HEARING),
    **{(DUE, word): ("speech.turn.start-first", SPEAKING) for word in (VOICE_START, CHUNK, STREAM_CHUNK)},
    (DUE, TURN_END): ("speech.turn.start-first", IDLE),
    **{(state, TURN_START): ("speech.turn.start-once", OPEN) for state in (OPEN, HEARING, SPEAKING)},
    (OPEN, VOICE_START): ("speech.synthesis.v1-paths", SPEAKING),
    **{(HEARING, word): ("speech.synthesis.after-phrase", SPEAKING) for word in (VOICE_START, CHUNK, STREAM_CHUNK)},
    (HEARING, VOICE_END): ("speech.synthesis.after-phrase", HEARING),
    (HEARING, TURN_END): ("speech.result.final-always", IDLE),
    **{(SPEAKING, word): ("speech.synthesis.before-next-phrase", SPEAKING) for word in (INTERIM, FINAL)},
    (SPEAKING, TURN_END): ("speech.synthesis.end", IDLE),
}
"""The same of a server, where the dialects do not differ."""

_STREAMS: Mapping[str, Mapping[tuple[str, str], tuple[str, str]]] = {
    V1: {
        (OPEN, STREAM_CHUNK): ("speech.synthesis.v1-paths", SPEAKING),
        (SPEAKING, STREAM_CHUNK): ("speech.synthesis.v1-paths", SPEAKING),
        (SPEAKING, VOICE_START): ("speech.synthesis.v1-paths", SPEAKING),
    },
    V2: {
        (OPEN, STREAM_CHUNK): ("speech.synthesis.start", SPEAKING),
        (SPEAKING, VOICE_START): ("speech.synthesis.one-stream-at-a-time", SPEAKING),
    },
}
"""What each dialect says of streams."""


def _table(dialect: str) -> Table:
    edges = (*_client_edges(dialect), *_server_edges(dialect))
    allowed = {(edge.party, edge.state, edge.message) for edge in edges}
    server = {**_SERVER_REFUSALS, **_STREAMS[dialect]}
    refused = [
        Refusal(party, state, word, requirement, resume)
        for party, rows in ((CLIENT, _CLIENT_REFUSALS), (SERVER, server))
        for (state, word), (requirement, resume) in rows.items()
        if (party, state, word) not in allowed
    ]
    refused += [Refusal(CLIENT, CLOSED, word, _AFTER_CLOSE, CLOSED) for word in _CLIENT_WORDS]
    refused += [Refusal(SERVER, CLOSED, word, _AFTER_CLOSE, CLOSED) for word in _SERVER_WORDS]
    return Table(dialect, ((CLIENT, FRESH), (SERVER, IDLE)), edges, tuple(refused))


TABLES: Mapping[str, Table] = {dialect: _table(dialect) for dialect in (V1, V2)}
"""The order of each dialect."""
