"""The form of what a server sends: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.framing import RULES, shown
from conformance.judge.speech.reading import View
from protocol.wire import Kind
from tests.unit.speech_transcript import ONE, SpeechTalk, context

BENCH = Bench(View, RULES)
HEAD = f"X-RequestId:{ONE}\r\nContent-Type:application/json\r\nPath:turn.end".encode()


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


def text(data: bytes) -> SpeechTalk:
    talk = SpeechTalk().connect()
    talk.replies(data, Kind.TEXT)
    return talk


def binary(block: bytes, payload: bytes = b"x", size: int | None = None) -> SpeechTalk:
    talk = SpeechTalk().connect()
    talk.replies((len(block) if size is None else size).to_bytes(2, "big") + block + payload)
    return talk


BLOCK = f"X-RequestId:{ONE}\r\nPath:audio\r\n".encode()


class TestText:
    """speech.frame.text-crlf, text-separator, one-separator, text-json."""

    def test_as_it_should_be_keeps_all(self, talk: SpeechTalk) -> None:
        talk.says("turn.start", {"context": {}}).plays()
        names = ("text-crlf", "text-separator", "one-separator", "text-json")
        assert list(talk.both(BENCH, *(f"frame.{name}" for name in names))) == [["kept"]] * 4

    @pytest.mark.parametrize("end", [b"\n", b"\r"])
    def test_with_another_line_end_is_broken_and_no_more(self, end: bytes) -> None:
        talk = text(HEAD.replace(b"\r\n", end) + end + end + b"{}")
        assert talk.said(BENCH, "frame.text-crlf")[0].endswith("expected CRLF behind each header line")
        assert "frame.text-separator" not in talk.places(BENCH)
        assert "at offset" in talk.said(BENCH, "frame.text-crlf")[0]

    def test_without_an_empty_line_is_broken(self) -> None:
        talk = text(HEAD + b"\r\n")
        assert talk.said(BENCH, "frame.text-separator")[0].endswith("an empty line behind the headers")
        assert talk.said(BENCH, "frame.text-crlf") == ["kept"]

    def test_with_two_empty_lines_is_broken(self) -> None:
        talk = text(HEAD + b'\r\n\r\n{\r\n\r\n"a":1}')
        assert talk.wrong(BENCH) == ["frame.one-separator"]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("turn.start", b"{"),
            ("turn.end", b"[]"),
            ("speech.endDetected", b"null"),
            ("my.own", b"hello"),
            ("turn.start", b""),
            ("speech.phrase", b'{"a":"\xff"}'),
        ],
    )
    def test_with_another_body_is_broken(self, talk: SpeechTalk, path: str, body: bytes) -> None:
        found = talk.says(path, body).said(BENCH, "frame.text-json")
        assert "expected one JSON object in UTF-8" in found[0]

    @pytest.mark.parametrize("path", ["turn.end", "speech.endDetected", "my.own"])
    def test_may_have_no_body_or_leaves_that_to_another(self, talk: SpeechTalk, path: str) -> None:
        assert talk.says(path, b"").said(BENCH, "frame.text-json") == []


class TestBinary:
    """speech.frame.binary-size, binary-ascii, known-binary."""

    def test_as_it_should_be_keeps_all(self, talk: SpeechTalk) -> None:
        talk.plays(path="translation.synthesis")
        names = ("binary-size", "binary-ascii", "known-binary")
        assert list(talk.both(BENCH, *(f"frame.{name}" for name in names))) == [["kept"]] * 3

    def test_that_is_too_short_is_broken(self) -> None:
        talk = SpeechTalk().connect()
        talk.replies(b"\x00").replies(b"\x00\x09Path")
        assert talk.said(BENCH, "frame.binary-size") == [
            "1 bytes; expected a length of two bytes, and so many bytes behind it",
            "a length of 9 in a message of 6 bytes; expected a length of two bytes, and so many bytes behind it",
        ]

    @pytest.mark.parametrize(("size", "verdict"), [(8193, " (non-strict)"), (0x8000, "")])
    def test_with_long_headers_is_broken_as_gravely_as_somebody_breaks(self, size: int, verdict: str) -> None:
        talk = binary(BLOCK + b"X:" + b"x" * (size - len(BLOCK) - 4) + b"\r\n")
        assert talk.said(BENCH, "frame.binary-size") == [
            f"{size} bytes; expected headers of at most 8192 bytes{verdict}"
        ]

    @pytest.mark.parametrize("block", [BLOCK + b"X:\xc3\xa4\r\n", BLOCK[:-2], BLOCK + b"\r\n", BLOCK[:-2] + b"\n"])
    def test_with_another_block_is_broken(self, block: bytes) -> None:
        talk = binary(block)
        assert talk.wrong(BENCH)[:1] == ["frame.binary-ascii"]
        assert talk.said(BENCH, "frame.binary-size") == ["kept"]

    def test_of_an_unknown_path_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.plays(path="my.own").said(BENCH, "frame.known-binary") == [
            "my.own; expected translation.synthesis or audio"
        ]

    def test_without_a_path_is_another_requirements_matter(self) -> None:
        talk = binary(b"X-RequestId:1\r\n")
        assert talk.said(BENCH, "frame.known-binary") == []
        assert talk.wrong(BENCH) == ["frame.header-path"]


class TestHeaders:
    def test_as_they_should_be_keep_all(self, talk: SpeechTalk) -> None:
        talk.says("turn.start", {"a": 1})
        names = ("header-path", "header-request-id", "header-once", "header-case", "path-case", "content-type")
        assert list(talk.both(BENCH, *(f"frame.{name}" for name in names))) == [["kept"]] * 6
        assert talk.said(BENCH, "frame.no-timestamp") == talk.said(BENCH, "frame.known-text") == ["kept"]

    def test_that_are_missing_are_broken(self) -> None:
        assert "frame.header-path" in text(b"X-RequestId:1\r\n\r\n{}").wrong(BENCH)
        assert text(b"Path:turn.end\r\n\r\n").wrong(BENCH) == ["frame.header-request-id"]
        assert text(b"nonsense").said(BENCH, "frame.header-path") == ["'nonsense'; expected a header Path"]

    def test_that_are_doubled_or_spelled_otherwise_are_broken(self) -> None:
        talk = text(b"path:turn.end\r\nX-RequestId:1\r\nx-requestid:2\r\nX-Timestamp:1\r\n\r\n")
        assert talk.wrong(BENCH) == ["frame.header-once", "frame.header-case", "frame.no-timestamp"]
        assert talk.said(BENCH, "frame.header-once") == ["2; expected one header X-RequestId"]
        assert talk.said(BENCH, "frame.header-case") == ["path; expected Path"]

    def test_a_path_in_another_case_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.says("speech.enddetected", {}).said(BENCH, "frame.path-case") == [
            "speech.enddetected; expected speech.endDetected"
        ]

    def test_a_path_of_nobody_is_told(self, talk: SpeechTalk) -> None:
        assert talk.says("my.own", {}).wrong(BENCH) == ["frame.known-text"]

    @pytest.mark.parametrize(
        ("value", "wrong"),
        [("application/json", False), ("Application/JSON; charset=UTF-8", False), ("text/plain", True), (None, True)],
    )
    def test_a_body_has_a_content_type(self, talk: SpeechTalk, value: str | None, wrong: bool) -> None:
        talk.says("turn.start", {}, headers=(("Content-Type", value),) if value else ())
        assert bool(talk.wrong(BENCH)) is wrong

    def test_no_body_needs_none(self, talk: SpeechTalk) -> None:
        assert talk.says("turn.end", b"", headers=()).said(BENCH, "frame.content-type") == []


class TestContinuation:
    NAME = "frame.continuation"
    HEADERS = (("X-Continuation-Token", "t"),)

    def test_that_was_asked_for_is_kept(self, talk: SpeechTalk) -> None:
        talk.tells("speech.context", {**context(), "audio": {"streams": {"1": None}}})
        assert talk.says("turn.start", {}, headers=self.HEADERS).said(BENCH, self.NAME) == ["kept"]

    def test_that_was_not_asked_for_is_broken(self, talk: SpeechTalk) -> None:
        talk.context().says("turn.start", {}, headers=self.HEADERS).done()
        assert talk.said(BENCH, self.NAME) == [
            "X-Continuation-Token; expected no such header: speech.context has no audio.streams"
        ]

    def test_in_a_turn_without_a_context_is_broken(self, talk: SpeechTalk) -> None:
        talk.riff().says("turn.start", {}, headers=self.HEADERS)
        assert talk.wrong(BENCH).count(self.NAME) == 1


class TestShown:
    def test_is_cut(self) -> None:
        assert shown(b"ab") == "'ab'"
        assert shown(b"a" * 61).endswith("a'…")
