"""Servers that do not read speech.config as clients write it."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Members, Mutator, Picky, members_of, part
from protocol.speech.framing import UspMessage


class Configured(Picky):
    """Does not take some forms of speech.config; `dislikes` says which."""

    configured = 0

    def refuses(self, message: UspMessage) -> bool:
        """Look at speech.config alone, and count it."""
        if message.path != "speech.config":
            return False
        self.configured += 1
        return self.dislikes(message, members_of(message))

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Tell whether this server does not take a speech.config."""
        return False


@fault("config.repeated", "refused")
class ConfiguredOnce(Configured):
    """Takes speech.config once."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse another one, of members that are known."""
        return self.configured > 1 and bool(members)


@fault("config.without-request-id", "refused")
class ConfigWithId(Configured):
    """Expects an X-RequestId with speech.config."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse one without."""
        return not message.request_id


@fault("config.numbers-as-text", "refused")
class ConfigWithNumbers(Configured):
    """Expects numbers in speech.config."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse texts."""
        source = part(part(part(members, "context"), "audio"), "source")
        return isinstance(source.get("samplerate"), str)


@fault("config.device-absent", "refused")
class ConfigWithDevice(Configured):
    """Expects a device in speech.config."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse one without."""
        return bool(members) and "device" not in part(members, "context")


@fault("config.open", "refused")
class ConfigClosed(Configured):
    """Knows all members of speech.config."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse another one."""
        return "x-unheard-of" in members


@fault("config.before-audio", "skipped")
class SkipsEarlyAudio(Mutator):
    """Skips audio that comes before speech.config."""

    configured = False

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        self.configured = self.configured or message.path == "speech.config"
        return (message,) if self.configured or message.path != "audio" else ()
