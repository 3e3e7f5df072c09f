"""The order of what a client sends, and the bodies of it: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.client_turns import RULES
from conformance.judge.speech.reading import View
from conformance.transcript import Ending
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import Kind, Party
from tests.unit.speech_transcript import CONFIG, ONE, TWO, V1, V2, SpeechTalk, context

BENCH = Bench(View, RULES)
MARK = "speech.client.audio-header"
TOKEN = "X-Client-Commit-Token"


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


def said(talk: SpeechTalk, name: str) -> list[str]:
    return talk.said(BENCH, f"client.{name}", Party.CLIENT)


def wrong(talk: SpeechTalk) -> list[str]:
    return talk.wrong(BENCH, Party.CLIENT)


class TestConfigFirst:
    NAME = "config-first"

    def test_the_first_message_is_kept(self, talk: SpeechTalk) -> None:
        assert said(talk.config().config(), self.NAME) == ["kept"]

    def test_another_first_one_is_broken(self, talk: SpeechTalk) -> None:
        assert said(talk.context().config(), self.NAME) == ["speech.context; expected speech.config first"]
        nameless = SpeechTalk().connect()
        nameless.sends(b"?", Kind.TEXT)
        assert said(nameless, self.NAME) == ["another; expected speech.config first"]

    def test_one_that_was_meant_badly_or_none_shows_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk, self.NAME) == []
        assert said(talk.tells("event", deliberate=MARK), self.NAME) == []


class TestWalk:
    def test_a_whole_turn_breaks_nothing(self, talk: SpeechTalk) -> None:
        talk.begin().tells("audio.commit", headers=((TOKEN, "1"),)).speech().stop().stop().speech().done()
        assert wrong(talk) == []
        for name in ("context-first", "audio-header", "commit-after-audio"):
            assert said(talk, name) == ["kept"]

    def test_audio_before_its_context_is_broken_in_v2(self, talk: SpeechTalk) -> None:
        assert wrong(talk.config().riff().speech()) == ["client.context-first"]
        assert wrong(SpeechTalk(V1).connect().config().riff().speech()) == []

    def test_audio_without_a_header_is_broken_once(self, talk: SpeechTalk) -> None:
        assert wrong(talk.config().context().speech().speech().stop()) == ["client.audio-header"]

    def test_a_second_header_is_broken(self, talk: SpeechTalk) -> None:
        assert wrong(talk.config().context().riff().speech().riff()) == ["client.audio-header"]

    def test_a_header_in_pieces_is_one(self, talk: SpeechTalk) -> None:
        header = build_header(PcmFormat(16_000))
        assert wrong(talk.config().context().chunk(header[:2]).chunk(header[2:])) == []

    def test_a_commit_before_audio_is_broken(self, talk: SpeechTalk) -> None:
        talk.config().context().tells("audio.commit", headers=((TOKEN, "1"),)).riff()
        assert wrong(talk) == ["client.commit-after-audio"]

    def test_a_commit_behind_the_end_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().stop().tells("audio.commit", headers=((TOKEN, "1"),))
        assert wrong(talk) == ["client.nothing-after-end"]

    def test_what_crossed_with_turn_end_is_nobodys_fault(self, talk: SpeechTalk) -> None:
        assert wrong(talk.begin().stop().done().riff().speech()) == []

    def test_what_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        assert wrong(talk.config().context().chunk(bytes(100), deliberate=MARK).speech()) == []


class TestContexts:
    """speech.client.context-once, request-id-fresh."""

    def test_one_a_turn_with_an_id_of_its_own_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().done().begin(identity=TWO)
        assert said(talk, "context-once") == said(talk, "request-id-fresh") == ["kept", "kept"]

    def test_two_in_a_turn_are_broken(self, talk: SpeechTalk) -> None:
        assert said(talk.begin().context(), "context-once") == ["another one; expected one speech.context in a turn"]

    def test_none_shows_nothing(self, talk: SpeechTalk) -> None:
        assert said(talk.config().riff(), "context-once") == []

    def test_an_id_that_has_had_its_turn_is_broken(self, talk: SpeechTalk) -> None:
        assert said(talk.begin().done().context(), "request-id-fresh") == [
            "kept",
            f"{ONE}; expected an id that no turn has had",
        ]

    def test_one_that_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        talk.begin().done().tells("speech.context", {}, deliberate=MARK)
        assert said(talk, "request-id-fresh") == ["kept"]


class TestBodies:
    def test_good_ones_are_kept(self, talk: SpeechTalk) -> None:
        talk.config().context().tells("event", {"id": "translation", "name": "updateLanguage", "to": ["de"]})
        for name in ("config-form", "config-device", "context-form", "event-form"):
            assert said(talk, name) == ["kept"]

    def test_a_config_of_real_clients_lacks_a_device(self, talk: SpeechTalk) -> None:
        system = {"context": {"system": {"version": "1"}}}
        assert wrong(talk.tells("speech.config", system, None)) == ["client.config-device"]
        assert said(talk, "config-device") == ["none; expected device in the context"]

    @pytest.mark.parametrize("body", [{}, {"context": []}, {"context": {"system": {}}}])
    def test_a_config_of_another_form_is_broken(self, talk: SpeechTalk, body: dict[str, Any]) -> None:
        assert "client.config-form" in wrong(talk.tells("speech.config", body, None))

    def test_a_device_of_another_form_is_broken_once(self, talk: SpeechTalk) -> None:
        body = {"context": {**CONFIG["context"], "device": {}}}
        assert wrong(talk.tells("speech.config", body, None)) == ["client.config-device"]

    @pytest.mark.parametrize(("body", "seen"), [(b"[", "something else"), (b"", "nothing")])
    def test_what_is_no_object_is_broken(self, talk: SpeechTalk, body: bytes, seen: str) -> None:
        assert said(talk.tells("speech.context", body), "context-form") == [f"{seen}; expected a JSON object"]

    def test_a_context_of_another_form_is_broken(self, talk: SpeechTalk) -> None:
        body = context(translation={"targetLanguages": "de"})
        assert said(talk.tells("speech.context", body), "context-form")[0].endswith(
            "expected an array at /translation/targetLanguages"
        )

    def test_bytes_are_no_bodies(self, talk: SpeechTalk) -> None:
        talk.sends(b"\x00\x13Path:speech.config\r\n"[:21])
        assert said(talk, "config-form") == []

    def test_what_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("speech.context", b"[", deliberate=MARK), "context-form") == []


class TestCommits:
    NAME = "commit-form"

    def test_headers_alone_with_a_token_are_kept(self, talk: SpeechTalk) -> None:
        assert said(talk.tells("audio.commit", headers=((TOKEN, "4294967295"),)), self.NAME) == ["kept"]

    @pytest.mark.parametrize("token", ["0", "4294967296", "x", None])
    def test_another_token_is_broken(self, talk: SpeechTalk, token: str | None) -> None:
        talk.tells("audio.commit", headers=() if token is None else ((TOKEN, token),))
        assert said(talk, self.NAME)[0].endswith(f"at /{TOKEN}")

    def test_a_body_is_broken(self, talk: SpeechTalk) -> None:
        talk.tells("audio.commit", {}, headers=((TOKEN, "1"),))
        assert said(talk, self.NAME) == ["2 bytes; expected no body"]


class TestEndings:
    """speech.client.close, closes, waits-for-turn-end."""

    def test_a_close_with_1000_behind_turn_end_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().stop().done().client_closes()
        for name in ("close", "closes", "waits-for-turn-end"):
            assert said(talk, name) == ["kept"]

    def test_another_code_is_told(self, talk: SpeechTalk) -> None:
        talk.begin().client_closes(1001)
        assert said(talk, "close") == ["1001; expected code 1000"]
        assert said(talk, "closes") == said(talk, "waits-for-turn-end") == []

    def test_a_close_before_any_turn_shows_only_its_code(self, talk: SpeechTalk) -> None:
        talk.client_closes()
        assert talk.places(BENCH, Party.CLIENT) == {"client.close": [2]}

    def test_an_end_without_a_close_is_told(self, talk: SpeechTalk) -> None:
        talk.begin().done().ended(Party.CLIENT, Ending.EOF)
        assert said(talk, "closes") == ["the end (eof); expected a close frame"]
        talk.entries.pop()
        talk.ended(Party.CLIENT, Ending.UNREADABLE, "not WebSocket")
        assert said(talk, "closes") == ["not WebSocket; expected a close frame"]

    def test_another_end_shows_nothing(self) -> None:
        ends = [SpeechTalk().connect() for _ in range(4)]
        ends[0].ended(Party.CLIENT)
        ends[1].begin().ended(Party.CLIENT)
        ends[2].begin().done().ended(Party.SERVER)
        ends[3].begin().done().server_closes(1000).client_closes()
        for talk in ends:
            assert said(talk, "closes") == []
        assert said(SpeechTalk().connect(), "closes") == []

    def test_a_close_that_was_meant_badly_is_not_judged(self, talk: SpeechTalk) -> None:
        talk.begin().stop().client_closes(1001, deliberate=MARK)
        assert said(talk, "close") == said(talk, "waits-for-turn-end") == []

    def test_an_answer_of_the_server_changes_nothing(self, talk: SpeechTalk) -> None:
        talk.client_closes().server_closes()
        assert said(talk, "close") == ["kept"]

    def test_a_close_that_does_not_wait_is_told(self, talk: SpeechTalk) -> None:
        talk.begin().stop().client_closes().server_closes()
        assert said(talk, "waits-for-turn-end") == [
            "a close behind the end of the stream; expected turn.end before the close"
        ]

    def test_a_close_behind_a_long_wait_is_nobodys_fault(self, talk: SpeechTalk) -> None:
        talk.begin().stop().wait(5).client_closes()
        assert said(talk, "waits-for-turn-end") == []
        late = SpeechTalk(V2).connect().begin()
        late.client_closes()
        assert said(late.stop(), "waits-for-turn-end") == []
