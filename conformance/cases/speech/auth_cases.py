"""Who may connect: keys and tokens, in headers and in the query (speech.auth.*)."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass
from typing import Final

from conformance.cases.context import Context, NotOffered
from conformance.cases.issuing import leaked, need_key, need_token, other, read_token, request_token, spoiled
from conformance.cases.registry import case
from conformance.cases.replies import Reply, judge_accepted, judge_refused
from conformance.cases.speech.asking import speech_target
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.knocking import control, identified, knock
from protocol.wire import Kind

_KEY: Final = "Ocp-Apim-Subscription-Key"
_TOKEN: Final = "Authorization"  # noqa: S105 - the name of a header
_REFUSED: Final = (401, 403)
_MILDER: Final = range(400, 600)
_WRONG: Final = "speech.client.credentials"


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of credential with a good value; header and query parameter have one name and one form."""

    word: str
    name: str
    scheme: str
    good: str

    def field(self, value: str) -> tuple[str, str]:
        """Return the header field, or the query parameter, with this credential."""
        return self.name, f"{self.scheme}{value}"


async def _key(context: Context) -> Way:
    return Way("key", _KEY, "", need_key(context))


async def _token(context: Context) -> Way:
    return Way("token", _TOKEN, "Bearer ", await need_token(context))


async def _ways(context: Context) -> list[Way]:
    """Return what there is of key and token, at least one."""
    found: list[Way] = []
    for kind in (_key, _token) if "token" not in context.target.without else (_key,):
        with contextlib.suppress(NotOffered):
            found.append(await kind(context))
    if not found:
        raise NotOffered("neither a key nor a token is known")
    return found


async def _in_header(context: Context, *fields: tuple[str, str], deliberate: str | None = None) -> Reply:
    return await knock(context, None, identified(context, *fields), deliberate=deliberate)


async def _in_query(
    context: Context, field: tuple[str, str], *headers: tuple[str, str], deliberate: str | None = None
) -> Reply:
    target = speech_target(context, extra=(field,))
    return await knock(context, target, identified(context, *headers), deliberate=deliberate)


@case("auth.key", "auth.key-header", "auth.key-query")
async def key(context: Context) -> None:
    """Give the good key in the header, its name in small letters, too; then in the query."""
    await _places(context, await _key(context))


@case("auth.token", "auth.token-header", "auth.token-query", "auth.entra-form", needs=("token",))
async def token(context: Context) -> None:
    """Give a good token in the header, in small letters too, in the query, and behind the name of a resource."""
    way = await _token(context)
    await _places(context, way)
    value = f"aad#/subscriptions/{context.guid()}/resourceGroups/r/providers/p#{way.good}"
    for where, reply in (
        ("header", await _in_header(context, way.field(value))),
        ("query", await _in_query(context, way.field(value))),
    ):
        judge_accepted(context, "auth.entra-form", reply, f"Bearer aad#resource#token in the {where}")


async def _places(context: Context, way: Way) -> None:
    await control(context)
    reply = await _in_header(context, way.field(way.good))
    judge_accepted(context, f"auth.{way.word}-header", reply, f"a good {way.word} in the header {way.name}")
    name, value = way.field(way.good)
    reply = await _in_header(context, (name.lower(), value))  # as HTTP/2 and many clients have it
    judge_accepted(context, f"auth.{way.word}-header", reply, f"a good {way.word} in the header {name.lower()}")
    reply = await _in_query(context, way.field(way.good))
    judge_accepted(context, f"auth.{way.word}-query", reply, f"a good {way.word} in the parameter {way.name}")


@case("auth.missing", "auth.missing", needs=("auth",))
async def missing(context: Context) -> None:
    """Leave the credential out, then give empty ones."""
    await control(context)
    for what, fields in (("no credential", ()), ("an empty key", ((_KEY, ""),)), ("an empty token", ((_TOKEN, ""),))):
        reply = await _in_header(context, *fields, deliberate=_WRONG)
        judge_refused(context, "auth.missing", reply, what, _REFUSED, _MILDER)


