"""A program in the manner of the service's Python quickstart, on the library websocket-client."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from protocol.riff import parse_file

if TYPE_CHECKING:
    from tests.conftest import Serving
    from tests.interop.conftest import Judged, Laboratory, Outcome

PROGRAM = (sys.executable, str(Path(__file__).with_name("quickstart.py")))
SILENCE = bytes(32_000)
CONTINUATION, TEXT, BINARY, CLOSE = 0x0, 0x1, 0x2, 0x8


@pytest.fixture(scope="module")
def written(laboratory: Laboratory, recording: Path) -> Outcome:
    """Give a session with finals alone."""
    outcome = laboratory.run(*PROGRAM, "{url}", recording)
    assert outcome.code == 0
    assert outcome.told("error") == []
    return outcome


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file into which the voice goes."""
    return tmp_path_factory.mktemp("quickstart") / "voice.wav"


@pytest.fixture(scope="module")
def spoken(laboratory: Laboratory, recording: Path, voice: Path) -> Outcome:
    """Give a session with a voice."""
    outcome = laboratory.run(*PROGRAM, "{url}", recording, "--voice", "pt-BR-Maria", "--save", voice)
    assert outcome.code == 0
    return outcome


class TestWithText:
    def test_logs_in_with_its_key_alone(self, written: Outcome) -> None:
        (session,) = written.exchanges
        assert session.status == 101
        assert session.headers["ocp-apim-subscription-key"] == "test-key"
        assert "authorization" not in session.headers
        asked = parse_qs(urlsplit(session.request_line.split()[1]).query)
        assert asked == {"api-version": ["1.0"], "from": ["en-US"], "to": ["pt"]}

    def test_sends_the_file_and_a_second_of_silence_as_two_messages(self, written: Outcome, recording: Path) -> None:
        file, silence, close = written.exchanges[0].frames_sent
        assert [frame.opcode for frame in (file, silence, close)] == [BINARY, BINARY, CLOSE]
        assert file.payload == recording.read_bytes()
        assert silence.payload == SILENCE

    def test_sees_the_final_as_a_text_frame(self, written: Outcome) -> None:
        (text,) = written.told("text")
        assert (text["opcode"], text["last"]) == (TEXT, True)
        assert text["result"]["recognition"] == "The train to the airport leaves at half past nine."

    def test_closes_normally(self, written: Outcome) -> None:
        (close,) = written.told("close")
        assert close["code"] == 1000


class TestWithVoice:
    def test_sees_text_as_text_and_the_voice_as_a_last_continuation(self, spoken: Outcome) -> None:
        seen = [(members["event"], members["opcode"], members["last"]) for members in spoken.events[:-1]]
        assert seen == [("text", TEXT, True), ("data", CONTINUATION, True)]

    def test_which_is_how_the_library_reports_one_fragmented_message(self, spoken: Outcome) -> None:
        frames = spoken.exchanges[0].frames_got[1:-1]
        assert [frame.opcode for frame in frames] == [BINARY, *[CONTINUATION] * (len(frames) - 1)]
        assert [frame.final for frame in frames] == [*[False] * (len(frames) - 1), True]
        assert spoken.told("data")[0]["bytes"] == sum(len(frame.payload) for frame in frames)

    def test_saves_a_file_that_plays(self, spoken: Outcome, voice: Path) -> None:
        header, samples = parse_file(voice.read_bytes())
        assert header.format.rate == 16_000
        assert len(samples) > header.format.bytes_per_second

    def test_closes_normally(self, spoken: Outcome, server: Serving) -> None:
        assert spoken.told("close")[0]["code"] == 1000
        assert server.received()[-1]["close"] == {"by": "client", "code": 1000, "reason": ""}


class TestJudged:
    """What `check client` says of it: each departure is true, is one that the quickstarts make, and is mild."""

    KEPT: Final = frozenset(
        {
            "api-version",
            "binary-only",
            "close-code",
            "closes",
            "credentials",
            "credentials-once",
            "header-first",
            "no-subprotocol",
            "pcm-format",
            "silence",
            "source-key",
            "target-key",
            "waits-for-final",
        }
    )
    SPOKEN: Final = frozenset({"features-known", "voice-known", "voice-matches"})
    DEPARTURES: Final = {
        "trace-id": "non-strict",  # it sends no X-ClientTraceId, which is recommended (2.2)
        "chunk-size": "non-strict",  # the whole file is one message; about 100 ms are recommended (A9, A10)
    }

    def test_as_it_is(self, judged: Judged) -> None:
        code, verdicts = judged(*PROGRAM, "{url}", "{wav}", "--from", "{from}", "--to", "{to}", "--key", "{key}")
        assert verdicts == {**dict.fromkeys(self.KEPT, "ok"), **self.DEPARTURES}
        assert code == 0

    def test_with_a_voice(self, judged: Judged) -> None:
        code, verdicts = judged(*PROGRAM, "{url}", "{wav}", "--voice", "{voice}")
        assert verdicts == {**dict.fromkeys(self.KEPT | self.SPOKEN, "ok"), **self.DEPARTURES}
        assert code == 0

    def test_strictly(self, judged: Judged) -> None:
        code, _ = judged(*PROGRAM, "{url}", "{wav}", options=["--strict"])
        assert code == 1
