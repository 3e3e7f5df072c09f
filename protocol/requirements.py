"""The register of requirements: one value for each normative statement, read from TOML.

Each dialect folder `protocol/<folder>/requirements/` holds `*.toml` files of requirements, one file a group, and
beside them `facts.toml` (the ids of the facts that the requirements rest on) and `exclusions.toml` (facts that no
requirement can rest on, with the reason). A new folder is found without a change here.

A file of requirements begins with what its entries share (`dialects`, `party`, `since`), which an entry may
override. Reading is strict: whatever is unknown, missing, doubled or at odds with the rules of levels raises
`RegisterError`, so that a register that loads is a register that can be relied on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from protocol.tables import RegisterError, Table
from protocol.wire import Party

REVISION = "2026.1"
"""Revision of the register that this version of the package carries."""

REASONS = ("needs-minutes", "needs-cloud", "not-on-wire", "subjective")
"""Why a requirement is not tested, or a fact has no requirement: a closed list."""

_FACTS = "facts.toml"
_EXCLUSIONS = "exclusions.toml"
_DECISION = "decision"  # the only source of a requirement of basis project
_ID = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.){2}[a-z0-9]+(?:-[a-z0-9]+)*")
_SINCE = re.compile(r"\d{4}\.\d+")


class Level(Enum):
    """How strictly a requirement binds, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Basis(Enum):
    """What a requirement rests on."""

    DOCUMENTED = "documented"
    """An official text of this protocol, or of WebSocket below it, says so."""
    SIBLING = "sibling"
    """Only the document of a sibling protocol says so."""
    OBSERVED = "observed"
    """Named clients or the real service depend on it."""
    PROJECT = "project"
    """Our decision, where every source is silent."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative statement.

    Attributes:
        id: Stable name `folder.group.name`, e.g. `translator.final.id-unique`.
        dialects: Dialects that it holds in.
        party: Whom it binds.
        level: MUST, SHOULD or MAY.
        basis: What it rests on.
        statement: One sentence.
        source: Keys of the sources, or `decision`.
        facts: Ids of the facts that it rests on, of the same folder's `facts.toml`.
        since: Revision of the register that brought it.
        breaks: The named peer that breaks without it, and how; makes an observed MUST a violation.
        tolerated: Forms of departure that real peers use, each naming the peer.
        excluded: Why no case tests it, a word of `REASONS`; None if it is tested.
        note: What a reader should know besides.
        core: Must be observed in every run, or the run counts as could-not-run.
    """

    id: str
    dialects: tuple[str, ...]
    party: Party
    level: Level
    basis: Basis
    statement: str
    source: str
    facts: tuple[str, ...]
    since: str
    breaks: str | None = None
    tolerated: tuple[str, ...] = ()
    excluded: str | None = None
    note: str | None = None
    core: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A fact without a requirement: its id, the reason (a word of `REASONS`), and a sentence on it."""

    fact: str
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class Register:
    """What one dialect folder holds; `facts` maps each fact id to its label."""

    folder: str
    dialects: tuple[str, ...]
    requirements: Mapping[str, Requirement]
    exclusions: tuple[Exclusion, ...]
    facts: Mapping[str, str]


def load(dialect: str | None = None) -> Mapping[str, Requirement]:
    """Return the requirements of `dialect` (all without one) by id, in the order of the files.

    Raises KeyError for an unknown dialect and RegisterError for a faulty file.
    """
    if dialect is None:
        return _everything()
    return _of_dialect(dialect)


def folder(dialect: str) -> str:
    """Return the folder that a dialect stands in, the first part of its ids; KeyError for an unknown dialect."""
    return _register_of(dialect).folder


def get(requirement: str) -> Requirement:
    """Return the requirement with this id; raise KeyError with near matches if there is none."""
    register = _everything()
    if requirement not in register:
        raise KeyError(_unknown("requirement", requirement, register))
    return register[requirement]


def exclusions(dialect: str) -> tuple[Exclusion, ...]:
    """Return the facts of the dialect's sheet that no requirement rests on; KeyError for an unknown dialect."""
    return _register_of(dialect).exclusions


def facts(dialect: str) -> tuple[str, ...]:
    """Return the ids of all facts of the dialect's sheet, in its order; KeyError for an unknown dialect."""
    return tuple(_register_of(dialect).facts)


def labels(dialect: str) -> Mapping[str, str]:
    """Return a short label for each fact id of the dialect's sheet; KeyError for an unknown dialect."""
    return _register_of(dialect).facts


