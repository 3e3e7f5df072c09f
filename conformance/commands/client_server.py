"""What `check client` puts in front of a client: the reference server with a recorder on every connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from conformance import corpus, timeline
from conformance.commands.target_options import DIALECTS
from conformance.feeds.client import NotStarted, Ran, fill_in, run_client
from conformance.feeds.server import coverage
from conformance.judge.verdict import Check, FailureCard, Verdict, exit_code, outcome
from conformance.judge.wire import judge_all
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from conformance.report.summary import number
from conformance.transcript import (
    Answered,
    Asked,
    CloseFrame,
    Ended,
    Ending,
    Frame,
    Recorder,
    Transcript,
    Vantage,
)
from protocol import requirements
from protocol.audio import PcmFormat
from protocol.requirements import Level
from protocol.riff import build_file
from protocol.websocket import ABNORMAL
from protocol.wire import (
    Close,
    Fragment,
    HttpRequest,
    HttpResponse,
    Message,
    Outbound,
    Party,
    PeerClosed,
)
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tap import Tap

CASE = "session"
_KEY = "test-key"
_TAIL_S = 2.5
_MOST = 64 << 20  # bytes of a client that are recorded: half an hour of speech
_ENTRY = 1024  # bytes that an entry costs beside its payload


@dataclass
class Recording:
    """The transcripts of a run, one for each HTTP exchange or session. `enough` is set when it is of no use to go on.

    That is when the client has sent `_MOST`: what it would send then is neither recorded nor heard by the server.
    """

    dialect: str
    recorders: list[Recorder] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    _size: int = 0

    def begin(self) -> Recorder:
        """Return the recorder of the next exchange."""
        self.recorders.append(Recorder(self.dialect, Vantage.SERVER, CASE, len(self.recorders)))
        return self.recorders[-1]

    def room(self, data: bytes) -> bool:
        """Tell whether there is room for one more entry with this payload."""
        self._size += len(data) + _ENTRY
        if self._size > _MOST:
            self.enough.set()
        return not self.enough.is_set()


class RecordingTap(Tap):
    """Writes a transcript of each HTTP exchange and session on a connection, as the server sees it."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._now: Recorder | None = None

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Begin a transcript."""
        self._now = None
        if self._recording.room(request.body):
            self._now = self._recording.begin()
            self._now.add(Asked(time, request))
        return request

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Note the response."""
        if self._now is not None:
            self._now.add(Answered(time, response))
        return response

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed]:
        """Note what the client sent."""
        if isinstance(event, Fragment) and not self._recording.room(event.data):
            return ()
        if self._now is not None:
            self._now.add(_entry(event))
        return (event,)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        """Note what the server sends."""
        if self._now is not None:
            if isinstance(event, Message):
                last = len(event.fragments) - 1
                for index, data in enumerate(event.fragments):
                    self._now.add(Frame(time, Party.SERVER, event.kind, data, index == 0, index == last))
            elif isinstance(event, Close):
                self._now.add(CloseFrame(time, Party.SERVER, event.code, event.reason))
            else:
                self._now.add(Ended(time, Party.SERVER, Ending.RESET))
        return (event,)


def _entry(event: Fragment | PeerClosed) -> Frame | CloseFrame | Ended:
    if isinstance(event, Fragment):
        return Frame(event.time, Party.CLIENT, event.kind, event.data, event.first, event.final)
    if event.code == ABNORMAL:
        return Ended(event.time, Party.CLIENT, Ending.UNREADABLE if event.reason else Ending.EOF, event.reason)
    return CloseFrame(event.time, Party.CLIENT, event.code, event.reason)


