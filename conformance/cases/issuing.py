"""Keys and tokens as cases need them: those of the user, and tokens from the token service beside the endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.replies import Reply, ask, resource
from conformance.transcript import Answered, CloseFrame, Frame
from protocol.translator.handshake import TOKEN_PATH
from protocol.wire import Headers, Party

_RECOGNISABLE = 8  # a shorter credential may stand in an answer by chance


def need_key(context: Context) -> str:
    """Return the good key. Raises NotOffered where the user gave none."""
    if context.target.key is None:
        raise NotOffered("no key was given")
    return context.target.key


async def need_token(context: Context) -> str:
    """Return a good token: the user's, else a fresh one.

    Raises:
        NotOffered: There is neither a token nor a key to get one for, or no token service.
        Blocked: The token service gives none.
    """
    if context.target.token is not None:
        return context.target.token
    reply = await request_token(context, (("Ocp-Apim-Subscription-Key", need_key(context)),))
    if reply.response is None or reply.status != 200:
        raise Blocked(f"the token service gives no token: {reply.says}")
    return read_token(reply.response.body)


async def request_token(
    context: Context, headers: Headers, *, query: str = "", body: bytes = b"", deliberate: str | None = None
) -> Reply:
    """Ask the token service for a token, with these headers; errors as for `resource`."""
    target = context.target.beside(TOKEN_PATH) + query
    length = () if body else (("Content-Length", "0"),)
    reply = await ask(context, target, (*headers, *length), method="POST", body=body, deliberate=deliberate)
    return reply if deliberate else resource("token", reply)


def read_token(body: bytes) -> str:
    """Return the token in the body of a response, also where it is wrapped in something that it should not be."""
    text = body.decode("latin-1").strip()
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(document, dict):
        document = document.get("access_token", document.get("token"))
    return document if isinstance(document, str) else text


def other(context: Context) -> str:
    """Return a value that nobody has as key or token."""
    return f"{context.random.getrandbits(128):032x}"


def spoiled(value: str) -> str:
    """Return a good credential with one character changed, near its end: within the signature of a token."""
    at = max(0, len(value) - 10)
    return value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]


def leaked(context: Context, secrets: Iterable[str]) -> str | None:
    """Return what the server said in this case that has one of the secrets in it, or None."""
    known = [secret for secret in secrets if len(secret) >= _RECOGNISABLE]
    return next((text for text in _said(context) for secret in known if secret in text), None)


def _said(context: Context) -> Iterator[str]:
    """Yield all text that came from the server in this case."""
    for transcript in context.transcripts:
        for entry in transcript.entries:
            if isinstance(entry, Answered):
                yield entry.response.body.decode(errors="replace")
                yield from (value for _, value in entry.response.headers)
            elif isinstance(entry, CloseFrame) and entry.sender is Party.SERVER:
                yield entry.reason
            elif isinstance(entry, Frame) and entry.sender is Party.SERVER:
                yield entry.data.decode(errors="replace")
