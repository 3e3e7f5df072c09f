"""Instances of the schemas: what is drawn as valid is valid, what is drawn as invalid breaks what it says it breaks."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import schemas
from conformance.strategies.schemas import instances, invalid, valid
from protocol.validate import validator
from tests.named import requirements_in

MESSAGES = [name for name in schemas.names() if name.partition("/")[0] in {"speech", "translator"}]
REGISTRY: Registry[Any] = Registry().with_resources(
    (schemas.read(name)["$id"], Resource.from_contents(schemas.read(name))) for name in schemas.names()
)
MOST_ROUNDS = 12


def drawn(strategy: SearchStrategy[Any], count: int, start: int = 0) -> list[Any]:
    found: list[Any] = []

    @seed(start)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(json.loads(json.dumps(value)))

    collect()
    return found


@cache
def accepted(name: str) -> list[Any]:
    return drawn(valid(name), 80)


@cache
def rejected(name: str) -> list[Any]:
    return drawn(invalid(name), 60)


@pytest.mark.parametrize("name", MESSAGES)
class TestOfAPublishedSchema:
    def test_valid_instances_are_accepted_by_jsonschema_itself(self, name: str) -> None:
        independent = Draft202012Validator(schemas.read(name), registry=REGISTRY)
        assert len(accepted(name)) > 1
        for instance in accepted(name):
            assert list(independent.iter_errors(instance)) == []

    def test_members_are_there_at_times_and_left_out_at_times(self, name: str) -> None:
        schema = schemas.read(name)
        given = [value for value in accepted(name) if isinstance(value, dict)]
        members = set(schema.get("properties", {}))
        assert members <= {key for value in given for key in value}
        assert [key for key in members - set(schema.get("required", ())) if all(key in value for value in given)] == []

    def test_invalid_instances_break_the_one_requirement_that_they_name(self, name: str) -> None:
        assert len(rejected(name)) > 1
        for instance, requirement in rejected(name):
            assert {error.requirement for error in validator(name).errors(instance)} == {requirement}

    def test_each_requirement_is_broken_by_some(self, name: str) -> None:
        """The rare ones need more draws."""
        named = requirements_in(validator(name).schema)
        broken = {requirement for _, requirement in rejected(name)}
        for start in range(1, MOST_ROUNDS):
            if broken == named:
                break
            broken |= {requirement for _, requirement in drawn(invalid(name), 60, start)}
        assert broken == named

    def test_the_same_seed_draws_the_same(self, name: str) -> None:
        assert drawn(valid(name), 10, 7) == drawn(valid(name), 10, 7)
        assert drawn(invalid(name), 10, 7) == drawn(invalid(name), 10, 7)


class TestAKeyword:
    def test_that_is_not_known_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no strategy for the keywords oneOf"):
            instances({"oneOf": []})

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": ["integer", "null"], "minimum": 3},
            {"type": "number", "minimum": 0},
            {"type": "string", "minLength": 2, "maxLength": 3},
            {"type": "string", "pattern": "^[a-f]{2}$"},
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
            {"type": "object", "propertyNames": {"pattern": "^x"}, "additionalProperties": {"type": "null"}},
            {"type": "object", "minProperties": 1, "maxProperties": 1},
            {"type": "object", "properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["b"]}},
            {"type": "object", "properties": {"a": {"enum": [1, "x"]}}, "additionalProperties": False},
            {
                "type": "object",
                "properties": {"a": {"enum": [1, 2]}},
                "required": ["a"],
                "if": {"properties": {"a": {"const": 1}}},
                "then": {"required": ["b"]},
                "else": {"properties": {"b": {"not": {}}}},
            },
        ],
        ids="-".join,
    )
    def test_is_kept_by_most_that_is_drawn(self, schema: dict[str, Any]) -> None:
        judge = Draft202012Validator(schema)
        found = drawn(instances(schema), 40)
        assert len({json.dumps(value) for value in found}) > 1
        assert sum(judge.is_valid(value) for value in found) > len(found) / 2
