"""What holds for every voice: each finding from both sides."""

from __future__ import annotations

import re
from typing import Any

import pytest

import schemas
from conformance.judge.findings import Bench
from conformance.judge.speech.reading import View
from conformance.judge.speech.voices import RULES, voices
from protocol.audio import PcmFormat
from protocol.riff import build_file, build_header
from protocol.wire import Headers
from tests.unit.conftest import TONE
from tests.unit.speech_transcript import FILE, TWO, V1, V2, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return SpeechTalk(request.param).connect().begin().phrase()


@pytest.fixture
def v1() -> SpeechTalk:
    return SpeechTalk(V1).connect().begin().phrase()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect().begin().phrase()


def on(stream: str | None) -> Headers:
    return (("Content-Type", "application/json"), *((("X-StreamId", stream),) if stream else ()))


class TestReading:
    def shape(self, talk: SpeechTalk) -> list[tuple[bool, int, bool]]:
        (turn,) = View(talk.transcript()).turns
        return [(voice.start is not None, len(voice.chunks), voice.end is not None) for voice in voices(turn)]

    def test_a_voice_is_cut_behind_its_end(self, talk: SpeechTalk) -> None:
        talk.voice().voice()
        assert self.shape(talk) == [(talk.dialect == V2, 1, True)] * 2

    def test_streams_are_told_apart_by_their_ids(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}, headers=on("1")).says("audio.start", {}, headers=on("2"))
        v2.plays(stream="2").plays(stream="1").plays(stream="1")
        v2.says("audio.end", {}, headers=on("1")).says("audio.end", {}, headers=on("2"))
        assert self.shape(v2) == [(True, 2, True), (True, 1, True)]

    def test_what_has_no_id_belongs_to_the_voice_that_is_open(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}, headers=on("1")).plays(stream=None).says("audio.end", {})
        assert self.shape(v2) == [(True, 1, True)]

    def test_a_second_start_begins_another(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}).plays(stream=None).says("audio.start", {}).done().plays()
        assert self.shape(v2) == [(True, 1, False), (True, 0, False)]


class TestFiles:
    """speech.synthesis.file, format, no-empty-chunk."""

    def play(self, talk: SpeechTalk, *chunks: bytes) -> SpeechTalk:
        for chunk in chunks:
            talk.plays(chunk)
        path = "translation.synthesis.end" if talk.dialect == V1 else "audio.end"
        return talk.says(path, {"Status": "Success", "SynthesisStatus": "Success"}, headers=on("1"))

    def test_in_any_pieces_are_kept(self, talk: SpeechTalk) -> None:
        self.play(talk, FILE[:7], FILE[7:])
        assert talk.said(BENCH, "synthesis.file") == talk.said(BENCH, "synthesis.format") == ["kept"]
        assert talk.said(BENCH, "synthesis.no-empty-chunk") == ["kept", "kept"]

    def test_samples_without_a_header_are_broken(self, talk: SpeechTalk) -> None:
        assert self.play(talk, TONE * 100).said(BENCH, "synthesis.file") == [
            "0x00; expected 0x52 of b'RIFF' at offset 0 of the file"
        ]

    def test_untrue_sizes_are_told(self, talk: SpeechTalk) -> None:
        self.play(talk, build_header(PcmFormat(16_000)), TONE * 100)
        assert talk.said(BENCH, "synthesis.file")[0].endswith("(non-strict)")

    @pytest.mark.parametrize("rate", [8000, 24_000])
    def test_another_rate_is_told(self, talk: SpeechTalk, rate: int) -> None:
        self.play(talk, build_file(PcmFormat(rate), TONE * 100))
        assert talk.said(BENCH, "synthesis.format") == [f"{rate} Hz; expected 16000 Hz"]

    def test_an_empty_chunk_is_told(self, talk: SpeechTalk) -> None:
        self.play(talk, b"", FILE)
        assert talk.said(BENCH, "synthesis.no-empty-chunk") == ["an empty body; expected audio", "kept"]

    def test_bytes_that_a_recording_has_lost_show_nothing(self, talk: SpeechTalk) -> None:
        assert self.play(talk, bytes(6400)).said(BENCH, "synthesis.file") == []

    def test_an_open_voice_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.plays(TONE).said(BENCH, "synthesis.file") == []


