from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import schemas
from protocol.errors import PeerViolation
from protocol.schema_compile import inline
from protocol.validate import Validator, shown, validator

FINAL: dict[str, Any] = {"type": "final", "id": "3", "recognition": "Hello", "translation": "Ciao"}
TIMED = {**FINAL, "audioTimeOffset": 5, "audioTimeSize": 10, "audioStreamPosition": 1, "audioSizeBytes": 2}
UNNAMED = "schema without $id"


def found(schema: dict[str, Any], instance: object) -> list[tuple[str, str, str]]:
    return [(error.at, error.expected, error.observed) for error in Validator(schema).errors(instance)]


class TestPublished:
    def test_is_compiled_once(self) -> None:
        assert validator("translator/final") is validator("translator/final")

    def test_unknown_name(self) -> None:
        with pytest.raises(KeyError, match="no schema 'translator/finale'"):
            validator("translator/finale")

    def test_may_be_referred_to(self) -> None:
        mine = Validator({"items": {"$ref": "urn:speechwire:translator:final#/properties/id"}})
        assert [error.requirement for error in mine.errors(["3", "x"])] == ["translator.final.id-form"]

    def test_valid_instance(self) -> None:
        assert validator("translator/final").errors(TIMED) == ()
        validator("translator/final").check(TIMED)

    def test_check_raises_the_first_violation_whole(self) -> None:
        with pytest.raises(PeerViolation) as caught:
            validator("translator/final").check({**TIMED, "id": "3\n", "audioSizeBytes": "2"})
        assert caught.value == PeerViolation("translator.final.id-form", "/id", "a number in digits, e.g. 23", r'"3\n"')

    def test_violations_come_in_the_order_of_the_schema(self) -> None:
        errors = validator("translator/final").errors({"translation": None, "audioSizeBytes": 1.0, "id": "3.1"})
        assert [(error.requirement, error.at) for error in errors] == [
            ("translator.result.type", "/type"),
            ("translator.final.fields", "/recognition"),
            ("translator.final.id-form", "/id"),
            ("translator.final.fields", "/translation"),
            ("translator.timing.numbers", "/audioSizeBytes"),
            ("translator.timing.present", "/audioTimeOffset"),
            ("translator.timing.present", "/audioTimeSize"),
            ("translator.timing.present", "/audioStreamPosition"),
        ]

    def test_an_absence_is_reported_once_whoever_asks_for_it(self) -> None:
        partly = {**TIMED}
        del partly["audioTimeSize"]
        assert validator("translator/final").errors(partly) == (
            PeerViolation(
                "translator.timing.present", "/audioTimeSize", "an integer without fraction or exponent", "nothing"
            ),
        )

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["final", "partial", 1]),
                "id": st.sampled_from(["0", "23", "1.2", "", "x", "-1", 3, None]),
                "recognition": st.text(max_size=3) | st.none(),
                "translation": st.text(max_size=3) | st.lists(st.text()),
                "audioTimeOffset": st.integers(-1, 9) | st.just("7"),
                "audioTimeSize": st.integers(-1, 9) | st.booleans(),
                "audioStreamPosition": st.integers(-1, 9) | st.just(0.5),
                "audioSizeBytes": st.integers(-1, 9),
                "speaker": st.integers(),
            },
        )
    )
    @example(FINAL)
    @example(TIMED)
    def test_agrees_with_an_unmodified_validator(self, instance: dict[str, Any]) -> None:
        judge = Draft202012Validator(schemas.read("translator/final"))
        assert (validator("translator/final").errors(instance) == ()) == judge.is_valid(instance)


class TestRequirement:
    def test_is_the_schemas_id_where_none_is_named(self) -> None:
        for schema, name in (({"type": "null"}, UNNAMED), ({"$id": "urn:x", "type": "null"}, "urn:x")):
            assert [error.requirement for error in Validator(schema).errors(1)] == [name]

    @pytest.mark.parametrize(
        ("instance", "requirement"),
        [
            ({"a": {"b": 1}}, "around"),
            ({"a": {"c": 1}}, "nearest"),
            ({"a": {"c": "x"}}, "keyword"),
            ({"a": 1}, "around"),
            ({"d": [1]}, "root"),
            ({"d": 1}, "list"),
        ],
    )
    def test_is_the_keywords_own_else_the_nearest_around_it(self, instance: object, requirement: str) -> None:
        schema = {
            "x-requirement": "root",
            "properties": {
                "a": {
                    "type": "object",
                    "x-requirement": "around",
                    "properties": {
                        "b": {"type": "string"},
                        "c": {
                            "type": "string",
                            "minLength": 2,
                            "x-requirement": "nearest",
                            "x-requirements": {"minLength": "keyword"},
                        },
                    },
                },
                "d": {"type": "array", "prefixItems": [False], "x-requirements": {"type": "list"}},
            },
        }
        assert [error.requirement for error in Validator(schema).errors(instance)] == [requirement]

    def test_of_an_absent_member_is_what_the_member_names(self) -> None:
        schema = {
            "x-requirement": "root",
            "required": ["a", "b", "c", "d"],
            "properties": {"a": {"x-requirement": "a"}, "b": {"type": "null"}, "c": True},
        }
        assert [error.requirement for error in Validator(schema).errors({})] == ["a", "root", "root", "root"]

    def test_of_an_absent_member_is_the_keywords_own_if_it_has_one(self) -> None:
        schema = {
            "dependentRequired": {"a": ["b"]},
            "properties": {"b": {"x-requirement": "b"}},
            "x-requirements": {"dependentRequired": "together"},
        }
        assert [error.requirement for error in Validator(schema).errors({"a": 1})] == ["together"]

    def test_below_a_combination_and_a_condition(self) -> None:
        schema = {
            "allOf": [{"x-requirement": "all", "type": "object"}],
            "if": {"required": ["a"]},
            "then": {"x-requirement": "then", "required": ["b"]},
        }
        assert [error.requirement for error in Validator(schema).errors(1)] == ["all"]
        assert [error.requirement for error in Validator(schema).errors({"a": 1})] == ["then"]


