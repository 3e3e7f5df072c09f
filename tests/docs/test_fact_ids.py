"""The fact ids of `translator` against the sheet of facts, when the sheet lies beside the repository."""

from __future__ import annotations

import re

import pytest

from protocol import requirements
from tests.docs import fact_sheets
from tests.docs.fact_sheets import first_cells, section

FROM_PROSE = {
    "D:changes", "D:region", "D:speech", "D:text", "D:tts", "F:message", "H:precedence", "I:voice-without-tts",
    "P:scope", "Q:case", "Q:empty", "Q:order", "S:request-id", "S:unlisted", "X:periods", "X:reason",
}  # fmt: skip
"""Facts that stand in the sheet's running text, under a name that is ours."""


@pytest.fixture(scope="module")
def sheet() -> str:
    return fact_sheets.sheet("translator-speech-v1.md")


@pytest.fixture(scope="module")
def known() -> set[str]:
    return set(requirements.facts("translator"))


def of_kind(known: set[str], kind: str) -> set[str]:
    return {fact for fact in known if fact.startswith(f"{kind}:")} - FROM_PROSE


def test_numbered_ids_are_those_of_the_sheet(sheet: str, known: set[str]) -> None:
    numbered = set(re.findall(r"^(?:- |\| )([EAULMTKGC]\d+)\b", sheet, re.MULTILINE))
    assert len(numbered) > 80
    assert {fact for fact in known if re.fullmatch(r"[EAULMTKGC]\d+", fact)} == numbered


def test_open_points_are_those_of_the_sheet(sheet: str, known: set[str]) -> None:
    numbers = re.findall(r"^(\d+)\. ", section(sheet, "## 11.", "## 12."), re.MULTILINE)
    assert {fact for fact in known if re.fullmatch(r"O\d+", fact)} == {f"O{number}" for number in numbers}


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [("Q", "### 2.1 ", "### 2.2 "), ("H", "### 2.2 ", "### 2.3 "), ("F", "## 5.", "- M1 ")],
)
def test_names_of_a_table_are_those_of_the_sheet(sheet: str, known: set[str], kind: str, start: str, end: str) -> None:
    names = [name for cell in first_cells(section(sheet, start, end)) for name in re.findall(r"`([^`]+)`", cell)]
    assert of_kind(known, kind) == {f"{kind}:{name}" for name in names}


def test_statuses_and_close_codes_are_those_of_the_sheet(sheet: str, known: set[str]) -> None:
    statuses = [cell for cell in first_cells(section(sheet, "## 3.", "## 4.")) if cell.isdigit()]
    codes = first_cells(section(sheet, "### Server-initiated close", "The labels"))
    assert of_kind(known, "S") == {f"S:{status}" for status in statuses}
    assert of_kind(known, "X") == {f"X:{code}" for code in codes}


def test_profanity_treatments_are_those_of_the_sheet(sheet: str, known: set[str]) -> None:
    table = section(sheet, "## 6.", "Applies to")
    lines = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    treatments = [re.findall(r"`([^`]+)`", "".join(cells))[-1] for cells in lines]
    assert of_kind(known, "P") == {f"P:{treatment}" for treatment in treatments}


def test_undocumented_names_stand_in_the_sheet(sheet: str, known: set[str]) -> None:
    part = section(sheet, "### 2.4 ", "## 3.")
    assert [fact for fact in sorted(of_kind(known, "I")) if fact.removeprefix("I:") not in part] == []


def test_no_id_is_left_that_nothing_compares(known: set[str]) -> None:
    compared = re.compile(r"[EAULMTKGCO]\d+|[QHFSXPI]:.+")
    assert {fact for fact in known if not compared.fullmatch(fact)} == {
        fact for fact in FROM_PROSE if fact.startswith("D:")
    }
    assert known >= FROM_PROSE
