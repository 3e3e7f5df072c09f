"""Servers that tell the begin and the end of speech wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Conversing, Mutator, Result, as_result, with_members
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

_START, _END = "speech.startDetected", "speech.endDetected"


@fault("detected.start-order", "behind-words")
class LateDetection(Conversing):
    """Sends speech.startDetected behind the first result, in conversations."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Hold it back for one message."""
        if message.path == _START:
            self._held = [message]
            return ()
        held, self._held = self._held, []
        return (message, *held) if as_result(message) else (*held, message)


@fault("detected.start-once", "twice")
class StartTwice(Conversing):
    """Sends speech.startDetected twice, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it again."""
        return (message, message) if message.path == _START else (message,)


@fault("detected.start-form", "no-offset")
class NoOffset(Conversing):
    """Sends speech.startDetected without an Offset, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Empty it."""
        return (with_members(message, {}),) if message.path == _START else (message,)


@fault("detected.start-positive", "zero")
class AtZero(Conversing):
    """Says that speech begins with the first sample, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Set the offset to 0."""
        return (with_members(message, {"Offset": 0}),) if message.path == _START else (message,)


@fault("detected.end-form", "empty")
class EmptyEnd(Mutator):
    """Sends speech.endDetected without a body."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop the body, and its type."""
        if message.path != _END:
            return (message,)
        headers = tuple(pair for pair in message.headers if pair[0] != "Content-Type")
        return (replace(message, headers=headers, body=b""),)


@fault("detected.end-order", "before-the-start")
class EndFirst(Mutator):
    """Sends speech.endDetected before speech.startDetected."""

    def __init__(self) -> None:
        super().__init__()
        self._early = ""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Move it from its place to the front of the start, in one-shot turns."""
        if message.path == _START and not self.continuous:
            self._early = message.request_id
            return text(_END, message.request_id, {"Offset": 1}), message
        return () if message.path == _END and message.request_id == self._early else (message,)


@fault("detected.end-once", "twice")
class EndTwice(Mutator):
    """Sends speech.endDetected twice in one-shot turns."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it again."""
        return (message, message) if message.path == _END and not self.continuous else (message,)


@fault("detected.end-silence", "left-out")
class SilenceWithoutEnd(Mutator):
    """Sends no speech.endDetected behind a long silence in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop it."""
        return () if message.path == _END and self.continuous else (message,)


@fault("detected.end-silence", "each-phrase", implies=("detected.end-once",))
class EndOfEachPhrase(Mutator):
    """Sends speech.endDetected behind each phrase of a conversation."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Add one."""
        if not (result.speaks and self.continuous):
            return (result,)
        return result, text(_END, result.message.request_id, {"Offset": 1})
