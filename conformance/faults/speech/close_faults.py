"""Servers that close wrong."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, refuse
from protocol.speech.framing import UspMessage
from protocol.wire import Abort, Close, HttpRequest, Outbound


@fault("close.bad-source", "other-code")
class BadSourceOtherwise(Mutator):
    """Closes with 1011 for a source language that it does not speak."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code for languages alone."""
        return (Close(1011, close.reason),) if "anguage" in close.reason else (close,)


@fault("close.bad-source-late", "at-once", error_delay_ms=0)
class BadSourceAtOnce(Mutator):
    """Closes for a source language that it does not speak together with the speech.context."""


class Leaving(Mutator):
    """Closes together with the turn.end of the ninth turn of a connection."""

    code = 1000

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add the close."""
        ninth = message.path == "turn.end" and self.turn == 8
        return (message, Close(self.code, "nine turns are enough")) if ninth else (message,)


@fault("close.behind-turn-end", "at-once")
class ClosesAtOnce(Leaving):
    """Closes together with a turn.end."""


@fault("close.idle-1000", "1001", implies=("close.behind-turn-end",))
class GoingAway(Leaving):
    """Closes with 1001 when nothing is going on any more."""

    code = 1001


@fault("close.mid-turn-not-1000", "1000")
class NormalInTurn(Mutator):
    """Closes with 1000 in the middle of a conversation, when there was silence for long."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Close in the place of the end of speech."""
        if message.path != "speech.endDetected" or not self.continuous:
            return (message,)
        return (Close(1000, "there was silence"),)


@fault("close.reason", "empty")
class NoReason(Mutator):
    """Closes without a reason."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Empty it, but for wrong audio."""
        return (close,) if close.reason.startswith("offset") else (Close(close.code, ""),)


@fault("close.listed-code", "4001", implies=("close.bad-source",))
class UnlistedCode(Mutator):
    """Closes with 4001 where the code is free."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code of a close for no form of message."""
        return (Close(4001, close.reason),) if "anguage" in close.reason else (close,)


@fault("close.framing", "abrupt")
class Abrupt(Mutator):
    """Ends the connection behind the ninth turn without a close."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop it."""
        return (message, Abort()) if message.path == "turn.end" and self.turn == 8 else (message,)


@fault("query.language-not-refused", "refused", implies=("close.bad-source",))
class RefusesLanguages(Mutator):
    """Refuses the upgrade for a source language that it does not speak."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse it."""
        return refuse(request) if self.for_speech and self.parameters.get("from", "").startswith("xx") else request
