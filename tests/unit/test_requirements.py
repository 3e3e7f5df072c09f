from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from protocol import requirements
from protocol.requirements import Basis, Exclusion, Level, Requirement
from protocol.tables import RegisterError
from protocol.wire import Party

FACTS = 'dialects = ["toy-1", "toy-2"]\n[facts]\nA1 = "first"\nA2 = "second"\n'
EXCLUSIONS = '[[exclusion]]\nfact = "A2"\nreason = "subjective"\nnote = "A matter of taste."\n'
SHARED = 'dialects = ["toy-1"]\nparty = "server"\nsince = "2026.1"\n'
ENTRY = {
    "id": '"toy.group.name"',
    "level": '"MUST"',
    "basis": '"documented"',
    "statement": '"It is so."',
    "source": '"REF"',
    "facts": '["A1"]',
}

DIALECTS = ["translator", "speech-v1", "speech-v2"]


def entry(**changes: str | None) -> str:
    """Return an entry in TOML: that of `ENTRY` with keys changed, added, or (None) left out."""
    keys = {**ENTRY, **changes}
    return "[[requirement]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value)


def folder(at: Path, **files: str) -> Path:
    """Write the dialect folder `toy` with these files in place of the good ones; an empty text leaves it out."""
    content = {"facts": FACTS, "exclusions": EXCLUSIONS, "group": SHARED + entry(), **files}
    (at / "toy" / "requirements").mkdir(parents=True)
    for name, text in content.items():
        if text:
            (at / "toy" / "requirements" / f"{name}.toml").write_text(text, encoding="utf-8")
    return at / "toy"


class TestReading:
    def test_a_whole_folder(self, tmp_path: Path) -> None:
        register = requirements.read(folder(tmp_path))
        assert register.dialects == ("toy-1", "toy-2")
        assert register.facts == {"A1": "first", "A2": "second"}
        assert register.exclusions == (Exclusion("A2", "subjective", "A matter of taste."),)
        assert register.requirements == {
            "toy.group.name": Requirement(
                id="toy.group.name",
                dialects=("toy-1",),
                party=Party.SERVER,
                level=Level.MUST,
                basis=Basis.DOCUMENTED,
                statement="It is so.",
                source="REF",
                facts=("A1",),
                since="2026.1",
            )
        }

    def test_optional_keys_and_overrides(self, tmp_path: Path) -> None:
        text = SHARED + entry(
            dialects='["toy-1", "toy-2"]',
            party='"client"',
            since='"2027.2"',
            breaks='"NPM: waits for ever"',
            tolerated='["none (NPM)"]',
            excluded='"needs-minutes"',
            note='"So it is."',
        )
        (found,) = requirements.read(folder(tmp_path, group=text)).requirements.values()
        assert (found.dialects, found.party, found.since) == (("toy-1", "toy-2"), Party.CLIENT, "2027.2")
        assert (found.breaks, found.tolerated) == ("NPM: waits for ever", ("none (NPM)",))
        assert (found.excluded, found.note, found.core) == ("needs-minutes", "So it is.", False)

    def test_requirements_are_ordered_as_in_the_files(self, tmp_path: Path) -> None:
        names = [f'"toy.group.{name}"' for name in ("z", "a", "m")]
        group = SHARED + "".join(entry(id=name) for name in names)
        other = SHARED + entry(id='"toy.group.first-file"')
        found = requirements.read(folder(tmp_path, group=group, a_group=other)).requirements
        assert list(found) == ["toy.group.first-file", "toy.group.z", "toy.group.a", "toy.group.m"]

    def test_other_files_are_left_alone(self, tmp_path: Path) -> None:
        toy = folder(tmp_path)
        (toy / "requirements" / "README.md").write_text("not TOML =", encoding="utf-8")
        assert list(requirements.read(toy).requirements) == ["toy.group.name"]

    @pytest.mark.parametrize("party", ["server", "client"])
    @pytest.mark.parametrize("level", ["MUST", "SHOULD"])
    @pytest.mark.parametrize("breaks", ['"NPM: waits for ever"', None])
    def test_only_an_observed_must_of_a_server_needs_breaks(
        self, tmp_path: Path, party: str, level: str, breaks: str | None
    ) -> None:
        text = SHARED + entry(basis='"observed"', party=f'"{party}"', level=f'"{level}"', breaks=breaks)
        toy = folder(tmp_path, group=text)
        if (party, level, breaks) == ("server", "MUST", None):
            with pytest.raises(RegisterError, match="an observed MUST on a server needs breaks"):
                requirements.read(toy)
        else:
            assert len(requirements.read(toy).requirements) == 1


