"""The cases about HTTP, run in virtual time: against the reference server, and against peers that know nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import pytest

from conformance.cases import registry
from conformance.cases.registry import Case
from conformance.feeds.server import coverage
from conformance.judge.verdict import Check, Verdict
from conformance.judge.wire import judge_all
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.runner import Outcome, run_cases
from conformance.transcript import Asked
from protocol import requirements
from protocol.requirements import Level
from protocol.websocket import ServerEnd
from protocol.wire import HttpRequest, Party
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at

GROUPS = ("handshake", "auth", "token", "languages")
FINE = {Verdict.OK, Verdict.NOT_APPLICABLE}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def of_these_groups(requirement: str) -> bool:
    return requirement.split(".")[1] in GROUPS


CASES = tuple(case for case in registry.load("translator") if all(map(of_these_groups, case.requirements)))


def outcomes_at(handle: Handler, cases: tuple[Case, ...] = CASES, **changes: object) -> tuple[Outcome, ...]:
    """Run cases against whatever serves a connection; `changes` are fields of the target."""

    async def main() -> tuple[Outcome, ...]:
        listener = MemoryListener(handle)
        target = target_at(listener.connect, **changes)
        found = await run_cases(cases, target, Budget(), seed=7, connections=4, finished=lambda _: None)
        await listener.close()
        return found

    return run(main())


def at_reference(**changes: object) -> tuple[Outcome, ...]:
    server = Server(Settings(secret=b"of this test"), ScriptedEngine(), wall_clock=lambda: 1_800_000_000.0)
    return outcomes_at(server.handle, CASES, **changes)


def checks_of(outcomes: tuple[Outcome, ...]) -> list[Check]:
    transcripts = [seen for done in outcomes for seen in done.transcripts]
    checks = [check for done in outcomes for check in done.checks]
    return checks + [check for check in judge_all(transcripts, Party.SERVER) if of_these_groups(check.requirement)]


def fields(asked: Asked) -> list[tuple[str, str]]:
    """Return the header fields without the nonce of the handshake."""
    return [(name, value) for name, value in asked.request.headers if name != "Sec-WebSocket-Key"]


def verdicts(checks: list[Check]) -> Mapping[str, Verdict]:
    return {check.id.replace("/translator.", "/"): check.verdict for check in checks}


class TestReference:
    def test_nothing_is_worse_than_ok(self) -> None:
        checks = checks_of(at_reference())
        assert [check for check in checks if check.verdict not in FINE] == []

    def test_every_requirement_of_the_groups_is_seen(self) -> None:
        states = coverage("translator", Party.SERVER, checks_of(at_reference()))
        missed = {name: state for name, state in states.items() if of_these_groups(name) and state != "tested"}
        rows = requirements.load("translator")
        assert missed == {name: "excluded" for name in missed if rows[name].excluded}

    def test_the_same_seed_gives_the_same_conversations(self) -> None:
        runs = [[seen.entries[0] for done in at_reference() for seen in done.transcripts] for _ in range(2)]
        first, second = ([(e.request.target, fields(e)) for e in run if isinstance(e, Asked)] for run in runs)
        assert first == second

    def test_nothing_waits(self) -> None:
        assert sum(done.elapsed_s for done in at_reference()) == 0

    @pytest.mark.parametrize(
        ("changes", "absent"),
        [
            ({"without": frozenset({"token"})}, {"token.issue/token.issue", "auth.token/auth.token-query"}),
            ({"without": frozenset({"languages"})}, {"languages.scopes/languages.no-auth"}),
            ({"without": frozenset({"auth"})}, {"auth.missing/auth.missing", "auth.precedence/auth.token-beats-key"}),
            ({"without": frozenset({"tts"})}, {"handshake.listed-voices/handshake.voice-accepted"}),
            ({"target": "is"}, {"handshake.speech-values/handshake.voice-bad"}),
        ],
    )
    def test_what_is_absent_is_not_applicable(self, changes: dict[str, object], absent: set[str]) -> None:
        checks = checks_of(at_reference(**changes))
        assert [check for check in checks if check.verdict not in FINE] == []
        assert absent <= {name for name, verdict in verdicts(checks).items() if verdict is Verdict.NOT_APPLICABLE}

    def test_a_token_alone_leaves_the_key_out(self) -> None:
        server = Server(Settings(secret=b"of this test"), ScriptedEngine(), wall_clock=lambda: 1_800_000_000.0)
        (issued,) = [case for case in CASES if case.id == "token.issue"]
        (done,) = outcomes_at(server.handle, (issued,))
        token = done.transcripts[0].entries[1].response.body.decode()  # type: ignore[union-attr]  # an answer
        checks = checks_of(outcomes_at(server.handle, key=None, token=token))
        assert [check for check in checks if check.verdict not in FINE] == []
        found = verdicts(checks)
        assert found["auth.key/auth.key-header"] is Verdict.NOT_APPLICABLE
        assert found["token.issue/token.issue"] is Verdict.NOT_APPLICABLE
        assert found["auth.token/auth.token-query"] is Verdict.OK


def answering(response: bytes) -> Handler:
    """Return a peer that answers every request alike; an accepted upgrade it keeps open without a word."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        upgrade = b"\r\nsec-websocket-key:" in head.lower()
        if response or not upgrade:
            writer.write(response or b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        line, *fields = head.decode("latin-1").rstrip().split("\r\n")
        headers = tuple((name, value.strip()) for name, _, value in (field.partition(":") for field in fields))
        end = ServerEnd(8192)
        answer = end.accept(HttpRequest("GET", line.split(" ")[1], headers))
        writer.write(end.accepted(answer))
        while data := await reader.read(4096):
            end.receive(data, 0.0)
            writer.write(end.take()[0])
            if end.close_expected:
                return

    return handle


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        await reader.read()


ACCEPTS_EVERYTHING = answering(b"")


class TestPeersThatKnowNothing:
    def test_101_to_everything(self) -> None:
        found = verdicts(checks_of(outcomes_at(ACCEPTS_EVERYTHING, token="good.to.ken")))
        refusals = ("auth.missing/auth.missing", "auth.bad-key/auth.bad-key", "auth.bad-token/auth.bad-token")
        languages = ("handshake.bad-languages/handshake.source-bad", "handshake.bad-languages/handshake.target-bad")
        for name in (*refusals, *languages, "wire/handshake.request-id"):
            assert found[name] is Verdict.VIOLATION, name
        assert found["auth.precedence/auth.header-beats-query"] is Verdict.NON_STRICT
        for name in ("handshake.values/handshake.source-missing", "handshake.path/handshake.unknown-path"):
            assert found[name] is Verdict.INFORMATIONAL, name
        for name in ("languages.scopes/languages.no-auth", "token.issue/token.issue"):
            assert found[name] is Verdict.NOT_APPLICABLE, name

    @pytest.mark.parametrize("status", [400, 401, 403, 500])
    def test_one_refusal_for_everything_keeps_nothing(self, status: int) -> None:
        response = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
        checks = [check for done in outcomes_at(answering(response)) for check in done.checks]
        found = verdicts(checks)
        bad = {name for name, verdict in found.items() if verdict is not Verdict.COULD_NOT_RUN}
        assert bad == {"handshake.accept/handshake.accept", "languages.scopes/languages.no-auth"}
        assert {found[name] for name in bad} == {Verdict.VIOLATION}
        assert found["auth.missing/auth.missing"] is Verdict.COULD_NOT_RUN
        assert found["handshake.bad-languages/handshake.target-bad"] is Verdict.COULD_NOT_RUN

    @pytest.mark.parametrize("status", [404, 405, 426])
    def test_a_host_without_these_services(self, status: int) -> None:
        response = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
        found = verdicts(checks_of(outcomes_at(answering(response))))
        services = [verdict for name, verdict in found.items() if name.startswith(("token.", "languages."))]
        assert set(services) == {Verdict.NOT_APPLICABLE}

    def test_a_peer_that_hangs(self) -> None:
        outcomes = outcomes_at(silent)
        checks = [check for done in outcomes for check in done.checks]
        bad = {name for name, verdict in verdicts(checks).items() if verdict is not Verdict.COULD_NOT_RUN}
        assert bad == {"handshake.accept/handshake.accept", "languages.scopes/languages.no-auth"}

    def test_a_peer_that_drops_what_is_no_upgrade(self) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"Sec-WebSocket-Key" not in head:
                return
            reader.feed_data(b"")
            writer.write(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")

        checks = [check for done in outcomes_at(handle) for check in done.checks]
        asked = [check for check in checks if check.requirement == "translator.languages.no-auth"]
        assert [check.verdict for check in asked] == [Verdict.COULD_NOT_RUN]
        assert "--without languages" in asked[0].observed

    def test_a_busy_peer_proves_nothing(self) -> None:
        response = b"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n"
        checks = [check for done in outcomes_at(answering(response)) for check in done.checks]
        assert {check.verdict for check in checks} == {Verdict.COULD_NOT_RUN}
        rows = requirements.load("translator")
        assert all(rows[check.requirement].level is Level.MUST for check in checks)
