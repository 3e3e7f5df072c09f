"""What is known of the server under test: where it is, how to log in, what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.corpus import Corpus
from conformance.peers.address import Address
from protocol.speech.handshake import PATHS
from protocol.translator.handshake import SPEECH_PATH
from protocol.wire import Headers

ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {"translator": (SPEECH_PATH,), **PATHS}
"""The dialects, with the paths of their speech endpoint; the first is the one that a URL without a path gets."""

SOURCE: Final = "en-US"
"""Language of our recordings."""

TARGET: Final = "pt"
"""Language to translate into, if nobody says anything else."""

OTHERS: Final = ("de", "fr", "es", "it", "pt", "ja", "zh-Hans", "ru")
"""Languages that servers translate into, the likeliest first."""

# Longest first: one is the end of another.
_PATHS: Final = sorted((path for paths in ENDPOINTS.values() for path in paths), key=len, reverse=True)


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
        others: Languages that it translates into beside `target`, as far as is known; all are taken to be there before
            it was asked.
    """

    address: Address
    path: str
    key: str | None
    corpus: Corpus
    token: str | None = None
    headers: Headers = ()
    source: str = SOURCE
    target: str = TARGET
    voice: str | None = None
    without: frozenset[str] = frozenset()
    pace: float = 0.0
    others: tuple[str, ...] = OTHERS

    @property
    def credentials(self) -> Headers:
        """The header with the good credential of the run."""
        if self.token is not None:
            return (("Authorization", f"Bearer {self.token}"),)
        return () if self.key is None else (("Ocp-Apim-Subscription-Key", self.key),)

    def beside(self, path: str) -> str:
        """Return the path of a service beside the speech endpoint, below the same prefix."""
        speech = self.path.partition("?")[0]
        known = next((len(end) for end in _PATHS if speech.lower().endswith(end)), 0)
        return speech[: len(speech) - known] + path
