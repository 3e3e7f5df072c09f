"""Phase 0 of every check: is there a server at all, layer by layer, and does one good conversation work?

This is the positive control of the whole run. It also measures the budget that all later waits derive from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from conformance.cases.context import Blocked, Busy, Context
from conformance.cases.control import CONTROL, Control, Step
from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.judge.verdict import Verdict
from conformance.peers.address import DialError
from conformance.peers.budget import HANDSHAKE, Budget
from conformance.peers.link import Link
from conformance.transcript import Transcript
from protocol.wire import HttpResponse, Party


@dataclass
class Diagnosis:
    """The steps up to the first that does not work. `usable` says whether cases make sense.

    Attributes:
        steps: What was tried.
        transcripts: Of the connections of the good conversation.
        budget: What the run may spend, as it was measured.
    """

    steps: list[Step] = field(default_factory=list)
    transcripts: list[Transcript] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)

    @property
    def usable(self) -> bool:
        """Whether the upgrade was accepted; without it there is nothing to check."""
        return any(step.layer == "upgrade" and step.works for step in self.steps)

    @property
    def trouble(self) -> Step | None:
        """The step that does not work, if any."""
        return next((step for step in self.steps if not step.works), None)

    @property
    def others(self) -> tuple[str, ...] | None:
        """The languages that the server translates into beside the user's, if it was asked."""
        return next((step.others for step in self.steps if step.others is not None), None)


_ADVICE = {
    "name": "Check the host name in the URL.",
    "tcp": "Is the server running, and is this its port?",
    "tls": "Give the server's CA with --ca FILE, or use ws:// if it does not speak TLS.",
    "http": "Is this port the WebSocket server's? Is it ws:// where it should be wss://?",
}
_STATUS_ADVICE = {
    400: "The server does not like the parameters: try other --from and --to.",
    401: "The server does not know this credential: give --key or --token.",
    403: "The server does not accept this credential: give --key or --token.",
    404: "There is nothing at this path: give the full URL, path included.",
    429: "The server is busy: try --connections 1.",
    503: "The server is busy or not ready: try again, or --connections 1.",
}


async def diagnose(
    target: Target,
    dialect: str,
    control: Control,
    budget: Budget,
    told: Callable[[Step], None] = lambda _: None,
    seed: int = 0,
) -> Diagnosis:
    """Try layer by layer: name and TCP, TLS, HTTP, the upgrade, one conversation. `told` hears of each step."""
    found = Diagnosis(budget=budget)
    case = Case(CONTROL, dialect, Party.SERVER, (), (), 1, "fast", "One good conversation.", _nothing)
    context = Context(case, target, budget, seed)

    def add(step: Step) -> None:
        found.steps.append(step)
        told(step)

    begun = Link.now()
    try:
        opened = await control.upgrade(context)
        budget.measured(HANDSHAKE, Link.now() - begun)
        add(Step("connection", True, f"{target.address} answers HTTP"))
        if isinstance(opened, HttpResponse):
            add(_refused(opened))
        else:
            add(Step("upgrade", True, "the upgrade with good credentials is accepted (101)"))
            async for step in control.converse(context, opened):
                add(step)
    except Busy as busy:
        add(Step("connection", True, f"{target.address} answers HTTP"))
        add(_refused(busy.response))
    except Blocked as blocked:
        add(_unreachable(blocked, control))
    finally:
        await context.leave()
        found.transcripts += context.transcripts
    return found


async def look_again(target: Target, dialect: str, control: Control, budget: Budget, seed: int = 0) -> Step | None:
    """Find out, behind a run in which something could not be run, whether the server is still there; None if it is."""
    case = Case(CONTROL, dialect, Party.SERVER, (), (), 1, "fast", "One more good upgrade.", _nothing)
    context = Context(case, target, budget, seed)
    try:
        opened = await control.upgrade(context)
    except Busy as busy:
        step = _refused(busy.response)
    except Blocked as blocked:
        step = _unreachable(blocked, control)
    else:
        if not isinstance(opened, HttpResponse):
            return None
        step = _refused(opened)
    finally:
        await context.leave()
    says = f"the server was lost during the run: {step.says}"
    return replace(step, says=says, advice="Look for the reason in the server's own output.")


async def _nothing(_: object) -> None:
    """The control is not run as a case: its steps are the doctor's."""


def _unreachable(blocked: Blocked, control: Control) -> Step:
    """A server that takes the connection and then says nothing hangs, and that is its fault, not the network's."""
    error = blocked.__cause__
    layer = error.layer if isinstance(error, DialError) else "http"
    hangs = isinstance(error, DialError) and error.hangs
    return Step(
        layer,
        False,
        str(blocked),
        _ADVICE[layer],
        control.REQUIREMENT if hangs else None,
        Verdict.VIOLATION if hangs else None,
    )


def _refused(response: HttpResponse) -> Step:
    body = " ".join(response.body[:200].decode(errors="replace").split())
    says = f"the upgrade with good credentials was refused with status {response.status}{f': {body}' if body else ''}"
    advice = _STATUS_ADVICE.get(response.status, "The server has to answer an upgrade with 101.")
    return Step("upgrade", False, says, advice)
