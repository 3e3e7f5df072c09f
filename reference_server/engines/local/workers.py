"""Processes that work for the server: as many as a part may have, each with one thing to do at a time.

A process that dies costs whoever was waiting for it, and nobody else: the next call starts another one. Whoever comes
while all are busy waits in a line of bounded length.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping
from typing import Any

from reference_server.engines.local.parts import Part, Unavailable
from reference_server.engines.local.worker import LENGTH, REFUSAL, command, pack, unpack

_logger = logging.getLogger("speechwire.server")
_STOP_S = 2.0
_TOLD = 300  # characters of what a dying process has said


class WorkerFailure(Exception):
    """Why a call has no answer: one sentence, which begins with the part's name."""


class Refused(WorkerFailure):
    """The service said no to this call, or cannot start; its process is well."""


class Died(WorkerFailure):
    """The process ended, or was ended because it did not answer in time."""


class Overloaded(WorkerFailure):
    """Too many are waiting already."""


class Worker:
    """One process. `start` one; `ask` it one thing at a time."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, answer_s: float) -> None:
        self.pid = process.pid
        self._name = name
        self._process = process
        self._answer_s = answer_s
        self._said = b""
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    @classmethod
    async def start(cls, part: Part, start_s: float, answer_s: float) -> Worker:
        """Start a process and have it load its service. Raises Unavailable with the service's own sentence."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command(), stdin=pipe, stdout=pipe, stderr=pipe, process_group=0
            )
        except OSError as error:
            raise Unavailable(f"{part.name}: its process cannot be started ({error.strerror})") from error
        worker = cls(part.name, process, start_s)
        try:
            await worker.ask(part.service, dict(part.arguments))
        except WorkerFailure as failure:
            await worker.stop()
            raise Unavailable(str(failure)) from None
        except BaseException:
            await worker.stop()
            raise
        worker._answer_s = answer_s
        return worker

    @property
    def alive(self) -> bool:
        """Whether it can be asked. The process itself is looked at: the loop learns of its end only later."""
        try:
            ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return ended is None and self._process.returncode is None

    async def ask(self, name: str, arguments: tuple[object, ...] | Mapping[str, object]) -> Any:
        """Return the answer to a call. Raises Refused or Died."""
        try:
            async with asyncio.timeout(self._answer_s):
                kind, value = await self._exchange((name, arguments))
        except TimeoutError:
            await self.stop()
            raise Died(f"{self._name}: expected an answer within {self._answer_s:g} s, got none") from None
        except (OSError, asyncio.IncompleteReadError):
            raise Died(await self._end()) from None
        if kind == REFUSAL:
            raise Refused(f"{self._name}: {value}")
        return value

    async def stop(self) -> None:
        """End the process, and what it has started, whatever they are doing."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        # What a process that died by itself has started may still hold the pipe.
        await asyncio.wait([self._listening], timeout=_STOP_S)

    @property
    def _out(self) -> asyncio.StreamReader:
        if self._process.stdout is None:
            raise RuntimeError("a worker is started with pipes")
        return self._process.stdout

    async def _exchange(self, message: object) -> Any:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("a worker is started with pipes")
        stdin.write(pack(message))
        await stdin.drain()
        head = await self._out.readexactly(LENGTH.size)
        return unpack(await self._out.readexactly(LENGTH.unpack(head)[0]))

    async def _end(self) -> str:
        """Return how the process ended."""
        await self.stop()
        code = self._process.returncode or 0
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        said = self._said.decode(errors="replace").strip().splitlines()
        _logger.warning("%s: a process ended (%s)%s", self._name, how, f": {said[-1][:_TOLD]}" if said else "")
        return f"{self._name}: its process ended ({how})"

    async def _listen(self) -> None:
        """Keep the last of what the process says to standard error; it is told when it dies."""
        stderr = self._process.stderr
        while stderr is not None and (said := await stderr.read(4096)):
            self._said = (self._said + said)[-4096:]


class Lease:
    """A worker that is one caller's own until `close`."""

    def __init__(self, pool: Pool, worker: Worker) -> None:
        self._pool = pool
        self._worker = worker
        self._asking: asyncio.Task[Any] | None = None
        self._closed = False

    @property
    def pid(self) -> int:
        """Which process it is."""
        return self._worker.pid

    async def call(self, name: str, *arguments: object) -> Any:
        """Return the answer to a call. Raises Refused or Died.

        Who stops waiting does not stop the work: the worker is given back when it is done.
        """
        self._asking = asyncio.get_running_loop().create_task(self._worker.ask(name, arguments))
        self._asking.add_done_callback(_noticed)
        return await asyncio.shield(self._asking)

    def close(self) -> None:
        """Give the worker back."""
        if self._closed:
            return
        self._closed = True
        if self._asking is None or self._asking.done():
            self._pool.give_back(self._worker)
        else:
            self._asking.add_done_callback(lambda _: self._pool.give_back(self._worker))


def _noticed(asking: asyncio.Task[Any]) -> None:
    if not asking.cancelled():
        asking.exception()  # maybe nobody waits for it any more


class Pool:
    """The processes of one part.

    Args:
        part: Whose service they run.
        waiting: How many callers may wait while all are busy.
        start_s: Time for a process to load its models.
        answer_s: Time for an answer; a process that takes longer is ended.
    """

    def __init__(self, part: Part, waiting: int = 16, start_s: float = 60.0, answer_s: float = 30.0) -> None:
        self.part = part
        self._most_waiting = waiting
        self._start_s = start_s
        self._answer_s = answer_s
        self._slots = asyncio.Semaphore(part.processes)
        self._taken = 0
        self._waiting = 0
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._stopped = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that are there."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def spare(self) -> int:
        """How many more calls would be answered without waiting."""
        return max(0, self.part.processes - self._taken - self._waiting)

    @property
    def has_line(self) -> bool:
        """Whether somebody waits for a process."""
        return self._waiting > 0

    async def start(self) -> None:
        """Start the first process. Raises Unavailable when it cannot load what it needs."""
        self._idle.append(await self._started())

    async def stop(self) -> None:
        """End all processes, for good; who waits for one learns that it died."""
        self._stopped = True
        await asyncio.gather(*(worker.stop() for worker in tuple(self._workers)))
        self._workers.clear()
        self._idle.clear()

    async def call(self, name: str, *arguments: object) -> Any:
        """Have the next free process answer. Raises WorkerFailure."""
        lease = await self.lease()
        try:
            return await lease.call(name, *arguments)
        finally:
            lease.close()

    async def lease(self) -> Lease:
        """Return the next free process for the caller alone. Raises WorkerFailure."""
        if self._slots.locked() and self._waiting >= self._most_waiting:
            raise Overloaded(f"{self.part.name}: too busy; {self._waiting} are waiting already")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        self._taken += 1
        try:
            return Lease(self, await self._free())
        except Unavailable as error:
            self._leave()
            raise Refused(str(error)) from None
        except BaseException:
            self._leave()
            raise

    def give_back(self, worker: Worker) -> None:
        """Take a leased worker back; a dead one is forgotten."""
        if worker.alive:
            self._idle.append(worker)
        else:
            self._workers.discard(worker)
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._slots.release()

    async def _free(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._workers.discard(worker)
            await worker.stop()
        return await self._started()

    async def _started(self) -> Worker:
        if not self._stopped:
            worker = await Worker.start(self.part, self._start_s, self._answer_s)
            if not self._stopped:
                self._workers.add(worker)
                return worker
            await worker.stop()
        raise Died(f"{self.part.name}: its processes were ended")
