"""What holds for every voice, and the order of texts and voices: each finding from both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from conformance.judge.findings import Bench, Finding
from conformance.judge.translator.reading import View
from conformance.judge.translator.voice import RULES
from conformance.judge.verdict import Verdict
from protocol.audio import PcmFormat
from protocol.riff import build_file
from protocol.wire import Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

BENCH = Bench(View, RULES)
WAV = build_file(PcmFormat(16_000), b"\x00\x10\x00\xf0" * 100)
MP3 = b"\xff\xfb\x90\x64" + bytes(100)
EARLY = "session.no-server-message-before-audio"
AFTER = "session.no-data-after-close"
TTS = "TextToSpeech"


@pytest.fixture
def spoken(talk: Talk) -> Talk:
    """A conversation with partials and voices, its header sent."""
    return talk.open(f"Partial,{TTS}").header()


def broken(talk: Talk) -> list[Finding]:
    return [finding for finding in BENCH.judge(talk.transcript(), Party.SERVER) if not finding.kept]


def names(talk: Talk) -> list[str]:
    """Return the requirements that are broken, without the dialect."""
    return [finding.requirement.removeprefix("translator.") for finding in broken(talk)]


class TestUnasked:
    """translator.voice.only-if-requested."""

    NAME = "voice.only-if-requested"

    def test_none_up_to_the_close_of_the_server_is_kept(self, talk: Talk) -> None:
        assert talk.open().header().final().server_closes().said(BENCH, self.NAME) == ["kept"]

    def test_each_is_broken(self, talk: Talk) -> None:
        talk.open("Partial").header().final().replies(b"abc").replies(b"")
        assert talk.said(BENCH, self.NAME) == [
            "3 bytes; expected no binary message: features has no TextToSpeech",
            "0 bytes; expected no binary message: features has no TextToSpeech",
        ]
        assert names(talk) == ["voice.only-if-requested"] * 2

    def test_none_proves_nothing_without_a_final_and_the_end(self, talk: Talk, new_talk: Callable[[], Talk]) -> None:
        assert talk.open().header().final().said(BENCH, self.NAME) == []
        assert new_talk().open().header().server_closes().said(BENCH, self.NAME) == []

    def test_whoever_asks_may_have_them(self, spoken: Talk) -> None:
        assert spoken.final().voice().server_closes().said(BENCH, self.NAME) == []

    def test_without_a_conversation_nothing_is_said(self, talk: Talk) -> None:
        assert talk.ask().answer(400).replies(b"x").said(BENCH, self.NAME) == []


class TestWavFile:
    """translator.voice.complete-file, wav-format, default-wav, audible."""

    NAMES = ("voice.complete-file", "voice.wav-format", "voice.default-wav", "voice.audible")

    def test_a_good_one_keeps_them_all(self, spoken: Talk) -> None:
        spoken.final().voice()
        assert [spoken.said(BENCH, name) for name in self.NAMES] == [["kept"]] * 4

    def test_24_khz_is_good_too(self, spoken: Talk) -> None:
        assert spoken.final().voice(rate=24_000).said(BENCH, "voice.wav-format") == ["kept"]

    def test_another_rate_is_broken(self, spoken: Talk) -> None:
        assert spoken.final().voice(rate=22_050).said(BENCH, "voice.wav-format") == [
            "22050 Hz; expected 16000 or 24000 Hz"
        ]

    def test_another_format_is_broken(self, spoken: Talk) -> None:
        stereo = build_file(PcmFormat(16_000, channels=2), bytes(8))
        assert spoken.final().replies(stereo).said(BENCH, "voice.wav-format") == [
            "2; expected 1 channel at offset 22 of the voice"
        ]

    @pytest.mark.parametrize(
        ("file", "said"),
        [
            (WAV[:-2], "436; expected 434 (the bytes that follow) at offset 4 of the voice"),
            (WAV[:20], "the end of the file; expected the rest of the header at offset 20 of the voice"),
            (b"", "the end of the file; expected the rest of the header at offset 0 of the voice"),
            (b"PCM", "0x50; expected 0x52 of b'RIFF' at offset 0 of the voice"),
        ],
    )
    def test_one_that_is_not_complete_and_true_is_broken(self, spoken: Talk, file: bytes, said: str) -> None:
        assert spoken.final().replies(file).said(BENCH, "voice.complete-file") == [said]
        assert spoken.said(BENCH, "voice.audible") == []

    def test_an_mp3_stream_without_a_format_is_broken_as_that_alone(self, spoken: Talk) -> None:
        spoken.final().replies(MP3)
        assert spoken.said(BENCH, "voice.default-wav") == ["an MP3 stream; expected a WAV file, since format is absent"]
        assert names(spoken) == ["voice.default-wav"]

    def test_with_a_format_there_is_no_default(self, talk: Talk) -> None:
        talk.open(query=f"from=en-US&to=it&features={TTS}&format=audio/wav").header().final().voice()
        assert talk.said(BENCH, "voice.default-wav") == []
        assert talk.said(BENCH, "voice.complete-file") == ["kept"]

    @pytest.mark.parametrize(("pcm", "level"), [(bytes(320), "-inf"), (b"", "-inf"), (b"\x01\x00" * 100, "-90")])
    def test_silence_is_broken_but_no_more_than_informational(self, spoken: Talk, pcm: bytes, level: str) -> None:
        spoken.final().voice(pcm)
        assert spoken.said(BENCH, "voice.audible") == [f"{level}; expected speech above -60 dBFS"]
        assert [finding.verdict for finding in broken(spoken)] == [Verdict.INFORMATIONAL]

    def test_frames_do_not_matter(self, spoken: Talk) -> None:
        spoken.final().replies(WAV[:10], final=False).replies(WAV[10:], first=False)
        assert names(spoken) == []
        assert spoken.said(BENCH, "voice.complete-file") == ["kept"]

    def test_one_that_never_ended_is_not_judged_as_a_file(self, spoken: Talk) -> None:
        assert spoken.final().replies(WAV[:10], final=False).said(BENCH, "voice.complete-file") == []


class TestMp3:
    """translator.voice.mp3."""

    NAME = "voice.mp3"
    QUERY = f"from=en-US&to=it&features={TTS}&format=Audio/MP3"

    @pytest.mark.parametrize("file", [MP3, b"ID3\x04" + MP3, b"\xff\xf3\x40\xc0\x00"])
    def test_a_frame_or_a_tag_is_kept(self, talk: Talk, file: bytes) -> None:
        assert talk.open(query=self.QUERY).header().final().replies(file).said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize(
        ("file", "start"),
        [
            (WAV, "52 49 46 46 b4 01 00 00 57 41 56 45"),
            (b"", "an empty message"),
            (b"\xff\xfb\x90\x64", "ff fb 90 64"),
            (b"\xff\xfd\x90\x64\x00", "ff fd 90 64 00"),
            (b"\xff\x1b\x90\x64\x00", "ff 1b 90 64 00"),
            (b"\xfe\xfb\x90\x64\x00", "fe fb 90 64 00"),
        ],
    )
    def test_anything_else_is_broken(self, talk: Talk, file: bytes, start: str) -> None:
        assert talk.open(query=self.QUERY).header().final().replies(file).said(BENCH, self.NAME) == [
            f"{start}; expected an MP3 frame or an ID3 tag"
        ]


class TestOneVoiceAFinal:
    """translator.voice.follows-final, one-message, never-for-partial."""

    def test_one_behind_its_final_keeps_them_all(self, spoken: Talk) -> None:
        spoken.partial("0.1").final().voice().final("1").voice()
        for name in ("follows-final", "one-message", "never-for-partial"):
            assert spoken.said(BENCH, f"voice.{name}") == ["kept", "kept"]

    def test_a_second_one_that_is_a_file_of_its_own_is_tolerated(self, spoken: Talk) -> None:
        spoken.final().voice().voice()
        assert spoken.said(BENCH, "voice.one-message") == [
            "kept",
            "voice in state listening of the server; expected partial or final or spoken final or close",
        ]
        assert [finding.verdict for finding in broken(spoken)] == [Verdict.NON_STRICT]

    def test_a_second_one_that_is_mp3_is_tolerated_too(self, talk: Talk) -> None:
        talk.open(query=TestMp3.QUERY).header().final().replies(MP3).replies(MP3)
        assert [finding.verdict for finding in broken(talk)] == [Verdict.NON_STRICT]

    def test_a_second_one_that_is_a_piece_is_as_grave_as_the_register_says(self, spoken: Talk) -> None:
        spoken.final().replies(WAV[:100]).replies(WAV[100:])
        (found,) = [found for found in broken(spoken) if found.requirement == "translator.voice.one-message"]
        assert found.verdict is None

    def test_one_behind_a_partial_is_broken(self, spoken: Talk) -> None:
        spoken.partial().voice()
        assert spoken.said(BENCH, "voice.never-for-partial") == [
            "voice in state hypothesis of the server; expected partial or final or spoken final or close"
        ]
        assert names(spoken) == ["voice.never-for-partial"]


class TestMissingVoice:
    """translator.voice.follows-final, where none came."""

    NO_VOICE = "no voice; expected the voice of this final behind it"

    def test_one_that_was_waited_for_is_broken(self, spoken: Talk) -> None:
        assert spoken.final().expired("voice 1 of the session").said(BENCH, "voice.follows-final") == [self.NO_VOICE]

    def test_one_that_the_server_cut_off_is_broken(self, spoken: Talk) -> None:
        assert spoken.final().server_closes(1001).said(BENCH, "voice.follows-final") == [self.NO_VOICE]

    def test_one_that_never_ended_is_none(self, spoken: Talk) -> None:
        spoken.final().replies(WAV[:20], final=False).expired("voice 1 of the session")
        assert spoken.said(BENCH, "voice.follows-final") == [self.NO_VOICE]

    def test_each_of_several_is_broken_at_its_final(self, spoken: Talk) -> None:
        spoken.final("0").voice().final("1").final("2").expired("voice 2 of the session")
        assert [found.at for found in broken(spoken) if found.requirement == "translator.voice.follows-final"] == [5, 6]

    def test_whoever_leaves_early_misses_nothing(self, spoken: Talk) -> None:
        assert spoken.final().client_closes().server_closes().said(BENCH, "voice.follows-final") == []

    def test_empty_translations_have_none(self, spoken: Talk) -> None:
        assert spoken.final("0", "a", "").expired("voice 1").said(BENCH, "voice.follows-final") == []

    def test_without_a_request_none_is_missed(self, talk: Talk) -> None:
        assert talk.open().header().final().expired("voice").said(BENCH, "voice.follows-final") == []


class TestBeforeNextText:
    """translator.voice.before-next-text: ours; who does otherwise has late voices and no other fault."""

    NAME = "voice.before-next-text"

    def test_a_voice_before_the_next_final_is_kept(self, spoken: Talk) -> None:
        assert spoken.final("0").voice().final("1").voice().said(BENCH, self.NAME) == ["kept", "kept"]

    @pytest.mark.parametrize("text", ["partial", "final", "spoken final"])
    def test_a_text_before_the_voice_is_broken(self, spoken: Talk, text: str) -> None:
        spoken.final("0")
        spoken.partial("1.1") if text == "partial" else spoken.final("1", "a", "" if text == "final" else "b")
        spoken.voice()
        assert spoken.said(BENCH, self.NAME)[1:] == [
            f"{text} in state voice_due of the server; expected voice or close"
        ]
        assert names(spoken) == [self.NAME]

    def test_late_voices_are_reported_as_that_alone(self, spoken: Talk) -> None:
        spoken.final("0").final("1").voice().voice()
        assert names(spoken) == [self.NAME]

    def test_a_late_voice_behind_a_partial_is_not_taken_for_the_partials(self, spoken: Talk) -> None:
        spoken.final("0").final("1").voice().partial("2.1").voice().final("2").voice()
        assert names(spoken) == [self.NAME]

    def test_a_late_voice_behind_an_empty_final_is_not_taken_for_its_own(self, spoken: Talk) -> None:
        spoken.final("0").final("1", "", "").voice()
        assert names(spoken) == [self.NAME]

    def test_a_voice_too_many_is_still_found(self, spoken: Talk) -> None:
        spoken.final("0").final("1").voice().voice().voice()
        assert names(spoken) == [self.NAME, "voice.one-message"]


class TestNotForEmpty:
    """translator.voice.not-for-empty: ours; who does otherwise has no other fault."""

    NAME = "voice.not-for-empty"

    def test_none_behind_an_empty_final_is_kept(self, spoken: Talk) -> None:
        spoken.final("0", "", "").final("1").voice().final("2", "", "")
        assert spoken.said(BENCH, self.NAME) == ["kept", "kept"]

    def test_one_is_broken_as_that_alone(self, spoken: Talk) -> None:
        spoken.final("0").voice().final("1", "", "").voice()
        assert spoken.said(BENCH, self.NAME) == ["444 bytes; expected no voice for an empty translation"]
        assert names(spoken) == [self.NAME]

    def test_a_malformed_final_shows_nothing(self, spoken: Talk) -> None:
        assert spoken.final(translation="", id=7).said(BENCH, self.NAME) == []

    def test_a_text_behind_it_is_none(self, spoken: Talk) -> None:
        assert spoken.final("0", "", "").partial("1.1").said(BENCH, self.NAME) == ["kept"]

    def test_without_a_request_nothing_is_said(self, talk: Talk) -> None:
        assert talk.open().header().final("0", "", "").said(BENCH, self.NAME) == []


class TestBeforeAudio:
    """translator.session.no-server-message-before-audio."""

    def test_results_behind_the_first_audio_are_kept(self, spoken: Talk) -> None:
        assert spoken.partial("0.1").final("0").voice().final("1").voice().said(BENCH, EARLY) == ["kept", "kept"]

    @pytest.mark.parametrize("features", ["", TTS])
    def test_finals_are_kept_too(self, talk: Talk, features: str) -> None:
        assert talk.open(features).header().final("0").said(BENCH, EARLY) == ["kept"]

    def test_a_result_before_it_is_broken(self, talk: Talk) -> None:
        assert talk.open("Partial").partial().header().said(BENCH, EARLY) == [
            "partial in state mute of the server; expected close"
        ]

    def test_empty_messages_and_further_audio_change_nothing(self, talk: Talk) -> None:
        talk.open().sends(b"").final("0").sends(b"RI").sends(b"FF").final("1")
        assert len(talk.said(BENCH, EARLY)) == 2
        assert talk.said(BENCH, EARLY)[1] == "kept"


class TestAfterClose:
    """translator.session.no-data-after-close."""

    def test_a_close_behind_all_results_is_kept(self, spoken: Talk) -> None:
        assert spoken.final().voice().server_closes().client_closes().said(BENCH, AFTER) == ["kept"]

    def test_anything_behind_it_is_broken(self, spoken: Talk) -> None:
        spoken.server_closes().final().voice().server_closes()
        assert spoken.said(BENCH, AFTER) == [
            "kept",
            "a message; expected nothing behind the close",
            "a message; expected nothing behind the close",
            "close in state closed of the server; expected nothing more",
        ]

    def test_the_close_of_the_client_ends_nothing(self, spoken: Talk) -> None:
        assert spoken.client_closes().final().voice().server_closes().said(BENCH, AFTER) == ["kept"]


class TestSilence:
    def test_what_means_nothing_is_no_step(self, spoken: Talk) -> None:
        spoken.replies("hello").sends(b"text", kind=Kind.TEXT).barrier().expired("a final")
        assert BENCH.judge(spoken.transcript(), Party.SERVER) == ()

    def test_without_a_conversation_nothing_is_said(self, talk: Talk) -> None:
        talk.ask(TTS).answer(400).final()
        assert talk.said(BENCH, EARLY) == []
