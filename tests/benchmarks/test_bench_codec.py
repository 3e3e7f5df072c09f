"""What reading the wire costs: the audio header, and frames that are looked at before they are parsed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Frame, Opcode

from protocol.audio import PcmFormat
from protocol.riff import HeaderReader, build_header
from protocol.speech import formats, framing
from protocol.websocket import Endpoint, ServerEnd
from protocol.wire import Fragment, HttpRequest

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter, Side

pytestmark = pytest.mark.slow

ROUNDS = 11
RATE = 16_000
CHUNK = bytes(RATE * 2 // 10)
FRAME_BYTES = 8192
LONG = 320 * len(CHUNK)
READ = 4096

UPGRADE = HttpRequest(
    "GET",
    "/",
    (
        ("Host", "server.test"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ),
)


def test_audio_header(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    data = build_header(PcmFormat(RATE)) + CHUNK
    layout = struct.Struct("<4sI4s4sIHHIIHH4sI")

    def naive() -> tuple[int, bytes]:
        """Read the commonest layout alone, and trust most of it."""
        riff, _, wave, fmt, _, tag, channels, rate, _, _, bits, name, _ = layout.unpack_from(data)
        if (riff, wave, fmt, name, tag, channels, bits) != (b"RIFF", b"WAVE", b"fmt ", b"data", 1, 1, 16):
            raise ValueError("not this layout")
        return rate, data[layout.size :]

    def strict() -> tuple[int, bytes]:
        read = HeaderReader().feed(data)
        assert read is not None
        return read[0].format.rate, read[1]

    assert naive() == strict() == (RATE, CHUNK)
    meter.compare(
        "Header of 44 bytes, once a session",
        "µs of CPU (min / median / max)",
        {
            "struct, one layout, hardly checked": calls(naive, 5000),
            "HeaderReader: construct, interpreted": calls(strict, 500),
        },
        ROUNDS,
    )


def opened() -> ServerEnd:
    """Return an end behind its handshake."""
    end = ServerEnd(FRAME_BYTES)
    end.accepted(end.accept(UPGRADE))
    return end


def carried(end: ServerEnd, receive: Callable[[ServerEnd, bytes, float], list[object]], data: bytes) -> int:
    """Return how many bytes of payload come out of the end."""
    events = [event for at in range(0, len(data), READ) for event in receive(end, data[at : at + READ], 0.0)]
    return sum(len(event.data) for event in events if isinstance(event, Fragment))


def test_frames(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    short = Frame(Opcode.BINARY, CHUNK).serialize(mask=True)
    alone, reframed = opened(), opened()
    assert [Endpoint.receive(alone, short, 0.0)] == [reframed.receive(short, 0.0)]
    meter.compare(
        "Frame of 3.2 kB that comes in one piece",
        "µs of CPU (min / median / max)",
        {
            "ServerEnd without Reframer": calls(lambda: Endpoint.receive(alone, short, 0.0), 5000),
            "ServerEnd": calls(lambda: reframed.receive(short, 0.0), 5000),
        },
        ROUNDS,
    )


def test_long_frame(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    one = Frame(Opcode.BINARY, bytes(LONG)).serialize(mask=True)
    many = Frame(Opcode.BINARY, CHUNK).serialize(mask=True) * (LONG // len(CHUNK))
    end = opened()

    def payload(data: bytes) -> int:
        return carried(end, ServerEnd.receive, data)  # type: ignore[arg-type]  # events are objects

    assert payload(one) == payload(many) == LONG
    meter.compare(
        f"{LONG // 1000} kB of audio in reads of {READ} bytes",
        "µs of CPU (min / median / max)",
        {"frames of 3.2 kB": calls(lambda: payload(many), 10), "one frame": calls(lambda: payload(one), 10)},
        ROUNDS,
    )


def test_speech_frames(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    identity = "0123456789abcdef" * 2
    audio = framing.write(framing.binary("audio", identity, CHUNK, (("X-Timestamp", "2026-01-01T00:00:00.000Z"),)))
    text = framing.write(framing.text("speech.context", identity, {"phraseDetection": {"mode": "Conversation"}}))
    for name, message in (("audio of 3.2 kB", audio), ("speech.context", text)):
        kind, data = message.kind, message.data
        assert framing.read(kind, data) == formats.read(kind, data)
        meter.compare(
            f"Reading one message: {name}",
            "µs of CPU (min / median / max)",
            {
                "framing: by hand": calls(partial(framing.read, kind, data), 2000),
                "formats: construct": calls(partial(formats.read, kind, data), 500),
            },
            ROUNDS,
        )
