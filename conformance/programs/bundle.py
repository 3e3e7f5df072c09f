"""A failing conversation as a file: the program, both directions with their times, and what was said of it.

The form is the schema `bundle`. Credentials are not in it: what stands in their place is as long as they are, so that
no size in a message changes.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from conformance.judge.verdict import Verdict, departure
from conformance.programs import program as programs
from conformance.programs.outcome import Departure, departures
from conformance.programs.player import Played
from conformance.transcript import Answered, Asked, CloseFrame, Entry, Frame, Transcript, from_json, to_json
from protocol import requirements, validate
from protocol.wire import Headers, HttpRequest, HttpResponse

_HIDDEN: Final = "x"
_MOST_BYTES: Final = 64 << 20


class BundleError(ValueError):
    """A file is no bundle; the message is one sentence: the file, what is wrong, what is allowed."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A failing conversation, and what was said of it.

    Attributes:
        departure: In what it departs.
        symptom: The requirement that what was recorded shows to be broken: another one than that of the departure
            where leaving something out has shown what is to blame.
        played: The conversation.
        seed: Seed of the run.
        versions: What it was recorded with.
    """

    departure: Departure
    symptom: str
    played: Played
    seed: int
    versions: Mapping[str, str]

    def judged_again(self) -> Verdict:
        """Return what the recorded conversation says now of the requirement, without any server."""
        name, talk, step = self.symptom, self.departure.talk, self.departure.step
        for found in departures(self.played):
            if (found.requirement, found.talk, found.step) == (name, talk, step):
                same = found.requirement == self.departure.requirement
                return found.verdict if same else departure(requirements.get(self.departure.requirement))
        return Verdict.OK


def make(departure: Departure, played: Played, seed: int, secrets: tuple[str, ...]) -> Bundle:
    """Return the bundle of a conversation that departs, without these credentials."""
    played = replace(played, transcripts=tuple(_without_secrets(one, secrets) for one in played.transcripts))
    found = [one for one in departures(played) if (one.talk, one.step) == (departure.talk, departure.step)]
    symptom = next((one for one in found if one.requirement == departure.requirement), found[0])
    versions = {name: version(name) for name in ("speechwire", "hypothesis", "websockets")}
    versions |= {"python": platform.python_version(), "requirements": requirements.REVISION}
    return Bundle(departure, symptom.requirement, played, seed, versions)


def dumped(bundle: Bundle) -> str:
    """Return the text of a bundle."""
    departure, played = bundle.departure, bundle.played
    document = {
        "versions": dict(bundle.versions),
        "seed": bundle.seed,
        "departure": {
            "requirement": departure.requirement,
            "symptom": bundle.symptom,
            "verdict": departure.verdict.value,
            "expected": departure.expected,
            "observed": departure.observed,
            "talk": departure.talk,
            "step": departure.step,
        },
        "program": programs.to_json(played.program),
        "stopped": list(played.stopped),
        "said": [list(texts) for texts in played.said],
        "spans": [list(span) for span in played.spans],
        "transcripts": [to_json(transcript) for transcript in played.transcripts],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _without_secrets(transcript: Transcript, secrets: tuple[str, ...]) -> Transcript:
    """Return a transcript in which neither the client nor the server says a credential."""
    return replace(transcript, entries=tuple(_hidden(entry, secrets) for entry in transcript.entries))


def _hidden(entry: Entry, secrets: tuple[str, ...]) -> Entry:
    def text(said: str) -> str:
        for secret in secrets:
            said = said.replace(secret, _HIDDEN * len(secret))
        return said

    def data(said: bytes) -> bytes:
        for secret in secrets:
            said = said.replace(secret.encode(), _HIDDEN.encode() * len(secret))
        return said

    def headers(fields: Headers) -> Headers:
        return tuple((name, text(value)) for name, value in fields)

    match entry:
        case Asked(request=asked):
            hidden = HttpRequest(asked.method, text(asked.target), headers(asked.headers), data(asked.body))
            return replace(entry, request=hidden)
        case Answered(response=answer):
            return replace(entry, response=HttpResponse(answer.status, headers(answer.headers), data(answer.body)))
        case Frame():
            return replace(entry, data=data(entry.data))
        case CloseFrame():
            return replace(entry, reason=text(entry.reason))
        case _:
            return entry


def read(path: Path) -> Bundle:
    """Return the bundle in a file.

    Raises:
        BundleError: It is none.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise BundleError(f"{path}: it is longer than {_MOST_BYTES >> 20} MiB, which no bundle is")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: it is no JSON ({error}); allowed is a bundle that `check server` wrote") from None
    wrong = validate.validator("bundle").errors(document)
    if wrong:
        raise BundleError(f"{path}: at {wrong[0].at}: {wrong[0].observed}; allowed is {wrong[0].expected}")
    given = document["departure"]
    if given["requirement"] not in requirements.load(document["program"]["dialect"]):
        raise BundleError(f"{path}: {given['requirement']} is no requirement of {document['program']['dialect']}")
    departure = Departure(
        given["requirement"],
        Verdict(given["verdict"]),
        given["expected"],
        given["observed"],
        given["talk"],
        given["step"],
    )
    program = programs.from_json(document["program"])
    played = Played(
        program,
        tuple(from_json(transcript) for transcript in document["transcripts"]),
        tuple(document["stopped"]),
        tuple(tuple(texts) for texts in document["said"]),
        tuple((begin, end) for begin, end in document["spans"]),
    )
    talks, steps = len(program.talks), len(program.steps)
    counts = (len(played.transcripts), len(played.stopped), len(played.said))
    if set(counts) != {talks} or len(played.spans) != steps or any(step.talk >= talks for step in program.steps):
        raise BundleError(f"{path}: its parts speak of different numbers of connections or steps")
    if departure.talk >= talks or (departure.step or 0) >= max(1, steps):
        raise BundleError(f"{path}: its departure is on a connection, or at a step, that it does not have")
    return Bundle(departure, given["symptom"], played, document["seed"], document["versions"])
