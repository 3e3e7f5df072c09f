"""What the server remembers of its sessions: enough to test a client by, bounded, and no credential."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.audio import PcmFormat
from protocol.wire import Abort, Close, Fragment, HttpRequest, Kind, Message, PeerClosed
from reference_server.journal import HIDDEN, Journal, Record, redacted_target

SECRET = "hunter2"
REQUEST = HttpRequest(
    "GET",
    f"/speech/translate?from=en-US&access_token={SECRET}&to=pt",
    (("Authorization", f"Bearer {SECRET}"), ("X-ClientTraceId", "1234"), ("ocp-apim-subscription-key", SECRET)),
)


def record(messages: int = 10) -> Record:
    return Journal(10, messages).open("translator", REQUEST, "the-id", 100.0)


def binary(data: bytes, *, first: bool = True) -> Fragment:
    return Fragment(101.0, Kind.BINARY, data, first)


class TestCredentials:
    def test_are_not_kept(self) -> None:
        document = record().document()
        assert SECRET not in json.dumps(document)
        assert document["request"] == {
            "target": f"/speech/translate?from=en-US&access_token={HIDDEN}&to=pt",
            "headers": [
                ["Authorization", HIDDEN],
                ["X-ClientTraceId", "1234"],
                ["ocp-apim-subscription-key", HIDDEN],
            ],
        }

    @pytest.mark.parametrize(
        ("target", "kept"),
        [
            ("/a", "/a"),
            ("/a?", "/a?"),
            ("/a?x=1&y=%20z", "/a?x=1&y=%20z"),
            ("/a?Subscription-Key=s", "/a?Subscription-Key=(hidden)"),
            ("/a?subscription%2Dkey=s&x=1", "/a?subscription%2Dkey=(hidden)&x=1"),
            ("/a?access_token=a=b=c", "/a?access_token=(hidden)"),
            ("/a?x=1;ACCESS_TOKEN=s;y=2", "/a?x=1;ACCESS_TOKEN=(hidden);y=2"),
        ],
    )
    def test_in_the_query_are_hidden_and_the_rest_stays(self, target: str, kept: str) -> None:
        assert redacted_target(target) == kept


class TestReceived:
    def test_audio_is_counted(self) -> None:
        one = record()
        one.received(binary(b"RIFF" + bytes(40)))
        one.started(PcmFormat(16_000), 0)
        one.heard(0)
        for first in (True, False):
            one.received(binary(bytes(16_000), first=first))
            one.heard(16_000)
        received = one.document()["received"]
        assert received["messages"] == 2
        assert received["bytes"] == 32_044
        assert received["header_bytes"] == 44
        assert received["audio_seconds"] == 1.0
        assert (received["rate"], received["turns"]) == (16_000, 1)
        assert received["first_bytes"].startswith("52 49 46 46 00")
        assert len(bytes.fromhex(received["first_bytes"])) == 64

    def test_a_header_with_audio_behind_it_is_told_apart(self) -> None:
        one = record()
        one.received(binary(bytes(46 + 101)))
        one.started(PcmFormat(8000), 100)
        assert one.document()["received"]["header_bytes"] == 46

    def test_turns_add_up(self) -> None:
        one = record()
        for rate in (16_000, 8000):
            one.received(binary(bytes(44 + 16_000)))
            one.started(PcmFormat(rate), 16_000)
            one.heard(16_000)
        received = one.document()["received"]
        assert (received["turns"], received["header_bytes"]) == (2, 44)
        assert (received["rate"], received["audio_seconds"]) == (8000, 1.5)

    def test_audio_for_nobody_is_not_counted(self) -> None:
        one = record()
        one.heard(16_000)
        assert one.document()["received"]["audio_seconds"] is None

    def test_without_a_header_nothing_is_claimed(self) -> None:
        one = record()
        one.received(binary(bytes(10)))
        received = one.document()["received"]
        assert (received["header_bytes"], received["rate"], received["audio_seconds"]) == (None, None, None)

    def test_text_is_kept_in_bounds(self) -> None:
        one = record(messages=2)
        for _ in range(5):
            one.received(Fragment(1.0, Kind.TEXT, b"\xff" * 5000))
        received = one.document()["received"]
        assert received["messages"] == 5
        assert [len(text) for text in received["texts"]] == [4096, 4096]


class TestSent:
    def test_messages_are_kept_with_their_time(self) -> None:
        one = record()
        one.sent(Message.text('{"type":"final"}'), 101.5)
        one.sent(Message.binary(b"RIFF" + bytes(96), 50), 102.0)
        assert one.document()["sent"] == [
            {"seconds": 1.5, "text": '{"type":"final"}'},
            {"seconds": 2.0, "bytes": 100, "frames": 2, "first_bytes": (b"RIFF" + bytes(60)).hex(" ")},
        ]

    def test_only_so_many_are(self) -> None:
        one = record(messages=2)
        for _ in range(5):
            one.sent(Message.text("x"), 101.0)
        assert len(one.document()["sent"]) == 2
        assert one.document()["sent_left_out"] == 3


class TestClose:
    def test_the_first_one_counts(self) -> None:
        one = record()
        one.received(PeerClosed(101.0, 1000, "done"))
        one.sent(Close(1011, "late"), 102.0)
        assert one.document()["close"] == {"by": "client", "code": 1000, "reason": "done"}

    @pytest.mark.parametrize(
        ("event", "close"),
        [
            (Close(1003, "no header"), {"by": "server", "code": 1003, "reason": "no header"}),
            (Abort(), {"by": "server", "code": 1006, "reason": ""}),
        ],
    )
    def test_the_server_may_be_the_first(self, event: Close | Abort, close: dict[str, Any]) -> None:
        one = record()
        one.sent(event, 101.0)
        assert one.document()["close"] == close

    def test_an_open_session_has_none(self) -> None:
        one = record()
        assert (one.document()["close"], one.document()["seconds"]) == (None, None)
        one.ended(102.25)
        assert one.document()["seconds"] == 2.25


class TestJournal:
    def test_keeps_the_last_sessions(self) -> None:
        journal = Journal(2, 10)
        for name in "abc":
            journal.open("translator", REQUEST, name, 0.0)
        assert [one["request_id"] for one in journal.document()["sessions"]] == ["b", "c"]

    def test_forgets(self) -> None:
        journal = Journal(2, 10)
        journal.open("translator", REQUEST, "a", 0.0)
        journal.clear()
        assert journal.document() == {"sessions": []}
