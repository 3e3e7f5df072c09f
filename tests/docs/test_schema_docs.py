"""`schemas/README.md` says of each message what the schemas, the register and the catalogue of cases say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import schemas
from conformance.docs import render
from protocol import requirements

if TYPE_CHECKING:
    from tests.conftest import Speechwire

PUBLISHED = Path(schemas.__file__).with_name("README.md")
WIRE = [name for name in schemas.names() if "/" in name]


class TestTheDocument:
    def test_is_the_one_that_is_published(self) -> None:
        """`make docs` writes it anew."""
        assert PUBLISHED.read_text("utf-8") == render()

    @pytest.mark.parametrize("name", WIRE)
    def test_has_every_member_of_every_message(self, name: str) -> None:
        _, _, rest = render().partition(f"(`{name}`)\n")
        section = rest.partition("\n### ")[0]
        members = schemas.read(name).get("properties", {})
        assert [member for member in members if f"| `{member}` |" not in section] == []

    def test_has_the_unit_of_what_is_measured(self) -> None:
        lines = [line for line in render().split("\n") if line.startswith("| `audioTimeOffset`")]
        assert lines
        assert all("| integer | ticks of 100 ns |" in line for line in lines)

    def test_names_requirements_and_the_cases_that_judge_them(self) -> None:
        text = render()
        assert "`translator.final.id-form` (wire)" in text
        assert "`speech.malformed.header-size` (malformed.binary)" in text
        assert requirements.get("translator.final.id-form")


def test_the_command_writes_it(speechwire: Speechwire, tmp_path: Path) -> None:
    ran = speechwire("docs", tmp_path / "new")
    assert (ran.code, ran.err, ran.out) == (0, "", f"{tmp_path / 'new' / 'README.md'}\n")
    assert (tmp_path / "new" / "README.md").read_text("utf-8") == PUBLISHED.read_text("utf-8")


def test_the_command_says_why_it_cannot(speechwire: Speechwire, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = speechwire("docs", tmp_path / "file" / "below")
    assert ran.code == 2
    assert "Not a directory" in ran.err
    assert "Traceback" not in ran.err
