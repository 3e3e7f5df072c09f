"""The catalogue of cases: what a case declares, and the order of all of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import conformance.cases
from conformance.cases import registry
from conformance.cases.registry import OPTIONS, Case, case, load
from conformance.judge.benches import BENCHES
from protocol import requirements
from protocol.wire import Party

FOLDER = "esperanto"
OLD, NEW = "esperanto-v1", "esperanto-v2"

HOLDS = {
    "group.both": [OLD, NEW],
    "group.old": [OLD],
    "group.new": [NEW],
    "client.both": [OLD, NEW],
}


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put in place a register of a folder with two dialects, of which each has a requirement of its own."""
    good = next(iter(requirements.load("translator").values()))
    rows = {
        f"{FOLDER}.{name}": replace(good, id=f"{FOLDER}.{name}", dialects=tuple(dialects))
        for name, dialects in HOLDS.items()
    }
    monkeypatch.setattr(requirements, "folder", {OLD: FOLDER, NEW: FOLDER}.__getitem__)
    monkeypatch.setattr(requirements, "get", rows.__getitem__)
    monkeypatch.setattr(
        requirements, "load", lambda dialect: {name: row for name, row in rows.items() if dialect in row.dialects}
    )


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder with three files of cases, one of which speaks of clients too; their ids begin with what is returned."""
    register(monkeypatch)
    home = tmp_path / FOLDER
    home.mkdir()
    files = {
        "__init__": "",
        "b_cases": """
            from conformance.cases.registry import case
            from protocol.wire import Party

            @case(f"{KIND}.b-second", "group.both")
            async def second(context):
                "The second of its file."

            @case(f"{KIND}.b-first", "group.both", "group.new", needs=["tts"], connections=3, time="waits")
            async def first(context):
                '''What it does, in a sentence.

                And more about it.
                '''

            @case(f"{KIND}.client", "client.both", party=Party.CLIENT)
            async def client(context):
                pass
        """,
        "a_cases": """
            from conformance.cases.registry import case

            @case(f"{KIND}.a", "group.both")
            async def a(context):
                pass
        """,
        "c_cases": """
            from conformance.cases.registry import case

            @case(f"{KIND}.old", "group.old")
            async def old(context):
                pass

            @case(f"{KIND}.new", "group.both", dialects=["esperanto-v2"])
            async def new(context):
                pass
        """,
        "helpers": "THIS = 'has no cases'",
    }
    for name, text in files.items():
        (home / f"{name}.py").write_text(dedent(text).replace("{KIND}", tmp_path.name), "utf-8")
    monkeypatch.setattr(conformance.cases, "__path__", [*conformance.cases.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_CASES", {})
    load.cache_clear()
    yield tmp_path.name
    load.cache_clear()
    for name in [name for name in sys.modules if name.startswith(f"conformance.cases.{FOLDER}")]:
        del sys.modules[name]


def declared(identity: str, *names: str) -> Callable[[Any], Awaitable[None]]:
    """Declare a case of the folder by hand."""

    async def run(_: object) -> None:
        """Do nothing."""

    run.__module__ = f"conformance.cases.{FOLDER}.here"
    assert case(identity, *names)(run) is run  # the function is left as it is
    return run


class TestDeclaration:
    def test_becomes_a_case_of_the_folder_it_stands_in(self, kind: str) -> None:
        second, first = [found for found in load(NEW) if found.id.startswith(f"{kind}.b-")]
        assert second.summary == "The second of its file."
        assert first == Case(
            id=f"{kind}.b-first",
            dialect=NEW,
            party=Party.SERVER,
            requirements=("esperanto.group.both", "esperanto.group.new"),
            needs=("tts",),
            connections=3,
            time="waits",
            summary="What it does, in a sentence.",
            run=first.run,
        )
        assert (second.needs, second.connections, second.time, second.party) == ((), 1, "fast", Party.SERVER)

    def test_of_an_unknown_need_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"case a\.b: unknown needs \['teleport'\]; known are auth, commit"):
            case("a.b", "group.one", needs=("tts", "teleport"))

    def test_of_a_name_that_is_taken_is_an_error(self, kind: str) -> None:
        run = declared("declaration.twice", "group.both")
        with pytest.raises(ValueError, match=r"there are two cases named declaration\.twice"):
            declared("declaration.twice", "group.both")
        run.__module__ = "conformance.cases.volapuk.here"
        case("declaration.twice", "group.both")(run)  # a name is taken in its own folder alone

    def test_without_a_docstring_has_no_summary(self, kind: str) -> None:
        (found,) = [found for found in load(NEW) if found.id == f"{kind}.a"]
        assert found.summary == ""

    def test_of_a_requirement_that_is_in_no_register_is_an_error(self, kind: str) -> None:
        declared("declaration.unknown", "group.both", "group.nonsense")
        with pytest.raises(KeyError, match="nonsense"):
            load(NEW)


class TestCatalogue:
    @staticmethod
    def ids(kind: str, dialect: str = NEW, party: Party = Party.SERVER) -> list[str]:
        return [found.id.removeprefix(f"{kind}.") for found in load(dialect, party)]

    def test_is_in_the_order_of_the_files_and_within_them_as_written(self, kind: str) -> None:
        assert self.ids(kind) == ["a", "b-second", "b-first", "new"]

    def test_does_not_depend_on_what_was_imported_before(self, kind: str) -> None:
        importlib.import_module(f"conformance.cases.{FOLDER}.b_cases")
        assert self.ids(kind) == ["a", "b-second", "b-first", "new"]

    def test_keeps_the_parties_apart(self, kind: str) -> None:
        assert self.ids(kind, party=Party.CLIENT) == ["client"]

    def test_is_read_once(self, kind: str) -> None:
        assert kind
        assert load(NEW) is load(NEW)

    def test_of_an_unknown_dialect_is_an_error(self) -> None:
        with pytest.raises(KeyError, match="klingon"):
            load("klingon")


class TestDialectsOfOneFolder:
    def test_have_the_cases_that_show_something_in_them(self, kind: str) -> None:
        assert TestCatalogue.ids(kind, OLD) == ["a", "b-second", "b-first", "old"]

    def test_have_those_requirements_of_a_case_that_hold(self, kind: str) -> None:
        old, new = (next(found for found in load(dialect) if found.id == f"{kind}.b-first") for dialect in (OLD, NEW))
        assert (old.dialect, old.requirements) == (OLD, ("esperanto.group.both",))
        assert old.elsewhere == {"esperanto.group.new"}
        assert (new.dialect, new.elsewhere) == (NEW, frozenset())


class TestOurs:
    """What holds for every case that we ship."""

    CASES = tuple(found for dialect in BENCHES for found in load(dialect))

    def test_there_are_some(self) -> None:
        assert len(self.CASES) > 10

    @pytest.mark.parametrize("found", CASES, ids=lambda found: f"{found.dialect}-{found.id}")
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
