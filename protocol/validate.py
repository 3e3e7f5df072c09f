"""Validators of the published schemas: each failing constraint is a violation of its requirement.

`jsonschema` judges, under two corrections: a pattern means what ECMA-262 says (`$` is the very end, digits are
ASCII), and 1.0 is no integer. What a constraint belongs to is said by the schema itself: `x-requirements` for single
keywords of a subschema, else `x-requirement` of the nearest subschema around it; an absent member breaks what its
own subschema names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

import schemas
from protocol.errors import PeerViolation
from protocol.schema_compile import KEYWORDS, OWN, Schema, acceptor, ecma, inline, is_integer

_WHOLE = "whole value"
_LONGEST = 80
_WORDS = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer without fraction or exponent",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class Validator:
    """One schema, compiled. `validator(name)` gives those that are published.

    `schema` is what it was made of, without references.

    Args:
        schema: A 2020-12 schema with `$ref`s into itself (`#/…`) or into published ones (`urn:speechwire:…#/…`).

    Raises:
        ValueError: A `$ref` leads to itself.
        KeyError: A `$ref` leads nowhere.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema: Schema = inline(schema, _published)
        self._name = str(schema.get("$id", "schema without $id"))
        self._judge = _Judge(self.schema)
        self._accept = acceptor(self.schema)

    def errors(self, instance: object) -> tuple[PeerViolation, ...]:
        """Return all violations, in the order of the schema's text.

        `at` is a JSON pointer, for an absent member to where it should be, or `whole value`. A constraint that names
        no requirement, as in the schemas of our own files, is reported under the schema's `$id`.
        """
        # Nearly every instance is valid; only the others pay for finding out what is wrong.
        if self._accept is not None and self._accept(instance):
            return ()
        return tuple(dict.fromkeys(self._violation(error) for error in self._judge.iter_errors(instance)))

    def check(self, instance: object) -> None:
        """Raise the first of `errors(instance)`, if there is one."""
        for error in self.errors(instance):
            raise error

    def _violation(self, error: ValidationError) -> PeerViolation:
        absent = error.validator in _ABSENCE
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in error.absolute_path)
        return PeerViolation(
            requirement=self._requirement(error),
            at="".join(f"/{step}" for step in steps) or _WHOLE,
            expected=error.message if absent else _allowed(str(error.validator), error.validator_value, error.schema),
            observed="nothing" if absent else shown(error.instance),
        )

    def _requirement(self, error: ValidationError) -> str:
        node: Any = self.schema
        nearest = node.get(OWN, self._name)
        *steps, keyword = error.absolute_schema_path
        for step in steps:
            node = node[step]
            if isinstance(node, dict):
                nearest = node.get(OWN, nearest)
        if isinstance(node, dict) and keyword in node.get(KEYWORDS, {}):
            return str(node[KEYWORDS][keyword])
        if error.validator in _ABSENCE:
            nearest = _member(node, error.absolute_path[-1]).get(OWN, nearest)
        return str(nearest)


@cache
def validator(name: str) -> Validator:
    """Return the validator of a published schema, e.g. `translator/final`; KeyError for an unknown name."""
    return Validator(schemas.read(name))


def shown(value: object) -> str:
    """Return a JSON value as one short line for a person: scalars as JSON, containers by their size."""
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    text = json.dumps(value[:_LONGEST] if isinstance(value, str) else value, ensure_ascii=False)
    # A lone surrogate can come out of JSON, and is fatal to whoever prints it.
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _published(urn: str) -> Schema:
    return schemas.read(urn.removeprefix(schemas.URN).replace(":", "/"))


def _allowed(keyword: str, value: Any, schema: object) -> str:
    """Return what a constraint allows, as a noun phrase."""
    match keyword:
        case "type":
            return " or ".join(_WORDS[name] for name in ([value] if isinstance(value, str) else value))
        case "const":
            return shown(value)
        case "enum":
            return " or ".join(map(shown, value))
        case "pattern" | "not" if isinstance(schema, Mapping) and "title" in schema:
            return str(schema["title"])
        case "pattern":
            return f"text of the form {value}"
        case "minimum":
            return f"{shown(value)} or more"
        case "minItems" | "minLength":
            return f"a length of {value} or more"
        case "maxItems" | "maxLength":
            return f"a length of {value} or less"
        case "uniqueItems":
            return "no value twice"
        case "oneOf" | "anyOf":
            return f"one of the {len(value)} forms of the schema"
        case "None":  # the subschema is `false`
            return "nothing here"
        case _:
            return f"{keyword} {shown(value)}"


def _member(schema: Schema, name: object) -> Schema:
    found = schema.get("properties", {}).get(name)
    return found if isinstance(found, Mapping) else {}


# --- keywords where jsonschema would report less, or read the schema in Python's way ----------------------------------


def _pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and ecma(pattern).search(instance) is None:
        yield ValidationError("does not match")


def _required(_: object, names: list[str], instance: object, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        yield from (_absence(name, schema) for name in names if name not in instance)


def _dependent(
    _: object, table: Mapping[str, list[str]], instance: object, schema: Schema
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for present, names in table.items():
            if present in instance:
                yield from (_absence(name, schema) for name in names if name not in instance)


def _absence(name: str, schema: Schema) -> ValidationError:
    """Return the error of an absent member, placed where the member should be; the message says what is allowed."""
    member = _member(schema, name)
    keyword = next((key for key in ("const", "enum", "pattern", "type") if key in member), None)
    expected = _allowed(keyword, member[keyword], member) if keyword else "a value"
    return ValidationError(expected, path=(name,))


_ABSENCE = {"required": _required, "dependentRequired": _dependent}
_Judge: Any = extend(  # type: ignore[no-untyped-call] # its stub says nothing
    Draft202012Validator,
    validators={**_ABSENCE, "pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: is_integer(value)),
)
