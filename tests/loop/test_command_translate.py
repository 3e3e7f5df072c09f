"""`speechwire translate`, run as its users run it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import schemas
from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import parse_file

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

KEY = ("--key", "test-key")
BURST = ("--pace", "0")
CLEAR = "corpus:clear-1"
RECOGNITION = "The train to the airport leaves at half past nine."
TRANSLATION = "O trem para o aeroporto sai às nove e meia."


class TestForAPerson:
    def test_shows_what_the_server_says_while_it_says_it(self, speechwire: Speechwire, server: Serving) -> None:
        begun = time.monotonic()
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY)
        assert (ran.code, ran.err) == (0, "")
        lines = ran.out.splitlines()
        assert lines[-3:] == [f"0 {RECOGNITION}", f"  = {TRANSLATION}", "closed 1000"]
        partials = [line for line in lines if "→" in line]
        assert len(partials) >= 2
        assert all(line.startswith("  ") for line in partials)
        assert time.monotonic() - begun > 2.5, "by default it speaks at the speed of speech"

    def test_takes_a_file(self, speechwire: Speechwire, server: Serving) -> None:
        file = schemas.corpus_dir() / "clear-1.wav"
        ran = speechwire("translate", file, "--url", server.url, *KEY, *BURST)
        assert (ran.code, f"0 {RECOGNITION}" in ran.out) == (0, True)

    def test_says_when_nothing_was_heard(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "ends.json"
        script.write_text('{"defaults": [{"end": {"before": "final", "code": 1011, "reason": "no idea"}}]}', "utf-8")
        with speechwire.serve("--script", script) as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST)
        assert ran.code == 1
        assert ran.out.splitlines()[-2:] == [
            "closed 1011 Internal Server Error: no idea",
            "incomplete: no final has come",
        ]


class TestForAProgram:
    @pytest.fixture(scope="class")
    @classmethod
    def ran(cls, speechwire: Speechwire, server: Serving, tmp_path_factory: pytest.TempPathFactory) -> Ran:
        folder = tmp_path_factory.mktemp("voices") / "new" / "folder"
        ran = speechwire(
            "translate", "corpus:pair", "--url", server.url, *KEY, *BURST, "--json", "--voice", "auto", "--save", folder
        )
        assert (ran.code, ran.err) == (0, "")
        return ran

    def test_each_line_is_an_event(self, ran: Ran) -> None:
        events = [line["event"] for line in ran.lines]
        assert events[-1] == "closed"
        assert [event for event in events if event != "partial"] == ["final", "voice", "final", "voice", "closed"]
        assert ran.lines[-1] == {"event": "closed", "code": 1000, "reason": "", "complete": True}

    def test_results_have_ids_texts_and_times_in_ticks(self, ran: Ran) -> None:
        finals = [line for line in ran.lines if line["event"] == "final"]
        assert [final["id"] for final in finals] == ["0", "1"]
        assert [final["recognition"] for final in finals] == [
            "I would like a cup of coffee.",
            "Can you tell me where the station is?",
        ]
        first, second = finals
        assert 0 < first["offset"] < first["offset"] + first["duration"] < second["offset"]
        partials = [line for line in ran.lines if line["event"] == "partial"]
        assert {partial["id"].partition(".")[0] for partial in partials} == {"0", "1"}

    def test_voices_are_saved_as_files_that_play(self, ran: Ran) -> None:
        voices = [line for line in ran.lines if line["event"] == "voice"]
        assert [voice["id"] for voice in voices] == ["0", "1"]
        for voice in voices:
            data = Path(voice["file"]).read_bytes()
            assert len(data) == voice["bytes"]
            header, samples = parse_file(data)
            assert header.format == PcmFormat(16_000)
            assert rms_dbfs(samples) > -40.0

    def test_mp3(self, speechwire: Speechwire, server: Serving, tmp_path: Path) -> None:
        spoken = ("--voice", "pt-BR-Daniel", "--format", "audio/mp3", "--save", tmp_path)
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", *spoken)
        file = tmp_path / "voice-0.mp3"
        (voice,) = (line for line in ran.lines if line["event"] == "voice")
        assert voice["file"] == str(file)
        data = file.read_bytes()
        assert (data[0], data[1] & 0xE0) == (0xFF, 0xE0)
        assert "voice=pt-BR-Daniel" in server.received()[-1]["request"]["target"]

    def test_a_session_that_breaks_off(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "breaks.json"
        script.write_text('{"defaults": [{"end": {"before": "final", "abrupt": true}}]}', "utf-8")
        with speechwire.serve("--script", script) as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST, "--json")
        assert ran.code == 1
        assert ran.lines[-1] == {"event": "closed", "code": 1006, "reason": "", "complete": False}

    def test_a_message_that_breaks_the_protocol(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--fault", "translator.partial.fields/no-recognition") as serving:
            ran = speechwire("translate", CLEAR, "--url", serving.url, *KEY, *BURST, "--json")
        assert ran.code == 1
        assert {line["requirement"] for line in ran.lines if line["event"] == "error"} == {"translator.partial.fields"}


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(("action", "word"), [("NoAction", "\\w+"), ("Deleted", "")])
    def test_profanities(self, speechwire: Speechwire, server: Serving, action: str, word: str) -> None:
        ran = speechwire(
            "translate", "corpus:profanity", "--url", server.url, *KEY, *BURST, "--json", "--profanity", action
        )
        manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_text("utf-8"))
        (entry,) = (recording for recording in manifest["recordings"] if recording["id"] == "profanity")
        said = re.escape(entry["text"])
        for profanity in entry["profanities"]:
            said = said.replace(re.escape(profanity), word)
        finals = " ".join(line["recognition"] for line in ran.lines if line["event"] == "final")
        assert re.fullmatch(said, finals)

    def test_languages_and_headers(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json"),
            *("--from", "en", "--to", "ja", "--header", "X-CorrelationId: abc", "--header", "X-OsPlatform: none"),
        )
        assert ran.code == 0
        request = server.received()[-1]["request"]
        headers = {name.lower(): value for name, value in request["headers"]}
        assert "from=en&to=ja" in request["target"]
        assert (headers["x-correlationid"], headers["x-osplatform"]) == ("abc", "none")
        assert len(headers["x-clienttraceid"]) == 36

    def test_the_key_may_be_in_the_environment(self, speechwire: Speechwire, server: Serving) -> None:
        good = speechwire("translate", CLEAR, "--url", server.url, *BURST, env={"SPEECHWIRE_KEY": "test-key"})
        bad = speechwire("translate", CLEAR, "--url", server.url, *BURST, env={"SPEECHWIRE_KEY": "another"})
        assert (good.code, bad.code) == (0, 3)
