"""Servers that get the order of a turn wrong: its start, its end, its id, how many finals it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import (
    Answering,
    Conversing,
    Mutator,
    Picky,
    Result,
    as_result,
    members_of,
    with_members,
)
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

_START, _END = "turn.start", "turn.end"


@fault("turn.start-first", "left-out")
class NoStart(Mutator):
    """Sends no turn.start."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop it."""
        return () if message.path == _START else (message,)


@fault("turn.start-first", "late", implies=("turn.start-once",))
class LateStart(Mutator):
    """Sends turn.start behind the first other message of the turn."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Hold it back for one message."""
        if message.path == _START:
            self._held = [message]
            return ()
        held, self._held = self._held, []
        return (message, *held) if message.path != _END else (*held, message)


@fault("turn.start-once", "twice")
class StartsTwice(Conversing):
    """Sends turn.start twice, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it again, with another tag."""
        if message.path != _START:
            return (message,)
        return (message, with_members(message, {"context": {"serviceTag": message.request_id[::-1]}}))


@fault("turn.start-form", "no-tag")
class NoTag(Conversing):
    """Sends turn.start without a service tag, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Empty its context."""
        return (with_members(message, {"context": {}}),) if message.path == _START else (message,)


@fault("turn.service-tag-unique", "constant")
class OneTag(Conversing):
    """Gives all turns the same service tag, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Write the same tag over the one that is due."""
        if message.path != _START:
            return (message,)
        return (with_members(message, {"context": {"serviceTag": "0123456789abcdef"}}),)


@fault("turn.end-last", "left-out", implies=("audio.end",))
class NoEndOfDictation(Mutator):
    """Sends no turn.end in dictation."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop it."""
        return () if message.path == _END and self.mode == "Dictation" else (message,)


@fault("turn.end-once", "twice")
class EndsTwice(Mutator):
    """Sends turn.end twice in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it again."""
        return (message, message) if message.path == _END and self.continuous else (message,)


@fault("turn.nothing-after-end", "detected")
class EndDetectedLast(Mutator):
    """Sends a speech.endDetected behind turn.end in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add one."""
        if message.path != _END or not self.continuous:
            return (message,)
        return message, text("speech.endDetected", message.request_id, {"Offset": 1})


@fault("turn.end-form", "array", implies=("frame.text-json",))
class ArrayAtTheEnd(Conversing):
    """Sends a list with turn.end, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Replace its body."""
        return (replace(message, body=b"[]"),) if message.path == _END else (message,)


@fault("turn.id-echo", "upper-case")
class UpperCaseIdentity(Mutator):
    """Writes the id of a turn in capitals."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Spell it so."""
        return (_identified(message, message.request_id.upper()),)


@fault("turn.id-echo", "dashed")
class DashedIdentity(Conversing):
    """Writes the id of a turn with dashes, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Put them in."""
        name = message.request_id
        return (_identified(message, "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:]))),)


def _identified(message: UspMessage, name: str) -> UspMessage:
    headers = tuple((key, name if key == "X-RequestId" else value) for key, value in message.headers)
    return replace(message, headers=headers)


@fault("turn.tail", "unanswered", implies=("turn.end-last", "audio.end"))
class NoTail(Mutator):
    """Says nothing of a later turn that holds hardly any audio."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop its turn.end."""
        tail = self.turn > 0 and self.received < 3_200
        return () if tail and message.path == _END else (message,)


@fault("turn.new-id-abandons", "goes-on")
class GoesOn(Mutator):
    """Sends a result of a turn that was abandoned."""

    def __init__(self) -> None:
        super().__init__()
        self._open: UspMessage | None = None

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send the end of speech of the one turn behind the start of the next."""
        last, self._open = self._open, None if message.path == _END else message
        if message.path != _START or last is None:
            return (message,)
        return message, text("speech.endDetected", last.request_id, {"Offset": 1})


@fault("turn.one-shot-final", "two")
class SecondFinal(Mutator):
    """Sends a second final, without words, in one-shot turns."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Add one for the last tick of the first."""
        if not result.speaks or self.mode != "Interactive":
            return (result,)
        offset, duration = result.speech["Offset"], result.speech["Duration"]
        silence = {"RecognitionStatus": "NoMatch", "Offset": offset + duration - 1, "Duration": 1}
        return result, replace(result, speech=silence).translated(())


@fault("turn.one-shot-final", "none")
class NoFinal(Mutator):
    """Sends no final in one-shot turns in which nothing was understood."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Drop it."""
        return () if result.status == "NoMatch" and self.mode == "Interactive" else (result,)


@fault("turn.one-shot-ends", "with-the-stream", implies=("turn.end-last",))
class EndsWithStream(Answering):
    """Ends a one-shot turn in which something was said only when the client ends the stream."""

    def __init__(self) -> None:
        super().__init__()
        self._spoke = ""
        self._held: UspMessage | None = None

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Hold its turn.end back."""
        result = as_result(message)
        if result is not None and result.speaks and self.mode == "Interactive":
            self._spoke = message.request_id
        if message.path != _END or message.request_id != self._spoke:
            return (message,)
        self._held = message
        return ()

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Release it."""
        held = self._held
        if held is None or message.path != "audio" or message.body or message.request_id != held.request_id:
            return (message,)
        self._held = None
        return self.answered(held)


@fault("turn.acknowledged", "half")
class AcknowledgesHalf(Mutator):
    """Acknowledges half of the words with which the stream of a conversation ends."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = ""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Note the end of a stream."""
        if message.path == "audio" and not message.body:
            self._ended = message.request_id
        return (message,)

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Cut a final behind it."""
        last = result.speaks and self.continuous and result.message.request_id == self._ended
        return (result.saying(Duration=result.speech["Duration"] // 2),) if last else (result,)


@fault("turn.unknown-mode", "goes-on")
class UnknownGoesOn(Mutator):
    """Takes a turn whose mode nothing names for a conversation."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Name it."""
        named = self.mode or self.parameters.get("scenario")
        if message.path != "speech.context" or named:
            return (message,)
        members = members_of(message)
        detection = {**members.get("phraseDetection", {}), "mode": "Conversation"}
        return (with_members(message, {**members, "phraseDetection": detection}),)


@fault("turn.conversation-goes-on", "one-utterance", implies=("status.silence-phrase",))
class OneUtterance(Mutator):
    """Ends a dictation with its first utterance."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Change the mode in speech.context."""
        if message.path != "speech.context" or self.mode != "Dictation":
            return (message,)
        members = members_of(message)
        detection = {**members["phraseDetection"], "mode": "Interactive"}
        return (with_members(message, {**members, "phraseDetection": detection}),)


@fault("turn.several", "ninth-refused")
class EightTurns(Picky):
    """Takes eight turns a connection."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse another context."""
        return message.path == "speech.context" and self.turn >= 7
