"""Every check of the cases about HTTP can fail: a server that departs in one way is found out, with the right verdict.

The peer is the reference server behind a tap that bends requests, responses or messages, as stated in `BENT`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import pytest

from conformance.cases import registry
from conformance.judge.verdict import Check, Verdict
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.runner import run_cases
from protocol.wire import Close, Headers, HttpRequest, HttpResponse, Message, Outbound, header
from reference_server.app import Server
from reference_server.auth import Authority
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from reference_server.tap import Tap
from tests.targets import target_at

V, N, INFO = Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL
GROUPS = ("handshake", "auth", "token", "languages")
CASES = {case.id: case for case in registry.load("translator")}
KEY, BEARER, ORIGIN = "Ocp-Apim-Subscription-Key", "Authorization", "Access-Control-Allow-Origin"
SECRET, NOW = b"of this test", 1_800_000_000.0

When = Callable[[HttpRequest], bool]
Rewrite = Callable[[HttpRequest], HttpRequest]
Answer = Callable[[HttpRequest, HttpResponse], HttpResponse]
Say = Callable[[Outbound], Iterable[Outbound]]


@dataclass(frozen=True, slots=True)
class Bent:
    """One departure: in which case it shows, of which requirement, how grave it is, and what makes it."""

    case: str
    requirement: str
    verdict: Verdict
    answer: Answer = lambda _, response: response
    rewrite: Rewrite = lambda request: request
    say: Say = lambda event: (event,)
    token: bool = False


class Bender(Tap):
    """Applies one departure to a connection."""

    def __init__(self, bent: Bent) -> None:
        self._bent = bent
        self._request = HttpRequest("", "", ())

    def request(self, request: HttpRequest, time: float) -> HttpRequest:
        self._request = request
        return self._bent.rewrite(request)

    def response(self, response: HttpResponse, time: float) -> HttpResponse:
        return self._bent.answer(self._request, response)

    def outbound(self, event: Outbound, time: float) -> Iterable[Outbound]:
        return self._bent.say(event)


# What a request is and has.


def speech(request: HttpRequest) -> bool:
    return request.path.lower() == "/speech/translate"


def issuing(request: HttpRequest) -> bool:
    return "issueToken" in request.path and request.method == "POST"


def languages(request: HttpRequest) -> bool:
    return request.path == "/languages" and request.method == "GET"


def asks(name: str, pattern: str = "") -> When:
    """Return whether a query parameter of exactly this name is there, with a value that has the pattern in it."""

    def holds(request: HttpRequest) -> bool:
        values = parse_qs(request.query, keep_blank_values=True).get(name, [])
        return any(re.search(pattern, value) for value in values)

    return holds


def has(name: str, word: str = "") -> When:
    return lambda request: word in (header(request.headers, name) or "") and header(request.headers, name) is not None


def both(*conditions: When) -> When:
    return lambda request: all(condition(request) for condition in conditions)


def no(condition: When) -> When:
    return lambda request: not condition(request)


# How it is bent.


def status(code: int, when: When, instead_of: int | None = None) -> Answer:
    """Answer with another status and an empty body."""
    empty = HttpResponse(code, (("Content-Length", "0"),))
    return lambda request, response: (
        empty if when(request) and instead_of in {None, response.status} and response.status != code else response
    )


def body(change: Callable[[bytes], bytes], when: When) -> Answer:
    """Change the body of a good response."""

    def answer(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        data = change(response.body) if when(request) and response.status == 200 else response.body
        fields = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        return replace(response, headers=(*fields, ("Content-Length", str(len(data)))), body=data)

    return answer


def lacking(name: str) -> Answer:
    return lambda _, response: replace(response, headers=without(name)(response.headers))


def without(name: str) -> Callable[[Headers], Headers]:
    return lambda headers: tuple(pair for pair in headers if pair[0].lower() != name.lower())


def read_as(pattern: str, by: str, when: When = speech) -> Rewrite:
    """Take the request target as if something else stood in it."""
    return lambda request: replace(request, target=re.sub(pattern, by, request.target)) if when(request) else request


def fields(change: Callable[[Headers], Headers], when: When) -> Rewrite:
    return lambda request: replace(request, headers=change(request.headers)) if when(request) else request


def entering(when: When) -> Rewrite:
    """Let a request in whatever its credentials are."""
    return fields(lambda headers: (*without(BEARER)(without(KEY)(headers)), (KEY, "test-key")), when)


def voices_renamed(data: bytes) -> bytes:
    document = json.loads(data)
    for voice in document.get("tts", {}).values():
        voice["languageName"] += "!"
    return json.dumps(document).encode()


class Once:
    """Takes a token for one session only."""

    def __init__(self) -> None:
        self._used = 0

    def __call__(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        self._used = 0 if issuing(request) else self._used + has(BEARER)(request)
        return status(401, lambda _: self._used > 1)(request, response)


def politely(event: Outbound) -> Iterable[Outbound]:
    return (Close(1007, "no such language"),) if isinstance(event, Message) else (event,)


def silently(event: Outbound) -> Iterable[Outbound]:
    return () if isinstance(event, Message) else (event,)


def untranslated(event: Outbound) -> Iterable[Outbound]:
    if not isinstance(event, Message):
        return (event,)
    return (Message.text(json.dumps({**json.loads(event.data), "translation": ""})),)


NO_SOURCE, NO_TARGET = read_as("from=xx-XX", "from=en-US"), read_as("to=xx", "to=pt")
GIVEN = has("Accept-Language")

BENT = (
    Bent("auth.key", "auth.key-header", V, status(401, has(KEY)), token=True),
    Bent("auth.key", "auth.key-query", V, status(401, asks("subscription-key"))),
    Bent("auth.token", "auth.token-header", V, status(401, has(BEARER))),
    Bent("auth.token", "auth.token-query", V, status(401, asks("access_token"))),
    Bent("auth.missing", "auth.missing", V, rewrite=entering(no(has(KEY)))),
    Bent("auth.missing", "auth.missing", N, status(403, speech, 401)),
    Bent("auth.missing", "auth.missing", V, status(404, speech, 401)),
    Bent("auth.bad-key", "auth.bad-key", V, rewrite=entering(both(speech, has(KEY)))),
    Bent("auth.bad-key", "auth.bad-key", V, rewrite=entering(asks("subscription-key"))),
    Bent("auth.bad-key", "auth.bad-key", N, status(400, speech, 401)),
    Bent("auth.bad-token", "auth.bad-token", V, rewrite=entering(has(BEARER))),
    Bent("auth.bad-token", "auth.bad-token", V, rewrite=entering(has(BEARER, "Basic"))),
    Bent("auth.bad-token", "auth.bad-token", N, status(403, speech, 401)),
    Bent("auth.precedence", "auth.header-beats-query", N, rewrite=entering(asks("subscription-key"))),
    Bent("auth.precedence", "auth.header-beats-query", V, rewrite=fields(without(KEY), asks("subscription-key"))),
    Bent("auth.precedence", "auth.token-beats-key", INFO, rewrite=fields(without(BEARER), has(KEY))),
    Bent("auth.empty", "auth.empty-credential", INFO, status(401, asks("subscription-key", "^$"))),
    Bent("auth.secrecy", "auth.not-repeated", INFO, lambda request, response: replace(
        response, headers=(*response.headers, ("X-Key", header(request.headers, KEY) or ""))
    )),
    Bent("handshake.accept", "handshake.accept", V, status(400, speech)),
    Bent("handshake.path", "handshake.path-case", INFO, status(404, lambda request: "TRANSLATE" in request.path)),
    Bent("handshake.path", "handshake.unknown-path", INFO, status(400, no(speech))),
    Bent("handshake.plain-http", "handshake.method", INFO, status(400, lambda request: request.method == "POST")),
    Bent("handshake.plain-http", "handshake.upgrade-required", INFO, status(400, no(has("Upgrade")))),
    Bent("handshake.check-order", "handshake.check-order", INFO, rewrite=entering(asks("api-version", "0.0"))),
    Bent("handshake.trace-headers", "handshake.trace-headers", V, status(400, asks("X-OsPlatform"))),
    Bent("handshake.query-forms", "handshake.parameter-order", V, status(
        400, lambda request: not request.query.startswith("api-version")
    )),
    Bent("handshake.query-forms", "handshake.unknown-parameter", V, status(400, asks("flight"))),
    Bent("handshake.query-forms", "handshake.empty-parameter", V, status(400, asks("format", "^$"))),
    Bent("handshake.speech-values", "handshake.empty-parameter", V, status(400, asks("voice", "^$"))),
    Bent("handshake.query-forms", "handshake.parameter-name-case", N, status(400, asks("FROM"))),
    Bent("handshake.query-forms", "handshake.parameter-name-case", N, rewrite=read_as("FROM=xx-XX", "FROM=en-US")),
    Bent("handshake.features", "handshake.feature-case", V, status(400, asks("features", "PARTIAL"))),
    Bent("handshake.features", "handshake.feature-case", V, rewrite=read_as("TIMINGINFO", "")),
    Bent("handshake.features", "handshake.feature-blanks", INFO, status(400, asks("features", " "))),
    Bent("handshake.features", "handshake.feature-bad", INFO, rewrite=read_as("Telepathy", "Partial")),
    Bent("handshake.voice-without-tts", "handshake.voice-without-tts", V, status(400, asks("voice"))),
    Bent("handshake.speech-values", "handshake.voice-bad", INFO, rewrite=read_as("voice=xx-XX-Nobody", "x=1")),
    Bent("handshake.speech-values", "handshake.format-bad", INFO, rewrite=read_as("audio/smell", "audio/mp3")),
    Bent("handshake.speech-values", "handshake.voice-mismatch", INFO, rewrite=read_as("voice=[^&]+", "x=1")),
    Bent("handshake.values", "handshake.api-version-bad", INFO, rewrite=read_as("=2.0", "=1.0")),
    Bent("handshake.values", "handshake.api-version-bad", INFO, status(400, no(asks("api-version")))),
    Bent("handshake.values", "handshake.profanity-bad", INFO, rewrite=read_as("Stars", "Tag")),
    Bent("handshake.values", "handshake.source-missing", INFO, status(404, no(asks("from")))),
    Bent("handshake.values", "handshake.target-missing", INFO, status(404, no(asks("to")))),
    Bent("handshake.values", "handshake.repeated-target", INFO, rewrite=read_as("&to=en", "")),
    Bent("handshake.values", "handshake.repeated-target", INFO, rewrite=read_as("to=pt,en", "to=pt")),
    Bent("handshake.listed-languages", "handshake.source-accepted", V, status(400, no(asks("from", "en-US")), 101)),
    Bent("handshake.listed-languages", "handshake.target-accepted", V, status(400, no(asks("to", "pt")), 101)),
    Bent("handshake.listed-voices", "handshake.voice-accepted", V, status(400, asks("voice"))),
    Bent("handshake.bad-languages", "handshake.source-bad", V, rewrite=NO_SOURCE),
    Bent("handshake.bad-languages", "handshake.source-bad", N, rewrite=NO_SOURCE, say=politely),
    Bent("handshake.bad-languages", "handshake.source-bad", V, rewrite=NO_SOURCE, say=silently),
    Bent("handshake.bad-languages", "handshake.source-bad", V, rewrite=NO_SOURCE, say=untranslated),
    Bent("handshake.bad-languages", "handshake.source-bad", N, status(404, asks("from", "xx"))),
    Bent("handshake.bad-languages", "handshake.target-bad", V, rewrite=NO_TARGET),
    Bent("handshake.bad-languages", "handshake.target-bad", N, rewrite=NO_TARGET, say=untranslated),
    Bent("handshake.bad-languages", "handshake.target-bad", V, status(500, asks("to", "xx"))),
    Bent("handshake.written-otherwise", "handshake.target-locale", V, status(400, asks("to", "-"))),
    Bent("handshake.written-otherwise", "handshake.source-alias", N, status(400, asks("from", "^en$"))),
    Bent("handshake.written-otherwise", "handshake.same-language", V, status(400, asks("to", "^en$"))),
    Bent("token.issue", "token.issue", V, status(401, issuing)),
    Bent("token.issue", "token.issue", V, body(lambda _: b"an.other.token", issuing)),
    Bent("token.issue", "token.bare-text", V, body(lambda data: b'"%b"' % data, issuing)),
    Bent("token.issue", "token.jwt", N, body(lambda data: data.replace(b".", b"~"), issuing), fields(
        lambda headers: tuple((name, value.replace("~", ".")) for name, value in headers), has(BEARER)
    )),
    Bent("token.issue", "token.reuse", V, Once()),
    Bent("token.requests", "token.key-query", V, status(401, asks("Subscription-Key"))),
    Bent("token.requests", "token.body-tolerated", N, status(415, both(issuing, has("Content-Type", "json")))),
    Bent("token.requests", "token.bad-key", INFO, rewrite=entering(both(issuing, has(KEY)))),
    Bent("token.requests", "token.body-limit", INFO, lambda _, response: (
        replace(response, status=200) if response.status == 413 else response
    )),
    Bent("token.cross-origin", "token.cors", INFO, lacking(ORIGIN)),
    Bent("languages.scopes", "languages.no-auth", V, status(401, languages)),
    Bent("languages.scopes", "languages.scope-subset", V, rewrite=read_as("=speech$", "=speech,text", languages)),
    Bent("languages.scopes", "languages.scope-order", V, status(400, asks("scope", "^tts"))),
    Bent("languages.scopes", "languages.default-scope", V, rewrite=read_as("=1.0$", "=1.0&scope=tts", languages)),
    Bent("languages.scopes", "languages.default-scope", V, status(400, both(languages, no(asks("scope"))))),
    Bent("languages.names", "languages.accept-language", V, rewrite=fields(without("Accept-Language"), GIVEN)),
    Bent("languages.names", "languages.accept-language-fallback", V, status(406, has("Accept-Language", "xx"))),
    Bent("languages.names", "languages.accept-language-fallback", V, rewrite=fields(
        lambda headers: (*headers, ("Accept-Language", "da")), no(GIVEN)
    )),
    Bent("languages.names", "languages.accept-language-weights", INFO, status(406, has("Accept-Language", ";"))),
    Bent("languages.voice-languages", "languages.language-name", N, body(voices_renamed, languages)),
    Bent("languages.forms", "languages.path-case", V, status(404, lambda request: request.path == "/Languages")),
    Bent("languages.forms", "languages.content-type-header", V, status(400, has("Content-Type"))),
    Bent("languages.bad-values", "languages.bad-scope", INFO, rewrite=read_as(",smell", "", languages)),
    Bent("languages.bad-values", "languages.bad-version", INFO, rewrite=read_as("=2.0", "=1.0", languages)),
    Bent("languages.bad-values", "languages.bad-version", INFO, status(400, no(asks("api-version")))),
    Bent("languages.cross-origin", "languages.cors", N, lacking(ORIGIN)),
    Bent("languages.cross-origin", "languages.cors-preflight", INFO, lacking("Access-Control-Allow-Methods")),
)  # fmt: skip


def checks_against(bent: Bent) -> list[Check]:
    """Run the case of a departure against a server that departs so."""

    def clock() -> float:
        return NOW

    async def main() -> list[Check]:
        settings = Settings(secret=SECRET)
        server = Server(settings, ScriptedEngine(), tap=lambda: Bender(bent), wall_clock=clock)
        listener = MemoryListener(server.handle)
        target = target_at(
            listener.connect,
            token=Authority(settings.keys, SECRET, clock=clock).issue("test-key") if bent.token else None,
        )
        cases = [CASES[bent.case]]
        (done,) = await run_cases(cases, target, Budget(), seed=7, connections=4, finished=lambda _: None)
        await listener.close()
        return list(done.checks)

    return run(main())


@pytest.mark.parametrize("bent", BENT, ids=lambda bent: f"{bent.requirement} {bent.verdict.value}")
def test_a_departure_is_found(bent: Bent) -> None:
    checks = {check.requirement: check for check in checks_against(bent)}
    assert checks[f"translator.{bent.requirement}"].verdict is bent.verdict


def test_every_requirement_of_these_cases_is_bent_once() -> None:
    named = {name for case in CASES.values() if case.id.split(".")[0] in GROUPS for name in case.requirements}
    assert named == {f"translator.{bent.requirement}" for bent in BENT}
