"""`speechwire serve`, run as its users run it: a process, a port, signals."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_server.tls import throwaway
from tests.distributions import on_path, toys
from tests.processes import family

if TYPE_CHECKING:
    from tests.conftest import Ran, Serving, Speechwire

HELLO = {"utterances": [{"recognition": "Hello world.", "translations": {"pt": "Olá mundo."}}]}


def doctor(speechwire: Speechwire, url: str, *options: str, key: str = "test-key") -> Ran:
    return speechwire("doctor", url, "--key", key, *options)


def recognised(ran: Ran) -> str:
    """Return what the server heard when the doctor spoke to it."""
    found = re.search(r"speech gives a final: '(.*)'", ran.out)
    assert found, ran.out
    return found[1]


def put_script(port: int, document: object) -> int:
    """Replace the script of a running server; return the status."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/speechwire/script",
        data=json.dumps(document).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - the URL stands above
            status: int = response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return status


class TestListening:
    def test_says_where_in_its_first_line(self, server: Serving) -> None:
        assert server.url == f"ws://127.0.0.1:{server.port}"
        assert server.port > 0

    def test_takes_the_port_that_it_is_given(self, speechwire: Speechwire) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with speechwire.serve("--port", str(port)) as serving:
            assert serving.port == port

    def test_a_port_that_is_taken_is_one_sentence(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("serve", "--port", str(server.port))
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint == f"cannot listen on 127.0.0.1:{server.port}: Address already in use"

    def test_an_address_that_is_not_ours_is_one_sentence(self, speechwire: Speechwire) -> None:
        ran = speechwire("serve", "--host", "192.0.2.1", "--port", "0", "--key", "secret")
        assert ran.code == 3
        assert ran.complaint == "cannot listen on 192.0.2.1:0: Cannot assign requested address"

    @pytest.mark.parametrize("port", ["-1", "65536", "http"])
    def test_what_is_no_port_is_a_mistake_of_the_command_line(self, speechwire: Speechwire, port: str) -> None:
        assert speechwire("serve", "--port", port).code == 2


class TestKeys:
    def test_on_the_loopback_there_is_one(self, speechwire: Speechwire, server: Serving) -> None:
        assert doctor(speechwire, server.url).code == 0
        assert doctor(speechwire, server.url, key="another").code == 3

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.test", ""])
    def test_elsewhere_one_has_to_be_given(self, speechwire: Speechwire, host: str) -> None:
        ran = speechwire("serve", "--host", host, "--port", "0")
        assert ran.code == 2
        assert "--key is required" in ran.err

    def test_several_are_good_and_then_the_default_is_not(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--key", "one", "--key", "two") as serving:
            codes = [doctor(speechwire, serving.url, key=key).code for key in ("one", "two", "test-key")]
        assert codes == [0, 0, 3]

    def test_everywhere_it_serves_whoever_has_the_key(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--host", "0.0.0.0", "--key", "one") as serving:
            assert doctor(speechwire, f"ws://127.0.0.1:{serving.port}", key="one").code == 0


class TestTls:
    def test_a_throwaway_ca_is_printed_and_can_be_trusted(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--tls") as serving:
            assert serving.url.startswith("wss://127.0.0.1:")
            word, _, ca = serving.line().partition(" ")
            assert (word, Path(ca).is_file()) == ("CA", True)
            spoken = ("translate", "corpus:clear-2", "--pace", "0", "--url", serving.url, "--key", "test-key")
            trusting = speechwire(*spoken, "--ca", ca)
            assert trusting.code == 0
            assert "Please send me the report before Friday." in trusting.out
            assert doctor(speechwire, serving.url, "--ca", ca).code == 0
            assert doctor(speechwire, serving.url, "--insecure").code == 0
            stopped = serving.stop()
        assert (stopped.code, stopped.err) == (0, "")
        assert not Path(ca).exists()

    def test_whoever_does_not_trust_it_is_told_why(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--tls") as serving:
            ran = doctor(speechwire, serving.url)
            assert ran.code == 3
            assert "FAIL tls" in ran.out
            assert "--ca" in ran.out
            assert doctor(speechwire, f"ws://127.0.0.1:{serving.port}").code == 3
            assert serving.stop().err == ""

    def test_a_certificate_of_ones_own(self, speechwire: Speechwire, tmp_path: Path) -> None:
        made = throwaway(tmp_path)
        with speechwire.serve("--cert", made.certificate, "--cert-key", made.key) as serving:
            assert serving.url.startswith("wss://")
            assert doctor(speechwire, serving.url, "--ca", str(made.ca)).code == 0

    @pytest.mark.parametrize(
        "options",
        [("--cert", "{file}"), ("--cert-key", "{file}"), ("--tls", "--cert", "{file}", "--cert-key", "{file}")],
    )
    def test_options_that_do_not_go_together(
        self, speechwire: Speechwire, tmp_path: Path, options: tuple[str, ...]
    ) -> None:
        file = tmp_path / "server.pem"
        file.touch()
        ran = speechwire("serve", *(word.replace("{file}", str(file)) for word in options))
        assert ran.code == 2
        assert "--cert together with --cert-key" in ran.err

    def test_files_that_cannot_be_used(self, speechwire: Speechwire, tmp_path: Path) -> None:
        made = throwaway(tmp_path)
        missing = speechwire("serve", "--cert", tmp_path / "none.pem", "--cert-key", made.key)
        assert missing.code == 2
        assert missing.complaint.startswith(f"{tmp_path / 'none.pem'}: the certificate cannot be read")
        other = throwaway(_folder(tmp_path / "other"))
        mixed = speechwire("serve", "--cert", made.certificate, "--cert-key", other.key)
        assert mixed.code == 2
        assert "does not belong to the certificate" in mixed.complaint


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


class TestScript:
    def test_says_what_is_heard(self, speechwire: Speechwire, tmp_path: Path) -> None:
        script = tmp_path / "hello.json"
        script.write_text(json.dumps(HELLO), "utf-8")
        with speechwire.serve("--script", script) as serving:
            assert recognised(doctor(speechwire, serving.url)) == "Hello world."
            sent = serving.received()[-1]["sent"][-1]["text"]
        assert json.loads(sent)["translation"] == "Olá mundo."

    def test_can_be_replaced_while_it_runs(self, speechwire: Speechwire) -> None:
        with speechwire.serve() as serving:
            assert put_script(serving.port, HELLO) == 204
            assert recognised(doctor(speechwire, serving.url)) == "Hello world."
            assert put_script(serving.port, {"utterances": 1}) == 400
            assert recognised(doctor(speechwire, serving.url)) == "Hello world."

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('{"utterances": [{"recognition": 7}]}', "/utterances/0/recognition"),
            ('{"utterances": [{"translations": {"xx": "?"}}]}', "/utterances/0/translations/xx"),
            ("{", "expected one JSON object"),
            ("", "expected one JSON object"),
            ("[" * 100_000, "expected one JSON object"),
        ],
    )
    def test_a_bad_one_is_one_sentence(self, speechwire: Speechwire, tmp_path: Path, text: str, says: str) -> None:
        script = tmp_path / "bad.json"
        script.write_text(text, "utf-8")
        ran = speechwire("serve", "--port", "0", "--script", script)
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint.startswith(f"{script}: ")
        assert says in ran.complaint

    def test_a_missing_one_is_one_sentence(self, speechwire: Speechwire, tmp_path: Path) -> None:
        ran = speechwire("serve", "--port", "0", "--script", tmp_path / "none.json")
        assert ran.code == 2
        assert ran.complaint == f"{tmp_path / 'none.json'}: cannot be read (No such file or directory)"


class TestRedirect:
    def test_sends_the_speech_dialects_on(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--redirect", "wss://elsewhere.test:8443/") as serving:
            with socket.create_connection(("127.0.0.1", serving.port)) as client:
                client.sendall(
                    b"GET /stt/speech/universal/v2?from=en-US HTTP/1.1\r\nHost: x\r\n"
                    b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                )
                head = client.makefile("rb")
                assert head.readline() == b"HTTP/1.1 307 Temporary Redirect\r\n"
                fields = dict(line.split(b": ", 1) for line in iter(head.readline, b"\r\n"))
            assert fields[b"Location"] == b"wss://elsewhere.test:8443/stt/speech/universal/v2?from=en-US\r\n"
            assert doctor(speechwire, serving.url).code == 0

    @pytest.mark.parametrize(
        "url", ["", "elsewhere", "http://x", "ws://", "ws://x/path", "ws://x?q", "ws://x:port", "ws://x:0", "ws://a@x"]
    )
    def test_what_is_no_server_is_a_mistake_of_the_command_line(self, speechwire: Speechwire, url: str) -> None:
        ran = speechwire("serve", "--port", "0", "--redirect", url)
        assert ran.code == 2
        assert f"expected ws://host:port or wss://host:port, got '{url}'" in ran.err


class TestEngine:
    """Which one, made of which parts; the parts here need nothing."""

    @pytest.fixture(autouse=True)
    @staticmethod
    def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONPATH", on_path(toys(tmp_path / "site"))["PYTHONPATH"])

    def test_of_the_parts_that_are_named(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--engine", "local", "--part", "ear", "--part", "fast") as serving:
            assert recognised(doctor(speechwire, serving.url, "--to", "pt")).startswith("Hello world")
            assert json.loads(serving.received()[-1]["sent"][-1]["text"])["translation"].endswith("in pt")
            stopped = serving.stop()
        assert (stopped.code, stopped.out, stopped.err) == (0, "", "")

    def test_says_what_it_lacks_beside_its_first_line(self, speechwire: Speechwire, tmp_path: Path) -> None:
        options = ("--part", "ear", "--part", "absent", "--part", "fast", "--model", f"fast={tmp_path}")
        with speechwire.serve("--engine", "local", *options) as serving:
            stopped = serving.stop()
        assert stopped.err == (
            "speechwire: absent: absent is not installed; pip install absent\n"
            f"speechwire: fast: the model file {tmp_path / 'model.bin'} cannot be read; put it there\n"
        )

    def test_one_that_cannot_start_is_one_sentence(self, speechwire: Speechwire) -> None:
        ran = speechwire("serve", "--port", "0", "--engine", "local", "--part", "fast", "--part", "absent")
        assert (ran.code, ran.out) == (3, "")
        assert "absent is not installed; pip install absent" in ran.complaint

    def test_a_port_that_is_taken_is_one_sentence_still(self, speechwire: Speechwire, server: Serving) -> None:
        ran = speechwire("serve", "--port", str(server.port), "--engine", "local", "--part", "ear")
        assert (ran.code, ran.out) == (3, "")
        assert ran.complaint == f"cannot listen on 127.0.0.1:{server.port}: Address already in use"

    @pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_while_it_loads(
        self, speechwire: Speechwire, tmp_path: Path, kind: signal.Signals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        note = tmp_path / "note"
        monkeypatch.setenv("TOYS_NOTE", str(note))
        command = ("serve", "--port", "0", "--engine", "local", "--part", "ear", "--part", "fast", "--part", "slow")
        pipe = subprocess.PIPE
        with subprocess.Popen([speechwire.program, *command], stdout=pipe, stderr=pipe) as process:
            while not (note.exists() and note.read_text()):
                time.sleep(0.01)
            loading = family(process.pid)
            assert int(note.read_text()) in loading
            process.send_signal(kind)
            assert process.communicate(timeout=60) == (b"", b"")
        assert process.returncode == 0
        assert not {pid for pid in loading if Path(f"/proc/{pid}").exists()}

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--engine", "none"), "there is no engine 'none'; there are local, scripted"),
            (("--engine", "local", "--part", "none"), "there is no part 'none'; there are "),
            (("--engine", "local", "--model", "ear"), "expected PART=DIR, got 'ear'"),
            (("--engine", "local", "--script", "x.json"), "--script is for the engine 'scripted', not for 'local'"),
            (("--part", "ear"), "--model and --part are not for the engine 'scripted'"),
            (("--model", "ear=."), "--model and --part are not for the engine 'scripted'"),
        ],
    )
    def test_options_that_do_not_go_together(self, speechwire: Speechwire, options: tuple[str, ...], says: str) -> None:
        ran = speechwire("serve", "--port", "0", *options)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err

    def test_the_help_names_ours(self, speechwire: Speechwire) -> None:
        assert "--engine [scripted|local|NAME]" in speechwire("serve", "--help").out


class TestFaults:
    def test_one_of_them_is_found_by_a_check(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--fault", "translator.handshake.request-id/left-out") as serving:
            ran = speechwire("check", "server", serving.url, "--key", "test-key", "--only", "handshake.accept")
        assert ran.code == 1
        assert "violation wire/translator.handshake.request-id" in ran.out

    def test_one_that_does_not_exist_gets_a_hint(self, speechwire: Speechwire) -> None:
        ran = speechwire("serve", "--port", "0", "--fault", "translator.handshake.request-id/left")
        assert ran.code == 2
        assert "did you mean translator.handshake.request-id/left-out" in ran.err
        assert "selfproof --list" in speechwire("serve", "--port", "0", "--fault", "?").err
