"""What `check client` puts in front of a client: the reference server with a recorder on every connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from conformance import corpus, timeline
from conformance.cases.target import ENDPOINTS
from conformance.commands.client_recording import CASE, MOST, Recording, RecordingTap
from conformance.feeds.client import Ran, run_client
from conformance.feeds.programs import NotStarted, ending, fill_in, stoppable
from conformance.feeds.server import coverage
from conformance.judge.verdict import Check, FailureCard, Verdict, exit_code, outcome
from conformance.judge.wire import judge_all
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from conformance.report.summary import number
from protocol import requirements
from protocol.audio import PcmFormat
from protocol.requirements import Level
from protocol.riff import build_file
from protocol.wire import Party
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings

_KEY = "test-key"
_TAIL_S = 2.5


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
            "url": f"{scheme}://127.0.0.1:{listening.port}{ENDPOINTS[dialect][0]}",
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
            with stoppable():
                ran = await run_client(fill_in(program, values), environment, options["hang"], recording.enough)
        except NotStarted as error:
            ran = error
        finally:
            await server.shutdown()
    checks = _checks(recording, ran, options["hang"])
    executed = 0
    if isinstance(ran, Ran):
        emit(CaseFinished(CASE, tuple(checks), ran.elapsed_s))
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
    closes = f"{requirements.folder(dialect)}.client.closes"
    if isinstance(ran, Ran) and ran.code is None and transcripts:
        observed = f"the client was still running after {hang_s:.0f} s and was ended"
        if recording.enough.is_set():
            observed = f"the client sent more than {MOST >> 20} MiB, or very small pieces without end, and was ended"
        checks = [check for check in checks if check.requirement != closes]
        checks.append(Check(CASE, closes, Verdict.VIOLATION, "a client that ends", observed, card=card))
    seen = {check.requirement for check in checks}
    why = _why(ran, recording) if isinstance(ran, Ran) else str(ran)
    checks += [
        Check(CASE, row.id, Verdict.COULD_NOT_RUN, "to be observed in every run", why, card=card)
        for row in rows.values()
        if row.party is Party.CLIENT and row.core and row.level is Level.MUST and row.id not in seen
    ]
    return checks


def _why(ran: Ran, recording: Recording) -> str:
    came = "never connected"
    if recording.recorders:
        came = f"made {number(len(recording.recorders), 'request')} and sent no audio"
    elif recording.connections:
        came = f"made {number(recording.connections, 'connection')}, none with a request that can be read,"
    last = ran.output.strip().splitlines()
    return f"the client {came} and {ending(ran.code)}{f'; it printed {last[-1][:200]!r}' if last else ''}"
