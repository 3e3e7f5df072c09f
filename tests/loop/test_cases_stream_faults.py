"""Every check of the cases about audio, results, voices and ends of sessions can fail, with the right verdict.

The peer is the reference server behind a mutator, or one whose bytes are changed on their way out. What the catalogue
of faults breaks already is not repeated here; the alternatives of one requirement, with their verdicts, are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from conformance.cases import registry
from conformance.faults.mutator import with_query
from conformance.faults.translator.mutator import Members, Mutator
from conformance.judge.verdict import Verdict
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.runner import Outcome, run_cases
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.websocket import ServerEnd
from protocol.wire import Abort, Close, Fragment, HttpRequest, HttpResponse, Outbound
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at

V, N, INFO = Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL
CASES = {case.id: case for case in registry.load("translator")}
GOOD = build_header(PcmFormat(16_000))
BAD = b"none of it"
HUM = b"\x00\x08\x00\xf8" * 16_000
Rewrite = Callable[[bytes], bytes]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def checks_of(
    names: Iterable[str],
    mutator: Callable[[], Mutator] = Mutator,
    policy: Mapping[str, Any] | None = None,
    out: Rewrite | None = None,
) -> dict[str, Verdict]:
    """Run cases against the server behind a mutator; `out` changes the bytes of each write. Return what was said."""
    settings = Settings(keys=("test-key",))
    settings = replace(settings, translator=replace(settings.translator, **policy or {}))
    server = Server(settings, ScriptedEngine(), tap=mutator)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if out is not None:
            rewrite, write = out, writer.write
            writer.write = lambda data: write(rewrite(bytes(data)))  # type: ignore[method-assign]  # a wire in between
        await server.handle(reader, writer)

    checks = [check for outcome in outcomes_of(names, handle) for check in outcome.checks]
    return {check.id.replace("/translator.", "/"): check.effective for check in checks}


def outcomes_of(names: Iterable[str], handle: Handler) -> tuple[Outcome, ...]:
    """Run cases against whatever serves a connection."""

    async def main() -> tuple[Outcome, ...]:
        listener = MemoryListener(handle)
        target = target_at(listener.connect)
        cases = tuple(CASES[name] for name in names)
        done = await run_cases(cases, target, Budget(), seed=7, connections=8, finished=lambda _: None)
        await listener.close()
        return done

    return run(main())


class Refuses(Mutator):
    """Makes the session refuse what `wrong` finds in the first frame."""

    def __init__(self) -> None:
        self.started = False

    def wrong(self, fragment: Fragment) -> bool:
        raise NotImplementedError

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        first, self.started = not self.started, True
        return (replace(fragment, data=BAD) if first and self.wrong(fragment) else fragment,)


def refusing(wrong: Callable[[bytes], bool]) -> Callable[[], Mutator]:
    return type("Refusing", (Refuses,), {"wrong": lambda _, fragment: wrong(fragment.data)})


def closing(how: Callable[[Close], Iterable[Outbound]]) -> Callable[[], Mutator]:
    return type("Closing", (Mutator,), {"on_close": lambda _, close: how(close)})


def asking(changes: Mapping[str, Mapping[str, str | None]]) -> Callable[[], Mutator]:
    """Return a mutator that changes the query where it contains a word."""

    def on_request(_: Mutator, request: HttpRequest) -> HttpRequest:
        for word, change in changes.items():
            if word in request.query:
                return with_query(request, change)
        return request

    return type("Asking", (Mutator,), {"on_request": on_request})


class TakesAnyStart(Mutator):
    """Puts a good header before a stream that has none."""

    started = False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        first, self.started = not self.started, True
        bad = first and not (fragment.data[:4] == b"RIFF" and b"WAVE" in fragment.data)
        return (replace(fragment, data=GOOD + fragment.data),) if bad else (fragment,)


class Drops(Mutator):
    """Drops frames that `wanted` does not want; `heard` counts the bytes so far."""

    def __init__(self) -> None:
        self.heard = 0
        self.begun: float | None = None

    def wanted(self, fragment: Fragment) -> bool:
        raise NotImplementedError

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        self.begun = fragment.time if self.begun is None else self.begun
        wanted = self.wanted(fragment)
        self.heard += len(fragment.data)
        return (fragment,) if wanted else ()


class DropsBursts(Drops):
    def wanted(self, fragment: Fragment) -> bool:
        return self.heard < 20_000 + (fragment.time - (self.begun or 0)) * 32_000


class DropsSlowAudio(Drops):
    def wanted(self, fragment: Fragment) -> bool:
        return fragment.time - (self.begun or 0) < 0.5


class DropsLateAudio(Drops):
    def wanted(self, fragment: Fragment) -> bool:
        return self.heard < 1_000_000


class DropsContinuations(Drops):
    def wanted(self, fragment: Fragment) -> bool:
        return fragment.first


class HearsByTheClock(Mutator):
    """Takes silence for such only as it comes: what comes at once is like a hum to it."""

    begun: float | None = None
    quiet_s = 0.0

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        self.begun = fragment.time if self.begun is None else self.begun
        if any(fragment.data):
            return (fragment,)
        longer = self.quiet_s + len(fragment.data) / 32_000
        if longer > 0.5 + fragment.time - self.begun:
            return (replace(fragment, data=HUM[: len(fragment.data)]),)
        self.quiet_s = longer
        return (fragment,)


class HearsChunks(Mutator):
    """Takes everything behind 44 bytes for sound."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        at = fragment.data.find(b"junk")
        return (replace(fragment, data=GOOD + fragment.data[at + 8 :]) if at > 0 else fragment,)


