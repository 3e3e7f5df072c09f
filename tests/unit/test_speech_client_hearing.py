from __future__ import annotations

from collections.abc import Mapping

import pytest

from protocol.errors import PeerViolation
from protocol.speech.client.hearing import FAILURES, Failure, Heard, Numbering, Told, Trouble, Turn, Voice
from protocol.speech.client.telemetry import Report
from protocol.speech.messages import (
    EndDetected,
    Final,
    Interim,
    Other,
    ServerMessage,
    StartDetected,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    TurnEnd,
    TurnStart,
)

PHRASE = Final("Success", 1_000, 2_000, "Good morning.")
BASE = 50_000


def turn(voices: Mapping[str, str] | None = None, numbering: Numbering | None = None) -> Turn:
    return Turn("a" * 32, 160, BASE, Report(), numbering or Numbering(), voices or {})


def hear(one: Turn, *said: ServerMessage) -> list[Told]:
    return [told for message in said for told in one.hear(message, 1.0)]


class TestResults:
    def test_are_numbered_and_have_offsets_of_the_session(self) -> None:
        interim = Interim("good", 1_000, 500)
        assert hear(turn(), interim, interim, PHRASE, interim) == [
            Heard(1.0, "0.1", interim, 51_000),
            Heard(1.0, "0.2", interim, 51_000),
            Heard(1.0, "0", PHRASE, 51_000),
            Heard(1.0, "1.1", interim, 51_000),
        ]

    def test_numbers_go_on_in_the_next_turn(self) -> None:
        numbering = Numbering()
        hear(turn(numbering=numbering), PHRASE)
        [heard] = hear(turn(numbering=numbering), PHRASE)
        assert isinstance(heard, Heard)
        assert heard.id == "1"

    def test_a_final_acknowledges_its_audio(self) -> None:
        one = turn()
        hear(one, PHRASE, Final("NoMatch", 0, 10))
        assert (one.reached, one.results) == (3_000, 2)

    def test_end_of_dictation_only_acknowledges(self) -> None:
        one = turn()
        assert hear(one, Final("EndOfDictation", 0, 9_000)) == []
        assert (one.reached, one.results) == (9_000, 0)

    @pytest.mark.parametrize("status", sorted(FAILURES))
    def test_a_status_of_failure_gives_up_and_acknowledges_nothing(self, status: str) -> None:
        one = turn()
        assert hear(one, Final(status, 0, 9_000)) == [Failure(1.0, status, "", True)]
        assert (one.given_up, one.reached, one.results) == (True, 0, 0)

    def test_a_translation_that_failed_leaves_the_text(self) -> None:
        one, result = (
            turn(),
            Final("Success", 0, 10, "Hi.", translation_status="Error", failure_reason="no such language"),
        )
        assert hear(one, result) == [Heard(1.0, "0", result, BASE), Failure(1.0, "Error", "no such language", False)]
        assert not one.given_up

    def test_what_means_nothing_to_an_application_is_not_told(self) -> None:
        assert hear(turn(), TurnStart("tag"), StartDetected(1_000), Other("news")) == []

    def test_the_end_of_speech_and_of_the_turn_are_noted(self) -> None:
        one = turn()
        assert hear(one, EndDetected(3_000)) == []
        assert (one.stopped, one.over) == (True, False)
        assert hear(one, TurnEnd()) == []
        assert one.over


class TestVoices:
    def test_the_chunks_of_a_stream_make_one_file_in_its_language(self) -> None:
        one = turn({"de": "x", "fr": "y"})
        assert hear(
            one,
            PHRASE,
            SynthesisStart("1", "de"),
            SynthesisChunk("1", b"RI"),
            SynthesisChunk("1", b"FF"),
            SynthesisEnd("1", "Success"),
            SynthesisStart("2", "fr"),
            SynthesisChunk("2", b"WAVE"),
            SynthesisEnd("2", "Success"),
        )[1:] == [Voice(1.0, "0", "de", b"RIFF"), Voice(1.0, "0", "fr", b"WAVE")]

    def test_streams_may_interleave(self) -> None:
        one = turn()
        starts = SynthesisStart("1", "de"), SynthesisStart("2", "fr")
        chunks = SynthesisChunk("2", b"f"), SynthesisChunk("1", b"d"), SynthesisChunk("2", b"f")
        hear(one, PHRASE, *starts, *chunks)
        assert one.size == 3
        assert hear(one, SynthesisEnd("1", "Success")) == [Voice(1.0, "0", "de", b"d")]
        assert hear(one, SynthesisEnd("2", "Success")) == [Voice(1.0, "0", "fr", b"ff")]
        assert one.size == 0

    def test_without_a_start_it_is_in_the_language_that_was_wished(self) -> None:
        one = turn({"de": "x"})
        voice = SynthesisChunk(None, b"RIFF"), SynthesisEnd(None, "Success")
        assert hear(one, PHRASE, *voice)[1:] == [Voice(1.0, "0", "de", b"RIFF")]

    def test_or_in_nobody_knows_which(self) -> None:
        one = turn({"de": "x", "fr": "y"})
        voice = SynthesisChunk(None, b"RIFF"), SynthesisEnd(None, "Success")
        assert hear(one, *voice) == [Voice(1.0, None, None, b"RIFF")]

    def test_a_voice_that_failed_is_told_with_its_reason(self) -> None:
        one = turn()
        assert hear(one, PHRASE, SynthesisEnd(None, "Error", "Unsupported voice"))[1:] == [
            Failure(1.0, "Error", "Unsupported voice", False)
        ]
        assert not one.given_up

    def test_and_without_one(self) -> None:
        assert hear(turn(), SynthesisEnd(None, "Error")) == [Failure(1.0, "Error", "", False)]

    def test_success_without_audio_is_no_voice(self) -> None:
        [trouble] = hear(turn(), SynthesisEnd(None, "Success"))
        assert isinstance(trouble, Trouble)
        assert trouble.violation.requirement == "speech.synthesis.file"

    def test_a_voice_that_the_end_of_the_turn_cuts_off(self) -> None:
        [trouble] = hear(turn(), SynthesisChunk(None, b"RIFF"), TurnEnd())
        assert isinstance(trouble, Trouble)
        assert trouble.violation == PeerViolation(
            "speech.synthesis.end", "turn.end", "the end of the voice before it", "none"
        )
