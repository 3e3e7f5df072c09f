"""Both ends of a WebSocket connection, section by section of RFC 6455: bytes in, events out, and back."""

from __future__ import annotations

import base64

import pytest
from websockets.frames import Frame, Opcode

from protocol.websocket import ABNORMAL, ClientEnd, Endpoint, Pong, ServerEnd, Unreadable
from protocol.wire import Abort, Close, Fragment, HttpRequest, HttpResponse, Kind, Message, PeerClosed, header

TARGET = "/speech/translate?from=en-US&to=it"
LIMIT = 1024
MASK = b"\x37\xfa\x21\x3d"
RFC_KEY, RFC_ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the pair of §1.3
RFC_REQUEST = HttpRequest(
    "GET",
    TARGET,
    (
        ("Host", "server.example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", RFC_KEY),
        ("Sec-WebSocket-Version", "13"),
    ),
)


def masked(head: bytes, data: bytes = b"") -> bytes:
    """Return a frame of a client: its first two bytes (length included), the mask, the masked payload."""
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(data))


def without(name: str) -> HttpRequest:
    return HttpRequest("GET", TARGET, tuple(pair for pair in RFC_REQUEST.headers if pair[0] != name))


def asking() -> tuple[ClientEnd, HttpRequest]:
    client = ClientEnd("server.example.com", 80, secure=False, target=TARGET)
    return client, client.request(())


def response_to(request: HttpRequest, *, accept: str | None = None, extra: str = "") -> bytes:
    """Return a 101 for a request, with another `Sec-WebSocket-Accept` or further header lines if they are given."""
    answer = ServerEnd(LIMIT).accept(request)
    good = header(answer.headers, "Sec-WebSocket-Accept")
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept or good}\r\n{extra}\r\n"
    ).encode()


@pytest.fixture
def server() -> ServerEnd:
    """An open accepting end."""
    end = ServerEnd(LIMIT)
    end.accepted(end.accept(RFC_REQUEST))
    return end


@pytest.fixture
def client() -> ClientEnd:
    """An open asking end."""
    end, request = asking()
    end.handshake(response_to(request))
    end.take()
    return end


