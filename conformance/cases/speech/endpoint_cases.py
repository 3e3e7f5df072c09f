"""Where a connection is to be had, and what is answered elsewhere (speech.endpoint.*)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.replies import Reply, ask, judge_accepted, judge_refused
from conformance.cases.speech.asking import speech_target
from conformance.cases.speech.knocking import control, identified, knock
from protocol.speech.handshake import PATHS
from protocol.speech.messages import V1

_WS: Final = ("ws://", "wss://", "http://", "https://")


@case("endpoint.path", "endpoint.v1-path", "endpoint.v2-path", "endpoint.v2-short-path", "endpoint.path-case")
async def path(context: Context) -> None:
    """Ask on each path of the dialect, and on its usual one in other letter case."""
    await control(context)
    base, mark, query = context.target.path.partition("?")
    usual, *others = PATHS[context.case.dialect]
    requirement = "endpoint.v1-path" if context.case.dialect == V1 else "endpoint.v2-path"
    if not any(base.lower().endswith(known) for known in (usual, *others)):
        for name in (requirement, "endpoint.v2-short-path", "endpoint.path-case"):
            context.not_applicable(name, f"the path of this server does not end with {usual}")
        return
    target = speech_target(context)
    reply = await knock(context, target.replace(base, context.target.beside(usual), 1))
    judge_accepted(context, requirement, reply, f"the path {usual}")
    for other in others:
        reply = await knock(context, target.replace(base, context.target.beside(other), 1))
        judge_accepted(context, "endpoint.v2-short-path", reply, f"the path {other}")
    swapped = context.target.beside(usual.swapcase())
    reply = await knock(context, target.replace(base + mark + query, swapped + mark + query, 1))
    judge_accepted(context, "endpoint.path-case", reply, f"the path {swapped}")


@case("endpoint.elsewhere", "endpoint.unknown-path", "endpoint.other-status", "endpoint.upgrade-required")
async def elsewhere(context: Context) -> None:
    """Ask on a path that is not served; ask on the right one without an upgrade."""
    await control(context)
    nowhere = context.target.beside(f"/speech/{context.random.getrandbits(32):08x}/v1")
    reply = await knock(context, nowhere, deliberate="speech.client.path")
    judge_refused(context, "endpoint.unknown-path", reply, "a path that is not served", 404)
    _no_success(context, reply, "the upgrade on a path that is not served")
    headers = identified(context, *context.target.credentials)
    reply = await ask(context, speech_target(context), headers, deliberate="speech.endpoint.upgrade-required")
    judge_refused(context, "endpoint.upgrade-required", reply, "a GET without an upgrade", 426)


def _no_success(context: Context, reply: Reply, what: str) -> None:
    """Judge that a refusal has a status that clients take for one."""
    if reply.status is not None and reply.status != 101:
        refused = reply.status >= 400
        context.check("endpoint.other-status", refused, f"a status of 400 or above for {what}", reply.says)


@case("endpoint.redirect-lookup", "endpoint.redirect-lookup")
async def redirect_lookup(context: Context) -> None:
    """Look up where to connect to, as one client does whose endpoint has no path: without any credential."""
    await control(context)
    base = context.target.path.partition("?")[0]
    reply = await ask(context, f"{base}?GenerateRedirectResponse=true")
    body = b"" if reply.response is None else reply.response.body
    where = body.decode(errors="replace").strip()
    answered = reply.status is not None and (reply.status != 200 or where.lower().startswith(_WS))
    expected = "no status 200, or the URL to connect to"
    context.check("endpoint.redirect-lookup", answered, expected, f"{reply.says}, body {where[:60]!r}")
