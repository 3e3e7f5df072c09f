from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from protocol.schema_compile import acceptor, ecma, inline, is_integer

LIBRARY: dict[str, dict[str, Any]] = {
    "urn:a": {"$id": "urn:a", "$defs": {"short": {"type": "string", "maxLength": 3}}, "type": "object"},
    "urn:b": {"$id": "urn:b", "$defs": {"far": {"$ref": "urn:a#/$defs/short"}, "near": {"$ref": "#/$defs/far"}}},
    "urn:ping": {"items": {"$ref": "urn:pong"}},
    "urn:pong": {"items": {"$ref": "urn:ping"}},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "a", "ab", "abc", "12", "12\n"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    return inline(schema, LIBRARY.__getitem__)


class TestInline:
    def test_copies_a_schema_without_references(self) -> None:
        schema = {"$schema": "x", "$id": "y", "type": "array", "prefixItems": [{"const": 1}, True], "maxItems": 2}
        assert inlined(schema) == {"type": "array", "prefixItems": [{"const": 1}, True], "maxItems": 2}
        assert schema["$id"] == "y"

    def test_follows_a_reference_into_the_schema_itself(self) -> None:
        assert inlined({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "null"}}}) == {
            "items": {"type": "null"}
        }

    def test_follows_references_from_one_schema_to_another(self) -> None:
        assert inlined({"not": {"$ref": "urn:b#/$defs/near"}}) == {"not": {"type": "string", "maxLength": 3}}

    def test_takes_a_whole_schema(self) -> None:
        assert inlined({"not": {"$ref": "urn:a"}}) == {"not": {"type": "object"}}

    def test_unescapes_pointers(self) -> None:
        assert inlined({"$defs": {"a/b~c": {"type": "null"}}, "$ref": "#/$defs/a~1b~0c"}) == {"type": "null"}

    def test_the_same_target_may_be_used_many_times(self) -> None:
        schema = {"properties": {name: {"$ref": "#/$defs/n"} for name in "ab"}, "$defs": {"n": {"type": "null"}}}
        assert inlined(schema) == {"properties": {"a": {"type": "null"}, "b": {"type": "null"}}}

    def test_annotations_beside_a_reference_win(self) -> None:
        schema = {
            "$ref": "#/$defs/n",
            "description": "mine",
            "minimum": 1,
            "$defs": {"n": {"description": "general", "x-requirement": "r", "type": "number"}},
        }
        assert inlined(schema) == {"description": "mine", "minimum": 1, "x-requirement": "r", "type": "number"}

    def test_constraints_beside_a_reference_hold_too(self) -> None:
        schema = {"$ref": "#/$defs/n", "minimum": 1, "allOf": [True], "$defs": {"n": {"minimum": 0, "maximum": 9}}}
        assert inlined(schema) == {"minimum": 1, "allOf": [True, {"minimum": 0, "maximum": 9}]}

    def test_a_reference_may_lead_to_true_or_false(self) -> None:
        assert inlined({"$ref": "#/$defs/none", "$defs": {"none": False}}) == {"allOf": [False]}

    def test_members_that_are_called_like_keywords_stay(self) -> None:
        schema = {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}
        assert inlined(schema) == schema

    @pytest.mark.parametrize("schema", [{"items": {"$ref": "#"}}, {"$ref": "urn:ping"}])
    def test_refuses_a_reference_that_leads_to_itself(self, schema: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="leads to itself"):
            inlined(schema)

    @pytest.mark.parametrize("reference", ["#/$defs/absent", "urn:absent"])
    def test_refuses_a_reference_that_leads_nowhere(self, reference: str) -> None:
        with pytest.raises(KeyError, match="absent"):
            inlined({"$ref": reference, "$defs": {}})


class TestEcma:
    @pytest.mark.parametrize(
        ("pattern", "text", "matches"),
        [
            ("^[0-9]+$", "12", True),
            ("^[0-9]+$", "12\n", False),
            ("^(?:a$|b)$", "a\n", False),
            (r"^\d+$", "12", True),
            (r"^\d+$", "١٢", False),
            (r"^\w$", "é", False),
            ("^[$]$", "$", True),
            (r"^\$$", "$", True),
            (r"^[\]$]$", "$", True),
            ("b", "abc", True),
        ],
    )
    def test_means_what_the_schema_says(self, pattern: str, text: str, matches: bool) -> None:
        assert (ecma(pattern).search(text) is not None) == matches

    def test_compiles_once(self) -> None:
        assert ecma("^once$") is ecma("^once$")


@pytest.mark.parametrize(("value", "verdict"), [(0, True), (-1, True), (1.0, False), (True, False), ("1", False)])
def test_only_integers_are_integers(value: object, verdict: bool) -> None:
    assert is_integer(value) == verdict


class TestAcceptor:
    SCHEMAS = (
        {},
        {"description": "anything", "x-requirement": "r"},
        *({"type": name} for name in ("array", "boolean", "null", "number", "object", "string")),
        {"const": "ab"},
        {"pattern": "^[a-z]+$"},
        {"minimum": 1},
        {"enum": ["ab", "a", ""]},
        {"items": {"type": "string"}},
        {"items": False},
        {"minItems": 1, "maxItems": 2},
        {"minLength": 2},
        {"not": {"type": "object"}},
        {"not": {}},
        {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"type": "string"}},
        {"if": {"type": "object"}, "else": {"type": "array"}},
        {"if": {"properties": {"a": {"const": "x"}}}, "then": False},
        {"then": False, "else": False},
        {"required": ["a", "b"]},
        {"properties": {"a": {"type": "string"}, "b": {}, "c": True}},
        {"properties": {"a": False}},
        {"dependentRequired": {"a": ["b", "c"], "b": ["a"]}},
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "object", "properties": {"b": {"const": "abc"}}}, "c": {"minimum": 0}},
        },
    )

    @pytest.mark.parametrize("schema", SCHEMAS)
    def test_agrees_with_jsonschema(self, schema: dict[str, Any]) -> None:
        accept = acceptor(schema)
        judge = Draft202012Validator(schema)

        @given(JSON)
        @example({"a": {"b": "abc"}, "c": 0})
        @example({"a": "x", "b": None, "c": 1})
        def agrees(value: object) -> None:
            assert accept is not None
            assert accept(value) == judge.is_valid(value)

        agrees()

    def test_is_stricter_than_jsonschema_where_python_is_lax(self) -> None:
        integers, digits = acceptor({"type": "integer"}), acceptor({"pattern": "^[0-9]+$"})
        assert integers is not None
        assert digits is not None
        assert [integers(value) for value in (1, 1.0, True)] == [True, False, False]
        assert [digits(value) for value in ("1", "1\n", "\u0661", 1)] == [True, False, False, True]

    @pytest.mark.parametrize(
        "schema",
        [
            {"maxLength": 1},
            {"enum": ["x", 1]},
            {"not": {"maxLength": 1}},
            {"items": {"const": 1}},
            {"if": {"const": 1}},
            {"if": {}, "then": {"const": 1}},
            {"type": ["string", "null"]},
            {"const": 1},
            {"const": True},
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"enum": [1]}}},
        ],
    )
    def test_steps_back_from_what_it_cannot_tell_fast(self, schema: dict[str, Any]) -> None:
        assert acceptor(schema) is None
