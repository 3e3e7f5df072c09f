"""What a page of another origin does before and while it asks."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Context
from conformance.cases.replies import Reply, ask
from protocol.wire import header

ORIGIN: Final = "https://page.example"


async def preflight(context: Context, target: str, method: str, field: str) -> Reply:
    """Ask whether a page may send this method with this header field."""
    headers = (
        ("Origin", ORIGIN),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", field.lower()),
    )
    return await ask(context, target, headers, method="OPTIONS")


def allowed(reply: Reply, name: str) -> str | None:
    """Return the value of one of the response's Access-Control-Allow fields."""
    return None if reply.response is None else header(reply.response.headers, f"Access-Control-Allow-{name}")


def admits(context: Context, requirement: str, reply: Reply, what: str) -> None:
    """Say whether a response lets the page read it."""
    value = allowed(reply, "Origin")
    expected = f"Access-Control-Allow-Origin that admits {ORIGIN} on {what}"
    context.check(requirement, value in {"*", ORIGIN}, expected, f"{value or 'none'} with {reply.says}")


def lists(reply: Reply, name: str, word: str) -> bool:
    """Tell whether an Access-Control-Allow field names a word, or everything."""
    words = [item.strip().lower() for item in (allowed(reply, name) or "").split(",")]
    return word.lower() in words or "*" in words
