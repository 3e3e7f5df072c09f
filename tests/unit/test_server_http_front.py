"""HTTP/1.1 in front of everything, over a pipe in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from conformance.peers import virtual
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.http_front import HttpFront, phrase
from reference_server.policy import Limits

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Scene = Callable[[HttpFront, Streams], Awaitable[None]]
GET = b"GET /path?x=1 HTTP/1.1\r\nHost: x\r\n"


def play(scene: Scene) -> None:
    """Run a scene with the front and the client's end of its connection."""

    async def whole() -> None:
        ours, theirs = virtual.pipe()
        try:
            await scene(HttpFront(*theirs, Limits(), lambda: 1_000_000_000.0), ours)
        finally:
            for _, writer in (ours, theirs):
                writer.close()

    virtual.run(whole())


async def read(front: HttpFront, body_limit: int = 100) -> HttpRequest:
    request = await front.request(lambda _: body_limit)
    assert isinstance(request, HttpRequest)
    return request


class TestRequest:
    def test_is_read_as_it_was_sent(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET + b"X-Odd-CASE:  a b \r\nX-Latin: \xe9\r\n\r\n")
            headers = (("Host", "x"), ("X-Odd-CASE", "a b"), ("X-Latin", "\xe9"))
            assert await read(front) == HttpRequest("GET", "/path?x=1", headers)

        play(scene)

    def test_may_come_byte_by_byte(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            reading = asyncio.ensure_future(read(front))
            for byte in GET + b"\r\n":
                client[1].write(bytes((byte,)))
                await asyncio.sleep(0.01)
            assert (await reading).path == "/path"

        play(scene)

    @pytest.mark.parametrize(
        ("head", "body"),
        [
            (b"Content-Length: 5\r\n\r\nhello", b"hello"),
            (b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
            (b"\r\n", b""),
        ],
    )
    def test_has_its_body(self, head: bytes, body: bytes) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(b"POST / HTTP/1.1\r\nHost: x\r\n" + head)
            assert (await read(front)).body == body

        play(scene)

    def test_leaves_a_body_unread_that_is_declared_too_long(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + bytes(101))
            request = await read(front)
            assert (request.body, header(request.headers, "content-length")) == (b"", "101")

        play(scene)

    def test_stops_reading_a_body_that_turns_out_too_long(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            chunk = b"40\r\n" + bytes(64) + b"\r\n"
            client[1].write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 3)
            assert len((await read(front)).body) == 101

        play(scene)

    @pytest.mark.parametrize(
        ("target", "origin"),
        [
            ("/a?b", "/a?b"),
            ("*", "*"),
            ("http://h:1/a?b", "/a?b"),
            ("WSS://h/a", "/a"),
            ("http://h", "/"),
            ("http://h?b=/", "/?b=/"),
            ("a", "/a"),
        ],
    )
    def test_has_a_target_without_a_host(self, target: str, origin: str) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(f"OPTIONS {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert (await read(front)).target == origin

        play(scene)

    def test_is_none_when_the_client_leaves(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write_eof()
            assert await front.request(lambda _: 0) is None

        play(scene)

    def test_is_none_when_the_connection_breaks(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET)
            reading = asyncio.ensure_future(front.request(lambda _: 0))
            await asyncio.sleep(0.1)
            client[1].transport.abort()
            assert await reading is None

        play(scene)


class TestResponse:
    def test_gets_an_identity_and_a_date(self) -> None:
        async def scene(front: HttpFront, _: Streams) -> None:
            first, second = (front.complete(HttpResponse(200, ())) for _ in range(2))
            assert header(first.headers, "X-RequestId") != header(second.headers, "X-RequestId")
            assert header(first.headers, "Date") == "Sun, 09 Sep 2001 01:46:40 GMT"

        play(scene)

    def test_keeps_a_date_that_it_has(self) -> None:
        async def scene(front: HttpFront, _: Streams) -> None:
            response = front.complete(HttpResponse(200, (("date", "today"),)))
            assert [value for name, value in response.headers if name.lower() == "date"] == ["today"]

        play(scene)

    def test_is_sent_with_its_length_and_the_connection_goes_on(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET + b"\r\n")
            await read(front)
            assert await front.respond(HttpResponse(404, (("X-Odd-CASE", "a"),), b"body"))
            sent = b"HTTP/1.1 404 Not Found\r\nX-Odd-CASE: a\r\nContent-Length: 4\r\n\r\nbody"
            assert await client[0].readexactly(len(sent)) == sent

        play(scene)

    def test_without_content_has_no_length(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET + b"\r\n")
            await read(front)
            assert await front.respond(HttpResponse(204, ()))
            assert await client[0].readuntil(b"\r\n\r\n") == b"HTTP/1.1 204 No Content\r\n\r\n"

        play(scene)

    def test_ends_the_connection_when_the_client_wants_that(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET + b"Connection: close\r\n\r\n")
            await read(front)
            assert not await front.respond(HttpResponse(200, ()))

        play(scene)

    def test_ends_the_connection_when_a_body_was_left_unread(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + bytes(101))
            await read(front)
            responding = asyncio.ensure_future(front.respond(HttpResponse(413, ())))
            assert b"Connection: close" in await client[0].readuntil(b"\r\n\r\n")
            assert await client[0].read() == b""
            client[1].close()
            assert not await responding

        play(scene)

    def test_to_a_client_that_has_left_ends_the_connection(self) -> None:
        async def scene(front: HttpFront, client: Streams) -> None:
            client[1].write(GET + b"\r\n")
            await read(front)
            client[1].transport.abort()
            assert not await front.respond(HttpResponse(200, ()))

        play(scene)


class TestPhrase:
    @pytest.mark.parametrize(("status", "words"), [(200, "OK"), (426, "Upgrade Required"), (299, "")])
    def test_is_the_registered_one(self, status: int, words: str) -> None:
        assert phrase(status) == words
