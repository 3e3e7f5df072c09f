"""The place between the wire and a session where what passes can be watched, or broken on purpose."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.wire import Abort, Fragment, HttpRequest, HttpResponse, Outbound, PeerClosed


class Tap:
    """Sees everything of one TCP connection, in order, and passes it on; a subclass may change it.

    An instance serves one connection, which carries any number of plain HTTP exchanges and at most one session.
    Times are those of the event loop, in seconds.
    """

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        """Return what is answered in place of `request`."""
        return request

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        """Return what is sent in place of `response`; 101 opens the session, any other status does not."""
        return response

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed | Abort]:
        """Return what the session receives in place of `event`; an abort ends the connection."""
        return (event,)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        """Return what is sent in place of a message, close or abort of the session."""
        return (event,)

    def written(self, data: bytes, time: float) -> bytes:
        """Return the bytes that are written in place of `data`: whole frames of the open session, pongs included."""
        return data

    def finished(self, time: float) -> None:
        """See that the connection is over; nothing comes after this."""
