"""The official SDKs as they were recorded: two SDKs, two dialects, each in continuous recognition with a voice.

A throwaway server stood at the other end, so its departures are pinned too, but they are nobody's. Every departure has
its reason beside it; a new one, or one that is gone, is a change of the judge that somebody has to have meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from conformance.feeds.capture import read_capture
from conformance.feeds.capture_json import CaptureError
from conformance.feeds.recorded import judge_recorded
from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.transcript import Vantage
from protocol import requirements
from protocol.wire import Party
from tests.docs.fact_sheets import FOLDER

JS_V1 = "js-1.52.0-translation-v1-continuous"
JS_V2 = "js-1.52.0-universal-v2-continuous"
NATIVE_V1 = "python-1.53.0-translation-v1-continuous"
NATIVE_V2 = "python-1.53.0-universal-v2-continuous"
DIALECTS = {JS_V1: "speech-v1", JS_V2: "speech-v2", NATIVE_V1: "speech-v1", NATIVE_V2: "speech-v2"}

NON_STRICT, INFORMATIONAL = Verdict.NON_STRICT.value, Verdict.INFORMATIONAL.value

JS: Final = {
    # The key is in a header field, as it should be, and once more in the query: there it gets into logs.
    "speech.client.credentials-header": INFORMATIONAL,
    # Neither SDK describes its device; the document of recognition wants manufacturer, model and version.
    "speech.client.config-device": NON_STRICT,
    # ReceivedMessages is one object with a member for each path, where the document has a list of objects.
    "speech.client.telemetry-form": NON_STRICT,
    # The audio comes from a file, so that there is no microphone to report.
    "speech.client.telemetry-metrics": NON_STRICT,
}
NATIVE: Final = {
    # As of the other SDK.
    "speech.client.config-device": NON_STRICT,
    # speech.context goes without a Content-Type.
    "speech.client.content-type": NON_STRICT,
    # The first turn has two messages: the metrics of the connection, and those of the turn.
    "speech.client.telemetry-once": NON_STRICT,
    # As of the other SDK.
    "speech.client.telemetry-metrics": NON_STRICT,
}
SERVER_V2: Final = {
    # A voice began with its audio; audio.start never came.
    "speech.synthesis.start": NON_STRICT,
    # audio.end had no X-StreamId, unlike the audio before it.
    "speech.synthesis.stream-id": NON_STRICT,
}
CLIENT_DEPARTURES: Final = {JS_V1: JS, JS_V2: JS, NATIVE_V1: NATIVE, NATIVE_V2: NATIVE}
SERVER_DEPARTURES: Final = {
    JS_V1: {},
    JS_V2: SERVER_V2,
    # This SDK tells a v1 server no mode, and the server took the turn for a continuous one: two finals in it.
    NATIVE_V1: {"speech.turn.unknown-mode": INFORMATIONAL},
    NATIVE_V2: SERVER_V2,
}

SHOWN: Final = {
    # What a recording of a good conversation has to show, or its silence on departures would say nothing.
    Party.CLIENT: {
        "speech.client.config-first",
        "speech.client.audio-header",
        "speech.client.request-id",
        "speech.client.timestamp-form",
        "speech.client.end",
        "speech.client.telemetry",
        "speech.client.close",
    },
    Party.SERVER: {
        "speech.handshake.accept",
        "speech.frame.header-path",
        "speech.turn.start-first",
        "speech.turn.end-last",
        "speech.turn.id-echo",
        "speech.result.ticks",
        "speech.synthesis.on-request",
    },
}


def captured(name: str) -> Path:
    """Return the path of a capture; skip the test, loudly, if it is not there."""
    path = FOLDER / "captures" / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"the capture is not there, so it was not judged: {path}")
    return path


def judged(name: str, party: Party, vantage: Vantage | None = None) -> tuple[Check, ...]:
    """Return what the judge says of a party in a capture; the run has to conform."""
    transcripts = read_capture(captured(name), vantage=vantage)
    report = judge_recorded(transcripts, [party], {"file": name}, lambda _: None)
    assert (report.dialect, report.exit_code) == (DIALECTS[name], ExitCode.CONFORMING)
    return report.checks


def departures(checks: tuple[Check, ...]) -> dict[str, str]:
    """Return the verdict by requirement of every check that is not ok."""
    return {check.requirement: check.verdict.value for check in checks if check.verdict is not Verdict.OK}


@pytest.mark.parametrize("name", DIALECTS)
class TestDepartures:
    def test_of_the_sdk_are_these(self, name: str) -> None:
        assert departures(judged(name, Party.CLIENT)) == CLIENT_DEPARTURES[name]

    def test_of_the_sdk_are_tolerated_or_our_own_advice(self, name: str) -> None:
        for row in map(requirements.get, departures(judged(name, Party.CLIENT))):
            assert row.tolerated or row.basis.value == "project", row.id

    def test_of_the_server_are_these(self, name: str) -> None:
        assert departures(judged(name, Party.SERVER)) == SERVER_DEPARTURES[name]

    @pytest.mark.parametrize("party", list(Party))
    def test_are_the_only_ones_where_the_conversation_is_seen(self, name: str, party: Party) -> None:
        assert {check.requirement for check in judged(name, party)} >= SHOWN[party]

    @pytest.mark.parametrize("vantage", list(Vantage))
    @pytest.mark.parametrize("party", list(Party))
    def test_are_no_violation_from_anywhere(self, name: str, party: Party, vantage: Vantage) -> None:
        assert Verdict.VIOLATION.value not in departures(judged(name, party, vantage)).values()


class TestEvents:
    @pytest.mark.parametrize("name", DIALECTS)
    def test_of_an_sdk_are_no_traffic(self, name: str) -> None:
        with pytest.raises(CaptureError, match=r"line 1: expected a capture as JSON lines .* got other JSON"):
            read_capture(captured(f"{name}.events"))