@case("auth.bad-key", "auth.bad-key", needs=("auth",))
async def bad_key(context: Context) -> None:
    """Give a wrong key in the header and in the query, and one that is almost right."""
    await _bad(context, await _key(context))


@case("auth.bad-token", "auth.bad-token", needs=("auth", "token"))
async def bad_token(context: Context) -> None:
    """Give a wrong token in the header and in the query, one that is almost right, and another scheme."""
    await _bad(context, await _token(context))
    basic = base64.b64encode(f"user:{other(context)}".encode()).decode()
    reply = await _in_header(context, (_TOKEN, f"Basic {basic}"), deliberate=_WRONG)
    judge_refused(context, "auth.bad-token", reply, "an Authorization that is no Bearer token", _REFUSED, _MILDER)


async def _bad(context: Context, way: Way) -> None:
    (await _in_header(context, way.field(way.good))).need_accepted()
    header, query = f"a wrong {way.word} in the header", f"a wrong {way.word} in the query"
    tries = (
        (header, await _in_header(context, way.field(other(context)), deliberate=_WRONG)),
        (f"a spoiled {way.word}", await _in_header(context, way.field(spoiled(way.good)), deliberate=_WRONG)),
        (query, await _in_query(context, way.field(other(context)), deliberate=_WRONG)),
    )
    for what, reply in tries:
        judge_refused(context, f"auth.bad-{way.word}", reply, what, _REFUSED, _MILDER)


@case("auth.precedence", "auth.header-beats-query", needs=("auth",))
async def precedence(context: Context) -> None:
    """Give a wrong credential in the header beside a good one in the query."""
    for way in await _ways(context):
        (await _in_query(context, way.field(way.good), way.field(way.good))).need_accepted()
        wrong = way.field(other(context))
        reply = await _in_query(context, way.field(way.good), wrong, deliberate=_WRONG)
        what = f"a wrong {way.word} in the header beside a good one in the query"
        judge_refused(context, "auth.header-beats-query", reply, what, _REFUSED)


@case("auth.token-service", "auth.token-service", needs=("token",))
async def token_service(context: Context) -> None:
    """Ask for a token as one client does, with a content type and no content, and open a connection with it."""
    headers = ((_KEY, need_key(context)), ("Content-Type", "application/json"))
    reply = await request_token(context, headers)
    body = b"" if reply.response is None else reply.response.body
    issued = reply.status == 200 and bool(body)
    expected = "status 200 and a token for a good key"
    context.check("auth.token-service", issued, expected, f"{reply.says}, {len(body)} bytes")
    if issued:
        opened = await _in_header(context, (_TOKEN, f"Bearer {read_token(body)}"))
        judge_accepted(context, "auth.token-service", opened, "the token that was issued")
    else:
        await control(context)


@case("auth.secrecy", "auth.secret-hidden")
async def secrecy(context: Context) -> None:
    """Provoke refusals and a close with credentials in all places, and look for them in what comes back."""
    await control(context)
    wrong = other(context)
    for fields in ((_KEY, wrong), (_TOKEN, f"Bearer {wrong}")):
        await _in_header(context, fields, deliberate=_WRONG)
        await _in_query(context, fields, deliberate=_WRONG)
    nowhere = context.target.beside(f"/speech/{wrong[:8]}")
    await knock(context, nowhere, identified(context, *context.target.credentials), deliberate="speech.client.path")
    session = await open_session(context)
    turn = await session.begin()
    if context.target.key is not None:
        await session.raw(Kind.TEXT, f"Path:{context.target.key}".encode(), deliberate="speech.client.frame-text")
    await turn.finished()
    secrets = [wrong, *(value.removeprefix("Bearer ") for _, value in context.target.credentials)]
    found = leaked(context, secrets)
    observed = "" if found is None else f"a credential in {len(found)} characters that came back"
    context.check("auth.secret-hidden", found is None, "no credential of the request in what comes back", observed)
