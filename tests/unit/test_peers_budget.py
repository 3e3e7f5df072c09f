"""What a run spends on a peer: waits that shrink where waiting has proved useless, and floods that are cut short."""

from __future__ import annotations

import pytest

from conformance.peers.budget import BUSY, CLOSE, HANDSHAKE, HTTP, RESULT, Budget

CAPS = {HANDSHAKE: 5.0, RESULT: 8.0, CLOSE: 5.0, HTTP: 5.0, BUSY: 3.5}


def in_vain(budget: Budget, kind: str, times: int = 1) -> Budget:
    """Let so many waits of a kind expire, a second each."""
    for number in range(times):
        budget.expired(kind, number, number + 1.0)
    return budget


class TestBeforeTheControl:
    @pytest.mark.parametrize(("kind", "cap"), CAPS.items())
    def test_each_kind_has_its_cap(self, kind: str, cap: float) -> None:
        assert Budget().wait(kind) == cap

    def test_a_slow_machine_scales_every_wait(self) -> None:
        assert Budget(scale=3.0).wait(RESULT) == 24.0


class TestMeasured:
    @pytest.mark.parametrize(
        ("took", "wait"), [(0.001, 2.0), (0.1, 2.0), (0.2, 4.0), (0.4, 8.0), (0.8, 16.0), (9.0, 20.0)]
    )
    def test_a_wait_is_20_times_what_the_peer_took_within_bounds(self, took: float, wait: float) -> None:
        budget = Budget()
        budget.measured(RESULT, took)
        assert budget.wait(RESULT) == pytest.approx(wait)

    def test_a_peer_that_has_answered_is_known(self) -> None:
        budget = Budget()
        assert not budget.is_known(RESULT)
        budget.measured(RESULT, 0.1)
        assert (budget.is_known(RESULT), budget.is_known(CLOSE)) == (True, False)

    def test_other_kinds_are_left(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 0.1)
        assert budget.wait(CLOSE) == 5.0


class TestRelaxed:
    def test_waits_are_again_as_they_were_measured(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 0.2)
        in_vain(budget, RESULT, 20).relax()
        assert budget.wait(RESULT) == pytest.approx(4.0)
        assert in_vain(budget, RESULT).wait(RESULT) == pytest.approx(0.8)  # the first time-out again


class TestCrowd:
    def test_lasts_as_long_as_it_is_said(self) -> None:
        budget = Budget()
        with budget.crowd():
            assert budget.crowded
        assert not budget.crowded


class TestExpired:
    def test_a_kind_that_was_in_vain_takes_half_a_second(self) -> None:
        assert in_vain(Budget(), RESULT).wait(RESULT) == 0.5

    def test_and_less_and_less_while_nothing_comes(self) -> None:
        waits = [in_vain(Budget(), RESULT, times).wait(RESULT) for times in (3, 4, 8, 12, 16, 100)]
        assert waits == [0.5, 0.25, 0.125, 0.0625, 0.05, 0.05]

    def test_but_no_less_than_four_times_what_the_peer_took_in_the_control(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 0.3)
        assert in_vain(budget, RESULT, 50).wait(RESULT) == pytest.approx(1.2)

    def test_or_at_most_since_then(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 0.3)
        for took in (0.5, 1.0, 0.2):
            budget.came(RESULT, took)
        assert in_vain(budget, RESULT, 50).wait(RESULT) == pytest.approx(4.0)

    def test_what_came_of_a_kind_that_is_not_known_says_nothing(self) -> None:
        budget = Budget()
        budget.came(RESULT, 5.0)
        assert not budget.is_known(RESULT)
        assert in_vain(budget, RESULT).wait(RESULT) == 0.5

    def test_nor_more_than_the_cap(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 7.0)
        assert in_vain(budget, RESULT).wait(RESULT) == 20.0

    def test_kinds_of_which_nothing_is_known_take_a_second(self) -> None:
        budget = Budget()
        budget.measured(CLOSE, 0.1)
        in_vain(budget, RESULT)
        assert (budget.wait(HTTP), budget.wait(CLOSE)) == (1.0, 2.0)


