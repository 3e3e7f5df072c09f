"""Every decision of the reference sessions of `translator`, as one frozen value.

Where the sources are silent the value is ours (requirements of basis `project`); whoever runs the server may change
a field. A fault of the self-proof is the override of one of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """How a server session of `translator` behaves.

    Attributes:
        endpoint_silence_ms: Silence that ends an utterance (requirement translator.endpoint.one-second).
        max_utterance_ms: Speech is cut into a final at the latest after this.
        partial_interval_ms: Least audio between two partials.
        idle_s: Time without any audio after which the session ends with 1000.
        silence_limit_s: Audio time of silence alone after which the session ends with 1000.
        session_limit_s: Age at which the session ends with 1000.
        drain_s: How long an ending session waits for results in flight.
        voice_frame_bytes: Largest frame of a voice message.
        asterisks: What replaces a profanity under Marked with Asterisk.
        tag: The element that encloses a profanity under Marked with Tag.
    """

    endpoint_silence_ms: int = 800
    max_utterance_ms: int = 30_000
    partial_interval_ms: int = 300
    idle_s: float = 600.0
    silence_limit_s: float = 180.0
    session_limit_s: float = 5400.0
    drain_s: float = 10.0
    voice_frame_bytes: int = 16_384
    asterisks: str = "***"
    tag: str = "profanity"
