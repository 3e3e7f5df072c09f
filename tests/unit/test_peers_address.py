"""How the address of a server reads, and why it cannot be reached."""

from __future__ import annotations

import errno
import socket

import pytest

from conformance.peers.address import Address, explained


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "shown"), [("localhost", "localhost:80"), ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")]
    )
    def test_reads_as_in_a_url(self, host: str, shown: str) -> None:
        assert str(Address.tcp(host, 80, None)) == shown

    def test_is_secure_with_a_context_only(self) -> None:
        assert not Address.tcp("localhost", 80, None).secure


class TestExplained:
    @pytest.mark.parametrize(
        ("error", "says"),
        [
            (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
            (OSError(errno.EHOSTUNREACH, "x"), "No route to host"),
            (ConnectionResetError(errno.ECONNRESET, "x"), "the server reset the connection"),
            (ConnectionResetError(), "the server reset the connection"),
            (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
            (OSError("nowhere.test has no address"), "nowhere.test has no address"),
            (BrokenPipeError(), "BrokenPipeError"),
        ],
    )
    def test_in_the_words_of_the_system(self, error: OSError, says: str) -> None:
        assert explained(error) == says
