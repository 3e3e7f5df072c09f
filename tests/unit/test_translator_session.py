"""The server's side of a conversation in `translator`: a class for each group of requirements."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.audio import PcmFormat
from protocol.errors import LocalViolation
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Begun,
    Hypothesis,
    Phrase,
    Span,
    Speak,
    Speech,
    Task,
)
from protocol.riff import build_header
from protocol.translator import order
from protocol.translator.handshake import ProfanityAction, ProfanityMarker, VoiceFormat
from protocol.translator.policy import Policy
from protocol.wire import Close, Fragment, Kind, Message, Party
from tests.unit.translator_stage import (
    ELSA,
    HEADER,
    OPENED,
    PARTIAL,
    PCM,
    SECOND,
    TASK,
    TIMING,
    TTS,
    Stage,
    members,
    phrase,
)


class TestHeader:
    """translator.audio.header-*, header-first, format, extra-chunks, rates."""

    def test_starts_the_pipeline_with_its_format(self) -> None:
        assert Stage().hear(HEADER) == [AudioStarted(PCM, TASK)]

    def test_audio_in_the_same_message_follows_at_once(self) -> None:
        assert Stage().hear(HEADER + b"\1\2\3\4") == [AudioStarted(PCM, TASK), Audio(b"\1\2\3\4")]

    @pytest.mark.parametrize("rate", [8000, 22050, 48000])
    def test_the_rate_is_the_clients_choice(self, rate: int) -> None:
        stream = PcmFormat(rate)
        assert Stage().hear(build_header(stream)) == [AudioStarted(stream, TASK)]

    def test_may_have_46_bytes_and_extra_chunks(self) -> None:
        header = build_header(PCM, fmt_size=18, extra_chunks=[(b"LIST", b"abc")])
        assert Stage().hear(header + b"\1\2") == [AudioStarted(PCM, TASK), Audio(b"\1\2")]

    @given(st.lists(st.integers(0, len(HEADER) + 6), max_size=8))
    def test_may_be_split_anywhere(self, cuts: list[int]) -> None:
        stage, wire = Stage(), HEADER + b"\1\2\3\4\5\6"
        places = sorted({0, len(wire), *cuts})
        outputs = [out for start, end in pairwise(places) for out in stage.hear(wire[start:end])]
        assert outputs[0] == AudioStarted(PCM, TASK)
        assert b"".join(out.data for out in outputs[1:] if isinstance(out, Audio)) == b"\1\2\3\4\5\6"

    @pytest.mark.parametrize("size", [2, 3200, 0xFFFFFFFF])
    def test_audio_goes_on_past_the_size_that_it_declares(self, size: int) -> None:
        stage = Stage()
        stage.begin(build_header(PCM, data_size=size))
        assert stage.hear(bytes(6400)) == [Audio(bytes(6400))]

    def test_something_else_is_closed_with_1003_and_the_place(self) -> None:
        assert Stage().hear(b"\0\0\0\0") == [
            AudioEnded(flush=False),
            Close(1003, "Invalid Message Type: audio header, offset 0: expected 0x52 of b'RIFF', got 0x00"),
        ]

    def test_a_format_that_is_not_taken_is_closed_with_1003_and_the_field(self) -> None:
        stage = Stage()
        _, close = stage.hear(build_header(PcmFormat(16_000, channels=2)))
        assert close == Close(1003, "Invalid Message Type: audio header, offset 22: expected 1 channel, got 2")
        assert not stage.session.open

    @pytest.mark.parametrize("name", [b"\xc3\xa9\xff\xff", b"\0\0\0\0"])
    def test_the_reason_fits_into_a_close_frame(self, name: bytes) -> None:
        _, close = Stage().hear(HEADER[:12] + name)
        assert isinstance(close, Close)
        assert 0 < len(close.reason.encode()) <= 123

    def test_until_it_is_complete_nothing_happens(self) -> None:
        stage = Stage()
        assert stage.hear(HEADER[:20]) == []
        assert stage.session.order.state(Party.SERVER) == order.MUTE


class TestTask:
    """What the pipeline is asked to do follows from the request and the policy."""

    def test_follows_the_policy(self) -> None:
        policy = Policy(endpoint_silence_ms=500, max_utterance_ms=10_000, partial_interval_ms=400)
        task = Task("en-US", ("it",), silence_ms=500, longest_ms=10_000, growth_ms=400)
        assert Stage(PARTIAL, policy=policy).hear(HEADER) == [AudioStarted(PCM, task)]

    def test_has_no_hypotheses_unless_asked_for(self) -> None:
        assert Stage(TTS, TIMING).hear(HEADER) == [AudioStarted(PCM, TASK)]


class TestAudio:
    """translator.audio.chunk-any-size, fragmented, unfinished-message, empty-message, text-message."""

    def test_is_passed_on_as_it_comes(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.hear(bytes(3200)) == [Audio(bytes(3200))]
        assert stage.hear(b"\1\2") == [Audio(b"\1\2")]

    def test_is_taken_frame_by_frame_also_of_a_message_that_never_ends(self) -> None:
        stage = Stage()
        stage.begin()
        for number in range(5):
            part = Fragment(OPENED, Kind.BINARY, b"\1\2", first=number == 0, final=False)
            assert stage.session.receive(part) == [Audio(b"\1\2")]

    @pytest.mark.parametrize("header", [b"", HEADER], ids=["before the header", "behind it"])
    def test_an_empty_message_is_ignored_and_counts_as_no_audio(self, header: bytes) -> None:
        stage = Stage()
        stage.begin(header)
        before = stage.session.next_deadline
        assert stage.hear(b"", at=OPENED + 50) == []
        assert stage.session.next_deadline == before

    @pytest.mark.parametrize("header", [b"", HEADER], ids=["before the header", "behind it"])
    def test_a_text_message_is_closed_with_1003(self, header: bytes) -> None:
        stage = Stage()
        stage.begin(header)
        ended, close = stage.hear(b"hello", kind=Kind.TEXT)
        assert ended == AudioEnded(flush=False)
        assert close == Close(1003, "Invalid Message Type: text messages are not taken; send audio in binary messages")


class TestOddBytes:
    """translator.audio.odd-bytes: an odd byte waits for its partner."""

    def test_half_a_sample_is_held_back(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.hear(b"\1\2\3") == [Audio(b"\1\2")]
        assert stage.hear(b"\4\5") == [Audio(b"\3\4")]
        assert stage.hear(b"\6") == [Audio(b"\5\6")]

    def test_a_single_byte_alone_gives_nothing(self) -> None:
        stage = Stage()
        assert stage.hear(HEADER + b"\1") == [AudioStarted(PCM, TASK)]
        assert stage.hear(b"\2") == [Audio(b"\1\2")]

    @given(st.lists(st.binary(max_size=7)))
    def test_samples_stay_whole_and_none_is_lost(self, parts: list[bytes]) -> None:
        stage = Stage()
        stage.begin()
        passed = [out.data for part in parts for out in stage.hear(part) if isinstance(out, Audio)]
        whole = b"".join(parts)
        assert all(len(data) % 2 == 0 and data for data in passed)
        assert b"".join(passed) == whole[: len(whole) & ~1]


class TestPartials:
    """translator.partial.*: only on request, at most one for every 300 ms of audio."""

    def test_are_not_sent_unless_asked_for(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.guess(SECOND) == []

    def test_have_type_id_and_both_texts(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        assert stage.guess(SECOND) == [{"type": "partial", "id": "0.1", "recognition": "he", "translation": "it:he"}]

    def test_the_first_waits_until_its_utterance_has_300_ms(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        assert stage.guess(9598) == []
        assert len(stage.guess(9600)) == 1

    def test_the_next_waits_for_300_ms_more(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        ids = [found["id"] for end in range(9600, 48001, 3200) for found in stage.guess(end)]
        assert ids == ["0.1", "0.2", "0.3", "0.4", "0.5"]

    def test_the_interval_is_audio_time_at_the_streams_own_rate(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin(build_header(PcmFormat(8000)))
        assert len(stage.guess(4800)) == 1
        assert stage.guess(9598) == []
        assert len(stage.guess(9600)) == 1

    def test_the_interval_is_a_policy(self) -> None:
        stage = Stage(PARTIAL, policy=Policy(partial_interval_ms=0))
        stage.begin()
        assert [found["id"] for _ in range(2) for found in stage.guess(2)] == ["0.1", "0.2"]

    def test_a_new_utterance_counts_its_own_audio(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        stage.guess(SECOND)
        stage.phrase(0, SECOND)
        assert stage.guess(SECOND + 9598, start=SECOND) == []
        assert stage.guess(SECOND + 9600, start=SECOND)[0]["id"] == "1.1"


class TestIds:
    """translator.final.id-*, partial.major-shared, minor-grows."""

    def test_finals_count_from_0(self) -> None:
        stage = Stage()
        stage.begin()
        assert [found["id"] for _ in range(3) for found in stage.phrase()] == ["0", "1", "2"]

    def test_partials_bear_the_number_of_the_final_that_will_follow(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        heard = [*stage.guess(9600), *stage.guess(19200), *stage.phrase(), *stage.guess(9600), *stage.phrase()]
        assert [found["id"] for found in heard] == ["0.1", "0.2", "0", "1.1", "1"]

    def test_partials_that_were_held_back_leave_no_gap(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        heard = [*stage.guess(9600), *stage.guess(9602), *stage.guess(19200)]
        assert [found["id"] for found in heard] == ["0.1", "0.2"]


class TestFinals:
    """translator.final.always, fields, empty-translation."""

    def test_come_whatever_was_asked_for(self) -> None:
        for features in ((), (PARTIAL,), (TIMING,), (TTS,)):
            stage = Stage(*features)
            stage.begin()
            (found,) = stage.phrase()
            assert (found["type"], found["recognition"], found["translation"]) == ("final", "hello", "it:hello")

    def test_of_nothing_said_have_empty_texts(self) -> None:
        stage = Stage()
        stage.begin()
        assert stage.phrase(text="") == [{"type": "final", "id": "0", "recognition": "", "translation": ""}]

    @pytest.mark.parametrize("status", ["NoMatch", "BabbleTimeout", "InitialSilenceTimeout"])
    def test_of_nothing_understood_have_empty_texts_and_no_voice(self, status: str) -> None:
        stage = Stage(TTS)
        stage.begin()
        assert members(stage.session.result(phrase(status=status))) == [
            {"type": "final", "id": "0", "recognition": "", "translation": ""}
        ]

    def test_of_a_translation_that_failed_have_the_recognition_alone(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        failed = Phrase(OPENED, Span(0, 2), "hello", ("",), targets=("it",), failures={"it": "no model"})
        (found,) = members(stage.session.result(failed))
        assert (found["recognition"], found["translation"]) == ("hello", "")

    def test_are_not_announced_when_speech_begins(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        assert stage.session.result(Begun(OPENED, 0)) == []


class TestTiming:
    """translator.timing.*: four integers on request, ticks that follow from the bytes."""

    def test_is_not_sent_unless_asked_for(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        for found in (*stage.guess(9600), *stage.phrase()):
            assert not any(name.startswith("audio") for name in found)

    def test_partials_and_finals_have_it(self) -> None:
        stage = Stage(PARTIAL, TIMING)
        stage.begin()
        partial, final = *stage.guess(41600, start=32000), *stage.phrase(32000, 16000)
        assert [partial[name] for name in order_of_timing()] == [10_000_000, 3_000_000, 32000, 9600]
        assert [final[name] for name in order_of_timing()] == [10_000_000, 5_000_000, 32000, 16000]

    def test_ticks_are_those_of_the_streams_own_rate(self) -> None:
        stage = Stage(TIMING)
        stage.begin(build_header(PcmFormat(22050)))
        (final,) = stage.phrase(44100, 22050)
        assert (final["audioTimeOffset"], final["audioTimeSize"]) == (10_000_000, 5_000_000)


def order_of_timing() -> tuple[str, ...]:
    return ("audioTimeOffset", "audioTimeSize", "audioStreamPosition", "audioSizeBytes")


class TestProfanity:
    """translator.profanity.*: both texts, partials too."""

    RUDE = frozenset({"damn"})

    def test_the_default_marks_with_asterisks(self) -> None:
        stage = Stage(PARTIAL)
        stage.begin()
        guess = Hypothesis(OPENED, Span(0, 9600), "damn it", ("damn esso",), self.RUDE)
        final = Phrase(OPENED, Span(0, 9600), "damn it", ("damn esso",), self.RUDE)
        for found in (*members(stage.session.result(guess)), *members(stage.session.result(final))):
            assert (found["recognition"], found["translation"]) == ("*** it", "*** esso")

    @pytest.mark.parametrize(
        ("action", "marker", "expected"),
        [
            (ProfanityAction.NO_ACTION, ProfanityMarker.ASTERISK, "damn it"),
            (ProfanityAction.MARKED, ProfanityMarker.TAG, "<profanity>damn</profanity> it"),
            (ProfanityAction.DELETED, ProfanityMarker.ASTERISK, " it"),
        ],
    )
    def test_the_request_may_ask_for_another_treatment(
        self, action: ProfanityAction, marker: ProfanityMarker, expected: str
    ) -> None:
        stage = Stage(profanity=action, marker=marker)
        stage.begin()
        final = Phrase(OPENED, Span(0, 9600), "damn it", ("",), self.RUDE)
        assert members(stage.session.result(final))[0]["recognition"] == expected

    def test_a_translation_that_is_deleted_altogether_has_no_voice(self) -> None:
        stage = Stage(TTS, profanity=ProfanityAction.DELETED)
        stage.begin()
        (final,) = stage.session.result(Phrase(OPENED, Span(0, 2), "damn", ("damn",), self.RUDE))
        assert isinstance(final, Message)
        assert stage.session.order.state(Party.SERVER) == order.LISTENING


class TestVoice:
    """translator.voice.*: one message behind the final, in frames of bounded size."""

    def test_follows_its_final_in_frames_of_16_kib(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.phrase()
        (voice,) = stage.session.result(Speech(OPENED, bytes(40_000)))
        assert isinstance(voice, Message)
        assert voice.kind is Kind.BINARY
        assert [len(part) for part in voice.fragments] == [16_384, 16_384, 7_232]

    def test_is_due_before_the_next_result(self) -> None:
        stage = Stage(TTS, PARTIAL)
        stage.begin()
        stage.phrase()
        for event in (Hypothesis(OPENED, Span(SECOND, SECOND), "a", ("b",)), phrase()):
            with pytest.raises(LocalViolation) as caught:
                stage.session.result(event)
            assert caught.value.requirement == "translator.voice.before-next-text"
        stage.session.result(Speech(OPENED, b"RIFF"))
        assert stage.phrase()[0]["id"] == "1"

    def test_there_is_none_for_an_empty_translation(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.phrase(text="")
        with pytest.raises(LocalViolation) as caught:
            stage.session.result(Speech(OPENED, b"RIFF"))
        assert caught.value.requirement == "translator.voice.one-message"
        assert stage.phrase()[0]["id"] == "1"

    def test_there_is_none_unless_asked_for(self) -> None:
        stage = Stage()
        stage.begin()
        stage.phrase()
        with pytest.raises(LocalViolation):
            stage.session.result(Speech(OPENED, b"RIFF"))

    @pytest.mark.parametrize(("format_", "encoding"), [(VoiceFormat.WAV, "wav"), (VoiceFormat.MP3, "mp3")])
    def test_is_that_of_the_request(self, format_: VoiceFormat, encoding: Any) -> None:
        stage = Stage(TTS, voice="it-IT-Cosimo", format=format_)
        stage.begin()
        assert stage.session.result(phrase())[1:] == [Speak("it:hello", "it-IT-Cosimo", encoding)]

    @pytest.mark.parametrize(
        ("action", "marker", "words"),
        [
            (ProfanityAction.NO_ACTION, ProfanityMarker.ASTERISK, "damn esso"),
            (ProfanityAction.MARKED, ProfanityMarker.ASTERISK, "*** esso"),
            (ProfanityAction.MARKED, ProfanityMarker.TAG, "damn esso"),
            (ProfanityAction.DELETED, ProfanityMarker.ASTERISK, " esso"),
        ],
    )
    def test_says_what_is_left_of_profanities(
        self, action: ProfanityAction, marker: ProfanityMarker, words: str
    ) -> None:
        stage = Stage(TTS, profanity=action, marker=marker)
        stage.begin()
        said = Phrase(OPENED, Span(0, 2), "damn it", ("damn esso",), frozenset({"damn"}))
        assert stage.session.result(said)[1:] == [Speak(words, ELSA)]

    def test_that_fails_ends_the_session(self) -> None:
        stage = Stage(TTS)
        stage.begin()
        stage.phrase()
        assert stage.session.result(Speech(OPENED, b"", "the voice failed")) == [
            AudioEnded(flush=False),
            Close(1011, "Internal Server Error: the voice failed"),
        ]
