"""The formats of the protocol as data: JSON Schemas (2020-12), their examples, and the speech corpus.

A schema is named after its file: `translator/final` is `translator/final.schema.json`, `$id`
`urn:speechwire:translator:final`. Two keywords of our own say which requirement a constraint belongs to:
`x-requirement` covers a subschema and everything below it, `x-requirements` maps single keywords of the subschema
that holds it. Everybody else's validator ignores both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HOME = Path(__file__).resolve().parent
_SUFFIX = ".schema.json"

URN = "urn:speechwire:"
"""What every `$id` begins with; the rest is the name, with a colon for each slash."""


@dataclass(frozen=True, slots=True)
class Example:
    """One instance that a schema accepts, or rejects for a stated reason.

    Attributes:
        name: File name without `.json`, unique among the examples of one kind.
        instance: The JSON value.
        requirement: What an invalid instance breaks first, or None for a valid one. Schemas of our own files have
            no requirements; there it is the schema's `$id`.
        why: One sentence on what is wrong, or None for a valid one.
    """

    name: str
    instance: Any
    requirement: str | None = None
    why: str | None = None

    @property
    def valid(self) -> bool:
        """Whether the schema accepts the instance."""
        return self.requirement is None


@cache
def names() -> tuple[str, ...]:
    """Return the names of all schemas, sorted."""
    found = (path.relative_to(_HOME).as_posix() for path in _HOME.rglob(f"*{_SUFFIX}"))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found))


def read(name: str) -> dict[str, Any]:
    """Return a schema as a fresh dict that the caller may change; KeyError for an unknown name."""
    schema: dict[str, Any] = json.loads((_HOME / f"{_known(name)}{_SUFFIX}").read_bytes())
    return schema


def examples(name: str) -> tuple[Example, ...]:
    """Return the examples of a schema, valid ones first, each kind by name; KeyError for an unknown name."""
    folder = _HOME / "examples" / _known(name)
    valid = (Example(path.stem, json.loads(path.read_bytes())) for path in sorted(folder.glob("valid/*.json")))
    return (*valid, *map(_invalid, sorted(folder.glob("invalid/*.json"))))


def corpus_dir() -> Path:
    """Return the folder of the speech corpus: WAV files beside `manifest.json`."""
    return _HOME / "corpus"


def _invalid(path: Path) -> Example:
    example = json.loads(path.read_bytes())
    return Example(path.stem, example["instance"], example["requirement"], example["why"])


def _known(name: str) -> str:
    # Names also come from `$ref`s and command lines: only files that were found are opened.
    if name not in names():
        raise KeyError(f"no schema {name!r}; there are {', '.join(names())}")
    return name
