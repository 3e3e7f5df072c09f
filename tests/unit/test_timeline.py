"""A transcript as a person reads it: a line an entry, audio folded, no credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance import timeline
from conformance.transcript import Ending
from protocol.speech import framing
from protocol.speech.framing import UspMessage
from protocol.wire import Headers, Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

PURPOSE = "translator.client.header-first"


def shown(talk: Talk, most: int = 40) -> list[str]:
    """Return the lines without their headline, each without its time."""
    return [line[10:] for line in timeline.lines(talk.transcript(), most)[1:]]


class TestLines:
    def test_begin_with_the_connection(self, new_talk: Callable[..., Talk]) -> None:
        talk = new_talk(case="voice.one-message", connection=2)
        assert timeline.lines(talk.transcript()) == ("connection 2 of voice.one-message",)

    def test_have_the_seconds_since_the_first_entry(self, talk: Talk) -> None:
        _, first, second = timeline.lines(talk.barrier("a").wait(1.2).barrier("b").transcript())
        assert first == "    0.000 ! barrier: a"
        assert second == "    1.300 ! barrier: b"

    def test_leave_out_the_middle_where_there_are_too_many(self, talk: Talk) -> None:
        for number in range(10):
            talk.barrier(str(number))
        assert shown(talk, most=4) == ["! barrier: 0", "! barrier: 1", "… 6 lines left out …", *shown(talk)[-2:]]
        assert len(shown(talk, most=5)) == 6
        assert len(shown(talk, most=10)) == 10


class TestEntries:
    def test_a_request_has_method_path_and_query(self, talk: Talk) -> None:
        talk.ask(query="from=en-US&to=it").ask(path="/languages", query="", method="HEAD")
        assert shown(talk) == [
            "> GET /speech/translate query 'from=en-US&to=it'",
            "> HEAD /languages",
        ]

    def test_a_response_has_status_identity_and_body(self, talk: Talk) -> None:
        talk.answer(101, headers=()).answer(400, headers=(("x-requestid", "17"),), body=b'{"error": {}}')
        assert shown(talk) == ["< HTTP 101", '< HTTP 400, X-RequestId 17: {"error": {}}']

    def test_a_long_or_broken_body_is_cut_and_mended(self, talk: Talk) -> None:
        (line,) = shown(talk.answer(400, headers=(), body=b"\xff" + b"x" * 500))
        assert line == f"< HTTP 400: \ufffd{'x' * 159}"

    def test_a_text_is_shown_as_text(self, talk: Talk) -> None:
        assert shown(talk.replies("é" * 160).replies("é" * 161)) == ["< text " + "é" * 160, f"< text {'é' * 160}…"]

    def test_bytes_are_shown_by_number_and_beginning(self, talk: Talk) -> None:
        assert shown(talk.replies(bytes(range(12))).replies(bytes(range(13))).replies(b"")) == [
            "< binary 12 bytes 00 01 02 03 04 05 06 07 08 09 0a 0b",
            "< binary 13 bytes 00 01 02 03 04 05 06 07 08 09 0a 0b …",
            "< binary 0 bytes ",
        ]

    def test_parts_of_a_message_say_which(self, talk: Talk) -> None:
        talk.replies("a", final=False).replies("b", first=False, final=False).replies("c", first=False)
        assert shown(talk) == ["< text (frame first) a", "< text (frame middle) b", "< text (frame last) c"]

    def test_ends_and_waits_are_told(self, talk: Talk) -> None:
        talk.client_closes(1000, "done").server_closes(1001).ended(Party.SERVER)
        talk.ended(Party.CLIENT, Ending.GIVEN_UP, "no answer").expired("final 1", 2.5)
        assert shown(talk) == [
            "> close 1000 'done'",
            "< close 1001 ''",
            "! the server ended the connection (eof)",
            "! the client ended the connection (given-up): no answer",
            "! waited 2.50 s for final 1, in vain",
        ]

    def test_what_was_done_on_purpose_says_so(self, talk: Talk) -> None:
        mark = f"   [on purpose: {PURPOSE}]"
        talk.ask(query="", deliberate=PURPOSE).sends(b"x", deliberate=PURPOSE).client_closes(deliberate=PURPOSE)
        assert shown(talk) == [
            f"> GET /speech/translate{mark}",
            f"> binary 1 bytes 78{mark}",
            f"> close 1000 ''{mark}",
        ]


class TestAudio:
    def test_up_to_three_frames_are_shown_one_by_one(self, talk: Talk) -> None:
        assert shown(talk.sends(b"a").sends(b"b").sends(b"c")) == [
            "> binary 1 bytes 61",
            "> binary 1 bytes 62",
            "> binary 1 bytes 63",
        ]

    def test_more_are_folded(self, talk: Talk) -> None:
        talk.sends(b"ab").sends(b"cd").sends(b"ef").sends(b"gh").final().sends(b"i")
        lines = timeline.lines(talk.transcript())
        assert lines[1] == "    0.000 > 4 binary frames, 8 bytes, until 0.300; first 61 62"
        assert lines[2].startswith("    0.400 < text ")
        assert lines[3] == "    0.500 > binary 1 bytes 69"

    def test_what_is_no_ordinary_audio_stands_out(self, talk: Talk) -> None:
        for _ in range(4):
            talk.sends(b"a")
        talk.sends(b"text", kind=Kind.TEXT).sends(b"b", deliberate=PURPOSE)
        assert len(shown(talk)) == 3


class TestMessagesWithHeaders:
    """Those of the speech dialects."""

    AUDIO = UspMessage(Kind.BINARY, (("Path", "audio"), ("X-RequestId", "9E4A6DD2" * 4)), b"\1\2")

    def test_are_shown_as_path_turn_and_body(self, talk: Talk) -> None:
        talk.replies("X-RequestId:9e4a6dd29e4a6dd29e4a6dd29e4a6dd2\r\nPath:turn.end\r\n\r\n{}")
        talk.replies(f"Path:note\r\n\r\n{'é' * 161}").sends(framing.write(self.AUDIO).data)
        assert shown(talk) == [
            "< text turn.end #9e4a6dd2 {}",
            f"< text note {'é' * 160}…",
            "> binary audio #9E4A6DD2 2 bytes 01 02",
        ]

    def test_are_shown_as_they_are_in_parts_or_without_a_path(self, talk: Talk) -> None:
        talk.replies("Path:a\r\n\r\n", final=False).replies("Name:a\r\n\r\nb")
        assert shown(talk) == ["< text (frame first) Path:a\r\n\r\n", "< text Name:a\r\n\r\nb"]

    def test_of_one_turn_are_folded_but_not_its_end(self, talk: Talk) -> None:
        other = replace(self.AUDIO, headers=(("Path", "audio"), ("X-RequestId", "b" * 32)))
        for _ in range(4):
            talk.sends(framing.write(self.AUDIO).data)
        talk.sends(framing.write(replace(self.AUDIO, body=b"")).data)
        for _ in range(2):
            talk.sends(framing.write(other).data)
        for _ in range(4):
            talk.sends(framing.write(self.AUDIO).data)
        size = 4 * len(framing.write(self.AUDIO).data)
        assert shown(talk) == [
            f"> 4 binary frames, {size} bytes, until 0.300; first audio #9E4A6DD2 01 02",
            "> binary audio #9E4A6DD2 0 bytes ",
            *["> binary audio #bbbbbbbb 2 bytes 01 02"] * 2,
            f"> 4 binary frames, {size} bytes, until 1.000; first audio #9E4A6DD2 01 02",
        ]


class TestCredentials:
    """They are in no line, whoever said them."""

    @pytest.mark.parametrize(
        ("headers", "query"),
        [
            ((("ocp-apim-subscription-key", "s3cret"),), ""),
            ((("Authorization", "Bearer s3cret"),), ""),
            ((), "subscription-key=s3cret"),
            ((), "from=en-US&access_token=s3cret&access_token=0ther"),
            ((), "Ocp-Apim-Subscription-Key=s3cret"),
            ((), "authorization=Bearer%20s3cret"),
        ],
    )
    def test_of_the_client_are_not_shown_where_the_server_repeats_them(
        self, talk: Talk, headers: Headers, query: str
    ) -> None:
        talk.ask(query=query, headers=headers).answer(401, body=b"unknown key s3cret").server_closes(1003, "s3cret?")
        lines = shown(talk.replies('{"key":"s3cret"}').ended(detail="no s3cret"))
        assert not any("s3cret" in line or "0ther" in line for line in lines)
        assert lines[1].endswith(": unknown key (hidden)")
        assert lines[2] == "< close 1003 '(hidden)?'"

    def test_that_the_token_service_issues_are_not_shown(self, talk: Talk) -> None:
        token = "eyJhbGciOiJI" * 20
        talk.ask(path="/sts/v1.0/issuetoken", query="", method="POST").answer(200, headers=(), body=token.encode())
        assert shown(talk) == ["> POST /sts/v1.0/issuetoken", "< HTTP 200: (hidden)"]

    def test_errors_of_the_token_service_are(self, talk: Talk) -> None:
        talk.ask(path="/sts/v1.0/issueToken", query="").answer(401, headers=(), body=b"no such key")
        assert shown(talk)[1] == "< HTTP 401: no such key"

    def test_of_which_one_begins_like_another_are_hidden_whole(self, talk: Talk) -> None:
        talk.ask(query="subscription-key=s3cret&access_token=s3cret-and-more").answer(
            400, headers=(), body=b"s3cret-and-more, s3cret"
        )
        assert shown(talk)[1] == "< HTTP 400: (hidden), (hidden)"

    def test_are_not_suspected_in_an_answer_to_nothing(self, talk: Talk) -> None:
        assert shown(talk.answer(200, headers=(), body=b"hello")) == ["< HTTP 200: hello"]

    @pytest.mark.parametrize(("key", "line"), [("word", "no (hidden) here"), ("ord", "no word here")])
    def test_of_four_characters_are_long_enough(self, talk: Talk, key: str, line: str) -> None:
        talk.ask(query=f"subscription-key={key}").answer(400, headers=(), body=b"no word here")
        assert shown(talk)[1] == f"< HTTP 400: {line}"

    def test_too_short_to_be_one_hide_nothing(self, talk: Talk) -> None:
        talk.ask(query="subscription-key=a&subscription-key=").answer(400, headers=(), body=b"a bad parameter")
        assert shown(talk)[1] == "< HTTP 400: a bad parameter"
