"""What whoever runs the server may set: its limits, who may come in, and the policies of the dialects."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from protocol.speech.server.policy import Policy as SpeechPolicy
from protocol.translator.policy import Policy


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the shell; nothing that a peer does costs more than these.

    Attributes:
        connections: Open at the same time; one more is answered with 503.
        retry_after_s: What that 503 advises.
        header_s: Time for a request head, its body, and the TLS handshake before it, each.
        header_bytes: Largest request head.
        keep_alive_s: Time between two requests on one connection.
        frame_bytes: A longer WebSocket frame is handed on in pieces of this size; a multiple of 4.
        overhead_bytes: Received bytes that are no payload (frame heads, control frames) before the peer is a flood.
        overhead_bytes_per_s: How fast that allowance grows again.
        buffered_s: Seconds of audio that wait for the engine before reading stops.
        slice_s: Seconds of audio that one session works on before it lets others work.
        write_buffer_bytes: Bytes that wait for a slow reader before nothing more is made for it.
        drain_s: Time that a slow reader has to take them.
        close_s: Time for the peer's half of a closing handshake.
        engine_s: Time for one answer of the engine.
        reconnects: Connections with one connection id within a window, where a dialect has such ids.
        reconnect_window_s: How long that window is.
        shutdown_s: Time for all sessions to end when the server goes away.
        journal_sessions: Sessions that the control endpoint remembers.
        journal_messages: Messages of each of them.
    """

    connections: int = 2000
    retry_after_s: int = 5
    header_s: float = 10.0
    header_bytes: int = 16_384
    keep_alive_s: float = 60.0
    frame_bytes: int = 8192
    overhead_bytes: int = 1 << 20
    overhead_bytes_per_s: int = 1 << 16
    buffered_s: float = 10.0
    slice_s: float = 1.0
    write_buffer_bytes: int = 1 << 20
    drain_s: float = 30.0
    close_s: float = 5.0
    engine_s: float = 30.0
    reconnects: int = 20
    reconnect_window_s: float = 10.0
    shutdown_s: float = 15.0
    journal_sessions: int = 100
    journal_messages: int = 200


def _fresh_secret() -> bytes:
    return secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class Settings:
    """One server's configuration. No `repr` shows a key or the secret.

    Attributes:
        keys: Subscription keys that are good.
        secret: What tokens are signed with; nodes that share it accept each other's. By default one of its own.
        token_lifetime_s: How long a token is good (requirement translator.token.lifetime).
        limits: The bounds of the shell.
        translator: How sessions of `translator` behave.
        speech: How sessions of `speech-v1` and `speech-v2` behave.
        redirect: The base URL (`ws://host:port`) to which upgrades of the speech dialects are sent on; None: nowhere.
        control: Whether the control endpoint is served (to the loopback only).
    """

    keys: tuple[str, ...] = field(default=("test-key",), repr=False)
    secret: bytes = field(default_factory=_fresh_secret, repr=False)
    token_lifetime_s: float = 600.0
    limits: Limits = Limits()
    translator: Policy = field(default_factory=Policy)
    speech: SpeechPolicy = field(default_factory=SpeechPolicy)
    redirect: str | None = None
    control: bool = False
