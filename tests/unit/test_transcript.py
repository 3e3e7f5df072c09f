"""Transcripts: what is recorded is what is written, and what is written is what is read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from conformance.transcript import (
    Answered,
    Asked,
    Barrier,
    CloseFrame,
    Ended,
    Ending,
    Entry,
    Expired,
    Frame,
    Recorder,
    Transcript,
    Vantage,
    from_json,
    to_json,
)
from protocol.validate import validator
from protocol.wire import HttpRequest, HttpResponse, Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

TIMES = st.integers(0, 10**10).map(lambda microseconds: round(microseconds / 1_000_000, 6))
PARTIES = st.sampled_from(Party)
HEADERS = st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple)
PURPOSES = st.sampled_from([None, "translator.client.header-first"])
REQUESTS = st.builds(HttpRequest, st.text(min_size=1), st.text(), HEADERS, st.binary())
RESPONSES = st.builds(HttpResponse, st.integers(100, 599), HEADERS, st.binary())
NAMES = st.text(min_size=1)
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Asked, TIMES, REQUESTS, PURPOSES),
    st.builds(Answered, TIMES, RESPONSES),
    st.builds(Frame, TIMES, PARTIES, st.sampled_from(Kind), st.binary(), st.booleans(), st.booleans(), PURPOSES),
    st.builds(CloseFrame, TIMES, PARTIES, st.integers(0, 65535), st.text(), PURPOSES),
    st.builds(Ended, TIMES, PARTIES, st.sampled_from(Ending), st.text()),
    st.builds(Expired, TIMES, NAMES, TIMES),
    st.builds(Barrier, TIMES, NAMES),
)
TRANSCRIPTS = st.builds(
    Transcript,
    st.sampled_from(["translator", "speech-v1", "speech-v2"]),
    st.sampled_from(Vantage),
    st.sampled_from(["handshake.accept", "wire"]),
    st.integers(0, 9),
    st.lists(ENTRIES).map(tuple),
)


def written(*entries: Entry) -> list[dict[str, Any]]:
    entered: list[dict[str, Any]] = to_json(Transcript("translator", Vantage.CLIENT, "c", 0, entries))["entries"]
    return entered


class TestRoundTrip:
    @given(TRANSCRIPTS)
    def test_loses_nothing(self, transcript: Transcript) -> None:
        assert from_json(json.loads(json.dumps(to_json(transcript)))) == transcript

    @given(TRANSCRIPTS)
    def test_is_valid_by_the_schema(self, transcript: Transcript) -> None:
        validator("transcript").check(to_json(transcript))

    @pytest.mark.parametrize(
        "example", [found for found in schemas.examples("transcript") if found.valid], ids=lambda found: found.name
    )
    def test_of_every_valid_example_keeps_what_we_know_of(self, example: schemas.Example) -> None:
        again = to_json(from_json(example.instance))
        for name, value in again.items():
            if name != "entries":
                assert example.instance[name] == value
        for ours, theirs in zip(again["entries"], example.instance["entries"], strict=True):
            assert ours.items() <= theirs.items()

    def test_of_a_whole_conversation(self, talk: Talk) -> None:
        talk.open("Partial,TextToSpeech").header().audio().partial().final().voice()
        talk.barrier().client_closes(deliberate="translator.client.close-code").expired("a close frame").ended()
        assert from_json(to_json(talk.transcript())) == talk.transcript()


class TestForm:
    def test_times_are_rounded_to_a_microsecond(self) -> None:
        assert written(Expired(1.00000049, "a final", 2.0000004)) == [
            {"time": 1.0, "entry": "expired", "what": "a final", "budget": 2.0}
        ]

    def test_a_text_is_text_and_a_broken_one_kept_to_the_byte(self) -> None:
        good, bad = written(
            Frame(0, Party.SERVER, Kind.TEXT, "né".encode()), Frame(0, Party.SERVER, Kind.TEXT, b"n\xc3")
        )
        assert (good["text"], "base64" in good) == ("né", False)
        assert (good["first"], good["final"]) == (True, True)
        assert (bad["base64"], "text" in bad) == ("bsM=", False)

    def test_binary_is_base64_also_where_it_looks_like_text(self) -> None:
        (frame,) = written(Frame(0, Party.CLIENT, Kind.BINARY, b"RIFF"))
        assert (frame["base64"], "text" in frame) == ("UklGRg==", False)

    def test_a_purpose_is_written_only_where_there_is_one(self) -> None:
        plain, meant = written(
            CloseFrame(0, Party.CLIENT, 1000, ""),
            CloseFrame(0, Party.CLIENT, 4000, "", deliberate="translator.client.close-code"),
        )
        assert "deliberate" not in plain
        assert meant["deliberate"] == "translator.client.close-code"


class TestRecorder:
    def test_freezes_what_is_there_so_far(self) -> None:
        recorder = Recorder("translator", Vantage.SERVER, "handshake.accept", 2)
        first = Barrier(1.0, "first")
        recorder.add(first)
        before = recorder.transcript()
        recorder.add(Barrier(2.0, "second"))
        assert before == Transcript("translator", Vantage.SERVER, "handshake.accept", 2, (first,))
        assert len(recorder.transcript().entries) == 2

    def test_recorders_do_not_share_their_entries(self) -> None:
        one, other = (Recorder("translator", Vantage.CLIENT, "c", number) for number in range(2))
        one.add(Barrier(1.0, "x"))
        assert other.transcript().entries == ()
