"""The token service: what it takes, what it gives, and that what it gives opens sessions."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from conformance.cases.context import Blocked, Context
from conformance.cases.issuing import need_key, read_token, request_token
from conformance.cases.registry import case
from conformance.cases.replies import Reply, judge_refused
from conformance.cases.translator.cross_origin import ORIGIN, admits, preflight
from conformance.cases.translator.dialogue import KEY_HEADER, TOKEN_HEADER, speech_target, upgrade
from conformance.cases.translator.knocking import control
from conformance.judge.verdict import Verdict
from conformance.peers.link import Link
from protocol.translator.handshake import TOKEN_PATH
from protocol.wire import Headers

_BARE: Final = re.compile(rb"[A-Za-z0-9._~+/=|:-]+")
_JWT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LIMIT: Final = 4096


@case("token.issue", "token.issue", "token.bare-text", "token.jwt", "token.reuse", needs=("token",), connections=2)
async def issue(context: Context) -> None:
    """Get a token with the key in the header and an empty body, and open two sessions with it at once."""
    reply = await request_token(context, _key(context))
    if reply.response is None or reply.status != 200:
        await control(context, speech_target(context), _key(context))
        _judge_issued(context, "token.issue", reply, "a token request with a good key")
        raise Blocked(f"the token service gives no token: {reply.says}")
    body = reply.response.body
    shown = f"{len(body)} bytes that begin with {body[:8]!r}" if body else "an empty body"
    context.check("token.bare-text", bool(_BARE.fullmatch(body)), "a body that is the token alone", shown)
    context.check("token.jwt", bool(_JWT.fullmatch(read_token(body).encode())), "three base64url parts", shown)

    headers = ((TOKEN_HEADER, f"Bearer {read_token(body)}"),)
    first, second = [await upgrade(context, speech_target(context), headers) for _ in range(2)]
    says = "status 101" if isinstance(first, Link) else f"status {first.status} for the token that was issued"
    context.check("token.issue", isinstance(first, Link), "a token that opens a session", says)
    if isinstance(first, Link):
        says = "status 101" if isinstance(second, Link) else f"status {second.status} for the second session"
        context.check("token.reuse", isinstance(second, Link), "a second session with the same token", says)


@case(
    "token.requests", "token.key-query", "token.body-tolerated", "token.bad-key", "token.body-limit", needs=("token",)
)
async def requests(context: Context) -> None:
    """Ask for tokens with the key in the query, with bodies small and large, and with a wrong key or none."""
    key = _key(context)
    plain = await request_token(context, key)
    if plain.status != 200:
        raise Blocked(f"the token service gives no token: {plain.says}")

    query = "?" + urlencode({"Subscription-Key": need_key(context)})
    reply = await request_token(context, (), query=query)
    _judge_issued(context, "token.key-query", reply, "the key in the query")

    for kind, body in (("text/plain", b""), ("application/x-www-form-urlencoded", b""), ("application/json", b"{}")):
        reply = await request_token(context, (*key, ("Content-Type", kind)), body=body)
        _judge_issued(context, "token.body-tolerated", reply, f"Content-Type {kind} and {len(body)} bytes of body")

    wrong = ((KEY_HEADER, f"{context.random.getrandbits(128):032x}"),)
    for what, headers in (("a wrong key", wrong), ("no key", ())):
        reply = await request_token(context, headers, deliberate="translator.token.bad-key")
        judge_refused(context, "token.bad-key", reply, what, 401)

    reply = await request_token(context, key, body=b" " * (_LIMIT + 1), deliberate="translator.token.body-limit")
    judge_refused(context, "token.body-limit", reply, f"a body of {_LIMIT + 1} bytes", 413)


@case("token.cross-origin", "token.cors", needs=("token",))
async def cross_origin(context: Context) -> None:
    """Ask for a token as a page of another origin does: a preflight, then the request."""
    reply = await request_token(context, (*_key(context), ("Origin", ORIGIN)))
    if reply.status != 200:
        raise Blocked(f"the token service gives no token: {reply.says}")
    admits(context, "token.cors", reply, "the token request")
    target = context.target.beside(TOKEN_PATH)
    admits(context, "token.cors", await preflight(context, target, "POST", KEY_HEADER), "the preflight")


def _key(context: Context) -> Headers:
    return ((KEY_HEADER, need_key(context)),)


def _judge_issued(context: Context, requirement: str, reply: Reply, what: str) -> None:
    verdict = Verdict.VIOLATION if reply.hangs else None
    context.check(requirement, reply.status == 200, f"status 200 for {what}", reply.says, verdict)
