"""The upgrade itself: where it is served, in which order faults are found, in which forms a good query may come."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.replies import Reply, ask, judge_accepted, judge_refused
from conformance.cases.translator.dialogue import speech_target
from conformance.cases.translator.knocking import control, knock
from protocol.translator.handshake import SPEECH_PATH, build_target
from protocol.wire import Headers

_TRACE: Final[Headers] = (
    ("X-CorrelationId", "speechwire-1"),
    ("X-ClientVersion", "2.1.0.123"),
    ("X-OsPlatform", "Android 5.0"),
)
_UNDOCUMENTED: Final = (("flight", "experimental"), ("profanity", "Moderate"), ("x-unheard-of", "1"))


@case("handshake.accept", "handshake.accept")
async def accept(context: Context) -> None:
    """Ask for the user's pair of languages with good credentials."""
    judge_accepted(context, "handshake.accept", await knock(context, speech_target(context)), "a good upgrade request")


@case("handshake.path", "handshake.path-case", "handshake.unknown-path")
async def path(context: Context) -> None:
    """Ask for the speech path in other letter case, and for a path that is not served."""
    await control(context, speech_target(context))
    unknown = context.target.beside(f"/speech/{context.random.getrandbits(32):08x}")
    reply = await knock(context, _good(context, unknown), deliberate="translator.handshake.unknown-path")
    judge_refused(context, "handshake.unknown-path", reply, "a path that is not served", 404)
    base, mark, query = context.target.path.partition("?")
    if not base.lower().endswith(SPEECH_PATH):
        context.not_applicable("handshake.path-case", f"the path of this server does not end with {SPEECH_PATH}")
        return
    other = base[: -len(SPEECH_PATH)] + base[-len(SPEECH_PATH) :].swapcase()
    reply = await knock(context, _good(context, other + mark + query))
    judge_accepted(context, "handshake.path-case", reply, f"the path {other}")


@case("handshake.plain-http", "handshake.method", "handshake.upgrade-required")
async def plain_http(context: Context) -> None:
    """Send a POST and a plain GET to the speech path, with all that a good upgrade has but the upgrade."""
    target = speech_target(context)
    await control(context, target)
    reply = await _post(context, context.target.credentials)
    judge_refused(context, "handshake.method", reply, "a POST", 405)
    reply = await ask(context, target, context.target.credentials, deliberate="translator.handshake.upgrade-required")
    judge_refused(context, "handshake.upgrade-required", reply, "a GET without an upgrade", 426)


async def _post(context: Context, headers: Headers) -> Reply:
    return await ask(
        context,
        speech_target(context),
        (*headers, ("Content-Length", "0")),
        method="POST",
        deliberate="translator.handshake.method",
    )


@case("handshake.check-order", "handshake.check-order", needs=("auth",))
async def check_order(context: Context) -> None:
    """Send two faults in one request, of which each alone gets a status of its own."""
    good = speech_target(context)
    await control(context, good)
    mark = "translator.handshake.check-order"
    bad_path = _good(context, context.target.beside("/speech/nowhere"))
    bad_version = speech_target(context, api_version="0.0")
    alone = {
        "an unknown path": await knock(context, bad_path, deliberate=mark),
        "a POST": await _post(context, context.target.credentials),
        "no upgrade": await ask(context, good, context.target.credentials, deliberate=mark),
        "no credential": await knock(context, good, (), deliberate=mark),
        "a bad api-version": await knock(context, bad_version, deliberate=mark),
    }
    both = {
        ("an unknown path", "no credential"): await knock(context, bad_path, (), deliberate=mark),
        ("a POST", "no credential"): await _post(context, ()),
        ("no upgrade", "no credential"): await ask(context, good, deliberate=mark),
        ("no credential", "a bad api-version"): await knock(context, bad_version, (), deliberate=mark),
    }
    judged = False
    for (first, second), reply in both.items():
        wanted, other = alone[first].status, alone[second].status
        if wanted is None or other is None or wanted == other or 101 in {wanted, other}:
            continue
        judge_refused(context, "handshake.check-order", reply, f"{first} together with {second}", wanted)
        judged = True
    if not judged:
        raise Blocked("no two faults get different statuses")


@case("handshake.trace-headers", "handshake.trace-headers")
async def trace_headers(context: Context) -> None:
    """Send the four tracing values as headers, in the query, and in both places with different values."""
    await control(context, speech_target(context))
    pairs = (*_TRACE, ("X-ClientTraceId", context.guid()))
    in_query = speech_target(context, extra=pairs)
    other = speech_target(
        context, extra=(("X-ClientTraceId", context.guid()), *((name, "other") for name, _ in _TRACE))
    )
    headers = (*context.target.credentials, *_TRACE)  # the trace id is on every request anyway
    for target, fields, where in (
        (speech_target(context), headers, "headers"),
        (in_query, context.target.credentials, "query parameters"),
        (other, headers, "both"),
    ):
        reply = await knock(context, target, fields)
        judge_accepted(context, "handshake.trace-headers", reply, f"tracing values as {where}")


@case(
    "handshake.query-forms",
    "handshake.parameter-order",
    "handshake.unknown-parameter",
    "handshake.empty-parameter",
    "handshake.parameter-name-case",
)
async def query_forms(context: Context) -> None:
    """Send good parameters in another order, beside unknown and empty ones, and under names in upper case."""
    await control(context, speech_target(context))
    plain = {"api-version": "1.0", "from": context.target.source, "to": context.target.target}
    for names in (("to", "from", "api-version"), ("from", "api-version", "to")):
        reply = await knock(context, _query(context, {name: plain[name] for name in names}))
        judge_accepted(context, "handshake.parameter-order", reply, f"the order {', '.join(names)}")

    app = (("X-ClientAppId", context.guid()), ("X-UserId", "somebody"), ("X-ScenarioId", "lecture"))
    reply = await knock(context, speech_target(context, extra=_UNDOCUMENTED), (*context.target.credentials, *app))
    judge_accepted(context, "handshake.unknown-parameter", reply, "parameters and headers that nobody documents")

    empty = ("features", "voice", "format", "ProfanityAction", "ProfanityMarker", "X-CorrelationId")
    reply = await knock(context, _query(context, plain | dict.fromkeys(empty, "")))
    judge_accepted(context, "handshake.empty-parameter", reply, f"empty {', '.join(empty)}")
    await _name_case(context, {name.upper(): value for name, value in plain.items()})


async def _name_case(context: Context, upper: dict[str, str]) -> None:
    """A name in upper case has to count: a good value is taken, and a bad one is refused as it is in lower case."""
    name = "handshake.parameter-name-case"
    good = await knock(context, _query(context, upper))
    judge_accepted(context, name, good, f"the names {', '.join(upper)}")
    mark = "translator.client.source-key"
    lower = await knock(context, speech_target(context, source="xx-XX"), deliberate=mark)
    if good.accepted and lower.status == 400:
        reply = await knock(context, _query(context, upper | {"FROM": "xx-XX"}), deliberate=mark)
        judge_refused(context, name, reply, "FROM=xx-XX, as for from=xx-XX")


def _good(context: Context, where: str) -> str:
    """Return a good request target at another path."""
    return build_target(where, source=context.target.source, target=context.target.target)


def _query(context: Context, pairs: dict[str, str]) -> str:
    """Return a request target of the speech path with exactly these parameters."""
    return build_target(context.target.path, source=None, target=None, api_version=None, extra=tuple(pairs.items()))
