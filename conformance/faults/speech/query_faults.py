"""Servers that do not read the query as clients write it."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.mutator import with_query
from conformance.faults.registry import fault
from conformance.faults.speech.handshake_faults import Refusing
from conformance.faults.speech.mutator import Mutator, Result
from protocol.request import parse_query
from protocol.speech.framing import UspMessage
from protocol.wire import HttpRequest, Outbound


class Deaf(Mutator):
    """Does not read one parameter of the query."""

    name = ""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take it out."""
        return with_query(request, {self.name: None}) if self.for_speech and self.heard(request) else request

    def heard(self, request: HttpRequest) -> bool:
        """Tell whether the parameter is there."""
        return self.name.lower() in self.parameters


def _targets(request: HttpRequest) -> list[str]:
    return [value for name, value in parse_query(request.query) if name.lower() == "to"]


@fault("query.to-comma", "first-alone", implies=("result.targets-all",))
class FirstOfList(Mutator):
    """Reads the first language of a list alone."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Cut the list."""
        listed = [value for value in _targets(request) if "," in value]
        return with_query(request, {"to": listed[0].partition(",")[0]}) if self.for_speech and listed else request


@fault("query.to-repeated", "first-alone", implies=("result.targets-all",))
class FirstParameter(Mutator):
    """Reads the first parameter of each name alone."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Drop the other ones."""
        given = _targets(request)
        return (
            with_query(request, {"to": given[0]}) if self.for_speech and len(set(given)) == len(given) > 1 else request
        )


@fault("query.to-duplicate", "twice", implies=("result.targets-all",))
class TwiceNamed(Mutator):
    """Answers a language twice that is named twice."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Add the first translation again."""
        given = _targets(self.asked)
        if not result.entries or len(set(given)) == len(given):
            return (result,)
        return (result.translated([*result.entries, result.entries[0]]),)


@fault("query.bare-from", "refused")
class BareFrom(Refusing):
    """Refuses a from without an equals sign."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse it."""
        return "from" in request.query.split("&")


@fault("query.unknown", "refused")
class KnownParameters(Refusing):
    """Refuses a parameter that it does not know."""

    def refuses(self, request: HttpRequest) -> bool:
        """Refuse one."""
        return "x-unheard-of" in self.parameters


@fault("query.voice-switch", "one-word", implies=("synthesis.on-request",))
class OneWord(Deaf):
    """Takes features=requireVoice for nothing."""

    name = "voice"

    def heard(self, request: HttpRequest) -> bool:
        """Read the voice if the other word is there."""
        return self.parameters.get("features", "").lower() == "requirevoice"


@fault("query.scenario", "ignored", implies=("turn.conversation-goes-on",))
class NoScenario(Deaf):
    """Ignores the scenario."""

    name = "scenario"


@fault("query.profanity", "removed-unheard")
class RemovesNothing(Mutator):
    """Leaves profanities alone that are to be removed."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace the word."""
        removes = self.for_speech and self.parameters.get("profanity") == "removed"
        return with_query(request, {"profanity": "raw"}) if removes else request


@fault("query.silence-timeouts", "ignored")
class NoTimeouts(Deaf):
    """Ignores the limit of silence at the start."""

    name = "initialSilenceTimeoutMs"


@fault("query.format", "ignored", implies=("result.detailed",))
class NoFormat(Deaf):
    """Ignores the format."""

    name = "format"