class CountsHeader(Mutator):
    length = 0
    complete = False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        self.length += 0 if self.complete else len(fragment.data)
        self.complete = self.complete or fragment.final
        return (fragment,)

    def on_result(self, members: Members) -> Iterable[Members]:
        if "audioStreamPosition" in members:
            members["audioStreamPosition"] += self.length
        return (members,)


class IgnoresRate(Mutator):
    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        is_header = fragment.data[:4] == b"RIFF"
        return (replace(fragment, data=GOOD + fragment.data[44:]) if is_header else fragment,)


class Untreated(Mutator):
    def on_result(self, members: Members) -> Iterable[Members]:
        members["translation"] = members["translation"].replace("***", "jackass")
        return (members,)


class Crosstalk(Mutator):
    """The second session hears what was said in the first."""

    said = bytearray()

    def __init__(self) -> None:
        self.listens = bool(self.said)
        self.at = 0

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        if not self.listens:
            self.said.extend(fragment.data)
            return (fragment,)
        start, self.at = self.at, self.at + len(fragment.data)
        return (replace(fragment, data=bytes(self.said[start : self.at])),)


class OneAtATime(Mutator):
    """Refuses a second session while one is open."""

    open = 0
    mine = False

    def on_response(self, response: HttpResponse) -> HttpResponse:
        cls = type(self)
        if response.status != 101:
            return response
        if cls.open:
            return HttpResponse(403, (("X-RequestId", "a"), ("Content-Length", "0")))
        cls.open, self.mine = 1, True
        return response

    def finished(self, time: float) -> None:
        if self.mine:
            type(self).open = 0


@dataclass(frozen=True, slots=True)
class Bent:
    """One departure: where it shows, how grave it is, and what makes it."""

    check: str
    verdict: Verdict
    mutator: Callable[[], Mutator] = Mutator
    policy: Mapping[str, Any] = field(default_factory=dict)
    out: Rewrite | None = None


def pongs(data: bytes) -> bytes:
    return b"" if data[:1] == b"\x8a" else data


def closes(data: bytes) -> bytes:
    return b"" if data[:1] == b"\x88" else data


def other_code(data: bytes) -> bytes:
    return data[:2] + (1001).to_bytes(2, "big") + data[4:] if data[:1] == b"\x88" else data


def talks_at_once(data: bytes) -> bytes:
    return data + b"\x81\x02{}" if data.startswith(b"HTTP/1.1 101") else data


