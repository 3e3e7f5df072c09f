"""The official Speech SDKs, unmodified, as clients of a server: which there are, and how a test runs one.

The programs in `sdk/` do with each SDK what an application does, and print what the SDK reports. They run in processes
of their own, which end when their time is up.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).parent / "sdk"
PACKAGES = Path(__file__).parent / "node" / "node_modules"

V1 = "/speech/translation/cognitiveservices/v1"
V2 = "/stt/speech/universal/v2"
V2_SHORT = "/speech/universal/v2"

HUNG = 9
"""Exit code of a program whose watch-dog has ended it."""
TIMEOUT = 30
"""Seconds after which that is, unless a test says otherwise."""
AT_ONCE = 6
"""Programs that run at the same time; they wait most of the time."""
_LAST_RESORT = 10  # seconds more for a program whose watch-dog does not bark


class Client(Enum):
    """An SDK in one release. The value is the name of the npm package, which is an alias, or of the program."""

    NATIVE = "native"
    JS_NEWEST = "speech-sdk-newest"
    JS_1_44 = "speech-sdk-1.44"
    JS_1_38 = "speech-sdk-1.38"
    JS_1_30 = "speech-sdk-1.30"
    JS_1_14 = "speech-sdk-1.14"

    def __str__(self) -> str:
        """Return what a test run calls it."""
        return self.value.replace("speech-sdk", "js")

    @property
    def is_javascript(self) -> bool:
        """Whether it runs in Node."""
        return self is not Client.NATIVE

    @property
    def speaks_v2(self) -> bool:
        """Whether it understands `translation.response`; 1.14 is older than that message."""
        return self is not Client.JS_1_14

    @property
    def knows_v2_hypotheses(self) -> bool:
        """Whether it shows what is interim in v2; 1.30 looks for finals alone in `translation.response`."""
        return self not in {Client.JS_1_14, Client.JS_1_30}

    @property
    def host_path(self) -> str:
        """The path that it adds to a host, for one source language."""
        return V2 if self in {Client.NATIVE, Client.JS_NEWEST, Client.JS_1_44} else V1

    @property
    def reads_files(self) -> bool:
        """Whether it takes a WAV file in Node; 1.14 wants the FileReader of a browser."""
        return self is not Client.JS_1_14

    @property
    def starts_again(self) -> bool:
        """Whether a recognizer with a push stream can be used again; 1.14 closes the stream with the recognition."""
        return self is not Client.JS_1_14

    @property
    def detects_languages(self) -> bool:
        """Whether translation takes candidates for the language of the speech."""
        return self is not Client.JS_1_14

    @property
    def changes_targets(self) -> bool:
        """Whether targets can be added and removed while it recognizes."""
        return self is not Client.JS_1_14

    @property
    def names_interactive(self) -> bool:
        """Whether a one-shot recognition is named as one on both paths; the native client does it in v2 alone."""
        return self in {Client.JS_NEWEST, Client.JS_1_44, Client.JS_1_38}

    @property
    def voices_in_v2(self) -> tuple[str, ...]:
        """Which of the targets de and fr are spoken in v2: native asks for one, and old clients know no streams."""
        return ("de", "fr") if self in {Client.JS_NEWEST, Client.JS_1_44} else ("de",)

    @property
    def goes_on_elsewhere(self) -> bool:
        """Whether it goes on over a new connection; 1.14 sends its audio there under an id that it never announced."""
        return self is not Client.JS_1_14

    @property
    def gives_up(self) -> bool:
        """Whether a close 1007 ends it; 1.14 connects again without end, under another id each time."""
        return self is not Client.JS_1_14

    def version(self) -> str:
        """Return the version that is installed."""
        if self is Client.NATIVE:
            return importlib.metadata.version("azure-cognitiveservices-speech")
        version: str = json.loads((PACKAGES / self.value / "package.json").read_text("utf-8"))["version"]
        return version

    @functools.cached_property
    def missing(self) -> str:
        """What it lacks on this machine; empty if nothing."""
        if not self.is_javascript:
            probe = "import ctypes, azure.cognitiveservices.speech; ctypes.CDLL('libssl.so.3')"
            ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, encoding="utf-8", check=False)
            why = ran.stderr.strip().rpartition("\n")[2]
            return f"the native SDK cannot be loaded ({why}); `make libraries` helps" if ran.returncode else ""
        if shutil.which("node") is None:
            return "node is not installed"
        if not (PACKAGES / self.value).is_dir():
            return f"the package {self.value} is not installed; `make install` fetches it"
        return ""


JAVASCRIPT = tuple(client for client in Client if client.is_javascript)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an SDK reported.

    Attributes:
        client: Which one.
        code: The exit code of the program.
        events: What it printed; the audio of voices is taken out.
        audio: The audio of each event of a voice, joined until the voice is complete.
        elapsed: Seconds from start to end of the process.
        complaints: What it wrote to standard error.
    """

    client: Client
    code: int
    events: Sequence[Mapping[str, Any]]
    audio: Sequence[bytes]
    elapsed: float
    complaints: str

    def told(self, *names: str) -> list[Mapping[str, Any]]:
        """Return the events of these names, in order."""
        return [event for event in self.events if event["event"] in names]

    def order(self, *names: str) -> list[str]:
        """Return the names of the events, in order; only those of `names`, if any are given."""
        return [event["event"] for event in self.events if not names or event["event"] in names]

    @property
    def texts(self) -> list[str]:
        """What was recognized, in order; results without words are left out."""
        return [event["text"] for event in self.told("recognized") if event.get("text")]

    def translated(self, language: str) -> list[str]:
        """Return the translations of what was recognized."""
        return [event["translations"][language] for event in self.told("recognized") if event.get("text")]


