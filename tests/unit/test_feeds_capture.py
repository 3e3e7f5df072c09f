"""Recorded traffic: what files hold becomes transcripts, and what they should not hold is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.feeds import capture, capture_json
from conformance.feeds.capture import CASE, read_capture
from conformance.feeds.capture_json import CaptureError
from conformance.transcript import (
    Answered,
    Asked,
    CloseFrame,
    Ended,
    Ending,
    Frame,
    Transcript,
    Vantage,
    to_json,
)
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import HttpRequest, HttpResponse, Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

V1, V2 = "/speech/translation/cognitiveservices/v1", "/stt/speech/universal/v2"
ONE, TWO = "a" * 32, "b" * 32
RIFF = build_header(PcmFormat(16_000))
FORMS = "a capture as JSON lines that begins with a handshake, or a bundle of transcripts with their entries"
KINDS = '"handshake" or "open" or "text" or "binary" or "close"'

Write = Callable[..., Path]
Line = dict[str, Any]


def asks(path: str = f"{V2}?from=en-US", t: float = 0.0) -> Line:
    """Return a handshake."""
    return {"t": t, "dir": "c2s", "kind": "handshake", "path": path, "headers": [["Upgrade", "websocket"]]}


def opens(t: float = 0.1, **more: Any) -> Line:
    """Return the end of a handshake."""
    return {"t": t, "kind": "open", **more}


def text(body: str = "Path:turn.end\r\n\r\n{}", t: float = 0.2, sender: str = "s2c") -> Line:
    """Return a text message."""
    return {"t": t, "dir": sender, "kind": "text", "text": body}


def audio(payload: bytes | int, identity: str = ONE, t: float = 0.3, sender: str = "c2s", path: str = "audio") -> Line:
    """Return a binary message; of a payload that is a number only the length was kept."""
    kept = {"payload_hex": payload.hex()} if isinstance(payload, bytes) else {}
    length = len(payload) if isinstance(payload, bytes) else payload
    block = f"Path:{path}\r\nX-RequestId:{identity}\r\n"
    return {"t": t, "dir": sender, "kind": "binary", "headers": block, "payload_len": length, **kept}


def closes(code: int = 1000, reason: str = "", t: float = 0.4, sender: str = "c2s") -> Line:
    """Return a close."""
    return {"t": t, "dir": sender, "kind": "close", "code": code, "reason": reason}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """What writes a file: bytes as they are, text as UTF-8, anything else as JSON, one to a line."""

    def written(*parts: Any) -> Path:
        path = tmp_path / "traffic"
        path.write_bytes(b"\n".join(_raw(part) for part in parts))
        return path

    return written


def _raw(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else json.dumps(part)).encode()


def fault(path: Path, **options: Any) -> tuple[str, str, str]:
    """Return where a file is wrong, what is allowed there, and what is there."""
    with pytest.raises(CaptureError) as caught:
        read_capture(path, **options)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}, {caught.value.at}: expected ")
    return caught.value.at, caught.value.expected, caught.value.observed


class TestLines:
    def test_become_entries_of_the_same_times(self, write: Write) -> None:
        said = "X-RequestId:a\r\nPath:turn.start\r\n\r\n{}"
        path = write(asks(), opens(), text(said), audio(RIFF), audio(b"\x01\x02", sender="s2c"), closes(1001, "bye"))
        block = f"Path:audio\r\nX-RequestId:{ONE}\r\n".encode()
        sized = len(block).to_bytes(2, "big") + block
        assert read_capture(path) == (
            Transcript(
                "speech-v2",
                Vantage.SERVER,
                CASE,
                0,
                (
                    Asked(0.0, HttpRequest("GET", f"{V2}?from=en-US", (("Upgrade", "websocket"),))),
                    Answered(0.1, HttpResponse(101, ())),
                    Frame(0.2, Party.SERVER, Kind.TEXT, said.encode()),
                    Frame(0.3, Party.CLIENT, Kind.BINARY, sized + RIFF),
                    Frame(0.3, Party.SERVER, Kind.BINARY, sized + b"\x01\x02"),
                    CloseFrame(0.4, Party.CLIENT, 1001, "bye"),
                ),
            ),
        )

    def test_say_what_the_handshake_agreed_on(self, write: Write) -> None:
        path = write(asks(), opens(ext=["permessage-deflate", "x"], sub="USP"))
        assert read_capture(path)[0].entries[1] == Answered(
            0.1,
            HttpResponse(
                101, (("Sec-WebSocket-Extensions", "permessage-deflate, x"), ("Sec-WebSocket-Protocol", "USP"))
            ),
        )

    def test_of_nothing_that_was_agreed_on_have_no_fields(self, write: Write) -> None:
        assert read_capture(write(asks(), opens(ext=[], sub=None)))[0].entries[1] == Answered(
            0.1, HttpResponse(101, ())
        )

    def test_begin_a_connection_at_each_handshake(self, write: Write) -> None:
        path = write(asks(t=5), opens(t=5.1), text(t=9.0), asks(), opens(), asks())
        found = read_capture(path)
        assert [(seen.connection, len(seen.entries)) for seen in found] == [(0, 3), (1, 2), (2, 1)]

    def test_with_a_lost_payload_have_zeros(self, write: Write) -> None:
        found = read_capture(write(asks(), opens(), audio(RIFF), audio(5), audio(3, sender="s2c")))[0].entries
        assert [entry.data[-9:] for entry in found if isinstance(entry, Frame)] == [
            RIFF[-9:],
            b"aa\r\n" + bytes(5),
            b"aaaa\r\n" + bytes(3),
        ]

    def test_of_a_connection_without_a_close_frame_end_it(self, write: Write) -> None:
        found = read_capture(write(asks(), opens(), closes(1006, "gone", sender="s2c")))
        assert found[0].entries[2] == Ended(0.4, Party.SERVER, Ending.EOF, "gone")

    def test_of_a_close_frame_without_a_code_keep_1005(self, write: Write) -> None:
        found = read_capture(write(asks(), opens(), closes(1005)))
        assert found[0].entries[2] == CloseFrame(0.4, Party.CLIENT, 1005, "")

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n", b"\n \n"])
    def test_may_be_blank_at_the_end(self, write: Write, end: bytes) -> None:
        assert len(read_capture(write(_raw(asks()) + end))) == 1

    def test_may_begin_with_a_byte_order_mark(self, write: Write) -> None:
        assert len(read_capture(write(b"\xef\xbb\xbf" + _raw(asks()), opens()))) == 1

    def test_may_have_further_members(self, write: Write) -> None:
        assert len(read_capture(write({**asks(), "thread": 3}, {**closes(), "audio_bytes": 17}))) == 1


class TestDialectAndVantage:
    @pytest.mark.parametrize(
        ("path", "dialect"),
        [
            (V1, "speech-v1"),
            (f"{V1}?from=en", "speech-v1"),
            (f"/below{V1.upper()}", "speech-v1"),
            (V2, "speech-v2"),
            ("/speech/universal/v2?x=/speech/translation/cognitiveservices/v1", "speech-v2"),
        ],
    )
    def test_are_those_of_the_path_and_the_server(self, write: Write, path: str, dialect: str) -> None:
        found = read_capture(write(asks(path)))
        assert [(seen.dialect, seen.vantage) for seen in found] == [(dialect, Vantage.SERVER)]

    def test_can_be_overruled(self, write: Write) -> None:
        found = read_capture(write(asks("/elsewhere"), asks(V2)), "speech-v1", Vantage.MIDDLE)
        assert {(seen.dialect, seen.vantage) for seen in found} == {("speech-v1", Vantage.MIDDLE)}

    def test_of_an_unknown_path_have_to_be_said(self, write: Write) -> None:
        at, expected, observed = fault(write(asks("/elsewhere?from=en")))
        assert (at, observed) == ("line 1, /path", "'/elsewhere'")
        assert V1 in expected
        assert expected.endswith("or the option --dialect")

    def test_without_a_recorded_response_cannot_be_translator(self, write: Write) -> None:
        at, expected, observed = fault(write(asks()), dialect="translator")
        assert (at, observed) == ("line 1, the dialect", "translator")
        assert expected == "speech-v1 or speech-v2: a capture lacks what the response to a handshake says"

    def test_are_the_same_for_a_whole_file(self, write: Write) -> None:
        at = ("the whole file", "connections of one dialect", "speech-v1 and speech-v2")
        assert fault(write(asks(V2), asks(V1))) == at


class TestBundles:
    @pytest.fixture
    def seen(self, talk: Talk) -> Transcript:
        return talk.open().header().audio().final().expired("a close frame").client_closes().ended().transcript()

    def test_are_one_transcript(self, write: Write, seen: Transcript) -> None:
        assert read_capture(write(to_json(seen))) == (seen,)

    def test_or_a_list_of_them(self, write: Write, seen: Transcript) -> None:
        assert read_capture(write([to_json(seen), to_json(seen)])) == (seen, seen)

    def test_may_have_any_layout(self, write: Write, seen: Transcript) -> None:
        for document, count in ((to_json(seen), 1), ([to_json(seen)] * 2, 2)):
            assert read_capture(write(b"\n", json.dumps(document, indent=2))) == (seen,) * count

    def test_may_hold_nothing(self, write: Write) -> None:
        assert read_capture(write([])) == ()

    def test_say_dialect_and_vantage_unless_somebody_else_does(self, write: Write, seen: Transcript) -> None:
        found = read_capture(write(to_json(seen)), "speech-v1", Vantage.MIDDLE)
        assert [(one.dialect, one.vantage) for one in found] == [("speech-v1", Vantage.MIDDLE)]

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"vantage": "moon"}, ("/vantage", '"client" or "server" or "middle"', '"moon"')),
            ({"entries": {}}, ("/entries", "an array", "an object of 0")),
            ({"entries": [[]]}, ("/entries/0", "an object", "an array of 0")),
            ({"entries": [{"time": 1, "entry": "barrier"}]}, ("/entries/0/what", "a string", "nothing")),
            (
                {"entries": [{"time": 10**400, "entry": "barrier", "what": "x"}]},
                ("/entries/0/time", "seconds", "a number out of all measure"),
            ),
            (
                {"entries": [{"time": 0, "entry": "expired", "what": "x", "budget": 2e10}]},
                ("/entries/0/budget", "seconds", "a number out of all measure"),
            ),
        ],
    )
    def test_are_told_where_they_are_wrong(
        self, write: Write, seen: Transcript, change: Line, expected: tuple[str, str, str]
    ) -> None:
        document = {**to_json(seen), **change}
        assert fault(write(document)) == expected
        at, *rest = fault(write([to_json(seen), document]))
        assert (at, *rest) == (f"/1{expected[0]}", *expected[1:])

    @pytest.mark.parametrize("payload", ["A", "A===", "AA==AA==", "A A=", "é", "QUI"])
    def test_have_payloads_in_base64(self, write: Write, seen: Transcript, payload: str) -> None:
        document = to_json(seen)
        document["entries"][2]["base64"] = payload
        assert fault(write(document)) == ("/entries/2/base64", "bytes in base64, padded", "other text")

    def test_have_transcripts_in_their_lists(self, write: Write) -> None:
        assert fault(write([7])) == ("/0", "an object", "7")


class TestOtherFiles:
    def test_may_be_empty(self, write: Write) -> None:
        assert fault(write()) == ("line 1", FORMS, "an empty file")

    @pytest.mark.parametrize("other", [{"t": 0.1, "event": "connected"}, {}, 7, "null", {"kinds": 1}, "{\n}"])
    def test_may_be_json_of_another_kind(self, write: Write, other: Any) -> None:
        assert fault(write(other)) == ("line 1", FORMS, "other JSON")

    def test_with_lines_of_another_kind_are_no_broken_bundle(self, write: Write) -> None:
        event = {"t": 0.1, "event": "connected"}
        assert fault(write(event, event)) == ("line 1", FORMS, "other JSON")

    @pytest.mark.parametrize("raw", [b"RIFF\x24\x00\x00\x00WAVEfmt ", b"hello", b"{", b"[", b"\n\n", b"[" * 100_000])
    def test_may_be_no_json(self, write: Write, raw: bytes) -> None:
        at, expected, _ = fault(write(raw))
        assert at.startswith("line ")
        assert expected == "JSON"

    def test_that_cannot_be_read_are_an_error_of_the_system(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_capture(tmp_path / "nothing")
        with pytest.raises(IsADirectoryError):
            read_capture(tmp_path)


class TestDamage:
    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            ([opens()], ("line 1, /kind", '"handshake" first', '"open"')),
            ([asks(), text()], ("line 2, /kind", '"open" before any message', '"text"')),
            ([asks(), audio(1)], ("line 2, /kind", '"open" before any message', '"binary"')),
            ([asks(), opens(), asks(), text()], ("line 4, /kind", '"open" before any message', '"text"')),
            ([asks(), opens(), opens()], ("line 3, /kind", '"open" once for each handshake', '"open"')),
            (
                [asks(), opens(), text(t=0.05)],
                ("line 3, /t", "0.1 or more, in the order of time", "0.05"),
            ),
            (
                [asks(), "", {"t": 0}],
                ("line 3, /kind", KINDS, "nothing"),
            ),
            ([asks(), {"t": 0, "kind": "pong"}], ("line 2, /kind", KINDS, '"pong"')),
            ([asks(), [1, 2]], ("line 2, whole value", "an object", "an array of 2")),
            ([{**asks(), "t": 10**400}], ("line 1, /t", "seconds", "a number out of all measure")),
            ([{**asks(), "t": -1}], ("line 1, /t", "0 or more", "-1")),
            (
                [asks(), opens(), {**audio(b"\x01"), "payload_len": 2}],
                ("line 3, /payload_hex", "2 bytes, as payload_len says", "1"),
            ),
            (
                [asks(), opens(), {**audio(1), "headers": "x" * 65_536}],
                ("line 3, /headers", "at most 65535 bytes", "65536"),
            ),
        ],
    )
    def test_is_told_with_its_line(self, write: Write, lines: list[Any], expected: tuple[str, str, str]) -> None:
        assert fault(write(*lines)) == expected

    @pytest.mark.parametrize("digits", ["0", "0g", "00 00", "é0"])
    def test_of_a_payload_that_is_not_hexadecimal(self, write: Write, digits: str) -> None:
        wrong = {**audio(1), "payload_hex": digits}
        assert fault(write(asks(), opens(), wrong)) == (
            "line 3, /payload_hex",
            "bytes in hexadecimal digits",
            "other text",
        )

    def test_of_a_payload_that_is_no_text(self, write: Write) -> None:
        wrong = {**audio(1), "payload_hex": 7}
        assert fault(write(asks(), opens(), wrong)) == ("line 3, /payload_hex", "a string", "7")

    @pytest.mark.parametrize("cut", [1, 10, 40])
    def test_of_a_line_that_breaks_off(self, write: Write, cut: int) -> None:
        at, expected, observed = fault(write(asks(), opens(), _raw(text())[:-cut]))
        assert at.startswith("line 3, column ")
        assert expected == "JSON"
        assert observed.startswith("what is none (")

    def test_of_the_first_line(self, write: Write) -> None:
        at, expected, _ = fault(write(_raw(asks())[:-1], opens()))
        assert at.startswith("line 2, column 1")
        assert expected == "JSON"

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "1" * 5000])
    def test_of_numbers_that_are_none(self, write: Write, constant: str) -> None:
        at, expected, observed = fault(write(asks(), f'{{"t": {constant}, "kind": "open"}}'))
        assert (at, expected) == ("line 2", "JSON")
        assert observed.startswith("a number that it does not know")

    def test_of_a_number_beyond_the_largest(self, write: Write) -> None:
        assert fault(write(asks(), '{"t": 1e999, "kind": "open"}'))[0] == "line 2, /t"

    def test_of_text_that_is_not_utf_8(self, write: Write) -> None:
        assert fault(write(asks(), b'{"t": 1, "kind": "\xff"}')) == ("line 2", "text in UTF-8", "the byte 0xff")
        assert fault(write(b"[", b"\n", b'"\xff"]')) == ("line 4", "text in UTF-8", "the byte 0xff")

    def test_of_half_a_character(self, write: Write) -> None:
        broken = _raw(text("\ud83d"))
        assert fault(write(asks(), opens(), broken)) == ("line 3", "characters", "one half of a surrogate pair")
        assert len(read_capture(write(asks(), opens(), _raw(text("\U0001f600"))))[0].entries) == 3


class TestHeaderOfTheAudio:
    def test_cannot_be_lost(self, write: Write) -> None:
        for lines in ([audio(44)], [audio(RIFF), audio(44, TWO)], [audio(RIFF), audio(3200), audio(44, TWO)]):
            expected = ("the header of the audio, which opens a stream", "nothing")
            assert fault(write(asks(), opens(), *lines)) == (f"line {2 + len(lines)}, /payload_hex", *expected)

    def test_opens_a_stream_on_each_connection(self, write: Write) -> None:
        session = [asks(), opens(), audio(RIFF)]
        assert fault(write(*session, asks(), opens(), audio(44)))[0] == "line 6, /payload_hex"

    def test_is_not_missed_where_there_is_no_audio(self, write: Write) -> None:
        for line in (audio(0), audio(44, path="other"), audio(44, sender="s2c"), {**audio(44), "headers": "x"}):
            assert len(read_capture(write(asks(), opens(), line))[0].entries) == 3


class TestBounds:
    def test_of_a_line(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capture, "MOST_OF_LINE", 1 << 20)
        path = write(asks(), opens(), text("x" * (1 << 20)))
        assert fault(path) == ("line 3", "at most 1 MiB of JSON in one piece", "more")

    def test_of_the_first_line(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capture, "MOST_OF_LINE", 10)
        assert fault(write({"kind": "handshake"})) == ("line 1", FORMS, "other JSON")

    def test_of_a_bundle(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capture, "MOST_OF_BUNDLE", 1 << 20)
        for path in (write(b"[", b"x" * (1 << 20)), write(b"[" + b"x" * (1 << 20))):
            assert fault(path) == ("line 1", "at most 1 MiB of JSON in one piece", "more")

    def test_of_the_values_in_one_piece(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capture_json, "MOST_VALUES", 10)
        assert fault(write([[]] * 10)) == ("line 1", "at most 10 values", "more")

    @pytest.mark.parametrize("length", [1 << 20, 10**18])
    def test_of_payloads_that_nobody_kept(self, write: Write, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
        monkeypatch.setattr(capture, "MOST_OF_CAPTURE", 1 << 20)
        path = write(asks(), opens(), audio(length, sender="s2c"))
        assert fault(path) == ("line 3, this far", "at most 1 MiB of messages", "more")

    def test_of_many_small_lines(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(capture, "MOST_OF_CAPTURE", 1 << 20)
        assert fault(write(asks(), *[""] * 2000))[1] == "at most 1 MiB of messages"


class TestSecrets:
    SECRET = "0123456789abcdef"

    @pytest.mark.parametrize(
        "line",
        [
            asks(f"/elsewhere?Ocp-Apim-Subscription-Key={SECRET}"),
            asks(f"/elsewhere&Ocp-Apim-Subscription-Key={SECRET}"),
            asks(f"wss://host{V2}?Authorization=Bearer%20{SECRET}"),
            {**asks(), "headers": [["Ocp-Apim-Subscription-Key", SECRET, SECRET]]},
            {**asks(), "headers": [SECRET]},
            {**asks(), "headers": SECRET},
            _raw(asks(f"{V2}?Ocp-Apim-Subscription-Key={SECRET}"))[:-1],
        ],
    )
    def test_are_in_no_error(self, write: Write, line: Any) -> None:
        assert self.SECRET not in " ".join(fault(write(line)))

    def test_are_in_no_error_of_a_bundle(self, write: Write, talk: Talk) -> None:
        document = to_json(talk.open().transcript())
        for change in ({"target": [self.SECRET]}, {"headers": [[self.SECRET]]}):
            document["entries"][0].update(change)
            assert self.SECRET not in " ".join(fault(write(document)))
