"""The server's side of a conversation in `translator`, without I/O.

The shell hands every event in with its time and carries out what comes back, in order:

- `Message`, `Close`, `Abort` go to the socket;
- `AudioStarted`, `Audio`, `AudioEnded`, `Speak` go to the pipeline, whose findings come back through `result`.

When `next_deadline` is reached the shell calls `receive(Tick(now))`. After a `Close` the session takes no more
audio; after `PeerClosed` it says nothing more.
"""

from __future__ import annotations

from dataclasses import replace

from protocol.audio import PcmFormat
from protocol.errors import LocalViolation, PeerViolation
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Begun,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Silence,
    Span,
    Speak,
    Speech,
    Task,
    ToPipeline,
    VoiceEncoding,
)
from protocol.order import Conversation
from protocol.riff import HeaderReader
from protocol.translator import order
from protocol.translator.handshake import Feature, SpeechRequest, VoiceFormat
from protocol.translator.messages import Final, Partial, Timing, encode
from protocol.translator.policy import Policy
from protocol.translator.profanity import spoken, treat
from protocol.wire import Close, Fragment, Inbound, Kind, Message, Outbound, Party, PeerClosed

SERVER, CLIENT = Party.SERVER, Party.CLIENT

Output = Outbound | ToPipeline

LABELS: dict[int, str] = {
    1000: "Normal closure",
    1001: "Endpoint Unavailable",
    1003: "Invalid Message Type",
    1011: "Internal Server Error",
}
"""The name that the documents give to each code (facts X:1000 to X:1011)."""

_WORDLESS = frozenset({"NoMatch", "BabbleTimeout", "InitialSilenceTimeout"})  # the other statuses are failures


