"""The hand-written frames of the speech dialects: what is read, what is refused and where, what is written."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import requirements
from protocol.errors import PeerViolation
from protocol.speech import framing
from protocol.speech.framing import UspMessage, addressed, binary, departures, read, shown, stamped, text, write
from protocol.wire import Headers, Kind

ID = "0123456789abcdef0123456789ABCDEF"
TURN = (("X-RequestId", ID), ("Path", "audio"))
NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-", min_size=1, max_size=20)


def values(highest: int) -> st.SearchStrategy[str]:
    letters = st.characters(max_codepoint=highest, exclude_characters="\r\n", exclude_categories=["Cs"])
    return st.text(letters, max_size=40).map(lambda value: value.strip(" \t"))


def fields(highest: int) -> st.SearchStrategy[Headers]:
    pairs = st.lists(
        st.tuples(NAMES, values(highest)), min_size=1, max_size=8, unique_by=lambda field: field[0].lower()
    )
    return pairs.map(tuple)


TEXTS = st.builds(UspMessage, st.just(Kind.TEXT), fields(0x10FFFF), st.text().map(str.encode))
BINARIES = st.builds(UspMessage, st.just(Kind.BINARY), fields(0x7F), st.binary())


def sized(block: bytes, payload: bytes = b"") -> bytes:
    return len(block).to_bytes(2, "big") + block + payload


def refused(kind: Kind, data: bytes) -> tuple[str, str, str, str]:
    with pytest.raises(PeerViolation) as caught:
        read(kind, data)
    error = caught.value
    assert departures(kind, data) == (error,)
    assert requirements.get(error.requirement)
    return error.requirement.removeprefix("speech.malformed."), error.at, error.expected, error.observed


def departed(kind: Kind, data: bytes) -> list[tuple[str, str]]:
    return [(found.requirement.removeprefix("speech.malformed."), found.at) for found in departures(kind, data)]


class TestMessage:
    MESSAGE = UspMessage(Kind.TEXT, (("x-requestid", ID), ("PATH", "turn.start"), ("X-StreamId", "3")), b"{}")

    def test_names_of_headers_compare_without_case(self) -> None:
        assert (self.MESSAGE.path, self.MESSAGE.request_id, self.MESSAGE.stream_id) == ("turn.start", ID, "3")
        assert self.MESSAGE.get("path") == "turn.start"

    def test_what_is_not_there_is_empty_or_none(self) -> None:
        message = UspMessage(Kind.TEXT, (), b"")
        assert (message.path, message.request_id, message.stream_id, message.get("Path")) == ("", "", None, None)


class TestBinary:
    def test_is_a_size_headers_and_the_payload(self) -> None:
        block = f"X-RequestId:{ID}\r\nPath:audio\r\n".encode()
        assert read(Kind.BINARY, sized(block, b"\x01\r\n\r\n\xff")) == UspMessage(
            Kind.BINARY, TURN, b"\x01\r\n\r\n\xff"
        )

    def test_the_size_has_its_high_byte_first(self) -> None:
        block = b"Path:" + b"a" * 300 + b"\r\n"
        assert len(block) == 0x0133
        assert read(Kind.BINARY, b"\x01\x33" + block + b"x") == UspMessage(Kind.BINARY, (("Path", "a" * 300),), b"x")

    @pytest.mark.parametrize("end", [b"", b"\r\n"])
    def test_the_last_header_may_end_without_a_line_break(self, end: bytes) -> None:
        assert read(Kind.BINARY, sized(b"Path:audio" + end, b"x")).headers == (("Path", "audio"),)

    @pytest.mark.parametrize("block", [b"", b"\r\n"])
    def test_may_have_no_header_at_all(self, block: bytes) -> None:
        assert read(Kind.BINARY, sized(block, b"x")) == UspMessage(Kind.BINARY, (), b"x")

    def test_headers_may_be_any_utf_8(self) -> None:
        assert read(Kind.BINARY, sized("Path:é".encode())).path == "é"

    @pytest.mark.parametrize("data", [b"", b"\x00"])
    def test_has_a_size(self, data: bytes) -> None:
        expected = ("size-prefix", "offset 0", "a header size in 2 bytes", f"{len(data)} bytes in all")
        assert refused(Kind.BINARY, data) == expected

    def test_has_all_of_its_headers(self) -> None:
        expected = ("header-size", "offset 0", "a header size of at most 10", "11")
        assert refused(Kind.BINARY, b"\x00\x0bPath:audio") == expected

    def test_headers_have_an_upper_bound(self) -> None:
        most = b"Path:" + b"a" * (8192 - 5)
        assert len(read(Kind.BINARY, sized(most)).path) == 8187
        expected = ("header-size", "offset 0", "a header size of at most 8192", "8193")
        assert refused(Kind.BINARY, sized(most + b"a", b"payload")) == expected

    def test_headers_that_are_no_utf_8_are_refused_where_that_begins(self) -> None:
        assert refused(Kind.BINARY, sized(b"Path:\xc3\xa9\xff")) == ("binary-utf8", "offset 9", "UTF-8", "0xff")

    def test_offsets_of_lines_count_the_size(self) -> None:
        expected = ("header-line", "offset 14", "Name:Value", "'audio'")
        assert refused(Kind.BINARY, sized(b"Path:audio\r\naudio\r\n")) == expected


class TestText:
    def test_is_headers_up_to_the_first_blank_line_and_a_body(self) -> None:
        data = f"X-RequestId:{ID}\r\nPath:audio\r\n\r\nbody\r\n\r\nmore".encode()
        assert read(Kind.TEXT, data) == UspMessage(Kind.TEXT, TURN, b"body\r\n\r\nmore")

    def test_may_have_an_empty_body(self) -> None:
        assert read(Kind.TEXT, b"Path:turn.end\r\n\r\n").body == b""

    def test_has_something(self) -> None:
        assert refused(Kind.TEXT, b"") == ("text-empty", "offset 0", "headers and a body", "nothing")

    def test_is_utf_8_wherever_the_fault_is(self) -> None:
        assert refused(Kind.TEXT, b"Path:a\r\n\r\n\xc3\xa9\x80") == ("text-utf8", "offset 12", "UTF-8", "0x80")

    @pytest.mark.parametrize("data", [b"Path:turn.end\r\n", b"Path:turn.end", b"{}", b"\r\n", b"Path:a\n\nb"])
    def test_has_a_blank_line(self, data: bytes) -> None:
        expected = "CR LF CR LF between headers and body"
        assert refused(Kind.TEXT, data) == (
            "text-separator",
            f"offset {len(data)}",
            expected,
            "the end of the message",
        )

    @pytest.mark.parametrize("end", [b"", b"\r\n"])
    def test_audio_commit_may_be_headers_alone(self, end: bytes) -> None:
        data = f"X-RequestId:{ID}\r\nPath:Audio.Commit".encode() + end
        assert read(Kind.TEXT, data) == UspMessage(Kind.TEXT, (("X-RequestId", ID), ("Path", "Audio.Commit")), b"")
        assert departures(Kind.TEXT, data) == ()

    def test_audio_commit_with_a_blank_line_is_an_ordinary_message(self) -> None:
        assert read(Kind.TEXT, b"Path:audio.commit\r\n\r\n") == read(Kind.TEXT, b"Path:audio.commit")


class TestHeaders:
    def test_blanks_around_name_and_value_do_not_count(self) -> None:
        assert read(Kind.TEXT, b" Path \t: \tturn start\t \r\n\r\n").headers == (("Path", "turn start"),)

    def test_a_value_begins_behind_the_first_colon(self) -> None:
        assert read(Kind.TEXT, b"X-Timestamp: 17:15:19\r\n\r\n").get("X-Timestamp") == "17:15:19"

    def test_a_value_may_be_empty(self) -> None:
        assert read(Kind.TEXT, b"Path:\r\n\r\n").get("Path") == ""

    @pytest.mark.parametrize(
        ("data", "at", "observed"),
        [
            (b"\r\n\r\nbody", 0, "''"),
            (b"Path:a\r\nnothing\r\n\r\n", 8, "'nothing'"),
            ("é:a\r\n : b\r\n\r\n".encode(), 6, "' : b'"),
            (b":value\r\n\r\n", 0, "':value'"),
            (b"Path:a\nX:b\r\n\r\n", 0, r"'Path:a\nX:b'"),
            (b"Path:a\rX:b\r\n\r\n", 0, r"'Path:a\rX:b'"),
        ],
    )
    def test_each_is_a_name_a_colon_and_a_value(self, data: bytes, at: int, observed: str) -> None:
        assert refused(Kind.TEXT, data) == ("header-line", f"offset {at}", "Name:Value", observed)

    def test_each_comes_once(self) -> None:
        data = b"Path:a\r\nX:1\r\npath:b\r\nx:2\r\nPATH:c\r\n\r\n"
        assert refused(Kind.TEXT, data) == ("duplicate-header", "offset 0", "one path", "3 of them")

    def test_very_many_of_them_take_no_longer_than_they_are_long(self) -> None:
        many = b"".join(b"%d:\r\n" % number for number in range(50_000))
        start = perf_counter()
        assert refused(Kind.TEXT, many + b"49999:\r\n\r\n")[3] == "2 of them"
        assert perf_counter() - start < 5


class TestDepartures:
    GOOD = f"X-RequestId:{ID}\r\nPath:audio\r\n".encode()

    def test_a_message_in_form_has_none(self) -> None:
        assert departures(Kind.BINARY, sized(self.GOOD, b"\xff")) == ()
        assert departures(Kind.TEXT, self.GOOD + b"\r\n{}") == ()

    def test_headers_of_a_binary_message_are_ascii(self) -> None:
        data = sized(self.GOOD + "X-Word:é\r\n".encode(), b"\xff")
        (found,) = departures(Kind.BINARY, data)
        assert found == PeerViolation("speech.malformed.binary-ascii", f"offset {data.index(0xC3)}", "ASCII", "0xc3")

    def test_headers_of_a_text_message_need_not_be(self) -> None:
        assert departures(Kind.TEXT, self.GOOD + "X-Word:é\r\n\r\n".encode()) == ()

    def test_the_last_header_of_a_binary_message_ends_in_a_line_break(self) -> None:
        assert departed(Kind.BINARY, sized(self.GOOD[:-2], b"x")) == [("header-line", f"offset {len(self.GOOD)}")]

    def test_all_of_them_are_told(self) -> None:
        found = departed(Kind.BINARY, sized("X:é".encode(), b"x"))
        assert found == [("binary-ascii", "offset 4"), ("header-line", "offset 6"), ("path", "header Path")]

    def test_no_header_at_all_is_the_lack_of_a_path(self) -> None:
        assert departed(Kind.BINARY, sized(b"", b"x")) == [("path", "header Path")]


class TestAddress:
    @staticmethod
    def wrong(headers: Headers) -> tuple[str, str, str, str]:
        with pytest.raises(PeerViolation) as caught:
            addressed(UspMessage(Kind.TEXT, headers, b""))
        error = caught.value
        assert requirements.get(error.requirement)
        return error.requirement.removeprefix("speech.malformed."), error.at, error.expected, error.observed

    def test_is_a_path_and_an_id(self) -> None:
        addressed(UspMessage(Kind.TEXT, TURN, b""))

    @pytest.mark.parametrize(("headers", "observed"), [((), "none"), ((("Path", ""),), "an empty one")])
    def test_lacks_a_path(self, headers: Headers, observed: str) -> None:
        assert self.wrong((("X-RequestId", ID), *headers)) == ("path", "header Path", "a path", observed)

    @pytest.mark.parametrize(("headers", "observed"), [((), "none"), ((("X-RequestId", ""),), "an empty one")])
    def test_lacks_an_id(self, headers: Headers, observed: str) -> None:
        expected = ("request-id", "header X-RequestId", "32 hex digits", observed)
        assert self.wrong((("Path", "audio"), *headers)) == expected

    def test_speech_config_may_have_no_id_but_not_an_empty_one(self) -> None:
        config = ("Path", "Speech.Config")
        addressed(UspMessage(Kind.TEXT, (config,), b""))
        assert self.wrong((config, ("X-RequestId", "")))[0] == "request-id"

    @pytest.mark.parametrize(
        "identity", ["01234567-89ab-cdef-0123-456789abcdef", ID[:-1], f"{ID}0", "g" * 32, "²" * 32]
    )
    def test_has_an_id_of_another_form(self, identity: str) -> None:
        assert self.wrong((("Path", "audio"), ("X-RequestId", identity))) == (
            "request-id-form",
            "header X-RequestId",
            "32 hex digits without dashes",
            f"'{identity}'",
        )


class TestWrite:
    def test_text(self) -> None:
        message = UspMessage(Kind.TEXT, TURN, "é".encode())
        assert write(message).data == f"X-RequestId:{ID}\r\nPath:audio\r\n\r\né".encode()

    def test_binary(self) -> None:
        message = UspMessage(Kind.BINARY, TURN, b"\xff\x00")
        assert write(message).data == b"\x00\x3a" + f"X-RequestId:{ID}\r\nPath:audio\r\n".encode() + b"\xff\x00"

    def test_is_one_frame(self) -> None:
        for kind in Kind:
            written = write(UspMessage(kind, TURN, b"x"))
            assert (written.kind, len(written.fragments)) == (kind, 1)

    def test_headers_of_a_binary_message_have_an_upper_bound(self) -> None:
        write(UspMessage(Kind.BINARY, (("X", "a" * 8188),), b""))
        with pytest.raises(ValueError, match="at most 8192 bytes, not 8193"):
            write(UspMessage(Kind.BINARY, (("X", "a" * 8189),), b""))

    def test_headers_of_a_binary_message_are_ascii(self) -> None:
        with pytest.raises(ValueError, match="ascii"):
            write(UspMessage(Kind.BINARY, (("X", "é"),), b""))

    @given(TEXTS | BINARIES)
    def test_is_undone_by_read(self, message: UspMessage) -> None:
        assert read(message.kind, write(message).data) == message

    @given(TEXTS | BINARIES)
    def test_departs_in_nothing_that_is_a_matter_of_form(self, message: UspMessage) -> None:
        found = {found.requirement for found in departures(message.kind, write(message).data)}
        assert found <= {framing.PATH, framing.REQUEST_ID, framing.REQUEST_ID_FORM}


class TestMaking:
    def test_a_text_message_says_that_it_is_json(self) -> None:
        message = text("turn.end", ID, {"a": 1, "b": ["é"]}, (("X-StreamId", "1"),))
        assert message == UspMessage(
            Kind.TEXT,
            (
                ("X-RequestId", ID),
                ("Content-Type", "application/json; charset=utf-8"),
                ("Path", "turn.end"),
                ("X-StreamId", "1"),
            ),
            '{"a":1,"b":["é"]}'.encode(),
        )

    def test_without_an_id_there_is_no_such_header(self) -> None:
        assert text("speech.config", "", {}).get("X-RequestId") is None

    def test_no_text_can_break_the_message_in_two(self) -> None:
        assert b"\r" not in text("x", ID, {"Text": "a\r\n\r\nb"}).body

    def test_half_of_a_surrogate_pair_is_replaced(self) -> None:
        assert text("x", ID, {"Text": "a\udfff"}).body == b'{"Text":"a?"}'

    def test_a_binary_message(self) -> None:
        message = binary("audio", ID, b"\x01", (("X-StreamId", "2"),))
        assert message == UspMessage(Kind.BINARY, (*TURN, ("X-StreamId", "2")), b"\x01")


class TestShown:
    def test_is_quoted_and_has_a_bound(self) -> None:
        assert shown("a\n" * 30) == repr("a\n" * 30)
        assert shown("a" * 61) == f"'{'a' * 60}…'"


class TestWhateverComes:
    @given(st.sampled_from(Kind), st.binary())
    def test_is_a_message_or_a_violation(self, kind: Kind, data: bytes) -> None:
        with suppress(PeerViolation):
            assert isinstance(read(kind, data), UspMessage)
        for found in departures(kind, data):
            str(found).encode()


class TestTimeStamps:
    @pytest.mark.parametrize(
        "value",
        [
            "2026-11-22T16:52:36.674Z",
            "2026-11-22T16:52:36.6741234Z",
            "2026-11-22T16:52:36Z",
            "2026-11-22T16:52:36+01:00",
            "1764000000000",
            "1764000000.5",
        ],
    )
    def test_are_times_or_numbers(self, value: str) -> None:
        stamped(text("telemetry", "0" * 32, {}, (("X-Timestamp", value),)))

    @pytest.mark.parametrize(("value", "observed"), [(None, "none"), ("yesterday", "'yesterday'"), ("", "''")])
    def test_are_needed(self, value: str | None, observed: str) -> None:
        headers = () if value is None else (("X-Timestamp", value),)
        with pytest.raises(PeerViolation) as caught:
            stamped(text("telemetry", "0" * 32, {}, headers))
        error = caught.value
        assert (error.requirement, error.observed) == ("speech.malformed.timestamp", observed)
