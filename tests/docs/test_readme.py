"""Every command of the README runs and does what the README says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.programs import bundle, script
from tests.engines import needs

ROOT = Path(__file__).parents[2]
SPEECHWIRE = str(Path(sys.executable).parent / "speechwire")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
LINES = [line.partition("   #")[0].strip() for kind, block in BLOCKS if not kind for line in block.splitlines()]
COMMANDS = [
    line
    for line in LINES
    if line.startswith(("speechwire ", "python speechwire-bundles/")) and not line.startswith("speechwire serve")
]
BUNDLE = ROOT / "schemas/examples/bundle/valid/null-for-an-object.json"
SCRIPT = next(block for kind, block in BLOCKS if kind == "json")
CAPTURED = (
    {"t": 0.0, "dir": "c2s", "kind": "handshake", "path": "/stt/speech/universal/v2", "headers": []},
    {"t": 0.1, "kind": "open", "ext": [], "sub": None},
    {"t": 0.2, "dir": "c2s", "kind": "close", "code": 1000, "reason": ""},
)
CLIENT = f"{SPEECHWIRE} translate {{wav}} --url {{url}} --key {{key}} --pace 0"


def _serve(*options: str) -> tuple[subprocess.Popen[str], str, str]:
    command = [SPEECHWIRE, "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().removeprefix("LISTENING ").strip()
    ca = process.stdout.readline().removeprefix("CA ").strip() if "--tls" in options else ""
    return process, url, ca


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    plain, url, _ = _serve()
    secure, tls_url, ca = _serve("--tls")
    request = urllib.request.Request(  # noqa: S310 - our own server on the loopback
        url.replace("ws://", "http://") + "/sts/v1.0/issueToken", b"", {"Ocp-Apim-Subscription-Key": "test-key"}
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310 - the same
        token = response.read().decode()
    yield {"url": url, "tls": tls_url, "ca": ca, "token": token}
    for process in (plain, secure):
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def _filled(line: str, servers: dict[str, str]) -> str:
    for word, value in (
        ("wss://HOST", servers["tls"]),
        ("ws://127.0.0.1:8080", servers["url"]),
        ("ca.pem", servers["ca"]),
        ("TOKEN", servers["token"]),
        ("my-recordings/", str(ROOT / "schemas/corpus")),
        ("speech.wav", str(ROOT / "schemas/corpus/clear-1.wav")),
        ("./my-client {url} {wav}", CLIENT),
        ("./my-server", f"{SPEECHWIRE} serve"),
    ):
        line = line.replace(word, value)
    line = re.sub(r"\bURL\b", servers["url"], line)
    line = re.sub(r"(?<=--key )KEY\b", "test-key", line).removesuffix(" KEY")
    line = line.replace("--minutes 60", "--minutes 0.05")
    if line == "speechwire selfproof":  # the whole of it is tests/faults
        line += " --only 'translator.close.reason/*'"
    options = set(re.findall(r"--[a-z-]+", line))
    if line.startswith("speechwire check server") and options & {"--json", "--baseline", "--start"}:
        line += " --skip conversations"  # the other lines hold them, half a minute each
    return line


def _write_bundle(path: Path) -> None:
    """Put a bundle, and its script, where the README has one."""
    path.parent.mkdir()
    shutil.copy(BUNDLE, path.with_suffix(".json"))
    path.with_suffix(".py").write_text(script.written(bundle.read(BUNDLE), "A statement."), "utf-8")


NEEDS = {"speechwire languages --json": needs("pocketsphinx")}


@pytest.mark.parametrize("line", [pytest.param(line, marks=NEEDS.get(line, ())) for line in COMMANDS])
def test_the_command_runs(line: str, servers: dict[str, str], tmp_path: Path) -> None:
    command = shlex.split(_filled(line, servers))
    (tmp_path / "capture.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in CAPTURED))
    if command[1] == "baseline":
        shutil.copy(ROOT / "schemas/examples/report/valid/every-verdict.json", tmp_path / "report.json")
    if "speechwire-bundles/" in line:
        _write_bundle(tmp_path / next(word for word in command if word.startswith("speechwire-bundles/")))
    if "--baseline" in command:
        (tmp_path / "known.toml").write_text('dialect = "translator"\nparty = "server"\n')
    program = {"speechwire": SPEECHWIRE, "python": sys.executable}[command[0]]
    done = subprocess.run(
        [program, *command[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    for option in ("--json", "--junit", "--markdown"):
        if option in command and command[1] == "check":
            assert (tmp_path / command[command.index(option) + 1]).stat().st_size > 0
    if "--save" in command:
        assert list((tmp_path / "voices").iterdir())


def test_the_script_of_the_readme_is_said(tmp_path: Path) -> None:
    script = tmp_path / "hello.json"
    script.write_text(SCRIPT)
    process, url, _ = _serve("--script", str(script))
    try:
        command = [
            SPEECHWIRE,
            "translate",
            "corpus:clear-1",
            "--url",
            url,
            "--key",
            "test-key",
            "--json",
            "--pace",
            "0",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
    finals = [event for line in done.stdout.splitlines() if (event := json.loads(line))["event"] == "final"]
    assert [(final["recognition"], final["translation"]) for final in finals] == [("Hello world.", "Olá mundo.")]


def test_the_control_endpoint_answers_curl(tmp_path: Path) -> None:
    lines = [line for line in LINES if line.startswith("curl ")]
    assert len(lines) == 2
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the README's two curl commands were not run")
    (tmp_path / "hello.json").write_text(SCRIPT)
    process, url, _ = _serve()
    try:
        for line in lines:
            command = shlex.split(line.replace("http://127.0.0.1:8080", url.replace("ws://", "http://")))
            done = subprocess.run(
                [*command, "-sS", "--fail"], cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def test_the_readme_names_every_command() -> None:
    from conformance.commands.main import main  # noqa: PLC0415 - only this test needs it

    named = {line.split()[1] for line in LINES if line.startswith("speechwire ")}
    assert named == set(main.list_commands(None))  # type: ignore[arg-type]  # the lazy group ignores it
