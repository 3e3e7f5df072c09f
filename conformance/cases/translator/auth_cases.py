"""Credentials of the upgrade: where they may stand, which one counts, and what is not good enough."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass
from typing import Final

from conformance.cases.context import Context, NotOffered
from conformance.cases.issuing import leaked, need_key, need_token, other, spoiled
from conformance.cases.registry import case
from conformance.cases.replies import judge_accepted, judge_refused
from conformance.cases.translator.dialogue import (
    KEY_HEADER,
    TOKEN_HEADER,
    Dialogue,
    speech_target,
    upgrade,
)
from conformance.cases.translator.knocking import control, knock
from protocol.wire import Headers, HttpResponse

_MILDER: Final = (400, 403)
_WRONG = "translator.client.credentials"
_TWICE = "translator.client.credentials-once"


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of credential with a good value, and its two places."""

    word: str
    header: str
    parameter: str
    scheme: str
    good: str

    def as_header(self, value: str) -> Headers:
        """Return the header field with this value."""
        return ((self.header, f"{self.scheme}{value}"),)

    def as_query(self, context: Context, value: str, **changes: object) -> str:
        """Return a good request target with this value in the query."""
        return speech_target(context, extra=((self.parameter, value),), **changes)  # type: ignore[arg-type]  # by name


async def _key(context: Context) -> Way:
    return Way("key", KEY_HEADER, "subscription-key", "", need_key(context))


async def _token(context: Context) -> Way:
    return Way("token", TOKEN_HEADER, "access_token", "Bearer ", await need_token(context))


async def _ways(context: Context) -> list[Way]:
    """Return what there is of key and token, at least one."""
    found: list[Way] = []
    for kind in (_key, _token) if "token" not in context.target.without else (_key,):
        with contextlib.suppress(NotOffered):
            found.append(await kind(context))
    if not found:
        raise NotOffered("neither a key nor a token is known")
    return found


@case("auth.key", "auth.key-header", "auth.key-query")
async def key(context: Context) -> None:
    """Give the good key in the header, its name in small letters, too; then in the query."""
    await _places(context, await _key(context))


@case("auth.token", "auth.token-header", "auth.token-query", needs=("token",))
async def token(context: Context) -> None:
    """Give a good token in the header, its name in small letters, too; then in the query."""
    await _places(context, await _token(context))


async def _places(context: Context, way: Way) -> None:
    await control(context, speech_target(context))
    reply = await knock(context, speech_target(context), way.as_header(way.good))
    judge_accepted(context, f"auth.{way.word}-header", reply, f"a good {way.word} in the header {way.header}")
    ((name, value),) = way.as_header(way.good)
    reply = await knock(context, speech_target(context), ((name.lower(), value),))  # as HTTP/2 and many clients have it
    judge_accepted(context, f"auth.{way.word}-header", reply, f"a good {way.word} in the header {name.lower()}")
    reply = await knock(context, way.as_query(context, way.good), ())
    judge_accepted(context, f"auth.{way.word}-query", reply, f"a good {way.word} in the parameter {way.parameter}")


@case("auth.missing", "auth.missing", needs=("auth",))
async def missing(context: Context) -> None:
    """Leave the credential out."""
    await control(context, speech_target(context))
    reply = await knock(context, speech_target(context), (), deliberate=_WRONG)
    judge_refused(context, "auth.missing", reply, "a request without credentials", 401, _MILDER)


@case("auth.bad-key", "auth.bad-key", needs=("auth",))
async def bad_key(context: Context) -> None:
    """Give a wrong key in the header and in the query, and one that is almost right."""
    await _bad(context, await _key(context))


@case("auth.bad-token", "auth.bad-token", needs=("auth", "token"))
async def bad_token(context: Context) -> None:
    """Give a wrong token in the header and in the query, one that is almost right, and another scheme."""
    await _bad(context, await _token(context))
    basic = base64.b64encode(f"user:{other(context)}".encode()).decode()
    reply = await knock(context, speech_target(context), ((TOKEN_HEADER, f"Basic {basic}"),), deliberate=_WRONG)
    judge_refused(context, "auth.bad-token", reply, "an Authorization header that is no Bearer token", 401, _MILDER)


