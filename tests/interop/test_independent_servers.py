"""Small servers that were written from the public documentation alone: the suite passes them, and finds what is broken.

A mistake that the reference server and the judge have in common cannot show when one checks the other. These servers
share nothing with either. Each can also be wrong in ten ways, and each way has to be found by name.
"""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.conftest import Speechwire

HERE = Path(__file__).with_name("independent")
SERVERS = {"translator": "translator.py", "speech-v1": "speech_v1.py", "speech-v2": "speech_v2.py"}
LACKS = {"translator": ("--without", "mp3"), "speech-v1": (), "speech-v2": ()}
IMPATIENT = ("--slow", "0.2")
LONGEST_S = 300.0  # a whole check takes a minute and a half, mostly to shrink what is allowed and not advised


class Found(NamedTuple):
    """What is wrong, and the case that shows it; with options where nothing but a time-out shows it."""

    requirement: str
    case: str
    options: tuple[str, ...] = ()


BROKEN: Mapping[str, Mapping[str, Found]] = {
    "translator": {
        "any-key": Found("translator.auth.bad-key", "auth.bad-key"),
        "any-language": Found("translator.handshake.target-bad", "handshake.bad-languages"),
        "fixed-header": Found("translator.audio.extra-chunks", "audio.speech-in-chunk"),
        "json-token": Found("translator.token.bare-text", "token.issue"),
        "late-final": Found("translator.endpoint.final-after-silence", "endpoint.final-after-silence", IMPATIENT),
        "no-request-id": Found("translator.handshake.request-id", "handshake.accept"),
        "no-translation": Found("translator.final.fields", "audio.header-44"),
        "raw-voice": Found("translator.voice.complete-file", "voice.chosen-by-service"),
        "text-times": Found("translator.timing.numbers", "timing.size"),
        "unasked-partials": Found("translator.partial.only-if-requested", "audio.header-44"),
    },
    "speech-v1": {
        "drops-rest": Found("speech.audio.end", "audio.end"),
        "endless": Found("speech.turn.one-shot-ends", "turn.one-shot", IMPATIENT),
        "header-key": Found("speech.auth.key-query", "auth.key"),
        "impatient": Found("speech.audio.end-voided", "audio.end-voided"),
        "line-feeds": Found("speech.frame.text-crlf", "handshake.accept"),
        "microseconds": Found("speech.result.turn-relative", "result.offsets"),
        "no-interims": Found("speech.audio.real-time", "audio.real-time"),
        "no-request-id": Found("speech.frame.header-request-id", "config.forms", IMPATIENT),
        "no-translation": Found("speech.phrase.translation", "result.targets"),
        "one-target": Found("speech.query.to-repeated", "query.targets"),
    },
    "speech-v2": {
        "any-key": Found("speech.auth.bad-key", "auth.bad-key"),
        "little-endian": Found("speech.frame.binary-size", "synthesis.voice"),
        "lost-target": Found("speech.result.targets-all", "result.targets"),
        "lower-id": Found("speech.turn.id-echo", "turn.many"),
        "no-audio.end": Found("speech.synthesis.end", "synthesis.voice"),
        "no-status": Found("speech.synthesis.end-status", "synthesis.voice"),
        "no-turn.end": Found("speech.turn.end-last", "turn.several", IMPATIENT),
        "no-turn.start": Found("speech.turn.start-first", "handshake.accept"),
        "patient": Found("speech.status.initial-silence", "status.initial-silence", IMPATIENT),
        "wrong-close": Found("speech.close.bad-source", "close.bad-source"),
    },
}
WAYS = [(dialect, name) for dialect, ways in BROKEN.items() for name in ways]


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check ended, and its report."""

    code: int
    report: Mapping[str, Any]

    def requirements(self, verdict: str) -> list[str]:
        """The requirements of all checks with this verdict."""
        return [check["row"] for check in self.report["checks"] if check["verdict"] == verdict]


@contextlib.contextmanager
def listening(dialect: str, *arguments: str) -> Iterator[str]:
    """Run a server and give its URL."""
    command = [sys.executable, str(HERE / SERVERS[dialect]), "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as server:
        try:
            assert server.stdout is not None
            word, url = server.stdout.readline().split()
            assert word == "LISTENING"
            yield url
            assert server.poll() is None
        finally:
            server.terminate()


def tree(dialect: str) -> ast.Module:
    """The source of a server."""
    return ast.parse((HERE / SERVERS[dialect]).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def runs(
    speechwire: Speechwire, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[tuple[str, str], Future[Checked]]]:
    """Check all servers, whole (named "") and broken, some at a time since a check mostly waits."""

    directory = tmp_path_factory.mktemp("reports")

    def check(dialect: str, broken: str) -> Checked:
        found = BROKEN[dialect].get(broken)
        chosen = ("--only", found.case, *found.options) if found else LACKS[dialect]
        file = directory / f"{dialect}-{broken}.json"
        with listening(dialect, *(("--broken", broken) if broken else ())) as url:
            words = ("check", "server", url, "--key", "test-key", "--dialect", dialect, *chosen)
            ran = speechwire(*words, "--json", file, patience_s=LONGEST_S)
        return Checked(ran.code, json.loads(file.read_text(encoding="utf-8")))

    # Those that wait longest come first, so that nothing has to wait for them at the end.
    wanted = [
        *((dialect, "") for dialect in SERVERS),
        *sorted(WAYS, key=lambda way: not BROKEN[way[0]][way[1]].options),
    ]
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield {way: pool.submit(check, *way) for way in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("dialect", SERVERS)
class TestSource:
    def test_can_be_read_in_five_minutes(self, dialect: str) -> None:
        assert len((HERE / SERVERS[dialect]).read_text(encoding="utf-8").splitlines()) <= 150

    def test_has_nothing_of_ours(self, dialect: str) -> None:
        imported = {
            module.partition(".")[0]
            for node in ast.walk(tree(dialect))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for module in (
                [node.module or "."] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            )
        }
        assert "websockets" in imported
        assert imported - {"websockets"} <= sys.stdlib_module_names

    def test_is_broken_in_ten_ways_which_are_all_below(self, dialect: str) -> None:
        names = [
            name
            for node in tree(dialect).body
            if isinstance(node, ast.Assign | ast.AugAssign) and ast.unparse(node).startswith("BROKEN ")
            for name in ast.literal_eval(node.value)
        ]
        assert names == list(BROKEN[dialect])
        assert len(names) == 10


@pytest.mark.timeout(LONGEST_S)
@pytest.mark.parametrize("dialect", SERVERS)
class TestWhole:
    def test_is_conforming(self, dialect: str, runs: Mapping[tuple[str, str], Future[Checked]]) -> None:
        checked = runs[dialect, ""].result()
        assert checked.requirements("violation") == []
        assert (checked.code, checked.report["outcome"]) == (0, "conforming")
        assert len(checked.requirements("ok")) >= 130


@pytest.mark.parametrize(("dialect", "broken"), WAYS)
class TestBroken:
    def test_is_found(self, dialect: str, broken: str, runs: Mapping[tuple[str, str], Future[Checked]]) -> None:
        checked = runs[dialect, broken].result()
        assert BROKEN[dialect][broken].requirement in checked.requirements("violation")
        assert (checked.code, checked.report["outcome"]) == (1, "violations")