class TestFaults:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"statment": '"It is so."'}, "unknown key statment"),
            ({"statement": None}, "statement must be a text that is not empty"),
            ({"source": None}, "source must be a text that is not empty"),
            ({"facts": None}, "facts must be a list of texts that is not empty"),
            ({"facts": "[]"}, "facts must be a list of texts that is not empty"),
            ({"facts": '["A1", "A1"]'}, "facts names something twice"),
            ({"facts": '["A1", "A9", "A8"]'}, "facts A8, A9 are not in facts.toml"),
            ({"level": '"must"'}, "level 'must' is none of MUST, SHOULD, MAY"),
            ({"basis": '"guessed"'}, "basis 'guessed' is none of documented, sibling, observed, project"),
            ({"party": '"proxy"'}, "party 'proxy' is none of client, server"),
            ({"dialects": '["toy-3"]'}, "dialects toy-3 are not of this folder"),
            ({"since": '"soon"'}, "since 'soon' is no revision"),
            ({"core": '"yes"'}, "core must be true or false"),
            ({"tolerated": "[]"}, "tolerated must be a list of texts that is not empty"),
            ({"breaks": '""'}, "breaks must be a text that is not empty"),
            ({"statement": '"It is so"'}, "statement must be one sentence"),
            ({"statement": '"It is\\nso."'}, "statement must be one sentence"),
            ({"basis": '"project"'}, "basis project and source decision go together"),
            ({"source": '"decision"'}, "basis project and source decision go together"),
            ({"core": "true", "excluded": '"subjective"'}, "a core requirement cannot be excluded"),
            (
                {"excluded": '"too-hard"'},
                "excluded 'too-hard' is none of needs-minutes, needs-cloud, not-on-wire, subjective",
            ),
        ],
    )
    def test_an_entry(self, tmp_path: Path, changes: dict[str, str | None], problem: str) -> None:
        with pytest.raises(RegisterError) as caught:
            requirements.read(folder(tmp_path, group=SHARED + entry(**changes)))
        assert caught.value == RegisterError("group.toml", "toy.group.name", problem)

    @pytest.mark.parametrize("name", ["toy.name", "other.group.name", "toy.Group.name", "toy.group.-name"])
    def test_an_id_of_another_form(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(RegisterError) as caught:
            requirements.read(folder(tmp_path, group=SHARED + entry(id=f'"{name}"')))
        assert caught.value == RegisterError("group.toml", name, "id must have the form toy.group.name")

    def test_an_id_used_twice_in_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(RegisterError, match=r"^group\.toml: toy\.group\.name: id is used twice$"):
            requirements.read(folder(tmp_path, group=SHARED + entry() + entry()))

    def test_an_id_used_twice_in_two_files(self, tmp_path: Path) -> None:
        with pytest.raises(RegisterError, match=r"^other\.toml: toy\.group\.name: id is used twice$"):
            requirements.read(folder(tmp_path, other=SHARED + entry()))

    @pytest.mark.parametrize("name", ["facts", "exclusions"])
    def test_a_file_that_is_missing(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(RegisterError, match=f"^{name}.toml: file: is missing$"):
            requirements.read(folder(tmp_path, **{name: ""}))

    def test_an_unknown_key_of_the_fact_file(self, tmp_path: Path) -> None:
        with pytest.raises(RegisterError, match=r"^facts\.toml: file: unknown key sheet$"):
            requirements.read(folder(tmp_path, facts='sheet = "x"\n' + FACTS))

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            (EXCLUSIONS.replace("A2", "A9"), "A9: is not in facts.toml"),
            (EXCLUSIONS + EXCLUSIONS, "A2: is excluded twice"),
            (EXCLUSIONS.replace("subjective", "boring"), "A2: reason 'boring' is none of"),
            (EXCLUSIONS.replace("note", "notes"), "A2: note must be a text"),
            (EXCLUSIONS + 'why = "x"\n', "A2: unknown key why"),
        ],
    )
    def test_an_exclusion(self, tmp_path: Path, text: str, problem: str) -> None:
        with pytest.raises(RegisterError, match=re.escape(f"exclusions.toml: {problem}")):
            requirements.read(folder(tmp_path, exclusions=text))


