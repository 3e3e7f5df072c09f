"""What strict reading costs, beside reading JSON alone and beside jsonschema: a result, and the list of languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

import schemas
from protocol.errors import PeerViolation
from protocol.languages import PUBLISHED
from protocol.schema_compile import inline
from protocol.translator.handshake import LANGUAGES_PATH
from protocol.translator.messages import Final, Timing, encode, parse
from protocol.validate import validator
from protocol.wire import HttpRequest
from reference_server.languages import languages_response

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


def inlined(name: str) -> Draft202012Validator:
    """Return jsonschema's own validator of a published schema, in its fastest form."""
    fetch = {f"{schemas.URN}{one.replace('/', ':')}": one for one in schemas.names()}
    return Draft202012Validator(inline(schemas.read(name), lambda urn: schemas.read(fetch[urn])))


def test_result(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    data = encode(RESULT)
    instance = json.loads(data)
    jsonschema = inlined("translator/final")
    assert parse(data) == RESULT
    assert jsonschema.is_valid(instance)
    meter.compare(
        f"A final result of {len(data)} bytes",
        "µs of CPU (min / median / max)",
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
        "µs of CPU (min / median / max)",
        {
            "messages.parse of a right one": calls(lambda: parse(right), 2000),
            "messages.parse of the wrong one": calls(refused, 200),
        },
        ROUNDS,
    )


def test_languages(meter: Meter, calls: Callable[[Callable[[], object], int], Side]) -> None:
    request = HttpRequest("GET", f"{LANGUAGES_PATH}?api-version=1.0&scope=speech,text,tts", ())
    body = languages_response(request, PUBLISHED).body
    document = json.loads(body)
    jsonschema = inlined("translator/languages")
    ours = validator("translator/languages")
    assert ours.errors(document) == ()
    assert jsonschema.is_valid(document)
    meter.compare(
        f"The list of languages of {len(body)} bytes",
        "µs of CPU (min / median / max)",
        {
            "json.loads": calls(lambda: json.loads(body), 200),
            "validate.Validator.errors of the read object": calls(lambda: ours.errors(document), 20),
            "jsonschema is_valid of the read object, references inlined": calls(
                lambda: jsonschema.is_valid(document), 20
            ),
        },
        ROUNDS,
    )
