"""The loop whose clock jumps, and the pipes that behave like sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from conformance.peers.virtual import MemoryListener, Streams, VirtualLoop, pipe, run

HIGH_WATER = 1 << 20  # of the pipe
BUFFER = 1 << 17  # twice the limit of a StreamReader, at which it stops reading


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Streams, Streams]]:
    """Give both ends of a pipe, and close them afterwards; nothing may go wrong behind the scenes."""
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    ends = pipe()
    try:
        yield ends
    finally:
        for _, writer in ends:
            writer.close()
        await asyncio.sleep(1)
    assert failures == []


class TestClock:
    def test_begins_at_0_and_stands_still_while_there_is_work(self) -> None:
        async def work() -> float:
            for _ in range(100):
                await asyncio.sleep(0)
            return asyncio.get_running_loop().time()

        assert run(work()) == 0.0

    def test_jumps_over_a_wait(self) -> None:
        async def wait() -> float:
            await asyncio.sleep(90 * 60)
            return asyncio.get_running_loop().time()

        begun = time.monotonic()
        assert run(wait()) == pytest.approx(5400)
        assert time.monotonic() - begun < 5

    def test_takes_timers_in_their_order(self) -> None:
        async def main() -> list[float]:
            loop, seen = asyncio.get_running_loop(), list[float]()
            await asyncio.gather(*(after(seconds, seen, loop) for seconds in (3.0, 1.0, 2.0)))
            return seen

        async def after(seconds: float, seen: list[float], loop: asyncio.AbstractEventLoop) -> None:
            await asyncio.sleep(seconds)
            seen.append(round(loop.time(), 6))

        assert run(main()) == [1.0, 2.0, 3.0]

    def test_time_outs_expire_at_once(self) -> None:
        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(20):
                    await asyncio.Event().wait()
            return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(20)

    def test_a_wait_for_something_outside_is_an_error_and_no_hang(self) -> None:
        async def main() -> None:
            await asyncio.Event().wait()

        with pytest.raises(RuntimeError, match="virtual time stands still"):
            run(main())

    def test_a_wake_up_from_outside_does_not_move_it(self) -> None:
        async def main() -> float:
            loop, woken = asyncio.get_running_loop(), asyncio.Event()
            loop.call_soon_threadsafe(woken.set)
            await woken.wait()
            await asyncio.sleep(0)
            return loop.time()

        assert run(main()) == 0.0

    def test_each_loop_has_a_clock_of_its_own(self) -> None:
        first, second = VirtualLoop(), VirtualLoop()
        try:
            first.run_until_complete(asyncio.sleep(7))
            assert (round(first.time(), 6), second.time()) == (7.0, 0.0)
        finally:
            first.close()
            second.close()

    def test_the_same_program_takes_the_same_course(self) -> None:
        async def main() -> list[int]:
            seen: list[int] = []

            async def step(number: int) -> None:
                for _ in range(3):
                    await asyncio.sleep(number % 3)
                    seen.append(number)

            await asyncio.gather(*map(step, range(5)))
            return seen

        assert run(main()) == run(main())


class TestPipe:
    def test_carries_bytes_both_ways(self) -> None:
        async def main() -> tuple[bytes, bytes]:
            async with connected() as ((left, to_right), (right, to_left)):
                to_right.write(b"ping")
                to_left.write(b"pong")
                return await right.readexactly(4), await left.readexactly(4)

        assert run(main()) == (b"ping", b"pong")

    def test_keeps_their_order_and_takes_no_time(self) -> None:
        async def main() -> tuple[bytes, float]:
            async with connected() as ((_, writer), (reader, _)):
                for number in range(50):
                    writer.write(bytes((number,)))
                    writer.write(b"")
                return await reader.readexactly(50), asyncio.get_running_loop().time()

        assert run(main()) == (bytes(range(50)), 0.0)

    def test_looks_like_a_connection_from_loopback(self) -> None:
        async def main() -> object:
            async with connected() as ((_, writer), _):
                return writer.get_extra_info("peername")

        assert run(main()) == ("127.0.0.1", 0)


class TestEof:
    def test_a_half_closed_pipe_still_reads(self) -> None:
        async def main() -> tuple[bytes, bytes]:
            async with connected() as ((left, to_right), (right, to_left)):
                assert to_right.can_write_eof()
                to_right.write(b"question")
                to_right.write_eof()
                to_right.write_eof()
                question = await right.read()
                to_left.write(b"answer")
                to_left.close()
                return question, await left.read()

        assert run(main()) == (b"question", b"answer")

    def test_what_is_written_behind_it_is_lost(self) -> None:
        async def main() -> bytes:
            async with connected() as ((_, writer), (reader, _)):
                writer.write(b"a")
                writer.write_eof()
                writer.write(b"b")
                return await reader.read()

        assert run(main()) == b"a"

    def test_closing_is_an_end_of_file_for_the_other_side(self) -> None:
        async def main() -> tuple[bytes, bool, bool]:
            async with connected() as ((_, writer), (reader, other)):
                writer.write(b"last words")
                writer.close()
                writer.close()
                await writer.wait_closed()
                return await reader.read(), writer.is_closing(), other.is_closing()

        assert run(main()) == (b"last words", True, False)

    def test_what_comes_behind_a_close_of_ours_is_dropped(self) -> None:
        async def main() -> bytes:
            async with connected() as ((reader, writer), (_, other)):
                writer.close()
                other.write(b"too late")
                await writer.wait_closed()
                return await reader.read()

        assert run(main()) == b""


class TestAbort:
    def test_is_a_reset_for_the_other_side(self) -> None:
        async def main() -> None:
            async with connected() as ((_, writer), (reader, other)):
                writer.transport.abort()
                with pytest.raises(ConnectionResetError, match="the peer reset the connection"):
                    await reader.read()
                assert other.is_closing()

        run(main())

    def test_of_both_sides_ends_both_quietly(self) -> None:
        async def main() -> tuple[bytes, bytes]:
            async with connected() as ((left, to_right), (right, to_left)):
                to_right.transport.abort()
                to_left.transport.abort()
                to_left.transport.abort()
                return await left.read(), await right.read()

        assert run(main()) == (b"", b"")

    def test_wakes_a_writer_that_waits(self) -> None:
        async def main() -> None:
            async with connected() as ((_, writer), (_, other)):
                writer.write(bytes(HIGH_WATER + BUFFER + 2))
                writer.write(b"x" * (HIGH_WATER + 1))
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_later(3, other.transport.abort)
                with pytest.raises(ConnectionResetError):
                    await writer.drain()

        run(main())


class TestFlowControl:
    """A reader that does not read stops a writer, as with sockets."""

    def test_a_writer_waits_until_somebody_reads(self) -> None:
        async def main() -> tuple[float, int]:
            async with connected() as ((_, writer), (reader, _)):
                size = 0

                async def read() -> None:
                    nonlocal size
                    await asyncio.sleep(5)
                    while data := await reader.read(1 << 16):
                        size += len(data)

                reading = asyncio.ensure_future(read())
                for _ in range(40):
                    writer.write(bytes(1 << 16))
                    await writer.drain()
                    await asyncio.sleep(0)
                waited = asyncio.get_running_loop().time()
                writer.close()
                await reading
                return waited, size

        waited, size = run(main())
        assert waited == pytest.approx(5)
        assert size == 40 << 16

    def test_a_writer_goes_on_when_all_that_was_held_back_is_read_and_not_before(self) -> None:
        async def main() -> list[float]:
            resumed: list[float] = []
            async with connected() as ((_, writer), (reader, _)):

                async def write() -> None:
                    for _ in range(2):
                        writer.write(bytes(BUFFER + 1))
                        writer.write(bytes(HIGH_WATER + 1))
                        await asyncio.sleep(0)
                        await writer.drain()
                        resumed.append(round(asyncio.get_running_loop().time(), 3))

                writing = asyncio.ensure_future(write())
                for _ in range(2):
                    await asyncio.sleep(5)
                    left = BUFFER + HIGH_WATER + 2 - len(await reader.read(1 << 16))
                    await asyncio.sleep(5)
                    await reader.readexactly(left)
                await writing
            return resumed

        assert run(main()) == [10.0, 20.0]

    def test_a_writer_need_not_wait_for_what_fits_in_between(self) -> None:
        async def main() -> float:
            async with connected() as ((_, writer), _):
                writer.write(bytes(BUFFER + 1))
                writer.write(bytes(HIGH_WATER))
                await asyncio.sleep(0)
                await writer.drain()
                return asyncio.get_running_loop().time()

        assert run(main()) == 0.0

    def test_the_writer_can_see_how_much_is_held_back(self) -> None:
        async def main() -> tuple[int, int]:
            async with connected() as ((_, writer), (reader, _)):
                writer.write(bytes(BUFFER + 1))
                writer.write(bytes(1000))
                await asyncio.sleep(0)
                held = writer.transport.get_write_buffer_size()
                await reader.read(1 << 16)
                await reader.read(1 << 16)
                await asyncio.sleep(0)
                return held, writer.transport.get_write_buffer_size()

        assert run(main()) == (1000, 0)

    def test_a_reader_that_wants_more_than_it_has_gets_what_was_held_back(self) -> None:
        async def main() -> bytes:
            async with connected() as ((_, writer), (reader, _)):
                writer.write(bytes(BUFFER + 1))
                writer.write(b"a")
                writer.write(b"b")
                await asyncio.sleep(1)
                writer.write(b"c")
                data = await reader.readexactly(BUFFER + 4)
                writer.write(b"d")
                return data[-3:] + await reader.readexactly(1)

        assert run(main()) == b"abcd"

    def test_held_bytes_come_in_order_however_slowly_they_are_read(self) -> None:
        async def main() -> bytes:
            async with connected() as ((_, writer), (reader, _)):
                for number in range(200):
                    writer.write(bytes((number,)) * 20_000)
                writer.close()
                read = bytearray()
                while data := await reader.read(50_000):
                    read += data
                    await asyncio.sleep(1)
                return bytes(read[::20_000])

        assert run(main()) == bytes(range(200))

    @pytest.mark.parametrize("leave", ["close", "abort"])
    def test_a_reader_that_leaves_does_not_keep_the_writer_waiting(self, leave: str) -> None:
        async def main() -> float:
            async with connected() as ((_, writer), (_, other)):
                asyncio.get_running_loop().call_later(2, getattr(other.transport, leave))
                try:
                    async with asyncio.timeout(60):
                        for _ in range(40):
                            writer.write(bytes(1 << 16))
                            await asyncio.sleep(0)
                            await writer.drain()
                except ConnectionError:
                    pass
                return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(2)


class TestListener:
    def test_serves_every_connection_with_its_own_task(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())

        async def main() -> list[bytes]:
            listener = MemoryListener(echo)
            clients: list[Streams] = [await listener.connect() for _ in range(3)]
            for number, (_, writer) in enumerate(clients):
                writer.write(f"{number}\n".encode())
            answers = [await reader.read() for reader, _ in reversed(clients)]
            for _, writer in clients:
                writer.close()
            await listener.close()
            return answers

        assert run(main()) == [b"2\n", b"1\n", b"0\n"]

    def test_closes_a_connection_whose_handler_ends(self) -> None:
        async def bye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert not reader.at_eof()
            writer.write(b"bye")

        async def main() -> bytes:
            reader, writer = await MemoryListener(bye).connect()
            heard = await reader.read()
            writer.close()
            return heard

        assert run(main()) == b"bye"

    def test_ends_what_is_still_served_when_it_closes(self) -> None:
        ended: list[str] = []

        async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            try:
                await reader.read()
            finally:
                ended.append("served")

        async def main() -> bytes:
            listener = MemoryListener(serve)
            reader, writer = await listener.connect()
            await asyncio.sleep(1)
            await listener.close()
            heard = await reader.read()
            writer.close()
            return heard

        assert run(main()) == b""
        assert ended == ["served"]
