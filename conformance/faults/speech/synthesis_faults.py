"""Servers that get voices wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import (
    Conversing,
    Mutator,
    Result,
    as_result,
    members_of,
    with_members,
)
from protocol.audio import PcmFormat
from protocol.riff import build_file, parse_file
from protocol.speech.framing import UspMessage, binary, text
from protocol.wire import Kind, Outbound

Said = Iterable[UspMessage | Outbound]

_ENDS = ("translation.synthesis.end", "audio.end")
_STATUSES = ("SynthesisStatus", "Status")
_VOICE = ("translation.synthesis", "audio", "audio.start", *_ENDS)


def good_end(message: UspMessage) -> bool:
    """Tell whether a message is the end of a voice that was spoken."""
    return message.path in _ENDS and members_of(message)["Status"] == "Success"


def _stream(message: UspMessage) -> tuple[tuple[str, str], ...]:
    return () if message.stream_id is None else (("X-StreamId", message.stream_id),)


@fault("synthesis.on-request", "dropped")
class NoVoice(Mutator):
    """Speaks no conversations into one language."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop a voice that is good."""
        failure = message.path in _ENDS and not good_end(message)
        alone = self.continuous and len(self.context.get("synthesis", {}).get("defaultVoices", ())) == 1
        return () if message.path in _VOICE and alone and not failure else (message,)


@fault("synthesis.only-on-request", "always")
class VoiceForAll(Conversing):
    """Tells of the end of a voice behind every final, in conversations."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Add one where no voice was asked for."""
        asked = self.context.get("synthesis") or self.parameters.get("voice")
        if not result.speaks or result.plain or asked:
            return (result,)
        path = "audio.end" if result.message.path == "translation.response" else "translation.synthesis.end"
        stream = (("X-StreamId", f"{result.message.request_id}-{result.speech['Offset']}"),)
        return result, text(path, result.message.request_id, dict.fromkeys(_STATUSES, "Success"), stream)


@fault("synthesis.no-empty-chunk", "last")
class EmptyChunk(Mutator):
    """Ends a voice with an empty audio message."""

    def on_said(self, message: UspMessage) -> Said:
        """Add one before the end message."""
        if not good_end(message):
            return (message,)
        path = message.path.removesuffix(".end")
        return binary(path, message.request_id, b"", _stream(message)), message


@fault("synthesis.file", "no-header")
class NoHeader(Mutator):
    """Sends samples without a RIFF header."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop it."""
        headed = message.kind is Kind.BINARY and message.body.startswith(b"RIFF")
        return (replace(message, body=message.body[44:]),) if headed else (message,)


@fault("synthesis.format", "8-khz")
class TelephoneVoice(Mutator):
    """Speaks at 8 kHz."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Said:
        """Gather a voice, and send it with every other sample alone."""
        if message.kind is Kind.BINARY:
            self._parts.append(message)
            return ()
        if message.path not in _ENDS or not self._parts:
            return (message,)
        parts, self._parts = self._parts, []
        _, pcm = parse_file(b"".join(part.body for part in parts))
        halved = memoryview(pcm).cast("h")[::2].tobytes()
        return replace(parts[0], body=build_file(PcmFormat(8_000), halved)), message


@fault("synthesis.end", "left-out")
class NoEnd(Mutator):
    """Sends no end of the only voice of a one-shot turn."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop it."""
        alone = not self.continuous and len(self.context.get("synthesis", {}).get("defaultVoices", ())) == 1
        return () if good_end(message) and alone else (message,)


@fault("synthesis.end-status", "left-out")
class NoStatus(Mutator):
    """Ends the voices of a conversation without saying how that went."""

    def on_said(self, message: UspMessage) -> Said:
        """Empty the body."""
        return (with_members(message, {}),) if good_end(message) and self.continuous else (message,)


@fault("synthesis.end-reason", "of-success")
class ReasonOfSuccess(Mutator):
    """Gives a reason with a success."""

    def on_said(self, message: UspMessage) -> Said:
        """Add it."""
        if not good_end(message):
            return (message,)
        return (with_members(message, {**members_of(message), "FailureReason": "none"}),)


@fault("synthesis.end-form", "number")
class ReasonAsNumber(Mutator):
    """Gives a number as the reason of a failure."""

    def on_said(self, message: UspMessage) -> Said:
        """Replace the text."""
        if message.path not in _ENDS or good_end(message):
            return (message,)
        return (with_members(message, {**members_of(message), "FailureReason": 7}),)


@fault("synthesis.bad-voice", "untold", implies=("synthesis.on-request",))
class NoEndOfBadVoice(Mutator):
    """Says nothing of a voice that it does not have."""

    def on_said(self, message: UspMessage) -> Said:
        """Drop the end message."""
        return () if message.path in _ENDS and not good_end(message) else (message,)


@fault("synthesis.voice-locale", "long-names")
class ShortNames(Mutator):
    """Has no voice whose name has more than 21 letters, whatever its locale."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Replace such a name in speech.context."""
        voices = self.context.get("synthesis", {}).get("defaultVoices", {})
        if message.path != "speech.context" or all(len(name) < 22 for name in voices.values()):
            return (message,)
        known = {tag: name if len(name) < 22 else "Nobody" for tag, name in voices.items()}
        members = members_of(message)
        return (with_members(message, {**members, "synthesis": {**members["synthesis"], "defaultVoices": known}}),)


@fault("synthesis.before-turn-end", "behind", implies=("synthesis.on-request",))
class VoiceBehindEnd(Mutator):
    """Sends the last voice of a turn behind its turn.end, where speech.context asks for voices."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Said:
        """Hold a voice back until the next result, or the end."""
        if message.path in _VOICE and "synthesis" in self.context:
            self._held.append(message)
            return ()
        if message.path == "speech.endDetected":
            return (message,)
        held, self._held = self._held, []
        return (message, *held) if message.path == "turn.end" else (*held, message)


@fault("synthesis.before-next-phrase", "behind")
class VoiceBehindNext(Mutator):
    """Ends the voice of a final behind the next result."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Said:
        """Hold the end of a voice back for one message."""
        if good_end(message):
            self._held = [message]
            return ()
        held, self._held = self._held, []
        return (message, *held) if as_result(message) else (*held, message)


@fault("synthesis.after-phrase", "before")
class VoiceFirst(Mutator):
    """Sends a final behind its voice, where there is but one."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Said:
        """Hold a final back until something comes that is no voice."""
        result = as_result(message)
        if result is not None and result.speaks and self.context.get("synthesis") and not self.continuous:
            self._held.append(message)
            return ()
        if message.path in _VOICE:
            return (message,)
        held, self._held = self._held, []
        return (*held, message)
