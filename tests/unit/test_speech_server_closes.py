"""The closes that the reference server gives for what a client does wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import requirements
from protocol.errors import PeerViolation
from protocol.speech.server.closes import close_for, normal, shortened
from protocol.wire import Close

FORMAT = "Incorrect message format."
DOCUMENTED = {
    "size-prefix": Close(1007, f"{FORMAT} Binary message has invalid header size prefix."),
    "header-size": Close(1007, f"{FORMAT} Binary message has invalid header size."),
    "binary-utf8": Close(1007, f"{FORMAT} Binary message headers decoding into UTF-8 failed."),
    "text-empty": Close(1007, f"{FORMAT} Text message contains no data."),
    "text-utf8": Close(1007, f"{FORMAT} Text message decoding into UTF-8 failed."),
    "text-separator": Close(1007, f"{FORMAT} Text message contains no header separator."),
    "path": Close(1002, "Missing/Empty header. Path."),
    "request-id": Close(1002, "Missing/Empty header. X-RequestId."),
    "request-id-form": Close(
        1002, "Invalid request. X-RequestId header value was not specified in no-dash UUID format."
    ),
}


def violation(requirement: str, observed: str = "another") -> PeerViolation:
    return PeerViolation(f"speech.{requirement}", "offset 0", "this", observed)


class TestCloseFor:
    @pytest.mark.parametrize(("name", "close"), DOCUMENTED.items())
    def test_is_as_documented(self, name: str, close: Close) -> None:
        assert close_for(violation(f"malformed.{name}")) == close

    @pytest.mark.parametrize(
        ("name", "code", "word"),
        [
            ("malformed.header-line", 1007, "Name:Value"),
            ("malformed.duplicate-header", 1002, "twice"),
            ("context.reused-id", 1002, "Reuse of request identifiers is not allowed"),
        ],
    )
    def test_says_what_was_wrong(self, name: str, code: int, word: str) -> None:
        close = close_for(violation(name))
        assert close.code == code
        assert word in close.reason

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("malformed.text-size", 1009),
            ("malformed.binary-size", 1009),
            ("malformed.context-json", 1007),
            ("audio.bad-format", 1007),
        ],
    )
    def test_of_anything_else_is_the_sentence_of_the_violation(self, name: str, code: int) -> None:
        assert requirements.get(f"speech.{name}")
        assert close_for(violation(name)) == Close(code, "offset 0: expected this, got another")

    def test_fits_into_a_close_frame(self) -> None:
        assert len(close_for(violation("audio.bad-format", "é" * 200)).reason.encode()) <= 123

    @pytest.mark.parametrize("name", [*DOCUMENTED, "header-line", "duplicate-header"])
    def test_is_of_a_requirement_in_the_register(self, name: str) -> None:
        assert requirements.get(f"speech.malformed.{name}").id == f"speech.malformed.{name}"
        assert len(close_for(violation(f"malformed.{name}")).reason) < 123


def test_normal_is_1000() -> None:
    assert normal("the connection was idle for too long") == Close(1000, "the connection was idle for too long")


class TestShortened:
    def test_cuts_no_character_in_two(self) -> None:
        assert shortened("é" * 100) == "é" * 61

    @given(st.text())
    def test_is_the_beginning_of_the_reason(self, reason: str) -> None:
        short = shortened(reason)
        assert reason.startswith(short)
        assert len(short.encode()) <= 123
        assert short == reason or len(short.encode()) > 123 - 4
