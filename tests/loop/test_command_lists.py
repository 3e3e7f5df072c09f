"""The commands that list and prove: `requirements`, `cases`, `selfproof`, and the program itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import schemas
from conformance.cases import registry
from conformance.faults import registry as faults
from protocol import requirements

if TYPE_CHECKING:
    from tests.conftest import Ran, Speechwire

COMMANDS = ("serve", "translate", "check", "doctor", "requirements", "cases", "selfproof")


def valid(text: str, schema: str) -> Any:
    """Return a JSON document that is valid by one of our schemas."""
    document = json.loads(text)
    jsonschema.Draft202012Validator(schemas.read(schema)).validate(document)
    return document


class TestProgram:
    def test_help_names_every_command_and_the_exit_codes(self, speechwire: Speechwire) -> None:
        ran = speechwire("--help")
        assert (ran.code, ran.err) == (0, "")
        assert all(f"\n  {command} " in ran.out for command in COMMANDS)
        assert "0 conforming, 1 violations, 2 usage, 3 could not run" in " ".join(ran.out.split())

    @pytest.mark.parametrize("command", [*COMMANDS, "check server", "check client", "check capture"])
    def test_every_command_has_help(self, speechwire: Speechwire, command: str) -> None:
        ran = speechwire(*command.split(), "-h")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"Usage: speechwire {command}")

    def test_version(self, speechwire: Speechwire) -> None:
        ran = speechwire("--version")
        assert (ran.code, ran.out.split()[0]) == (0, "speechwire,")

    @pytest.mark.parametrize("words", [("chek",), ("check", "sever"), ("--verbose",), ("requirements", "--yaml")])
    def test_what_it_does_not_know_is_a_mistake(self, speechwire: Speechwire, words: tuple[str, ...]) -> None:
        ran = speechwire(*words)
        assert (ran.code, ran.out) == (2, "")
        assert words[-1] in ran.err

    def test_runs_where_folders_have_the_names_of_its_packages(self, speechwire: Speechwire, tmp_path: Path) -> None:
        for name in ("protocol", "conformance", "schemas", "reference_server"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").write_text("raise ImportError('not ours')", "utf-8")
        ran = speechwire("requirements", cwd=tmp_path)
        assert (ran.code, ran.err) == (0, "")


class TestRequirements:
    def test_as_a_list(self, speechwire: Speechwire) -> None:
        ran = speechwire("requirements", "--dialect", "translator")
        assert ran.code == 0
        assert "translator.final.always  server MUST documented\n    " in ran.out
        assert ran.out.count("\n    ") == len(requirements.load("translator"))

    def test_what_nothing_tests_yet_is_said(self, speechwire: Speechwire) -> None:
        document = valid(speechwire("requirements", "--dialect", "translator", "--json").out, "requirements")
        assert {row["id"].removeprefix("translator.client.") for row in document if row.get("tested_by") == []} == {
            "trace-id-fresh",
            "token-reuse",
            "reconnect-limited",
            "accepts-unordered",
            "accepts-empty-final",
            "accepts-minor-gaps",
            "fragmented-results",
        }  # what a client does over several runs, and how it takes provocations

    def test_as_json(self, speechwire: Speechwire) -> None:
        document = valid(speechwire("requirements", "--json").out, "requirements")
        assert [row["id"] for row in document] == list(requirements.load())
        tested = {row["id"]: row.get("tested_by") for row in document}
        assert "wire" in (tested["translator.final.id-unique"] or [])
        assert "voice.mp3" in (tested["translator.voice.mp3"] or [])

    def test_of_one_party(self, speechwire: Speechwire) -> None:
        document = valid(speechwire("requirements", "--party", "server", "--json").out, "requirements")
        assert {row["party"] for row in document} == {"server"}
        assert not any(".client." in row["id"] for row in document)


class TestCases:
    def test_as_a_list(self, speechwire: Speechwire) -> None:
        ran = speechwire("cases")
        assert (ran.code, ran.err) == (0, "")
        assert [line for line in ran.out.splitlines() if line[0] != " "][: len(self.known())] == self.known()

    def test_as_json(self, speechwire: Speechwire) -> None:
        document = valid(speechwire("cases", "--dialect", "translator", "--json").out, "cases")
        assert [case["id"] for case in document][: len(self.known())] == self.known()
        assert all(case["summary"].endswith(".") for case in document)

    def test_explained(self, speechwire: Speechwire) -> None:
        ran = speechwire("cases", "--explain", "voice.mp3")
        assert ran.code == 0
        assert ran.out.startswith("voice.mp3: ")
        assert "needs: " in ran.out
        assert "translator.voice.mp3  MUST documented, source REF18" in ran.out

    def test_of_which_there_is_none(self, speechwire: Speechwire) -> None:
        ran = speechwire("cases", "--explain", "voice.mp4")
        assert (ran.code, ran.out) == (2, "")
        assert "there is no case 'voice.mp4'" in ran.err

    @staticmethod
    def known() -> list[str]:
        return [case.id for case in registry.load("translator")]


class TestSelfproof:
    FAULT = "translator.final.id-unique/always-zero"

    @pytest.fixture(scope="class")
    @classmethod
    def matrix(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("selfproof") / "matrix.json"

    @pytest.fixture(scope="class")
    @classmethod
    def ran(cls, speechwire: Speechwire, matrix: Path) -> Ran:
        return speechwire("selfproof", "--only", cls.FAULT, "--jobs", "1", "--json", matrix)

    def test_a_fault_is_killed(self, ran: Ran) -> None:
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            f"killed   {self.FAULT}  by wire",
            "1 fault, 0 survivors, 0 with undeclared collateral",
        ]

    def test_which_the_matrix_says_too(self, ran: Ran, matrix: Path) -> None:
        assert ran.code == 0
        assert valid(matrix.read_text("utf-8"), "selfproof") == {
            "faults": [
                {
                    "id": self.FAULT,
                    "row": "translator.final.id-unique",
                    "party": "server",
                    "killed": True,
                    "by": ["wire"],
                    "implies": [],
                    "also": [],
                }
            ]
        }

    def test_the_faults_can_be_listed(self, speechwire: Speechwire) -> None:
        ran = speechwire("selfproof", "--list")
        assert (ran.code, ran.err) == (0, "")
        listed = [line for line in ran.out.splitlines() if not line.startswith(" ")]
        assert listed == [fault.id for fault in faults.load("translator")]

    def test_none_that_matches_proves_nothing(self, speechwire: Speechwire) -> None:
        ran = speechwire("selfproof", "--only", "nothing")
        assert ran.code == 3
        assert ran.complaint == "no fault matches --only; `speechwire selfproof --list` has the ids"

    def test_a_file_that_cannot_be_written_is_found_out_before_the_work(
        self, speechwire: Speechwire, tmp_path: Path
    ) -> None:
        ran = speechwire("selfproof", "--only", self.FAULT, "--json", tmp_path)
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint == f"cannot write the report {tmp_path}: is a directory"
