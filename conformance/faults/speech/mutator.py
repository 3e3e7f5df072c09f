"""The base of the faults of the speech dialects: messages with headers, and results in one form for both dialects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from conformance.faults import mutator
from conformance.faults.mutator import with_query, without
from protocol.errors import PeerViolation
from protocol.speech import framing
from protocol.speech.framing import UspMessage, addressed, binary, text, write
from protocol.speech.handshake import CONNECTION_ID, PATHS
from protocol.wire import Fragment, HttpRequest, Kind, Message, Outbound

Members = dict[str, Any]

REFUSED: Final = UspMessage(Kind.TEXT, (), b"")
"""A message that the session closes for, in place of one that this server does not take."""

_RESPONSE: Final = "translation.response"
_V1: Final = ("translation.hypothesis", "translation.phrase")
_PLAIN: Final = ("speech.hypothesis", "speech.phrase")
_PHRASES: Final = ("translation.phrase", "speech.phrase")


read = lru_cache(maxsize=1 << 15)(framing.read)
"""Reads a message; the same ones come again with each fault."""


@dataclass(frozen=True, slots=True)
class Result:
    """A hypothesis or a phrase.

    Attributes:
        message: The message as it came.
        final: Whether it is a phrase.
        plain: Whether it is recognition alone.
        speech: The members around Offset and Duration.
        translation: The members around Translations; empty where there are none.
    """

    message: UspMessage
    final: bool
    plain: bool
    speech: Members
    translation: Members

    @property
    def status(self) -> str | None:
        """The RecognitionStatus; None in a hypothesis."""
        return self.speech.get("RecognitionStatus")

    @property
    def speaks(self) -> bool:
        """Whether it is a phrase with words."""
        return self.status == "Success" and bool(self.speech.get("Text") or self.speech.get("DisplayText"))

    @property
    def entries(self) -> list[Members]:
        """The translations."""
        return list(self.translation.get("Translations", ()))

    def saying(self, **changes: Any) -> Result:
        """Return it with members around Offset replaced."""
        return replace(self, speech={**self.speech, **changes})

    def silent_on(self, *names: str) -> Result:
        """Return it without members around Offset."""
        return replace(self, speech=lacking(self.speech, *names))

    def translated(self, entries: Iterable[Members], **changes: Any) -> Result:
        """Return it with other translations, and members around them replaced."""
        return replace(self, translation={**self.translation, "Translations": list(entries), **changes})

    def written(self) -> UspMessage:
        """Return it as a message of its path."""
        if self.message.path == _RESPONSE:
            members = {"SpeechPhrase" if self.final else "SpeechHypothesis": self.speech, **self.translation}
        else:
            members = {**self.speech, **({"Translation": self.translation} if self.translation else {})}
        return with_members(self.message, members)


class Mutator(mutator.Mutator):
    """A mutator with hooks for the client's messages and the server's, and for results among those.

    Attributes:
        context: The body of the latest speech.context.
        identity: The id of the latest turn that the client has begun.
        turn: The number of the present turn of the server, from 0; -1 before the first.
        received: Bytes in the audio messages of the latest turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.context: Members = {}
        self.identity = ""
        self.turn = -1
        self.received = 0

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Change what the session reads as a message of the client that came in one frame."""
        return (message,)

    def on_wrong(self, fragment: Fragment, requirement: str) -> Iterable[Fragment]:
        """Change what the session reads as a message in one frame that breaks the form of messages."""
        return (fragment,)

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Change a message of the server; by default, results go to `on_result`."""
        result = as_result(message)
        if result is None:
            return (message,)
        return (_written(changed, result) for changed in self.on_result(result))

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Change a hypothesis or a phrase."""
        return (result,)

    # The hooks below these.

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Let a message in one frame be changed."""
        if not (fragment.first and fragment.final):
            return (fragment,)
        try:
            message = read(fragment.kind, fragment.data)
            addressed(message)
        except PeerViolation as violation:
            return self.on_wrong(fragment, violation.requirement)
        self._follow_client(message)
        return [
            fragment if changed is message else as_fragment(changed, fragment.time)
            for changed in self.on_client(message)
        ]

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Let a message of the server be changed."""
        said = read(message.kind, message.data)
        if said.path == "turn.start":
            self.turn += 1
        for changed in self.on_said(said):
            if changed is said:
                yield message
            else:
                yield write(changed) if isinstance(changed, UspMessage) else changed

    def _follow_client(self, message: UspMessage) -> None:
        path = message.path.lower()
        if path == "speech.context":
            if message.request_id != self.identity:
                self.received = 0
            self.identity, self.context = message.request_id, members_of(message)
        elif path == "audio" and message.request_id == self.identity:
            self.received += len(message.body)

    # What subclasses ask.

    @property
    def for_speech(self) -> bool:
        """Whether the request is for a session of the speech dialects."""
        return self.asked.path.lower() in {path.lower() for paths in PATHS.values() for path in paths}

    @property
    def mode(self) -> str | None:
        """The mode that the latest speech.context names, as it is spelled."""
        mode = self.context.get("phraseDetection", {}).get("mode")
        return mode if isinstance(mode, str) else None

    @property
    def continuous(self) -> bool:
        """Whether the latest speech.context asks for more than one utterance."""
        return (self.mode or "").lower() in ("conversation", "dictation")


class Conversing(Mutator):
    """Is wrong in conversations and dictation alone, which are a third of all cases and show as much."""

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Pass on what belongs to other turns."""
        return super().on_message(message) if self.continuous else (message,)