def read(home: Traversable) -> Register:
    """Read and check one dialect folder (the parent of `requirements/`); raise RegisterError at the first fault."""
    files = sorted(
        (item for item in home.joinpath("requirements").iterdir() if item.name.endswith(".toml")),
        key=lambda item: item.name,
    )
    tables = {item.name: Table.of_file(item) for item in files}
    for needed in (_FACTS, _EXCLUSIONS):
        if needed not in tables:
            raise RegisterError(needed, "file", "is missing")
    dialects, sheet = _facts(tables.pop(_FACTS))
    excluded = _exclusions(tables.pop(_EXCLUSIONS), sheet)
    found: dict[str, Requirement] = {}
    for table in tables.values():
        for entry in table.entries("requirement", "id", shared=("dialects", "party", "since")):
            requirement = _requirement(entry)
            if requirement.id in found:
                raise entry.fault("id is used twice")
            if problem := next(_problems(requirement, home.name, dialects, sheet), None):
                raise entry.fault(problem)
            found[requirement.id] = requirement
    return Register(home.name, dialects, MappingProxyType(found), excluded, MappingProxyType(dict(sheet)))


@cache
def _registers() -> tuple[Register, ...]:
    homes = sorted(resources.files("protocol").iterdir(), key=lambda item: item.name)
    return tuple(read(home) for home in homes if home.joinpath("requirements").is_dir())


@cache
def _everything() -> Mapping[str, Requirement]:
    return MappingProxyType({key: value for part in _registers() for key, value in part.requirements.items()})


@cache
def _of_dialect(dialect: str) -> Mapping[str, Requirement]:
    requirements = _register_of(dialect).requirements
    return MappingProxyType({key: value for key, value in requirements.items() if dialect in value.dialects})


@cache
def _register_of(dialect: str) -> Register:
    by_dialect = {name: register for register in _registers() for name in register.dialects}
    if dialect not in by_dialect:
        raise KeyError(_unknown("dialect", dialect, by_dialect))
    return by_dialect[dialect]


def _unknown(what: str, name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6) or list(known)[:3]
    return f"no {what} {name!r}; near: {', '.join(near)}"


def _facts(table: Table) -> tuple[tuple[str, ...], Mapping[str, str]]:
    dialects, sheet = table.texts("dialects"), table.mapping("facts")
    table.close()
    return dialects, sheet


def _exclusions(table: Table, sheet: Mapping[str, str]) -> tuple[Exclusion, ...]:
    found: dict[str, Exclusion] = {}
    for entry in table.entries("exclusion", "fact"):
        exclusion = Exclusion(entry.text("fact"), entry.word("reason", REASONS), entry.text("note"))
        entry.close()
        if exclusion.fact not in sheet:
            raise entry.fault(f"is not in {_FACTS}")
        if exclusion.fact in found:
            raise entry.fault("is excluded twice")
        found[exclusion.fact] = exclusion
    return tuple(found.values())


def _requirement(entry: Table) -> Requirement:
    requirement = Requirement(
        id=entry.text("id"),
        dialects=entry.texts("dialects"),
        party=entry.choice("party", Party),
        level=entry.choice("level", Level),
        basis=entry.choice("basis", Basis),
        statement=entry.text("statement"),
        source=entry.text("source"),
        facts=entry.texts("facts"),
        since=entry.text("since"),
        breaks=entry.text_or_none("breaks"),
        tolerated=entry.texts("tolerated") if entry.has("tolerated") else (),
        excluded=entry.word("excluded", REASONS) if entry.has("excluded") else None,
        note=entry.text_or_none("note"),
        core=entry.flag("core"),
    )
    entry.close()
    return requirement


def _problems(
    requirement: Requirement, folder: str, dialects: tuple[str, ...], sheet: Mapping[str, str]
) -> Iterator[str]:
    """Say what is wrong with values that are well-formed one by one."""
    if not _ID.fullmatch(requirement.id) or not requirement.id.startswith(f"{folder}."):
        yield f"id must have the form {folder}.group.name"
    if not _SINCE.fullmatch(requirement.since):
        yield f"since {requirement.since!r} is no revision"
    if strange := sorted(set(requirement.dialects) - set(dialects)):
        yield f"dialects {', '.join(strange)} are not of this folder"
    if strange := sorted(set(requirement.facts) - set(sheet)):
        yield f"facts {', '.join(strange)} are not in {_FACTS}"
    if not requirement.statement.endswith(".") or "\n" in requirement.statement:
        yield "statement must be one sentence"
    if (requirement.basis is Basis.PROJECT) != (requirement.source == _DECISION):
        yield f"basis project and source {_DECISION} go together"
    if requirement.excluded and requirement.core:
        yield "a core requirement cannot be excluded"
    if (requirement.party, requirement.level, requirement.basis, requirement.breaks) == (
        Party.SERVER,
        Level.MUST,
        Basis.OBSERVED,
        None,
    ):
        yield "an observed MUST on a server needs breaks, the named client that breaks without it"
