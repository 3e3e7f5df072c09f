"""Whole conversations in `translator` with the reference server, over pipes in memory and in virtual time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import schemas
from conformance.peers import virtual
from conformance.peers.address import Address, DialError
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.transcript import Recorder, Vantage
from protocol.audio import PcmFormat, rms_dbfs
from protocol.languages import PUBLISHED
from protocol.riff import build_header, parse_file
from protocol.translator.handshake import build_target
from protocol.translator.policy import Policy
from protocol.websocket import Unreadable
from protocol.wire import Fragment, HttpRequest, HttpResponse, Kind, Message, Outbound, PeerClosed, header
from reference_server.app import Server
from reference_server.engines.script import parse
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tap import Tap

KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)
WIDEBAND = PcmFormat(16_000)
SILENCE = bytes(80_000)
LONG = 10_000.0
SENTENCES = ["I would like a cup of coffee.", "Can you tell me where the station is?"]


class Stage:
    """A server in memory, and links to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.listener = virtual.MemoryListener(server.handle)
        self.links: list[Link] = []

    async def ask(self, target: str, headers: tuple[tuple[str, str], ...] = KEY) -> Link | HttpResponse:
        """Make the opening handshake."""
        address = Address("localhost", 80, False, self.listener.connect)
        recorder = Recorder("translator", Vantage.CLIENT, "test", len(self.links))
        answer = await dial(address, target, headers, recorder, Budget())
        if isinstance(answer, Link):
            self.links.append(answer)
        return answer

    async def link(self, features: str = "", **more: str | None) -> Link:
        """Open a session from en-US to pt, unless said otherwise."""
        wanted: dict[str, Any] = {"source": "en-US", "target": "pt", "features": features, **more}
        link = await self.ask(build_target(**wanted))
        assert isinstance(link, Link)
        return link


@asynccontextmanager
async def staged(
    script: dict[str, Any] | None = None, policy: Policy | None = None, tap: Callable[[], Tap] = Tap
) -> AsyncIterator[Stage]:
    engine = ScriptedEngine(parse(script, PUBLISHED) if script is not None else None)
    server = Server(Settings(translator=policy or Policy()), engine, tap=tap)
    await server.start()
    stage = Stage(server)
    try:
        yield stage
    finally:
        for link in stage.links:
            await link.finish()
        await stage.listener.close()


def recording(name: str) -> bytes:
    """A whole WAV file of the corpus."""
    return (schemas.corpus_dir() / f"{name}.wav").read_bytes()


def samples(name: str) -> bytes:
    return parse_file(recording(name))[1]


async def result(link: Link) -> dict[str, Any]:
    """The next text message."""
    answer = await link.answer("a result", LONG)
    assert isinstance(answer, Received)
    assert answer.kind is Kind.TEXT
    found: dict[str, Any] = json.loads(answer.data)
    return found


async def final(link: Link) -> dict[str, Any]:
    """The next final; partials before it are passed over."""
    while (found := await result(link))["type"] != "final":
        pass
    return found


async def voice(link: Link) -> bytes:
    answer = await link.answer("a voice", LONG)
    assert isinstance(answer, Received)
    assert answer.kind is Kind.BINARY
    return answer.data


async def closed(link: Link) -> tuple[int, str]:
    """How the connection ends; what comes before it is passed over."""
    while True:
        answer = await link.answer("a close", LONG)
        if isinstance(answer, PeerClosed | Unreadable):
            return answer.code, answer.reason


def play(scene: Callable[[Stage], Awaitable[None]], **settings: Any) -> None:
    """Run a scene in virtual time."""

    async def whole() -> None:
        async with staged(**settings) as stage:
            await scene(stage)

    virtual.run(whole())


