"""Servers that get the messages of voices wrong in which the dialects differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, with_members
from conformance.faults.speech.synthesis_faults import good_end
from protocol.audio import PcmFormat
from protocol.riff import build_file
from protocol.speech.framing import UspMessage, binary
from protocol.wire import Outbound

Said = Iterable[UspMessage | Outbound]

_TONE = build_file(PcmFormat(16_000), bytes(range(0, 200, 2)) * 64)


@fault("synthesis.v1-paths", "of-v2")
class PathsOfV2(Mutator):
    """Speaks in the paths of speech-v2."""

    def on_said(self, message: UspMessage) -> Said:
        """Rename the messages."""
        renamed = {"translation.synthesis": "audio", "translation.synthesis.end": "audio.end"}
        return (_named(message, renamed),)


@fault("synthesis.v2-paths", "of-v1")
class PathsOfV1(Mutator):
    """Speaks in the paths of speech-v1."""

    def on_said(self, message: UspMessage) -> Said:
        """Rename the messages, and drop the start."""
        renamed = {"audio": "translation.synthesis", "audio.end": "translation.synthesis.end"}
        return () if message.path == "audio.start" else (_named(message, renamed),)


def _named(message: UspMessage, renamed: dict[str, str]) -> UspMessage:
    if message.path not in renamed:
        return message
    headers = tuple((name, renamed[value] if name == "Path" else value) for name, value in message.headers)
    return replace(message, headers=headers)


@fault("synthesis.start", "left-out")
class NoVoiceStart(Mutator):
    """Sends no audio.start."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop it."""
        return () if message.path == "audio.start" else (message,)


@fault("synthesis.start-form", "no-language")
class NoVoiceLanguage(Mutator):
    """Sends audio.start without the language."""

    def on_said(self, message: UspMessage) -> Said:
        """Empty it."""
        return (with_members(message, {}),) if message.path == "audio.start" else (message,)


@fault("synthesis.stream-id", "left-out")
class NoStreamId(Mutator):
    """Sends the audio of a voice without X-StreamId."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop the header."""
        if message.path != "audio":
            return (message,)
        return (replace(message, headers=tuple(pair for pair in message.headers if pair[0] != "X-StreamId")),)


@fault("synthesis.one-stream-at-a-time", "interleaved")
class Interleaved(Mutator):
    """Ends a stream behind the start of the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Said:
        """Hold the end of a voice back for one message."""
        if good_end(message):
            self._held = [message]
            return ()
        held, self._held = self._held, []
        return (message, *held) if message.path == "audio.start" else (*held, message)


@fault("synthesis.languages", "other")
class OtherLanguage(Mutator):
    """Speaks a language that nobody asked for."""

    def on_said(self, message: UspMessage) -> Said:
        """Name another one in audio.start."""
        return (with_members(message, {"TranslationLanguage": "tlh"}),) if message.path == "audio.start" else (message,)


@fault("synthesis.first-target", "twice")
class TwoVoices(Mutator):
    """Speaks each final of a conversation for each of two targets."""

    def on_said(self, message: UspMessage) -> Said:
        """Add a tone behind each voice."""
        several = self.continuous and len(self.context.get("synthesis", {}).get("defaultVoices", ())) > 1
        if not (good_end(message) and several):
            return (message,)
        return message, binary("translation.synthesis", message.request_id, _TONE), message
