"""The doctor: layer by layer up to the first that does not work, with advice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from conformance.cases.context import Blocked, Context
from conformance.cases.control import CONTROL, Step
from conformance.cases.target import Target
from conformance.cases.translator import control as translator
from conformance.feeds.doctor import Diagnosis, diagnose, look_again
from conformance.judge.verdict import Verdict
from conformance.peers.address import Address, DialError
from conformance.peers.budget import HANDSHAKE, Budget
from conformance.peers.link import Link
from conformance.peers.virtual import run
from protocol.wire import HttpResponse

if TYPE_CHECKING:
    from tests.unit.conftest import HttpServer

Targets = Callable[..., Target]
Servers = type["HttpServer"]
CONNECTED = Step("connection", True, "server.test:80 answers HTTP")
ACCEPTED = Step("upgrade", True, "the upgrade with good credentials is accepted (101)")
SPOKE = Step("final", True, "speech gives a final")
REQUIREMENT = translator.REQUIREMENT


@dataclass
class Control:
    """A dialect played by the test: its upgrade is a real one, its conversation are these steps."""

    steps: tuple[Step | Exception, ...] = (SPOKE,)
    REQUIREMENT: str = REQUIREMENT
    error: Blocked | None = None
    contexts: list[Context] = field(default_factory=list)

    async def upgrade(self, context: Context) -> Link | HttpResponse:
        self.contexts.append(context)
        if self.error is not None:
            raise self.error
        return await context.dial("/speech/translate", ())

    async def converse(self, context: Context, link: Link) -> AsyncIterator[Step]:
        assert context.links == [link]
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step


def blocked(error: Exception | None, reason: str = "no luck") -> Blocked:
    found = Blocked(reason)
    found.__cause__ = error
    return found


def examine(target: Target, control: Control | None = None, budget: Budget | None = None) -> Diagnosis:
    return run(diagnose(target, "translator", control or Control(), budget or Budget()))


class TestWell:
    def test_every_layer_works(self, target_of: Targets, http_server: Servers) -> None:
        found = examine(target_of(http_server(101)))
        assert found.steps == [CONNECTED, ACCEPTED, SPOKE]
        assert found.usable
        assert found.trouble is None

    def test_leaves_a_transcript_of_the_control(self, target_of: Targets, http_server: Servers) -> None:
        control = Control()
        found = examine(target_of(http_server(101)), control)
        (transcript,) = found.transcripts
        assert (transcript.case, transcript.dialect) == (CONTROL, "translator")
        assert control.contexts[0].links[0].closed is not None

    def test_tells_of_each_step_as_it_is_taken(self, target_of: Targets, http_server: Servers) -> None:
        told: list[Step] = []
        run(diagnose(target_of(http_server(101)), "translator", Control(), Budget(), told.append))
        assert told == [CONNECTED, ACCEPTED, SPOKE]

    def test_measures_the_handshake(self, target_of: Targets, http_server: Servers) -> None:
        budget = Budget()

        async def later() -> None:
            await asyncio.sleep(100)
            await diagnose(target_of(http_server(101)), "translator", Control(), budget)

        run(later())
        assert budget.wait(HANDSHAKE) == 2.0

    def test_goes_by_the_seed(self, target_of: Targets, http_server: Servers) -> None:
        guids = []
        for seed in (1, 1, 2):
            control = Control()
            run(diagnose(target_of(http_server(101)), "translator", control, Budget(), seed=seed))
            guids.append(control.contexts[0].guid())
        assert guids[0] == guids[1] != guids[2]


class TestRefused:
    @pytest.mark.parametrize(
        ("status", "advice"),
        [
            (400, "try other --from and --to"),
            (401, "give --key or --token"),
            (403, "give --key or --token"),
            (404, "give the full URL"),
            (429, "--connections 1"),
            (503, "try again"),
            (200, "has to answer an upgrade with 101"),
        ],
    )
    def test_by_a_status_with_advice_for_it(
        self, target_of: Targets, http_server: Servers, status: int, advice: str
    ) -> None:
        found = examine(target_of(http_server(status, body=b"Who\r\n are  you?")))
        trouble = found.trouble
        assert trouble is not None
        assert found.steps == [CONNECTED, trouble]
        assert not found.usable
        assert trouble.says == f"the upgrade with good credentials was refused with status {status}: Who are you?"
        assert advice in trouble.advice
        assert (trouble.layer, trouble.requirement, trouble.verdict) == ("upgrade", None, None)

    def test_without_a_word(self, target_of: Targets, http_server: Servers) -> None:
        trouble = examine(target_of(http_server(418, body=b""))).trouble
        assert trouble is not None
        assert trouble.says.endswith("status 418")

    def test_with_too_many_words(self, target_of: Targets, http_server: Servers) -> None:
        trouble = examine(target_of(http_server(500, body=b"\xff" + b"x" * 999))).trouble
        assert trouble is not None
        assert trouble.says.endswith("status 500: \ufffd" + "x" * 199)


class TestUnreachable:
    @pytest.mark.parametrize(
        ("layer", "advice"),
        [
            ("name", "Check the host name in the URL."),
            ("tcp", "Is the server running, and is this its port?"),
            ("tls", "Give the server's CA with --ca FILE, or use ws:// if it does not speak TLS."),
            ("http", "Is this port the WebSocket server's? Is it ws:// where it should be wss://?"),
        ],
    )
    def test_in_a_layer_is_the_networks_matter(self, target_of: Targets, layer: str, advice: str) -> None:
        found = examine(target_of(), Control(error=blocked(DialError(layer, "no luck"))))
        assert found.steps == [Step(layer, False, "no luck", advice)]
        assert not found.usable

    def test_at_all(self, target_of: Targets) -> None:
        trouble = examine(target_of()).trouble
        assert trouble is not None
        assert trouble.layer == "tcp"
        assert "server.test:80" in trouble.says

    def test_because_it_hangs_is_the_servers_fault(self, target_of: Targets) -> None:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read(-1)

        found = examine(target_of(silent))
        trouble = found.trouble
        assert trouble is not None
        assert trouble.says.startswith("no HTTP response within 5.0 s")
        assert (trouble.layer, trouble.requirement, trouble.verdict) == ("http", REQUIREMENT, Verdict.VIOLATION)
        assert len(found.transcripts) == 1

    def test_for_a_reason_of_the_control(self, target_of: Targets, http_server: Servers) -> None:
        found = examine(target_of(http_server(101)), Control(steps=(SPOKE, Blocked("no more"))))
        assert found.steps[:3] == [CONNECTED, ACCEPTED, SPOKE]
        assert found.trouble is not None
        assert (found.trouble.layer, found.trouble.says, found.trouble.verdict) == ("http", "no more", None)
        assert found.usable


class TestTrouble:
    def test_is_the_first_step_that_does_not_work(self, target_of: Targets, http_server: Servers) -> None:
        broken = replace(SPOKE, works=False, requirement="translator.final.always", verdict=Verdict.VIOLATION)
        found = examine(target_of(http_server(101)), Control(steps=(SPOKE, broken)))
        assert found.trouble == broken
        assert found.usable

    def test_of_nothing_is_none(self) -> None:
        assert Diagnosis().trouble is None
        assert not Diagnosis().usable


class TestAddress:
    def test_is_named_as_the_user_gave_it(self, target_of: Targets, http_server: Servers) -> None:
        target = target_of(http_server(101))
        other = Address("::1", 9000, False, target.address.connect)
        assert examine(replace(target, address=other)).steps[0].says == "[::1]:9000 answers HTTP"


class TestLookAgain:
    """Behind a run in which something could not be run."""

    LOST = "the server was lost during the run: "

    @staticmethod
    def look(target: Target) -> Step | None:
        return run(look_again(target, "translator", Control(), Budget()))

    def test_a_server_that_is_still_there_is_no_news(self, target_of: Targets, http_server: Servers) -> None:
        assert self.look(target_of(http_server(101))) is None

    def test_one_that_is_gone_was_lost(self, target_of: Targets) -> None:
        step = self.look(target_of())
        assert step is not None
        assert step.says.startswith(f"{self.LOST}no connection to server.test:80")
        assert (step.layer, step.works, step.verdict) == ("tcp", False, None)
        assert step.advice == "Look for the reason in the server's own output."

    def test_one_that_refuses_now_was_lost(self, target_of: Targets, http_server: Servers) -> None:
        step = self.look(target_of(http_server(500, body=b"oops")))
        assert step is not None
        assert step.says == f"{self.LOST}the upgrade with good credentials was refused with status 500: oops"

    def test_one_that_hangs_now_is_at_fault(self, target_of: Targets) -> None:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read(-1)

        step = self.look(target_of(silent))
        assert step is not None
        assert (step.requirement, step.verdict) == (REQUIREMENT, Verdict.VIOLATION)
