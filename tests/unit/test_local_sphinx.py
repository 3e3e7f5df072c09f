from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import soxr

import schemas
from protocol.riff import parse_file
from reference_server.engines.local import sphinx
from reference_server.engines.local.parts import Hears
from reference_server.engines.local.worker import Child
from tests import recordings
from tests.engines import needs, service_of

WORDS = "the train to the airport leaves at half past nine"

pytestmark = [pytest.mark.engines, needs("pocketsphinx")]


@pytest.fixture(scope="module")
def service() -> Iterator[Child]:
    """Give the service in a process of its own, as the server has it."""
    with service_of(sphinx) as child:
        yield child


@pytest.fixture(scope="module")
def clear() -> bytes:
    """Give the samples of a clear sentence, 16 kHz."""
    return parse_file((schemas.corpus_dir() / "clear-1.wav").read_bytes())[1]


def heard(service: Child, pcm: bytes, step: int = 9600, rate: int = 16_000) -> list[str]:
    """Feed an utterance step by step; return the words after each, and at the end."""
    service.call("begin", rate, "en-US")
    words = [str(service.call("more", pcm[at : at + step])) for at in range(0, len(pcm), step)]
    return [*words, str(service.call("finish"))]


def test_it_streams_english() -> None:
    offer = sphinx.part(None).offer
    assert isinstance(offer, Hears)
    assert offer.streams
    assert [speech.locale for speech in offer.speech] == ["en-US"]


def test_words_show_while_they_are_spoken(service: Child, clear: bytes) -> None:
    words = heard(service, clear)
    assert words[0] != words[len(words) // 2] != words[-1]
    assert words[-1] == WORDS


def test_an_utterance_does_not_depend_on_those_before(service: Child, clear: bytes) -> None:
    first = heard(service, clear)
    other = parse_file((schemas.corpus_dir() / "noise.wav").read_bytes())[1]
    heard(service, other * 3)
    assert heard(service, clear) == first


def test_one_that_is_not_finished_is_dropped(service: Child, clear: bytes) -> None:
    service.call("begin", 16_000, "en-US")
    service.call("more", clear[: len(clear) // 2])
    assert heard(service, clear)[-1] == WORDS


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_other_rates_are_made_16_khz(service: Child, clear: bytes, rate: int) -> None:
    samples = soxr.resample(np.frombuffer(clear, "<i2").astype(np.float32), 16_000, rate)
    words = heard(service, np.rint(samples).astype("<i2").tobytes(), rate=rate)[-1]
    assert recordings.word_errors(WORDS.split(), words.split()) <= 2


@pytest.mark.parametrize("pcm", [b"", bytes(32_000)])
def test_of_silence_there_are_no_words(service: Child, pcm: bytes) -> None:
    assert heard(service, pcm)[-1] == ""
