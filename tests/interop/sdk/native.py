"""Translate with the published package azure-cognitiveservices-speech, unmodified, the way an application does.

python native.py OPTIONS-AS-JSON

The options, and what is printed, are those of javascript.js beside it; README.md lists them. Each event of the SDK is
one line of JSON on standard output. Exit code 0: it came to its end, whatever the SDK reported; 1: this program or the
SDK raised; 9: nothing came any more, and the watch-dog ended it.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import sys
import threading
import time
import traceback
import wave
from collections.abc import Callable, Mapping
from typing import Any

import azure.cognitiveservices.speech as sdk

BEGUN = time.monotonic()
CHUNK = 0.1
"""Seconds of audio that are pushed at a time."""
GRACE = 1.0
"""Seconds that a last event of a run may take once the run has returned."""
FAILED, HUNG = 1, 9

_lock = threading.Lock()


def tell(event: str, **members: Any) -> None:
    """Print one line of JSON; what is None is left out."""
    line = {"t": round(time.monotonic() - BEGUN, 3), "event": event}
    line |= {name: value for name, value in members.items() if value is not None}
    with _lock:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def leave(event: str, code: int, **members: Any) -> None:
    """Print a last line and end, whatever the threads of the SDK are doing."""
    tell(event, **members)
    os._exit(code)


def raised(error: BaseException | None) -> None:
    """Report an exception that the SDK, or ctypes, would have swallowed."""
    lines = traceback.format_exception(error) if error else ["an exception that is not known"]
    leave("error", FAILED, message="".join(lines))


def result_members(result: Any) -> dict[str, Any]:
    """Return what a result says of a recognition."""
    found: dict[str, Any] = {
        "reason": result.reason.name,
        "text": result.text,
        "translations": dict(getattr(result, "translations", {})),
        "offset": result.offset,
        "duration": result.duration,
        "json": result.json or None,
        "language": result.properties.get(sdk.PropertyId.SpeechServiceConnection_AutoDetectSourceLanguageResult),
        "commit": result.commit_token or None,
    }
    if result.reason is sdk.ResultReason.NoMatch:
        found["noMatch"] = result.no_match_details.reason.name
    if result.reason is sdk.ResultReason.Canceled:
        found |= details_members(result.cancellation_details)
    return found


def details_members(details: Any) -> dict[str, Any]:
    """Return why something was cancelled."""
    return {
        "reason": details.reason.name,
        "errorCode": details.code.name,
        "errorDetails": details.error_details or None,
    }


class Feed:
    """Pushes a recording into a stream, at the pace that is asked for, across all runs."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        with wave.open(given["wav"]) as file:
            rate, bits, channels = file.getframerate(), 8 * file.getsampwidth(), file.getnchannels()
            samples = file.readframes(file.getnframes())
        second = rate * channels * bits // 8
        silence = bytes(round(given.get("silence_before", 0) * rate) * channels * bits // 8)
        self._audio = silence + samples
        self._size = round(second * CHUNK)
        self._pace = given.get("pace", 1.0)
        self._late = given.get("late", 0)
        self._hold = given.get("hold", False)
        self._spoken = samples
        self._again = given.get("again", 0)
        self._ends = threading.Semaphore(0)
        self._pushed = 0
        self._begun = 0.0
        self._commits = sorted(round(at * second) for at in given.get("commits", ()))
        self.stream = sdk.audio.PushAudioInputStream(sdk.audio.AudioStreamFormat(rate, bits, channels))
        self._thread = threading.Thread(target=self._push, daemon=True)

    def start(self) -> None:
        """Begin, unless it has begun."""
        if not self._thread.ident:
            self._thread.start()

    def ended(self) -> None:
        """Note that the end of speech was told."""
        self._ends.release()

    def _push(self) -> None:
        time.sleep(self._late)
        self._begun = time.monotonic()
        self._write(self._audio)
        for _ in range(self._again):
            while not self._ends.acquire(blocking=False):
                self._write(bytes(self._size))
            self._write(self._spoken)
        tell("fed", hold=self._hold)
        if not self._hold:
            self.stream.close()

    def _write(self, audio: bytes) -> None:
        for at in range(0, len(audio), self._size):
            self.stream.write(audio[at : at + self._size])
            self._pushed += 1
            if self._commits and self._commits[0] <= self._pushed * self._size:
                self._commits.pop(0)
                tell("committed", commit=self.stream.commit())
            if self._pace:
                due = self._begun + self._pushed * CHUNK / self._pace
                time.sleep(max(0.0, due - time.monotonic()))


class Session:
    """One recognizer and its runs."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._changes = list(given.get("targets_changes", ()))
        self._happened: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._feed: Feed | None = None
        self._failed = False
        config = self._config()
        audio = self._audio()
        candidates = given.get("candidates")
        if given.get("plain"):
            self._recognizer = sdk.SpeechRecognizer(speech_config=config, audio_config=audio)
        elif candidates is None:
            self._recognizer = sdk.translation.TranslationRecognizer(translation_config=config, audio_config=audio)
        else:
            languages = sdk.languageconfig.AutoDetectSourceLanguageConfig(
                languages=None if candidates == "open" else candidates
            )
            self._recognizer = sdk.translation.TranslationRecognizer(
                translation_config=config, auto_detect_source_language_config=languages, audio_config=audio
            )
        self._connection = sdk.Connection.from_recognizer(self._recognizer)
        self._listen()

    def run(self) -> None:
        """Recognize as often as is asked for, then let go of the recognizer."""
        once = self._given["mode"] == "once"
        for number in range(self._given.get("runs", 1)):
            if number:
                time.sleep(self._given.get("pause", 0))
                self._change("between")
            while not self._happened.empty():
                self._happened.get()
            if self._feed:
                self._feed.start()
            if once:
                self._once()
            else:
                self._continuous()
        if not self._failed:  # the SDK raises where it has already given the connection up
            self._connection.close()
        del self._connection, self._recognizer

    def _config(self) -> Any:
        given = self._given
        where = {given["how"]: given["url"], "subscription": given.get("key")}
        if given.get("plain"):
            config = sdk.SpeechConfig(**where, speech_recognition_language=given.get("from"))
        else:
            config = sdk.translation.SpeechTranslationConfig(
                **where,
                target_languages=given["to"],
                voice_name=given.get("voice") or "",
                speech_recognition_language=given.get("from"),
            )
        if "token" in given:
            config.authorization_token = given["token"]
        for name, value in given.get("properties", {}).items():
            config.set_property_by_name(name, value)
        for name, value in given.get("service", {}).items():
            config.set_service_property(name, value, sdk.ServicePropertyChannel.UriQueryParameter)
        if "profanity" in given:
            config.set_profanity(sdk.ProfanityOption[given["profanity"].capitalize()])
        if "output" in given:
            config.output_format = sdk.OutputFormat[given["output"].capitalize()]
        if given.get("words"):
            config.request_word_level_timestamps()
        return config

    def _audio(self) -> Any:
        source = self._given["input"]
        if source["kind"] == "file":
            return sdk.audio.AudioConfig(filename=source["wav"])
        self._feed = Feed(source)
        return sdk.audio.AudioConfig(stream=self._feed.stream)

    def _listen(self) -> None:
        """Print every event that the SDK has."""
        recognizer, connection = self._recognizer, self._connection
        nothing: Callable[[Any], dict[str, Any]] = lambda _: {}  # noqa: E731 - beside its like below
        offset: Callable[[Any], dict[str, Any]] = lambda event: {"offset": event.offset}  # noqa: E731 - the same
        result: Callable[[Any], dict[str, Any]] = lambda event: result_members(event.result)  # noqa: E731 - the same
        for signal, name, members in (
            (recognizer.session_started, "sessionStarted", nothing),
            (recognizer.session_stopped, "sessionStopped", nothing),
            (recognizer.speech_start_detected, "speechStartDetected", offset),
            (recognizer.speech_end_detected, "speechEndDetected", offset),
            (recognizer.recognizing, "recognizing", result),
            (recognizer.recognized, "recognized", result),
            (recognizer.canceled, "canceled", lambda event: details_members(event.cancellation_details)),
            (connection.connected, "connected", nothing),
            (connection.disconnected, "disconnected", nothing),
        ):
            signal.connect(self._handler(name, members))
        if not self._given.get("plain"):
            recognizer.synthesizing.connect(self._handler("synthesizing", self._voice))

    def _handler(self, name: str, members: Callable[[Any], dict[str, Any]]) -> Callable[[Any], None]:
        def handle(event: Any) -> None:
            try:
                found = members(event)
                tell(name, **found)
                if name == "speechEndDetected" and self._feed:
                    self._feed.ended()
                self._happened.put((name, found.get("reason", "")))
            except BaseException as error:  # noqa: BLE001 - the SDK would swallow it
                raised(error)

        return handle

    @staticmethod
    def _voice(event: Any) -> dict[str, Any]:
        audio = bytes(event.result.audio or b"")
        found = {"reason": event.result.reason.name, "audioBytes": len(audio)}
        return {**found, "audio": base64.b64encode(audio).decode()} if audio else found

    def _change(self, after: str) -> None:
        """Add and remove the targets that are due, each change once; of those that wait for a result one a result."""
        for change in [change for change in self._changes if change["after"] == after]:
            self._changes.remove(change)
            for language in change.get("add", ()):
                self._recognizer.add_target_language(language)
            for language in change.get("remove", ()):
                self._recognizer.remove_target_language(language)
            tell("changed", targets=list(self._recognizer.target_languages))
            if after == "recognized":
                return

    def _once(self) -> None:
        waiting = self._recognizer.recognize_once_async()
        self._change("start")
        try:
            result = waiting.get()
        except RuntimeError as error:  # what the SDK raises
            tell("rejected", errorDetails=str(error))
            return
        tell("returned", **result_members(result))
        self._end(time.monotonic() + GRACE)

    def _continuous(self) -> None:
        after = self._given.get("stop_after")
        try:
            self._recognizer.start_continuous_recognition_async().get()
            self._change("start")
            if self._end(time.monotonic() + after if isinstance(after, (int, float)) else None) == "due":
                self._recognizer.stop_continuous_recognition_async().get()
                tell("stopped")
                self._end(None)
        except RuntimeError as error:  # what the SDK raises
            tell("rejected", errorDetails=str(error))

    def _end(self, deadline: float | None) -> str:
        """Wait for the end of the session: that it has come, that it failed, or that it is due to be brought about."""
        while True:
            try:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                name, reason = self._happened.get(timeout=left)
            except queue.Empty:
                return "failed" if self._failed else "due"
            if name == "sessionStopped":
                return "stopped"
            if name == "canceled" and reason == "Error":
                self._failed, deadline = True, time.monotonic() + GRACE
            if name == "recognized":
                self._change("recognized")
                if self._given.get("stop_after") == "recognized" and self._given["mode"] == "continuous":
                    return "due"


def main() -> int:
    """Run once, as the only argument says."""
    given = json.loads(sys.argv[1])
    sys.unraisablehook = lambda hook: raised(hook.exc_value)
    threading.excepthook = lambda hook: raised(hook.exc_value)
    watch = threading.Timer(given.get("timeout", 60), leave, ("hang", HUNG))
    watch.daemon = True
    watch.start()
    try:
        Session(given).run()
    except Exception as error:  # noqa: BLE001 - it is told, with its trace
        raised(error)
    tell("done")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
