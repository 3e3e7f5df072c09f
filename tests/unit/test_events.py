"""Spans of a stream. The other events between session and pipeline are fields alone."""

from __future__ import annotations

from protocol.events import Span


class TestSpan:
    def test_ends_behind_its_last_byte(self) -> None:
        assert Span(3200, 640).end == 3840

    def test_may_be_empty(self) -> None:
        assert Span(3200, 0).end == 3200
