"""The form of what a client sends: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.client_frames import RULES, meant
from conformance.judge.speech.reading import View
from protocol.wire import Kind, Party
from tests.unit.speech_transcript import ONE, STAMP, SpeechTalk

BENCH = Bench(View, RULES)
HEAD = f"X-Timestamp:{STAMP}\r\nPath:event\r\nX-RequestId:{ONE}\r\nContent-Type:application/json".encode()
BLOCK = f"X-Timestamp:{STAMP}\r\nPath:audio\r\nX-RequestId:{ONE}\r\n".encode()


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


def said(talk: SpeechTalk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


def text(data: bytes) -> SpeechTalk:
    talk = SpeechTalk().connect()
    talk.sends(data, Kind.TEXT)
    return talk


def binary(block: bytes, size: int | None = None) -> SpeechTalk:
    talk = SpeechTalk().connect()
    talk.sends((len(block) if size is None else size).to_bytes(2, "big") + block)
    return talk


class TestGood:
    def test_messages_keep_everything(self, talk: SpeechTalk) -> None:
        talk.config().context().riff().speech().stop()
        assert talk.wrong(BENCH, Party.CLIENT) == []
        judged = {name.removeprefix("speech.") for rule in RULES for name in rule.requirements}
        assert set(talk.places(BENCH, Party.CLIENT)) == judged

    def test_messages_of_the_native_sdk_lack_a_content_type(self, talk: SpeechTalk) -> None:
        talk.tells("speech.context", {}, headers=(("X-Timestamp", "2026-11-22T17:15:19.932Z"),))
        assert talk.wrong(BENCH, Party.CLIENT) == ["client.content-type"]

    def test_what_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        talk.sends(b"x", Kind.TEXT, deliberate="speech.client.frame-text")
        talk.config()
        assert [said.path for said in meant(View(talk.transcript()))] == ["speech.config"]
        assert talk.wrong(BENCH, Party.CLIENT) == []


class TestText:
    NAME = "frame-text"

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (HEAD.replace(b"\r\n", b"\n") + b"\n\n{}", "CRLF behind each header line"),
            (HEAD + b"\r\n", "an empty line behind the headers"),
            (HEAD + b"\r\n\r\n\xff", "UTF-8"),
        ],
    )
    def test_of_another_form_is_broken(self, data: bytes, expected: str) -> None:
        assert said(text(data), self.NAME)[0].endswith(f"expected {expected}")


class TestBinary:
    def test_without_its_length_is_broken(self) -> None:
        for talk in (binary(BLOCK, len(BLOCK) + 1), binary(b"X:" + b"x" * 8189 + b"\r\n")):
            assert "a length of two bytes up to 8192" in said(talk, "frame-binary")[0]
        short = SpeechTalk().connect()
        short.sends(b"\x00")
        assert said(short, "frame-binary")[0].startswith("0 in a message of 1 bytes;")

    @pytest.mark.parametrize("block", [BLOCK[:-2], BLOCK + b"\r\n", BLOCK[:-2] + b"\n\r\n"])
    def test_with_another_block_is_broken(self, block: bytes) -> None:
        talk = binary(block)
        assert said(talk, "frame-binary")[0].endswith("one line a header, with CRLF behind each")
        assert said(talk, "frame-ascii") == ["kept"]

    def test_with_other_letters_is_broken(self) -> None:
        assert said(binary(BLOCK + b"X:\xc3\xa4\r\n"), "frame-ascii")[0].endswith("expected headers in US-ASCII")


class TestHeaders:
    @pytest.mark.parametrize("data", [b"X-RequestId:1\r\n\r\n{}", b"Path:\r\n\r\n{}", b"nonsense"])
    def test_without_a_path_break_that_alone(self, data: bytes) -> None:
        talk = text(data)
        assert said(talk, "header-path") == ["none; expected a header Path that is not empty"]
        assert said(talk, "timestamp") == []

    def test_twice_are_broken(self) -> None:
        assert said(text(HEAD + b"\r\npath:x\r\n\r\n{}"), "header-once") == ["2; expected one header path"]

    @pytest.mark.parametrize("identity", ["", "1234", "0d8a77ee-0000-4000-8000-000000000000"])
    def test_with_another_id_are_broken(self, talk: SpeechTalk, identity: str) -> None:
        talk.tells("event", {}, identity)
        assert said(talk, "request-id") == [f"{identity!r}; expected 32 hex digits without dashes"]

    def test_without_an_id_are_broken_but_in_the_configuration(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("speech.config", {}, None), "request-id") == []
        assert said(talk.tells("event", {}, None), "request-id") == ["none; expected 32 hex digits without dashes"]

    def test_without_a_time_are_broken(self, talk: SpeechTalk) -> None:
        talk.tells("event", {}, headers=())
        assert said(talk, "timestamp") == ["none; expected a header X-Timestamp"]
        assert said(talk, "timestamp-form") == []

    @pytest.mark.parametrize("time", ["1763831719932", "2026-11-22T17:15:19Z", "2026-11-22T17:15:19.93212345Z"])
    def test_with_another_time_are_broken(self, talk: SpeechTalk, time: str) -> None:
        talk.tells("event", {}, headers=(("X-Timestamp", time),))
        assert said(talk, "timestamp") == ["kept"]
        assert said(talk, "timestamp-form") == [f"{time!r}; expected yyyy-MM-ddTHH:mm:ss.fffffffZ"]

    @pytest.mark.parametrize(
        ("value", "kept"),
        [("application/json", True), ("Application/JSON ; charset=utf-8", True), ("text/json", False)],
    )
    def test_say_what_a_body_is(self, talk: SpeechTalk, value: str, kept: bool) -> None:
        talk.tells("event", {}, headers=(("Content-Type", value),))
        assert (said(talk, "content-type") == ["kept"]) is kept

    def test_need_not_say_it_without_a_body(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("audio.commit", headers=()).speech(), "content-type") == []
