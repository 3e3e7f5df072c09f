"""Which cases a fault reaches: a mutator is tried on traffic that was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

import pytest

from conformance.faults import prove, registry
from conformance.faults.memory import SOUND, check, run_in_memory
from conformance.faults.mutator import Mutator
from conformance.faults.prove import prove_one
from conformance.faults.reach import Recorder, Seen, Sound, changes, reached, record, touches
from conformance.faults.registry import Fault
from conformance.feeds.server import Options
from conformance.peers.virtual import run
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


def fault_of(mutator: type[Mutator] = Mutator, *, path: str | None = None, **policy: object) -> Fault:
    requirement = "translator.auth.key-query"
    return Fault(f"{requirement}/idle", requirement, Party.SERVER, "Idle.", (), mutator, None, policy, path)


def _target(tap: Recorder) -> str:
    request = tap.steps[0][1]
    assert isinstance(request, HttpRequest)
    return request.target


@pytest.fixture(scope="module")
def sound() -> Sound:
    return record("translator")


class TestAFault:
    def test_reaches_the_cases_in_which_it_changes_something(self) -> None:
        quiet = seen(text=Message.text("ANSWER"))
        cases = {"loud": Seen([quiet, seen()]), "quiet": Seen([quiet]), "plain": Seen([])}
        assert reached(fault_of(Shouts), cases) == ("loud",)

    def test_is_tried_on_each_connection_by_itself(self) -> None:
        class Second(Mutator):
            messages = 0

            def on_message(self, message: Message) -> Iterable[Outbound]:
                self.messages += 1
                return (message,) if self.messages == 1 else ()

        assert not touches(fault_of(Second), Seen([seen(), seen()]))

    def test_of_policy_reaches_the_cases_in_which_it_is_asked_for(self) -> None:
        cases = {"asked": Seen([], {"tag", "asterisks"}), "not asked": Seen([seen()], {"asterisks"})}
        assert reached(fault_of(tag="other"), cases) == ("asked",)


class TestTheSoundServer:
    def test_is_seen_in_the_control_and_in_each_case_once(self, sound: Sound) -> None:
        assert sound.report.exit_code == 0
        assert len(sound.control.connections) == 1
        assert len({id(tap) for seen in sound.cases.values() for tap in seen.connections}) == sum(
            len(seen.connections) for seen in sound.cases.values()
        )
        assert set(sound.cases) == set(sound.report.elapsed)

    def test_first_case_is_seen_without_the_control_before_it(self, sound: Sound) -> None:
        first = next(iter(sound.cases))
        taps: list[Recorder] = []

        def tap() -> Recorder:
            taps.append(Recorder())
            return taps[-1]

        alone = check("translator", SOUND, tap, Options(only=(first,)), diagnosis=deepcopy(sound.diagnosis))
        run(alone)
        asked = [[_target(tap) for tap in seen] for seen in (taps, sound.cases[first].connections)]
        assert asked[0] == asked[1] != []

    def test_is_asked_for_its_policy_where_that_matters(self, sound: Sound) -> None:
        asked = {name for name, seen in sound.cases.items() if "asterisks" in seen.read}
        assert asked == {"profanity.treatment", "profanity.scope"}
        assert "endpoint_silence_ms" in sound.control.read
        assert "asterisks" not in sound.control.read


class TestAProof:
    @pytest.mark.parametrize(
        "identity",
        [
            "translator.auth.key-query/ignored",
            "translator.profanity.asterisk/four",
            "translator.endpoint.one-second/two-seconds",
            "translator.result.type/capital",
            "translator.handshake.no-subprotocol/selects-one",
        ],
        ids=["cases", "policy that few ask for", "policy that the control asks for", "control", "doctor finds it"],
    )
    def test_from_the_cases_that_are_reached_says_what_all_cases_say(self, sound: Sound, identity: str) -> None:
        fault = registry.get(identity)
        whole = [check for check in run_in_memory("translator", fault).checks if check.verdict in prove.DEPARTURES]
        proof = prove_one(sound, fault)
        assert set(proof.by) == {check.case for check in whole if check.requirement == fault.requirement}
        assert set(proof.also) == {check.requirement for check in whole if check.requirement != fault.requirement}
        assert proof.killed

    def test_of_a_fault_that_reaches_nothing_runs_nothing(self, sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(prove, "run_in_memory", None)
        assert not prove_one(sound, fault_of()).killed

    @pytest.mark.parametrize(
        ("fault", "connections"),
        [(fault_of(type("Shared", (Mutator,), {"shared": True})), 1), (fault_of(path="/elsewhere"), 8)],
        ids=["whose connections know of each other", "of another path"],
    )
    def test_of_a_fault_that_cannot_be_tried_by_itself_runs_everything(
        self, sound: Sound, fault: Fault, connections: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []

        def everything(_: str, __: Fault, options: Options) -> object:
            asked.append(options)
            return sound.report

        monkeypatch.setattr(prove, "run_in_memory", everything)
        assert not prove_one(sound, fault).killed
        assert asked == [Options(repeats=0, connections=connections)]
