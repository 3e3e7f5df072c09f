"""The package that reference_server/engines/README.md shows: installed as it stands there, found, and run."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.distributions import install, on_path, toys

if TYPE_CHECKING:
    from tests.conftest import Speechwire

README = (Path(__file__).parents[2] / "reference_server" / "engines" / "README.md").read_text("utf-8")
FILES: dict[str, str] = dict(re.findall(r"```\w+\n# (\S+\.\w+)\n(.*?)```", README, re.DOTALL))
PROJECT = tomllib.loads(FILES["pyproject.toml"])["project"]
MODULES = {name: text for name, text in FILES.items() if name.endswith(".py")}
LONGEST = 45


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the package, and with an ear for it, where every Python that is started looks for modules."""
    site = install(tmp_path, PROJECT["name"], PROJECT["entry-points"], MODULES)
    toys(site)
    monkeypatch.setenv("PYTHONPATH", on_path(site)["PYTHONPATH"])
    return site


def finals(speechwire: Speechwire, url: str, *options: str) -> list[dict[str, Any]]:
    ran = speechwire(
        "translate", "corpus:clear-1", "--url", url, "--key", "test-key", "--json", "--pace", "0", *options
    )
    assert ran.code == 0, ran
    return [line for line in ran.lines if line["event"] == "final"]


def test_each_module_is_short() -> None:
    assert set(MODULES) == {"acme_glossary.py", "acme_parrot.py"}
    assert max(text.count("\n") for text in MODULES.values()) < LONGEST


@pytest.mark.usefixtures("site")
class TestPart:
    def test_is_found_without_a_change_of_ours(self, speechwire: Speechwire) -> None:
        ran = speechwire("languages", "--json", "--part", "ear", "--part", "glossary")
        assert (ran.code, ran.err) == (0, "")
        document = json.loads(ran.out)
        assert {"name": "glossary", "does": "translates"} in document["parts"]
        leg = {"source": "en", "target": "de", "kind": "smt", "part": "glossary"}
        assert {"source": "en", "target": "de", "route": [leg], "kind": "smt"} in document["pairs"]
        assert document["missing"] == []

    def test_translates_what_is_heard(self, speechwire: Speechwire, tmp_path: Path) -> None:
        (tmp_path / "glossary.txt").write_text("hello=hallo\nworld=Welt\n", "utf-8")
        options = ("--part", "ear", "--part", "glossary", "--model", f"glossary={tmp_path}")
        with speechwire.serve("--engine", "local", *options) as serving:
            (final,) = finals(speechwire, serving.url, "--from", "en-US", "--to", "de")
            assert final["translation"].rstrip(".") == "hallo Welt"
            assert serving.stop().err == ""

    def test_says_what_a_user_can_mend(self, speechwire: Speechwire, tmp_path: Path) -> None:
        options = ("--part", "ear", "--part", "glossary", "--model", f"glossary={tmp_path}")
        ran = speechwire("languages", "--json", *options)
        (sentence,) = json.loads(ran.out)["missing"]
        file = tmp_path / "glossary.txt"
        assert sentence == (
            f"glossary: {file} cannot be read (No such file or directory); write lines of word=Wort into it"
        )


@pytest.mark.usefixtures("site")
class TestEngine:
    def test_is_served(self, speechwire: Speechwire) -> None:
        with speechwire.serve("--engine", "parrot") as serving:
            (final,) = finals(speechwire, serving.url, "--to", "de")
            assert (final["recognition"], final["translation"]) == ("Pretty Polly.", "Lora ist lieb.")
            assert serving.stop().err == ""

    def test_is_named_where_another_one_is_not_found(self, speechwire: Speechwire) -> None:
        assert "there are local, parrot, scripted" in speechwire("serve", "--engine", "parot").err
