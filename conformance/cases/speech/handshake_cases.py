"""The upgrade itself: the connection id, and what clients offer and send besides (speech.handshake.*)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.replies import judge_accepted, judge_refused
from conformance.cases.speech.asking import speech_target
from conformance.cases.speech.dialogue import new_id
from conformance.cases.speech.knocking import control, knock
from protocol.speech.handshake import CONNECTION_ID
from protocol.wire import Headers

_WRONG: Final = "speech.client.connection-id"
_NO_UUID: Final = ("connection-1", "0123456789abcdef", "g" * 32)
_UNKNOWN: Final[Headers] = (
    ("connectionId", "00112233445566778899AABBCCDDEEFF"),
    ("User-agent", "SpeechSDK-Python/1.53.0 Linux"),
    ("Origin", "https://page.example"),
    ("X-Unheard-Of", "1"),
)


@case("handshake.accept", "handshake.accept")
async def accept(context: Context) -> None:
    """Ask for a connection with good credentials and a connection id."""
    judge_accepted(context, "handshake.accept", await knock(context), "a good upgrade request")


@case(
    "handshake.connection-id",
    "handshake.connection-id-required",
    "handshake.connection-id-form",
    "handshake.connection-id-query",
    "handshake.connection-id-case",
    "handshake.connection-id-reuse",
)
async def connection_id(context: Context) -> None:
    """Send the connection id in every good form and place, then none, an empty one, and ones that are no UUID."""
    await control(context)
    good = context.target.credentials
    plain, dashed = new_id(context), context.guid()

    for value in (plain.lower(), plain.upper(), dashed):
        reply = await knock(context, None, (*good, (CONNECTION_ID, value)))
        judge_accepted(context, "handshake.connection-id-case", reply, f"the connection id {value}")
    reply = await knock(context, None, (*good, (CONNECTION_ID, plain)))
    judge_accepted(context, "handshake.connection-id-reuse", reply, "a connection id for the second time")
    reply = await knock(context, speech_target(context, extra=((CONNECTION_ID, plain.upper()),)), good)
    judge_accepted(context, "handshake.connection-id-query", reply, "the connection id in the query")

    for headers, what in ((good, "no connection id"), ((*good, (CONNECTION_ID, "")), "an empty connection id")):
        reply = await knock(context, None, headers, deliberate=_WRONG)
        judge_refused(context, "handshake.connection-id-required", reply, what)
    for value in _NO_UUID:
        reply = await knock(context, None, (*good, (CONNECTION_ID, value)), deliberate=_WRONG)
        judge_refused(context, "handshake.connection-id-form", reply, f"the connection id {value}")


@case(
    "handshake.offers",
    "handshake.sub-protocol-absent",
    "handshake.sub-protocol-offered",
    "handshake.extra-headers",
    "handshake.compression-offer",
)
async def offers(context: Context) -> None:
    """Offer the sub-protocol as one client does, and none as another; compression; fields that nobody documents."""
    good = (*context.target.credentials, (CONNECTION_ID, new_id(context)))
    reply = await knock(context, None, good)
    judge_accepted(context, "handshake.sub-protocol-absent", reply, "no sub-protocol")
    reply = await knock(context, None, (*good, ("Sec-WebSocket-Protocol", "USP")))
    judge_accepted(context, "handshake.sub-protocol-offered", reply, "the sub-protocol USP")
    reply = await knock(context, None, (*good, *_UNKNOWN))
    judge_accepted(context, "handshake.extra-headers", reply, f"the fields {', '.join(name for name, _ in _UNKNOWN)}")
    compression = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
    reply = await knock(context, None, (*good, compression))
    judge_accepted(context, "handshake.compression-offer", reply, "an offer of permessage-deflate")
