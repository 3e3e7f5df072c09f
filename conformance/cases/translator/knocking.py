"""Knocking: one upgrade request, and what it came to."""

from __future__ import annotations

from conformance.cases.context import Blocked, Context
from conformance.cases.replies import Reply, answered, opened, unanswered
from conformance.cases.translator.dialogue import CHUNK_MS, STREAM, upgrade
from protocol.riff import build_header
from protocol.wire import Headers, HttpResponse


async def knock(
    context: Context, target: str, headers: Headers | None = None, *, deliberate: str | None = None
) -> Reply:
    """Ask for a session, with the good credentials or with exactly these headers; one that opens is ended at once.

    It gets a header and 100 ms of silence first, so that a server which objects only then can do so.

    Raises:
        Blocked: There is no connection at all, or the server says that it is busy.
    """
    try:
        link = await upgrade(context, target, headers, deliberate=deliberate)
    except Blocked as blocked:
        return unanswered(blocked)
    if isinstance(link, HttpResponse):
        return answered(link)
    await link.binary(build_header(STREAM))
    await link.binary(bytes(STREAM.ms_to_bytes(CHUNK_MS)))
    return opened(await link.close())


async def control(context: Context, target: str, headers: Headers | None = None) -> None:
    """Make sure that the request without the fault opens a session.

    Raises:
        Blocked: It does not; then nothing follows from the answers to the faults.
    """
    (await knock(context, target, headers)).need_accepted()
