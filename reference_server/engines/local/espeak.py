"""The part `espeak-ng`: a formant voice for more than a hundred languages, and their phonemes.

eSpeak NG is under the GPL. Its library is loaded by this service alone, in a process that does nothing else; text goes
there through a pipe, and samples come back.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from protocol.languages import PUBLISHED, Voice
from reference_server.engines.base import LONGEST_VOICE_S
from reference_server.engines.local import models
from reference_server.engines.local.loudness import voice
from reference_server.engines.local.parts import Part, Speaks, Unavailable

_PACKAGE = "espeakng_loader"
_INSTALL = "pip install 'speechwire[local]', or apt-get install libespeak-ng1"
_AGAIN = "pip install --force-reinstall espeakng-loader==0.2.4"
_PINNED = {
    "libespeak-ng.so": "b15ce0803b26254e8a0d088c6b9281a2637b2b02613147cc320cfdefaf2c3ccf",
    "espeak-ng-data/phondata": "a0b643b155cb6b12628d9e7865b57d9fca0d35844614f2594a5e009c80c80bb4",
    "espeak-ng-data/phonindex": "384e5fa6f714ba5356c58008249b78699c31c1ad044b243068d263fb806b7d73",
    "espeak-ng-data/phontab": "1b40690667e1e9aa1ba5e5234773c799e7e72ea751426e5150423d53c3f24fa2",
}

# eSpeak's name of the language, where it is not the text id.
_NAMES = {
    "en": "en-us", "fil": "", "fj": "", "mg": "", "mww": "", "otq": "", "pt": "pt-br", "sm": "",
    "sr-Cyrl": "sr", "sr-Latn": "sr", "tlh": "", "tlh-Qaak": "", "to": "", "ty": "", "yua": "", "zh-Hans": "cmn",
    "zh-Hant": "cmn",
}  # fmt: skip
_LOCALES = {
    "af": "af-ZA", "bn": "bn-BD", "bs": "bs-BA", "cy": "cy-GB", "et": "et-EE", "fa": "fa-IR",
    "ht": "ht-HT", "is": "is-IS", "lt": "lt-LT", "lv": "lv-LV", "ms": "ms-MY", "mt": "mt-MT", "sr-Cyrl": "sr-RS",
    "sr-Latn": "sr-RS", "sw": "sw-KE", "ta": "ta-IN", "uk": "uk-UA", "ur": "ur-PK", "yue": "zh-HK",
}  # fmt: skip
_NAME = "Espeak"
_WORDS_PER_MINUTE = 150
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: samples are handed to the callback
_UTF8 = 1
_IPA = 2
_CLAUSE = re.compile(r"(?<=[,.;:!?…])\s+")
_SWITCH = re.compile(r"\([a-z-]+\)")  # where it says a foreign word in its own language

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def part(directory: Path | None) -> Part:
    """Return the part. It takes no model of the user's."""
    models.no_directory(directory)
    if find_spec(_PACKAGE) is None and find_library("espeak-ng") is None:
        raise Unavailable(f"neither espeakng-loader nor the library libespeak-ng is installed; {_INSTALL}")
    return Part("espeak-ng", Speaks(_voices()), f"{__name__}:Service", rank=20, processes=2)


def _voices() -> tuple[Voice, ...]:
    spoken = (text_id for text_id in PUBLISHED.text if _NAMES.get(text_id, text_id))
    made = {text_id: _locale(text_id) for text_id in spoken}
    unique = {f"{locale}-{_NAME}": (text_id, locale) for text_id, locale in made.items() if locale}
    return tuple(Voice(key, locale, _NAME, "male", text_id) for key, (text_id, locale) in unique.items())


def _locale(text_id: str) -> str | None:
    known = [entry.locale for entry in PUBLISHED.speech.values() if entry.language == text_id]
    known += [entry.locale for entry in PUBLISHED.voices_for(text_id)]
    return next(iter(known), _LOCALES.get(text_id))


class Service:
    """The library, loaded. Raises Unavailable."""

    def __init__(self) -> None:
        self._names = {made.id: _NAMES.get(made.language, made.language) for made in _voices()}
        self._samples = bytearray()
        self._longest = 0
        path, data = _library()
        try:
            self._espeak = ctypes.CDLL(path)
        except OSError as error:
            raise Unavailable(f"the library cannot be loaded ({error}); {_AGAIN}") from error
        self._rate = self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self._rate <= 0:
            raise Unavailable(f"the library does not find its data; {_AGAIN}")
        self._longest = 2 * self._rate * LONGEST_VOICE_S
        self._callback = _Callback(self._collect)  # kept: the library has nothing but its address
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def speak(self, text: str, voice_id: str) -> bytes:
        """Return the text as it is spoken; nothing in it is markup."""
        self._choose(self._names[voice_id])
        self._espeak.espeak_SetParameter(1, _WORDS_PER_MINUTE, 0)
        self._samples.clear()
        data = _plain(text).encode()
        self._espeak.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        self._espeak.espeak_Synchronize()
        self._espeak.espeak_Cancel()  # of a text that was cut the next one would have the rest
        samples = np.frombuffer(bytes(self._samples), dtype="<i2").astype(np.float32) / np.float32(32768)
        return voice(samples, self._rate)

    def phonemes(self, text: str, language: str) -> str:
        """Return how the text is said in a language of eSpeak's, in IPA; the punctuation stays."""
        self._choose(language)
        said = []
        for clause in filter(None, _CLAUSE.split(_plain(text).strip())):
            bare = clause.rstrip(",.;:!?…")
            said.append(self._ipa(bare) + clause[len(bare) :])
        return " ".join(said)

    def _ipa(self, clause: str) -> str:
        rest = ctypes.c_char_p(clause.encode())
        said = []
        while rest.value is not None:  # it stops at what it takes for an end
            said.append(self._espeak.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA) or b"")
        return _SWITCH.sub("", b" ".join(said).decode(errors="replace")).strip()

    def _choose(self, language: str) -> None:
        if self._espeak.espeak_SetVoiceByName(language.encode()) != 0:
            raise ValueError(f"it does not speak '{language}'")

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short] | None, count: int, _: object) -> int:
        """Take samples; anything but 0 ends the synthesis."""
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        return int(len(self._samples) > self._longest)


def _library() -> tuple[str, bytes | None]:
    """Return the library and where its data is; None for where the library itself looks."""
    if find_spec(_PACKAGE) is None:
        return find_library("espeak-ng") or "", None
    base = models.folder(_PACKAGE, _INSTALL)
    models.pinned(base, _PINNED, _AGAIN)
    return str(base / "libespeak-ng.so"), str(base / "espeak-ng-data").encode()


def _plain(text: str) -> str:
    """Return the text without control characters, which the library would take for commands or for its end."""
    return "".join(" " if unicodedata.category(character)[0] == "C" else character for character in text)
