"""The alternatives of one requirement in the speech dialects, each with its verdict: what a server may do instead.

The peer is the reference server behind a mutator. What the catalogue of faults breaks already is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from conformance.cases import registry
from conformance.cases.target import ENDPOINTS
from conformance.faults.mutator import Mutator
from conformance.judge.verdict import Check, Verdict
from conformance.peers.budget import Budget
from conformance.peers.virtual import MemoryListener, run
from conformance.runner import run_cases
from protocol.errors import PeerViolation
from protocol.speech.framing import UspMessage, read, write
from protocol.wire import Abort, Close, Fragment, HttpRequest, HttpResponse, Kind, Message, Outbound, header
from reference_server.app import Server
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Settings
from tests.targets import target_at

V, N, INFO, OK = Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL, Verdict.OK
V1, V2 = "speech-v1", "speech-v2"
MALFORMED = Close(1007, "no")
FINE = {Verdict.OK, Verdict.NOT_APPLICABLE}


def checks_of(dialect: str, name: str, mutator: Callable[[], Mutator] = Mutator) -> dict[str, Check]:
    """Run one case against the server behind a mutator; return its checks by requirement, without the folder."""

    async def main() -> dict[str, Check]:
        server = Server(Settings(keys=("test-key",)), ScriptedEngine(), tap=mutator)
        await server.start()
        listener = MemoryListener(server.handle)
        target = target_at(listener.connect, path=ENDPOINTS[dialect][0])
        (case,) = [case for case in registry.load(dialect) if case.id == name]
        (done,) = await run_cases((case,), target, Budget(), seed=7, connections=8, finished=lambda _: None)
        await listener.close()
        await server.shutdown()
        return {check.requirement.removeprefix("speech."): check for check in done.checks}

    return run(main())


def verdicts(checks: dict[str, Check]) -> dict[str, Verdict]:
    """Return what is not fine."""
    return {name: check.effective for name, check in checks.items() if check.effective not in FINE}


def message_of(fragment: Fragment) -> UspMessage | None:
    """Return what a frame holds, if that can be read."""
    try:
        return read(fragment.kind, fragment.data)
    except PeerViolation:
        return None


def refusing(wrong: Callable[[HttpRequest], object], status: int = 400) -> type[Mutator]:
    """Refuse the upgrades that `wrong` finds."""

    class Refuses(Mutator):
        def on_response(self, response: HttpResponse) -> HttpResponse:
            return HttpResponse(status, ()) if response.status == 101 and wrong(self.asked) else response

    return Refuses


class Objects(Mutator):
    """Ends the connection, in a way, at the frame that `wrong` finds."""

    how: Outbound | None = MALFORMED
    gone = False

    def wrong(self, fragment: Fragment) -> bool:
        raise NotImplementedError

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        if self.gone:
            return ()
        if self.wrong(fragment):
            self.gone = True
            return (Fragment(fragment.time, Kind.TEXT, b""),)  # which the session closes with 1007
        return (fragment,)

    def on_message(self, message: Message) -> Iterable[Outbound]:
        return () if self.gone else (message,)

    def on_close(self, close: Close) -> Iterable[Outbound]:
        if not self.gone:
            return (close,)
        return () if self.how is None else (self.how,)


def objecting(wrong: Callable[[Fragment], object], how: Outbound | None = MALFORMED) -> type[Mutator]:
    """End the connection at the frame that `wrong` finds; with None, say nothing more for ever."""
    return type("Objecting", (Objects,), {"wrong": lambda _, fragment: bool(wrong(fragment)), "how": how})


def empty(fragment: Fragment) -> bool:
    return fragment.kind is Kind.TEXT and not fragment.data


class TestControls:
    """A refusal, and a way that is not served, count only beside something that is."""

    @pytest.mark.parametrize("dialect", [V1, V2])
    @pytest.mark.parametrize(
        "name", ["read.forms", "config.forms", "context.forms", "malformed.text", "audio.wrong", "audio.strays"]
    )
    def test_a_server_that_hears_nothing_is_not_blamed_for_the_details(self, dialect: str, name: str) -> None:
        deaf = objecting(lambda fragment: (seen := message_of(fragment)) and seen.body.startswith(b"RIFF"))
        found = verdicts(checks_of(dialect, name, deaf))
        assert set(found.values()) == {Verdict.COULD_NOT_RUN}

    @pytest.mark.parametrize("name", ["handshake.connection-id", "auth.missing", "endpoint.elsewhere", "auth.key"])
    def test_a_server_that_refuses_everything_either(self, name: str) -> None:
        assert set(verdicts(checks_of(V2, name, refusing(lambda _: True, 403))).values()) <= {Verdict.COULD_NOT_RUN}


class TestHandshake:
    def test_a_connection_id_must_count_in_every_place_and_form(self) -> None:
        in_query = refusing(lambda request: header(request.headers, "X-ConnectionId") is None)
        assert verdicts(checks_of(V1, "handshake.connection-id", in_query)) == {"handshake.connection-id-query": V}
        upper = refusing(lambda request: (header(request.headers, "X-ConnectionId") or "").isupper())
        assert verdicts(checks_of(V1, "handshake.connection-id", upper)) == {"handshake.connection-id-case": V}

    @pytest.mark.parametrize(("status", "verdict"), [(400, N), (401, OK), (404, N), (500, N), (101, V)])
    def test_a_missing_credential_is_refused_with_one_of_two_statuses(self, status: int, verdict: Verdict) -> None:
        class Answers(Mutator):
            def on_request(self, request: HttpRequest) -> HttpRequest:
                good = (("Ocp-Apim-Subscription-Key", "test-key"), *request.headers)
                return replace(request, headers=good) if status == 101 else request

            def on_response(self, response: HttpResponse) -> HttpResponse:
                return response if response.status == 101 else HttpResponse(status, ())

        assert checks_of(V1, "auth.missing", Answers)["auth.missing"].effective is verdict

    def test_a_wrong_header_that_the_query_rescues_is_not_strict(self) -> None:
        class Rescues(Mutator):
            def on_request(self, request: HttpRequest) -> HttpRequest:
                kept = tuple(pair for pair in request.headers if pair[0] != "Ocp-Apim-Subscription-Key")
                return replace(request, headers=kept) if "Ocp-Apim" in request.query else request

        assert verdicts(checks_of(V2, "auth.precedence", Rescues)) == {"auth.header-beats-query": N}


class TestMalformed:
    @pytest.mark.parametrize(
        ("how", "found"),
        [
            (Close(1007, "no"), {}),
            (Close(1002, "no"), {"malformed.text-empty": N}),
            (Abort(), {"malformed.text-empty": N, "malformed.isolated": V}),
            (None, {"malformed.text-empty": N, "malformed.isolated": V}),
        ],
    )
    def test_an_end_with_a_code_is_the_least_that_is_due(self, how: Outbound | None, found: dict[str, Verdict]) -> None:
        assert verdicts(checks_of(V2, "malformed.text", objecting(empty, how))) == found

    def test_skipping_is_not_strict(self) -> None:
        class Skips(Mutator):
            def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
                return () if empty(fragment) and fragment.first and fragment.final else (fragment,)

        assert verdicts(checks_of(V1, "malformed.text", Skips)) == {"malformed.text-empty": N}

    @pytest.mark.parametrize("dialect", [V1, V2])
    def test_an_id_with_dashes_may_be_served_if_it_comes_back_as_it_is(self, dialect: str) -> None:
        class Takes(Mutator):
            """Reads the id without dashes, and writes it back with them unless it `alters` it."""

            alters = False
            dashed = ""

            def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
                message = message_of(fragment)
                if message is None or "-" not in message.request_id:
                    return (fragment,)
                self.dashed = message.request_id
                headers = tuple((name, self._plain(value)) for name, value in message.headers)
                return (replace(fragment, data=write(replace(message, headers=headers)).data),)

            def on_message(self, message: Message) -> Iterable[Outbound]:
                if not self.dashed or self.alters:
                    return (message,)
                plain, dashed = self._plain(self.dashed).encode(), self.dashed.encode()
                data = message.data.replace(plain, dashed, 1)
                return (Message(message.kind, (data,)),)

            def _plain(self, value: str) -> str:
                return value.replace("-", "") if value == self.dashed else value

        name = "malformed.dashed-id"
        assert verdicts(checks_of(dialect, name)) == {}
        assert verdicts(checks_of(dialect, name, Takes)) == {}
        altering = type("Alters", (Takes,), {"alters": True})
        assert verdicts(checks_of(dialect, name, altering)) == {"malformed.request-id-form": N}


class TestAudio:
    @pytest.mark.parametrize(("how", "verdict"), [(Close(1009, "no"), N), (Abort(), V), (None, V)])
    def test_a_large_message_may_be_closed_but_not_aborted(self, how: Outbound | None, verdict: Verdict) -> None:
        large = objecting(lambda fragment: fragment.first and not fragment.final, how)
        assert verdicts(checks_of(V1, "audio.chunks", large)) == {"audio.chunk-size": verdict}

    @pytest.mark.parametrize(("how", "verdict"), [(Close(1002, "no"), N), (Close(1007, ""), OK)])
    def test_no_header_may_be_refused_otherwise(self, how: Outbound, verdict: Verdict) -> None:
        headerless = objecting(
            lambda fragment: (
                (seen := message_of(fragment))
                and header(seen.headers, "Content-Type") == "audio/x-wav"
                and not seen.body.startswith(b"RIFF")
            ),
            how,
        )
        checks = checks_of(V1, "audio.wrong", headerless)
        assert checks["audio.no-header"].effective is verdict
        assert checks["audio.bad-format"].effective is OK

    def test_speech_behind_an_empty_message_must_not_be_lost(self) -> None:
        class EndsAtOnce(Mutator):
            """Drops the audio of a stream that was ended."""

            ended = frozenset[str]()

            def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
                message = message_of(fragment)
                if message is None or message.path != "audio":
                    return (fragment,)
                if message.request_id in self.ended:
                    return ()
                if not message.body:
                    self.ended |= {message.request_id}
                return (fragment,)

        assert verdicts(checks_of(V1, "audio.end-voided", EndsAtOnce)) == {"audio.end-voided": V}


class TestContext:
    def test_wanting_one_is_not_strict_and_minding_one_is_a_violation(self) -> None:
        class Wants(Objects):
            told = False

            def wrong(self, fragment: Fragment) -> bool:
                message = message_of(fragment)
                self.told |= message is not None and message.path == "speech.context"
                return message is not None and message.path == "audio" and not self.told

        assert verdicts(checks_of(V1, "context.optional", Wants)) == {"context.optional": N}
        minds = objecting(lambda fragment: (seen := message_of(fragment)) and seen.path == "speech.context")
        assert verdicts(checks_of(V1, "context.optional", minds)) == {"context.optional": V}

    def test_of_a_finished_id_that_is_served_is_not_strict(self) -> None:
        class Forgets(Mutator):
            """Ignores a context whose id was used before."""

            used = frozenset[str]()

            def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
                message = message_of(fragment)
                if message is None or message.path != "speech.context":
                    return (fragment,)
                again = message.request_id in self.used
                self.used |= {message.request_id}
                return () if again else (fragment,)

        assert verdicts(checks_of(V2, "context.reused-id", Forgets)) == {"context.reused-id": N}
