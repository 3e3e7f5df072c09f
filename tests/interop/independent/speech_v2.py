"""A small server of the Speech service's universal protocol, from public notes alone. It hears when, not what."""

import argparse
import asyncio
import json
import struct
from typing import Any
from urllib.parse import parse_qsl

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

BROKEN = ["any-key", "little-endian", "lost-target", "lower-id", "no-audio.end", "no-status", "no-turn.end"]
BROKEN += ["no-turn.start", "patient", "wrong-close"]
SENTENCE, LANGUAGES = "The weather is fine today.", {"de", "en", "es", "fr", "it", "pt"}
TONE = (b"\x00\x20" * 20 + b"\x00\xe0" * 20) * 200  # half a second of 400 Hz, for a voice
FORM = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 16036, b"WAVEfmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 16000)
DECODER = json.JSONDecoder(object_pairs_hook=lambda pairs: {name.lower(): value for name, value in pairs})
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--broken", choices=BROKEN, help="be wrong in one way")
options = parser.parse_args()


def answer(connection: ServerConnection, request: Request) -> Response | None:
    """Answer a request, or return None to open a connection."""
    path, _, query = request.path.partition("?")  # a browser cannot set headers, and puts them into the query
    given = {name.lower(): value for name, value in [*parse_qsl(query), *request.headers.raw_items()] if value}
    if path not in ("/stt/speech/universal/v2", "/speech/universal/v2") or "upgrade" not in given:
        return connection.respond(404, "nothing here")
    good = given.get("ocp-apim-subscription-key") == "test-key" or options.broken == "any-key"
    return None if good else connection.respond(401, "a good key is needed")


def read(message: str | bytes) -> tuple[str, str, bytes]:
    """Return path, request id and body of a message; ValueError if it is malformed, LookupError if it has no path."""
    if isinstance(message, str):
        head, body = (message + "\r\n\r\n" * ("audio.commit" in message)).encode().split(b"\r\n\r\n", 1)
    else:
        size = int.from_bytes(message[:2], "big")
        head, body = message[2 : 2 + size], message[2 + size :]
        if size > min(8192, len(message) - 2):
            raise ValueError("Incorrect message format. Binary message has invalid header size.")
    headers = {n.strip().lower(): v.strip() for n, v in (line.split(":", 1) for line in head.decode().splitlines())}
    return headers["path"].lower(), headers.get("x-requestid", ""), body