def run(client: Client, *, trust: str | Path | None = None, **options: Any) -> Outcome:
    """Run an SDK to its end.

    Args:
        client: Which one. Where it is missing, the test is skipped with the reason.
        trust: A CA to trust, for wss.
        options: See `sdk/README.md`. Defaults: `how` endpoint, the key of a test server, from en-US to de and fr.
    """
    if client.missing:
        pytest.skip(client.missing)
    given = {"how": "endpoint", "from": "en-US", "to": ["de", "fr"], "timeout": TIMEOUT, **options}
    if "token" not in given:
        given.setdefault("key", "test-key")
    if client.is_javascript:
        command = ["node", str(SDK / "javascript.js"), json.dumps({**given, "package": client.value})]
    else:
        command = [sys.executable, str(SDK / "native.py"), json.dumps(given)]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **_trusting(client, trust)},
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=given["timeout"] + _LAST_RESORT)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    events, audio = _read(out)
    return Outcome(client, process.returncode, events, audio, time.monotonic() - begun, err)


class Outcomes:
    """What several SDKs reported, which ran at the same time.

    Args:
        options: As for `run`, the same for all.
        but: Options of single ones, in place of those.
    """

    def __init__(self, *conditions: str, but: Mapping[Client, Mapping[str, Any]] | None = None, **options: Any) -> None:
        own = but or {}
        clients = [client for client in having(*conditions) if not client.missing]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ran = pool.map(lambda client: run(client, **{**options, **own.get(client, {})}), clients)
            self._outcomes = dict(zip(clients, ran, strict=True))

    def of(self, client: Client) -> Outcome:
        """Return what one reported; where it is missing, the test is skipped with the reason."""
        if client.missing:
            pytest.skip(client.missing)
        return self._outcomes[client]


def _trusting(client: Client, ca: str | Path | None) -> dict[str, str]:
    if ca is None:
        return {}
    if not client.is_javascript:
        return {"SSL_CERT_FILE": str(ca)}
    # Releases before 1.18 ask for a revocation list besides, which a private CA does not have.
    return {"NODE_EXTRA_CA_CERTS": str(ca), "SPEECH_CONDUCT_OCSP_CHECK": "0"}


def _read(out: str) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the events, and the voices that came with them."""
    events: list[dict[str, Any]] = []
    voices: list[bytes] = []
    voice = b""
    for event in map(json.loads, out.splitlines()):
        voice += base64.b64decode(event.pop("audio", ""))
        if event["event"] == "synthesizing" and event["reason"] == "SynthesizingAudioCompleted":
            voices.append(voice)
            voice = b""
        events.append(event)
    return events, [*voices, voice] if voice else voices


def having(*conditions: str) -> Iterator[Client]:
    """Yield the clients that have all the properties that are named."""
    return (client for client in Client if all(getattr(client, condition) for condition in conditions))


def each(*conditions: str) -> list[Any]:
    """Return them as parameters of a test."""
    return [
        pytest.param(
            client, id=str(client), marks=[pytest.mark.sdk, *([pytest.mark.node] if client.is_javascript else [])]
        )
        for client in having(*conditions)
    ]
