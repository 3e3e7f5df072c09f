"""A builder of transcripts of the speech dialects for the tests of the judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.judge.findings import Bench
from conformance.transcript import Transcript, Vantage
from protocol.audio import PcmFormat
from protocol.riff import build_file, build_header
from protocol.speech.framing import UspMessage, write
from protocol.wire import Headers, Kind, Party
from tests.unit.conftest import TONE, Talk

V1, V2 = "speech-v1", "speech-v2"
ONE, TWO, THREE = "a" * 32, "b" * 32, "c" * 32
CONNECTION = "d" * 32
PATHS = {V1: "/speech/translation/cognitiveservices/v1", V2: "/stt/speech/universal/v2"}
UPGRADE: Headers = (
    ("Upgrade", "websocket"),
    ("Ocp-Apim-Subscription-Key", "s3cret-key"),
    ("X-ConnectionId", CONNECTION),
)
CONFIG: dict[str, Any] = {
    "context": {
        "system": {"name": "test", "version": "1"},
        "os": {"platform": "Linux", "name": "Linux", "version": "1"},
        "device": {"manufacturer": "m", "model": "m", "version": "1"},
    }
}
STAMP = "2026-11-22T17:15:19.9321234Z"
SECOND = 10_000_000
FILE = build_file(PcmFormat(16_000), TONE * 100)


def context(mode: str | None = "Conversation", *targets: str, source: str = "en-US", **more: Any) -> dict[str, Any]:
    """Return the body of a speech.context; `more` are further members."""
    detection = {"language": source} if mode is None else {"mode": mode, "language": source}
    return {"phraseDetection": detection, "translation": {"targetLanguages": [*(targets or ("de",))]}, **more}


def entry(language: str = "de", text: str = "hallo") -> dict[str, str]:
    """Return one member of Translations."""
    return {"Language": language, "Text": text}


class SpeechTalk(Talk):
    """Builds the transcript of one connection of a speech dialect; what a test does not say is as it should be."""

    def __init__(self, dialect: str = V2, vantage: Vantage = Vantage.CLIENT) -> None:
        super().__init__(vantage)
        self.dialect = dialect

    def transcript(self) -> Transcript:
        """Return what was built so far."""
        return Transcript(self.dialect, self.vantage, self.case, self.connection, tuple(self.entries))

    def said(self, bench: Bench[Any], requirement: str, party: Party = Party.SERVER) -> list[str]:
        """Return what a bench says of one requirement: `kept`, or what was seen and expected."""
        return [
            ("kept" if found.kept else f"{found.observed}; expected {found.expected}")
            + ("" if found.verdict is None else f" ({found.verdict.value})")
            for found in bench.judge(self.transcript(), party)
            if found.requirement == f"speech.{requirement}"
        ]

    def places(self, bench: Bench[Any], party: Party = Party.SERVER) -> dict[str, list[int]]:
        """Return at which entries a bench finds something, by requirement without the folder."""
        found: dict[str, list[int]] = {}
        for finding in bench.judge(self.transcript(), party):
            found.setdefault(finding.requirement.removeprefix("speech."), []).append(finding.at)
        return found

    def wrong(self, bench: Bench[Any], party: Party = Party.SERVER) -> list[str]:
        """Return the requirements that a bench says were broken."""
        judged = bench.judge(self.transcript(), party)
        return [found.requirement.removeprefix("speech.") for found in judged if not found.kept]

    def both(self, bench: Bench[Any], *requirements: str, party: Party = Party.SERVER) -> Iterator[list[str]]:
        """Yield what a bench says of each requirement."""
        return (self.said(bench, requirement, party) for requirement in requirements)

    # The client.

    def connect(self, query: str = "", headers: Headers = UPGRADE, **request: Any) -> SpeechTalk:
        """Add an accepted upgrade."""
        self.ask(query=query, headers=headers, **{"path": PATHS[self.dialect], **request})
        self.answer(headers=())
        return self

    def tells(
        self,
        path: str,
        body: Mapping[str, Any] | bytes = b"",
        identity: str | None = ONE,
        headers: Headers | None = None,
        **frame: Any,
    ) -> SpeechTalk:
        """Add a text message of the client; `headers` stand in the place of the usual ones behind Path and id."""
        usual = (("X-Timestamp", STAMP), ("Content-Type", "application/json"))
        ids = () if identity is None else (("X-RequestId", identity),)
        fields = (("Path", path), *ids, *(usual if headers is None else headers))
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.sends(write(UspMessage(Kind.TEXT, fields, raw)).data, Kind.TEXT, **frame)
        return self

    def config(self) -> SpeechTalk:
        """Add a speech.config."""
        return self.tells("speech.config", CONFIG, None)

    def context(self, mode: str | None = "Conversation", *targets: str, identity: str = ONE, **more: Any) -> SpeechTalk:
        """Add a speech.context."""
        return self.tells("speech.context", context(mode, *targets, **more), identity)

    def chunk(self, payload: bytes, identity: str = ONE, headers: Headers = (), **frame: Any) -> SpeechTalk:
        """Add an audio message of the client; an empty one ends the stream."""
        fields = (("Path", "audio"), ("X-RequestId", identity), ("X-Timestamp", STAMP), *headers)
        self.sends(write(UspMessage(Kind.BINARY, fields, payload)).data, Kind.BINARY, **frame)
        return self

    def riff(self, identity: str = ONE, rate: int = 16_000) -> SpeechTalk:
        """Add the header of a turn's audio."""
        return self.chunk(build_header(PcmFormat(rate)), identity, (("Content-Type", "audio/x-wav"),))

    def speech(self, milliseconds: int = 2000, identity: str = ONE) -> SpeechTalk:
        """Add audio in one message."""
        return self.chunk(bytes(32 * milliseconds), identity)

    def stop(self, identity: str = ONE) -> SpeechTalk:
        """Add the empty audio message."""
        return self.chunk(b"", identity)

    def begin(
        self, mode: str | None = "Conversation", *targets: str, identity: str = ONE, ms: int = 5000, **more: Any
    ) -> SpeechTalk:
        """Add all of a turn up to turn.start: config with the first one, context, header, audio."""
        if identity == ONE:
            self.config()
        self.context(mode, *targets, identity=identity, **more).riff(identity).speech(ms, identity)
        return self.says("turn.start", {"context": {"serviceTag": identity[:4]}}, identity)

    # The server.

    def says(
        self,
        path: str,
        body: Mapping[str, Any] | bytes = b"",
        identity: str = ONE,
        headers: Headers = (("Content-Type", "application/json; charset=utf-8"),),
        **frame: Any,
    ) -> SpeechTalk:
        """Add a text message of the server."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = (("X-RequestId", identity), *headers, ("Path", path))
        self.replies(write(UspMessage(Kind.TEXT, fields, raw)).data, Kind.TEXT, **frame)
        return self

    def plays(self, payload: bytes = FILE, identity: str = ONE, path: str = "", stream: str | None = "1") -> SpeechTalk:
        """Add a binary message of the server: a part of a voice."""
        streams = () if stream is None else (("X-StreamId", stream),)
        known = "translation.synthesis" if self.dialect == V1 else "audio"
        fields = (("X-RequestId", identity), ("Path", path or known), *streams)
        self.replies(write(UspMessage(Kind.BINARY, fields, payload)).data)
        return self

    def interim(self, text: str = "hel", offset: int = SECOND, duration: int = SECOND, **more: Any) -> SpeechTalk:
        """Add a hypothesis in the shape of the dialect; `more` as for `phrase`."""
        return self._result(False, {"Text": text, "Offset": offset, "Duration": duration}, **more)

    def phrase(
        self,
        text: str | None = "hello",
        offset: int = SECOND,
        duration: int = SECOND,
        status: str = "Success",
        **more: Any,
    ) -> SpeechTalk:
        """Add a phrase; `translations`, `translation`, `speech`, `identity` and `shape` change parts of it."""
        name = "Text" if more.get("shape", self.dialect) == V1 else "DisplayText"
        words = {} if text is None else {name: text}
        return self._result(
            True, {"RecognitionStatus": status, "Offset": offset, "Duration": duration, **words}, **more
        )

    def _result(
        self,
        final: bool,
        members: Mapping[str, Any],
        *,
        translations: list[dict[str, str]] | None = None,
        translation: Mapping[str, Any] | None = None,
        speech: Mapping[str, Any] | None = None,
        identity: str = ONE,
        shape: str | None = None,
    ) -> SpeechTalk:
        own = {**members, **(speech or {})}
        given = [entry()] if translations is None else translations
        rest = {"TranslationStatus": "Success", "Translations": given, **(translation or {})}
        shape = shape or self.dialect
        if shape == V2:
            body = {"SpeechPhrase" if final else "SpeechHypothesis": own, **rest}
            return self.says("translation.response", body, identity)
        if shape == V1:
            body = {**own, **({"Translation": rest} if own.get("RecognitionStatus", "Success") == "Success" else {})}
            return self.says("translation.phrase" if final else "translation.hypothesis", body, identity)
        return self.says("speech.phrase" if final else "speech.hypothesis", own, identity)

    def voice(  # type: ignore[override]  # a voice of this dialect is several messages
        self, language: str = "de", stream: str = "1", payload: bytes = FILE, identity: str = ONE
    ) -> SpeechTalk:
        """Add a whole voice."""
        fields = (("Content-Type", "application/json"), ("X-StreamId", stream))
        if self.dialect == V2:
            self.says("audio.start", {"TranslationLanguage": language}, identity, fields)
        self.plays(payload, identity, stream=stream)
        path = "audio.end" if self.dialect == V2 else "translation.synthesis.end"
        return self.says(path, {"SynthesisStatus": "Success", "Status": "Success"}, identity, fields)

    def detected(self, word: str, offset: int = SECOND, identity: str = ONE) -> SpeechTalk:
        """Add speech.startDetected or speech.endDetected."""
        return self.says(f"speech.{word}Detected", {"Offset": offset}, identity)

    def done(self, identity: str = ONE) -> SpeechTalk:
        """Add turn.end."""
        return self.says("turn.end", {}, identity)

    def wait(self, seconds: float) -> SpeechTalk:
        """Let time pass."""
        self._waited += seconds
        return self