class Turn:
    """A turn: what it asks for, and its sound, 32 bytes a millisecond, behind a header of 44 bytes."""

    def __init__(self, connection: ServerConnection, number: str, context: Any) -> None:
        self.connection, self.number, self.sound = connection, number, bytearray()
        self.detection, synthesis = context.get("phrasedetection", {}), context.get("synthesis", {})
        language = context.get("languageid", {}).get("languages", [self.detection.get("language", "en-US")])[0]
        self.primary = {"PrimaryLanguage": {"Language": language.replace("UND", "en"), "Confidence": "High"}}
        self.targets = list(dict.fromkeys(context.get("translation", {}).get("targetlanguages", [])))
        self.spoken = {to.lower() for to in synthesis.get("synthesizedlanguages") or synthesis.get("defaultvoices", {})}
        self.one_shot = self.detection.get("mode", "").lower() not in ("conversation", "dictation")
        self.more, self.ended, self.task = asyncio.Event(), False, asyncio.create_task(self.hold())

    async def need(self, size: int) -> None:
        """Wait for so much sound; TimeoutError if the stream has ended, unless more comes at once, as it may."""
        while len(self.sound) < size:
            await asyncio.wait_for(self.more.wait(), 0.2 if self.ended else None)
            self.more.clear()

    async def send(self, path: str, body: Any, **more: str) -> None:
        """Send a text message, or a binary one if its body is bytes."""
        number = self.number.lower() if options.broken == "lower-id" else self.number
        head = "".join(f"{name}:{value}\r\n" for name, value in {"Path": path, "X-RequestId": number, **more}.items())
        size = len(head).to_bytes(2, "little" if options.broken == "little-endian" else "big")
        text = "" if isinstance(body, bytes) else f"{head}Content-Type:application/json\r\n\r\n{json.dumps(body)}"
        if options.broken != f"no-{path}":
            await self.connection.send(text or size + head.encode() + body)

    async def tell(self, text: str, begin: int, end: int, final: bool = True) -> None:
        """Send what is said from one place to another, an interim or a final, and its voices."""
        said = {"RecognitionStatus": "Success", "DisplayText": text} if final else {"Text": text}
        if final and self.one_shot and not text:
            said = {"RecognitionStatus": "InitialSilenceTimeout"}
        place = {"Offset": begin // 32 * 10**4, "Duration": (-(-end // 32) - begin // 32) * 10**4}
        results = [{"Language": to, "Text": f"[{to}] {text}"} for to in self.targets if text and to[:2] in LANGUAGES]
        body: Any = {"TranslationStatus": "Success", "Translations": results[options.broken == "lost-target" :]}
        if final and not {to[:2] for to in self.targets} <= LANGUAGES:
            body |= {"TranslationStatus": "Error", "FailureReason": "a target language is not known"}
        body["SpeechPhrase" if final else "SpeechHypothesis"] = {**said, **self.primary, **place}
        await self.send("translation.response", body)
        for to in (to for to in self.targets if final and text and to.lower() in self.spoken):
            stream = {"X-StreamId": f"{self.number}-{begin}-{to}"}
            await self.send("audio.start", {"TranslationLanguage": to}, **stream)
            await self.send("audio", FORM + TONE, **stream)
            await self.send("audio.end", {} if options.broken == "no-status" else {"Status": "Success"}, **stream)

    async def hold(self) -> None:
        """Hear the stream to the end of the turn."""
        at, begin, end, told, over = 0, -1, 0, 0, False
        limit = 32 * (self.detection.get("initialsilencetimeout", 5000) or 10**9) if self.one_shot else 15 * 32000
        await self.more.wait()
        await self.send("turn.start", {"context": {"serviceTag": self.number}})
        try:
            await self.need(44)
            if self.sound[8:36] != FORM[8:36] or self.detection.get("language", "en")[:2] not in LANGUAGES:
                await asyncio.sleep(0.1)  # one client misses a close that comes at once
                await self.connection.close(1011 if options.broken == "wrong-close" else 1007, "not supported")
                return
            while not over:
                await self.need(44 + at + 640)
                if (loud := max(struct.unpack_from("<320h", self.sound, 44 + at)) > 500) and not end:
                    await self.send("speech.startDetected", {"Offset": at // 32 * 10**4})
                begin, end, at = at if loud and begin < 0 else begin, at + 640 if loud else end, at + 640
                paused = begin >= 0 and (at - end >= 25600 or at - begin >= 960_000)  # 0.8 s of silence, or 30 s in all
                over = (paused and self.one_shot) or (begin < 0 and at - told >= limit and options.broken != "patient")
                if paused or over:
                    await self.tell(SENTENCE * paused, max(begin, told), len(self.sound) - 44 if self.one_shot else at)
                    begin, told = -1, at
                elif loud and (at - begin) % 16000 == 0:
                    await self.tell(SENTENCE[:-1].lower(), begin, at, final=False)
            await self.send("speech.endDetected", {"Offset": at // 32 * 10**4})
        except TimeoutError:
            if begin >= 0 or self.one_shot:
                await self.tell(SENTENCE * (begin >= 0), max(begin, told), len(self.sound) - 44)
        await self.send("turn.end", {})


async def hold(connection: ServerConnection) -> None:
    """Serve a connection: what cannot be read closes it with 1007, what has no path with 1002."""
    turn = Turn(connection, "", {})  # which never gets any sound
    try:
        async for message in connection:
            path, number, body = read(message)
            if path == "speech.context":
                turn.task.cancel()
                turn = Turn(connection, number, DECODER.decode(body.decode()))
            elif path == "audio" and turn.number == number:
                turn.sound += body
                turn.ended = not body
                turn.more.set()
    except (AttributeError, ConnectionClosed, LookupError, ValueError) as error:
        await connection.close(1002 if isinstance(error, LookupError) else 1007, str(error))
    turn.task.cancel()


async def main() -> None:
    server = await serve(hold, "127.0.0.1", options.port, process_request=answer, max_queue=None, ping_interval=None)
    print(f"LISTENING ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", flush=True)  # noqa: T201 - the interface
    await server.serve_forever()


asyncio.run(main())
