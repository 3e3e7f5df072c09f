"""Instances of our JSON Schemas: valid ones, and such as break one requirement and no other.

Only the keywords that our schemas use are known; another one is an error, so that a new keyword cannot be passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from hypothesis import assume
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from protocol.schema_compile import KEYWORDS, OWN, Schema, ecma
from protocol.validate import validator

Value = st.SearchStrategy[Any]

_MOST: Final = 4  # items of an array and members beside those that are known
_LARGE: Final = 1 << 53  # what every reader of JSON can hold
_TYPES: Final = ("string", "integer", "number", "boolean", "null", "array", "object")
_SAID: Final = frozenset({"$comment", "default", "description", "examples", "title", OWN, KEYWORDS})
_KNOWN: Final = frozenset(
    {
        *("type", "const", "enum", "if", "then", "else", "not"),
        *("properties", "required", "additionalProperties", "propertyNames", "dependentRequired"),
        *("minProperties", "maxProperties", "items", "minItems", "maxItems"),
        *("pattern", "minLength", "maxLength", "minimum"),
    }
)
_EITHER: Final = st.booleans()
_TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=12)
_ANYTHING: Final = st.one_of(st.none(), st.booleans(), st.integers(-_LARGE, _LARGE), _TEXT)


@cache
def valid(name: str) -> Value:
    """Return a strategy for what a published schema accepts, e.g. `speech/telemetry`; KeyError for an unknown name."""
    accepted = validator(name)
    return instances(accepted.schema).filter(lambda value: not accepted.errors(value))


# --- valid ------------------------------------------------------------------------------------------------------------


def instances(schema: Schema) -> Value:
    """Return a strategy for nearly all that a schema accepts; a little of what it draws may still be wrong."""
    unknown = schema.keys() - _KNOWN - _SAID
    if unknown:
        raise ValueError(f"no strategy for the keywords {', '.join(sorted(unknown))}")
    if "if" in schema:
        base = {key: value for key, value in schema.items() if key not in {"if", "then", "else"}}
        held = Draft202012Validator(schema["if"]).is_valid
        yes = _merged(_merged(base, schema["if"]), schema.get("then", {}))
        no = _merged(base, schema.get("else", {}))
        return st.one_of(instances(no).filter(lambda value: not held(value)), instances(yes))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "type" not in schema:
        return _object(schema) if "properties" in schema or "required" in schema else _ANYTHING
    types = schema["type"]
    return st.one_of([_OF_TYPE[word](schema) for word in ([types] if isinstance(types, str) else types)])


def _merged(one: Schema, other: Schema) -> dict[str, Any]:
    """Return a schema that says what both say; members are merged, of anything else the second counts."""
    merged = {**one, **other}
    if "required" in one and "required" in other:
        merged["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if "properties" in one and "properties" in other:
        members = dict(one["properties"])
        for name, schema in other["properties"].items():
            members[name] = _merged(members[name], schema) if name in members else schema
        merged["properties"] = members
    return merged


def _forbids(schema: Schema) -> bool:
    """Tell whether a member with this schema must be absent."""
    return schema.get("not") == {}


def _object(schema: Schema) -> Value:
    members = {name: instances(part) for name, part in schema.get("properties", {}).items() if not _forbids(part)}
    needed = list(schema.get("required", ()))
    partners: Mapping[str, list[str]] = schema.get("dependentRequired", {})
    more = schema.get("additionalProperties", {})
    others = st.nothing() if more is False else instances({} if more is True else more)
    names = instances({"type": "string", **schema.get("propertyNames", {})})
    least, most = schema.get("minProperties", 0), schema.get("maxProperties")

    @st.composite
    def whole(draw: st.DrawFn) -> dict[str, Any]:
        chosen = [*needed, *(name for name in members if name not in needed and draw(_EITHER))]
        for name in chosen:
            chosen += [other for other in partners.get(name, ()) if other not in chosen]
        value = {name: draw(members.get(name, _ANYTHING)) for name in chosen}
        room = 1 if most is None else min(1, most - len(value))
        wanted = max(least - len(value), draw(st.integers(0, max(0, room))))
        if more is not False:
            for _ in range(wanted):
                value[draw(names.filter(lambda name: name not in members and name not in value))] = draw(others)
        return value

    return whole()


def _array(schema: Schema) -> Value:
    least = schema.get("minItems", 0)
    return st.lists(instances(schema.get("items", {})), min_size=least, max_size=schema.get("maxItems", least + _MOST))


def _string(schema: Schema) -> Value:
    if "pattern" in schema:
        return st.from_regex(ecma(schema["pattern"]), fullmatch=False)
    least = schema.get("minLength", 0)
    return st.text(
        st.characters(codec="utf-8"), min_size=least, max_size=min(schema.get("maxLength", 1 << 10), least + 12)
    )


_OF_TYPE: Final[Mapping[str, Callable[[Schema], Value]]] = {
    "string": _string,
    "integer": lambda schema: st.integers(schema.get("minimum", -_LARGE), _LARGE),
    "number": lambda schema: st.one_of(
        st.integers(schema.get("minimum", -_LARGE), _LARGE),
        st.floats(schema.get("minimum", -1e15), 1e15, allow_nan=False),
    ),
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
    "array": _array,
    "object": _object,
}


# --- invalid ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A keyword that says something about a part of an instance, and how that part is reached."""

    steps: tuple[str | int, ...]
    keyword: str
    schema: Schema
    requirement: str