class Picky(Mutator):
    """Closes for messages of the client that others take; `refuses` says which."""

    def refuses(self, message: UspMessage) -> bool:
        """Tell whether this server does not take a message."""
        return False

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Have the session close."""
        return (REFUSED,) if self.refuses(message) else (message,)


class Answering(Mutator):
    """Can answer a message of the client, out of a turn: another turn, which nobody sees, makes the session speak."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self._due: list[UspMessage] = []

    def answered(self, *answers: UspMessage) -> Iterable[UspMessage]:
        """Return what the session has to read so that these messages go out."""
        self._due += answers
        self.answers += 1
        identity, stamp = f"{self.answers:032x}", (("X-Timestamp", "0"),)
        members = {"phraseDetection": {"language": "en-US", "mode": "Conversation"}}
        return text("speech.context", identity, members, stamp), binary("audio", identity, b"RIFF", stamp)

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Put the answers in the place of what belongs to the other turn."""
        if not read(message.kind, message.data).request_id.startswith("0" * 20):
            yield from super().on_message(message)
            return
        due, self._due = self._due, []
        yield from map(write, due)


def as_result(message: UspMessage) -> Result | None:
    """Return a message of the server as a result; None for any other one."""
    if message.path not in (*_V1, *_PLAIN, _RESPONSE):
        return None
    members = members_of(message)
    if message.path != _RESPONSE:
        plain = message.path in _PLAIN
        own = lacking(members, "Translation")
        return Result(message, message.path in _PHRASES, plain, own, members.get("Translation", {}))
    final = "SpeechPhrase" in members
    name = "SpeechPhrase" if final else "SpeechHypothesis"
    return Result(message, final, False, members[name], lacking(members, name))


def _written(changed: Result | UspMessage | Outbound, result: Result) -> UspMessage | Outbound:
    if changed is result:
        return result.message
    return changed.written() if isinstance(changed, Result) else changed


def members_of(message: UspMessage) -> Members:
    """Return the JSON object in a message's body; an empty one if there is none."""
    try:
        members = json.loads(message.body)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def with_members(message: UspMessage, members: Members) -> UspMessage:
    """Return a message with a JSON body of these members."""
    return replace(message, body=json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode())


def part(members: Members, name: str) -> Members:
    """Return a member that is an object; an empty one if it is absent or something else."""
    found = members.get(name)
    return found if isinstance(found, dict) else {}


def lacking(members: Members, *names: str) -> Members:
    """Return members without these."""
    return {name: value for name, value in members.items() if name not in names}


def as_fragment(message: UspMessage, time: float) -> Fragment:
    """Return a message as one frame of the client."""
    return Fragment(time, message.kind, write(message).data)


def refuse(request: HttpRequest) -> HttpRequest:
    """Return a request that the server has to refuse with 400: it has no connection id."""
    kept = HttpRequest(request.method, request.target, without(request.headers, CONNECTION_ID), request.body)
    return with_query(kept, {CONNECTION_ID: None})
