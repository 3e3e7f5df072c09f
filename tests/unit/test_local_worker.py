"""The end of the pipe that is in the worker process, and a worker that is waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from reference_server.engines.local.worker import ANSWER, LENGTH, REFUSAL, Child, command, pack, unpack

PARROT = "tests.unit.local_services:Parrot"
PATIENCE_S = 60


class Talk:
    """Both pipes of a worker process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin: IO[bytes] = process.stdin
        self.stdout: IO[bytes] = process.stdout

    def ask(self, *message: object) -> Any:
        self.stdin.write(pack(message))
        self.stdin.flush()
        return unpack(self.stdout.read(*LENGTH.unpack(self.stdout.read(LENGTH.size))))


@contextlib.contextmanager
def started() -> Iterator[Talk]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            yield Talk(process)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def parrot() -> Iterator[Talk]:
    """Give a worker with a service, the same one for all tests that leave it well."""
    with started() as talk:
        assert talk.ask(PARROT, {"word": "hello"}) == (ANSWER, None)
        yield talk


class TestServing:
    def test_makes_the_service_with_its_arguments(self, parrot: Talk) -> None:
        assert parrot.ask("word", ()) == (ANSWER, "hello")

    def test_answers_one_call_after_another(self, parrot: Talk) -> None:
        for value in (None, b"\0\1", "olá", ("a", 1.5)):
            assert parrot.ask("echo", (value,)) == (ANSWER, value)

    def test_takes_and_gives_long_messages(self, parrot: Talk) -> None:
        pcm = bytes(range(256)) * 8192
        assert parrot.ask("echo", (pcm,)) == (ANSWER, pcm)

    def test_an_error_is_a_refusal_with_its_sentence(self, parrot: Talk) -> None:
        assert parrot.ask("refuse", ("no such language",)) == (REFUSAL, "no such language")
        assert parrot.ask("refuse", ("",)) == (REFUSAL, "ValueError")

    def test_so_is_a_method_that_there_is_not(self, parrot: Talk) -> None:
        kind, sentence = parrot.ask("sing", ())
        assert kind == REFUSAL
        assert "sing" in sentence

    def test_so_is_an_answer_that_cannot_be_sent(self, parrot: Talk) -> None:
        kind, sentence = parrot.ask("opaque", ())
        assert kind == REFUSAL
        assert "lambda" in sentence
        assert parrot.ask("echo", (1,)) == (ANSWER, 1)

    def test_what_is_printed_is_no_answer(self, parrot: Talk) -> None:
        assert parrot.ask("chatter", ("noise\n",)) == (ANSWER, "noise\n")
        assert parrot.ask("echo", (1,)) == (ANSWER, 1)

    def test_the_service_reads_none_of_the_requests(self, parrot: Talk) -> None:
        assert parrot.ask("read_all", ()) == (ANSWER, b"")

    def test_an_interrupt_of_the_terminal_is_not_meant_for_it(self, parrot: Talk) -> None:
        os.kill(parrot.process.pid, signal.SIGINT)
        assert parrot.ask("pid", ()) == (ANSWER, parrot.process.pid)


class TestBeginning:
    @pytest.mark.parametrize(
        ("service", "arguments", "says"),
        [
            ("tests.unit.local_services:Fussy", {"model": "none.bin"}, "the model file none.bin is gone; put it back"),
            ("tests.unit.no_such_module:Service", {}, "No module named 'tests.unit.no_such_module'"),
            ("tests.unit.local_services:Nobody", {}, "has no attribute 'Nobody'"),
            (PARROT, {"colour": "green"}, "unexpected keyword argument 'colour'"),
        ],
    )
    def test_a_service_that_cannot_be_made_is_refused(
        self, service: str, arguments: dict[str, object], says: str
    ) -> None:
        with started() as talk:
            kind, sentence = talk.ask(service, arguments)
        assert kind == REFUSAL
        assert says in sentence

    def test_no_module_is_looked_for_in_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "pickle.py").write_text("raise SystemExit('not ours')", "utf-8")
        monkeypatch.chdir(tmp_path)
        with started() as talk:
            assert talk.ask(PARROT, {}) == (ANSWER, None)


class TestEnding:
    @pytest.mark.parametrize("rest", [b"", b"\1", pack(("word", ()))[:-1]], ids=["between", "length", "message"])
    def test_it_ends_with_its_input(self, rest: bytes) -> None:
        with started() as talk:
            talk.ask(PARROT, {})
            talk.stdin.write(rest)
            talk.stdin.close()
            assert talk.process.wait(PATIENCE_S) == 0
            assert talk.stdout.read() == b""


class TestChild:
    def test_answers_and_refuses(self) -> None:
        child = Child(PARROT, {"word": "hello"})
        assert child.call("word") == "hello"
        with pytest.raises(RuntimeError, match=r"^no such voice$"):
            child.call("refuse", "no such voice")
        assert child.call("echo", "again") == "again"
        child.close()

    def test_a_service_that_cannot_be_made_is_an_error(self) -> None:
        with pytest.raises(RuntimeError, match="put it back"):
            Child("tests.unit.local_services:Fussy", {"model": "none.bin"})

    @pytest.mark.parametrize(("call", "value"), [("kill", signal.SIGKILL), ("leave", 1)])
    def test_its_death_is_told_to_every_caller(self, call: str, value: int) -> None:
        child = Child(PARROT, {})
        for _ in range(3):
            with pytest.raises(OSError, match=r"ended|pipe"):
                child.call(call, value)
        child.close()
