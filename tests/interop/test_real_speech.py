"""Recordings of a person who reads aloud, streamed to a server process in every way that real clients do it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from conformance import corpus
from conformance.judge.verdict import Check, Verdict
from conformance.judge.wire import judge_all
from conformance.peers.address import Address
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.transcript import Recorder, Transcript, Vantage
from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import build_header, parse_file
from protocol.translator.handshake import build_target
from protocol.wire import Kind, Party
from tests import recordings

if TYPE_CHECKING:
    from tests.conftest import Serving

SHORT = "0880"  # 3.0 s
SILENCE_MS = 2500
CHUNK_MS = 100
AUDIBLE_DBFS = -40.0

pytestmark = [
    pytest.mark.real_speech,
    recordings.there,
]


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a session gave. `speech` is the size of the recording, in bytes of samples."""

    format: PcmFormat
    speech: int
    finals: Sequence[dict[str, Any]]
    partials: Sequence[dict[str, Any]]
    voices: Sequence[bytes]
    close: int
    transcript: Transcript

    @property
    def departures(self) -> list[Check]:
        """What the judge has to say against the server."""
        fine = {Verdict.OK, Verdict.NOT_APPLICABLE}
        return [check for check in judge_all([self.transcript], Party.SERVER) if check.verdict not in fine]


class Stream:
    """One session: a recording, silence, and then a sentence that the server knows, whose final is the last.

    Args:
        port: Of the server.
        number: Which recording.
    """

    LAST: Final = "clear-2"

    def __init__(self, port: int, number: str) -> None:
        header, self.pcm = parse_file(recordings.path(number).read_bytes())
        self.format = header.format
        self._address = Address.tcp("127.0.0.1", port, None)
        known = corpus.load()[self.LAST]
        assert known.format == self.format
        self._known = known
        silence = bytes(self.format.ms_to_bytes(SILENCE_MS))
        self.speech = self.pcm + silence
        self.rest = known.pcm + silence

    def paced(self, pace: float) -> Streamed:
        """Stream the recording in chunks of 100 ms at `pace` times the speed of speech."""

        async def send(link: Link) -> None:
            size = self.format.ms_to_bytes(CHUNK_MS)
            begun = link.now()
            await link.binary(build_header(self.format))
            for at in range(0, len(self.speech), size):
                await link.binary(self.speech[at : at + size])
                due = begun + (at + size) / self.format.bytes_per_second / pace
                await asyncio.sleep(max(0.0, due - link.now()))
            await link.binary(self.rest)

        return asyncio.run(self._run(send))

    def in_one_message(self) -> Streamed:
        """Send everything as one message in one frame."""

        async def send(link: Link) -> None:
            await link.binary(build_header(self.format) + self.speech + self.rest)

        return asyncio.run(self._run(send))

    def in_a_message_without_end(self) -> Streamed:
        """Send everything as the frames of a message of which the last never comes."""

        async def send(link: Link) -> None:
            await link.frame(Kind.BINARY, build_header(self.format), final=False)
            whole = self.speech + self.rest
            for at in range(0, len(whole), 8192):
                await link.frame(Kind.BINARY, whole[at : at + 8192], first=False, final=False)

        return asyncio.run(self._run(send))

    async def _run(self, send: Callable[[Link], Coroutine[Any, Any, None]]) -> Streamed:
        features = "Partial,TimingInfo,TextToSpeech"
        target = build_target(source="en-US", target="de", features=features)
        recorder = Recorder("translator", Vantage.CLIENT, "real-speech", 0)
        headers = (("Ocp-Apim-Subscription-Key", "test-key"),)
        link = await dial(self._address, target, headers, recorder, Budget())
        assert isinstance(link, Link)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send(link))
                texts, voices = await self._listen(link)
            closed = await link.close()
        finally:
            await link.finish()
        finals = [text for text in texts if text["type"] == "final"]
        assert finals.pop()["recognition"] == self._known.text
        last = str(len(finals))
        partials = [text for text in texts if text["type"] == "partial" and not text["id"].startswith(f"{last}.")]
        code = getattr(closed, "code", 0)
        return Streamed(self.format, len(self.pcm), finals, partials, voices[:-1], code, recorder.transcript())

    async def _listen(self, link: Link) -> tuple[list[dict[str, Any]], list[bytes]]:
        """Return texts and voices up to the voice of the sentence that is known."""
        texts: list[dict[str, Any]] = []
        voices: list[bytes] = []
        while True:
            answer = await link.answer("the next result", 20.0)
            assert isinstance(answer, Received), answer
            if answer.kind is Kind.TEXT:
                texts.append(json.loads(answer.data))
                continue
            voices.append(answer.data)
            if texts[-1]["recognition"] == self._known.text:
                return texts, voices


def hold(streamed: Streamed) -> None:
    """Assert what holds however the speech came."""
    assert streamed.close == 1000
    assert streamed.departures == []
    assert len(streamed.finals) >= 1
    assert [final["id"] for final in streamed.finals] == [str(number) for number in range(len(streamed.finals))]
    assert all(final["recognition"] and final["translation"] for final in streamed.finals)
    end = 0
    for final in streamed.finals:
        start, size = final["audioStreamPosition"], final["audioSizeBytes"]
        assert end <= start
        assert size > 0
        end = start + size
        assert final["audioTimeOffset"] == streamed.format.bytes_to_ticks(start)
        assert final["audioTimeSize"] == streamed.format.bytes_to_ticks(size)
    assert end <= streamed.speech
    heard = sum(final["audioSizeBytes"] for final in streamed.finals)
    assert heard > streamed.speech / 2, "these are sentences, hardly a pause in them"
    assert len(streamed.voices) == len(streamed.finals)
    for voice in streamed.voices:
        header, samples = parse_file(voice)
        assert header.format == PcmFormat(16_000)
        assert rms_dbfs(samples) > AUDIBLE_DBFS


def known(streamed: Streamed) -> list[tuple[int, int]]:
    return [(final["audioStreamPosition"], final["audioSizeBytes"]) for final in streamed.finals]


class TestAtTheSpeedOfSpeech:
    def test_a_short_sentence(self, server: Serving) -> None:
        streamed = Stream(server.port, SHORT).paced(1.0)
        hold(streamed)
        assert len(streamed.partials) >= 3


@pytest.mark.parametrize("number", recordings.SENTENCES)
class TestFaster:
    def test_ten_times(self, server: Serving, number: str) -> None:
        hold(Stream(server.port, number).paced(10.0))

    def test_in_one_message(self, server: Serving, number: str) -> None:
        hold(Stream(server.port, number).in_one_message())

    def test_in_a_message_whose_end_never_comes(self, server: Serving, number: str) -> None:
        hold(Stream(server.port, number).in_a_message_without_end())

    def test_is_cut_into_the_same_utterances_however_it_comes(self, server: Serving, number: str) -> None:
        stream = Stream(server.port, number)
        assert known(stream.in_one_message()) == known(stream.in_a_message_without_end()) == known(stream.paced(50.0))
