"""Which cases a fault reaches: a mutator is tried on traffic that was recorded."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from conformance.faults import prove, registry
from conformance.faults.mutator import Mutator
from conformance.faults.prove import prove_one, run_in_memory
from conformance.faults.reach import Recorder, Traffic, changes, reached
from conformance.faults.registry import Fault
from conformance.feeds.server import Options
from protocol.wire import Close, Fragment, HttpRequest, HttpResponse, Kind, Message, Outbound, Party, PeerClosed

REQUEST = HttpRequest("GET", "/path?q=1", (("Host", "h"),))
RESPONSE = HttpResponse(101, (("A", "b"),), b"")
FRAME = Fragment(1.0, Kind.TEXT, b"said")
TEXT = Message.text("answer")
CLOSE = Close(1000, "enough")


class Shouts(Mutator):
    def on_message(self, message: Message) -> Iterable[Outbound]:
        return (Message.text(message.data.decode().upper()),)


class Deaf(Mutator):
    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        return ()


class Renamed(Mutator):
    def on_request(self, request: HttpRequest) -> HttpRequest:
        return HttpRequest(request.method, "/other", request.headers, request.body)


class Teapot(Mutator):
    def on_response(self, response: HttpResponse) -> HttpResponse:
        return HttpResponse(418, response.headers, response.body)


class Unfriendly(Mutator):
    def on_close(self, close: Close) -> Iterable[Outbound]:
        return (Close(1001, close.reason),)


class Twin(Mutator):
    def on_message(self, message: Message) -> Iterable[Outbound]:
        yield message
        yield message


def seen(*, text: Message = TEXT) -> Recorder:
    recorder = Recorder()
    assert recorder.request(REQUEST, 0.0) is REQUEST
    assert recorder.response(RESPONSE, 0.1) is RESPONSE
    assert recorder.inbound(FRAME, 1.0) == (FRAME,)
    assert recorder.outbound(text, 1.1) == (text,)
    assert recorder.outbound(CLOSE, 1.2) == (CLOSE,)
    assert recorder.inbound(PeerClosed(1.3, 1000, ""), 1.3) == (PeerClosed(1.3, 1000, ""),)
    return recorder


class TestARecorder:
    def test_keeps_all_that_passes_in_order(self) -> None:
        assert [name for name, _, _ in seen().steps] == [
            *("request", "response", "inbound", "outbound", "outbound", "inbound")
        ]
        assert [time for _, _, time in seen().steps] == [0.0, 0.1, 1.0, 1.1, 1.2, 1.3]


class TestAMutator:
    def test_that_passes_all_on_changes_nothing(self) -> None:
        assert not changes(Mutator(), seen())

    @pytest.mark.parametrize("mutator", [Shouts, Deaf, Renamed, Teapot, Unfriendly, Twin])
    def test_changes_something_wherever_it_sits(self, mutator: type[Mutator]) -> None:
        assert changes(mutator(), seen())

    def test_that_happens_to_say_the_same_changes_nothing(self) -> None:
        assert not changes(Shouts(), seen(text=Message.text("ANSWER")))


class TestAFault:
    def test_reaches_the_cases_in_which_it_changes_something(self) -> None:
        quiet = seen(text=Message.text("ANSWER"))
        traffic = Traffic([quiet], {"loud": [quiet, seen()], "quiet": [quiet], "plain": []})
        assert reached(Shouts, traffic) == ("loud",)

    def test_that_changes_the_control_reaches_everything(self) -> None:
        assert reached(Shouts, Traffic([seen()], {"quiet": []})) is None

    def test_is_tried_on_each_connection_by_itself(self) -> None:
        class Second(Mutator):
            messages = 0

            def on_message(self, message: Message) -> Iterable[Outbound]:
                self.messages += 1
                return (message,) if self.messages == 1 else ()

        assert reached(Second, Traffic([seen()], {"case": [seen(), seen()]})) == ()


class TestAProof:
    @pytest.mark.parametrize("identity", ["translator.auth.key-query/ignored", "speech.event.targets/ignored"])
    def test_from_the_cases_that_are_reached_says_what_all_cases_say(self, identity: str) -> None:
        dialect = "translator" if identity.startswith("translator") else "speech-v2"
        fault = registry.get(identity)
        names = reached(fault.mutator, prove.traffic(dialect))
        assert names is not None
        assert 0 < len(names) < len(prove.traffic(dialect).cases)
        whole = [check for check in run_in_memory(dialect, fault).checks if check.requirement == fault.requirement]
        departed = {check.case for check in whole if check.verdict in prove.DEPARTURES}
        assert set(prove_one(dialect, identity).by) == departed

    def test_of_a_fault_that_reaches_nothing_runs_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        idle = Fault("translator.auth.key-query/idle", "translator.auth.key-query", Party.SERVER, "Idle.", (), Mutator)
        monkeypatch.setattr(registry, "get", lambda _: idle)
        monkeypatch.setattr(prove, "run_in_memory", None)
        assert not prove_one("translator", idle.id).killed

    @pytest.mark.parametrize("shared", [True, False])
    def test_of_a_fault_whose_connections_know_of_each_other_or_that_is_of_policy_runs_everything(
        self, monkeypatch: pytest.MonkeyPatch, *, shared: bool
    ) -> None:
        fault = Fault(
            *("translator.auth.key-query/idle", "translator.auth.key-query", Party.SERVER, "Idle.", ()),
            mutator=type("Idle", (Mutator,), {"shared": shared}),
            policy={} if shared else {"tag": "other"},
        )
        monkeypatch.setattr(registry, "get", lambda _: fault)
        asked: list[object] = []

        def run(_: str, __: Fault, options: Options) -> object:
            asked.append(options)
            return run_in_memory("translator", None, Options(only=("no.case",)))

        monkeypatch.setattr(prove, "run_in_memory", run)
        prove_one("translator", fault.id)
        assert asked == [Options(repeats=0, connections=1 if shared else 8)]
