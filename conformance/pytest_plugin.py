"""pytest plugin: the checks of a server as test items, and a scripted server for the tests of an app.

`pytest --speechwire-server URL` runs `speechwire check server` once and makes an item of each check; with pytest-xdist
the controller runs it, and hands the checks to its workers. The fixture `speechwire_server` gives a test a server.

The wheel holds this file as the top-level module `pytest_speechwire`. It shares an environment with the tests of its
users: it imports nothing of ours, at its top only what pytest has imported before, and runs the command in a process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest

PATHS: Final[Mapping[str, str]] = {
    "translator": "/speech/translate",
    "speech-v1": "/speech/translation/cognitiveservices/v1",
    "speech-v2": "/stt/speech/universal/v2",
}
_OPTIONS: Final = {
    "server": ("URL", "Check the server at URL, and make a test item of each check."),
    "dialect": ("DIALECT", "The dialect to speak: translator (default), speech-v1 or speech-v2."),
    "key": ("KEY", "A good subscription key; by default the environment variable SPEECHWIRE_KEY."),
    "args": ("OPTIONS", "Further options of `speechwire check server`, e.g. \"--only 'voice.*' --to de\"."),
    "command": ("PROGRAM", "The command to run; by default the speechwire beside this Python, else that on PATH."),
}
_STRICT: Final = "Fail on what is only advised, too; otherwise that is a warning."
_KEY: Final = "test-key"
_PATIENCE_S: Final = 10.0
_Reporting = Generator[None, pytest.CollectReport, pytest.CollectReport]


class NonStrictWarning(pytest.PytestWarning):
    """A departure that fails a strict run only."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each as an ini option too."""
    group = parser.getgroup("speechwire", "conformance of a server of speech translation")
    for name, (metavar, text) in _OPTIONS.items():
        group.addoption(f"--speechwire-{name}", metavar=metavar, help=text)
        parser.addini(f"speechwire_{name}", text, default="")
    group.addoption("--speechwire-strict", action="store_true", help=_STRICT)
    parser.addini("speechwire_strict", _STRICT, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the session only where a server is named."""
    if _setting(config, "server"):
        config.pluginmanager.register(Checks(config), "speechwire-checks")


@dataclass(frozen=True, slots=True)
class Check:
    """One check, `case/requirement` or `run`: the verdict that counts, and what a person is told, fit to be shown."""

    name: str
    verdict: str
    fails: bool
    told: str


class Checks:
    """Runs the command, and adds its checks to what is collected."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._checks: tuple[Check, ...] | None = None

    def pytest_report_header(self) -> str:
        """Say who is checked; behind a question mark there may be a credential."""
        return f"speechwire: {_setting(self._config, 'server').partition('?')[0]}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Run the command here, where a usage error or Ctrl-C still ends the whole session."""
        self._known()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the checks to a worker of pytest-xdist."""
        node.workerinput["speechwire"] = json.dumps([asdict(check) for check in self._known()])

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> _Reporting:
        """Collect the checks behind everything else; `--fixtures` collects without a run, and so without them."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            report.result.extend(CheckItem.of(check, collector) for check in self._checks or ())
        return report

    def _known(self) -> tuple[Check, ...]:
        if self._checks is None:
            handed = getattr(self._config, "workerinput", {}).get("speechwire")
            self._checks = _run(self._config) if handed is None else tuple(Check(**one) for one in json.loads(handed))
        return self._checks


class CheckItem(pytest.Item):
    """One check: it passes or fails as the report says."""

    check: Check

    @classmethod
    def of(cls, check: Check, session: pytest.Session) -> CheckItem:
        """Return the item of a check."""
        item: CheckItem = cls.from_parent(session, name=check.name, nodeid=f"speechwire::{check.name}")
        item.check = check
        item.extra_keyword_matches.add("speechwire")
        if check.verdict == "not-applicable":
            item.add_marker(pytest.mark.skip(reason=check.told))
        return item

    def runtest(self) -> None:
        """Fail with the card, and without a traceback, which would only show the plugin."""
        fails = self.check.fails
        if self.check.verdict == "non-strict" and not fails:
            try:
                self.warn(NonStrictWarning(self.check.told))
            except NonStrictWarning:
                fails = True  # whoever makes errors of warnings makes one of this
        if fails:
            pytest.fail(self.check.told, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where a check stands: in no file, but on a line; and its headline, in which pytest keeps the dots."""
        return self.config.rootpath / "speechwire", 0, f"check {self.name}"


def _setting(config: pytest.Config, name: str) -> str:
    return str(config.getoption(f"speechwire_{name}") or config.getini(f"speechwire_{name}"))


def _program(config: pytest.Config) -> str:
    named, beside = _setting(config, "command"), str(Path(sys.executable).parent)
    found = shutil.which(named) if named else shutil.which("speechwire", path=beside) or shutil.which("speechwire")
    if not found:
        reason = f"{named!r} is no program" if named else "there is no `speechwire` beside this Python or on PATH"
        raise pytest.UsageError(f"--speechwire-command: {reason}")
    return found


def _run(config: pytest.Config) -> tuple[Check, ...]:
    """Run the command to its end; UsageError, with its own sentence, where it wants to be called otherwise."""
    url, dialect, key = (_setting(config, name) for name in ("server", "dialect", "key"))
    try:
        words = shlex.split(_setting(config, "args"))
    except ValueError as error:
        raise pytest.UsageError(f"--speechwire-args: {error}") from error
    if any(word.partition("=")[0] in {"--json", "--junit"} for word in words):
        raise pytest.UsageError("--speechwire-args: --json and --junit are taken; pytest has --junitxml")
    strict = config.getoption("speechwire_strict") or config.getini("speechwire_strict") or "--strict" in words
    options = [*(["--dialect", dialect] if dialect else []), *words, *(["--strict"] if strict else [])]
    with tempfile.TemporaryDirectory(prefix="speechwire-") as folder:
        report, junit = Path(folder, "report.json"), Path(folder, "report.xml")
        line = [_program(config), "check", "server", url, *options, "--json", str(report), "--junit", str(junit)]
        # The key is no option: everybody on the machine can read a command line.
        with _running(line, subprocess.DEVNULL, {"SPEECHWIRE_KEY": key} if key else {}) as (process, errors):
            code = process.wait()
            said = _written(errors)
        if code == 2:
            raise pytest.UsageError(f"speechwire: {said.rpartition('Error: ')[2]}")
        failing = {"violation", "could-not-run", "flaky", *(["non-strict"] if strict else [])}
        checks = _read(report, junit, failing) if junit.exists() else []
    if code and not any(check.fails for check in checks):
        told = f"could-not-run: `speechwire check server` ended with exit code {code}\n{said}".strip()
        checks.append(Check("run", "could-not-run", fails=True, told=told))
    return tuple(checks)


def _read(report: Path, junit: Path, failing: set[str]) -> list[Check]:
    """Return the checks of a report: what counts from the JSON, what a person is told from the JUnit XML."""
    cases = ET.parse(junit).iter("testcase")  # noqa: S314 - the command has written it
    told = {case.get("name"): each.text or each.get("message") or "" for case in cases for each in case}
    checks = []
    for check in json.loads(report.read_bytes())["checks"]:
        worst = check["verdict"] == "flaky" and re.match(r"failed \d+ of \d+ times, as ([a-z-]+): ", check["observed"])
        verdict = worst[1] if worst else check["verdict"]
        checks.append(Check(check["id"], verdict, verdict in failing, told.get(check["id"], "")))
    return checks


@contextlib.contextmanager
def _running(line: list[str], out: int, env: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Run a command, which ends with us, in the end by force; give it, and the file of what it complains of."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(  # noqa: S603 - the user's own command
            line, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env={**os.environ, **env}, encoding="utf-8"
        ) as process,
    ):
        try:
            yield process, errors
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)
            process.kill()


def _written(errors: IO[str]) -> str:
    errors.seek(0)
    return errors.read().strip()


@dataclass(frozen=True, slots=True)
class Connection:
    """What the server remembers of one connection: the first messages, and no credentials.

    `query` is as `urllib.parse.parse_qs` gives it, `texts` are the text messages that the client sent, and `document`
    is all that `GET /speechwire/received` gives: also what the server sent, and how the connection was closed.
    """

    path: str
    query: Mapping[str, list[str]]
    headers: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]
    audio_seconds: float
    document: Mapping[str, Any]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Connection:
        """Return the connection that the server describes so."""
        request, received = document["request"], document["received"]
        path, _, query = request["target"].partition("?")
        headers, texts = tuple((name, value) for name, value in request["headers"]), tuple(received["texts"])
        return cls(path, parse_qs(query, True), headers, texts, received["audio_seconds"] or 0.0, document)


@dataclass(frozen=True, slots=True)
class SpeechwireServer:
    """A running reference server: its base URL `ws://127.0.0.1:PORT`, and the key that it takes."""

    url: str
    key: str
    _script: dict[str, tuple[dict[str, object], ...]] = field(default_factory=dict, repr=False)

    def endpoint(self, dialect: str) -> str:
        """Return the URL of a dialect, without a query."""
        return f"{self.url}{PATHS[dialect]}"

    def says(self, recognition: str, translations: Mapping[str, str] | None = None, **more: object) -> None:
        """Add an utterance to what is said on the connections that are opened from now on.

        Each connection hears the utterances in the order of these calls, and then from the first one again.
        `translations` is by language: `{"pt": "Olá."}`. `more` is what an entry of a script may have besides, such as
        `partials`, `delay_ms`, `fail` and `end`; with `when` it is said where that holds. ValueError: what is wrong.
        """
        place = "utterances" if "when" in more else "defaults"
        entry = {"recognition": recognition, "translations": dict(translations or {}), **more}
        entries = (*self._script.get(place, ()), entry)
        self._ask("PUT", "/speechwire/script", json.dumps({**self._script, place: entries}))
        self._script[place] = entries

    @property
    def received(self) -> list[Connection]:
        """The connections so far, the oldest first; one that was refused is not among them."""
        return [Connection.of(document) for document in self._ask("GET", "/speechwire/received")["sessions"]]

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        from http.client import HTTPConnection  # noqa: PLC0415 - pytest has not imported it; and it knows no proxies

        with contextlib.closing(HTTPConnection(self.url.removeprefix("ws://"), timeout=_PATIENCE_S)) as link:
            link.request(method, path, body, {"Content-Type": "application/json"})
            answer = link.getresponse()
            text = answer.read()
        if answer.status >= 400:
            raise ValueError(json.loads(text)["error"]["message"])
        return json.loads(text) if text else None


@pytest.fixture
def speechwire_server(pytestconfig: pytest.Config) -> Iterator[SpeechwireServer]:
    """Give a scripted reference server on a free port, for this test alone."""
    try:
        line = [_program(pytestconfig), "serve", "--port", "0", "--engine", "scripted", "--key", _KEY]
    except pytest.UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    with _running(line, subprocess.PIPE, {}) as (process, errors):
        word, _, url = (process.stdout or errors).readline().strip().partition(" ")
        if word != "LISTENING":
            why = _written(errors).rpartition("Error: ")[2]
            pytest.fail(f"`speechwire serve` did not start: {why}", pytrace=False)
        yield SpeechwireServer(url, _KEY)
        sys.stderr.write(_written(errors))  # pytest shows it with a test that fails
