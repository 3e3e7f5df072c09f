"""`speechwire translate` in the speech dialects, run as its users run it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import schemas
from protocol.audio import PcmFormat, rms_dbfs
from protocol.riff import build_file, parse_file
from tests.loop.hostile_peers import TEXT, Reader, Writer, dead_port, frame, frames, serving, status, upgraded

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

DIALECTS = ("speech-v1", "speech-v2")
KEY = ("--key", "test-key")
BURST = ("--pace", "0")
NOBODY = "ws://127.0.0.1:9"
CLEAR = "corpus:clear-1"
RECOGNITION = "The train to the airport leaves at half past nine."
PORTUGUESE = "O trem para o aeroporto sai às nove e meia."
GERMAN = "Der Zug zum Flughafen fährt um halb zehn ab."

Relay = Callable[[bytes, int], bool]
"""Tells whether a connection goes on, from the bytes of the client that passed last and how many there were in all."""


@contextlib.contextmanager
def relay(port: int, goes_on: list[Relay]) -> Iterator[str]:
    """Give the URL of a relay to a port that resets each connection when its entry of the list says so."""
    listener = socket.create_server(("127.0.0.1", 0))

    def back(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def serve(client: socket.socket, rule: Relay) -> None:
        passed = 0
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", port)) as server:
            threading.Thread(target=back, args=(client, server), daemon=True).start()
            while data := client.recv(1 << 16):
                passed += len(data)
                if not rule(data, passed):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, no end
                    return
                server.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                rule = goes_on.pop(0) if goes_on else lambda _data, _passed: True
                threading.Thread(target=serve, args=(client, rule), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def recorded(name: str) -> bytes:
    return parse_file((schemas.corpus_dir() / f"{name}.wav").read_bytes())[1]


def finals(ran: Ran) -> list[dict[str, Any]]:
    return [line for line in ran.lines if line["event"] == "final"]


def texts(session: dict[str, Any]) -> list[tuple[str, dict[str, str], Any]]:
    """Return path, headers and body of each text message that the server received in a session."""
    found = []
    for text in session["received"]["texts"]:
        head, _, body = text.partition("\r\n\r\n")
        headers = dict(line.split(":", 1) for line in head.split("\r\n"))
        found.append((headers["Path"], headers, json.loads(body)))
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
class TestForAPerson:
    def test_shows_a_line_for_each_language(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--dialect", dialect, "--to", "pt", "--to", "de")
        )
        assert (ran.code, ran.err) == (0, "")
        *partials, recognition, first, second, closed = ran.out.splitlines()
        assert all("→" in partial for partial in partials)
        assert recognition == f"0 {RECOGNITION}"
        assert (first, second) == (f"  pt = {PORTUGUESE}", f"  de = {GERMAN}")
        assert closed == "closed 1000"

    def test_one_language_goes_without_its_name(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        begun = time.monotonic()
        ran = speechwire("translate", CLEAR, "--url", server.url, *KEY, "--dialect", dialect)
        assert ran.out.splitlines()[-3:] == [f"0 {RECOGNITION}", f"  = {PORTUGUESE}", "closed 1000"]
        assert time.monotonic() - begun > 2.5, "by default it speaks at the speed of speech"

    def test_says_that_nothing_was_said(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", "corpus:silence", "--url", server.url, *KEY, *BURST),
            *("--dialect", dialect, "--mode", "interactive"),
        )
        assert ran.out.splitlines() == ["0 (NoMatch)", "closed 1000"]


@pytest.mark.parametrize("dialect", DIALECTS)
class TestForAProgram:
    def test_finals_have_all_texts_and_times_of_the_session(
        self, speechwire: Speechwire, server: Serving, dialect: str
    ) -> None:
        ran = speechwire(
            *("translate", "corpus:pair", "--url", server.url, *KEY, *BURST, "--json"),
            *("--dialect", dialect, "--to", "de", "--to", "pt"),
        )
        assert (ran.code, ran.err) == (0, "")
        assert ran.lines[-1] == {"event": "closed", "code": 1000, "reason": "", "complete": True}
        first, second = finals(ran)
        assert (first["id"], second["id"]) == ("0", "1")
        assert first["recognition"] == "I would like a cup of coffee."
        assert list(first["translations"]) == ["de", "pt"]
        assert first["translation"] == first["translations"]["de"] == "Ich hätte gern eine Tasse Kaffee."
        assert 0 < first["offset"] < first["offset"] + first["duration"] < second["offset"]
        partials = [line for line in ran.lines if line["event"] == "partial"]
        assert {partial["id"].partition(".")[0] for partial in partials} == {"0", "1"}
        assert all(partial["translation"] == partial["translations"]["de"] for partial in partials)

    def test_voices_are_files_that_play_in_their_language(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path, dialect: str
    ) -> None:
        ran = speechwire(
            *("translate", "corpus:pair", "--url", server.url, *KEY, *BURST, "--json", "--save", tmp_path / "new"),
            *("--dialect", dialect, "--to", "pt", "--to", "de", "--voice", "auto"),
        )
        assert ran.code == 0
        voices = [line for line in ran.lines if line["event"] == "voice"]
        spoken = ["pt", "de"] if dialect == "speech-v2" else ["pt"]
        assert [(voice["id"], voice["language"]) for voice in voices] == [
            (final, language) for final in ("0", "1") for language in spoken
        ]
        for voice in voices:
            data = Path(voice["file"]).read_bytes()
            assert len(data) == voice["bytes"]
            header, samples = parse_file(data)
            assert header.format == PcmFormat(16_000)
            assert rms_dbfs(samples) > -40.0

    def test_a_named_voice_speaks_its_own_language(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json"),
            *("--dialect", dialect, "--to", "pt", "--to", "de", "--voice", "de-DE-KatjaNeural"),
        )
        [voice] = [line for line in ran.lines if line["event"] == "voice"]
        assert (ran.code, voice["language"]) == (0, "de")

    def test_one_shot_ends_with_the_first_final(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", "corpus:pair", "--url", server.url, *KEY, *BURST, "--json"),
            *("--dialect", dialect, "--mode", "interactive"),
        )
        assert ran.code == 0
        assert [final["recognition"] for final in finals(ran)] == ["I would like a cup of coffee."]

    def test_a_long_silence_ends_a_turn_and_nothing_is_lost(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path, dialect: str
    ) -> None:
        stream, before, behind = PcmFormat(16_000), recorded("clear-1"), recorded("clear-2")
        file = tmp_path / "long.wav"
        file.write_bytes(build_file(stream, before + bytes(stream.ms_to_bytes(16_000)) + behind))
        ran = speechwire("translate", file, "--url", server.url, *KEY, *BURST, "--json", "--dialect", dialect)
        said, silence, said_later = finals(ran)
        assert (ran.code, said["recognition"], silence["recognition"]) == (0, RECOGNITION, "")
        assert said_later["recognition"] == "Please send me the report before Friday."
        start = stream.bytes_to_ticks(len(before)) + 16_200 * 10_000
        assert abs(said_later["offset"] - start) < 1_500_000
        assert [path for path, _, _ in texts(server.received()[-1])] == [
            "speech.config",
            *("speech.context", "telemetry"),
            *("speech.context", "telemetry"),
        ]


@pytest.mark.parametrize("dialect", DIALECTS)
class TestWhatIsAskedFor:
    def test_in_query_and_context(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--dialect", dialect, "--from", "en-GB"),
            *("--to", "de-DE", "--to", "fr", "--mode", "dictation", "--profanity", "Raw", "--header", "X-Test: 1"),
        )
        session = server.received()[-1]
        headers = {name.lower(): value for name, value in session["request"]["headers"]}
        assert len(headers["x-connectionid"]) == 32
        assert headers["x-test"] == "1"
        query = session["request"]["target"].partition("?")[2]
        wanted = "from=en-GB&to=de-DE&to=fr&scenario=dictation&profanity=raw"
        assert query == (wanted if dialect == "speech-v1" else "")
        (_, config_headers, config), (_, context_headers, context), _ = texts(session)
        assert config["recognition"] == "dictation"
        assert context["phraseDetection"]["language"] == "en-GB"
        assert context["phraseDetection"]["enrichment"] == {"profanity": "Raw"}
        assert context["translation"]["targetLanguages"] == ["de-DE", "fr"]
        assert "X-RequestId" not in config_headers
        assert len(context_headers["X-RequestId"]) == 32

    def test_stereo_at_another_rate(
        self, speechwire: Speechwire, server: Serving, tmp_path: Path, dialect: str
    ) -> None:
        mono = recorded("clear-1")
        file = tmp_path / "stereo.wav"
        pairs = b"".join(mono[at : at + 2] * 2 for at in range(0, len(mono), 4))
        file.write_bytes(build_file(PcmFormat(8_000, channels=2), pairs))
        ran = speechwire("translate", file, "--url", server.url, *KEY, *BURST, "--dialect", dialect)
        assert (ran.code, f"0 {RECOGNITION}" in ran.out) == (0, True)


class TestRedirects:
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_are_followed_with_credential_and_query(
        self, speechwire: Speechwire, server: Serving, dialect: str
    ) -> None:
        with speechwire.serve("--redirect", server.url) as redirecting:
            ran = speechwire("translate", CLEAR, "--url", redirecting.url, *KEY, *BURST, "--dialect", dialect)
        assert (ran.code, ran.out.splitlines()[-1]) == (0, "closed 1000")

    def test_not_for_ever(self, speechwire: Speechwire) -> None:
        port = dead_port()
        with speechwire.serve("--redirect", f"ws://127.0.0.1:{port}", "--port", str(port)) as redirecting:
            ran = speechwire("translate", CLEAR, "--url", redirecting.url, *KEY, "--dialect", "speech-v2")
        assert (ran.code, ran.complaint) == (3, "the server redirects more than 5 times")

    @pytest.mark.parametrize(
        "location",
        ["/elsewhere", "http://127.0.0.1:9/", "ws://[::1", "ws://127.0.0.1:99999/", "ws://h/\xe4", "", "ws:"],
    )
    def test_only_to_an_absolute_address(self, speechwire: Speechwire, location: str) -> None:
        with serving(status("307 Temporary Redirect", f"Location: {location}\r\n")) as port:
            ran = speechwire("translate", CLEAR, "--url", f"ws://127.0.0.1:{port}", *KEY, "--dialect", "speech-v2")
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint.startswith("the server redirects with status 307 to ")


@pytest.mark.parametrize("dialect", DIALECTS)
class TestWhatTheServiceRefuses:
    def test_a_source_language(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", "--dialect", dialect, "--from", "xx")
        )
        assert ran.code == 1
        [closed] = ran.lines
        assert (closed["event"], closed["code"], closed["complete"]) == ("closed", 1007, False)
        assert "'xx'" in closed["reason"]

    def test_a_target_language(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", "--dialect", dialect, "--to", "zz")
        )
        assert ran.code == 1
        [final], [error] = finals(ran), [line for line in ran.lines if line["event"] == "error"]
        assert (final["recognition"], final["translation"], error["status"]) == (RECOGNITION, "", "Error")
        assert "'zz'" in error["message"]

    def test_a_voice(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire(
            *("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", "--dialect", dialect, "--voice", "Bob")
        )
        assert ran.code == 1
        assert finals(ran)[0]["translation"] == PORTUGUESE
        assert ["Bob" in line["message"] for line in ran.lines if line["event"] == "error"] == [True]

    def test_a_key(self, speechwire: Speechwire, server: Serving, dialect: str) -> None:
        ran = speechwire("translate", CLEAR, "--url", server.url, "--key", "hunter2", "--dialect", dialect, "--json")
        assert (ran.code, ran.lines) == (3, [{"event": "error", "message": ran.complaint}])
        assert ran.complaint.startswith("the server refused the session with status 403: ")
        assert "hunter2" not in ran.err


class TestAServiceThatFails:
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_with_a_status(self, speechwire: Speechwire, tmp_path: Path, dialect: str) -> None:
        script = tmp_path / "fails.json"
        script.write_text('{"defaults": [{"fail": {"before": "final", "as": "overload"}}]}', "utf-8")
        with speechwire.serve("--script", script) as server:
            ran = speechwire(*("translate", CLEAR, "--url", server.url, *KEY, *BURST, "--json", "--dialect", dialect))
        assert ran.code == 1
        error, closed = ran.lines[-2:]
        assert error["status"] == "TooManyRequests"
        assert (closed["event"], closed["complete"]) == ("closed", False)


class TestAServerThatIsNotExact:
    def test_what_is_no_must_is_told_and_costs_nothing(self, speechwire: Speechwire) -> None:
        phrase = {"RecognitionStatus": "Success", "DisplayText": "Hi.", "Offset": 0, "Duration": 100_000_000}
        final = {"SpeechPhrase": phrase, "TranslationStatus": "Success", "Translations": []}
        said = [("turn.start", {}), ("speech.startDetected", {}), ("translation.response", final), ("turn.end", {})]

        async def peer(reader: Reader, writer: Writer) -> None:
            await upgraded(reader, writer)
            async for _, payload in frames(reader):
                if b"Path:audio" in payload and payload.endswith(b"Z\r\n"):  # the empty message
                    identity = payload.partition(b"X-RequestId:")[2][:32].decode()
                    for path, body in said:
                        text = f"X-RequestId:{identity}\r\nPath:{path}\r\n\r\n{json.dumps(body)}"
                        writer.write(frame(TEXT, text.encode()))

        with serving(peer) as port:
            url = f"ws://127.0.0.1:{port}"
            ran = speechwire("translate", CLEAR, "--url", url, *BURST, "--json", "--dialect", "speech-v2")
        error, final, closed = ran.lines
        assert (ran.code, error["requirement"]) == (0, "speech.detected.start-form")
        assert (final["recognition"], closed["complete"]) == ("Hi.", True)


class TestReconnect:
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_a_connection_that_breaks_in_mid_turn_costs_nothing(
        self, speechwire: Speechwire, server: Serving, dialect: str
    ) -> None:
        before = len(server.received())
        with relay(server.port, [lambda _, passed: passed < 90_000]) as url:
            ran = speechwire(
                *("translate", "corpus:pair", "--url", url, *KEY, "--pace", "2", "--json", "--dialect", dialect)
            )
        assert ran.code == 0
        first, second = finals(ran)
        assert (first["recognition"], second["recognition"]) == (
            "I would like a cup of coffee.",
            "Can you tell me where the station is?",
        )
        assert 29_000_000 < second["offset"] < 32_000_000, "in the time of the session"
        *_, old, new = server.received()
        assert len(server.received()) - before == 2
        connections = [dict(session["request"]["headers"])["X-ConnectionId"] for session in (old, new)]
        assert connections[0] == connections[1]
        turns = [headers["X-RequestId"] for path, headers, _ in texts(old) + texts(new) if path == "speech.context"]
        assert len(set(turns)) == 2
        assert [path for path, _, _ in texts(new)] == ["speech.config", "speech.context", "telemetry"]

    def test_attempts_that_fail_are_reported_on_the_connection_that_does_not(
        self, speechwire: Speechwire, server: Serving
    ) -> None:
        never = [lambda _data, _passed: False] * 2
        with relay(server.port, [*never]) as url:
            ran = speechwire("translate", CLEAR, "--url", url, *KEY, *BURST, "--dialect", "speech-v2")
        assert ran.code == 0
        _, (path, _, report), *_ = texts(server.received()[-1])
        assert path == "telemetry"
        assert [metric["Error"] for metric in report["Metrics"]] == ["ServerError", "ServerError"]
        assert ran.out.count("no HTTP response") == 2

    def test_it_gives_up_in_the_end(self, speechwire: Speechwire, server: Serving) -> None:
        with relay(server.port, [lambda _, passed: passed < 4_000] * 5) as url:
            ran = speechwire("translate", CLEAR, "--url", url, *KEY, *BURST, "--dialect", "speech-v2")
        assert ran.code == 1
        assert ran.out.splitlines()[-2:] == ["closed 1006", "incomplete: no final has come"]
        assert ran.out.count("the connection broke: 1006") == 4

    def test_nobody_is_there(self, speechwire: Speechwire) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        ran = speechwire(
            "translate", CLEAR, "--url", f"ws://127.0.0.1:{port}", *KEY, "--dialect", "speech-v2", "--json"
        )
        assert ran.code == 3
        assert ran.lines == [{"event": "error", "message": ran.complaint}]
        assert ran.complaint.startswith(f"no connection to 127.0.0.1:{port}: ")


class TestMistakes:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--dialect", "speech-v2", "--format", "audio/mp3"), "leave out --format"),
            (("--dialect", "speech-v1", "--profanity", "Marked"), "Masked, Removed, Raw"),
            (("--dialect", "speech-v2", "--voice", "auto", "--to", "is"), "no voice is known that speaks is"),
            (("--dialect", "speech-v2", "--mode", "endless"), "--mode"),
            (("--mode", "dictation"), "leave out --mode"),
            (("--profanity", "Masked"), "NoAction, Marked, Deleted"),
        ],
    )
    def test_what_a_dialect_does_not_know(self, speechwire: Speechwire, options: tuple[str, ...], says: str) -> None:
        ran = speechwire("translate", CLEAR, "--url", NOBODY, *options)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