async def _bad(context: Context, way: Way) -> None:
    good = speech_target(context)
    await control(context, good, way.as_header(way.good))
    tries: list[tuple[str, str, Headers]] = [
        (f"a wrong {way.word} in the header", good, way.as_header(other(context))),
        (f"a good {way.word} with one character changed", good, way.as_header(spoiled(way.good))),
        (f"a wrong {way.word} in the query", way.as_query(context, other(context)), ()),
    ]
    for what, target, headers in tries:
        reply = await knock(context, target, headers, deliberate=_WRONG)
        judge_refused(context, f"auth.bad-{way.word}", reply, what, 401, _MILDER)


@case("auth.precedence", "auth.header-beats-query", "auth.token-beats-key", needs=("auth",))
async def precedence(context: Context) -> None:
    """Give a good and a wrong credential together: in header and query, then as token and key."""
    ways = await _ways(context)
    for way in ways:
        await control(context, speech_target(context), way.as_header(way.good))
        await _twins(context, way)
    if len(ways) < 2:
        context.not_applicable("auth.token-beats-key", f"only a {ways[0].word} is known")
        return
    first, second = ways[1], ways[0]
    headers = (*first.as_header(first.good), *second.as_header(other(context)))
    reply = await knock(context, speech_target(context), headers, deliberate=_TWICE)
    judge_accepted(context, "auth.token-beats-key", reply, "a good token beside a wrong key")
    headers = (*first.as_header(other(context)), *second.as_header(second.good))
    reply = await knock(context, speech_target(context), headers, deliberate=_TWICE)
    judge_refused(context, "auth.token-beats-key", reply, "a wrong token beside a good key", 401)


async def _twins(context: Context, way: Way) -> None:
    """The good header decides against a wrong twin in the query; a wrong one is not to be rescued by a good twin."""
    name, wrong = "auth.header-beats-query", other(context)
    reply = await knock(context, way.as_query(context, wrong), way.as_header(way.good), deliberate=_TWICE)
    judge_accepted(context, name, reply, f"a good {way.word} in the header beside a wrong one in the query")
    reply = await knock(context, way.as_query(context, way.good), way.as_header(wrong), deliberate=_TWICE)
    what = f"a wrong {way.word} in the header beside a good one in the query"
    judge_refused(context, name, reply, what, 401, (*_MILDER, 101))


@case("auth.empty", "auth.empty-credential", needs=("auth",))
async def empty(context: Context) -> None:
    """Give an empty credential beside a good one in its other place, then nothing but empty ones."""
    name = "auth.empty-credential"
    for way in await _ways(context):
        await control(context, speech_target(context), way.as_header(way.good))
        blank = ((way.header, way.scheme.strip()),)
        for what, target, headers in (
            ("an empty header beside the query", way.as_query(context, way.good), blank),
            ("an empty parameter beside the header", way.as_query(context, ""), way.as_header(way.good)),
        ):
            reply = await knock(context, target, headers, deliberate=_TWICE)
            judge_accepted(context, name, reply, f"{what} with a good {way.word}")
        reply = await knock(context, way.as_query(context, ""), blank, deliberate=_WRONG)
        judge_refused(context, name, reply, f"an empty {way.word} and no other credential", 401)


@case("auth.secrecy", "auth.not-repeated")
async def secrecy(context: Context) -> None:
    """Provoke refusals and a close with credentials in all places, and look for them in what comes back."""
    await control(context, speech_target(context))
    wrong, nested = other(context), other(context)
    await knock(context, speech_target(context), ((KEY_HEADER, wrong),), deliberate=_WRONG)
    await knock(context, speech_target(context), ((TOKEN_HEADER, f"Bearer {wrong}"),), deliberate=_WRONG)
    await knock(context, speech_target(context, extra=(("subscription-key", wrong),)), (), deliberate=_WRONG)
    twisted = speech_target(context, target=f"{context.target.target}?access_token={nested}")
    await knock(context, twisted, deliberate="translator.client.target-key")
    good = context.target.credentials
    await knock(
        context, speech_target(context, features=("Telepathy",)), good, deliberate="translator.client.features-known"
    )
    opened = await upgrade(context, speech_target(context), good)
    if not isinstance(opened, HttpResponse):
        await opened.text("not audio", deliberate="translator.client.binary-only")
        await Dialogue(context, opened).closed("the server's close frame")
    secrets = [wrong, nested, *(value.removeprefix("Bearer ") for _, value in good)]
    found = leaked(context, secrets)
    observed = "" if found is None else f"a credential in {len(found)} characters that came back"
    context.check("auth.not-repeated", found is None, "no credential of the request in what comes back", observed)
