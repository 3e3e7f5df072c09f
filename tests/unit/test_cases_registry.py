"""The catalogue of cases: what a case declares, and the order of all of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import conformance.cases
from conformance.cases.registry import OPTIONS, Case, case, load
from protocol import requirements
from protocol.wire import Party

DIALECT = "esperanto"


@pytest.fixture
def dialect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A dialect with three files of cases, one of which speaks of clients too."""
    home = tmp_path / DIALECT
    home.mkdir()
    files = {
        "__init__": "",
        "b_cases": """
            from conformance.cases.registry import case
            from protocol.wire import Party

            @case(f"{KIND}.b-second", "group.one")
            async def second(context):
                "The second of its file."

            @case(f"{KIND}.b-first", "group.one", "group.two", needs=["tts"], connections=3, time="waits")
            async def first(context):
                '''What it does, in a sentence.

                And more about it.
                '''

            @case(f"{KIND}.client", "client.one", party=Party.CLIENT)
            async def client(context):
                pass
        """,
        "a_cases": """
            from conformance.cases.registry import case

            @case(f"{KIND}.a", "group.one")
            async def a(context):
                pass
        """,
        "helpers": "THIS = 'has no cases'",
    }
    for name, text in files.items():
        (home / f"{name}.py").write_text(dedent(text).replace("{KIND}", tmp_path.name), "utf-8")
    monkeypatch.setattr(conformance.cases, "__path__", [*conformance.cases.__path__, str(tmp_path)])
    load.cache_clear()
    yield tmp_path.name
    load.cache_clear()
    for name in [name for name in sys.modules if name.startswith(f"conformance.cases.{DIALECT}")]:
        del sys.modules[name]


class TestDeclaration:
    def test_becomes_a_case_of_the_folder_it_stands_in(self, dialect: str) -> None:
        second, first = [found for found in load(DIALECT) if found.id.startswith(f"{dialect}.b-")]
        assert second.summary == "The second of its file."
        assert first == Case(
            id=f"{dialect}.b-first",
            dialect=DIALECT,
            party=Party.SERVER,
            requirements=("esperanto.group.one", "esperanto.group.two"),
            needs=("tts",),
            connections=3,
            time="waits",
            summary="What it does, in a sentence.",
            run=first.run,
        )
        assert (second.needs, second.connections, second.time, second.party) == ((), 1, "fast", Party.SERVER)

    def test_leaves_the_function_as_it_is(self) -> None:
        async def run(_: object) -> None:
            """Do nothing."""

        run.__module__ = f"conformance.cases.{DIALECT}.here"
        assert case("declaration.leaves-the-function", "group.one")(run) is run

    def test_of_an_unknown_need_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"case a\.b: unknown needs \['teleport'\]; known are auth, languages"):
            case("a.b", "group.one", needs=("tts", "teleport"))

    def test_of_a_name_that_is_taken_is_an_error(self) -> None:
        async def run(_: object) -> None:
            """Do nothing."""

        run.__module__ = f"conformance.cases.{DIALECT}.here"
        case("declaration.twice", "group.one")(run)
        with pytest.raises(ValueError, match=r"there are two cases named declaration\.twice"):
            case("declaration.twice", "group.one")(run)

    def test_without_a_docstring_has_no_summary(self, dialect: str) -> None:
        (found,) = [found for found in load(DIALECT) if found.id == f"{dialect}.a"]
        assert found.summary == ""


class TestCatalogue:
    @staticmethod
    def ids(kind: str, party: Party = Party.SERVER) -> list[str]:
        return [found.id.removeprefix(f"{kind}.") for found in load(DIALECT, party) if found.id.startswith(kind)]

    def test_is_in_the_order_of_the_files_and_within_them_as_written(self, dialect: str) -> None:
        assert self.ids(dialect) == ["a", "b-second", "b-first"]

    def test_does_not_depend_on_what_was_imported_before(self, dialect: str) -> None:
        importlib.import_module(f"conformance.cases.{DIALECT}.b_cases")
        assert self.ids(dialect) == ["a", "b-second", "b-first"]

    def test_keeps_the_parties_apart(self, dialect: str) -> None:
        assert self.ids(dialect, Party.CLIENT) == ["client"]

    def test_is_read_once(self, dialect: str) -> None:
        assert dialect
        assert load(DIALECT) is load(DIALECT)

    def test_of_an_unknown_dialect_is_an_error(self) -> None:
        with pytest.raises(ModuleNotFoundError, match="klingon"):
            load("klingon")


class TestTranslator:
    """What holds for every case that we ship."""

    CASES = load("translator")

    def test_there_are_some(self) -> None:
        assert len(self.CASES) > 10

    @pytest.mark.parametrize("found", CASES, ids=lambda found: found.id)
    def test_names_requirements_that_exist_and_says_what_it_does(self, found: Case) -> None:
        assert found.requirements
        for name in found.requirements:
            assert requirements.get(name).party is Party.SERVER
        assert len(set(found.requirements)) == len(found.requirements)
        assert found.summary.endswith(".")
        assert set(found.needs) <= set(OPTIONS)
        assert found.connections >= 1
        assert found.time in {"fast", "waits", "minutes"}

    def test_options_are_sorted(self) -> None:
        assert list(OPTIONS) == sorted(OPTIONS)
