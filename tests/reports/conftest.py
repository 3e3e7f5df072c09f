"""A run in which everything happens, and strings that a peer could send to harm whoever reads its report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from conformance.judge.verdict import Check, ExitCode, FailureCard, Verdict, exit_code, outcome
from conformance.report.events import Report
from protocol import requirements
from protocol.requirements import Requirement

MakeReport = Callable[..., Report]

HOSTILE = {
    "controls": "".join(map(chr, range(0x20))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "cdata": "]]> <![CDATA[ --> </failure>",
    "entities": "&amp; &#0; &lol; <!DOCTYPE x>",
    "quotes": "' \" '' \"\"",
    "non-bmp": "\U0001d11e \U0001f600 \U0010ffff",
    "surrogates": "\ud800 \udfff\ud800",
    "noncharacters": "\ufffe\uffff",
    "direction": "\u202eevil\u2066 \u200b\ufeff\u2028\u2029",
    "escapes": "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\x\x9b31m",
    "rich": "[bold red]x[/bold red] [link=http://evil]y[/link] [/] :smile: \\[z]",
    "table": "a|b`c`\n|---|\r\n\\| end\\",
    "markdown": "**b** _i_ ![p](http://evil/p.png) <http://evil> http://evil www.evil.com @team #1 ~~s~~ $x$ # h",
    "html": "</code></td><script>alert(1)</script><!-- <img src=x onerror=y>",
    "megabyte": "\u8a00" * 1_000_000,
    "megabyte-of-zeros": "\x00" * 1_000_000,
    "empty": "",
    "blank": "   ",
}


@pytest.fixture(params=HOSTILE.values(), ids=list(HOSTILE))
def hostile(request: pytest.FixtureRequest) -> str:
    """Give each hostile string in turn."""
    text: str = request.param
    return text


@pytest.fixture
def register() -> Mapping[str, Requirement]:
    """Give the requirements of the dialect."""
    return requirements.load("translator")


@pytest.fixture
def make_report() -> MakeReport:
    """Give the maker of a report: of one check for each verdict, or of given ones; keywords replace members."""

    def make(*checks: Check, strict: bool = False, **changes: Any) -> Report:
        seen = checks or every_verdict()
        members: dict[str, Any] = {
            "speechwire": "2026.1.0",
            "register": "2026.1",
            "peer": {"url": "ws://127.0.0.1:9000/speech/translate"},
            "dialect": "translator",
            "seed": 7,
            "outcome": outcome(seen, strict=strict, executed=2),
            "exit_code": exit_code(seen, strict=strict, executed=2),
            "checks": seen,
            "coverage": {
                "translator.final.id-unique": "tested",
                "translator.final.fields": "tested",
                "translator.voice.mp3": "not-applicable",
                "translator.close.echo": "not-observed",
                "translator.close.idle": "excluded",
            },
            "total_s": 4.0,
            "waiting_s": 1.0,
            "strict": strict,
            "elapsed": {"one-phrase": 3.0},
        }
        return Report(**{**members, **changes})

    return make


def every_verdict() -> tuple[Check, ...]:
    card = FailureCard(1, ("connection 1 of one-phrase", "    0.100 > GET /speech/translate", "    0.200 < 403"))
    return (
        _check("handshake.accept", Verdict.OK),
        _check("auth.missing", Verdict.NON_STRICT, "status 401", "status 403"),
        _check("audio.ping", Verdict.INFORMATIONAL, "a pong", "nothing"),
        _check("auth.bad-key", Verdict.VIOLATION, "status 401", "status 101", card=card, bundle="bundles/a.json"),
        _check("final.always", Verdict.FLAKY, "a final", "none", worst=Verdict.VIOLATION, count=3, failed=1),
        _check("close.echo", Verdict.COULD_NOT_RUN, "", "the connection was reset"),
        _check("voice.mp3", Verdict.NOT_APPLICABLE, "", "declared to be without mp3"),
        _check("final.id-unique", Verdict.VIOLATION, "a new id", "1 twice", case="wire", count=2),
    )


def _check(
    name: str, verdict: Verdict, expected: str = "", observed: str = "", *, case: str = "one-phrase", **more: Any
) -> Check:
    return Check(case, f"translator.{name}", verdict, expected, observed, **more)


@pytest.fixture
def quoting() -> Callable[[str, Verdict], Check]:
    """Give the maker of a check that quotes a text wherever a peer's words can stand."""

    def make(text: str, verdict: Verdict) -> Check:
        worst = Verdict.VIOLATION if verdict is Verdict.FLAKY else None
        card = FailureCard(0, (text, f"0.1 < {text}"))
        return _check("final.id-unique", verdict, text, text, worst=worst, card=card, bundle=text or None)

    return make


@pytest.fixture
def nothing_ran(make_report: MakeReport) -> Report:
    """Give the report of a run in which no case was executed."""
    return make_report(
        _check("handshake.accept", Verdict.OK), outcome="could-not-run", exit_code=ExitCode.COULD_NOT_RUN
    )
