"""Servers that make the wrong thing of silence, and of speech without a pause."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, Result
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound


@fault("status.initial-silence", "waits-on", initial_silence_ms=3_600_000)
class WaitsForSpeech(Mutator):
    """Waits for speech as long as the stream goes on."""


@fault("status.silence-phrase", "nine-seconds", silence_ms=9_000)
class Impatient(Mutator):
    """Ends a conversation after nine seconds of silence."""


def _silence(result: Result) -> bool:
    return result.final and not result.speaks and result.speech["Duration"] > 80_000_000


@fault("status.silence-phrase-form", "babble")
class BabbleForSilence(Mutator):
    """Calls a long silence in a conversation BabbleTimeout."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Replace the status, and drop the empty text."""
        if not (self.continuous and _silence(result)):
            return (result,)
        return (result.silent_on("DisplayText").saying(RecognitionStatus="BabbleTimeout"),)


@fault("status.silence-offset", "late")
class SilenceBeginsLate(Mutator):
    """Says that a silence begins half a second behind the last final."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Move its start."""
        if not (self.continuous and _silence(result)):
            return (result,)
        speech = result.speech
        return (result.saying(Offset=speech["Offset"] + 5_000_000, Duration=speech["Duration"] - 5_000_000),)


@fault("status.silent-rest", "told")
class TellsTheRest(Mutator):
    """Sends speech.endDetected for the silence at the end of a conversation."""

    def __init__(self) -> None:
        super().__init__()
        self._told = ""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add one before turn.end, if there was none."""
        told, self._told = self._told, message.request_id if message.path == "speech.endDetected" else self._told
        if message.path != "turn.end" or not self.continuous or told == message.request_id:
            return (message,)
        return text("speech.endDetected", message.request_id, {"Offset": 1}), message


@fault("status.long-speech", "one-minute", max_utterance_ms=60_000)
class LongPhrases(Mutator):
    """Cuts speech after a minute."""


@fault("close.unacknowledged", "never", implies=("status.long-speech",), max_utterance_ms=600_000)
class EndlessPhrases(Mutator):
    """Cuts speech after ten minutes."""


@fault("result.status", "other-letters")
class OtherLetters(Mutator):
    """Spells InitialSilenceTimeout in another way."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Replace one letter."""
        due = result.status == "InitialSilenceTimeout"
        return (result.saying(RecognitionStatus="InitialSilenceTimeOut"),) if due else (result,)


@fault("result.no-text-unless-success", "empty-text")
class TextOfSilence(Mutator):
    """Has an empty text in the finals of one-shot turns in which nothing was understood."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Add it under its name."""
        if not result.final or result.plain or result.status == "Success" or self.continuous:
            return (result,)
        v1 = result.message.path == "translation.phrase"
        return (result.saying(**{"Text" if v1 else "DisplayText": ""}),)


@fault("status.end-of-dictation", "only-final")
class OnlyDictation(Mutator):
    """Acknowledges a one-shot turn in which nothing was understood by EndOfDictation alone."""

    def on_result(self, result: Result) -> Iterable[Result | UspMessage | Outbound]:
        """Replace NoMatch."""
        due = result.final and result.status == "NoMatch" and not self.continuous
        return (result.saying(RecognitionStatus="EndOfDictation"),) if due else (result,)