class TestCame:
    def test_what_comes_after_all_makes_it_half_a_second_again(self) -> None:
        budget = in_vain(Budget(), RESULT, 40)
        budget.came(RESULT)
        assert budget.wait(RESULT) == 0.5
        assert in_vain(budget, RESULT, 3).wait(RESULT) == 0.5

    def test_what_comes_in_time_changes_nothing(self) -> None:
        budget = Budget()
        budget.came(RESULT)
        assert budget.wait(RESULT) == 8.0
        in_vain(budget, CLOSE)
        budget.came(RESULT)
        assert budget.wait(CLOSE) == 0.5


class TestPatience:
    @pytest.mark.parametrize(
        ("took", "more"), [(0.1, 2.4), (0.5, 12.0), (5.0, 15.0)], ids=["fast", "slow", "as slow as can be"]
    )
    def test_adds_the_time_to_hear_the_audio_for_a_peer_that_is_known_to_answer(self, took: float, more: float) -> None:
        budget = Budget(scale=2.0)
        assert budget.patience(30_000) == budget.wait(RESULT)
        budget.measured(RESULT, took)
        assert budget.patience(30_000) == pytest.approx(2.0 * more + budget.wait(RESULT))


class TestConnections:
    @pytest.mark.parametrize(("took", "connections"), [(0.0, 8), (0.25, 8), (0.3, 6), (0.7, 2), (1.5, 1), (7.0, 1)])
    def test_are_so_few_that_each_has_its_turn_within_two_seconds(self, took: float, connections: int) -> None:
        budget = Budget()
        budget.measured(RESULT, took)
        assert budget.connections(8) == connections

    def test_are_all_of_them_for_a_peer_of_which_nothing_is_known(self) -> None:
        assert Budget().connections(8) == 8

    def test_are_never_more_than_wanted(self) -> None:
        budget = Budget()
        budget.measured(RESULT, 0.7)
        assert budget.connections(1) == 1


class TestWaited:
    def test_nothing_at_first(self) -> None:
        assert Budget().waited == 0.0

    @pytest.mark.parametrize(
        ("waits", "total"),
        [
            ([(0, 2), (5, 6)], 3.0),
            ([(0, 2), (1, 3)], 3.0),
            ([(0, 10), (1, 2), (3, 4)], 10.0),
            ([(5, 6), (0, 2)], 3.0),
            ([(1, 2), (1, 2)], 1.0),
        ],
    )
    def test_what_overlaps_counts_once(self, waits: list[tuple[float, float]], total: float) -> None:
        budget = Budget()
        for begun, ended in waits:
            budget.expired(RESULT, begun, ended)
        assert budget.waited == total


class TestFloods:
    def test_a_peer_may_answer_four_times_what_was_sent_and_4_mib(self) -> None:
        assert Budget().room(0) == 4 << 20
        assert Budget().room(1000) == (4 << 20) + 4000

    def test_after_the_first_flood_little_is_free(self) -> None:
        budget = Budget()
        budget.flooded()
        assert budget.room(1000) == (1 << 16) + 4000

    def test_after_twenty_there_is_no_point_in_going_on(self) -> None:
        budget = Budget()
        spent = []
        for _ in range(20):
            spent.append(budget.spent)
            budget.flooded()
        assert spent == [False] * 20
        assert budget.spent


class TestBudgets:
    def test_share_nothing(self) -> None:
        one, other = Budget(), Budget()
        in_vain(one, RESULT).flooded()
        one.measured(CLOSE, 0.1)
        assert (other.wait(RESULT), other.wait(CLOSE), other.room(0), other.waited) == (8.0, 5.0, 4 << 20, 0.0)
