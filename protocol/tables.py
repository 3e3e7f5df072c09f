"""Strict reading of the register's TOML: every key is asked for by name and type, and none may be left over."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

_Choice = TypeVar("_Choice", bound=Enum)


@dataclass(unsafe_hash=True)
class RegisterError(Exception):
    """A file of the register is wrong: `file` and `entry` say where, `problem` what."""

    file: str
    entry: str
    problem: str

    def __post_init__(self) -> None:
        Exception.__init__(self, self.file, self.entry, self.problem)

    def __str__(self) -> str:
        return f"{self.file}: {self.entry}: {self.problem}"


class Table:
    """A table of a file whose keys are taken one by one.

    Each method takes one key and raises RegisterError if its value is missing or of another form; `close`
    raises if a key is left that nobody took.
    """

    def __init__(self, file: str, entry: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.entry = entry
        self._values = dict(values)

    @classmethod
    def of_file(cls, file: Traversable) -> Table:
        """Return the table of a whole file."""
        try:
            return cls(file.name, "file", tomllib.loads(file.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise RegisterError(file.name, "file", f"is not TOML: {error}") from None

    def fault(self, problem: str) -> RegisterError:
        """Return an error with this table's place."""
        return RegisterError(self.file, self.entry, problem)

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet."""
        return key in self._values

    def text(self, key: str) -> str:
        """Take a text that is not blank."""
        value = self._values.pop(key, None)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"{key} must be a text that is not empty")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Take a text, or None if the key is absent."""
        return self.text(key) if self.has(key) else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of at least one text, without repetition."""
        value = self._values.pop(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(i, str) and i.strip() for i in value):
            raise self.fault(f"{key} must be a list of texts that is not empty")
        if len(set(value)) < len(value):
            raise self.fault(f"{key} names something twice")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Take a boolean, or False if the key is absent."""
        value = self._values.pop(key, False)
        if not isinstance(value, bool):
            raise self.fault(f"{key} must be true or false")
        return value

    def word(self, key: str, allowed: Sequence[str]) -> str:
        """Take one of the allowed words."""
        value = self.text(key)
        if value not in allowed:
            raise self.fault(f"{key} {value!r} is none of {', '.join(allowed)}")
        return value

    def choice(self, key: str, kind: type[_Choice]) -> _Choice:
        """Take the value of a member of an enumeration of texts."""
        return kind(self.word(key, [member.value for member in kind]))

    def mapping(self, key: str) -> Mapping[str, str]:
        """Take a table of texts, in its order."""
        value = self._values.pop(key, None)
        if not isinstance(value, dict) or not all(isinstance(i, str) and i.strip() for i in value.values()):
            raise self.fault(f"{key} must be a table of texts")
        return value

    def entries(self, key: str, name: str, shared: Sequence[str] = ()) -> Iterator[Table]:
        """Take an array of tables and close this one.

        An entry is called by its member `name`, or else by its number. The keys `shared` of this table stand in
        every entry that has none of its own.
        """
        common = {word: self._values.pop(word) for word in shared if self.has(word)}
        value = self._values.pop(key, [])
        self.close()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fault(f"{key} must be an array of tables")
        for number, item in enumerate(value, start=1):
            yield Table(self.file, str(item.get(name, f"{key} {number}")), {**common, **item})

    def close(self) -> None:
        """Raise if there are keys that nobody took."""
        if self._values:
            raise self.fault(f"unknown key {', '.join(sorted(self._values))}")
