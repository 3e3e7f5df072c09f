"""The catalogue of faults: what a fault declares, and in which dialects of its folder it is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

import pytest

import conformance.faults
from conformance.faults import registry
from conformance.faults.mutator import Mutator
from conformance.faults.registry import everything, fault, get, load
from conformance.judge.benches import BENCHES
from protocol import requirements
from protocol.wire import Party
from reference_server.policy import Settings

FOLDER = "esperanto"
OLD, NEW = "esperanto-v1", "esperanto-v2"
HOLDS = {"group.both": (OLD, NEW), "group.old": (OLD,), "client.both": (OLD, NEW)}
FAULTS = """
from conformance.faults.mutator import Mutator
from conformance.faults.registry import fault

@fault("group.both", "wrongly", implies=("group.old",), silence_ms=5)
class Wrongly(Mutator):
    '''Does it wrong.

    And says more.
    '''

@fault("group.old", "wrongly")
class Old(Mutator):
    pass

@fault("client.both", "newly", dialects=("esperanto-v2",))
class Newly(Mutator):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with two dialects and three faults."""
    good = next(iter(requirements.load("translator").values()))
    rows = {f"{FOLDER}.{name}": replace(good, dialects=dialects) for name, dialects in HOLDS.items()}
    monkeypatch.setattr(requirements, "folder", {OLD: FOLDER, NEW: FOLDER}.__getitem__)
    monkeypatch.setattr(requirements, "load", lambda name: {k: row for k, row in rows.items() if name in row.dialects})
    monkeypatch.setattr(registry, "BENCHES", dict.fromkeys((OLD, NEW), BENCHES["translator"]))
    monkeypatch.setattr(registry, "_FAULTS", {})
    home = tmp_path / FOLDER
    home.mkdir()
    (home / "__init__.py").write_text("", "utf-8")
    (home / "some_faults.py").write_text(dedent(FAULTS), "utf-8")
    monkeypatch.setattr(conformance.faults, "__path__", [*conformance.faults.__path__, str(tmp_path)])
    registry._of_folder.cache_clear()  # noqa: SLF001 - the catalogue is read once, and this is another
    yield
    registry._of_folder.cache_clear()  # noqa: SLF001 - the same
    for name in [name for name in sys.modules if name.startswith(f"conformance.faults.{FOLDER}")]:
        del sys.modules[name]


def declare(requirement: str, **options: Any) -> type[Mutator]:
    """Declare a fault of the folder by hand."""

    class Wrong(Mutator):
        """Does it wrong."""

    Wrong.__module__ = f"conformance.faults.{FOLDER}.here"
    return fault(requirement, "again", **options)(Wrong)


@pytest.mark.usefixtures("folder")
class TestDeclaration:
    def test_becomes_a_fault_of_the_folder_it_stands_in(self) -> None:
        found = load(NEW)[0]
        assert (found.id, found.requirement) == ("esperanto.group.both/wrongly", "esperanto.group.both")
        assert (found.party, found.summary) == (Party.SERVER, "Does it wrong.")
        assert (found.implies, found.policy) == (("esperanto.group.old",), {"silence_ms": 5})
        assert isinstance(found.mutator(), Mutator)

    def test_is_about_clients_where_its_requirement_is(self) -> None:
        assert load(NEW)[-1].party is Party.CLIENT

    def test_of_a_name_that_is_taken_is_an_error(self) -> None:
        declare("group.both")
        with pytest.raises(ValueError, match=r"there are two faults named esperanto\.group\.both/again"):
            declare("group.both")

    def test_that_implies_too_much_is_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"group\.both/again implies more than 3 other requirements"):
            declare("group.both", implies=("a.b", "a.c", "a.d", "a.e"))


@pytest.mark.usefixtures("folder")
class TestCatalogue:
    def test_has_what_can_be_broken_in_a_dialect(self) -> None:
        assert [found.id.partition(".")[2] for found in load(OLD)] == ["group.both/wrongly", "group.old/wrongly"]
        assert [found.id.partition(".")[2] for found in load(NEW)] == ["group.both/wrongly", "client.both/newly"]

    def test_has_everything_once(self) -> None:
        assert [identity.partition(".")[2] for identity in everything()] == [
            "group.both/wrongly",
            "group.old/wrongly",
            "client.both/newly",
        ]

    def test_is_known_by_id(self) -> None:
        assert get("esperanto.group.old/wrongly") is load(OLD)[1]
        for unknown in ("esperanto.group.old/rightly", "volapuk.group.old/wrongly", "nothing"):
            with pytest.raises(KeyError, match=unknown):
                get(unknown)


@dataclass(frozen=True)
class Policy:
    """A policy of sessions."""

    silence_ms: int = 800
    limit_ms: int = 1000


@dataclass(frozen=True)
class Ours:
    """Settings that have a policy for the folder."""

    esperanto: Policy
    control: bool = False


@pytest.mark.usefixtures("folder")
class TestSettings:
    def test_have_the_policy_of_the_folder_overridden(self) -> None:
        settings: object = load(NEW)[0].settings(cast("Settings", Ours(Policy(limit_ms=7), control=True)))
        assert settings == Ours(Policy(silence_ms=5, limit_ms=7), control=True)
