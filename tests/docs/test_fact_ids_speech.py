"""The fact ids of the speech dialects against their four sheets, when the sheets lie beside the repository."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from protocol import requirements
from tests.docs import fact_sheets
from tests.docs.fact_sheets import first_cells, section

FROM_PROSE = {"HS:js", "M15:mocks", "RS:translation", "S:body", "T:client-states", "T:server-states"}
"""Facts that stand in the protocol sheet's running text, under a name that is ours."""

NUMBERED = r"(?:[CEFHKLQSTUVXZ]-\d\d|K8-\d\d)"
BY_SECTION = re.compile(r"(?P<section>[BX]\d[a-z]?):\S+")


@pytest.fixture(scope="module")
def known() -> set[str]:
    return set(requirements.facts("speech-v1"))


@pytest.fixture(scope="module")
def sheet() -> str:
    return fact_sheets.sheet("speech-service-usp.md")


def of_kind(known: set[str], kind: str) -> set[str]:
    return {fact for fact in known if fact.startswith(f"{kind}:")} - FROM_PROSE


def by_section(known: set[str], sheet: str) -> Counter[str]:
    """Return the number of facts of each section of a sheet whose facts have names of ours."""
    matches = [match for match in map(BY_SECTION.fullmatch, known) if match and match[0].startswith(sheet)]
    return Counter(match["section"] for match in matches)


def rows_by_section(text: str) -> dict[str, int]:
    """Return the number of table rows under each numbered heading, heads and rules left out."""
    parts = re.split(r"^#{2,3} (?=\d)", text, flags=re.MULTILINE)[1:]
    return {re.split(r"[. ]", part)[0]: rows(part) for part in parts}


def rows(part: str) -> int:
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return len(lines) - 2 * sum(line.startswith("|--") for line in lines)


class TestTheProtocolSheet:
    def test_numbered_ids(self, sheet: str, known: set[str]) -> None:
        numbered = set(re.findall(rf"(?<![\w-]){NUMBERED}(?!\d)", sheet))
        assert len(numbered) > 160
        assert {fact for fact in known if re.fullmatch(NUMBERED, fact)} == numbered

    def test_every_row_of_a_table_of_ids_has_one(self, sheet: str, known: set[str]) -> None:
        cells = {line.split("|")[1].strip() for line in sheet.splitlines() if line.startswith("|")}
        ids = {cell for cell in cells if re.fullmatch(r"[A-Z]\d?-\S+", cell)} - {"I-n", "X-RequestId"}
        assert len(ids) > 110
        assert ids <= known

    @pytest.mark.parametrize(
        ("kind", "start", "end"),
        [("HS", "### 2.2 ", "J never sees"), ("RS", "### 7.1 ", "Source: N")],
    )
    def test_statuses(self, sheet: str, known: set[str], kind: str, start: str, end: str) -> None:
        words = [re.findall(r"\w+", cell)[0] for cell in first_cells(section(sheet, start, end))]
        assert of_kind(known, kind) == {f"{kind}:{word}" for word in words}

    def test_names_of_headers(self, sheet: str, known: set[str]) -> None:
        cells = first_cells(section(sheet, "### 3.1 ", "## 4."))
        assert of_kind(known, "HN") == {f"HN:{name}" for cell in cells for name in re.findall(r"`([\w-]+)", cell)}

    def test_topics_of_the_two_dialects(self, sheet: str, known: set[str]) -> None:
        topics = [cell.partition(" (")[0] for cell in first_cells(section(sheet, "## 12.", "## 13."))]
        assert of_kind(known, "D12") == {"D12:" + re.sub(r"[ .]", "-", topic.lower()) for topic in topics}


class TestTheMeasuredSdks:
    def test_every_section_has_facts_and_no_fewer_than_its_tables_have_rows(self, known: set[str]) -> None:
        sheet = rows_by_section(fact_sheets.sheet("official-sdk-behaviour.md"))
        counts = by_section(known, "B")
        assert counts.keys() - {"B0"} == {f"B{number}" for number in sheet}  # B0 is the result above the sections
        assert {
            number: (least, counts[f"B{number}"]) for number, least in sheet.items() if counts[f"B{number}"] < least
        } == {}


class TestTheExperiments:
    def test_every_section_has_facts_and_no_fewer_than_its_tables_have_rows(self, known: set[str]) -> None:
        sheet = rows_by_section(fact_sheets.sheet("sdk-experiments.md"))
        counts = by_section(known, "X")
        assert counts.keys() - {"X9"} == {f"X{number}" for number in sheet}  # X9 is what was not done, without a number
        assert {
            number: (least, counts[f"X{number}"]) for number, least in sheet.items() if counts[f"X{number}"] < least
        } == {}


class TestTheTestsAgainstTheLiveService:
    def test_numbered_ids(self, known: set[str]) -> None:
        sheet = fact_sheets.sheet("service-behaviour-from-sdk-tests.md")
        numbered = set(re.findall(r"^\| (P-\d\d[a-z]?)\b", sheet, re.MULTILINE))
        assert len(numbered) > 25
        assert {fact for fact in known if fact.startswith("P-")} == numbered


def test_no_id_is_left_that_nothing_compares(known: set[str]) -> None:
    compared = re.compile(rf"{NUMBERED}|P-\d\d[a-z]?|(?:HS|HN|RS|D12):.+|{BY_SECTION.pattern}")
    assert {fact for fact in known if not compared.fullmatch(fact)} == FROM_PROSE - {"HS:js", "RS:translation"}
    assert known >= FROM_PROSE
