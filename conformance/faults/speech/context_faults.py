"""Servers that do not read speech.config and speech.context as clients write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Members, Mutator, Picky, lacking, members_of, with_members
from protocol.speech.framing import UspMessage

_MODES = ("Interactive", "Conversation", "Dictation")
_MEMBERS = (
    *("phraseDetection", "phraseOutput", "translation", "synthesis", "languageId", "audio", "continuation"),
    "translationcontext",
)


def _part(members: Members, name: str) -> Members:
    found = members.get(name)
    return found if isinstance(found, dict) else {}


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
        source = _part(_part(_part(members, "context"), "audio"), "source")
        return isinstance(source.get("samplerate"), str)


@fault("config.device-absent", "refused")
class ConfigWithDevice(Configured):
    """Expects a device in speech.config."""

    def dislikes(self, message: UspMessage, members: Members) -> bool:
        """Refuse one without."""
        return bool(members) and "device" not in _part(members, "context")


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


class Rewriting(Mutator):
    """Reads a speech.context in another way; `read` says how."""

    def read(self, members: Members) -> Members:
        """Return what this server makes of a body."""
        return members

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Rewrite the body where it is read in another way."""
        if message.path != "speech.context":
            return (message,)
        members = members_of(message)
        changed = self.read(members)
        return (message,) if changed is members else (with_members(message, changed),)


def _without_in(members: Members, name: str, *inner: str) -> Members:
    """Return members without members of one of them."""
    part = _part(members, name)
    return {**members, name: lacking(part, *inner)} if set(inner) & set(part) else members


@fault("context.mode-case", "exact", implies=("turn.conversation-goes-on",))
class ExactModes(Rewriting):
    """Knows modes in one spelling alone."""

    def read(self, members: Members) -> Members:
        """Drop another one."""
        known = _part(members, "phraseDetection").get("mode", _MODES[0]) in _MODES
        return members if known else _without_in(members, "phraseDetection", "mode")


@fault("context.keys-case", "exact", implies=("result.targets-all",))
class ExactKeys(Rewriting):
    """Knows the targets in one spelling alone."""

    def read(self, members: Members) -> Members:
        """Drop a translation that is spelled in another way."""
        known = {name.lower(): name for name in members}.get("translation", "translation") == "translation"
        if known and "targetlanguages" not in _part(members, "translation"):
            return members
        return {name: value for name, value in members.items() if name.lower() != "translation"}


@fault("context.beats-query", "query-first", implies=("result.targets-all",))
class QueryFirst(Rewriting):
    """Prefers the targets of the query."""

    def read(self, members: Members) -> Members:
        """Drop other ones."""
        given = self.parameters.get("to", "").lower().split(",")
        targets = _part(members, "translation").get("targetLanguages", [])
        other = given != [""] and not {target.lower() for target in targets} & set(given)
        return _without_in(members, "translation", "targetLanguages") if other else members


@fault("context.each-turn", "kept", implies=("result.targets-all",))
class KeepsTargets(Rewriting):
    """Answers the targets of the first turn in each turn."""

    def __init__(self) -> None:
        super().__init__()
        self._first: list[Any] | None = None

    def read(self, members: Members) -> Members:
        """Put them in the place of fewer ones."""
        targets = _part(members, "translation").get("targetLanguages")
        if self._first is None:
            self._first = targets
        if not targets or not set(targets) < set(self._first or ()):
            return members
        return {**members, "translation": {**members["translation"], "targetLanguages": self._first}}


@fault("context.interims-unasked", "none", implies=("result.partial-before-final",))
class WantsInterimResults(Rewriting):
    """Sends no hypotheses unless speech.context names interimResults."""

    def read(self, members: Members) -> Members:
        """Switch them off."""
        translation = _part(members, "translation")
        output = _part(translation, "output")
        if not output or "interimResults" in output:
            return members
        changed = {**output, "interimResults": {"mode": "None"}}
        return {**members, "translation": {**translation, "output": changed}}


@fault("context.silence-timeout", "ignored")
class OwnSilence(Rewriting):
    """Ignores initialSilenceTimeout."""

    def read(self, members: Members) -> Members:
        """Drop it."""
        return _without_in(members, "phraseDetection", "initialSilenceTimeout")


@fault("context.segmentation", "ignored")
class OwnSegments(Rewriting):
    """Ignores custom segmentation."""

    def read(self, members: Members) -> Members:
        """Drop it."""
        return _without_in(members, "phraseDetection", *(mode.lower() for mode in _MODES))


@fault("context.reused-id", "skipped")
class SkipsReused(Mutator):
    """Skips a speech.context whose id was there before."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        if message.path != "speech.context":
            return (message,)
        known = message.request_id in self._seen
        self._seen.add(message.request_id)
        return () if known else (message,)


class Particular(Picky):
    """Does not take some forms of speech.context; `dislikes` says which."""

    def refuses(self, message: UspMessage) -> bool:
        """Look at speech.context alone."""
        return message.path == "speech.context" and self.dislikes(members_of(message))

    def dislikes(self, members: Members) -> bool:
        """Tell whether this server does not take a speech.context."""
        return False


@fault("context.open", "refused")
class KnownMembers(Particular):
    """Knows all members of speech.context."""

    def dislikes(self, members: Members) -> bool:
        """Refuse another one, whatever the letter case; but dgi is a member that is known."""
        return "x-unheard-of" in members


@fault("context.streams-null", "refused")
class NoNullStreams(Particular):
    """Takes no audio.streams of null."""

    def dislikes(self, members: Members) -> bool:
        """Refuse it."""
        streams = _part(_part(members, "audio"), "streams")
        return None in streams.values()


@fault("context.continuation", "text-refused")
class NumberedOffsets(Particular):
    """Takes the offset of a continuation as a number alone."""

    def dislikes(self, members: Members) -> bool:
        """Refuse a text."""
        streams = _part(_part(_part(members, "continuation"), "audio"), "streams")
        return isinstance(_part(streams, "1").get("offset"), str)


@fault("context.no-voice", "action-wanted")
class WantsActions(Particular):
    """Expects actions with a translation."""

    def dislikes(self, members: Members) -> bool:
        """Refuse one without."""
        translation = _part(members, "translation")
        return bool(translation.get("targetLanguages")) and "onSuccess" not in translation


@fault("context.optional", "wanted")
class WantsContext(Picky):
    """Expects a speech.context before any audio."""

    configured = False

    def refuses(self, message: UspMessage) -> bool:
        """Refuse audio of another turn that begins with a header."""
        self.configured = self.configured or message.path == "speech.config"
        alone = self.configured and message.path == "audio" and message.request_id != self.identity
        return alone and message.body.startswith(b"RIFF")


@fault("context.required", "skipped")
class SkipsAudioAlone(Mutator):
    """Skips audio that comes before any speech.context."""

    configured = False

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        self.configured = self.configured or message.path == "speech.config"
        return () if self.configured and message.path == "audio" and not self.identity else (message,)
