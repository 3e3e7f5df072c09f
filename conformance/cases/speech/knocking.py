"""Knocking: one upgrade request, and what it came to."""

from __future__ import annotations

from conformance.cases.context import Blocked, Context
from conformance.cases.replies import Reply, answered, opened, unanswered
from conformance.cases.speech.asking import Ask, speech_target, usual
from conformance.cases.speech.dialogue import Session, new_id, upgrade
from protocol.speech.handshake import CONNECTION_ID
from protocol.wire import Headers, HttpResponse


async def knock(
    context: Context,
    target: str | None = None,
    headers: Headers | None = None,
    *,
    ask: Ask | None = None,
    deliberate: str | None = None,
) -> Reply:
    """Ask for a connection, with the good credentials or with exactly these headers; one that opens is ended at once.

    It is configured and gets a context first, so that a server which objects only then can do so.

    Raises:
        Blocked: There is no connection at all, or the server says that it is busy.
    """
    ask = usual(context) if ask is None else ask
    target = speech_target(context, ask) if target is None else target
    try:
        link = await upgrade(context, target, headers, deliberate=deliberate)
    except Blocked as blocked:
        return unanswered(blocked)
    if isinstance(link, HttpResponse):
        return answered(link)
    session = Session(context, link, ask)
    await session.config()
    await session.begin(header=False)
    return opened(await link.close())


async def control(context: Context) -> None:
    """Make sure that the request without the fault opens a connection.

    Raises:
        Blocked: It does not; then nothing follows from the answers to the faults.
    """
    (await knock(context)).need_accepted()


def identified(context: Context, *further: tuple[str, str]) -> Headers:
    """Return the headers of a good upgrade, the credential left out, and further ones."""
    return ((CONNECTION_ID, new_id(context)), *further)