class ServerSession:
    """One accepted conversation.

    Args:
        request: What the handshake asked for.
        policy: How to behave where the protocol leaves a choice.
        time: When the handshake was accepted.
    """

    def __init__(self, request: SpeechRequest, policy: Policy, time: float) -> None:
        self.request = request
        self.policy = policy
        self.order = Conversation(order.TABLE, SERVER)
        self._header: HeaderReader = HeaderReader()
        self._format: PcmFormat | None = None
        self._odd = b""
        self._opened = time
        self._last_audio = time
        self._ending: Close | None = None
        self._drain_until = 0.0
        self._finals = 0
        self._partials = 0
        self._heard_until: int | None = None

    @property
    def open(self) -> bool:
        """Whether either side may still send."""
        return self.order.state(SERVER) != order.CLOSED

    @property
    def takes_audio(self) -> bool:
        """Whether audio that arrives now still counts."""
        return self.open and self._ending is None

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None once the session is over."""
        if not self.open:
            return None
        if self._ending is not None:
            return self._drain_until
        return min(self._last_audio + self.policy.idle_s, self._opened + self.policy.session_limit_s)

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the client, or the passing of time; return what to do."""
        if not self.open:
            return []
        if isinstance(event, PeerClosed):
            self.order.step(CLIENT, order.CLOSE)
            self.order.step(SERVER, order.CLOSE)
            return [AudioEnded(flush=False)]
        if isinstance(event, Fragment):
            return self._fragment(event) if self.takes_audio else []
        return self._tick(event.time)

    def shutdown(self, time: float) -> list[Output]:
        """End the session because the server goes away: finals in flight first, then 1001."""
        return self._end(time, _close(1001, "the server is going away")) if self.takes_audio else []

    def result(self, event: FromPipeline) -> list[Output]:
        """Take a finding of the pipeline; return what to send."""
        if not self.open:
            return []
        if isinstance(event, Hypothesis):
            return self._hypothesis(event)
        if isinstance(event, Phrase):
            return self._phrase(event)
        if isinstance(event, Speech):
            return self._speech(event)
        if isinstance(event, Silence):
            return self._silence(event)
        if isinstance(event, Begun):
            return []
        if isinstance(event, Fault):
            return self._close(_close(event.code, event.reason))
        return self._drained()

    # What came from the client.

    def _fragment(self, event: Fragment) -> list[Output]:
        if event.kind is Kind.TEXT:
            return self._close(_close(1003, "text messages are not taken; send audio in binary messages"))
        if not event.data:
            return []
        self._last_audio = event.time
        if self._format is not None:
            return self._audio(event.data)
        try:
            started = self._header.feed(event.data)
        except PeerViolation as error:
            return self._close(_close(1003, _reason(error)))
        if started is None:
            return []
        header, rest = started
        self._format = header.format
        self.order.step(CLIENT, order.HEADER)
        return [AudioStarted(header.format, self._task()), *self._audio(rest)]

    def _task(self) -> Task:
        request, policy = self.request, self.policy
        return Task(
            request.source,
            (request.target,),
            silence_ms=policy.endpoint_silence_ms,
            longest_ms=policy.max_utterance_ms,
            growth_ms=policy.partial_interval_ms if Feature.PARTIAL in request.features else None,
        )

    def _audio(self, data: bytes) -> list[Output]:
        """Pass on whole samples; an odd byte waits for its partner (translator.audio.odd-bytes)."""
        data = self._odd + data
        whole = len(data) & ~1
        self._odd = data[whole:]
        return [Audio(data[:whole])] if whole else []

    def _tick(self, now: float) -> list[Output]:
        if self._ending is not None:
            return self._close(self._ending) if now >= self._drain_until else []
        if now >= self._opened + self.policy.session_limit_s:
            return self._end(now, _close(1000, "the maximum session duration is reached"))
        if now >= self._last_audio + self.policy.idle_s:
            return self._end(now, _close(1000, "no audio was received for too long"))
        return []

    # What came from the pipeline.

    def _hypothesis(self, event: Hypothesis) -> list[Output]:
        if Feature.PARTIAL not in self.request.features or not self._partial_due(event.span):
            return []
        recognition, translation = self._texts(event)
        identity = f"{self._finals}.{self._partials + 1}"
        # Made before anything changes: a text that cannot be sent leaves the session as it was.
        message = self._text(Partial(identity, recognition, translation, self._timing(event.span)))
        self.order.step(SERVER, order.PARTIAL)
        self._heard_until = event.span.end
        self._partials += 1
        return [message]

    def _partial_due(self, span: Span) -> bool:
        """Hold back a partial that follows the last one too closely (translator.partial.interval)."""
        since = span.size if self._heard_until is None else span.end - self._heard_until
        return since >= self._known_format().ms_to_bytes(self.policy.partial_interval_ms)

    def _phrase(self, event: Phrase) -> list[Output]:
        if event.status is not None:
            if event.status not in _WORDLESS:
                return self._close(_close(1011, f"the recognition failed: {event.status}"))
            event = replace(event, recognition="", translations=("",))
        recognition, translation = self._texts(event)
        message = self._text(Final(str(self._finals), recognition, translation, self._timing(event.span)))
        voice = self._voice(event)
        self.order.step(SERVER, order.SPOKEN_FINAL if voice else order.FINAL)
        self._finals += 1
        self._partials = 0
        self._heard_until = None
        return [message, *voice]

    def _voice(self, event: Phrase) -> list[Output]:
        """Have the translation spoken as its voice says it: treated for profanity, without markup."""
        request = self.request
        if request.voice is None:
            return []
        words = spoken(event.translations[0], event.profanities, request.profanity, request.marker, self.policy)
        encoding: VoiceEncoding = "mp3" if request.format is VoiceFormat.MP3 else "wav"
        return [Speak(words, request.voice, encoding)] if words else []

    def _speech(self, event: Speech) -> list[Output]:
        if event.failure is not None:
            return self._close(_close(1011, event.failure))
        self.order.step(SERVER, order.VOICE)
        return [Message.binary(event.file, self.policy.voice_frame_bytes)]

    def _silence(self, event: Silence) -> list[Output]:
        limit = self.policy.silence_limit_s * self._known_format().bytes_per_second
        if event.size < limit or not self.takes_audio:
            return []
        return self._end(event.time, _close(1000, "silence was received for too long"))

    def _drained(self) -> list[Output]:
        return self._close(self._ending) if self._ending is not None else []

    # Parts.

    def _texts(self, event: Hypothesis | Phrase) -> tuple[str, str]:
        request, policy = self.request, self.policy
        recognition, translation = (
            treat(text, event.profanities, request.profanity, request.marker, policy)
            for text in (event.recognition, event.translations[0])
        )
        return recognition, translation

    def _timing(self, span: Span) -> Timing | None:
        if Feature.TIMING_INFO not in self.request.features:
            return None
        ticks = self._known_format().bytes_to_ticks
        return Timing(ticks(span.start), ticks(span.size), span.start, span.size)

    def _text(self, result: Partial | Final) -> Message:
        return Message(Kind.TEXT, (encode(result),))

    def _known_format(self) -> PcmFormat:
        if self._format is None:
            raise LocalViolation(
                "translator.session.no-server-message-before-audio",
                "pipeline",
                "results only behind a complete header",
                "a result without a header",
            )
        return self._format

    def _end(self, now: float, close: Close) -> list[Output]:
        """Stop taking audio, let results in flight out first, then close."""
        if self._format is None:
            return self._close(close)
        self._ending = close
        self._drain_until = now + self.policy.drain_s
        return [AudioEnded(flush=True)]

    def _close(self, close: Close) -> list[Output]:
        self.order.step(SERVER, order.CLOSE)
        self._ending = close
        return [AudioEnded(flush=False), close]


def _close(code: int, why: str) -> Close:
    """Return a close whose reason begins with the documented label of its code (translator.close.label).

    A reason holds at most 123 bytes of UTF-8.
    """
    label = LABELS.get(code)
    reason = f"{label}: {why}" if label and why else label or why
    return Close(code, reason.encode()[:123].decode(errors="ignore"))


def _reason(error: PeerViolation) -> str:
    return f"audio header, {error.at}: expected {error.expected}, got {error.observed}"
