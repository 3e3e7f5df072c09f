"""What the reference server decides where the protocol leaves a choice; each field is somebody's to change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """How sessions of the speech dialects behave.

    Attributes:
        endpoint_silence_ms: Silence that ends an utterance, unless the client segments for itself.
        max_utterance_ms: Speech is cut into a final at the latest after this (fact L-05).
        partial_interval_ms: Audio between two hypotheses.
        initial_silence_ms: Audio without speech that ends a one-shot turn (fact P-01).
        silence_ms: Silence that ends any other turn (facts P-02 to P-05).
        end_grace_ms: How long empty audio may be voided by more audio (experiment 1b).
        error_delay_ms: How long the close that a context has earned waits for audio (fact P-20).
        reaction_s: How long a draining session waits for the client's reaction to the end of its turn.
        idle_s: Time without any message after which the connection ends with 1000.
        connection_limit_s: Age at which the connection ends, with 1000 when idle and 1001 in a turn (fact P-23).
        drain_s: How long an ending session waits for results in flight.
        voice_chunk_bytes: Largest part of a voice in one message.
        text_bytes: Longest text message (1009 beyond).
        binary_bytes: Longest payload of a binary message (1009 beyond).
        headerless_audio: Whether audio without a RIFF header is taken as 16 kHz mono, for old clients.
        turns: Turns on one connection before it counts as a flood.
    """

    endpoint_silence_ms: int = 800
    max_utterance_ms: int = 30_000
    partial_interval_ms: int = 300
    initial_silence_ms: int = 5000
    silence_ms: int = 15_000
    end_grace_ms: int = 200
    error_delay_ms: int = 100
    reaction_s: float = 1.0
    idle_s: float = 180.0
    connection_limit_s: float = 600.0
    drain_s: float = 10.0
    voice_chunk_bytes: int = 65_536
    text_bytes: int = 1 << 20
    binary_bytes: int = 1 << 20
    headerless_audio: bool = False
    turns: int = 10_000
