"""`speechwire languages`: what an engine of parts can do, and what it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas
from tests.distributions import install, on_path, toys

if TYPE_CHECKING:
    from tests.conftest import Ran, Speechwire

ALL = ("ear", "fast", "rules", "mouth")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with parts that need nothing."""
    return toys(tmp_path / "site")


@pytest.fixture
def listed(site: Path, speechwire: Speechwire) -> Listed:
    """What lists the languages of some parts."""
    return Listed(speechwire, site)


class Listed:
    """Runs the command."""

    def __init__(self, speechwire: Speechwire, site: Path) -> None:
        self._speechwire = speechwire
        self._env = {"COLUMNS": "72", **on_path(site)}

    def __call__(self, *parts: str, options: tuple[str | Path, ...] = ()) -> Ran:
        chosen = [word for part in parts for word in ("--part", part)]
        return self._speechwire("languages", *chosen, *options, env=self._env)

    def document(self, *parts: str, options: tuple[str | Path, ...] = ()) -> dict[str, Any]:
        ran = self(*parts, options=("--json", *options))
        assert (ran.code, ran.err) == (0, "")
        document: dict[str, Any] = json.loads(ran.out)
        jsonschema.Draft202012Validator(schemas.read("languages")).validate(document)
        return document


class TestAsJson:
    def test_who_hears_and_who_speaks(self, listed: Listed) -> None:
        document = listed.document(*ALL)
        assert document["engine"] == "local"
        assert {part["name"]: part["does"] for part in document["parts"]} == {
            "ear": "hears",
            "fast": "translates",
            "rules": "translates",
            "mouth": "speaks",
        }
        assert document["speech"] == [
            {"locale": "de-DE", "language": "de", "part": "ear"},
            {"locale": "en-US", "language": "en", "part": "ear"},
        ]
        assert document["voices"] == [{"id": "pt-BR-Toy", "language": "pt", "part": "mouth"}]
        assert document["missing"] == []

    def test_every_translation_and_its_route(self, listed: Listed) -> None:
        into = {"source": "de", "target": "en", "kind": "nmt", "part": "fast"}
        on = {"source": "en", "target": "pt", "kind": "nmt", "part": "fast"}
        by_rules = {"source": "en", "target": "es", "kind": "smt", "part": "rules"}
        assert listed.document(*ALL)["pairs"] == [
            {"source": "de", "target": "en", "route": [into], "kind": "nmt"},
            {"source": "de", "target": "es", "route": [into, by_rules], "kind": "smt"},
            {"source": "de", "target": "pt", "route": [into, on], "kind": "nmt"},
            {"source": "en", "target": "es", "route": [by_rules], "kind": "smt"},
            {"source": "en", "target": "pt", "route": [on], "kind": "nmt"},
        ]

    def test_what_is_missing(self, listed: Listed, tmp_path: Path) -> None:
        document = listed.document("ear", "absent", "fast", options=("--model", f"fast={tmp_path}"))
        assert [part["name"] for part in document["parts"]] == ["ear"]
        assert document["pairs"] == []
        assert document["missing"] == [
            "absent: absent is not installed; pip install absent",
            f"fast: the model file {tmp_path / 'model.bin'} cannot be read; put it there",
        ]


class TestForAPerson:
    def test_everything_has_its_line(self, listed: Listed) -> None:
        ran = listed(*ALL, "absent")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == (
            "the engine 'local'\n"
            "\n"
            "parts\n"
            "  ear    hears\n"
            "  fast   translates\n"
            "  mouth  speaks\n"
            "  rules  translates\n"
            "\n"
            "hears\n"
            "  ear  de-DE, en-US\n"
            "\n"
            "translates\n"
            "  de → en  nmt  fast de → en (nmt)\n"
            "  de → es  smt  fast de → en (nmt), rules en → es (smt)\n"
            "  de → pt  nmt  fast de → en (nmt), fast en → pt (nmt)\n"
            "  en → es  smt  rules en → es (smt)\n"
            "  en → pt  nmt  fast en → pt (nmt)\n"
            "\n"
            "speaks\n"
            "  mouth  pt-BR-Toy\n"
            "\n"
            "missing\n"
            "  absent: absent is not installed; pip install absent\n"
        )

    def test_what_is_not_there_has_no_title(self, listed: Listed) -> None:
        assert listed("ear").out == "the engine 'local'\n\nparts\n  ear  hears\n\nhears\n  ear  de-DE, en-US\n"

    def test_long_lists_are_as_wide_as_the_terminal(self, site: Path, listed: Listed) -> None:
        code = (
            "from protocol.languages import Speech\n"
            "from reference_server.engines.local.parts import Hears, Part\n"
            "def part(directory):\n"
            "    speech = tuple(Speech(f'en-{n:03}', 'en') for n in range(40))\n"
            "    return Part('polyglot', Hears(speech), 'toys:Toy', {'directory': None})\n"
        )
        install(site, "acme", {"speechwire.parts": {"polyglot": "acme:part"}}, {"acme.py": code})
        _, lines = listed("polyglot").out.split("hears\n  polyglot  en-000, ")
        assert max(map(len, lines.splitlines())) in range(65, 73)
        assert all(line.startswith("            en-") for line in lines.splitlines()[1:])

    def test_the_command_that_mends_is_on_one_line(self, listed: Listed, tmp_path: Path) -> None:
        deep = tmp_path / ("long" * 20)
        deep.mkdir()
        ran = listed("ear", "rules", options=("--model", f"rules={deep}"))
        assert f"  rules: the model file {deep / 'model.bin'} cannot be read; put it there\n" in ran.out

    def test_nobody_elses_text_rules_the_terminal(self, site: Path, listed: Listed) -> None:
        code = "def part(directory):\n    raise ValueError('\\x1b[31mred')\n"
        install(site, "acme", {"speechwire.parts": {"red": "acme:part"}}, {"acme.py": code})
        assert "  red: the factory of the part 'red' fails (ValueError: \\x1b[31mred)\n" in listed("ear", "red").out


class TestInVain:
    def test_nothing_that_hears(self, listed: Listed) -> None:
        ran = listed("fast", "absent")
        assert (ran.code, ran.out) == (3, "")
        assert "absent is not installed; pip install absent" in ran.complaint

    def test_an_engine_without_parts(self, listed: Listed) -> None:
        ran = listed(options=("--engine", "scripted"))
        assert (ran.code, ran.out) == (2, "")
        assert "the engine 'scripted' is not made of parts: it has no routes to list" in ran.err

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--engine", "none"), "there is no engine 'none'; there are local, scripted"),
            (("--part", "none"), "there is no part 'none'; there are "),
            (("--model", "none=."), "there is no part 'none'; there are "),
            (("--model", "ear"), "expected PART=DIR, got 'ear'"),
            (("--model", "ear=no/such"), "expected a folder behind 'ear=', got 'no/such'"),
            (("--part", "ear", "--model", "fast=."), "--model fast=…: of the parts that --part names it is none"),
        ],
    )
    def test_what_there_is_not_is_a_mistake_of_the_command_line(
        self, listed: Listed, options: tuple[str, ...], says: str
    ) -> None:
        ran = listed(options=options)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