class TestHandshake:
    def test_the_upgrade_is_accepted_with_a_request_id(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            identity = header(link.response.headers, "X-RequestId") or ""
            assert len(identity) == 36
            for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
                assert header(link.response.headers, name) is None

        play(scene)

    def test_each_refusal_is_a_response_of_its_own_kind(self) -> None:
        async def scene(stage: Stage) -> None:
            good = build_target(source="en-US", target="pt")
            asked = [
                ("/speech/nothing", (), 404),
                (good, (), 401),
                (good, (("Ocp-Apim-Subscription-Key", "wrong"),), 401),
                (build_target(source="xx", target="pt"), (), 401),
                (build_target(source="xx", target="pt"), KEY, 400),
                (build_target(source="en-US", target="pt", voice="xx", features="TextToSpeech"), KEY, 400),
            ]
            for target, headers, status in asked:
                answer = await stage.ask(target, headers)
                assert isinstance(answer, HttpResponse)
                assert answer.status == status
                assert header(answer.headers, "X-RequestId")
                assert "message" in json.loads(answer.body)["error"]

        play(scene)

    def test_the_path_has_no_case(self) -> None:
        async def scene(stage: Stage) -> None:
            assert isinstance(await stage.ask(build_target("/Speech/TRANSLATE", source="en-US", target="pt")), Link)

        play(scene)


class TestAudio:
    @pytest.mark.parametrize("fmt_size", [16, 18])
    def test_a_header_of_44_or_46_bytes(self, fmt_size: int) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(build_header(WIDEBAND, fmt_size=16 if fmt_size == 16 else 18))
            await link.binary(samples("clear-1") + SILENCE)
            assert (await final(link))["recognition"] == "The train to the airport leaves at half past nine."

        play(scene)

    def test_further_chunks_before_the_samples(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(build_header(WIDEBAND, extra_chunks=[(b"LIST", b"INFOabc")]) + samples("clear-1"))
            await link.binary(SILENCE)
            assert (await final(link))["translation"] == "O trem para o aeroporto sai às nove e meia."

        play(scene)

    def test_the_stream_goes_on_past_its_declared_size(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1"))
            await link.binary(samples("clear-2") + SILENCE)
            assert "train" in (await final(link))["recognition"]

        play(scene)

    @pytest.mark.parametrize("size", [1, 2, 7, 44, 1001, 3200, 32_000])
    def test_messages_of_any_size(self, size: int) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TimingInfo")
            data = build_header(WIDEBAND) + samples("clear-2")[6000:26_000] + bytes(32_000)
            for at in range(0, len(data), size):
                await link.binary(data[at : at + size])
            assert (await final(link))["audioSizeBytes"] == 18_560

        play(scene)

    def test_empty_messages_mean_nothing(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            for data in (b"", recording("clear-1"), b"", SILENCE, b""):
                await link.binary(data)
            assert "train" in (await final(link))["recognition"]

        play(scene)

    def test_one_message_of_four_megabytes(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1") + bytes(4 << 20))
            assert "train" in (await final(link))["recognition"]

        play(scene)

    def test_a_message_whose_end_never_comes(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.frame(Kind.BINARY, recording("clear-1"), final=False)
            for _ in range(10):
                await link.frame(Kind.BINARY, bytes(8000), first=False, final=False)
            assert "train" in (await final(link))["recognition"]

        play(scene)

    @pytest.mark.parametrize("rate", [8000, 22_050, 48_000])
    def test_other_rates(self, rate: int) -> None:
        async def scene(stage: Stage) -> None:
            shape = PcmFormat(rate)
            link = await stage.link("TimingInfo")
            wave = (b"\x00\x20" * 20 + b"\x00\xe0" * 20) * (rate // 40)
            await link.binary(build_header(shape) + bytes(shape.ms_to_bytes(500)) + wave)
            await link.binary(bytes(shape.ms_to_bytes(2500)))
            found = await final(link)
            assert found["audioTimeOffset"] == pytest.approx(5_000_000, abs=200_000)
            assert found["audioTimeSize"] == pytest.approx(10_000_000, abs=200_000)

        play(scene)

    def test_a_ping_is_answered(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            assert await link.ping(b"are you there?")

        play(scene)

    def test_silence_gives_nothing(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial")
            await link.binary(recording("silence") + samples("noise"))
            assert await link.answer("nothing", 60.0) is None

        play(scene)


class TestResults:
    def test_two_utterances_give_two_finals(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("pair") + SILENCE)
            found = [await final(link), await final(link)]
            assert [one["recognition"] for one in found] == SENTENCES
            assert [one["id"] for one in found] == ["0", "1"]
            assert set(found[0]) == {"type", "id", "recognition", "translation"}

        play(scene)

    def test_partials_with_timing(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial,TimingInfo")
            await link.binary(recording("pair") + SILENCE)
            partials = []
            while (found := await result(link))["type"] == "partial":
                partials.append(found)
            assert len(partials) >= 3
            assert [one["id"] for one in partials] == [f"0.{minor}" for minor in range(1, len(partials) + 1)]
            assert {one["audioTimeOffset"] for one in partials} == {found["audioTimeOffset"]} == {2_000_000}
            assert all(len(one["recognition"]) <= len(found["recognition"]) for one in partials)
            sizes = [one["audioSizeBytes"] for one in partials]
            assert sizes == sorted(set(sizes))
            assert max(sizes) <= found["audioSizeBytes"] == 40_320

        play(scene)

    def test_how_the_audio_is_cut_changes_no_result(self) -> None:
        async def scene(stage: Stage) -> None:
            data = recording("pair") + SILENCE
            heard = []
            for size in (999, 3200, len(data)):
                link = await stage.link("Partial,TimingInfo")
                for at in range(0, len(data), size):
                    await link.binary(data[at : at + size])
                results = [await result(link)]
                while results[-1]["id"] != "1":
                    results.append(await result(link))
                heard.append(results)
            assert heard[0] == heard[1] == heard[2]

        play(scene)

    def test_partials_come_while_the_audio_comes(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial")
            data = recording("clear-1")
            for at in range(0, 64_000, 3200):
                await link.binary(data[at : at + 3200])
                await asyncio.sleep(0.1)
            assert (await result(link))["type"] == "partial"
            assert asyncio.get_running_loop().time() == pytest.approx(2.0)

        play(scene)

    def test_a_final_without_words_is_empty_and_not_spoken(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TextToSpeech")
            await link.binary(recording("pair") + SILENCE)
            assert await result(link) == {"type": "final", "id": "0", "recognition": "", "translation": ""}
            assert (await result(link))["id"] == "1"

        play(scene, script={})

    @pytest.mark.parametrize(
        ("action", "marker", "word"),
        [
            (None, None, "***"),
            ("NoAction", None, "jackass"),
            ("Marked", "Tag", "<profanity>jackass</profanity>"),
            ("Deleted", None, ""),
        ],
    )
    def test_profanities_are_treated(self, action: str | None, marker: str | None, word: str) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial", profanity=action, marker=marker)
            await link.binary(recording("profanity") + SILENCE)
            assert (await final(link))["recognition"] == f"My boss is a {word}, but the coffee is good."

        play(scene)


class TestVoice:
    def test_follows_each_final_as_one_complete_file(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TextToSpeech,Partial")
            await link.binary(recording("pair") + SILENCE)
            files = []
            for _ in SENTENCES:
                found = await final(link)
                shape, pcm = parse_file(await voice(link))
                assert shape.format == WIDEBAND
                assert len(pcm) == len(found["translation"]) * 1920
                assert rms_dbfs(pcm) > -30
                files.append(pcm)
            assert files[0] != files[1]

        play(scene)

    def test_is_one_message_in_frames_of_16_kib(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TextToSpeech")
            await link.binary(recording("clear-1") + SILENCE)
            await final(link)
            answer = await link.answer("a voice")
            assert isinstance(answer, Received)
            assert answer.frames == -(-len(answer.data) // 16_384)

        play(scene)

    def test_as_mp3(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TextToSpeech", format="audio/mp3")
            await link.binary(recording("clear-1") + SILENCE)
            await final(link)
            assert (await voice(link))[:2] == b"\xff\xf3"

        play(scene)

    def test_by_another_voice_sounds_different(self) -> None:
        async def scene(stage: Stage) -> None:
            heard = set()
            for name in ("pt-BR-Maria", "pt-BR-Daniel"):
                link = await stage.link("TextToSpeech", voice=name)
                await link.binary(recording("clear-1") + SILENCE)
                await final(link)
                heard.add(await voice(link))
            assert len(heard) == 2

        play(scene)

    def test_does_not_speak_markup(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("TextToSpeech", profanity="Marked", marker="Tag")
            await link.binary(recording("profanity") + SILENCE)
            await final(link)
            _, pcm = parse_file(await voice(link))
            assert len(pcm) == len("Meu chefe é um idiota, mas o café é bom.") * 1920

        play(scene)


class TestClose:
    def test_a_text_message(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.text("hello")
            code, reason = await closed(link)
            assert code == 1003
            assert "text" in reason

        play(scene)

    @pytest.mark.parametrize(
        ("begin", "word"),
        [
            (bytes(3200), "offset 0"),
            (build_header(PcmFormat(16_000, 2)), "offset 22"),
            (build_header(PcmFormat(16_000, 1, 8)), "offset 34"),
            (build_header(PcmFormat(96_000)), "offset 24"),
        ],
    )
    def test_audio_that_is_not_taken(self, begin: bytes, word: str) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(begin)
            code, reason = await closed(link)
            assert code == 1003
            assert word in reason

        play(scene)

    def test_the_clients_close_is_echoed_and_drops_what_is_open(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial")
            await link.binary(recording("clear-1")[:40_000])
            await result(link)
            answer = await link.close(1000, "done")
            while isinstance(answer, Received):
                answer = await link.answer("the close")
            assert isinstance(answer, PeerClosed)
            assert answer.code == 1000

        play(scene)

    def test_no_audio_for_ten_minutes(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            assert (await closed(link))[0] == 1000
            assert asyncio.get_running_loop().time() == pytest.approx(600)

        begun = time.perf_counter()
        play(scene)
        assert time.perf_counter() - begun < 5

    def test_no_more_audio_sends_what_is_open_first(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1")[: 44 + 2 * 16_000 * 2])
            assert "train" in (await final(link))["recognition"]
            assert await closed(link) == (1000, "Normal closure: no audio was received for too long")

        play(scene)

    def test_silence_for_three_minutes_of_audio(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1"))
            for _ in range(181):
                await link.binary(bytes(32_000))
            assert "train" in (await final(link))["recognition"]
            assert await closed(link) == (1000, "Normal closure: silence was received for too long")
            assert asyncio.get_running_loop().time() < 1

        play(scene)

    def test_ninety_minutes(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(build_header(WIDEBAND))
            for number in range(11):
                await link.binary(samples("clear-2") + SILENCE)
                assert (await final(link))["id"] == str(number)
                await asyncio.sleep(500)
            assert await closed(link) == (1000, "Normal closure: the maximum session duration is reached")
            assert asyncio.get_running_loop().time() == pytest.approx(5500, abs=1)

        play(scene)

    def test_shutdown_sends_finals_in_flight_first(self) -> None:
        async def scene(stage: Stage) -> None:
            links = [await stage.link() for _ in range(3)]
            for link in links[:2]:
                await link.binary(recording("clear-1")[: 44 + 2 * 16_000 * 2])
            await asyncio.sleep(0.1)
            leaving = asyncio.ensure_future(stage.server.shutdown())
            for link in links[:2]:
                assert "train" in (await final(link))["recognition"]
            for link in links:
                assert await closed(link) == (1001, "Endpoint Unavailable: the server is going away")
            await leaving
            assert asyncio.get_running_loop().time() < 5

        play(scene)

    def test_shutdown_waits_for_no_engine_for_ever(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1")[: 44 + 2 * 16_000 * 2])
            await asyncio.sleep(0.1)
            await stage.server.shutdown()
            assert asyncio.get_running_loop().time() == pytest.approx(10.1, abs=0.1)
            assert (await closed(link))[0] == 1001

        play(scene, script={"defaults": [{"recognition": "Late.", "delay_ms": {"final": 25_000}}]})

    def test_behind_a_shutdown_nobody_is_let_in(self) -> None:
        async def scene(stage: Stage) -> None:
            await stage.server.shutdown()
            answer = await stage.ask(build_target(source="en-US", target="pt"))
            assert isinstance(answer, HttpResponse)
            assert answer.status == 503

        play(scene)


class TestMisbehaviour:
    @pytest.mark.parametrize("before", ["partial", "final", "voice"])
    def test_an_engine_that_fails_closes_with_its_reason(self, before: str) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link("Partial,TextToSpeech")
            await link.binary(recording("clear-1") + SILENCE)
            assert await closed(link) == (1001, "Endpoint Unavailable: scripted")

        end = {"before": before, "code": 1001, "reason": "scripted"}
        play(scene, script={"defaults": [{"recognition": "Hello there.", "end": end}]})

    def test_an_engine_that_ends_abruptly(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1") + SILENCE)
            assert await closed(link) == (1006, "")

        play(scene, script={"defaults": [{"recognition": "Hello.", "end": {"before": "final", "abrupt": True}}]})

    def test_an_engine_that_hangs_is_given_up(self) -> None:
        async def scene(stage: Stage) -> None:
            link = await stage.link()
            await link.binary(recording("clear-1") + SILENCE)
            code, reason = await closed(link)
            assert code == 1011
            assert "did not answer within 30 s" in reason
            assert asyncio.get_running_loop().time() == pytest.approx(30)

        play(scene, script={"defaults": [{"recognition": "Late.", "delay_ms": {"final": 600_000}}]})

    def test_a_slow_answer_delays_nobody_else(self) -> None:
        async def scene(stage: Stage) -> None:
            slow, quick = await stage.link(), await stage.link(target="de")
            for link in (slow, quick):
                await link.binary(recording("clear-1") + SILENCE)
            assert (await final(quick))["recognition"] == "Quick."
            assert asyncio.get_running_loop().time() < 1
            assert (await final(slow))["recognition"] == "Slow."

        late = {"when": {"to": "pt"}, "recognition": "Slow.", "delay_ms": {"final": 20_000}}
        play(scene, script={"utterances": [late, {"recognition": "Quick."}]})


class Loud(Tap):
    """Notes what passes, and changes a little of it."""

    seen: list[str]

    def __init__(self) -> None:
        self.seen = []
        TAPS.append(self)

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        self.seen.append(request.path)
        return request

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        return HttpResponse(response.status, (*response.headers, ("X-Loud", "yes")), response.body)

    def inbound(self, event: Fragment | PeerClosed, time: float) -> tuple[Fragment | PeerClosed, ...]:
        self.seen.append(type(event).__name__)
        return (event,)

    def outbound(self, event: Outbound, time: float) -> tuple[Outbound, ...]:
        if isinstance(event, Message) and event.kind is Kind.TEXT:
            return Message.text(event.data.decode().replace("train", "TRAIN")), event
        return (event,)

    def finished(self, time: float) -> None:
        self.seen.append("finished")


TAPS: list[Loud] = []


class TestTap:
    def test_sees_and_may_change_what_passes(self) -> None:
        TAPS.clear()

        async def scene(stage: Stage) -> None:
            link = await stage.link()
            assert header(link.response.headers, "X-Loud") == "yes"
            await link.binary(recording("clear-1") + SILENCE)
            assert "TRAIN" in (await final(link))["recognition"]
            assert "train" in (await final(link))["recognition"]
            await link.close()

        play(scene, tap=Loud)
        (tap,) = TAPS
        assert tap.seen[:2] == ["/speech/translate", "Fragment"]
        assert tap.seen[-2:] == ["PeerClosed", "finished"]

    def test_may_refuse_what_the_server_accepts(self) -> None:
        class Refusing(Tap):
            def response(self, response: HttpResponse, time: float) -> HttpResponse:
                return HttpResponse(500, (), b"no")

        async def scene(stage: Stage) -> None:
            answer = await stage.ask(build_target(source="en-US", target="pt"))
            assert isinstance(answer, HttpResponse)
            assert (answer.status, answer.body) == (500, b"no")

        play(scene, tap=Refusing)

    @pytest.mark.parametrize("room", ["request", "inbound"])
    def test_a_defect_of_ours_ends_one_connection_alone(self, room: str, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(Tap):
            def __getattribute__(self, name: str) -> Any:
                if name == room and len(TAPS) == 1:
                    raise KeyError("a defect")
                return super().__getattribute__(name)

        async def scene(stage: Stage) -> None:
            Loud()
            if room == "request":
                with pytest.raises(DialError):
                    await stage.link()
            else:
                link = await stage.link()
                await link.binary(recording("clear-1"))
                assert await closed(link) == (1011, "Internal Server Error: the server failed")
            Loud()
            link = await stage.link()
            await link.binary(recording("clear-1") + SILENCE)
            await final(link)

        TAPS.clear()
        play(scene, tap=Broken)
        assert "failed" in caplog.text
