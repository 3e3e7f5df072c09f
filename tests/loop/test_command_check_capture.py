"""`speechwire check capture`, run as its users run it, on traffic of every kind; nothing of it is sent anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

import schemas
from conformance.transcript import Vantage, to_json
from protocol import requirements
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import Party
from tests.unit.conftest import Talk

if TYPE_CHECKING:
    from tests.conftest import Ran, Speechwire

Line = dict[str, Any]

KEY = "fedcba9876543210"
PATH = "/stt/speech/universal/v2"
QUERY = f"Ocp-Apim-Subscription-Key={KEY}&language=en-US"
ID = "a" * 32
IDENTITY = f"X-RequestId:{ID}"
STAMP = "X-Timestamp:2026-11-22T17:15:19.932Z"
JSON = "Content-Type:application/json"

CONFIG = {
    "context": {
        "system": {"name": "test", "version": "1"},
        "os": {"platform": "Linux", "name": "Linux", "version": "1"},
        "device": {"manufacturer": "m", "model": "m", "version": "1"},
    }
}
CONTEXT = {
    "phraseDetection": {"mode": "Conversation", "language": "en-US"},
    "translation": {"targetLanguages": ["de"]},
}
PHRASE = {
    "SpeechPhrase": {"RecognitionStatus": "Success", "Offset": 1_000_000, "Duration": 9_000_000, "DisplayText": "Hi."},
    "TranslationStatus": "Success",
    "Translations": [{"Language": "de", "Text": "Hallo."}],
}


def client(path: str, body: Any) -> Line:
    """Return a text message of the client."""
    head = "\r\n".join((f"Path:{path}", IDENTITY, STAMP, JSON))
    return {"dir": "c2s", "kind": "text", "text": f"{head}\r\n\r\n{json.dumps(body)}"}


def server(path: str, body: Any, separator: str = "\r\n") -> Line:
    """Return a text message of the server."""
    head = separator.join((IDENTITY, f"{JSON}; charset=utf-8", f"Path:{path}"))
    return {"dir": "s2c", "kind": "text", "text": f"{head}{separator * 2}{json.dumps(body)}"}


def audio(payload: bytes | None = None, *more: str) -> Line:
    """Return a binary message of the client; without a payload, one of 100 ms that nobody kept."""
    block = "".join(f"{line}\r\n" for line in ("Path:audio", IDENTITY, STAMP, *more))
    kept = {"payload_len": 3200} if payload is None else {"payload_len": len(payload), "payload_hex": payload.hex()}
    return {"dir": "c2s", "kind": "binary", "headers": block, **kept}


UPGRADE = [["Upgrade", "websocket"], ["Ocp-Apim-Subscription-Key", KEY], ["X-ConnectionId", "c" * 32]]
ASKED: Line = {"dir": "c2s", "kind": "handshake", "path": f"{PATH}?{QUERY}", "headers": UPGRADE}
START = server("turn.start", {"context": {"serviceTag": "t"}})
RIFF = audio(build_header(PcmFormat(16_000)), "Content-Type:audio/x-wav")
SPOKEN = [client("speech.config", CONFIG), client("speech.context", CONTEXT), RIFF, START, *[audio()] * 20, audio(b"")]
ANSWERED = [server("translation.response", PHRASE), server("speech.endDetected", {}), server("turn.end", {})]
TELEMETRY = client("telemetry", {"ReceivedMessages": [{"turn.start": ["2026-11-22T17:15:19.932Z"]}], "Metrics": []})
CLOSE: Line = {"dir": "c2s", "kind": "close", "code": 1000, "reason": ""}
GOOD: list[Line] = [ASKED, {"kind": "open"}, *SPOKEN, *ANSWERED, TELEMETRY, CLOSE]
BAD = [server("turn.start", {}, "\n") if line is START else line for line in GOOD]


class Checked:
    """Runs `check capture` on a file that it writes."""

    def __init__(self, speechwire: Speechwire, folder: Path) -> None:
        self._speechwire = speechwire
        self.folder = folder
        self.file = folder / "traffic.jsonl"

    def lines(self, lines: list[Line], *options: str) -> Ran:
        """Check a capture, a tenth of a second between its lines."""
        text = "\n".join(json.dumps({"t": round(0.1 * at, 1), **line}) for at, line in enumerate(lines))
        return self.text(text, *options)

    def bundle(self, *talks: Talk, options: tuple[str, ...] = ()) -> Ran:
        """Check a bundle."""
        return self.text(json.dumps([to_json(talk.transcript()) for talk in talks], indent=1), *options)

    def text(self, text: str | bytes, *options: str) -> Ran:
        """Check whatever stands in a file."""
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        return self._speechwire("check", "capture", str(self.file), "--json", report, *options)

    @property
    def report(self) -> dict[str, Any]:
        """The report of the last run."""
        document: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
        return document

    @property
    def violations(self) -> set[str]:
        """The requirements that the last run found violated."""
        return {check["row"] for check in self.report["checks"] if check["verdict"] == "violation"}


@pytest.fixture
def checked(speechwire: Speechwire, tmp_path: Path) -> Checked:
    """Give the runner."""
    return Checked(speechwire, tmp_path)


def translator() -> Talk:
    """Return a good conversation in translator."""
    return Talk().open().header().audio().final().client_closes().server_closes()


class TestCaptures:
    def test_that_conform(self, checked: Checked) -> None:
        ran = checked.lines(GOOD)
        assert (ran.code, ran.err) == (0, "")
        assert "speech-v2: file" in ran.out
        report = checked.report
        assert (report["dialect"], report["outcome"]) == ("speech-v2", "conforming")
        assert report["peer"] == {"file": str(checked.file), "connections": 1}
        assert {check["case"] for check in report["checks"]} == {"wire"}
        assert set(report["coverage"]) == set(requirements.load("speech-v2"))

    def test_with_a_violation(self, checked: Checked) -> None:
        ran = checked.lines(BAD)
        assert ran.code == 1
        assert "speech.frame.text-crlf" in checked.violations
        assert f"again: speechwire check capture {checked.file} --dialect speech-v2" in ran.out

    def test_of_several_connections(self, checked: Checked) -> None:
        text = "\n".join(json.dumps({"t": 0, **line}) for line in [*GOOD, *BAD])
        assert checked.text(text).code == 1
        assert checked.report["peer"]["connections"] == 2

    def test_of_a_handshake_alone_show_what_they_show(self, checked: Checked) -> None:
        assert checked.lines([ASKED]).code == 0
        assert checked.report["coverage"]["speech.client.credentials"] == "tested"
        assert checked.report["coverage"]["speech.turn.start-first"] == "not-observed"


class TestBundles:
    def test_that_conform(self, checked: Checked) -> None:
        assert checked.bundle(translator(), translator()).code == 0
        report = checked.report
        assert (report["dialect"], report["peer"]["connections"]) == ("translator", 2)
        assert {check["verdict"] for check in report["checks"]} == {"ok"}

    def test_with_a_violation(self, checked: Checked) -> None:
        assert checked.bundle(translator(), Talk().open().sends(b"no header").final()).code == 1
        assert "translator.client.header-first" in checked.violations

    def test_without_a_connection_prove_nothing(self, checked: Checked) -> None:
        ran = checked.text("[]")
        assert (ran.code, ran.complaint) == (3, f"{checked.file}: it holds no connection")

    def test_of_which_nothing_can_be_judged_prove_nothing(self, checked: Checked) -> None:
        ran = checked.bundle(Talk())
        assert ran.code == 3
        assert (checked.report["outcome"], checked.report["checks"]) == ("could-not-run", [])


class TestOptions:
    @pytest.mark.parametrize(("party", "code"), [("client", 0), ("server", 1), ("both", 1)])
    def test_party(self, checked: Checked, party: str, code: int) -> None:
        ran = checked.lines(BAD, "--party", party)
        assert ran.code == code
        named = {requirements.get(row).party for row in checked.report["coverage"]}
        assert named == (set(Party) if party == "both" else {Party(party)})
        again = f"--dialect speech-v2{'' if party == 'both' else f' --party {party}'}\n"
        assert (again in ran.out) == (code == 1)

    def test_dialect(self, checked: Checked) -> None:
        moved = [{**ASKED, "path": "/elsewhere"}, *GOOD[1:]]
        assert checked.lines(moved).code == 2
        assert checked.lines(moved, "--dialect", "speech-v2").code == 0
        checked.lines(GOOD, "--dialect", "speech-v1")
        assert checked.report["dialect"] == "speech-v1"

    @pytest.mark.parametrize("vantage", list(Vantage))
    def test_vantage(self, checked: Checked, vantage: Vantage) -> None:
        ran = checked.lines(BAD, "--vantage", vantage.value)
        assert checked.report["peer"]["vantage"] == vantage.value
        assert f"--vantage {vantage.value}" in ran.out

    def test_strict(self, checked: Checked) -> None:
        twice = Talk().open().header().audio().final("0").final("0").client_closes().server_closes()
        assert [checked.bundle(twice, options=options).code for options in ((), ("--strict",))] == [0, 1]

    @pytest.mark.parametrize("options", [("--only", "auth.*"), ("--skip", "w*")])
    def test_that_leave_no_case(self, checked: Checked, options: tuple[str, ...]) -> None:
        ran = checked.lines(GOOD, *options)
        assert ran.code == 3
        assert ran.complaint == "no case matches --only and --skip; recorded traffic has the case wire"

    def test_that_keep_the_case(self, checked: Checked) -> None:
        assert checked.lines(GOOD, "--only", "wire", "--skip", "auth.*").code == 0


class TestFiles:
    def test_that_are_not_there(self, speechwire: Speechwire, tmp_path: Path) -> None:
        ran = speechwire("check", "capture", tmp_path / "nothing")
        assert (ran.code, ran.complaint) == (2, f"{tmp_path / 'nothing'}: No such file or directory")

    def test_that_are_folders(self, speechwire: Speechwire, tmp_path: Path) -> None:
        ran = speechwire("check", "capture", tmp_path)
        assert (ran.code, ran.complaint) == (2, f"{tmp_path}: Is a directory")

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "line 1: expected a capture as JSON lines that begins with a handshake, or a bundle"),
            (b'{"t": 0.1, "event": "connected"}\n' * 2, "line 1: expected a capture as JSON lines"),
            (b"\x1b[2J", "line 1, column 1: expected JSON"),
            (b'{"kind": "handshake"}', "line 1, /t: expected a number, got nothing"),
            (b"\xff\xfe[\x00]\x00", "line 1: expected text in UTF-8, got the byte 0xff"),
            (json.dumps({"t": 0, **GOOD[2]}).encode(), 'line 1, /kind: expected "handshake" first, got "text"'),
            (json.dumps({"t": 0, **ASKED, "kind": "\u202e\x1b"}).encode(), 'got "\\u202e'),
        ],
    )
    def test_that_hold_something_else(self, checked: Checked, content: bytes, says: str) -> None:
        ran = checked.text(content)
        assert ran.code == 2
        assert says in ran.complaint
        assert str(checked.file) in ran.complaint
        assert "\x1b" not in ran.err

    def test_that_break_off(self, checked: Checked) -> None:
        checked.lines(GOOD)
        whole = checked.file.read_bytes()
        ran = checked.text(whole[:-20])
        assert ran.code == 2
        assert f"line {len(GOOD)}, column " in ran.complaint

    def test_of_reports_that_cannot_be_written(self, checked: Checked) -> None:
        ran = checked.lines(GOOD, "--junit", "/nowhere/report.xml")
        assert ran.code == 2
        assert "cannot write the report" in ran.complaint


class TestReports:
    def test_in_every_form_name_the_file(self, checked: Checked) -> None:
        junit, markdown = checked.folder / "report.xml", checked.folder / "report.md"
        ran = checked.lines(BAD, "--junit", str(junit), "--markdown", str(markdown))
        suite = ET.parse(junit).getroot()[0]  # noqa: S314 - our own report
        assert suite.get("name") == "speechwire.both.speech-v2"
        assert int(suite.get("failures", 0)) >= 1
        assert "| both |" in markdown.read_text("utf-8")
        for text in (ran.out, junit.read_text("utf-8"), markdown.read_text("utf-8")):
            assert checked.file.name.partition(".")[0] in text

    def test_show_no_credential(self, checked: Checked) -> None:
        again = [{**line, "text": line["text"].replace("test", KEY)} if "text" in line else line for line in BAD]
        files = [checked.folder / name for name in ("report.json", "report.xml", "report.md")]
        for lines in (BAD, again, [{**ASKED, "headers": []}, *BAD[1:]]):
            ran = checked.lines(lines, "--junit", str(files[1]), "--markdown", str(files[2]))
            assert ran.code == 1
            assert KEY not in ran.out + ran.err + "".join(file.read_text("utf-8") for file in files)
