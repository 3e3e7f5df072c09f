"""Errors of the protocol, as values.

    ProtocolViolation
        LocalViolation      this side was about to break a requirement: a fault of our caller
        PeerViolation       the other side broke a requirement: a fact about the peer

Both carry the requirement's id, the place, what is allowed and what was seen; `str()` makes one sentence of
them. They compare by value, so that tests can compare whole errors.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(unsafe_hash=True)
class ProtocolViolation(Exception):
    """One departure from one requirement.

    Attributes:
        requirement: Id of the row of the register, e.g. `translator.audio.header-first`.
        at: Where: `offset 22`, `/audioTimeOffset`, `query parameter 'from'`, `state idle`.
        expected: What is allowed there.
        observed: What was there.
    """

    requirement: str
    at: str
    expected: str
    observed: str

    def __post_init__(self) -> None:
        Exception.__init__(self, self.requirement, self.at, self.expected, self.observed)

    def __str__(self) -> str:
        return f"{self.at}: expected {self.expected}, got {self.observed} [{self.requirement}]"


class LocalViolation(ProtocolViolation):
    """Our own side was asked to do what the protocol does not allow; nothing was sent, state is unchanged."""


class PeerViolation(ProtocolViolation):
    """The peer did what the protocol does not allow; state is unchanged."""
