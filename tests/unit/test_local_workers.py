"""Processes that work for the server: how they answer, die, are waited for, and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from protocol.languages import Speech
from reference_server.engines.local import workers
from reference_server.engines.local.parts import Hears, Part, Unavailable
from reference_server.engines.local.workers import Died, Overloaded, Pool, Refused, Worker
from tests.processes import family

HERE = "tests.unit.local_services"
PATIENCE_S = 60.0
SOON_S = 0.2
"""An answer that a test does not want to wait for, because it never comes."""


def part(service: str = "Parrot", processes: int = 1, **arguments: object) -> Part:
    return Part("parrot", Hears((Speech("en-US", "en"),)), f"{HERE}:{service}", arguments, processes=processes)


@contextlib.asynccontextmanager
async def running(processes: int = 1, **times: Any) -> AsyncIterator[Pool]:
    """Give a pool with one process, and end it."""
    pool = Pool(part(processes=processes), **times)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await test()

    asyncio.run(bounded())


async def turn() -> None:
    """Let everybody go on as far as they can without waiting for a process."""
    for _ in range(5):
        await asyncio.sleep(0)


def soon(answer: Awaitable[Any]) -> asyncio.Future[Any]:
    return asyncio.ensure_future(answer)


def alive(pid: int) -> bool:
    """Whether there is such a process; one that nobody has asked how it ended is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that the loop is not told of."""
    while not true():  # noqa: ASYNC110 - that is why
        await asyncio.sleep(0.005)


async def gone(pid: int) -> None:
    """Wait for the end of a process."""
    await until(lambda: not alive(pid))


async def noted(path: Path) -> int:
    """Return the number that a service writes into a file."""
    await until(lambda: path.exists() and bool(path.read_text()))
    return int(path.read_bytes())  # noqa: ASYNC240 - it is there


class TestAnswers:
    def test_come_from_one_process_after_another_call(self) -> None:
        async def test() -> None:
            async with running() as pool:
                assert await pool.call("echo", ("olá", b"\0", None)) == ("olá", b"\0", None)
                assert {await pool.call("pid") for _ in range(3)} == set(pool.pids)

        run(test)

    def test_may_be_long(self) -> None:
        async def test() -> None:
            pcm = bytes(range(256)) * 8192
            async with running() as pool:
                assert await pool.call("echo", pcm) == pcm

        run(test)

    def test_of_several_at_a_time_come_from_as_many_processes_as_there_may_be(self, tmp_path: Path) -> None:
        async def test() -> None:
            async with running(processes=2) as pool:
                assert pool.spare == 2
                calls = [soon(pool.call("wait_for", str(tmp_path / "gate"))) for _ in range(3)]
                await turn()
                assert pool.spare == 0
                await until(lambda: len(pool.pids) == 2)
                (tmp_path / "gate").touch()
                await asyncio.gather(*calls)
                assert (len(pool.pids), pool.spare) == (2, 2)

        run(test)

    def test_a_refusal_is_the_sentence_of_the_service_and_costs_nothing(self) -> None:
        async def test() -> None:
            async with running() as pool:
                (pid,) = pool.pids
                with pytest.raises(Refused, match=r"^parrot: no such language$"):
                    await pool.call("refuse", "no such language")
                assert await pool.call("pid") == pid

        run(test)


class TestDeath:
    @pytest.mark.parametrize(
        ("call", "value", "how"), [("kill", signal.SIGSEGV, f"signal {signal.SIGSEGV:d}"), ("leave", 3, "exit code 3")]
    )
    def test_costs_whoever_waits_for_it_and_nobody_else(self, call: str, value: int, how: str) -> None:
        async def test() -> None:
            async with running() as pool:
                (pid,) = pool.pids
                waiting = [soon(pool.call(call, value)), soon(pool.call("pid")), soon(pool.call("echo", 1))]
                died, another, answer = await asyncio.gather(*waiting, return_exceptions=True)
                assert isinstance(died, Died)
                assert str(died) == f"parrot: its process ended ({how})"
                assert answer == 1
                assert pool.pids == (another,)
                assert another != pid

        run(test)

    def test_of_an_idle_one_costs_nobody(self) -> None:
        async def test() -> None:
            async with running() as pool:
                (pid,) = pool.pids
                os.kill(pid, signal.SIGKILL)
                while alive(pid):  # without giving the loop a chance to notice
                    pass
                assert await pool.call("pid") != pid
                assert pid not in pool.pids

        run(test)

    def test_the_last_words_are_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with running() as pool:
                with pytest.raises(Died):
                    await pool.call("leave", 3)

        with caplog.at_level(logging.WARNING, "speechwire.server"):
            run(test)
        assert caplog.messages == ["parrot: a process ended (exit code 3): last words"]

    def test_comes_to_one_that_does_not_answer_in_time(self) -> None:
        async def test() -> None:
            async with running(answer_s=SOON_S) as pool:
                (pid,) = pool.pids
                with pytest.raises(Died, match=r"^parrot: expected an answer within 0\.2 s, got none$"):
                    await pool.call("hang")
                assert not alive(pid)
                assert (pool.pids, pool.spare) == ((), 1)

        run(test)

    def test_is_not_hidden_by_what_the_process_has_left_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """That holds the pipe of the errors open."""

        async def test() -> None:
            worker = await Worker.start(part(), PATIENCE_S, PATIENCE_S)
            left = await worker.ask("leave_behind", ())
            try:
                os.kill(worker.pid, signal.SIGKILL)
                await until(lambda: not Path(f"/proc/{worker.pid}").exists())
                await turn()
                monkeypatch.setattr(workers, "_STOP_S", SOON_S)
                await worker.stop()
                assert not worker.alive
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(left, signal.SIGKILL)
                monkeypatch.setattr(workers, "_STOP_S", PATIENCE_S)
                await worker.stop()
                await turn()

        run(test)


class TestTheLine:
    def test_is_of_bounded_length(self, tmp_path: Path) -> None:
        async def test() -> None:
            gate = tmp_path / "gate"
            async with running(waiting=2) as pool:
                calls = [soon(pool.call("wait_for", str(gate))) for _ in range(3)]
                await turn()
                with pytest.raises(Overloaded, match=r"^parrot: too busy; 2 are waiting already$"):
                    await pool.call("echo", 1)
                gate.touch()
                assert await asyncio.gather(*calls) == ["it is there"] * 3
                assert await pool.call("echo", 1) == 1

        run(test)

    def test_is_served_in_the_order_of_arrival(self, tmp_path: Path) -> None:
        async def test() -> None:
            served = []
            async with running() as pool:

                async def call(number: int) -> None:
                    served.append(await pool.call("echo", number))

                first = soon(pool.call("wait_for", str(tmp_path / "gate")))
                await turn()
                calls = [soon(call(number)) for number in range(4)]
                await turn()
                (tmp_path / "gate").touch()
                await asyncio.gather(first, *calls)
            assert served == [0, 1, 2, 3]

        run(test)

    def test_can_be_left(self, tmp_path: Path) -> None:
        async def test() -> None:
            async with running(waiting=1) as pool:
                first = soon(pool.call("wait_for", str(tmp_path / "gate")))
                await turn()
                second = soon(pool.call("echo", 2))
                await turn()
                second.cancel()
                await asyncio.gather(second, return_exceptions=True)
                third = soon(pool.call("echo", 3))
                await turn()
                (tmp_path / "gate").touch()
                assert list(await asyncio.gather(first, third)) == ["it is there", 3]
                assert pool.spare == 1

        run(test)


class TestStoppingToWait:
    def test_gives_the_process_back_when_its_work_is_done(self, tmp_path: Path) -> None:
        async def test() -> None:
            async with running() as pool:
                (pid,) = pool.pids
                call = soon(pool.call("wait_for", str(tmp_path / "gate")))
                await turn()
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
                assert call.cancelled()
                assert pool.spare == 0
                another = soon(pool.call("echo", "mine"))
                (tmp_path / "gate").touch()
                assert await another == "mine"
                assert pool.pids == (pid,)

        run(test)

    def test_for_one_that_dies_later_troubles_nobody(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with running() as pool:
                call = soon(pool.call("start_another", str(tmp_path / "note")))
                await noted(tmp_path / "note")
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
                os.killpg(pool.pids[0], signal.SIGKILL)
                assert await pool.call("echo", 1) == 1

        with caplog.at_level(logging.ERROR):
            run(test)
        assert caplog.messages == []

    def test_for_its_start_gives_the_place_back(self, tmp_path: Path) -> None:
        async def test() -> None:
            pool = Pool(part("Slow", note=str(tmp_path / "note")))
            call = soon(pool.call("echo", 1))
            loading = await noted(tmp_path / "note")
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert not alive(loading)
            assert pool.spare == 1

        run(test)


class TestLease:
    def test_is_of_one_process_that_nobody_else_gets(self) -> None:
        async def test() -> None:
            async with running() as pool:
                lease = await pool.lease()
                another = soon(pool.call("pid"))
                assert [await lease.call("pid") for _ in range(3)] == [lease.pid] * 3
                assert not another.done()
                lease.close()
                assert await another == lease.pid

        run(test)

    def test_is_given_back_once(self) -> None:
        async def test() -> None:
            async with running() as pool:
                lease = await pool.lease()
                lease.close()
                lease.close()
                assert pool.spare == 1
                first, second = soon(pool.lease()), soon(pool.lease())
                (await first).close()
                (await second).close()
                assert (pool.spare, len(pool.pids)) == (1, 1)

        run(test)

    def test_of_one_that_dies_is_over(self) -> None:
        async def test() -> None:
            async with running() as pool:
                lease = await pool.lease()
                for _ in range(2):
                    with pytest.raises(Died, match=r"^parrot: its process ended \(signal 9\)$"):
                        await lease.call("kill", signal.SIGKILL)
                lease.close()
                assert await pool.call("pid") != lease.pid

        run(test)


class TestStart:
    @pytest.mark.parametrize(
        ("service", "arguments", "says"),
        [
            ("Fussy", {"model": "none.bin"}, "parrot: the model file none.bin is gone; put it back"),
            ("Mortal", {}, "parrot: its process ended (exit code 7)"),
            ("Nobody", {}, f"parrot: module '{HERE}' has no attribute 'Nobody'"),
        ],
    )
    def test_that_fails_is_one_sentence(self, service: str, arguments: dict[str, Any], says: str) -> None:
        async def test() -> None:
            before = family(os.getpid())
            pool = Pool(part(service, **arguments))
            with pytest.raises(Unavailable) as caught:
                await pool.start()
            assert str(caught.value) == says
            assert pool.pids == ()
            assert family(os.getpid()) == before

        run(test)

    def test_that_takes_too_long_is_ended(self, tmp_path: Path) -> None:
        async def test() -> None:
            before = family(os.getpid())
            pool = Pool(part("Slow", note=str(tmp_path / "note")), start_s=SOON_S)
            with pytest.raises(Unavailable, match=r"^parrot: expected an answer within 0\.2 s, got none$"):
                await pool.start()
            assert family(os.getpid()) == before

        run(test)

    def test_that_the_system_does_not_allow_is_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workers, "command", lambda: [os.devnull])

        async def test() -> None:
            with pytest.raises(Unavailable, match=r"^parrot: its process cannot be started \(Permission denied\)$"):
                await Pool(part()).start()

        run(test)

    def test_again_that_fails_is_told_to_whoever_needs_it(self, tmp_path: Path) -> None:
        """A model that is gone for a while is gone for that while only."""

        async def test() -> None:
            model = tmp_path / "model.bin"
            model.touch()
            pool = Pool(part("Fussy", model=str(model)))
            await pool.start()
            model.unlink()
            with pytest.raises(Died):
                await pool.call("kill", signal.SIGKILL)
            for _ in range(3):
                with pytest.raises(Refused, match=r"^parrot: the model file model\.bin is gone; put it back$"):
                    await pool.call("echo", 1)
                assert pool.spare == 1
            model.touch()
            assert await pool.call("echo", 1) == 1
            await pool.stop()

        run(test)

    def test_is_out_of_reach_of_the_terminals_interrupt(self) -> None:
        async def test() -> None:
            async with running() as pool:
                (pid,) = pool.pids
                os.kill(pid, signal.SIGINT)
                assert await pool.call("pid") == pid
                assert os.getpgid(pid) == pid

        run(test)


class TestStop:
    def test_ends_the_idle_and_the_busy(self) -> None:
        async def test() -> None:
            pool = Pool(part(processes=2))
            await pool.start()
            first, idle = await pool.lease(), await pool.lease()
            busy = soon(first.call("hang"))
            await turn()
            await pool.stop()
            with pytest.raises(Died, match="signal 9"):
                await busy
            assert not alive(first.pid)
            assert not alive(idle.pid)
            assert pool.pids == ()

        run(test)

    def test_ends_what_they_have_started(self, tmp_path: Path) -> None:
        async def test() -> None:
            async with running() as pool:
                busy = soon(pool.call("start_another", str(tmp_path / "note")))
                started = await noted(tmp_path / "note")
                await pool.stop()
                await gone(started)
                with pytest.raises(Died):
                    await busy

        run(test)

    def test_is_for_good(self) -> None:
        """Whoever stands in the line then does not have another process started."""

        async def test() -> None:
            async with running() as pool:
                calls = [soon(pool.call("hang")), soon(pool.call("echo", 1))]
                await turn()
                await pool.stop()
                died = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(one) for one in died] == [Died, Died]
                assert str(died[1]) == "parrot: its processes were ended"
                assert pool.pids == ()

        run(test)

    def test_while_one_is_starting_ends_that_one_too(self, tmp_path: Path) -> None:
        async def test() -> None:
            gate = tmp_path / "gate"
            pool = Pool(part("Gated", gate=str(gate), note=str(tmp_path / "note")))
            call = soon(pool.call("echo", 1))
            pid = await noted(tmp_path / "note")
            await pool.stop()
            gate.touch()
            with pytest.raises(Died, match="its processes were ended"):
                await call
            assert not alive(pid)

        run(test)


PARENT = """
import asyncio, sys
from reference_server.engines.local.workers import Worker
from tests.unit.test_local_workers import part

async def main():
    worker = await Worker.start(part(), 60.0, 60.0)
    print(worker.pid, flush=True)
    await worker.ask(sys.argv[1], tuple(sys.argv[2:]))
    await asyncio.sleep(600)

asyncio.run(main())
"""


class TestOfAServerThatIsKilled:
    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
    def test_the_processes_end(self, tmp_path: Path, *, busy: bool) -> None:
        gate = tmp_path / "gate"
        doing = ("wait_for", str(gate)) if busy else ("echo", "1")
        with subprocess.Popen([sys.executable, "-c", PARENT, *doing], stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert alive(pid)
            parent.kill()
        gate.touch()
        asyncio.run(asyncio.wait_for(gone(pid), PATIENCE_S))


def test_a_worker_that_was_stopped_can_be_stopped_and_asked_again_in_vain() -> None:
    async def test() -> None:
        worker = await Worker.start(part(), PATIENCE_S, PATIENCE_S)
        await worker.stop()
        await worker.stop()
        assert not worker.alive
        with pytest.raises(Died):
            await worker.ask("echo", (1,))

    run(test)
