"""What the server must be able to read: the forms in which real clients write messages (speech.read.*)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import pairwise
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import usual
from conformance.cases.speech.dialogue import Form, open_session, plain
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import Way, accepted, all_accepted, hung_up, one_turn, reference, served
from protocol.wire import Headers, Kind

Change = Callable[[Headers], Headers]

_EPOCH_MS: Final = "1795662864674"
_LONG: Final = "é" * 400  # the middle of a speech.context with this lies in one of them
_COLONS: Final = ("X-Note", "a:b:c")


def written(*changes: Change, blank: bool = False) -> Form:
    """Return the form with these changes to the headers, and with a blank behind each colon if that is asked for."""

    def form(kind: Kind, headers: Headers, body: bytes) -> bytes:
        changed = reduce(lambda so_far, change: change(so_far), changes, headers)
        if blank:
            changed = tuple((name, f" {value}") for name, value in changed)
        return plain(kind, changed, body)

    return form


def _reversed(headers: Headers) -> Headers:
    return headers[::-1]


def _timestamp_first(headers: Headers) -> Headers:
    return tuple(sorted(headers, key=lambda pair: pair[0] != "X-Timestamp"))


def _lower(headers: Headers) -> Headers:
    return tuple((name.lower(), value) for name, value in headers)


def _upper(headers: Headers) -> Headers:
    return tuple((name.upper(), value) for name, value in headers)


def _milliseconds(headers: Headers) -> Headers:
    return tuple((name, f"{value[:23]}Z" if name == "X-Timestamp" else value) for name, value in headers)


def _since_1970(headers: Headers) -> Headers:
    return tuple((name, _EPOCH_MS if name == "X-Timestamp" else value) for name, value in headers)


def _no_content_type(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0] != "Content-Type")


def _with(name: str, value: str, headers: Headers) -> Headers:
    return (*headers, (name, value))


def _on_stream(identity: str, headers: Headers) -> Headers:
    return (*headers, ("X-StreamId", identity)) if ("Path", "audio") in headers else headers


def _way(what: str, requirement: str, *changes: Change, blank: bool = False) -> Way:
    return Way(what, (requirement,), partial(one_turn, form=written(*changes, blank=blank)))


_WAYS: Final = (
    _way("headers in reverse order", "read.header-order", _reversed),
    _way("headers that begin with X-Timestamp", "read.header-order", _timestamp_first),
    _way("header names in lower case", "read.header-case", _lower),
    _way("header names in upper case", "read.header-case", _upper),
    _way("a blank behind each colon", "read.space-after-colon", blank=True),
    Way(
        "header values with colons in them",
        ("read.first-colon",),
        partial(one_turn, form=written(partial(_with, *_COLONS))),
        partial(one_turn, form=written(partial(_with, "X-Note", "abc"), _since_1970)),
    ),
    _way("an X-Timestamp with three digits of a second", "read.timestamp-digits", _milliseconds),
    _way("messages without Content-Type", "read.content-type-absent", _no_content_type),
    _way("audio with X-StreamId 1", "read.stream-id", partial(_on_stream, "1")),
    _way("audio with X-StreamId left", "read.stream-id", partial(_on_stream, "left")),
    _way("a header that nobody knows", "read.unknown-header", partial(_with, "X-Unheard-Of", "1")),
)
_TOGETHER: Final = (
    written(
        _milliseconds,
        _no_content_type,
        partial(_on_stream, "1"),
        partial(_with, *_COLONS),
        partial(_with, "X-Unheard-Of", "1"),
        _reversed,
        _lower,
        blank=True,
    ),
    written(_milliseconds, partial(_on_stream, "left"), _timestamp_first, _upper),
)


@case(
    "read.forms",
    "read.header-order",
    "read.header-case",
    "read.space-after-colon",
    "read.first-colon",
    "read.timestamp-digits",
    "read.content-type-absent",
    "read.stream-id",
    "read.unknown-header",
)
async def forms(context: Context) -> None:
    """Write messages as real clients do: names, order, blanks, times, with and without what may be left out."""

    async def together(context: Context) -> Turn:
        first = await one_turn(context, form=_TOGETHER[0])
        return await one_turn(context, form=_TOGETHER[1]) if served(first) else first

    await all_accepted(context, together, _WAYS)


@case("read.timestamp-free", "read.timestamp-free")
async def timestamp_free(context: Context) -> None:
    """Count milliseconds since 1970 in X-Timestamp."""
    await accepted(context, _way("an X-Timestamp of milliseconds", "read.timestamp-free", _since_1970))


def _cut(data: bytes) -> Sequence[bytes]:
    """Cut a message within its size or first name, twice in its middle, and before its last byte; the last is empty."""
    middle, end = len(data) // 2, len(data)
    borders = sorted({0, min(1, end), middle, min(middle + 1, end), max(0, end - 1), end})
    return [*(data[start:end] for start, end in pairwise(borders)), b""]


@case("read.fragments", "read.fragmented-message")
async def fragments(context: Context) -> None:
    """Cut every message into frames: within the size prefix, a header, a character, and behind the end."""
    odd = usual(context, members={"speechwire": _LONG})
    way = Way("messages in several frames", ("read.fragmented-message",), partial(one_turn, ask=odd, frames=_cut))
    await accepted(context, way)


@case("read.ping", "read.ping")
async def ping(context: Context) -> None:
    """Send pings before a turn, within one, and behind it."""
    session = await open_session(context)
    pongs = [await session.link.ping(b"before")]
    turn = await session.begin()
    await turn.say()
    pongs.append(await session.link.ping(b""))
    await turn.finished()
    pongs.append(await session.link.ping(b"behind"))
    await hung_up(turn)
    if not all(pongs) and not served(turn) and not served(await reference(context)):
        raise Blocked(f"a good turn gives no result: {turn.state}")
    observed = f"{pongs.count(True)} of {len(pongs)} pongs; {turn.state}"
    context.check("read.ping", all(pongs), "a pong with the payload of each ping", observed)
