"""Which cases a fault reaches: those in whose traffic it changes anything, or in which its policy is asked for.

The sound server is run once, case by case, and what passes its taps is kept, and which fields of its policy it reads.
A mutator that passes all of a case's traffic on as it came leaves that case as it was, since in virtual time, with one
seed, nothing else can change; so does a field that nobody reads. The case need not be run again to know that the fault
does no harm there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from conformance.faults.memory import SOUND, check, examine
from conformance.faults.mutator import Mutator
from conformance.faults.registry import Fault
from conformance.feeds.doctor import Diagnosis
from conformance.feeds.server import Options
from conformance.peers.virtual import run
from conformance.report.events import CaseFinished, Report
from protocol import requirements
from protocol.wire import Fragment, HttpRequest, HttpResponse, Outbound, PeerClosed
from reference_server.tap import Tap

Event = HttpRequest | HttpResponse | Fragment | PeerClosed | Outbound | bytes

_ONE_AT_A_TIME: Final = Options(connections=1)


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
class Seen:
    """What was seen of the sound server for a while: its connections, and the fields of its policy that it read."""

    connections: Collection[Recorder]
    read: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Sound:
    """What the suite says of the sound server, and what was seen in the positive control and in each case."""

    report: Report
    diagnosis: Diagnosis
    control: Seen
    cases: Mapping[str, Seen]


class _Watch:
    """Collects what the server does until it is asked for it."""

    def __init__(self) -> None:
        self._connections: list[Recorder] = []
        self._read: set[str] = set()
        self._always: frozenset[str] | None = None

    def tap(self) -> Recorder:
        """Return the tap of a new connection. What was read before the first one counts for all that is seen."""
        if self._always is None:
            self._always = frozenset(self._read)
        self._connections.append(Recorder())
        return self._connections[-1]

    def policy(self, policy: Any) -> Any:
        """Return the same policy, one that is watched."""
        read = self._read

        class Watched(type(policy)):  # type: ignore[misc] # of either folder
            def __getattribute__(self, name: str) -> object:
                read.add(name)
                return super().__getattribute__(name)

        return Watched(**{field.name: getattr(policy, field.name) for field in fields(policy)})

    def seen(self) -> Seen:
        """Return what was seen since it was last asked."""
        seen = Seen(tuple(self._connections), frozenset(self._read) | (self._always or frozenset()))
        self._connections.clear()
        self._read.clear()
        return seen


def record(dialect: str) -> Sound:
    """Run the suite against the sound server, a case at a time, and keep what is to be seen."""
    watch = _Watch()
    folder = requirements.folder(dialect)
    settings = replace(SOUND, **{folder: watch.policy(getattr(SOUND, folder))})
    diagnosis = run(examine(dialect, settings, watch.tap))
    control = watch.seen()
    cases: dict[str, Seen] = {}

    def finished(event: object) -> None:
        if isinstance(event, CaseFinished):
            cases[event.case] = watch.seen()

    known = replace(diagnosis, budget=deepcopy(diagnosis.budget))
    report = run(check(dialect, settings, watch.tap, _ONE_AT_A_TIME, finished, diagnosis=known))
    return Sound(report, replace(diagnosis, transcripts=[]), control, cases)


def reached(fault: Fault, cases: Mapping[str, Seen]) -> tuple[str, ...]:
    """Return those of the cases that a fault reaches."""
    return tuple(name for name, seen in cases.items() if touches(fault, seen))


def touches(fault: Fault, seen: Seen) -> bool:
    """Tell whether a fault changes anything of what was seen, each connection by itself."""
    if not fault.policy.keys().isdisjoint(seen.read):
        return True
    return any(changes(fault.mutator(), connection) for connection in seen.connections)


def changes(mutator: Mutator, seen: Recorder) -> bool:
    """Tell whether a mutator passes something on in another form than it came."""
    for name, event, time in seen.steps:
        passed = getattr(mutator, name)(event, time)
        if (tuple(passed) != (event,)) if name in ("inbound", "outbound") else (passed != event):
            return True
    return False
