"""A small server of the Translator Speech API v1.0, from its public documentation alone. It hears when, not what."""

import argparse
import asyncio
import json
import secrets
import signal
import struct
import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

BROKEN = ["any-key", "any-language", "fixed-header", "json-token", "late-final", "no-request-id", "no-translation"]
BROKEN += ["raw-voice", "text-times", "unasked-partials"]
KEY, SENTENCE = "test-key", "The weather is fine today."
NAMES = {"en": {"en": "English", "pt": "Portuguese"}, "pt": {"en": "Inglês", "pt": "Português"}}
VOICES = [
    {"displayName": "Zira", "gender": "female", "locale": "en-US", "regionName": "United States", "language": "en"},
    {"displayName": "Daniel", "gender": "male", "locale": "pt-BR", "regionName": "Brazil", "language": "pt"},
]
TIMES = ["audioTimeOffset", "audioTimeSize", "audioStreamPosition", "audioSizeBytes"]
TONE = (b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 200  # half a second of 400 Hz, for a voice
FORM = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 16036, b"WAVEfmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 16000)
bearers: dict[str, float] = {}  # until when each token is good
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--broken", choices=BROKEN, help="be wrong in one way")
options = parser.parse_args()


def parameters(request: Request | None) -> dict[str, str]:
    """Return the query by names in lower case; what is empty counts as absent."""
    return {name.lower(): value for name, value in parse_qsl(urlsplit(request.path if request else "").query)}


def languages(query: dict[str, str], tag: str) -> str:
    """Return the scopes that the query asks for, with names in the language of a tag."""
    names = NAMES.get(tag.lower()[:2], NAMES["en"])
    scopes = {
        "text": {tag: {"name": name, "dir": "ltr"} for tag, name in names.items()},
        "speech": {v["locale"]: {"name": names[v["language"]], "language": v["language"]} for v in VOICES},
        "tts": {f"{v['locale']}-{v['displayName']}": {**v, "languageName": names[v["language"]]} for v in VOICES},
    }
    return json.dumps({scope: scopes[scope] for scope in query.get("scope", "text").split(",") if scope in scopes})


def answer(connection: ServerConnection, request: Request) -> Response | None:
    """Answer a request, or return None to open a session."""
    query, path = parameters(request), urlsplit(request.path).path.lower()
    if path == "/languages":
        return connection.respond(200, languages(query, request.headers.get("Accept-Language", "")))
    key = request.headers.get("Ocp-Apim-Subscription-Key") or query.get("subscription-key")
    if path == "/sts/v1.0/issuetoken" and key == KEY:
        token = ".".join(secrets.token_urlsafe(24) for _ in range(3))  # in three parts, like a JWT
        bearers[f"Bearer {token}"] = time.time() + 600
        return connection.respond(200, json.dumps(token) if options.broken == "json-token" else token)
    bearer = request.headers.get("Authorization") or f"Bearer {query.get('access_token', '')}"
    good = key == KEY if bearer == "Bearer " else bearers.get(bearer, 0) > time.time()
    if not good and options.broken != "any-key":
        return connection.respond(401, "a good key or token is needed")
    if path != "/speech/translate":
        return connection.respond(404, "no such path")
    wrong = {query.get("from", "").lower(), query.get("to", "").lower()} - {*NAMES, "en-us", "pt-br"}
    if "texttospeech" in query.get("features", "").lower():
        wrong |= {query.get("format", "audio/wav")} - {"audio/wav"}
    return connection.respond(400, "bad from, to or format") if wrong and options.broken != "any-language" else None


def finish(_: ServerConnection, __: Request, response: Response) -> None:
    """Give every response the header fields that all have."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    if options.broken != "no-request-id":
        response.headers["X-RequestId"] = secrets.token_hex(16)


def read_header(sound: bytes) -> tuple[int, int] | None:
    """Return the sample rate and where the samples begin, or None while the header is not complete."""
    at, form = 12, (1, 1, 16000, 32000, 2, 16)
    while len(sound) >= at + 8 and sound[at : at + 4] != b"data":
        name, size = struct.unpack_from("<4sI", sound, at)
        form = struct.unpack("<HHIIHH", sound[at + 8 : at + 24].ljust(16)) if name == b"fmt " else form
        at += 8 + size + size % 2
    good = form[:2] + form[5:] == (1, 1, 16) and 8000 <= form[2] <= 48000
    if not b"RIFF".startswith(sound[:4]) or not b"WAVE".startswith(sound[8:12]) or (len(sound) >= at + 8 and not good):
        raise ValueError("the audio has to begin with a RIFF/WAVE header of mono 16-bit PCM")
    return (form[2], 44 if options.broken == "fixed-header" else at + 8) if len(sound) >= at + 8 else None


async def hear(connection: ServerConnection) -> AsyncIterator[tuple[bool, int, int, int]]:
    """Give, twice a second of an utterance and behind it: whether it is over, begin and size in bytes, and the rate."""
    sound, rate, at, begin, end = b"", 0, 0, -1, 0
    while True:
        async for piece in connection.recv_streaming():  # frames, since a message may never end
            if isinstance(piece, str):
                raise TypeError("audio comes in binary messages")
            sound += piece
            if not rate and (header := read_header(sound)):
                rate, sound = header[0], sound[header[1] :]
            frame = rate // 50 * 2 or 2
            whole = len(sound) // frame * frame if rate else 0
            for samples in struct.iter_unpack(f"<{frame // 2}h", sound[:whole]):
                at += frame
                if loud := max(samples) - min(samples) > 1000:
                    begin, end = (at - frame if begin < 0 else begin), at
                over = at - end >= rate * (8 if options.broken == "late-final" else 1.6) or at - begin >= rate * 60
                if begin >= 0 and (over or (loud and (at - begin) // frame % 25 == 0)):
                    yield over, begin, end - begin, rate
                    begin = -1 if over else begin
            sound = sound[whole:]


async def hold(connection: ServerConnection) -> None:
    """Hold a session to its end."""
    query, major = parameters(connection.request), 0
    wanted = [word.strip() for word in query.get("features", "").lower().split(",")]
    try:
        async for over, begin, size, rate in hear(connection):
            heard = " ".join(SENTENCE.split()[: 9 if over else size // rate])
            number = f"{major}" if over else f"{major}.{size // rate}"
            result: dict[str, object] = {"type": "final" if over else "partial", "id": number, "recognition": heard}
            if options.broken != "no-translation":
                result["translation"] = f"[{query['to']}] {heard}"
            if "timinginfo" in wanted:
                times = (begin * 5_000_000 // rate, size * 5_000_000 // rate, begin, size)
                result |= zip(TIMES, map(str, times) if options.broken == "text-times" else times, strict=True)
            if over or "partial" in wanted or options.broken == "unasked-partials":
                await connection.send(json.dumps(result))
            if over and "texttospeech" in wanted:
                await connection.send(TONE if options.broken == "raw-voice" else FORM + TONE)
            major += over
    except (ConnectionClosed, TypeError, ValueError) as error:
        await connection.close(1003, str(error))  # which does nothing to a connection that is closed


async def main() -> None:
    """Serve until a signal comes."""
    server = await serve(
        hold, "127.0.0.1", options.port, process_request=answer, process_response=finish, max_size=None, max_queue=None
    )
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, server.close)
    print(f"LISTENING ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", flush=True)  # noqa: T201 - the interface
    await server.wait_closed()


asyncio.run(main())
