from __future__ import annotations

import copy
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from protocol.tables import RegisterError, Table


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def table(**values: Any) -> Table:
    return Table("group.toml", "entry", values)


class TestErrors:
    def test_outlive_copying(self) -> None:
        error = RegisterError(file="a.toml", entry="b", problem="c")
        assert copy.copy(error) == error


class TestFile:
    def test_of_file_reads_toml(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text('key = "Grüße"', encoding="utf-8")
        assert Table.of_file(tmp_path / "a.toml").text("key") == "Grüße"

    def test_broken_toml_names_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text("key = ", encoding="utf-8")
        with pytest.raises(RegisterError, match=r"^a\.toml: file: is not TOML: "):
            Table.of_file(tmp_path / "a.toml")


class TestTaking:
    def test_each_form(self) -> None:
        source = table(name="x", many=["a", "b"], on=True, colour="blue", word="b", map={"k": "v"}, maybe="y")
        assert source.text("name") == "x"
        assert source.texts("many") == ("a", "b")
        assert source.flag("on") is True
        assert source.choice("colour", Colour) is Colour.BLUE
        assert source.word("word", ["a", "b"]) == "b"
        assert source.mapping("map") == {"k": "v"}
        assert source.has("maybe")
        assert source.text_or_none("maybe") == "y"
        source.close()

    def test_absent_optional_keys(self) -> None:
        assert table().text_or_none("maybe") is None
        assert table().flag("on") is False
        assert not table().has("maybe")

    @pytest.mark.parametrize("value", [None, "", "  ", 1, ["x"]])
    def test_text_of_another_form(self, value: object) -> None:
        with pytest.raises(RegisterError, match="name must be a text that is not empty"):
            table(name=value).text("name")

    @pytest.mark.parametrize("value", [None, "x", [], ["x", ""], ["x", 1]])
    def test_texts_of_another_form(self, value: object) -> None:
        with pytest.raises(RegisterError, match="many must be a list of texts that is not empty"):
            table(many=value).texts("many")

    @pytest.mark.parametrize("value", [None, "x", {"k": 1}, {"k": " "}])
    def test_mapping_of_another_form(self, value: object) -> None:
        with pytest.raises(RegisterError, match="map must be a table of texts"):
            table(map=value).mapping("map")

    @pytest.mark.parametrize(
        ("take", "problem"),
        [
            (lambda: table(many=["a", "a"]).texts("many"), "many names something twice"),
            (lambda: table(on="yes").flag("on"), "on must be true or false"),
            (lambda: table(word="c").word("word", ["a", "b"]), "word 'c' is none of a, b"),
            (lambda: table(colour="green").choice("colour", Colour), "colour 'green' is none of red, blue"),
            (lambda: table(b=1, a=2).close(), "unknown key a, b"),
        ],
    )
    def test_fault(self, take: Callable[[], object], problem: str) -> None:
        with pytest.raises(RegisterError) as caught:
            take()
        assert caught.value == RegisterError("group.toml", "entry", problem)
        assert str(caught.value) == f"group.toml: entry: {problem}"


class TestEntries:
    def test_shared_values_stand_in_entries_without_their_own(self) -> None:
        source = table(party="server", item=[{"id": "one"}, {"id": "two", "party": "client"}])
        entries = list(source.entries("item", "id", shared=("party", "since")))
        assert [(e.entry, e.text("party")) for e in entries] == [("one", "server"), ("two", "client")]
        assert not entries[0].has("since")

    def test_an_entry_without_a_name_is_called_by_its_number(self) -> None:
        (entry,) = table(item=[{"word": "x"}]).entries("item", "id")
        assert entry.entry == "item 1"

    def test_no_entries(self) -> None:
        assert list(table().entries("item", "id")) == []

    @pytest.mark.parametrize("value", ["x", [1]])
    def test_not_an_array_of_tables(self, value: object) -> None:
        with pytest.raises(RegisterError, match="item must be an array of tables"):
            list(table(item=value).entries("item", "id"))

    def test_a_key_beside_the_array_is_unknown(self) -> None:
        with pytest.raises(RegisterError, match=re.escape("group.toml: entry: unknown key items")):
            list(table(items=[]).entries("item", "id"))
