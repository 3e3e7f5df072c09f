"""What is known of the server under test: where it is, how to log in, what it offers."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.corpus import Corpus
from conformance.peers.address import Address
from protocol.wire import Headers


@dataclass(frozen=True, slots=True)
class Target:
    """A server under test, as the user described it.

    Attributes:
        address: How to reach it.
        path: Path of the speech endpoint, with whatever query the user gave.
        key: A good subscription key, or None.
        token: A good token, or None; with both, the token is what ordinary connections use.
        headers: Further headers on every request.
        source: Language of the recordings, a value of `from`.
        target: Language to translate into, a value of `to`.
        voice: Voice to ask for, or None for the server's choice.
        without: What the user has declared absent (words of `registry.OPTIONS`).
        corpus: The recordings.
        pace: Speed at which utterances are sent: 0 in one burst, 1 real time, 10 ten times faster.
    """

    address: Address
    path: str
    key: str | None
    token: str | None
    headers: Headers
    source: str
    target: str
    voice: str | None
    without: frozenset[str]
    corpus: Corpus
    pace: float = 0.0

    def beside(self, path: str) -> str:
        """Return the path of a service beside the speech endpoint, below the same prefix."""
        prefix = self.path.partition("?")[0].lower().removesuffix("/speech/translate")
        return self.path[: len(prefix)] + path
