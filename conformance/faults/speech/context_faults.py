"""Servers that do not read speech.context as clients write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Members, Mutator, Picky, lacking, members_of, part, with_members
from protocol.languages import PUBLISHED
from protocol.speech.framing import UspMessage

_MODES = ("Interactive", "Conversation", "Dictation")


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
    found = part(members, name)
    return {**members, name: lacking(found, *inner)} if set(inner) & set(found) else members


@fault("context.mode-case", "exact", implies=("turn.conversation-goes-on",))
class ExactModes(Rewriting):
    """Knows modes in one spelling alone."""

    def read(self, members: Members) -> Members:
        """Drop another one."""
        known = part(members, "phraseDetection").get("mode", _MODES[0]) in _MODES
        return members if known else _without_in(members, "phraseDetection", "mode")


@fault("context.keys-case", "exact", implies=("result.targets-all",))
class ExactKeys(Rewriting):
    """Knows the targets in one spelling alone."""

    def read(self, members: Members) -> Members:
        """Drop a translation that is spelled in another way."""
        known = {name.lower(): name for name in members}.get("translation", "translation") == "translation"
        if known and "targetlanguages" not in part(members, "translation"):
            return members
        return {name: value for name, value in members.items() if name.lower() != "translation"}


@fault("context.beats-query", "query-first", implies=("result.targets-all",))
class QueryFirst(Rewriting):
    """Prefers the targets of the query."""

    def read(self, members: Members) -> Members:
        """Drop other ones."""
        given = self.parameters.get("to", "").lower().split(",")
        targets = part(members, "translation").get("targetLanguages", [])
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
        targets = part(members, "translation").get("targetLanguages")
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
        translation = part(members, "translation")
        output = part(translation, "output")
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


@fault("result.profanity", "masked-unheard")
class MasksNothing(Rewriting):
    """Leaves profanities alone that speech.context wants masked."""

    def read(self, members: Members) -> Members:
        """Replace the word."""
        detection = part(members, "phraseDetection")
        if part(detection, "enrichment").get("profanity") != "Masked":
            return members
        return {**members, "phraseDetection": {**detection, "enrichment": {"profanity": "Raw"}}}


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
        streams = part(part(members, "audio"), "streams")
        return None in streams.values()


@fault("context.continuation", "text-refused")
class NumberedOffsets(Particular):
    """Takes the offset of a continuation as a number alone."""

    def dislikes(self, members: Members) -> bool:
        """Refuse a text."""
        streams = part(part(part(members, "continuation"), "audio"), "streams")
        return isinstance(part(streams, "1").get("offset"), str)


@fault("context.no-voice", "action-wanted")
class WantsActions(Particular):
    """Expects actions with a translation."""

    def dislikes(self, members: Members) -> bool:
        """Refuse one without."""
        translation = part(members, "translation")
        return bool(translation.get("targetLanguages")) and "onSuccess" not in translation


@fault("result.bad-target", "refused")
class RefusesTargets(Particular):
    """Closes for a target that it does not speak."""

    def dislikes(self, members: Members) -> bool:
        """Refuse one."""
        targets = part(members, "translation").get("targetLanguages", ())
        return any(PUBLISHED.resolve_target(target) is None for target in targets)


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
