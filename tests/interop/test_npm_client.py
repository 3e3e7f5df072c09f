"""The package ms-translator-speech-service 1.4.0 from npm, unmodified: it works, and it is judged fairly."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from protocol.riff import parse_file

if TYPE_CHECKING:
    from tests.conftest import Serving
    from tests.interop.conftest import Exchange, Judged, Laboratory, Outcome

SCRIPT = Path(__file__).parent / "node" / "translate.js"
PACKAGE = SCRIPT.parent / "node_modules" / "ms-translator-speech-service" / "package.json"
pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(not PACKAGE.is_file(), reason="the package is not installed; `make install` fetches it"),
]

SPEAKING = {"toLanguage": "pt", "features": {"textToSpeech": True}, "voice": "pt-BR-Maria", "format": "audio/wav"}
SILENCE = 160_000  # bytes that the package adds to every file
CHUNK = 32_000
CONTINUATION, BINARY, CLOSE = 0x0, 0x2, 0x8


def command(url: str, recording: Path | str, **options: Any) -> tuple[str | Path, ...]:
    return "node", SCRIPT, url, recording, json.dumps(options)


def query(exchange: Exchange) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(exchange.request_line.split()[1]).query, keep_blank_values=True)


def test_it_is_the_version_that_the_facts_speak_of() -> None:
    assert json.loads(PACKAGE.read_text("utf-8"))["version"] == "1.4.0"


@pytest.fixture(scope="module")
def written(laboratory: Laboratory, recording: Path) -> Outcome:
    """Give a session with finals alone."""
    outcome = laboratory.run(*command("{url}", recording, toLanguage="pt"))
    assert outcome.code == 0
    assert outcome.told("error") == []
    return outcome


@pytest.fixture(scope="module")
def spoken(laboratory: Laboratory, recording: Path) -> Outcome:
    """Give a session with a voice."""
    outcome = laboratory.run(*command("{url}", recording, **SPEAKING))
    assert outcome.code == 0
    return outcome


class TestWithText:
    def test_asks_for_a_token_with_an_empty_body(self, written: Outcome) -> None:
        asked = written.exchanges[0]
        assert asked.request_line == "POST /sts/v1.0/issueToken HTTP/1.1"
        assert asked.headers["ocp-apim-subscription-key"] == "test-key"
        assert asked.headers["content-length"] == "0"
        assert asked.status == 200
        assert asked.body.count(b".") == 2

    def test_opens_the_session_with_that_token(self, written: Outcome) -> None:
        asked, session = written.exchanges
        assert session.status == 101
        assert session.headers["authorization"] == f"Bearer {asked.body.decode()}"
        assert uuid.UUID(session.headers["x-clienttraceid"])
        assert "sec-websocket-protocol" not in session.headers
        assert query(session) == [
            ("api-version", "1.0"),
            ("from", "en"),
            ("to", "pt"),
            ("ProfanityMarker", "Asterisk"),
            ("ProfanityAction", "Marked"),
        ]

    def test_sends_a_second_at_a_time_with_the_header_inside_the_first(self, written: Outcome, recording: Path) -> None:
        audio = written.exchanges[1].audio_sent
        assert {len(message) for message in audio[:-1]} == {CHUNK}
        whole = recording.read_bytes() + bytes(SILENCE)
        sent = b"".join(audio)
        assert audio[0][:4] == b"RIFF"
        assert sent == whole[: len(sent)]

    def test_sends_binary_messages_alone(self, written: Outcome) -> None:
        """Its WebSocket library cuts what is longer than 16 KiB into frames, which are put together again."""
        *frames, close = written.exchanges[1].frames_sent
        assert {frame.opcode for frame in frames} == {BINARY, CONTINUATION}
        assert close.opcode == CLOSE
        assert all(frame.masked for frame in frames)

    def test_gets_the_final_while_it_is_still_sending(self, written: Outcome) -> None:
        (text,) = written.told("text")
        assert text["result"] == {
            "type": "final",
            "id": "0",
            "recognition": "The train to the airport leaves at half past nine.",
            "translation": "O trem para o aeroporto sai às nove e meia.",
        }

    def test_closes_normally(self, written: Outcome) -> None:
        close = written.exchanges[1].frames_sent[-1].payload
        answer = written.exchanges[1].frames_got[-1]
        assert close == (1000).to_bytes(2, "big") + b"Normal connection closure"
        assert (answer.opcode, answer.payload[:2]) == (CLOSE, close[:2])
        assert [members["code"] for members in written.told("close")] == [1000]


class TestWithVoice:
    def test_gets_one_text_and_one_assembled_voice(self, spoken: Outcome) -> None:
        kinds = [members["event"] for members in spoken.events]
        assert kinds[:2] == ["text", "binary"]
        assert (kinds.count("text"), kinds.count("binary")) == (1, 1)
        assert spoken.told("binary")[0]["first"] == "RIFF"

    def test_that_was_one_fragmented_message_and_a_whole_file(self, spoken: Outcome) -> None:
        frames = spoken.exchanges[1].frames_got[1:-1]
        assert [frame.opcode for frame in frames] == [BINARY, *[CONTINUATION] * (len(frames) - 1)]
        assert [frame.final for frame in frames] == [*[False] * (len(frames) - 1), True]
        file = b"".join(frame.payload for frame in frames)
        header, samples = parse_file(file)
        assert (header.format.rate, header.format.channels) == (16_000, 1)
        assert spoken.told("binary")[0]["bytes"] == len(file) == header.length + len(samples)

    def test_asks_for_it_in_lower_case_words(self, spoken: Outcome) -> None:
        asked = dict(query(spoken.exchanges[1]))
        assert (asked["features"], asked["voice"], asked["format"]) == ("texttospeech", "pt-BR-Maria", "audio/wav")

    def test_is_noted_down_by_the_server_without_its_token(self, spoken: Outcome, server: Serving) -> None:
        session = server.received()[-1]
        headers = {name.lower(): value for name, value in session["request"]["headers"]}
        assert headers["authorization"] == "(hidden)"
        assert session["received"]["first_bytes"].startswith("52 49 46 46")
        assert session["sent"][1]["frames"] > 1
        assert session["close"] == {"by": "client", "code": 1000, "reason": "Normal connection closure"}


class TestWithEverything:
    def test_partials_and_times(self, laboratory: Laboratory, recording: Path) -> None:
        options = {"toLanguage": "pt", "features": {"partial": True, "timingInfo": True}, "profanityAction": "Deleted"}
        outcome = laboratory.run(*command("{url}", recording, **options, correlationId="A1B2-c.d_3"))
        *partials, final = [members["result"] for members in outcome.told("text")]
        assert partials
        assert {partial["type"] for partial in partials} == {"partial"}
        assert all(partial["audioTimeOffset"] == final["audioTimeOffset"] for partial in partials)
        assert dict(query(outcome.exchanges[1]))["X-CorrelationId"] == "A1B2-c.d_3"
        assert outcome.told("close")[0]["code"] == 1000

    def test_mp3(self, laboratory: Laboratory, recording: Path) -> None:
        outcome = laboratory.run(*command("{url}", recording, **{**SPEAKING, "format": "audio/mp3"}))
        (voice,) = outcome.told("binary")
        assert voice["first"] != "RIFF"
        assert voice["first"][0] == "\xff"

    def test_a_wrong_key_ends_in_an_error_and_not_in_a_hang(self, laboratory: Laboratory, recording: Path) -> None:
        """The package takes whatever the token service answers for a token; the 401 of the session is what it sees."""
        outcome = laboratory.run(*command("{url}", recording, subscriptionKey="wrong"))
        assert outcome.code == 1
        assert [exchange.status for exchange in outcome.exchanges] == [401, 401]
        assert "401" in outcome.told("error")[0]["message"]


class TestJudged:
    """What `check client` says of the package: each departure is true, is one that named clients make, and is mild."""

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
            "profanity-known",
            "target-key",
            "trace-id",
            "trace-id-guid",
            "waits-for-final",
        }
    )
    SPOKEN: Final = frozenset({"features-known", "format-known", "voice-known", "voice-matches"})
    LARGE: Final = {"chunk-size": "non-strict"}  # 32,000 bytes are a second of audio; about 100 ms are recommended (A9)
    SHORT: Final = {"source-key": "non-strict"}  # its default is `en`, which is no key of the speech languages (C1)

    @staticmethod
    def expected(departures: dict[str, str], *kept: frozenset[str]) -> dict[str, str]:
        return {**dict.fromkeys(frozenset().union(*kept), "ok"), **departures}

    def test_as_it_is(self, judged: Judged) -> None:
        """It sends 5 s of silence, but leaves at the final, before 2.5 s are out: neither kept nor broken."""
        code, verdicts = judged(*command("{url}", "{wav}", toLanguage="pt"))
        assert verdicts.pop("silence", "ok") == "ok"
        assert verdicts == self.expected({**self.LARGE, **self.SHORT}, self.KEPT)
        assert code == 0

    def test_with_a_speech_key_and_a_voice(self, judged: Judged) -> None:
        code, verdicts = judged(*command("{url}", "{wav}", fromLanguage="en-US", **SPEAKING))
        assert verdicts.pop("silence", "ok") == "ok"
        assert verdicts == self.expected(self.LARGE, self.KEPT, self.SPOKEN, frozenset({"source-key"}))
        assert code == 0

    def test_strictly(self, judged: Judged) -> None:
        code, _ = judged(*command("{url}", "{wav}", toLanguage="pt"), options=["--strict"])
        assert code == 1

    def test_over_tls(self, judged: Judged) -> None:
        trusting = ("env", "NODE_EXTRA_CA_CERTS={ca}")
        code, verdicts = judged(*trusting, *command("{url}", "{wav}", fromLanguage="en-US"), options=["--tls"])
        assert code == 0
        assert verdicts["header-first"] == "ok"
