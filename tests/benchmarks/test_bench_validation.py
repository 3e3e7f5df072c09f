"""What reading one result strictly costs, beside reading its JSON alone and beside jsonschema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

import schemas
from protocol.errors import PeerViolation
from protocol.schema_compile import inline
from protocol.translator.messages import Final, Timing, encode, parse

if TYPE_CHECKING:
    from tests.benchmarks.conftest import Meter, Side

pytestmark = pytest.mark.slow

ROUNDS = 11
RESULT = Final(
    "23",
    "The train to the airport leaves at half past nine.",
    "O trem para o aeroporto sai às nove e meia.",
    Timing(12_000_000, 23_600_000, 38_400, 75_520),
)


def test_result(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    data = encode(RESULT)
    schema = inline(
        schemas.read("translator/final"), lambda urn: schemas.read(urn.removeprefix(schemas.URN).replace(":", "/"))
    )
    instance = json.loads(data)
    jsonschema = Draft202012Validator(schema)
    assert parse(data) == RESULT
    assert jsonschema.is_valid(instance)
    meter.compare(
        f"A final result of {len(data)} bytes",
        "µs (min / median / max)",
        {
            "json.loads": calls(lambda: json.loads(data), 5000),
            "messages.parse": calls(lambda: parse(data), 2000),
            "jsonschema is_valid of the read object, references inlined": calls(
                lambda: jsonschema.is_valid(instance), 500
            ),
        },
        ROUNDS,
    )


def test_wrong_result(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    right = encode(RESULT)
    wrong = right.replace(b'"23"', b'"a"')

    def refused() -> str:
        try:
            parse(wrong)
        except PeerViolation as error:
            return error.requirement
        raise AssertionError("a wrong id was taken")

    assert refused() == "translator.final.id-form"
    meter.compare(
        "A final result whose id is wrong",
        "µs (min / median / max)",
        {
            "messages.parse of a right one": calls(lambda: parse(right), 2000),
            "messages.parse of the wrong one": calls(refused, 200),
        },
        ROUNDS,
    )
