"""Violations are values: they have fields, compare by them, and make one sentence of them."""

from __future__ import annotations

import copy
import pickle

import pytest

from protocol.errors import LocalViolation, PeerViolation, ProtocolViolation

FIELDS = ("translator.final.id-unique", "/id", "an id that no other final has", '"7" again')
KINDS = (LocalViolation, PeerViolation)


class TestSentence:
    @pytest.mark.parametrize("kind", KINDS)
    def test_says_where_what_is_allowed_what_was_seen_and_which_requirement(
        self, kind: type[ProtocolViolation]
    ) -> None:
        assert str(kind(*FIELDS)) == (
            '/id: expected an id that no other final has, got "7" again [translator.final.id-unique]'
        )


class TestFields:
    @pytest.mark.parametrize("kind", KINDS)
    def test_are_there_by_name(self, kind: type[ProtocolViolation]) -> None:
        error = kind(requirement=FIELDS[0], at=FIELDS[1], expected=FIELDS[2], observed=FIELDS[3])
        assert (error.requirement, error.at, error.expected, error.observed) == FIELDS
        assert error.args == FIELDS


class TestEquality:
    def test_is_that_of_the_fields(self) -> None:
        assert PeerViolation(*FIELDS) == PeerViolation(*FIELDS)
        assert PeerViolation(*FIELDS) != PeerViolation(*FIELDS[:3], '"8" again')
        assert len({PeerViolation(*FIELDS), PeerViolation(*FIELDS)}) == 1

    def test_tells_whose_fault_it_is(self) -> None:
        assert len({PeerViolation(*FIELDS), LocalViolation(*FIELDS)}) == 2

    @pytest.mark.parametrize("kind", KINDS)
    def test_outlives_copying_and_pickling(self, kind: type[ProtocolViolation]) -> None:
        error = kind(*FIELDS)
        assert copy.copy(error) == error
        assert pickle.loads(pickle.dumps(error)) == error  # noqa: S301 - our own bytes


class TestRaising:
    @pytest.mark.parametrize("kind", KINDS)
    def test_one_handler_takes_both(self, kind: type[ProtocolViolation]) -> None:
        with pytest.raises(ProtocolViolation) as caught:
            raise kind(*FIELDS)
        assert type(caught.value) is kind

    def test_neither_kind_is_the_other(self) -> None:
        assert not issubclass(LocalViolation, PeerViolation)
        assert not issubclass(PeerViolation, LocalViolation)
