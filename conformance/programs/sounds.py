"""What a program's audio is made of, as samples: silence, the hiss of a quiet room, an utterance of the recordings."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from conformance.cases.context import NotOffered
from conformance.cases.utterances import harmless, utterance
from conformance.corpus import Corpus
from conformance.programs.program import NOISE, SPEECH, Step
from protocol.audio import PcmFormat

STREAM: Final = PcmFormat(16_000)
_HISS: Final = 12  # peak of 32,767: what a good microphone hears where nobody speaks
_KEPT: Final = 3


class Sounds:
    """The sounds of a run. Its utterances are the shortest ones of the recordings, the first the very shortest."""

    def __init__(self, corpus: Corpus) -> None:
        try:
            found = harmless(corpus)
        except NotOffered:
            found = []
        spoken = {rec.utterances[at].text: utterance(rec, at, rate=STREAM.rate) for rec, at in found}
        shortest = sorted(spoken.items(), key=lambda one: len(one[1]))[:_KEPT]
        self.texts = tuple(text for text, _ in shortest)
        self._utterances = tuple(pcm for _, pcm in shortest)

    def text(self, step: Step) -> str:
        """Return what is said in an audio step of speech."""
        return self.texts[step.count % len(self.texts)]

    def pcm(self, step: Step) -> bytes:
        """Return the samples of an audio step."""
        if step.what == SPEECH:
            return self._utterances[step.count % len(self._utterances)]
        size = STREAM.ms_to_bytes(step.count)
        return _hiss(size) if step.what == NOISE else bytes(size)


@lru_cache(maxsize=256)
def _hiss(size: int) -> bytes:
    return bytes(np.random.default_rng(size).integers(-_HISS, _HISS + 1, size // 2).astype("<i2").tobytes())
