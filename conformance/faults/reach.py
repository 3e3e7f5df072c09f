"""Which cases a fault reaches: those in whose traffic it changes anything.

The sound server is run once, case by case, and what passes its taps is kept. A mutator that passes all of a case's
traffic on as it came leaves that case as it was, since in virtual time, with one seed, nothing else can change. So the
case need not be run again to know that the fault does no harm there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.faults.mutator import Mutator
from protocol.wire import Fragment, HttpRequest, HttpResponse, Outbound, PeerClosed
from reference_server.tap import Tap

Event = HttpRequest | HttpResponse | Fragment | PeerClosed | Outbound | bytes


class Recorder(Tap):
    """Keeps what passes: the name of the tap's method, the event, the time."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, Event, float]] = []

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Keep a request."""
        self.steps.append(("request", request, time))
        return request

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Keep a response."""
        self.steps.append(("response", response, time))
        return response

    def inbound(self, event: Fragment | PeerClosed, time: float) -> tuple[Fragment | PeerClosed]:
        """Keep a frame, or the end of the peer."""
        self.steps.append(("inbound", event, time))
        return (event,)

    def outbound(self, event: Outbound, time: float) -> tuple[Outbound]:
        """Keep a message, or a close."""
        self.steps.append(("outbound", event, time))
        return (event,)

    def written(self, data: bytes, time: float) -> bytes:
        """Keep frames as they go out."""
        self.steps.append(("written", data, time))
        return data


@dataclass(frozen=True, slots=True)
class Traffic:
    """The connections of the positive control, and of each case, by its id."""

    control: Sequence[Recorder]
    cases: Mapping[str, Sequence[Recorder]] = field(default_factory=dict)


def reached(mutator: Callable[[], Mutator], traffic: Traffic) -> tuple[str, ...] | None:
    """Return the cases whose traffic a mutator changes; None if it changes that of the control, and so every case."""
    if any(changes(mutator(), seen) for seen in traffic.control):
        return None
    return tuple(name for name, all_seen in traffic.cases.items() if any(changes(mutator(), seen) for seen in all_seen))


def changes(mutator: Mutator, seen: Recorder) -> bool:
    """Tell whether a mutator passes something on in another form than it came."""
    for name, event, time in seen.steps:
        passed = getattr(mutator, name)(event, time)
        if (tuple(passed) != (event,)) if name in ("inbound", "outbound") else (passed != event):
            return True
    return False
