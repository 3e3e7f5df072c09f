"""The base of the faults of `translator`: results are members of JSON, voices are binary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from conformance.faults import mutator
from protocol.translator.handshake import SPEECH_PATH
from protocol.wire import Kind, Message, Outbound

Members = dict[str, Any]


class Mutator(mutator.Mutator):
    """A mutator with a hook for results and one for voices, in place of the one for messages."""

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Change a result."""
        return (members,)

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Change a voice."""
        return (voice,)

    def on_message(self, message: Message) -> Iterable[Outbound]:
        """Let a result or a voice be changed."""
        if message.kind is Kind.BINARY:
            yield from self.on_voice(message)
            return
        for changed in self.on_result(json.loads(message.data)):
            yield changed if not isinstance(changed, dict) else as_text(changed)

    # What subclasses ask.

    def wants(self, feature: str) -> bool:
        """Tell whether the client asked for a feature."""
        return feature.lower() in self.parameters.get("features", "").lower()

    @property
    def for_speech(self) -> bool:
        """Whether the request is for the speech endpoint."""
        return self.asked.path.lower() == SPEECH_PATH


def as_text(members: Members) -> Message:
    """Return a text message of these members."""
    return Message.text(json.dumps(members, ensure_ascii=False, separators=(",", ":")))
