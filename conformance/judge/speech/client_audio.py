"""What a client streams (requirements speech.client.*): header, chunks, pace, the end.

Of the samples nothing is judged: a recording may have kept their number alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from conformance.judge.speech.turn import Turn
from conformance.judge.speech.wave import Wave
from protocol.audio import TICKS_PER_SECOND
from protocol.wire import Party

_MOST_BYTES = 8192
_PCM = 1
_BURST_S, _SPEED = 5.0, 2.0
_JITTER_S = 1.0  # chunks that were sent apart may arrive together
_REACTION_S = 1.0  # audio that was on its way when speech.endDetected was sent
_TYPES = ("audio/x-wav", "audio/wav", "audio/silk", "audio/ogg")


def _audio(turn: Turn) -> list[Said]:
    """Return the audio messages of a turn that the client meant so."""
    return [said for said in turn.audio if not said.seen.deliberate]


def header(view: View) -> Findings:
    """speech.client.audio-format, audio-content-type: what the first audio of a turn is said to be."""
    for turn in view.turns:
        first = next((said for said in turn.audio if said.payload), None)
        if first is None or first.seen.deliberate or first.message is None:
            continue
        at, given = first.at, first.message.get("Content-Type")
        name = "speech.client.audio-content-type"
        good = given is not None and given.partition(";")[0].strip().lower() in _TYPES
        yield kept(name, at) if good else broken(name, at, _TYPES[0], "none" if given is None else repr(given[:60]))
        if turn.wave is not None:
            name, observed = "speech.client.audio-format", _format(turn.wave)
            good = (turn.wave.tag, turn.wave.channels, turn.wave.rate, turn.wave.bits) == (_PCM, 1, 16_000, 16)
            yield kept(name, at) if good else broken(name, at, "mono 16-bit PCM at 16000 Hz", observed)


def _format(wave: Wave) -> str:
    return f"format {wave.tag}, {wave.channels} channels, {wave.bits} bits at {wave.rate} Hz"


def chunks(view: View) -> Findings:
    """speech.client.chunk-size: no more than 8,192 bytes in one message."""
    name = "speech.client.chunk-size"
    for turn in view.turns:
        audio = _audio(turn)
        large = [said for said in audio if len(said.payload) > _MOST_BYTES]
        if large:
            observed = f"{len(large[0].payload)} bytes in one, {len(large)} such messages"
            yield broken(name, large[0].at, f"{_MOST_BYTES} bytes in an audio message at the most", observed)
        elif audio:
            yield kept(name, audio[-1].at)


def pace(view: View) -> Findings:
    """speech.client.pace: five seconds at once, and twice real time from then on."""
    name = "speech.client.pace"
    for turn in view.turns:
        audio = _audio(turn)
        if turn.wave is None or len(audio) < 2 or len(audio) < len(turn.audio):
            continue
        begun = audio[0].seen.started
        for said in audio:
            heard = (turn.heard(said.at + 1) or 0) / TICKS_PER_SECOND
            passed = said.seen.ended - begun
            if heard > _BURST_S + _JITTER_S + _SPEED * passed:
                expected = f"{_BURST_S:.0f} s of audio at once and {_SPEED:.0f} s in a second from then on"
                yield broken(name, said.at, expected, f"{heard:.1f} s of audio in {passed:.1f} s")
                break
        else:
            yield kept(name, audio[-1].at)


def ends(view: View) -> Findings:
    """speech.client.end, nothing-after-end: an empty message ends a stream, and it is the last one."""
    close = view.close_of(Party.CLIENT)
    for turn in view.turns:
        audio = [said for said in turn.client if said.path == spoken.AUDIO]
        end = next((said for said in audio if not said.payload), None)
        if end is None:
            open_still = turn.end is None and not turn.provoked and turn.next is None
            if audio and open_still and close is not None and view.started_close is None:
                yield broken("speech.client.end", close[0], "an empty audio message before the close", "none")
            continue
        if end.seen.deliberate:
            continue
        yield kept("speech.client.end", end.at)
        name = "speech.client.nothing-after-end"
        late = next((said for said in audio if said.at > end.at and not said.seen.deliberate), None)
        observed = "" if late is None else f"{len(late.payload)} bytes" if late.payload else "a second empty message"
        yield kept(name, end.at) if late is None else broken(name, late.at, "no more audio of this turn", observed)


def after_detection(view: View) -> Findings:
    """speech.client.stops-at-end-detected: no more audio once speech.endDetected has come."""
    name = "speech.client.stops-at-end-detected"
    for turn in view.turns:
        detected = next((said for said in turn.answers if said.path == spoken.END_DETECTED), None)
        if detected is None:
            continue
        late = [
            said
            for said in turn.client
            if said.path == spoken.AUDIO and said.payload and not said.seen.deliberate and said.at > detected.at
        ]
        unmoved = next((said for said in late if said.seen.started - detected.seen.ended > _REACTION_S), None)
        if unmoved is not None:
            seconds = unmoved.seen.started - detected.seen.ended
            yield broken(name, unmoved.at, "no audio behind speech.endDetected", f"some {seconds:.1f} s behind it")
        elif turn.next is not None or view.close_of(Party.CLIENT) is not None:
            yield kept(name, detected.at)


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, header, "speech.client.audio-format", "speech.client.audio-content-type"),
    rule(Party.CLIENT, chunks, "speech.client.chunk-size"),
    rule(Party.CLIENT, pace, "speech.client.pace"),
    rule(Party.CLIENT, ends, "speech.client.end", "speech.client.nothing-after-end"),
    rule(Party.CLIENT, after_detection, "speech.client.stops-at-end-detected"),
)