ANY_START, BY_CLOCK = TakesAnyStart, HearsByTheClock
NO_RIFF = "audio.no-header/audio.header-first"
BENT = (
    Bent("audio.header-44/audio.header-44", V, refusing(lambda data: data[16] == 16)),
    Bent("audio.zero-sizes/audio.zero-sizes", V, refusing(lambda data: data[4:8] == bytes(4))),
    Bent("audio.speech-in-chunk/audio.extra-chunks", V, HearsChunks),
    Bent("audio.speech-in-chunk/audio.extra-chunks", N, refusing(lambda data: b"junk" in data)),
    Bent("audio.speech-in-chunk/timing.header-not-counted", INFO, CountsHeader),
    Bent("audio.burst/audio.burst", V, DropsBursts),
    Bent("audio.real-time/audio.real-time", V, DropsSlowAudio),
    Bent("audio.large-message/audio.large-message", V, DropsLateAudio),
    Bent("audio.fragmented/audio.fragmented", V, DropsContinuations),
    Bent("audio.chunk-sizes/audio.chunk-any-size", V, DropsContinuations),
    Bent("audio.rate-8000/audio.rate-8000", N, IgnoresRate),
    Bent("audio.rate-22050/audio.rate-22050", N, IgnoresRate),
    Bent("audio.ping/audio.ping", V, out=pongs),
    Bent(NO_RIFF, N, closing(lambda close: [Close(1007, close.reason)])),
    Bent("audio.no-header/close.bad-data", N, closing(lambda close: [Close(1007, close.reason)])),
    Bent(NO_RIFF, N, ANY_START),
    Bent(NO_RIFF, V, closing(lambda _: [Abort()])),
    Bent(NO_RIFF, V, closing(lambda _: [])),
    Bent("audio.formats/audio.format", INFO, closing(lambda close: [Close(1007, close.reason)])),
    Bent("audio.formats/audio.format", INFO, closing(lambda _: [Close(1003, "no")])),
    Bent("audio.text-message/audio.text-message", INFO, closing(lambda close: [Close(1000, close.reason)])),
    Bent("endpoint.final-after-silence/endpoint.final-after-silence", N, BY_CLOCK),
    Bent("endpoint.final-after-silence/endpoint.final-after-silence", V, policy={"endpoint_silence_ms": 3000}),
    Bent("endpoint.pause-separates/endpoint.pause-separates", N, policy={"endpoint_silence_ms": 2000}),
    Bent("endpoint.max-utterance/endpoint.max-utterance", INFO, policy={"max_utterance_ms": 60_000}),
    Bent("profanity.treatment/profanity.no-action", V, asking({"NoAction": {"ProfanityAction": "Marked"}})),
    Bent(
        "profanity.treatment/profanity.marker-ignored",
        N,
        asking({"NoAction&ProfanityMarker": {"ProfanityAction": None}}),
    ),
    Bent("profanity.treatment/profanity.deleted", V, asking({"Deleted": {"ProfanityAction": None}})),
    Bent("profanity.scope/profanity.scope", INFO, Untreated),
    Bent("voice.text-only-languages/voice.text-only-languages", INFO, asking({"TextToSpeech": {"features": None}})),
    Bent("close.normal/close.normal", N, out=other_code),
    Bent("close.in-utterance/close.echo", V, out=closes),
    Bent("close.before-audio/session.no-server-message-before-audio", N, out=talks_at_once),
    Bent("session.isolation/session.isolation", V, Crosstalk),
    Bent("session.several/session.several", N, OneAtATime),
)


@pytest.mark.parametrize("bent", BENT, ids=lambda bent: bent.check)
def test_it_is_found_out(bent: Bent) -> None:
    Crosstalk.said.clear()
    found = checks_of([bent.check.partition("/")[0]], bent.mutator, bent.policy, bent.out)
    assert found[bent.check] is bent.verdict


class TestWhatProvesNothing:
    def test_a_server_without_finals_breaks_the_end_of_utterances_alone(self) -> None:
        names = [name for name in CASES if name.partition(".")[0] in {"audio", "endpoint", "timing", "voice", "final"}]
        found = checks_of(names, type("Deaf", (Mutator,), {"on_result": lambda *_: ()}))
        departed = {check: verdict for check, verdict in found.items() if verdict in {V, N, INFO}}
        assert departed == {"endpoint.final-after-silence/endpoint.final-after-silence": V}

    def test_a_server_that_hears_silence_by_the_clock_takes_bursts(self) -> None:
        assert checks_of(["audio.burst"], HearsByTheClock) == {"audio.burst/audio.burst": Verdict.OK}

    def test_a_profanity_that_is_not_heard_decides_nothing(self) -> None:
        def on_result(_: Mutator, members: Members) -> Iterable[Members]:
            return ({**members, "recognition": "something else", "translation": "something else"},)

        names = ["profanity.treatment", "profanity.scope"]
        assert checks_of(names, type("MisHears", (Mutator,), {"on_result": on_result})) == {}


async def reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept the upgrade, then take not a byte more."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:]))
    end = ServerEnd(8192)
    writer.write(end.accepted(end.accept(HttpRequest("GET", head[0].split(" ")[1], headers))))
    await asyncio.sleep(3600)


def test_a_server_that_reads_nothing_holds_nobody_up() -> None:
    (outcome,) = outcomes_of(["audio.large-message"], reads_nothing)
    assert [check.verdict for check in outcome.checks] == [Verdict.COULD_NOT_RUN]
    assert outcome.elapsed_s < 30