async def check_with_reference_server(
    program: Sequence[str], options: dict[str, Any], emit: Callable[[Event], None]
) -> Report:
    """Start the server, run the client once, judge what it sent, report.

    Raises:
        Unstarted: The client's command cannot be started.
        asyncio.CancelledError: The run was told to stop; the client is gone.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    dialect = options["dialect"]
    peer: dict[str, object] = {"command": shlex.join(program)}
    emit(RunStarted(version("speechwire"), requirements.REVISION, peer, dialect, options["seed"], 1))
    recording = Recording(dialect)
    server = Server(Settings(keys=(_KEY,)), ScriptedEngine(), tap=lambda: RecordingTap(recording))
    await server.start()
    with _scratch() as folder:
        tls, ca = _tls(folder) if options["tls"] else (None, "")
        listening = await server.listen("127.0.0.1", 0, tls)
        scheme = "wss" if options["tls"] else "ws"
        values = {
            "url": f"{scheme}://127.0.0.1:{listening.port}{DIALECTS[dialect]}",
            "wav": str(_recording(folder)),
            "key": _KEY,
            "from": options["source"],
            "to": options["target"],
            "voice": options["voice"],
            "ca": ca,
        }
        environment = {"SPEECHWIRE_CASE": CASE}
        ran: Ran | NotStarted
        try:
            with _stoppable():
                ran = await run_client(fill_in(program, values), environment, options["hang"], recording.enough)
        except NotStarted as error:
            ran = error
        finally:
            await server.shutdown()
    checks = _checks(recording, ran, options["hang"])
    executed = 0
    if isinstance(ran, Ran):
        emit(CaseFinished(CASE, tuple(checks), ran.elapsed_s, 0.0))
        peer = {**peer, "exit": ran.code, "output": ran.output}
        executed = 1
    report = Report(
        speechwire=version("speechwire"),
        register=requirements.REVISION,
        peer=peer,
        dialect=dialect,
        seed=options["seed"],
        outcome=outcome(checks, strict=options["strict"], executed=executed),
        exit_code=exit_code(checks, strict=options["strict"], executed=executed),
        checks=tuple(checks),
        coverage=coverage(dialect, Party.CLIENT, checks),
        total_s=loop.time() - begun,
        waiting_s=0.0,
        strict=options["strict"],
        party=Party.CLIENT.value,
    )
    emit(RunFinished(report))
    if isinstance(ran, NotStarted):
        raise Unstarted(str(ran), report)
    return report


class Unstarted(Exception):
    """There was no client; the text says why. There is a `report` all the same."""

    def __init__(self, reason: str, report: Report) -> None:
        super().__init__(reason)
        self.report = report


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM end the run as an interrupt does, behind the client: nothing of that may outlive us."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="speechwire-") as folder:
        yield Path(folder)


def _tls(folder: Path) -> tuple[Any, str]:
    from reference_server.tls import throwaway  # noqa: PLC0415 - only --tls needs it

    made = throwaway(folder)
    return made.context, os.fspath(made.ca)


def _recording(folder: Path) -> Path:
    """Write the clear sentence of the corpus with the silence that ends it, as one file."""
    clear = corpus.load()["clear-1"]
    path = folder / "speech.wav"
    silence = bytes(clear.format.ms_to_bytes(int(_TAIL_S * 1000)))
    path.write_bytes(build_file(PcmFormat(clear.format.rate), clear.pcm + silence))
    return path


def _checks(recording: Recording, ran: Ran | NotStarted, hang_s: float) -> list[Check]:
    """Return what the judge says of the client, how its process ended, and what was never seen."""
    dialect = recording.dialect
    transcripts = [recorder.transcript() for recorder in recording.recorders]
    checks = judge_all(transcripts, Party.CLIENT)
    card = FailureCard(0, timeline.lines(transcripts[-1])) if transcripts else None
    rows = requirements.load(dialect)
    closes = f"{dialect}.client.closes"
    if isinstance(ran, Ran) and ran.code is None and transcripts:
        observed = f"the client was still running after {hang_s:.0f} s and was ended"
        if recording.enough.is_set():
            observed = f"the client sent more than {_MOST >> 20} MiB, or very small pieces without end, and was ended"
        checks = [check for check in checks if check.requirement != closes]
        checks.append(Check(CASE, closes, Verdict.VIOLATION, "a client that ends", observed, card=card))
    seen = {check.requirement for check in checks}
    why = _why(ran, transcripts) if isinstance(ran, Ran) else str(ran)
    checks += [
        Check(CASE, row.id, Verdict.COULD_NOT_RUN, "to be observed in every run", why, card=card)
        for row in rows.values()
        if row.party is Party.CLIENT and row.core and row.level is Level.MUST and row.id not in seen
    ]
    return checks


def _why(ran: Ran, transcripts: Sequence[Transcript]) -> str:
    ended = "had to be ended" if ran.code is None else f"exited with {ran.code}"
    came = "never connected" if not transcripts else f"made {number(len(transcripts), 'request')} and sent no audio"
    last = ran.output.strip().splitlines()
    return f"the client {came} and {ended}{f'; it printed {last[-1][:200]!r}' if last else ''}"
