"""What one HTTP request came to, and what that says of a requirement.

A refusal proves something only beside its positive control: the same request with the one fault repaired has to be
accepted in the same case, else the case is blocked.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.judge.verdict import Verdict, departure
from conformance.peers.address import DialError
from conformance.peers.link import Answer
from protocol.wire import Headers, HttpRequest, HttpResponse, PeerClosed

_ABSENT = (404, 405, 426, 501)  # no such path, no such method, WebSocket only, no such thing
_OBJECTS_FROM = 1002  # close codes from here on say that something is wrong; ours is 1000, and so is its echo
_NO_CODE = (1005, 1006)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request came to.

    Attributes:
        status: HTTP status; None where no HTTP response came.
        says: The same for a person, and what happened afterwards.
        hangs: The server took the connection and then said nothing.
        thrown_out: The upgrade was accepted, and then the server closed with a code that objects to something.
        response: The response, where it is not an accepted upgrade.
    """

    status: int | None
    says: str
    hangs: bool = False
    thrown_out: bool = False
    response: HttpResponse | None = None

    @property
    def accepted(self) -> bool:
        """Whether a session was opened that the server went along with."""
        return self.status == 101 and not self.thrown_out

    def need_accepted(self) -> None:
        """Raise Blocked unless it was accepted: it is the request without the fault."""
        if not self.accepted:
            raise Blocked(f"the request without the fault opens no session: {self.says}")


async def ask(
    context: Context,
    target: str,
    headers: Headers = (),
    *,
    method: str = "GET",
    body: bytes = b"",
    deliberate: str | None = None,
) -> Reply:
    """Make a plain HTTP request without credentials of its own; errors as for `answered` and `unanswered`."""
    try:
        response = await context.fetch(HttpRequest(method, target, headers, body), deliberate=deliberate)
    except Blocked as blocked:
        return unanswered(blocked)
    return answered(response)


def resource(option: str, reply: Reply) -> Reply:
    """Return the reply of a plain HTTP resource that a server may be without (`option` of `--without`).

    Raises:
        NotOffered: The reply says that it is not there.
        Blocked: The connection ended without a response: perhaps this is a server for WebSocket alone.
    """
    if reply.status in _ABSENT:
        raise NotOffered(f"there is no {option} service: {reply.says}")
    if reply.status is None and not reply.hangs:
        raise Blocked(f"{reply.says} (if there is no {option} service here, say so: --without {option})")
    return reply


def judge_accepted(context: Context, requirement: str, reply: Reply, what: str) -> None:
    """Say whether an upgrade request was accepted, as it has to be. A server that hangs is a violation."""
    verdict = Verdict.VIOLATION if reply.hangs else None
    context.check(requirement, reply.accepted, f"status 101 for {what}", reply.says, verdict)


def judge_refused(
    context: Context,
    requirement: str,
    reply: Reply,
    what: str,
    status: int | tuple[int, ...] = 400,
    milder: Container[int] = (),
) -> None:
    """Say whether a request was refused with the status, or one of those, that it should have.

    Statuses in `milder` are tolerated.
    """
    verdict = None
    right = status if isinstance(status, tuple) else (status,)
    if reply.hangs:
        verdict = Verdict.VIOLATION
    elif reply.status in milder:
        verdict = departure(context.row(requirement), tolerated=True)
    expected = f"status {' or '.join(map(str, right))} for {what}"
    context.check(requirement, reply.status in right, expected, reply.says, verdict)


def unanswered(blocked: Blocked) -> Reply:
    """Return the reply of a server that does not answer.

    Raises Blocked for anything below HTTP, which is not about the request.
    """
    error = blocked.__cause__
    if not isinstance(error, DialError) or error.layer != "http":
        raise blocked
    return Reply(None, error.reason, hangs=error.hangs)


def answered(response: HttpResponse) -> Reply:
    """Return the reply of a server that answers HTTP."""
    return Reply(response.status, f"status {response.status}", response=response)


def opened(ended: Answer | None) -> Reply:
    """Return the reply of a server that opened a session, given how its connection ended behind our close frame."""
    if isinstance(ended, PeerClosed) and ended.code >= _OBJECTS_FROM and ended.code not in _NO_CODE:
        return Reply(101, f"status 101, then close {ended.code} {ended.reason!r}", thrown_out=True)
    return Reply(101, "status 101")
