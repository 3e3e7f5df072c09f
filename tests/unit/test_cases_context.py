"""What every case holds in its hands: verdicts on what it names, and patient connections that leave transcripts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance.cases.context import Blocked, Busy, Context, NotOffered
from conformance.cases.registry import Case
from conformance.cases.target import Target
from conformance.judge.verdict import Check, Verdict
from conformance.peers.address import DialError
from conformance.peers.budget import BUSY, Budget
from conformance.peers.link import Link
from conformance.peers.virtual import run
from conformance.transcript import Answered, Asked, CloseFrame, Vantage
from protocol.wire import HttpRequest, HttpResponse, Party, header

if TYPE_CHECKING:
    from tests.unit.conftest import HttpServer

Targets = Callable[..., Target]
Servers = type["HttpServer"]
ACCEPT, FINALS, OURS = "handshake.accept", "final.id-unique", "handshake.error-body"
PATH = "/speech/translate?from=en-US&to=it"


async def nothing(_: Any) -> None:
    """Do nothing: these contexts are used by hand."""


def context_of(target: Target, *requirements: str, case: str = "group.what", seed: int = 7) -> Context:
    named = tuple(f"translator.{name}" for name in requirements or (ACCEPT, FINALS, OURS))
    made = Case(case, "translator", Party.SERVER, named, (), 1, "fast", "A case.", nothing)
    return Context(made, target, Budget(), seed)


@pytest.fixture
def context(target_of: Targets) -> Context:
    return context_of(target_of())


class TestVerdicts:
    def test_kept_is_ok(self, context: Context) -> None:
        context.kept(ACCEPT)
        assert context.checks == [Check("group.what", f"translator.{ACCEPT}", Verdict.OK, "", "")]

    @pytest.mark.parametrize(
        ("name", "verdict"),
        [(ACCEPT, Verdict.VIOLATION), (FINALS, Verdict.NON_STRICT), (OURS, Verdict.INFORMATIONAL)],
    )
    def test_broken_is_as_grave_as_the_register_says(self, context: Context, name: str, verdict: Verdict) -> None:
        context.broken(name, "this", "that")
        assert context.checks == [Check("group.what", f"translator.{name}", verdict, "this", "that")]

    def test_broken_may_be_graver_or_milder_in_a_named_form(self, context: Context) -> None:
        context.broken(OURS, "this", "a hang", Verdict.VIOLATION)
        assert context.checks[0].verdict is Verdict.VIOLATION

    @pytest.mark.parametrize(("kept", "verdict"), [(True, Verdict.OK), (False, Verdict.NON_STRICT)])
    def test_check_says_which(self, context: Context, kept: bool, verdict: Verdict) -> None:
        context.check(FINALS, kept, "this", "that")
        assert context.checks[0].verdict is verdict
        assert context.checks[0].expected == ("" if kept else "this")

    def test_check_may_bring_a_verdict_too(self, context: Context) -> None:
        context.check(FINALS, False, "this", "that", Verdict.VIOLATION)
        assert context.checks[0].verdict is Verdict.VIOLATION

    def test_not_applicable_has_a_reason(self, context: Context) -> None:
        context.not_applicable(ACCEPT, "there is none")
        assert context.checks == [
            Check("group.what", f"translator.{ACCEPT}", Verdict.NOT_APPLICABLE, "", "there is none")
        ]

    def test_on_what_the_case_does_not_name_is_a_defect_of_the_case(self, context: Context) -> None:
        with pytest.raises(LookupError, match=r"case group\.what gives a verdict on translator\.final\.always"):
            context.kept("final.always")
        with pytest.raises(KeyError, match=r"no requirement 'translator\.final\.nonsense'"):
            context.broken("final.nonsense", "this", "that")

    def test_on_what_holds_in_other_dialects_only_is_none(self, context: Context) -> None:
        both = replace(context.case, elsewhere=frozenset({"translator.final.always"}))
        context = Context(both, context.target, Budget(), 7)
        context.kept("final.always")
        context.broken("final.always", "this", "that")
        context.not_applicable("final.always", "none")
        assert context.checks == []

    def test_row_is_the_requirement(self, context: Context) -> None:
        assert context.row(ACCEPT).id == f"translator.{ACCEPT}"

    def test_decided_are_those_that_have_one(self, context: Context) -> None:
        assert context.decided() == frozenset()
        context.kept(ACCEPT)
        context.not_applicable(OURS, "none")
        assert context.decided() == {f"translator.{ACCEPT}", f"translator.{OURS}"}


class TestDial:
    def test_a_101_is_a_link_that_leave_closes(self, target_of: Targets, http_server: Servers) -> None:
        context = context_of(target_of(http_server(101)))

        async def main() -> None:
            link = await context.dial(PATH, ())
            assert isinstance(link, Link)
            assert context.links == [link]
            await context.leave()

        run(main())
        (transcript,) = context.transcripts
        assert (transcript.dialect, transcript.vantage, transcript.case) == ("translator", Vantage.CLIENT, "group.what")
        assert [entry.sender for entry in transcript.entries if isinstance(entry, CloseFrame)] == list(Party)

    def test_leave_can_close_some(self, target_of: Targets, http_server: Servers) -> None:
        context = context_of(target_of(http_server(101)))

        async def main() -> list[bool]:
            first, second = [await context.dial(PATH, ()) for _ in range(2)]
            assert isinstance(first, Link)
            assert isinstance(second, Link)
            await context.leave([second])
            closed = [link.closed is not None for link in (first, second)]
            await context.leave()
            return closed

        assert run(main()) == [False, True]
        assert [transcript.connection for transcript in context.transcripts] == [0, 1]

    def test_a_refusal_is_the_response(self, target_of: Targets, http_server: Servers) -> None:
        context = context_of(target_of(http_server(401, body=b"who?")))
        answer = run(context.dial(PATH, ()))
        assert isinstance(answer, HttpResponse)
        assert (answer.status, answer.body) == (401, b"who?")
        assert context.links == []

    def test_headers_of_the_case_come_before_those_of_the_target(
        self, target_of: Targets, http_server: Servers
    ) -> None:
        server = http_server(400)
        target = target_of(server, headers=(("X-Tenant", "of the target"),))
        run(context_of(target).dial(PATH, (("X-Tenant", "of the case"),), leave_out=frozenset({"Upgrade"})))
        (request,) = server.requests
        assert request.target == PATH
        assert [value for name, value in request.headers if name == "X-Tenant"] == ["of the case", "of the target"]
        assert header(request.headers, "Upgrade") is None

    def test_a_purpose_is_recorded(self, target_of: Targets, http_server: Servers) -> None:
        context = context_of(target_of(http_server(400)))
        run(context.dial(PATH, (), deliberate="translator.client.source-key"))
        asked = context.transcripts[0].entries[0]
        assert isinstance(asked, Asked)
        assert asked.deliberate == "translator.client.source-key"

    def test_no_response_is_blocked_with_the_cause(self, target_of: Targets) -> None:
        with pytest.raises(Blocked, match="Connection refused") as caught:
            run(context_of(target_of()).dial(PATH, ()))
        assert isinstance(caught.value.__cause__, DialError)
        assert caught.value.__cause__.layer == "tcp"


class TestPatience:
    """A busy server is asked again, on a connection of its own, more and more slowly."""

    @pytest.mark.parametrize("busy", [429, 503])
    def test_a_server_that_recovers_is_used(self, target_of: Targets, http_server: Servers, busy: int) -> None:
        context = context_of(target_of(http_server(busy, busy, 101)))

        async def main() -> float:
            assert isinstance(await context.dial(PATH, ()), Link)
            await context.leave()
            return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(1.5, abs=0.01)
        assert len(context.transcripts) == 3

    def test_one_that_stays_busy_is_believed_after_four_times(self, target_of: Targets, http_server: Servers) -> None:
        server = http_server(503)
        context = context_of(target_of(server))

        async def main() -> float:
            with pytest.raises(Busy, match="the server is busy: status 503") as caught:
                await context.dial(PATH, ())
            assert caught.value.response.status == 503
            return asyncio.get_running_loop().time()

        assert run(main()) == pytest.approx(3.5, abs=0.01)
        assert len(server.requests) == 4
        assert context.budget.waited == pytest.approx(3.5, abs=0.01)
        assert context.budget.wait(BUSY) < 3.5

    def test_other_refusals_are_believed_at_once(self, target_of: Targets, http_server: Servers) -> None:
        server = http_server(500)
        run(context_of(target_of(server)).dial(PATH, ()))
        assert len(server.requests) == 1


class TestFetch:
    def test_is_a_plain_exchange(self, target_of: Targets, http_server: Servers) -> None:
        server = http_server(200, body=b"{}")
        context = context_of(target_of(server, headers=(("X-Tenant", "7"),)))
        request = HttpRequest("POST", "/token", (("Accept", "*/*"),), b"abc")
        assert run(context.fetch(request, deliberate="translator.client.token-reuse")).body == b"{}"
        (seen,) = server.requests
        assert (seen.method, seen.target, seen.body) == ("POST", "/token", b"abc")
        assert (header(seen.headers, "X-Tenant"), header(seen.headers, "Upgrade")) == ("7", None)
        asked, answered = context.transcripts[0].entries
        assert isinstance(asked, Asked)
        assert asked.deliberate == "translator.client.token-reuse"
        assert isinstance(answered, Answered)

    def test_is_patient_too(self, target_of: Targets, http_server: Servers) -> None:
        server = http_server(429, 200)
        assert run(context_of(target_of(server)).fetch(HttpRequest("GET", "/", ()))).status == 200
        assert len(server.requests) == 2

    def test_without_a_response_is_blocked(self, target_of: Targets) -> None:
        with pytest.raises(Blocked):
            run(context_of(target_of()).fetch(HttpRequest("GET", "/", ())))


class TestChance:
    def test_a_guid_has_the_form_of_one(self, context: Context) -> None:
        form = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
        guids = [context.guid() for _ in range(100)]
        assert all(form.fullmatch(guid) for guid in guids)
        assert len(set(guids)) == 100

    def test_depends_on_the_seed_and_the_case_alone(self, target_of: Targets) -> None:
        target = target_of()
        assert context_of(target).guid() == context_of(target).guid()
        assert context_of(target, seed=8).guid() != context_of(target).guid()
        assert context_of(target, case="other").guid() != context_of(target).guid()


class TestTarget:
    @pytest.mark.parametrize(
        ("path", "languages"),
        [
            ("/speech/translate", "/languages"),
            ("/tenant/Speech/Translate?x=1", "/tenant/languages"),
            ("/ws", "/ws/languages"),
            ("/speech/translation/cognitiveservices/v1", "/languages"),
            ("/a/stt/speech/universal/V2?x=/speech/translate", "/a/languages"),
            ("/a/speech/universal/v2", "/a/languages"),
        ],
    )
    def test_other_services_stand_beside_the_speech_endpoint(
        self, target_of: Targets, path: str, languages: str
    ) -> None:
        assert target_of(path=path).beside("/languages") == languages


class TestReasons:
    def test_say_why_in_a_sentence(self) -> None:
        assert str(Blocked("the upgrade was refused")) == "the upgrade was refused"
        assert str(NotOffered("there is no voice")) == "there is no voice"
