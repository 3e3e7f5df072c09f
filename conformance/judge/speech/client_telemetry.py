"""What a client reports behind a turn (requirements speech.client.telemetry*)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.client_frames import meant
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from conformance.judge.speech.turn import Turn
from protocol.validate import validator
from protocol.wire import Party

_MOST_TIMES = 50


def presence(view: View) -> Findings:
    """speech.client.telemetry, telemetry-once: one message behind each turn.end.

    That none comes is seen when the client has gone on: by its next turn, or by its close.
    """
    close = view.close_of(Party.CLIENT)
    gone = close[0] if close is not None and view.started_close is None else None
    for turn in view.turns:
        if turn.end is None or turn.provoked:
            continue
        found = _of(turn)
        name = "speech.client.telemetry"
        after = turn.next if turn.next is not None and turn.next > turn.end.at else gone
        if found:
            yield kept(name, found[0].at)
        elif after is not None:
            yield broken(name, after, "telemetry behind turn.end", "none")
        name = "speech.client.telemetry-once"
        if len(found) == 1:
            yield kept(name, found[0].at)
        elif found:
            yield broken(name, found[1].at, "one telemetry message for a turn", f"{len(found)}")


def _of(turn: Turn) -> list[Said]:
    behind = -1 if turn.end is None else turn.end.at
    return [said for said in turn.client if said.path == spoken.TELEMETRY and said.at > behind]


def forms(view: View) -> Findings:
    """speech.client.telemetry-form, telemetry-error: lists of messages and metrics, times, short errors."""
    name = "speech.client.telemetry-form"
    for said in meant(view):
        if said.path != spoken.TELEMETRY:
            continue
        if said.body is None:
            yield broken(name, said.at, "a JSON object", "something else")
            continue
        wrong = {error.requirement: error for error in reversed(validator("speech/telemetry").errors(said.body))}
        for requirement, error in wrong.items():
            yield broken(requirement, said.at, f"{error.expected} at {error.at}", error.observed)
        received = said.body.get("ReceivedMessages")
        if isinstance(received, dict):
            yield broken(name, said.at, "ReceivedMessages as a list of objects", "one object")
        elif name not in wrong:
            yield kept(name, said.at)
        errors = [metric["Error"] for metric in _metrics(said) if isinstance(metric.get("Error"), str)]
        if errors and "speech.client.telemetry-error" not in wrong:
            yield kept("speech.client.telemetry-error", said.at)


def received(view: View) -> Findings:
    """speech.client.telemetry-received: every message of the turn is in the list, up to 50 of a Path."""
    name = "speech.client.telemetry-received"
    for turn in view.turns:
        reports = [said for said in _of(turn) if said.body is not None and "ReceivedMessages" in said.body]
        if turn.end is None or turn.provoked or not reports:
            continue
        told = Counter[str]()
        for said in reports:
            told.update(_listed((said.body or {})["ReceivedMessages"]))
        came = Counter(said.message.path for said in turn.answers if said.message is not None)
        lacks = next((path for path, count in came.items() if told[path] < min(count, _MOST_TIMES)), None)
        at = reports[-1].at
        if lacks is None:
            yield kept(name, at)
        else:
            yield broken(name, at, f"{min(came[lacks], _MOST_TIMES)} times for {lacks[:60]}", str(told[lacks]))


def _listed(document: object) -> dict[str, int]:
    """Return how many times are listed for each path, in either form."""
    parts = document if isinstance(document, list) else [document]
    found = Counter[str]()
    for part in parts:
        for path, times in part.items() if isinstance(part, dict) else ():
            found[path] += len(times) if isinstance(times, list) else 1
    return found


def metrics(view: View) -> Findings:
    """speech.client.telemetry-metrics: the connection in the first turn's, the microphone in every turn's."""
    name = "speech.client.telemetry-metrics"
    for turn in view.turns:
        found = _of(turn)
        if turn.end is None or turn.provoked or not found:
            continue
        names = {str(metric.get("Name")) for said in found for metric in _metrics(said)}
        wanted = {"Microphone"} if turn.number else {"Microphone", "Connection"}
        lacks = sorted(wanted - names)
        at = found[-1].at
        yield broken(name, at, " and ".join(sorted(wanted)), f"no {lacks[0]}") if lacks else kept(name, at)


def _metrics(said: Said) -> Iterator[Mapping[str, Any]]:
    listed = said.body.get("Metrics") if said.body is not None else None
    return (metric for metric in (listed if isinstance(listed, list) else ()) if isinstance(metric, dict))


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, presence, "speech.client.telemetry", "speech.client.telemetry-once"),
    rule(
        Party.CLIENT,
        forms,
        "speech.client.telemetry-form",
        "speech.client.telemetry-error",
        "speech.client.telemetry-received",
        "speech.client.telemetry-metrics",
    ),
    rule(Party.CLIENT, received, "speech.client.telemetry-received"),
    rule(Party.CLIENT, metrics, "speech.client.telemetry-metrics"),
)
