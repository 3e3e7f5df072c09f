from __future__ import annotations

import json

from protocol.audio import PcmFormat
from protocol.speech.client.opening import System, Wish, config_body, context_body
from protocol.speech.context import Voices, read_config, read_context
from protocol.speech.handshake import Mode, Profanity

SYSTEM = System("speechwire", "1.2", "Linux", "Debian", "12")


class TestConfig:
    def test_says_who_the_client_is_and_what_it_runs_on(self) -> None:
        context = config_body(SYSTEM, PcmFormat(8_000), Mode.DICTATION)["context"]
        assert context["system"]["version"] == "1.2"
        assert context["os"] == {"platform": "Linux", "name": "Debian", "version": "12"}
        assert context["device"] == {"manufacturer": "speechwire", "model": "File", "version": "1.2"}

    def test_describes_the_audio_in_numbers(self) -> None:
        source = config_body(SYSTEM, PcmFormat(8_000), Mode.DICTATION)["context"]["audio"]["source"]
        assert (source["samplerate"], source["bitspersample"], source["channelcount"]) == (8_000, 16, 1)
        assert (source["type"], source["model"], source["connectivity"]) == ("File", "File", "Unknown")

    def test_names_the_mode(self) -> None:
        body = config_body(SYSTEM, PcmFormat(16_000), Mode.DICTATION)
        assert read_config(json.dumps(body).encode()) is Mode.DICTATION


class TestContext:
    def test_is_understood_as_it_was_wished(self) -> None:
        wish = Wish("en-US", ("de", "pt"), {"pt": "pt-BR-Daniel"}, Mode.INTERACTIVE, "Removed")
        read = read_context(json.dumps(context_body(wish)).encode())
        assert (read.source, read.targets, read.mode) == ("en-US", ("de", "pt"), Mode.INTERACTIVE)
        assert read.profanity is Profanity.REMOVED
        assert read.voices == Voices((("pt", "pt-BR-Daniel"),), ("pt",))
        assert read.interims

    def test_without_voices_nothing_is_to_be_spoken(self) -> None:
        body = context_body(Wish("en-US", ("de",)))
        assert "synthesis" not in body
        assert body["translation"]["onSuccess"] == {"action": "None"}
        assert read_context(json.dumps(body).encode()).voices is None

    def test_translation_is_asked_for(self) -> None:
        body = context_body(Wish("en-US", ("de",)))
        assert body["phraseDetection"]["onSuccess"] == body["phraseDetection"]["onInterim"] == {"action": "Translate"}
        assert body["phraseDetection"]["mode"] == "Conversation"
