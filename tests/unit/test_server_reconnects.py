"""The bound for clients that connect again and again."""

from __future__ import annotations

import tracemalloc

from reference_server.reconnects import Reconnects


class TestAllow:
    def test_so_many_within_a_window(self) -> None:
        bound = Reconnects(3, 10.0)
        assert [bound.allow("a", at) for at in (0.0, 1.0, 2.0, 3.0, 9.9)] == [True, True, True, False, False]

    def test_the_window_moves_on(self) -> None:
        bound = Reconnects(2, 10.0)
        assert [bound.allow("a", at) for at in (0.0, 5.0, 10.0, 14.9, 15.0)] == [True, True, True, False, True]

    def test_those_that_are_turned_away_do_not_count(self) -> None:
        bound = Reconnects(1, 10.0)
        assert [bound.allow("a", float(at)) for at in range(11)] == [True, *[False] * 9, True]

    def test_others_do_not_count(self) -> None:
        bound = Reconnects(1, 10.0)
        assert all(bound.allow(client, 0.0) for client in "abc")

    def test_memory_is_bounded(self) -> None:
        bound = Reconnects(20, 10.0)
        for number in range(20_000):
            bound.allow(f"{number:032x}", 0.0)
        tracemalloc.start()
        for number in range(20_000, 60_000):
            bound.allow(f"{number:032x}", 0.0)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert grown < 16 << 20  # what is remembered takes less than 1 KB a client

    def test_whoever_comes_often_is_not_forgotten(self) -> None:
        bound = Reconnects(2, 10.0)
        assert bound.allow("a", 0.0)
        for number in range(15_000):
            bound.allow(str(number), 0.0)
            if number == 7000:
                assert bound.allow("a", 0.0)
        assert not bound.allow("a", 0.0)