class TestEnds:
    def test_good_ones_are_kept(self, talk: SpeechTalk) -> None:
        talk.voice().done()
        names = ["end", "end-form", "end-status", "end-reason"] + ["start-form"] * (talk.dialect == V2)
        assert list(talk.both(BENCH, *(f"synthesis.{name}" for name in names))) == [["kept"]] * len(names)
        assert talk.wrong(BENCH) == []

    def test_a_missing_one_is_broken(self, talk: SpeechTalk) -> None:
        talk.plays().done()
        assert talk.said(BENCH, "synthesis.end") == ["none; expected an end message for each voice"]

    def test_a_missing_one_of_an_open_or_provoked_turn_is_not(self, talk: SpeechTalk) -> None:
        assert talk.plays().said(BENCH, "synthesis.end") == []
        talk.chunk(b"", deliberate=MARK).done()
        assert talk.said(BENCH, "synthesis.end") == []

    def test_a_start_alone_needs_none(self, v2: SpeechTalk) -> None:
        assert v2.says("audio.start", {}).done().said(BENCH, "synthesis.end") == []

    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({}, "end-status"),
            ({"STATUS": "SynthesisEnd"}, "end-status"),
            ({"STATUS": "Success", "FailureReason": "r"}, "end-reason"),
            ({"STATUS": "Success", "FailureReason": 7}, "end-form"),
        ],
    )
    def test_bad_ones_are_broken(self, talk: SpeechTalk, body: dict[str, Any], wrong: str) -> None:
        key, path = ("SynthesisStatus", "translation.synthesis.end") if talk.dialect == V1 else ("Status", "audio.end")
        talk.says(path, {key if name == "STATUS" else name: value for name, value in body.items()})
        assert f"synthesis.{wrong}" in talk.wrong(BENCH)

    def test_one_without_an_object_is_another_requirements_matter(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", b"").plays().says("audio.end", b"[")
        assert v2.said(BENCH, "synthesis.end-form") == v2.said(BENCH, "synthesis.start-form") == []
        assert v2.said(BENCH, "synthesis.end") == ["kept"]

    @pytest.mark.parametrize("name", ["audio-start", "audio-end", "synthesis-end"])
    def test_the_rule_names_every_requirement_of_its_schemas(self, name: str) -> None:
        named = set(re.findall(r"speech\.[a-z]+\.[a-z-]+", str(schemas.read(f"speech/{name}"))))
        assert named
        assert named <= set(RULES[1].requirements)


class TestShapes:
    def test_of_the_dialect_are_kept(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        assert v1.voice().said(BENCH, "synthesis.v1-paths") == ["kept"]
        assert v2.voice().said(BENCH, "synthesis.v2-paths") == ["kept"]

    def test_of_the_other_are_broken_once_a_voice(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        v1.plays(path="audio").says("audio.end", {"Status": "Success"})
        assert v1.said(BENCH, "synthesis.v1-paths") == [
            "audio; expected translation.synthesis or translation.synthesis.end"
        ]
        v2.plays(path="translation.synthesis").plays(path="translation.synthesis")
        assert v2.said(BENCH, "synthesis.v2-paths") == [
            "translation.synthesis; expected audio.start or audio or audio.end"
        ]
        assert v2.said(BENCH, "synthesis.stream-id") == []

    def test_an_old_client_of_v2_may_be_sent_those_of_v1(self) -> None:
        old = SpeechTalk(V2).connect("features=texttospeech").begin().plays(path="translation.synthesis")
        assert old.said(BENCH, "synthesis.v2-paths") == []


class TestStreams:
    """speech.synthesis.start, stream-id, one-stream-at-a-time."""

    def test_one_after_another_are_kept(self, v2: SpeechTalk) -> None:
        v2.voice(stream="1").voice(stream="2")
        names = ("start", "stream-id", "one-stream-at-a-time")
        assert list(v2.both(BENCH, *(f"synthesis.{name}" for name in names))) == [["kept", "kept"]] * 3

    def test_without_an_id_on_one_message_are_broken(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}, headers=on("1")).plays(stream="1").says("audio.end", {})
        assert v2.said(BENCH, "synthesis.stream-id") == [
            "none on audio.end; expected an X-StreamId on each message of a voice"
        ]

    def test_with_an_id_again_are_broken_also_in_another_turn(self, v2: SpeechTalk) -> None:
        v2.voice(stream="1").done().begin(identity=TWO).phrase(identity=TWO).voice(stream="1", identity=TWO)
        assert v2.said(BENCH, "synthesis.stream-id") == ["kept", "1 again; expected an X-StreamId of its own"]

    def test_that_are_open_or_empty_show_less(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}, headers=on("1")).says("audio.end", {}, headers=on("1")).plays(stream="2")
        assert v2.said(BENCH, "synthesis.start") == []
        assert v2.said(BENCH, "synthesis.one-stream-at-a-time") == ["kept"]

    def test_that_hold_another_one_are_the_walks_matter(self, v2: SpeechTalk) -> None:
        v2.says("audio.start", {}, headers=on("1")).says("audio.start", {}, headers=on("2"))
        v2.says("audio.end", {}, headers=on("1")).says("audio.end", {}, headers=on("2"))
        assert v2.said(BENCH, "synthesis.one-stream-at-a-time") == ["kept"]
