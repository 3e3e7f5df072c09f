"""The published schemas: sound, open, each constraint named after its requirement and shown by an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import schemas
from protocol.requirements import load
from protocol.schema_compile import inline
from protocol.validate import validator

WIRE = tuple(name for name in schemas.names() if "/" in name)
EXAMPLES = [
    pytest.param(name, example, id=f"{name}:{example.name}")
    for name in schemas.names()
    for example in schemas.examples(name)
]
COMPLETE = (*WIRE, "requirements", "cases", "selfproof", "report", "transcript", "capture", "languages")
ANNOTATIONS = {"title", "description", "x-requirement", "x-requirements"}

Place = tuple[str | int, ...]


def subschemas(schema: Any, at: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Walk the subschemas that a value has to satisfy; `if` is none of them."""
    if not isinstance(schema, dict):
        return
    yield at, schema
    for keyword in ("items", "additionalProperties", "propertyNames", "then", "else"):
        yield from subschemas(schema.get(keyword), (*at, keyword))
    for name, member in schema.get("properties", {}).items():
        yield from subschemas(member, (*at, "properties", name))


def constraints(schema: dict[str, Any]) -> Iterator[Place]:
    """Name everything that can make a value invalid; an absent member by its own name."""
    for at, node in subschemas(schema):
        for keyword, value in node.items():
            if keyword in ANNOTATIONS:
                continue
            if keyword == "required":
                yield from ((*at, keyword, name) for name in value)
            elif keyword in {"dependentRequired", "not"} or not isinstance(value, dict):
                yield (*at, keyword)


def broken(schema: dict[str, Any], instance: object) -> Iterator[Place]:
    """Name what an unmodified validator finds broken, in the words of `constraints`."""
    for error in Draft202012Validator(schema).iter_errors(instance):
        place = tuple(error.absolute_schema_path)
        if error.validator == "required":
            yield from ((*place, name) for name in error.validator_value if name not in error.instance)
        else:
            yield place


def published(urn: str) -> dict[str, Any]:
    return schemas.read(urn.removeprefix(schemas.URN).replace(":", "/"))


class TestNames:
    def test_are_sorted_and_lead_to_a_schema_with_that_id(self) -> None:
        assert list(schemas.names()) == sorted(set(schemas.names()))
        for name in schemas.names():
            assert schemas.read(name)["$id"] == schemas.URN + name.replace("/", ":")

    def test_cover_what_a_translator_session_says(self) -> None:
        expected = {"error", "final", "handshake-query", "languages", "partial"}
        assert {name.removeprefix("translator/") for name in WIRE} >= expected

    def test_cover_what_a_speech_session_says(self) -> None:
        client = {"handshake-query", "speech-config", "speech-context", "telemetry", "event", "audio-commit"}
        turn = {"turn-start", "start-detected", "end-detected"}
        results = {"translation-hypothesis", "translation-phrase", "translation-response"}
        plain = {"speech-hypothesis", "speech-phrase"}
        voice = {"synthesis-end", "audio-start", "audio-end"}
        expected = client | turn | results | plain | voice
        assert {name.removeprefix("speech/") for name in WIRE} >= expected

    @pytest.mark.parametrize("name", ["translator", "translator/final.schema.json", "../pyproject", ""])
    def test_unknown_ones_open_no_file(self, name: str) -> None:
        with pytest.raises(KeyError, match="translator/final"):
            schemas.read(name)
        with pytest.raises(KeyError, match="translator/final"):
            schemas.examples(name)

    def test_a_schema_that_was_read_belongs_to_the_reader(self) -> None:
        schemas.read("translator/final").clear()
        assert schemas.read("translator/final")["title"] == "Final result"


class TestSchema:
    @pytest.mark.parametrize("name", schemas.names())
    def test_is_a_schema_of_2020_12(self, name: str) -> None:
        schema = schemas.read(name)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize("name", schemas.names())
    def test_compiles(self, name: str) -> None:
        assert validator(name) is validator(name)

    @pytest.mark.parametrize("name", WIRE)
    def test_leaves_objects_open(self, name: str) -> None:
        for _, node in subschemas(inline(schemas.read(name), published)):
            assert node.get("additionalProperties") is not False
            assert "unevaluatedProperties" not in node

    @pytest.mark.parametrize("name", WIRE)
    def test_describes_every_member(self, name: str) -> None:
        for _, node in subschemas(inline(schemas.read(name), published)):
            for member in node.get("properties", {}).values():
                assert member["description"].endswith(".")

    @pytest.mark.parametrize("name", schemas.names())
    def test_names_only_requirements_of_the_register(self, name: str) -> None:
        named: set[str] = set()
        for _, node in subschemas(inline(schemas.read(name), published)):
            named.update(node.get("x-requirements", {}).values())
            named.update({node["x-requirement"]} if "x-requirement" in node else ())
        assert named <= set(load())
        assert bool(named) == (name in WIRE)

    @pytest.mark.parametrize("name", WIRE)
    def test_names_single_keywords_only_where_they_stand(self, name: str) -> None:
        for _, node in subschemas(inline(schemas.read(name), published)):
            assert node.get("x-requirements", {}).keys() <= node.keys()


class TestExamples:
    @pytest.mark.parametrize(("name", "example"), EXAMPLES)
    def test_are_judged_as_their_folder_says(self, name: str, example: schemas.Example) -> None:
        errors = validator(name).errors(example.instance)
        assert (errors == ()) == example.valid
        assert (errors[0].requirement if errors else None) == example.requirement

    @pytest.mark.parametrize(("name", "example"), EXAMPLES)
    def test_valid_ones_convince_an_unmodified_validator(self, name: str, example: schemas.Example) -> None:
        judge = Draft202012Validator(inline(schemas.read(name), published))
        assert judge.is_valid(example.instance) or not example.valid

    @pytest.mark.parametrize(("name", "example"), EXAMPLES)
    def test_invalid_ones_say_why_in_a_sentence(self, name: str, example: schemas.Example) -> None:
        assert (example.why is None) == example.valid
        assert example.why is None or example.why.endswith(".")
        prefix = f"{name.partition('/')[0]}." if name in WIRE else schemas.URN
        assert example.requirement is None or example.requirement.startswith(prefix)

    @pytest.mark.parametrize("name", COMPLETE)
    def test_come_valid_ones_first_and_there_are_three(self, name: str) -> None:
        found = schemas.examples(name)
        valid = [example for example in found if example.valid]
        assert len(valid) >= 3
        assert list(found[: len(valid)]) == valid
        assert len({(example.name, example.valid) for example in found}) == len(found)

    @pytest.mark.parametrize("name", COMPLETE)
    def test_break_every_constraint_once(self, name: str) -> None:
        schema = inline(schemas.read(name), published)
        reached = {place for example in schemas.examples(name) for place in broken(schema, example.instance)}
        assert set(constraints(schema)) - reached == set()

    @pytest.mark.parametrize("name", WIRE)
    def test_break_every_requirement_first(self, name: str) -> None:
        named: set[str] = set()
        for _, node in subschemas(inline(schemas.read(name), published)):
            named.update(node.get("x-requirements", {}).values())
            named.update({node["x-requirement"]} if "x-requirement" in node else ())
        assert {example.requirement for example in schemas.examples(name)} - {None} == named


class TestCorpus:
    def test_stands_beside_the_schemas(self) -> None:
        assert schemas.corpus_dir().is_dir()
        assert schemas.corpus_dir().parent.name == "schemas"
