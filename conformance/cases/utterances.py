"""Recordings as samples to send: at any rate, whole or a single utterance of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from conformance.cases.context import Context, NotOffered
from conformance.corpus import Corpus, Recording
from protocol.audio import PcmFormat

_LEAD_MS = 100


def recording(context: Context, name: str) -> Recording:
    """Return a recording of the run.

    Raises:
        NotOffered: The user's recordings have none of this name.
    """
    if name not in context.target.corpus:
        raise NotOffered(f"the recordings have no {name!r}")
    return context.target.corpus[name]


def harmless(corpus: Corpus) -> list[tuple[Recording, int]]:
    """Return the utterances without a profanity, as their recordings and their indices there.

    Raises:
        NotOffered: There is none.
    """
    found = [(spoken, index) for spoken in corpus if not spoken.profanities for index in range(len(spoken.utterances))]
    if not found:
        raise NotOffered("nothing is said in the recordings")
    return found


def briefest(corpus: Corpus) -> tuple[Recording, int]:
    """Return the shortest utterance without a profanity; errors as for `harmless`."""
    return min(harmless(corpus), key=lambda one: one[0].utterances[one[1]].end_ms - one[0].utterances[one[1]].start_ms)


@lru_cache(maxsize=128)
def samples(spoken: Recording, rate: int) -> bytes:
    """Return all samples of a recording at a rate in Hz, by linear interpolation where it has another."""
    if spoken.format.rate == rate:
        return spoken.pcm
    given = np.frombuffer(spoken.pcm, dtype="<i2")
    wanted = np.arange(len(given) * rate // spoken.format.rate) * (spoken.format.rate / rate)
    return bytes(np.interp(wanted, np.arange(len(given)), given).round().astype("<i2").tobytes())


def utterance(spoken: Recording, index: int = 0, *, rate: int = 16_000, lead_ms: int = _LEAD_MS) -> bytes:
    """Return one utterance of a recording: from `lead_ms` before its start up to its very end."""
    bounds, pcm = spoken.utterances[index], PcmFormat(rate)
    start, end = (pcm.ms_to_bytes(ms) for ms in (max(0, bounds.start_ms - lead_ms), bounds.end_ms))
    return samples(spoken, rate)[start:end]
