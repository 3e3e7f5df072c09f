"""The official Speech SDKs that the other tests run: which releases they are, and that a hang or an error is seen."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest

from tests.interop.official import HUNG, PACKAGES, V1, Client, each, run
from tests.interop.spoken import CLEAR_WAV

FILE = {"kind": "file", "wav": CLEAR_WAV}
STREAM = {"kind": "push", "wav": CLEAR_WAV, "pace": 0}


@pytest.fixture
def silent() -> Iterator[str]:
    """Give the URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}{V1}"


class TestReleases:
    @pytest.mark.parametrize("client", each())
    def test_it_is_the_one_that_it_is_called(self, client: Client) -> None:
        if client.missing:
            pytest.skip(client.missing)
        named = str(client).removeprefix("js-")
        if named in {"native", "newest"}:
            assert client.version() >= "1.52"
        else:
            assert client.version().startswith(f"{named}.")

    @pytest.mark.parametrize("client", each("is_javascript"))
    def test_it_is_the_published_package_under_another_name(self, client: Client) -> None:
        if client.missing:
            pytest.skip(client.missing)
        package = json.loads((PACKAGES / client.value / "package.json").read_text("utf-8"))
        assert package["name"] == "microsoft-cognitiveservices-speech-sdk"

    @pytest.mark.parametrize("client", Client, ids=str)
    def test_a_build_does_not_do_without_it(self, client: Client) -> None:
        assert "CI" not in os.environ or client.missing == ""


class TestPrograms:
    @pytest.mark.parametrize("client", each())
    def test_a_hang_is_a_hang(self, silent: str, client: Client) -> None:
        outcome = run(client, url=silent, mode="once", input=STREAM, timeout=1.5)
        assert outcome.code == HUNG
        assert outcome.order()[-1] == "hang"
        assert outcome.elapsed < 5

    @pytest.mark.parametrize("client", each())
    def test_what_is_thrown_is_an_error(self, silent: str, client: Client) -> None:
        outcome = run(client, url=silent, mode="once", input={"kind": "file", "wav": "none.wav"}, timeout=5)
        assert outcome.code == 1
        assert outcome.order()[-1] == "error"
        assert outcome.events[-1]["message"]

    @pytest.mark.sdk
    @pytest.mark.node
    def test_a_file_is_nothing_for_the_oldest_one(self, silent: str) -> None:
        outcome = run(Client.JS_1_14, url=silent, mode="once", input=FILE, timeout=5)
        assert outcome.code == 1
        assert "FileReader" in outcome.events[-1]["message"]