class TestTheRegister:
    def test_everything_holds_every_dialect(self) -> None:
        everything = requirements.load()
        for dialect in DIALECTS:
            assert requirements.load(dialect).items() <= everything.items()
        assert list(everything) == [requirement.id for requirement in everything.values()]

    def test_requirements_cannot_be_changed(self) -> None:
        register = requirements.load()
        with pytest.raises(TypeError):
            register["translator.final.always"] = requirements.get("translator.final.fields")  # type: ignore[index]
        with pytest.raises(dataclasses.FrozenInstanceError):
            requirements.get("translator.final.always").level = Level.MAY  # type: ignore[misc]

    def test_get(self) -> None:
        found = requirements.get("translator.client.header-first")
        assert (found.party, found.level, found.core) == (Party.CLIENT, Level.MUST, True)

    def test_get_of_an_unknown_id_names_near_ones(self) -> None:
        with pytest.raises(KeyError, match=r"no requirement .*; near: translator\.final\.id-unique"):
            requirements.get("translator.final.id-uniqe")

    def test_a_dialect_stands_in_a_folder(self) -> None:
        assert requirements.folder("translator") == "translator"
        with pytest.raises(KeyError, match="no dialect 'translater'"):
            requirements.folder("translater")

    def test_an_unknown_dialect_with_nothing_near_names_those_that_there_are(self) -> None:
        with pytest.raises(KeyError, match=r"no dialect 'xyz'; near: .*translator"):
            requirements.load("xyz")

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_every_fact_has_a_requirement_or_an_exclusion_and_not_both(self, dialect: str) -> None:
        home = requirements.folder(dialect)
        rows = [row for row in requirements.load().values() if row.id.startswith(f"{home}.")]
        used = {fact for row in rows for fact in row.facts}
        excluded = {exclusion.fact for exclusion in requirements.exclusions(dialect)}
        assert used | excluded == set(requirements.facts(dialect))
        assert used & excluded == set()

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_labels_are_short(self, dialect: str) -> None:
        labels = requirements.labels(dialect)
        assert tuple(labels) == requirements.facts(dialect)
        assert [fact for fact, label in labels.items() if not 3 <= len(label.split()) <= 8] == []
        assert len(set(labels.values())) == len(labels)

    def test_statements_differ(self) -> None:
        statements = [requirement.statement for requirement in requirements.load().values()]
        assert len(set(statements)) == len(statements)

    def test_each_tolerated_form_names_its_peer(self) -> None:
        forms = [form for requirement in requirements.load().values() for form in requirement.tolerated]
        assert [form for form in forms if not re.search(r"\(.+\)$", form)] == []

    def test_revision_is_the_latest_since(self) -> None:
        assert max(requirement.since for requirement in requirements.load().values()) == requirements.REVISION

    def test_dialects_of_a_folder_share_its_requirements_but_for_those_of_one_alone(self) -> None:
        first, second = requirements.load("speech-v1"), requirements.load("speech-v2")
        assert {row.dialects for row in first.values()} == {("speech-v1",), ("speech-v1", "speech-v2")}
        assert {row.id for row in first.values() if row.dialects == ("speech-v1",)} == first.keys() - second.keys()
        assert requirements.facts("speech-v1") == requirements.facts("speech-v2")

    @pytest.mark.parametrize("dialect", ["speech-v1", "speech-v2"])
    def test_core_requirements_of_the_speech_dialects(self, dialect: str) -> None:
        core = {requirement.id for requirement in requirements.load(dialect).values() if requirement.core}
        assert core == {
            "speech.audio.end",
            "speech.client.audio-header",
            "speech.client.config-first",
            "speech.frame.header-path",
            "speech.handshake.accept",
            "speech.result.final-always",
            "speech.turn.end-last",
            "speech.turn.id-echo",
            "speech.turn.start-first",
        }

    def test_core_requirements_of_translator(self) -> None:
        core = {requirement.id for requirement in requirements.load("translator").values() if requirement.core}
        assert core == {
            "translator.audio.header-44",
            "translator.client.binary-only",
            "translator.client.credentials",
            "translator.client.header-first",
            "translator.final.always",
            "translator.final.fields",
            "translator.handshake.accept",
            "translator.result.type",
        }
