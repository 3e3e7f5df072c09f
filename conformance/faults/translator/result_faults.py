"""Servers that get results wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Members, Mutator
from protocol.wire import Fragment, Kind, Message, Outbound


def is_final(members: Members) -> bool:
    """Tell whether these are the members of a final."""
    return bool(members["type"] == "final")


@fault("result.type", "capital")
class CapitalType(Mutator):
    """Writes the type of a final with a capital letter."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the type."""
        return ({**members, "type": "Final"},) if is_final(members) else (members,)


@fault("result.text-json", "not-json", implies=("partial.offered",))
class NotJson(Mutator):
    """Writes the member names of partials without quotes, as the documents print them."""

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Write JavaScript instead of JSON."""
        if is_final(members):
            return (members,)
        body = ",".join(f"{name}:{json.dumps(value)}" for name, value in members.items())
        return (Message.text("{" + body + "}"),)


@fault("result.one-object", "array", implies=("partial.offered",))
class InArray(Mutator):
    """Sends partials as an array of one."""

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Wrap a partial."""
        return (members,) if is_final(members) else (Message.text(json.dumps([members])),)


@fault("final.fields", "no-translation")
class NoTranslation(Mutator):
    """Leaves the translation out of finals for which no voice is due."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop a member."""
        if is_final(members) and not self.wants("TextToSpeech"):
            members = {name: value for name, value in members.items() if name != "translation"}
        return (members,)


@fault("final.id-form", "prefixed")
class PrefixedId(Mutator):
    """Puts a letter before the number of a final; its partials too, so that they still belong together."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the id of finals."""
        return ({**members, "id": f"u{members['id']}"},) if is_final(members) else (members,)


@fault("final.id-unique", "always-zero")
class RepeatedId(Mutator):
    """Gives all finals the id of the first, in sessions without partials."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the id of finals."""
        return ({**members, "id": "0"},) if is_final(members) and not self.wants("Partial") else (members,)


@fault("final.id-order", "counts-down")
class CountsDown(Mutator):
    """Numbers utterances downwards from 1000."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the number of finals and partials alike."""
        major, point, minor = members["id"].partition(".")
        return ({**members, "id": f"{1000 - int(major)}{point}{minor}"},)


@fault("final.always", "dropped")
class NoFinals(Mutator):
    """Sends partials alone where partials were asked for."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop finals."""
        return () if is_final(members) and self.wants("Partial") and not self.wants("TextToSpeech") else (members,)


@fault("final.empty-translation", "translates-nothing")
class TranslatesNothing(Mutator):
    """Translates what it says it has not heard, in sessions for finals alone."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Empty the recognition and leave the translation."""
        return (members,) if self.parameters.get("features") else ({**members, "recognition": ""},)


@fault("partial.only-if-requested", "always")
class PartialsForAll(Mutator):
    """Sends a partial before each final, asked or not."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add a partial."""
        if not is_final(members) or self.wants("Partial"):
            return (members,)
        return ({**members, "type": "partial", "id": f"{members['id']}.1"}, members)


@fault("partial.fields", "no-recognition")
class NoRecognition(Mutator):
    """Leaves the recognition out of partials."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop a member."""
        if is_final(members):
            return (members,)
        return ({name: value for name, value in members.items() if name != "recognition"},)


@fault("partial.id-form", "major-alone")
class NoMinor(Mutator):
    """Gives partials the id of their final."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Cut the id."""
        return (members,) if is_final(members) else ({**members, "id": members["id"].partition(".")[0]},)


@fault("partial.major-shared", "one-ahead")
class OneAhead(Mutator):
    """Numbers partials for the next utterance."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the major of partials, in the first utterance alone: later ones would meet used numbers."""
        major, _, minor = members["id"].partition(".")
        if is_final(members) or major != "0":
            return (members,)
        return ({**members, "id": f"77.{minor}"},)


@fault("partial.before-final", "late")
class LatePartial(Mutator):
    """Sends one more partial of an utterance behind its final."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add a partial behind a final, where no voice is due."""
        if not is_final(members) or not self.wants("Partial") or self.wants("TextToSpeech"):
            return (members,)
        return (members, {**members, "type": "partial", "id": f"{members['id']}.99"})


@fault("partial.minor-grows", "counts-down")
class MinorsCountDown(Mutator):
    """Numbers the partials of an utterance downwards."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Change the minor."""
        major, _, minor = members["id"].partition(".")
        return (members,) if is_final(members) else ({**members, "id": f"{major}.{1000 - int(minor)}"},)


@fault("partial.offered", "none")
class NoPartials(Mutator):
    """Never sends a partial."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop partials."""
        return (members,) if is_final(members) else ()


@fault("partial.interval", "every-100-ms", partial_interval_ms=100)
class TooManyPartials(Mutator):
    """Sends a partial for every 100 ms of audio."""


@fault("endpoint.final-after-silence", "four-seconds", endpoint_silence_ms=4000)
class SlowEndpoint(Mutator):
    """Waits for 4 seconds of silence before it ends an utterance."""


@fault("endpoint.one-second", "two-seconds", implies=("endpoint.pause-separates",), endpoint_silence_ms=2000)
class LateEndpoint(Mutator):
    """Waits for 2 seconds of silence before it ends an utterance."""


@fault("audio.text-message", "ignored")
class IgnoresText(Mutator):
    """Ignores text messages."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Drop text frames."""
        return () if fragment.kind is Kind.TEXT else (fragment,)
