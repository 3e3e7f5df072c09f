"""The part `pocketsphinx`: small, English alone, and it follows the audio: words show while they are spoken."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from protocol.languages import PUBLISHED
from reference_server.engines.local import models
from reference_server.engines.local.parts import Hears, Part

_INSTALL = "pip install 'speechwire[local]'"
_AGAIN = "pip install --force-reinstall pocketsphinx==5.1.1"
_RATE = 16_000
_PINNED = {
    "cmudict-en-us.dict": "20b5c293e1f311fb375fe067e500ec5636f4fc7af5594967263696def9b23bfe",
    "en-us.lm.bin": "db21d0642286677699e6dbc859d2e5395570222361999387ce60f6e1d01995d6",
    "en-us/feat.params": "c982c5f75e2a30c34d2c9ef1f6b129a5a00e67e3e927565076b58664cc2404c9",
    "en-us/mdef": "2360f9a86889c1cfee8bd618a0269387911e5fb2920a594f506b18b8c79683b0",
    "en-us/means": "832019e32cac12eb318964f96f469034acb12d0348eeddc3831831a100cb4dd4",
    "en-us/noisedict": "7295b07df2c204c4f87c6782b6be1a3859d7006d4e3864181c955d6dab105a33",
    "en-us/sendump": "8c9564c0d5bef69ca9d9bf1014abe162f071644cf02cf1fa8a483c3dc165a7a8",
    "en-us/transition_matrices": "c1f7f28ea43177be734be1f88bd7f1b9a853d0e660f8599c67c6eaeca8bb539a",
    "en-us/variances": "b00d696f85e96834fc10f8e5f06428d8c4db6bffdbe5845b6f69bf6efbc48fa5",
}
_NO_WORD = re.compile(r"<[^>]*>|\[[^\]]*\]|\+\+[^+]*\+\+|\(\d+\)")


def part(directory: Path | None) -> Part:
    """Return the part. It takes no model of the user's."""
    models.no_directory(directory)
    models.folder("pocketsphinx", _INSTALL)
    offer = Hears((PUBLISHED.speech["en-US"],), streams=True)
    return Part("pocketsphinx", offer, f"{__name__}:Service", rank=40, processes=3 * (os.cpu_count() or 1))


class Service:
    """One decoder, for one utterance at a time. Raises Unavailable."""

    def __init__(self) -> None:
        base = models.folder("pocketsphinx", _INSTALL) / "model" / "en-us"
        models.pinned(base, _PINNED, _AGAIN)
        import pocketsphinx  # noqa: PLC0415 - in a process of its own alone

        self._decoder = pocketsphinx.Decoder(loglevel="FATAL")
        # What it learns of a voice and its microphone it would take over to the next speaker.
        self._learnt = self._decoder.get_cmn(False)
        self._resampler: Any = None
        self._open = False

    def begin(self, rate: int, locale: str) -> None:
        """Begin an utterance; one that is open is dropped."""
        if self._open:
            self._decoder.end_utt()
        self._decoder.set_cmn(self._learnt)
        self._resampler = None if rate == _RATE else soxr.ResampleStream(rate, _RATE, 1, dtype="int16")
        self._decoder.start_utt()
        self._open = True

    def more(self, pcm: bytes) -> str:
        """Take the next samples; return the words so far."""
        self._feed(pcm, last=False)
        return self._words()

    def finish(self) -> str:
        """End the utterance; return its words."""
        self._feed(b"", last=True)
        self._decoder.end_utt()
        self._open = False
        return self._words()

    def _feed(self, pcm: bytes, *, last: bool) -> None:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(np.frombuffer(pcm, dtype="<i2"), last=last)
            pcm = samples.astype("<i2").tobytes()
        if pcm:
            self._decoder.process_raw(pcm, False, False)

    def _words(self) -> str:
        found = self._decoder.hyp()
        return " ".join(_NO_WORD.sub(" ", found.hypstr).split()) if found else ""
