"""One turn of a server session: from its context to its turn.end.

The session hands in audio and the pipeline's findings, and is handed messages for the client and orders for the
pipeline. A turn knows neither the connection nor the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from protocol.audio import Codec, PcmFormat, to_mono16
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Begun,
    Blame,
    Commit,
    Fault,
    Hypothesis,
    Phrase,
    Retarget,
    Silence,
    Span,
    Speech,
    Task,
    ToPipeline,
)
from protocol.riff import HeaderReader, HeaderRules, RiffHeader, build_header
from protocol.speech.context import Update, Wanted
from protocol.speech.handshake import Mode
from protocol.speech.messages import (
    ERROR,
    SUCCESS,
    EndDetected,
    Final,
    ServerMessage,
    StartDetected,
    TurnEnd,
    TurnStart,
)
from protocol.speech.server import results
from protocol.speech.server.policy import Policy
from protocol.speech.server.results import Heard
from protocol.speech.server.speaking import Speaking

_FATAL = (ERROR, "BadRequest", "Forbidden", "TooManyRequests", "ServiceUnavailable")

Said = ServerMessage | ToPipeline


class Turn:
    """One turn.

    Args:
        request_id: As the client spelled it.
        number: Counts the turns of the connection from 0.
        wanted: What holds for it.
        heard: Dialect and catalogue.
        source: The speech key of what is spoken.
        candidates: Speech keys among which that is to be found out.
        policy: How to behave.
        streams: How many voices the connection has had before.
    """

    def __init__(
        self,
        request_id: str,
        number: int,
        wanted: Wanted,
        heard: Heard,
        source: str,
        candidates: tuple[str, ...],
        policy: Policy,
        streams: int = 0,
    ) -> None:
        self.id = request_id
        self.number = number
        self.wanted = wanted
        self.begun = False
        self.over = False
        self.spoke = False
        self.flushing = False
        self._spoken = candidates or (source,)
        self.targets = results.targets_of(wanted.targets, heard.catalogue, self._spoken)
        self._speaking = Speaking(heard, wanted.voices, wanted.profanity, policy.voice_chunk_bytes, streams)
        self._heard = heard
        self._source = source
        self._candidates = candidates
        self._policy = policy
        self._reader: HeaderReader | None = None
        self._format: PcmFormat | None = None
        self._header: RiffHeader | None = None
        self._odd = b""
        self._received = 0
        self._acknowledged = 0
        self._finals = 0
        self._ending = False

    @property
    def streams(self) -> int:
        """How many voices the connection has had, with those of this turn (speech.synthesis.stream-id)."""
        return self._speaking.streams

    @property
    def one_shot(self) -> bool:
        """Whether the turn ends with its first utterance: interactive, and unknown (decision; experiment 1)."""
        return self.wanted.mode in (Mode.INTERACTIVE, None)

    # From the client.

    def start(self, service_tag: str) -> Iterator[Said]:
        """Begin, with the first audio message."""
        self.begun = True
        yield TurnStart(service_tag)

    def audio(self, data: bytes) -> Iterator[Said]:
        """Take the payload of an audio message that is not empty. Raises PeerViolation for a wrong header."""
        if self.flushing or self.over:
            return
        if self._format is None:
            started = self._opening(data)
            if started is None:
                return
            self._header, data = started
            self._format = PcmFormat(self._header.format.rate)
            yield AudioStarted(self._format, self._task())
        assert self._header is not None  # noqa: S101 - set together with the format
        data = self._odd + data
        whole = len(data) - len(data) % self._header.format.block_align
        self._odd = data[whole:]
        if whole:
            pcm = to_mono16(data[:whole], self._header)
            self._received += len(pcm)
            yield Audio(pcm)

    def _opening(self, data: bytes) -> tuple[RiffHeader, bytes] | None:
        """Read the header; old clients that send none are served where the policy says so (experiment 6)."""
        if self._reader is None:
            self._reader = HeaderReader(AUDIO_IN)
            if self._policy.headerless_audio and not data.startswith(b"RIFF"[: len(data)]):
                return _HEADERLESS, data
        return self._reader.feed(data)

    def flush(self) -> Iterator[Said]:
        """End the audio: what is open becomes final. `drained` follows, at once if there is nothing to wait for."""
        if self.flushing or self.over:
            return
        self.flushing = True
        if self._format is not None:
            yield AudioEnded(flush=True)
        else:
            yield from self.drained()

    def retarget(self, update: Update) -> Iterator[Said]:
        """Change the targets of what is still to come (fact C-09)."""
        self.targets = results.targets_of(update.targets, self._heard.catalogue, self._spoken)
        self._speaking.voices = update.voices or self._speaking.voices
        if self._format is not None and not self.flushing:
            yield Retarget(results.keys_of(self.targets))

    def commit(self, token: str) -> Iterator[Said]:
        """Force a phrase (fact C-10)."""
        if self._format is not None and not self.flushing and not self._ending:
            yield Commit(token)

    def _task(self) -> Task:
        wanted, policy = self.wanted, self._policy
        return Task(
            source=self._source,
            targets=results.keys_of(self.targets),
            candidates=self._candidates,
            silence_ms=wanted.segmentation_ms or policy.endpoint_silence_ms,
            longest_ms=min(wanted.forced_ms or policy.max_utterance_ms, policy.max_utterance_ms),
            growth_ms=policy.partial_interval_ms if wanted.interims else None,
        )

    # From the pipeline.

    def begins(self, event: Begun) -> Iterator[Said]:
        """Tell that speech was found, once a turn; its offset is never 0 (fact P-06)."""
        if not self.spoke and not self._ending:
            self.spoke = True
            yield StartDetected(max(1, self._ticks(event.start)))

    def hypothesis(self, event: Hypothesis) -> Iterator[Said]:
        """Tell what is heard so far."""
        if not self._ending and event.recognition:
            yield results.interim(event, self.wanted, self.targets, self._known(), self._heard)

    def phrase(self, event: Phrase) -> Iterator[Said]:
        """Tell what was said, and have it spoken."""
        if self._ending:
            return
        until = results.whole_ms(self._known(), self._received) if event.last else None
        told = results.final(event, self.wanted, self.targets, self._known(), self._heard, until)
        yield from self._final(told, self._received if event.last else event.span.end)
        if told.status in _FATAL:
            yield from self._finish()
            return
        if self.one_shot:
            self._ending = True
        if told.translation_status == SUCCESS:
            yield from self._speaking.order(event, self.targets)
        yield from self._settled()

    def speech(self, event: Speech) -> Iterator[Said]:
        """Tell a voice."""
        yield from self._speaking.tell(event)
        yield from self._settled()

    def silence(self, event: Silence) -> Iterator[Said]:
        """End the turn when nothing has been said for long enough (facts P-01 to P-05)."""
        limit = self._policy.silence_ms
        if not self._finals and self.wanted.initial_silence_ms:
            limit = self.wanted.initial_silence_ms
        elif self.wanted.mode is Mode.INTERACTIVE and self.wanted.initial_silence_ms is None:
            limit = self._policy.initial_silence_ms
        if self._ending or event.size < self._known().ms_to_bytes(limit):
            return
        span = Span(self._acknowledged, event.end - self._acknowledged)
        until = results.whole_ms(self._known(), event.end)
        told = results.silence(span, until, self.wanted, self._known(), self._heard, one_shot=self.one_shot)
        yield from self._final(told, event.end)
        yield from self._finish()

    def drained(self) -> Iterator[Said]:
        """The audio has ended and everything is told: acknowledge what is left, and end (experiment 1b)."""
        if self.over:
            return
        left = Span(self._acknowledged, self._received - self._acknowledged)
        if self.one_shot and not self._finals:
            yield from self._acknowledge("NoMatch", left)
        elif left.size and not self._ending:
            yield from self._acknowledge("EndOfDictation", left)
        yield from self._finish()

    def fault(self, event: Fault) -> Iterator[Said]:
        """Tell that the engine failed, or that there is too much to do, and end."""
        if self.over:
            return
        status = "TooManyRequests" if event.blame is Blame.OVERLOAD else ERROR
        yield from self._speaking.give_up(event.reason)
        yield from self._acknowledge(status, Span(self._acknowledged, 0))
        yield from self._finish()

    # Parts.

    def _acknowledge(self, status: str, span: Span) -> Iterator[Said]:
        pcm = self._format or PcmFormat(16_000)
        offset = results.ticks(pcm, span.start)
        duration = max(0, results.whole_ms(pcm, span.end) - offset) if span.size else 0
        yield from self._final(Final(status, offset, duration, translated=self.wanted.translated), span.end)

    def _final(self, told: Final, acknowledged: int) -> Iterator[Said]:
        self._finals += 1
        self._acknowledged = max(self._acknowledged, acknowledged)
        yield told

    def _settled(self) -> Iterator[Said]:
        """End a turn that has said all it had to say."""
        if self._ending and not self._speaking.busy:
            yield from self._finish()

    def _finish(self) -> Iterator[Said]:
        """End the turn: in a one-shot, and behind a silence, speech.endDetected comes first (experiment 1, P-04)."""
        self.over = True
        if self.begun and (self.one_shot or not self.flushing):
            yield EndDetected(self._ticks(self._acknowledged))
        yield AudioEnded(flush=False)
        yield TurnEnd()

    def _ticks(self, position: int) -> int:
        return 0 if self._format is None else results.ticks(self._format, position)

    def _known(self) -> PcmFormat:
        if self._format is None:
            raise RuntimeError("the pipeline found something before there was audio")
        return self._format


def _headerless() -> RiffHeader:
    read = HeaderReader(AUDIO_IN).feed(build_header(PcmFormat(16_000)))
    assert read is not None  # noqa: S101 - a whole header was fed
    return read[0]


AUDIO_IN = HeaderRules(
    "speech.audio.no-header", "speech.audio.bad-format", codecs=tuple(Codec), channels=range(1, 9), bits=(8, 16)
)
"""What a turn's audio answers to."""

_HEADERLESS = _headerless()


def service_tag(connection_id: str, request_id: str) -> str:
    """Return the tag of a turn: 32 hex digits, another one for each turn (speech.turn.service-tag-unique)."""
    return hashlib.sha256(f"{connection_id}/{request_id}".encode()).hexdigest()[:32]