def _places(
    schema: Schema, value: object, steps: tuple[str | int, ...] = (), requirement: str = ""
) -> Iterator[_Place]:
    """Yield all keywords that apply somewhere in an instance."""
    requirement = schema.get(OWN, requirement)
    for keyword in schema:
        if keyword in _DAMAGE:
            yield _Place(steps, keyword, schema, schema.get(KEYWORDS, {}).get(keyword, requirement))
    if "if" in schema:
        branch = "then" if Draft202012Validator(schema["if"]).is_valid(value) else "else"
        yield from _places(schema.get(branch, {}), value, steps, requirement)
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name not in value and _forbids(inner):
                yield _Place((*steps, name), "not", inner, inner.get(OWN, requirement))
        more = schema.get("additionalProperties")
        for name, part in value.items():
            inner = schema.get("properties", {}).get(name, more)
            if isinstance(inner, Mapping):
                yield from _places(inner, part, (*steps, name), requirement)
    if isinstance(value, list) and "items" in schema:
        for index, part in enumerate(value):
            yield from _places(schema["items"], part, (*steps, index), requirement)


@st.composite
def invalid(draw: st.DrawFn, name: str) -> tuple[Any, str]:
    """Draw what a published schema rejects, with the one requirement that it breaks."""
    instance = draw(valid(name))
    places = list(_places(validator(name).schema, instance))
    # The requirement first: most places belong to those of the outer form.
    wanted = draw(st.sampled_from(sorted({place.requirement for place in places})))
    place = draw(st.sampled_from([place for place in places if place.requirement == wanted]))
    box = {"": json.loads(json.dumps(instance))}
    path = ("", *place.steps)
    holder: Any = box
    for step in path[:-1]:
        holder = holder[step]
    there = holder.get(path[-1]) if isinstance(holder, dict) else holder[path[-1]]
    holder[path[-1]] = draw(_DAMAGE[place.keyword](place.schema, there))
    broken = {violation.requirement for violation in validator(name).errors(box[""])}
    assume(len(broken) == 1)
    return box[""], broken.pop()


def _other_type(schema: Schema, _: Any) -> Value:
    named = schema["type"]
    given = {named} if isinstance(named, str) else set(named)
    if "number" in given:
        given.add("integer")
    others = [word for word in _TYPES if word not in given]
    return st.sampled_from(others).flatmap(lambda word: _OF_TYPE[word]({}))


def _without(schema: Schema, value: Any) -> Value:
    held = [name for name in schema["required"] if isinstance(value, dict) and name in value]
    if not held:
        return st.just(value)
    return st.sampled_from(held).map(lambda gone: {name: part for name, part in value.items() if name != gone})


def _without_partner(schema: Schema, value: Any) -> Value:
    partners = {other for name, others in schema["dependentRequired"].items() if name in value for other in others}
    if not partners:
        return st.just(value)
    return st.sampled_from(sorted(partners)).map(
        lambda gone: {name: part for name, part in value.items() if name != gone}
    )


def _with_more(_: Schema, value: Any) -> Value:
    return _TEXT.map(lambda name: {**value, name: None} if isinstance(value, dict) else value)


def _misspelt(_: Schema, value: Any) -> Value:
    text = value if isinstance(value, str) else ""
    return st.one_of(
        st.sampled_from([f"{text}\n", f" {text}", text[:-1], text[1:], ""]), _TEXT, st.just(text.swapcase())
    )


_DAMAGE: Final[Mapping[str, Callable[[Schema, Any], Value]]] = {
    "not": lambda _, __: _TEXT,
    "type": _other_type,
    "const": lambda _, value: st.one_of(_misspelt({}, value), _ANYTHING),
    "enum": lambda _, value: st.one_of(_misspelt({}, value), _ANYTHING),
    "pattern": _misspelt,
    "required": _without,
    "dependentRequired": _without_partner,
    "additionalProperties": _with_more,
    "propertyNames": _with_more,
    "minimum": lambda schema, _: st.integers(max_value=int(schema["minimum"]) - 1),
    "minLength": lambda schema, _: st.text(max_size=max(0, schema["minLength"] - 1)),
    "maxLength": lambda schema, _: st.just("x" * (schema["maxLength"] + 1)),
    "minItems": lambda schema, value: st.just(value[: schema["minItems"] - 1]),
    "maxItems": lambda schema, value: st.just((value or [None]) * (schema["maxItems"] + 1)),
    "minProperties": lambda _, __: st.just({}),
    "maxProperties": lambda schema, value: st.just(
        {**value, **{f"more {index}": next(iter(value.values()), None) for index in range(schema["maxProperties"])}}
    ),
}
"""How an instance comes to break what a keyword says; what still keeps it is thrown away."""