class TestSentence:
    @pytest.mark.parametrize(
        ("schema", "instance", "expected", "observed"),
        [
            ({"type": "integer"}, 1.0, "an integer without fraction or exponent", "1.0"),
            ({"type": ["string", "null"]}, True, "a string or null", "true"),
            ({"const": "1.0"}, 1, '"1.0"', "1"),
            ({"enum": ["a", 2]}, None, '"a" or 2', "null"),
            ({"pattern": "^[a-z]$"}, "A", "text of the form ^[a-z]$", '"A"'),
            ({"pattern": "^[a-z]$", "title": "a letter"}, "A", "a letter", '"A"'),
            ({"not": {}, "title": "no value"}, [], "no value", "an array of 0"),
            ({"not": {}}, 1, "not an object of 0", "1"),
            ({"minimum": 0}, -1, "0 or more", "-1"),
            ({"minLength": 2}, "x", "a length of 2 or more", '"x"'),
            ({"minItems": 2}, [1], "a length of 2 or more", "an array of 1"),
            ({"maxLength": 1}, "xy", "a length of 1 or less", '"xy"'),
            ({"maxItems": 0}, [1], "a length of 0 or less", "an array of 1"),
            ({"uniqueItems": True}, [1, 1], "no value twice", "an array of 2"),
            ({"oneOf": [{"type": "null"}, {"const": 1}]}, 2, "one of the 2 forms of the schema", "2"),
            ({"anyOf": [{"type": "null"}]}, {}, "one of the 1 forms of the schema", "an object of 0"),
            ({"maximum": 3}, 4, "maximum 3", "4"),
        ],
    )
    def test_says_what_is_allowed_and_what_was_there(
        self, schema: dict[str, Any], instance: object, expected: str, observed: str
    ) -> None:
        assert found(schema, instance) == [("whole value", expected, observed)]

    def test_of_what_must_not_be_there(self) -> None:
        assert found({"prefixItems": [False]}, [7]) == [("whole value", "nothing here", "7")]

    def test_of_an_absent_member(self) -> None:
        schema = {
            "required": ["a", "b", "c", "d", "e"],
            "properties": {
                "a": {"type": "string"},
                "b": {"const": 1},
                "c": {"enum": ["x"]},
                "d": {"type": "string", "pattern": "^y$", "title": "y"},
            },
        }
        allowed = ["a string", "1", '"x"', "y", "a value"]
        expected = [(f"/{name}", text, "nothing") for name, text in zip("abcde", allowed, strict=True)]
        assert found(schema, {}) == expected

    def test_what_is_no_object_lacks_no_members(self) -> None:
        assert found({"required": ["a"], "dependentRequired": {"a": ["b"]}, "maxProperties": 9}, []) == []

    def test_dependents_of_an_absent_member_are_not_asked_for(self) -> None:
        assert found({"dependentRequired": {"a": ["b"]}, "maxProperties": 9}, {"c": 1}) == []

    def test_pointers_are_escaped(self) -> None:
        schema = {"additionalProperties": {"items": {"type": "null"}}}
        assert [at for at, _, _ in found(schema, {"a/b~c": [None, 1]})] == ["/a~1b~0c/1"]


class TestShown:
    def test_long_text_is_cut(self) -> None:
        assert shown("x" * 200) == '"' + "x" * 79 + "…"
        assert shown("é" * 78) == '"' + "é" * 78 + '"'

    def test_long_numbers_are_cut(self) -> None:
        assert shown(10**200) == "1" + "0" * 79 + "…"

    def test_half_a_surrogate_pair_can_be_printed(self) -> None:
        assert shown("a\ud800").encode() == rb'"a\ud800"'

    def test_deep_values_are_not_descended_into(self) -> None:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        assert shown(deep) == "an array of 1"


def test_inlined_schemas_mean_what_they_meant() -> None:
    schema = schemas.read("translator/partial")
    partial = {**TIMED, "type": "partial", "id": "3.1"}
    for instance in (partial, {**partial, "audioTimeSize": -1}, {**partial, "id": "3"}):
        plain = Draft202012Validator(schema).is_valid(instance)
        assert Draft202012Validator(inline(schema, schemas.read)).is_valid(instance) == plain
        assert (validator("translator/partial").errors(instance) == ()) == plain
