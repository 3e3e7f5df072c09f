"""The Markdown report: a peer's words are text in a cell, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from conformance.judge.verdict import Check, Verdict
from conformance.report import summary
from conformance.report.events import Report
from conformance.report.markdown import render
from conformance.report.text import shown
from protocol.requirements import Requirement

MakeReport = Callable[..., Report]
Register = Mapping[str, Requirement]
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
Table = list[list[str]]


def tables(text: str) -> list[Table]:
    """Return each table of a document as rows of the text that a reader sees."""
    found: list[Table] = []
    inside = False
    for token in READER.parse(text):
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
            found += [[]] if inside else []
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and inside:
            found[-1][-1].append(seen(token))
    return found


def seen(inline: Token) -> str:
    """Return the text of a cell; markup in it beside the code that quotes is an error."""
    parts = inline.children or []
    markup = [part for part in parts if part.type != "text"]
    assert [(part.type, part.content) for part in markup] in (
        [],
        [("html_inline", "<code>"), ("html_inline", "</code>")],
    )
    return "".join(part.content for part in parts if part.type == "text")


class TestReport:
    def test_says_who_was_judged(self, make_report: MakeReport, register: Register) -> None:
        head = tables(render(make_report(), register))[0]
        assert head[0] == ["server", ""]
        assert head[1:] == [
            ["dialect", "translator"],
            ["speechwire", "2026.1.0"],
            ["requirements", "2026.1"],
            ["seed", "7"],
            ["url", "ws://127.0.0.1:9000/speech/translate"],
        ]

    @pytest.mark.parametrize(
        ("outcome", "title"),
        [
            ("conforming", "Conforming"),
            ("violations", "Violations found"),
            ("could-not-run", "Could not run"),
        ],
    )
    def test_begins_with_the_outcome(
        self, make_report: MakeReport, register: Register, outcome: str, title: str
    ) -> None:
        assert render(make_report(outcome=outcome), register).startswith(f"## speechwire: {title}\n")

    def test_sums_up(self, make_report: MakeReport, register: Register) -> None:
        report = make_report()
        text = render(report, register)
        for sentence in (
            summary.coverage_sentence(report),
            summary.time_sentence(report),
            summary.exit_sentence(report),
        ):
            assert f"\n- {sentence}\n" in text

    def test_counts_every_verdict_and_says_what_it_means(self, make_report: MakeReport, register: Register) -> None:
        legend = tables(render(make_report(), register))[1]
        assert legend[0] == ["verdict", "checks", "meaning"]
        assert {row[0]: row[1] for row in legend[1:]} == {
            verdict.value: "2" if verdict is Verdict.VIOLATION else "1" for verdict in Verdict
        }
        assert {row[0]: row[2] for row in legend[1:]} == {verdict.value: summary.LEGEND[verdict] for verdict in Verdict}

    def test_tells_what_fails_from_what_does_not(self, make_report: MakeReport, register: Register) -> None:
        failing, other = tables(render(make_report(), register))[2:]
        assert [row[0] for row in failing[1:]] == ["violation", "flaky", "could-not-run", "violation"]
        assert [row[0] for row in other[1:]] == ["non-strict", "informational"]
        (strict, rest) = tables(render(make_report(strict=True), register))[2:]
        assert [row[0] for row in strict[1:]] == ["non-strict", *(row[0] for row in failing[1:])]
        assert [row[0] for row in rest[1:]] == ["informational"]

    def test_gives_the_requirement_beside_what_was_seen(self, make_report: MakeReport, register: Register) -> None:
        row = tables(render(make_report(), register))[2][1]
        requirement = register["translator.auth.bad-key"]
        assert row == [
            "violation",
            "one-phrase/translator.auth.bad-key",
            f"{requirement.statement} ({summary.standing(requirement)})",
            "status 401",
            "status 101",
        ]

    def test_of_a_conforming_peer_has_no_tables_of_departures(
        self, make_report: MakeReport, register: Register
    ) -> None:
        text = render(make_report(Check("c", "translator.final.always", Verdict.OK, "", "")), register)
        assert len(tables(text)) == 2
        assert "###" not in text

    def test_every_statement_of_the_register_survives(self, make_report: MakeReport, register: Register) -> None:
        checks = [Check("c", name, Verdict.VIOLATION, "a", "b") for name in register]
        rows = tables(render(make_report(*checks), register))[2][1:]
        for row, requirement in zip(rows, register.values(), strict=True):
            assert row[2] == f"{requirement.statement} ({summary.standing(requirement)})"


class TestHostilePeer:
    def test_cannot_leave_its_cell(
        self,
        make_report: MakeReport,
        register: Register,
        quoting: Callable[[str, Verdict], Check],
        hostile: str,
    ) -> None:
        report = make_report(quoting(hostile, Verdict.VIOLATION), peer={"url": hostile, f"a{hostile}": 1})
        text = render(report, register)
        quoted = shown(hostile, 300).strip()
        head, legend, failing = tables(text)
        assert {len(row) for row in head} == {2}
        assert {len(row) for row in legend} == {3}
        assert {len(row) for row in failing} == {5}
        assert failing[1][3:] == [quoted, quoted]
        assert head[5] == ["url", quoted]
        assert head[6] == [shown(f"a{hostile}", 300).strip(), "1"]

    def test_leaves_the_structure_as_it_is(
        self,
        make_report: MakeReport,
        register: Register,
        quoting: Callable[[str, Verdict], Check],
        hostile: str,
    ) -> None:
        harmless, harmful = (
            [token.type for token in READER.parse(render(make_report(quoting(text, Verdict.VIOLATION)), register))]
            for text in ("text", hostile)
        )
        assert harmful == harmless

    def test_mentions_nobody_and_links_nowhere(
        self, make_report: MakeReport, register: Register, quoting: Callable[[str, Verdict], Check]
    ) -> None:
        words = "@team #12 http://evil.example www.evil.example mail@evil.example"
        text = render(make_report(quoting(words, Verdict.VIOLATION)), register)
        for living in ("@team", "#12", "http://evil", "www.evil", "mail@"):
            assert living not in text
