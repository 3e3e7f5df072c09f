"""The order table of the dialect `translator`.

Client: a RIFF/WAVE header, then audio for as long as it likes. Server: nothing before the header is complete;
then, utterance by utterance, partials and one final, and behind a final that is to be spoken its voice.

The words of the table are not message types alone: `final` ends its utterance, `spoken final` is one whose voice is
due next (voice was requested and there is something to say).
"""

from __future__ import annotations

from typing import Final

from protocol.order import Edge, Refusal, Table
from protocol.wire import Party

CLIENT, SERVER = Party.CLIENT, Party.SERVER

# States.
START: Final = "start"
STREAMING: Final = "streaming"
MUTE: Final = "mute"
LISTENING: Final = "listening"
HYPOTHESIS: Final = "hypothesis"
VOICE_DUE: Final = "voice_due"
CLOSED: Final = "closed"

# Messages.
HEADER: Final = "header"
AUDIO: Final = "audio"
TEXT: Final = "text"
PARTIAL: Final = "partial"
FINAL: Final = "final"
SPOKEN_FINAL: Final = "spoken final"
VOICE: Final = "voice"
CLOSE: Final = "close"

_TEXTS: Final = (PARTIAL, FINAL, SPOKEN_FINAL)

_ENDED = "translator.session.no-data-after-close"
_EARLY = "translator.session.no-server-message-before-audio"

TABLE: Final = Table(
    dialect="translator",
    initial=((CLIENT, START), (SERVER, MUTE)),
    edges=(
        Edge(CLIENT, START, HEADER, STREAMING, ("A3", "A8"), carries=((MUTE, LISTENING),)),
        Edge(CLIENT, START, CLOSE, CLOSED, ("U4",)),
        Edge(CLIENT, STREAMING, AUDIO, STREAMING, ("A1", "A9")),
        Edge(CLIENT, STREAMING, CLOSE, CLOSED, ("U4",)),
        Edge(SERVER, MUTE, CLOSE, CLOSED, ("X:1000", "X:1003")),
        Edge(SERVER, LISTENING, PARTIAL, HYPOTHESIS, ("M2", "M3")),
        Edge(SERVER, LISTENING, FINAL, LISTENING, ("M1", "M3")),
        Edge(SERVER, LISTENING, SPOKEN_FINAL, VOICE_DUE, ("T1",)),
        Edge(SERVER, LISTENING, CLOSE, CLOSED, ("X:1000", "X:1001", "X:1003", "X:1011")),
        Edge(SERVER, HYPOTHESIS, PARTIAL, HYPOTHESIS, ("M3", "M4")),
        Edge(SERVER, HYPOTHESIS, FINAL, LISTENING, ("M3",)),
        Edge(SERVER, HYPOTHESIS, SPOKEN_FINAL, VOICE_DUE, ("M3", "T1")),
        Edge(SERVER, HYPOTHESIS, CLOSE, CLOSED, ("X:1001", "X:1003", "X:1011")),
        Edge(SERVER, VOICE_DUE, VOICE, LISTENING, ("T1", "T2")),
        Edge(SERVER, VOICE_DUE, CLOSE, CLOSED, ("X:1001", "X:1003", "X:1011")),
    ),
    refusals=(
        Refusal(CLIENT, START, AUDIO, "translator.client.header-first", STREAMING),
        Refusal(CLIENT, STREAMING, HEADER, "translator.client.header-first", STREAMING),
        Refusal(CLIENT, START, TEXT, "translator.client.binary-only", START),
        Refusal(CLIENT, STREAMING, TEXT, "translator.client.binary-only", STREAMING),
        *(Refusal(CLIENT, CLOSED, word, _ENDED, CLOSED) for word in (HEADER, AUDIO, TEXT, CLOSE)),
        *(Refusal(SERVER, MUTE, word, _EARLY, MUTE) for word in (*_TEXTS, VOICE)),
        *(Refusal(SERVER, VOICE_DUE, word, "translator.voice.before-next-text", VOICE_DUE) for word in _TEXTS),
        Refusal(SERVER, LISTENING, VOICE, "translator.voice.one-message", LISTENING),
        Refusal(SERVER, HYPOTHESIS, VOICE, "translator.voice.never-for-partial", HYPOTHESIS),
        *(Refusal(SERVER, CLOSED, word, _ENDED, CLOSED) for word in (*_TEXTS, VOICE, CLOSE)),
    ),
)
