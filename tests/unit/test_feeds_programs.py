"""What a client's command becomes, and how its end is told."""

from __future__ import annotations

import pytest

from conformance.feeds.programs import ending, fill_in


class TestFillIn:
    def test_every_name_wherever_it_stands(self) -> None:
        values = {"url": "ws://host", "key": "k"}
        assert fill_in(["client", "--to={url}", "{key}{key}", "{url}"], values) == [
            "client",
            "--to=ws://host",
            "kk",
            "ws://host",
        ]

    def test_other_braces_stay(self) -> None:
        assert fill_in(["{}", "{other}", "{ url }"], {"url": "ws://host"}) == ["{}", "{other}", "{ url }"]


class TestEnding:
    @pytest.mark.parametrize(
        ("code", "says"),
        [
            (None, "had to be ended"),
            (0, "exited with 0"),
            (255, "exited with 255"),
            (-11, "was killed by SIGSEGV"),
            (-999, "was killed by signal 999"),
        ],
    )
    def test_in_words(self, code: int | None, says: str) -> None:
        assert ending(code) == says
