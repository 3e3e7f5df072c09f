"""What a server said is understood, also where it is not as the protocol has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.cases.speech.reading import Heard, folded, heard
from conformance.peers.link import Received
from protocol.wire import Kind

ID = "9e4a6dd29e4a6dd29e4a6dd29e4a6dd2"


def text(path: str, members: object = None, *, line: str = "\r\n", more: str = "") -> Heard:
    body = "" if members is None else json.dumps(members)
    head = f"X-RequestId:{ID}{line}{more}Path:{path}{line}{line}"
    return heard(Received(1.0, 2.0, Kind.TEXT, (head + body).encode(), 1))


def binary(path: str, payload: bytes = b"\1\2", size: int | None = None) -> Heard:
    head = f"X-RequestId:{ID}\r\nPath:{path}\r\n".encode()
    size = len(head) if size is None else size
    return heard(Received(1.0, 2.0, Kind.BINARY, size.to_bytes(2, "big") + head + payload, 1))


class TestWhatItIs:
    def test_has_a_path_and_a_turn_without_regard_to_spelling(self) -> None:
        message = text("Speech.StartDetected", {})
        assert (message.time, message.path, message.turn) == (2.0, "speech.startdetected", ID)
        assert folded("{9E4A6DD2-9E4A-6DD2-9E4A-6DD29E4A6DD2}") == ID

    @pytest.mark.parametrize(
        ("path", "members", "final", "interim"),
        [
            ("translation.phrase", {}, True, False),
            ("speech.phrase", {}, True, False),
            ("translation.hypothesis", {}, False, True),
            ("speech.hypothesis", {}, False, True),
            ("translation.response", {"SpeechPhrase": {}}, True, False),
            ("translation.response", {"SpeechHypothesis": {}}, False, True),
            ("turn.end", {}, False, False),
        ],
    )
    def test_is_a_final_or_a_hypothesis(self, path: str, members: Any, final: bool, interim: bool) -> None:
        message = text(path, members)
        assert (message.is_final, message.is_interim) == (final, interim)

    def test_is_a_part_of_a_voice_or_its_end(self) -> None:
        assert binary("audio").is_chunk
        assert binary("translation.synthesis").is_chunk
        assert not text("audio", {}).is_chunk
        assert [text(path, {}).is_voice_end for path in ("audio.end", "translation.synthesis.end", "audio.start")] == [
            True,
            True,
            False,
        ]


class TestWhatItSays:
    def test_in_the_first_dialect(self) -> None:
        translation = {"TranslationStatus": "Success", "Translations": [{"Language": "de", "Text": "Hallo"}]}
        members = {"RecognitionStatus": "Success", "Text": "Hello", "Offset": 10, "Duration": 5}
        message = text("translation.phrase", {**members, "Translation": translation})
        assert (message.status, message.text, message.offset, message.duration) == ("Success", "Hello", 10, 5)
        assert (message.covered, message.translations) == (15, (("de", "Hallo"),))
        assert (message.translation_status, message.failure_reason, message.language) == ("Success", None, None)

    def test_in_the_second_dialect(self) -> None:
        speech = {
            "RecognitionStatus": "Success",
            "DisplayText": "Hello",
            "Offset": "10",
            "Duration": 5.0,
            "PrimaryLanguage": {"Language": "en-US"},
        }
        translations = [{"Language": "de", "Text": "", "DisplayText": "Hallo"}]
        members = {
            "SpeechPhrase": speech,
            "TranslationStatus": "Error",
            "FailureReason": "so",
            "Translations": translations,
        }
        message = text("translation.response", members)
        assert (message.status, message.text, message.covered, message.language) == ("Success", "Hello", 15, "en-US")
        assert (message.translations, message.translation_status) == ((("de", "Hallo"),), "Error")
        assert message.failure_reason == "so"

    def test_is_nothing_where_nothing_can_be_understood(self) -> None:
        for message in (
            text("translation.response", {"SpeechPhrase": []}),
            text("translation.phrase", {"Offset": [], "Translation": {"Translations": [1], "TranslationStatus": 1}}),
            text("translation.phrase", {"Offset": "soon", "Duration": "inf"}),
            text("translation.phrase", [1]),
            text("translation.phrase"),
        ):
            assert (message.status, message.text, message.offset, message.covered) == ("", "", None, 0)
            assert (message.translations, message.translation_status, message.language) == ((), None, None)
            assert message.failure_reason is None


class TestWhatIsNotInProperForm:
    def test_bare_line_feeds_are_read(self) -> None:
        message = text("translation.phrase", {"Text": "Hello"}, line="\n")
        assert (message.path, message.turn, message.text) == ("translation.phrase", ID, "Hello")

    def test_the_first_of_two_headers_counts(self) -> None:
        assert text("turn.end", {}, more="Path:turn.start\r\n").path == "turn.start"

    def test_a_wrong_size_leaves_what_can_be_read(self) -> None:
        assert binary("audio", size=60_000).path == "audio"
        assert heard(Received(1.0, 2.0, Kind.BINARY, b"", 1)).path == ""

    def test_no_empty_line_leaves_the_headers(self) -> None:
        message = heard(Received(1.0, 2.0, Kind.TEXT, b"Path:turn.end\r\nnothing", 1))
        assert (message.path, message.members) == ("turn.end", {})
