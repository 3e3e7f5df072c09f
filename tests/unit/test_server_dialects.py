"""The table of dialects, and what the adapter of `translator` makes of a request."""

from __future__ import annotations

import pytest

from protocol.audio import PcmFormat
from protocol.events import AudioStarted, Task
from protocol.rejection import Rejected
from protocol.riff import build_header
from protocol.translator.handshake import build_target
from protocol.translator.policy import Policy
from protocol.translator.session import ServerSession
from protocol.wire import Close, Fragment, HttpRequest, Kind
from reference_server.auth import Authority
from reference_server.dialects import Dialect, dialects
from reference_server.engines.scripted import ScriptedEngine
from reference_server.opening import Opening
from reference_server.policy import Settings

KEY = (("Ocp-Apim-Subscription-Key", "test-key"),)


def translator(policy: Policy | None = None) -> Dialect:
    settings = Settings(translator=policy or Policy())
    return dialects(settings, Authority(settings.keys, settings.secret), ScriptedEngine())["/speech/translate"]


def admit(policy: Policy | None = None, headers: tuple[tuple[str, str], ...] = KEY, **wanted: str | None) -> Opening:
    target = build_target(source=wanted.pop("source", "en-US"), target=wanted.pop("target", "pt"), **wanted)  # type: ignore[arg-type]
    return translator(policy).admit(HttpRequest("GET", target, headers))


class TestAdmission:
    def test_credentials_come_before_parameters(self) -> None:
        for headers, status in (((), 401), (KEY, 400)):
            with pytest.raises(Rejected) as refusal:
                admit(headers=headers, source="xx")
            assert refusal.value.rejection.status == status

    def test_request_and_policy_reach_the_session(self) -> None:
        opening = admit(Policy(endpoint_silence_ms=500), source="en", target="it-IT")
        header = Fragment(100.0, Kind.BINARY, build_header(PcmFormat(8000)))
        task = Task("en-US", ("it",), silence_ms=500, growth_ms=None)
        assert opening.session(100.0).receive(header) == [AudioStarted(PcmFormat(8000), task)]

    def test_a_session_begins_at_its_time(self) -> None:
        session = admit().session(100.0)
        assert isinstance(session, ServerSession)
        assert session.next_deadline == 700.0

    def test_the_shell_knows_how_to_close_over_its_head(self) -> None:
        opening = admit()
        assert opening.flooded == Close(1008, "too much traffic that carries no audio")
        assert opening.failed == Close(1011, "Internal Server Error: the server failed")


class TestOthers:
    def test_what_asks_for_no_upgrade_gets_the_usual_answer(self) -> None:
        assert translator().plain(HttpRequest("GET", "/speech/translate", ())) is None

    def test_nobody_is_sent_elsewhere(self) -> None:
        assert translator().redirect is None