class TestSection41ClientHandshake:
    """§4.1: what a client asks, and when it takes the answer."""

    def test_the_request_has_everything_that_the_section_asks_for(self) -> None:
        client, request = asking()
        assert (request.method, request.target) == ("GET", TARGET)
        assert header(request.headers, "Host") == "server.example.com"
        assert header(request.headers, "Upgrade") == "websocket"
        assert header(request.headers, "Connection") == "Upgrade"
        assert header(request.headers, "Sec-WebSocket-Version") == "13"
        assert len(base64.b64decode(header(request.headers, "Sec-WebSocket-Key") or "", validate=True)) == 16
        assert header(request.headers, "Sec-WebSocket-Protocol") is None
        assert header(request.headers, "Sec-WebSocket-Extensions") is None
        wire, eof = client.take()
        assert wire.startswith(f"GET {TARGET} HTTP/1.1\r\nHost: server.example.com\r\n".encode())
        assert wire.endswith(b"\r\n\r\n")
        assert not eof

    def test_another_port_is_part_of_the_host(self) -> None:
        client = ClientEnd("::1", 8080, secure=True, target="/")
        assert header(client.request(()).headers, "Host") == "[::1]:8080"

    def test_a_query_may_have_a_question_mark_in_it(self) -> None:
        client = ClientEnd("h", 80, secure=False, target="/a?b=c?d")
        assert client.request(()).target == "/a?b=c?d"
        assert client.take()[0].startswith(b"GET /a?b=c?d HTTP/1.1\r\n")

    def test_further_headers_follow(self) -> None:
        client = ClientEnd("h", 80, secure=False, target="/")
        request = client.request((("X-ClientTraceId", "1"), ("X-ClientTraceId", "2")))
        assert request.headers[-2:] == (("X-ClientTraceId", "1"), ("X-ClientTraceId", "2"))
        assert b"X-ClientTraceId: 1\r\nX-ClientTraceId: 2\r\n" in client.take()[0]

    def test_headers_can_be_left_out_also_those_that_are_not_there(self) -> None:
        client = ClientEnd("h", 80, secure=False, target="/")
        left_out = frozenset({"upgrade", "Connection", "Sec-WebSocket-Extensions"})
        request = client.request((("Connection", "close"),), method="POST", leave_out=left_out)
        assert request.method == "POST"
        assert [name for name, _ in request.headers] == [
            "Host",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
            "Connection",
        ]
        assert client.take()[0].startswith(b"POST / HTTP/1.1\r\n")

    def test_a_good_101_opens_the_connection(self) -> None:
        client, request = asking()
        assert not client.open
        response = client.handshake(response_to(request, extra="X-RequestId: 7\r\n"))
        assert response is not None
        assert response.status == 101
        assert header(response.headers, "X-RequestId") == "7"
        assert client.open
        assert client.refused is None

    def test_a_response_may_come_in_pieces(self) -> None:
        client, request = asking()
        wire = response_to(request)
        assert client.handshake(wire[:40]) is None
        assert client.handshake(wire[40:]) is not None

    def test_frames_behind_the_response_are_early_events(self) -> None:
        client, request = asking()
        client.handshake(response_to(request) + b"\x81\x02hi\x82\x00\x89\x00")
        assert client.early(0.5) == [Fragment(0.5, Kind.TEXT, b"hi"), Fragment(0.5, Kind.BINARY, b"")]
        assert client.early(0.6) == []

    def test_early_bytes_that_are_no_frames_are_unreadable(self) -> None:
        client, request = asking()
        client.handshake(response_to(request) + b"\xff\xff")
        assert client.early(0.5) == [Unreadable(0.5, 1002, "invalid opcode")]

    def test_another_status_is_the_response_that_refuses(self) -> None:
        client, _ = asking()
        response = client.handshake(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        assert response == HttpResponse(401, (("Content-Length", "2"),), b"no")
        assert client.refused == "server rejected WebSocket connection: HTTP 401"
        assert not client.open

    def test_a_101_with_the_wrong_key_is_refused(self) -> None:
        client, request = asking()
        response = client.handshake(response_to(request, accept=RFC_ACCEPT))
        assert response is not None
        assert response.status == 101
        assert client.refused == f"invalid Sec-WebSocket-Accept header: {RFC_ACCEPT}"

    @pytest.mark.parametrize(
        ("extra", "why"),
        [
            ("Sec-WebSocket-Protocol: usp\r\n", "no subprotocols supported"),
            ("Sec-WebSocket-Extensions: permessage-deflate\r\n", "no extensions supported"),
        ],
    )
    def test_a_101_that_selects_what_was_not_offered_is_refused(self, extra: str, why: str) -> None:
        client, request = asking()
        client.handshake(response_to(request, extra=extra))
        assert client.refused == why

    @pytest.mark.parametrize(
        ("offered", "extra"),
        [
            ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: usp\r\n"),
            ("Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        ],
    )
    def test_a_101_may_select_or_ignore_what_was_offered(self, offered: str, extra: str) -> None:
        values = {"Sec-WebSocket-Protocol": "x, usp", "Sec-WebSocket-Extensions": "permessage-deflate"}
        for answer in (extra, ""):
            client = ClientEnd("server.example.com", 80, secure=False, target=TARGET)
            request = client.request(((offered, values[offered]),))
            client.handshake(response_to(request, extra=answer))
            assert client.refused is None

    @pytest.mark.parametrize(
        ("wire", "why"),
        [
            (b"SSH-2.0-OpenSSH_9.6\r\n", "invalid HTTP status line: SSH-2.0-OpenSSH_9.6"),
            (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade websocket\r\n\r\n", "invalid HTTP header line"),
            (b"x" * 10_000, "read 10000 bytes, expected no more than 8192"),
        ],
    )
    def test_what_is_not_http_is_an_error_that_says_what_came(self, wire: bytes, why: str) -> None:
        client, _ = asking()
        with pytest.raises(ValueError, match=why):
            client.handshake(wire)

    def test_an_end_before_the_response_is_an_error(self) -> None:
        client, _ = asking()
        assert client.handshake(b"HTTP/1.1 101") is None
        with pytest.raises(ValueError, match="connection closed while reading HTTP status line"):
            client.handshake(b"")


class TestSection42ServerHandshake:
    """§4.2: what a server reads, and what it answers."""

    def test_the_answer_proves_that_the_key_was_read(self) -> None:
        end = ServerEnd(LIMIT)
        response = end.accept(RFC_REQUEST)
        assert response.status == 101
        assert header(response.headers, "Sec-WebSocket-Accept") == RFC_ACCEPT
        assert header(response.headers, "Upgrade") == "websocket"
        assert header(response.headers, "Connection") == "Upgrade"

    def test_it_is_open_when_the_answer_is_sent_and_not_before(self) -> None:
        end = ServerEnd(LIMIT)
        response = end.accept(RFC_REQUEST)
        assert not end.open
        changed = HttpResponse(101, (*response.headers, ("X-RequestId", "7")))
        wire = end.accepted(changed)
        assert end.open
        assert wire.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert wire.endswith(b"X-RequestId: 7\r\n\r\n")

    @pytest.mark.parametrize("offer", ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"])
    def test_it_selects_neither_subprotocol_nor_extension(self, offer: str) -> None:
        request = HttpRequest("GET", TARGET, (*RFC_REQUEST.headers, (offer, "permessage-deflate")))
        response = ServerEnd(LIMIT).accept(request)
        assert response.status == 101
        assert header(response.headers, offer) is None

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (without("Upgrade"), 426),
            (without("Connection"), 426),
            (without("Sec-WebSocket-Key"), 400),
            (without("Sec-WebSocket-Version"), 400),
            (HttpRequest("POST", TARGET, RFC_REQUEST.headers), 405),
        ],
    )
    def test_what_is_no_upgrade_is_refused(self, request_: HttpRequest, status: int) -> None:
        response = ServerEnd(LIMIT).accept(request_)
        assert response.status == status
        assert response.body

    def test_a_body_that_the_front_has_read_is_no_obstacle(self) -> None:
        end = ServerEnd(LIMIT)
        end.accepted(end.accept(HttpRequest("GET", TARGET, (*RFC_REQUEST.headers, ("Content-Length", "3")), b"abc")))
        assert end.receive(masked(b"\x82\x81", b"x"), 1.0) == [Fragment(1.0, Kind.BINARY, b"x")]

    def test_junk_before_the_answer_is_unreadable_without_a_close_frame(self) -> None:
        end = ServerEnd(LIMIT)
        end.accept(RFC_REQUEST)
        assert end.receive(b"GET / HTTP/1.1\r\n\r\n", 1.0) == [Unreadable(1.0, ABNORMAL, "invalid opcode")]
        assert end.take() == (b"", True)


class TestSection52And53Framing:
    """§5.2, §5.3: the frames of §5.7, masked from the client and unmasked from the server."""

    def test_a_masked_hello_is_read(self, server: ServerEnd) -> None:
        wire = bytes.fromhex("8185 37fa213d 7f9f4d5158")
        assert server.receive(wire, 2.0) == [Fragment(2.0, Kind.TEXT, b"Hello")]

    def test_an_unmasked_hello_is_sent(self, server: ServerEnd) -> None:
        server.send(Message.text("Hello"))
        assert server.take() == (bytes.fromhex("8105 48656c6c6f"), False)

    @pytest.mark.parametrize(("size", "head"), [(256, "827e0100"), (65536, "827f0000000000010000")])
    def test_longer_payloads_have_longer_heads(self, server: ServerEnd, size: int, head: str) -> None:
        server.send(Message.binary(bytes(size)))
        assert server.take() == (bytes.fromhex(head) + bytes(size), False)

    def test_a_client_masks_with_a_new_key_each_time(self, client: ClientEnd, server: ServerEnd) -> None:
        wires = set()
        for _ in range(3):
            client.send(Message.text("Hello"))
            wire, _ = client.take()
            assert wire[:2] == b"\x81\x85"
            assert server.receive(wire, 0.0) == [Fragment(0.0, Kind.TEXT, b"Hello")]
            wires.add(wire)
        assert len(wires) == 3

    def test_a_frame_may_come_in_pieces(self, server: ServerEnd) -> None:
        wire = masked(b"\x82\x83", b"abc")
        assert [server.receive(bytes((byte,)), at) for at, byte in enumerate(wire[:-1])] == [[]] * 8
        assert server.receive(wire[-1:], 9.0) == [Fragment(9.0, Kind.BINARY, b"abc")]

    def test_several_frames_may_come_at_once(self, client: ClientEnd) -> None:
        assert client.receive(b"\x81\x01a\x82\x01b", 1.0) == [
            Fragment(1.0, Kind.TEXT, b"a"),
            Fragment(1.0, Kind.BINARY, b"b"),
        ]

    def test_the_servers_parser_holds_no_long_frame(self, server: ServerEnd) -> None:
        wire = masked(b"\x82\xfe\x0b\xb8", bytes(3000))
        assert server.receive(wire[: 8 + LIMIT], 1.0) == [Fragment(1.0, Kind.BINARY, bytes(LIMIT), final=False)]
        assert server.receive(wire[8 + LIMIT :], 2.0) == [
            Fragment(2.0, Kind.BINARY, bytes(LIMIT), first=False, final=False),
            Fragment(2.0, Kind.BINARY, bytes(3000 - 2 * LIMIT), first=False),
        ]


class TestSection54Fragmentation:
    """§5.4: a message in several frames, and control frames between them."""

    def test_hello_in_two_frames_is_sent(self, server: ServerEnd) -> None:
        server.send(Message(Kind.TEXT, (b"Hel", b"lo")))
        assert server.take() == (bytes.fromhex("0103 48656c 8002 6c6f"), False)

    def test_continuations_have_the_kind_of_their_message(self, client: ClientEnd) -> None:
        assert client.receive(bytes.fromhex("0103 48656c 8002 6c6f"), 1.0) == [
            Fragment(1.0, Kind.TEXT, b"Hel", final=False),
            Fragment(1.0, Kind.TEXT, b"lo", first=False),
        ]
        assert client.receive(bytes.fromhex("0201 00 0001 01 8001 02"), 2.0) == [
            Fragment(2.0, Kind.BINARY, b"\0", final=False),
            Fragment(2.0, Kind.BINARY, b"\1", first=False, final=False),
            Fragment(2.0, Kind.BINARY, b"\2", first=False),
        ]

    def test_a_pong_may_stand_in_the_middle(self, client: ClientEnd) -> None:
        assert client.receive(bytes.fromhex("0201 00 8a01 21 8001 01"), 1.0) == [
            Fragment(1.0, Kind.BINARY, b"\0", final=False),
            Pong(1.0, b"!"),
            Fragment(1.0, Kind.BINARY, b"\1", first=False),
        ]

    def test_frames_can_be_sent_one_at_a_time(self, server: ServerEnd) -> None:
        server.send_fragment(Kind.BINARY, b"a", first=True, final=False)
        assert server.take() == (b"\x02\x01a", False)
        server.ping(b"")
        server.send_fragment(Kind.BINARY, b"b", first=False, final=False)
        server.send_fragment(Kind.BINARY, b"", first=False, final=True)
        assert server.take() == (b"\x89\x00\x00\x01b\x80\x00", False)

    def test_a_continuation_of_nothing_is_unreadable(self, client: ClientEnd) -> None:
        assert client.receive(b"\x80\x00", 1.0) == [Unreadable(1.0, 1002, "unexpected continuation frame")]

    def test_a_message_in_a_message_is_unreadable(self, client: ClientEnd) -> None:
        assert client.receive(b"\x01\x00\x81\x00", 1.0)[1:] == [Unreadable(1.0, 1002, "expected a continuation frame")]


class TestSection551Close:
    """§5.5.1: the close frame, and the closing handshake from either side."""

    def test_it_carries_code_and_reason(self, server: ServerEnd) -> None:
        server.send(Close(1001, "bye"))
        assert server.take() == (bytes.fromhex("8805 03e9 627965"), False)
        assert not server.open
        assert server.close_expected

    @pytest.mark.parametrize(
        ("wire", "event"),
        [
            (b"\x88\x02\x03\xe8", PeerClosed(1.0, 1000, "")),
            (b"\x88\x08\x03\xebno t\xc3\xa9", PeerClosed(1.0, 1003, "no té")),
            (b"\x88\x00", PeerClosed(1.0, 1005, "")),
        ],
    )
    def test_that_of_the_peer_is_answered_in_kind(self, client: ClientEnd, wire: bytes, event: PeerClosed) -> None:
        assert client.receive(wire, 1.0) == [event]
        echo, eof = client.take()
        assert (echo[0], len(echo)) == (0x88, len(wire) + 4)
        assert not eof
        assert not client.open

    def test_the_answer_to_ours_ends_the_handshake(self, server: ServerEnd) -> None:
        server.send(Close(1000, ""))
        server.take()
        assert server.receive(masked(b"\x88\x82", b"\x03\xe8"), 1.0) == [PeerClosed(1.0, 1000, "")]
        assert server.take() == (b"", True)

    def test_data_is_not_sent_behind_it(self, server: ServerEnd) -> None:
        server.send(Close(1000, ""))
        server.take()
        server.send(Message.text("late"))
        server.send(Close(1001, "again"))
        server.ping(b"")
        assert server.take() == (b"", False)

    def test_data_that_still_comes_behind_ours_is_read(self, server: ServerEnd) -> None:
        server.send(Close(1000, ""))
        assert server.receive(masked(b"\x82\x81", b"x"), 1.0) == [Fragment(1.0, Kind.BINARY, b"x")]

    def test_data_that_comes_behind_the_servers_is_told_since_it_should_not_have_been_sent(
        self, client: ClientEnd
    ) -> None:
        events = client.receive(b"\x88\x02\x03\xe8\x81\x02hi\x8a\x00", 1.0)
        assert events == [PeerClosed(1.0, 1000, ""), Fragment(1.0, Kind.TEXT, b"hi")]
        assert client.receive(b"\x82\x01x", 1.1) == [Fragment(1.1, Kind.BINARY, b"x")]
        assert client.receive(b"", 1.2) == []
        assert client.take()[1]

    @pytest.mark.parametrize("junk", [b"\x8f\x00", b"\x82", b"\xff\xff\xff\xff"])
    def test_what_is_no_frame_behind_the_servers_is_nothing(self, client: ClientEnd, junk: bytes) -> None:
        assert client.receive(b"\x88\x02\x03\xe8" + junk, 1.0) == [PeerClosed(1.0, 1000, "")]
        assert client.receive(b"\x81\x02hi", 1.1) in ([], [Fragment(1.1, Kind.TEXT, b"hi")])
        assert client.receive(b"", 1.2) == []

    def test_data_that_comes_behind_the_clients_is_not_read(self, server: ServerEnd) -> None:
        data = masked(b"\x88\x82", b"\x03\xe8") + masked(b"\x82\x81", b"x")
        assert server.receive(data, 1.0) == [PeerClosed(1.0, 1000, "")]

    @pytest.mark.parametrize(
        ("content", "code", "why"),
        [
            (b"\x03", 1002, "close frame too short"),
            (b"\x03\xed", 1002, "invalid status code"),
            (b"\x00\x07", 1002, "invalid status code"),
            (b"\x03\xe8\xff", 1007, "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ],
    )
    def test_one_that_is_malformed_is_unreadable(self, client: ClientEnd, content: bytes, code: int, why: str) -> None:
        assert client.receive(bytes((0x88, len(content))) + content, 1.0) == [Unreadable(1.0, code, why)]

    def test_one_in_the_middle_of_a_message_is_a_close_like_any_other(self, server: ServerEnd) -> None:
        events = server.receive(masked(b"\x02\x81", b"x") + masked(b"\x88\x82", b"\x03\xe8"), 1.0)
        assert events[1:] == [PeerClosed(1.0, 1000, "")]

    def test_an_abort_is_the_shells_business(self, server: ServerEnd) -> None:
        server.send(Abort())
        assert server.take() == (b"", False)
        assert server.open


class TestSection552And553PingPong:
    """§5.5.2, §5.5.3: pings are answered by themselves, pongs are events."""

    def test_a_ping_is_answered_and_is_no_event(self, server: ServerEnd) -> None:
        assert server.receive(masked(b"\x89\x85", b"Hello"), 1.0) == []
        assert server.take() == (bytes.fromhex("8a05 48656c6c6f"), False)

    def test_a_pong_is_an_event(self, client: ClientEnd) -> None:
        client.ping(b"Hello")
        assert client.take()[0][:2] == b"\x89\x85"
        assert client.receive(bytes.fromhex("8a05 48656c6c6f"), 1.0) == [Pong(1.0, b"Hello")]


class TestSection711End:
    """§7.1.1, §7.1.5: how a connection ends is said once."""

    @pytest.mark.parametrize("before", [b"", b"\x81", b"\x01\x02hi"])
    def test_an_end_without_a_close_frame_is_1006(self, client: ClientEnd, before: bytes) -> None:
        if before:
            client.receive(before, 1.0)
        assert client.receive(b"", 2.0) == [PeerClosed(2.0, 1006, "")]
        assert client.receive(b"", 3.0) == []
        assert not client.open
        assert not client.close_expected

    def test_the_server_reads_the_end_too(self, server: ServerEnd) -> None:
        assert server.receive(b"", 1.0) == [PeerClosed(1.0, ABNORMAL, "")]
        assert server.take() == (b"", True)

    def test_an_end_behind_the_peers_close_frame_is_no_news(self, client: ClientEnd) -> None:
        client.receive(b"\x88\x02\x03\xe8", 1.0)
        client.take()
        assert client.close_expected
        assert client.receive(b"", 2.0) == []
        assert client.take() == (b"", True)
        assert not client.close_expected

    def test_an_end_behind_our_close_frame_alone_is_1006(self, client: ClientEnd) -> None:
        client.send(Close(1000, ""))
        assert client.receive(b"", 2.0) == [PeerClosed(2.0, ABNORMAL, "")]

    def test_an_open_connection_is_not_expected_to_end(self, client: ClientEnd, server: ServerEnd) -> None:
        assert client.open
        assert server.open
        assert not client.close_expected
        assert not server.close_expected


class TestSection717Failing:
    """§7.1.7: bytes that are not WebSocket end the connection, with a close frame that says why."""

    def test_an_unmasked_frame_of_a_client(self, server: ServerEnd) -> None:
        assert server.receive(b"\x81\x05Hello", 1.0) == [Unreadable(1.0, 1002, "incorrect masking")]
        assert server.take() == (b"\x88\x13\x03\xeaincorrect masking", True)
        assert not server.open

    def test_a_masked_frame_of_a_server(self, client: ClientEnd) -> None:
        assert client.receive(masked(b"\x81\x85", b"Hello"), 1.0) == [Unreadable(1.0, 1002, "incorrect masking")]

    @pytest.mark.parametrize(
        ("wire", "why"),
        [
            (b"\x83\x00", "invalid opcode"),
            (b"\xc1\x00", "reserved bits must be 0"),
            (b"\x89\x7e\x00\x7e" + bytes(126), "control frame too long"),
            (b"\x09\x00", "fragmented control frame"),
        ],
    )
    def test_a_frame_that_breaks_the_rules(self, client: ClientEnd, wire: bytes, why: str) -> None:
        assert client.receive(wire, 1.0) == [Unreadable(1.0, 1002, why)]

    def test_what_came_before_it_is_still_heard(self, client: ClientEnd) -> None:
        assert client.receive(b"\x81\x02hi\x83\x00", 1.0) == [
            Fragment(1.0, Kind.TEXT, b"hi"),
            Unreadable(1.0, 1002, "invalid opcode"),
        ]

    def test_it_is_said_once(self, client: ClientEnd) -> None:
        client.receive(b"\x83\x00", 1.0)
        assert client.receive(b"\x83\x00", 2.0) == []
        assert client.receive(b"", 3.0) == []

    def test_a_message_that_nobody_could_want_to_hear_ends_with_1009(self, client: ClientEnd) -> None:
        (event,) = client.receive(b"\x82\x7f" + (64 * 2**20 + 1).to_bytes(8, "big"), 1.0)
        assert isinstance(event, Unreadable)
        assert event.code == 1009


class TestConversation:
    """A whole conversation between both ends, as a shell would run it."""

    @staticmethod
    def deliver(sender: Endpoint, receiver: Endpoint, time: float = 0.0) -> list[object]:
        data, eof = sender.take()
        events: list[object] = [*receiver.receive(data, time)] if data else []
        return events + ([*receiver.receive(b"", time)] if eof else [])

    def test_ends_cleanly(self) -> None:
        client, server = ClientEnd("h", 80, secure=False, target=TARGET), ServerEnd(LIMIT)
        request = client.request(())
        response = server.accept(request)
        assert client.handshake(server.accepted(response)) == response
        client.take()
        client.send(Message.binary(bytes(3000)))
        audio = self.deliver(client, server)
        assert [len(part.data) for part in audio if isinstance(part, Fragment)] == [1024, 1024, 952]
        server.send(Message.text("{}"))
        assert self.deliver(server, client) == [Fragment(0.0, Kind.TEXT, b"{}")]
        client.send(Close(1000, "done"))
        assert self.deliver(client, server) == [PeerClosed(0.0, 1000, "done")]
        assert self.deliver(server, client) == [PeerClosed(0.0, 1000, "done")]
        assert self.deliver(client, server) == []
        assert not client.close_expected
        assert not server.close_expected

    def test_the_frames_that_are_sent_are_those_of_another_implementation(self, server: ServerEnd) -> None:
        server.send(Message.binary(b"abc"))
        assert server.take()[0] == Frame(Opcode.BINARY, b"abc").serialize(mask=False)
