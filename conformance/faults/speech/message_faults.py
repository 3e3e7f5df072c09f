"""Servers that get telemetry, events and commits wrong, and messages that they do not know."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import REFUSED, Answering, Mutator, Picky, Result, members_of
from protocol.speech.framing import UspMessage, text
from protocol.wire import Kind, Outbound

_KNOWN = ("speech.config", "speech.context", "telemetry", "event", "audio.commit", "audio")


class Ending(Picky):
    """Knows which turns have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.over: set[str] = set()
        self.known: set[str] = set()

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Remember which turns there are."""
        if message.path == "speech.context" or (message.path == "audio" and message.body.startswith(b"RIFF")):
            self.known.add(message.request_id)
        return super().on_client(message)

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Remember which turns are over."""
        if message.path == "turn.end":
            self.over.add(message.request_id)
        return super().on_said(message)


@fault("telemetry.unanswered", "answered", implies=("frame.known-text", "turn.nothing-after-end"))
class AnswersTelemetry(Answering):
    """Answers the telemetry of a first turn, if that is a conversation."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Send it back."""
        if message.path != "telemetry" or self.turn != 0 or self.answers or not self.continuous:
            return (message,)
        return self.answered(text("telemetry", message.request_id, {}))


@fault("telemetry.tolerated", "array-refused")
class TelemetryForms(Picky):
    """Takes telemetry in its documented form alone."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse what is no list of objects."""
        if message.path != "telemetry":
            return False
        return not isinstance(members_of(message).get("ReceivedMessages"), list)


@fault("event.targets", "ignored")
class IgnoresEvents(Mutator):
    """Changes no languages."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop the event."""
        return () if message.path == "event" and members_of(message).get("to") else (message,)


@fault("event.unknown-id", "closes")
class UnknownEvents(Ending):
    """Closes for an event of an id that no turn has."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it."""
        return message.path == "event" and message.request_id not in self.known


@fault("event.finished-id", "closes")
class LateEvents(Ending):
    """Closes for an event of a finished turn."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it."""
        return message.path == "event" and message.request_id in self.over


@fault("event.unanswered", "answered", implies=("frame.known-text",))
class AnswersEvents(Mutator):
    """Answers an event of the open turn in front of the next message."""

    def __init__(self) -> None:
        super().__init__()
        self._due: list[UspMessage] = []

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Remember it."""
        if message.path == "event" and message.request_id == self.identity and members_of(message).get("to"):
            self._due = [text("event", message.request_id, {})]
        return (message,)

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send the answer, if the turn is still the same."""
        due, self._due = self._due, []
        return *(one for one in due if one.request_id == message.request_id), message


@fault("commit.phrase", "ignored", implies=("commit.acknowledged",))
class IgnoresCommit(Mutator):
    """Ignores audio.commit."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        return () if message.path == "audio.commit" else (message,)


@fault("commit.acknowledged", "left-out")
class Unacknowledged(Mutator):
    """Does not give the token of a commit back."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Drop it."""
        return (result.silent_on("clientAudioMetadata"),) if result.final else (result,)


@fault("commit.headers-only", "refused")
class CommitWithBody(Mutator):
    """Takes an audio.commit with an empty line behind its headers alone."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Refuse all of them, since clients send no other ones."""
        return (REFUSED,) if message.path == "audio.commit" else (message,)


@fault("unknown.text-path", "closes")
class UnknownText(Picky):
    """Closes for a text message that it does not know."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it."""
        return message.kind is Kind.TEXT and message.path.lower() not in _KNOWN


@fault("unknown.binary-path", "closes")
class UnknownBinary(Picky):
    """Closes for a binary message that it does not know."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it."""
        return message.kind is Kind.BINARY and message.path.lower() != "audio"
