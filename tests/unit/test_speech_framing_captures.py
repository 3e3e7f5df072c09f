"""Frames of the official SDKs, captured on the wire, when the captures lie beside the repository.

Every one is read, departs in nothing, and is written again as it was, to the byte; only the blank that the JavaScript
SDK puts behind a header's colon is left out, since no message keeps it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from protocol.speech import formats, framing
from protocol.speech.framing import departures, read, write
from protocol.speech.messages import Final, Other, SynthesisChunk
from protocol.speech.parsing import parse
from protocol.wire import Kind
from tests.docs.fact_sheets import FOLDER

NATIVE = ("python-1.53.0-translation-v1-continuous", "python-1.53.0-universal-v2-continuous")
JAVASCRIPT = ("js-1.52.0-translation-v1-continuous", "js-1.52.0-universal-v2-continuous")


def captured(name: str) -> list[dict[str, Any]]:
    """Return the messages of a capture; skip the test, loudly, if it is not there."""
    path = FOLDER / "captures" / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"the capture is not there, so its frames were not compared: {path}")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["kind"] in ("text", "binary")]


def frames(name: str, *directions: str) -> list[tuple[Kind, bytes]]:
    """Return the frames of a capture that go into these directions."""
    return [frame(line) for line in captured(name) if line["dir"] in directions]


def frame(line: dict[str, Any]) -> tuple[Kind, bytes]:
    """Return a message as it was on the wire; of long payloads the capture has the length alone."""
    if line["kind"] == "text":
        return Kind.TEXT, line["text"].encode()
    block = line["headers"].encode()
    payload = bytes.fromhex(line["payload_hex"]) if "payload_hex" in line else bytes(line["payload_len"])
    return Kind.BINARY, len(block).to_bytes(2, "big") + block + payload


def unspaced(kind: Kind, data: bytes) -> bytes:
    """Return a frame without the blanks behind the colons of its headers."""
    if kind is Kind.TEXT:
        block, separator, body = data.partition(b"\r\n\r\n")
        return re.sub(rb"(?m)^([\w-]+): ", rb"\1:", block) + separator + body
    end = 2 + int.from_bytes(data[:2], "big")
    block = re.sub(rb"(?m)^([\w-]+): ", rb"\1:", data[2:end])
    return len(block).to_bytes(2, "big") + block + data[end:]


@pytest.mark.parametrize("name", [*NATIVE, *JAVASCRIPT])
class TestEveryFrame:
    def test_is_there(self, name: str) -> None:
        count = Counter((line["dir"], line["kind"]) for line in captured(name))
        assert count["c2s", "binary"] > 50
        assert count["s2c", "text"] >= 12
        assert {("c2s", "text"), ("s2c", "binary")} <= count.keys()

    def test_departs_in_nothing(self, name: str) -> None:
        assert [found for one in frames(name, "c2s", "s2c") for found in departures(*one)] == []

    def test_is_read_the_same_by_both_readers(self, name: str) -> None:
        for one in frames(name, "c2s", "s2c"):
            assert formats.read(*one) == framing.read(*one)


@pytest.mark.parametrize("name", [*NATIVE, *JAVASCRIPT])
class TestOfAServer:
    def test_is_written_again_to_the_byte(self, name: str) -> None:
        for kind, data in frames(name, "s2c"):
            assert write(read(kind, data)).data == data

    def test_says_something_known(self, name: str) -> None:
        said = [parse(read(*one)) for one in frames(name, "s2c")]
        assert not any(isinstance(one, Other) for one in said)
        assert {type(one) for one in said} >= {Final, SynthesisChunk}


class TestOfAClient:
    @pytest.mark.parametrize("name", NATIVE)
    def test_native_is_written_again_to_the_byte(self, name: str) -> None:
        for kind, data in frames(name, "c2s"):
            assert write(read(kind, data)).data == data

    @pytest.mark.parametrize("name", JAVASCRIPT)
    def test_javascript_is_written_again_but_for_its_blanks(self, name: str) -> None:
        for kind, data in frames(name, "c2s"):
            assert write(read(kind, data)).data == unspaced(kind, data) != data
