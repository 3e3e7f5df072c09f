"""The shape of the repository: what lies at the top, how long a file is, and what no file may say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FOLDERS = {"conformance", "protocol", "reference_server", "schemas", "tests"}
FILES = {
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
}
MADE = {"build", "dist", "node_modules", "__pycache__"}
"""Made by the targets of the Makefile or by Python, and named in .gitignore."""

MOST_LINES = 350
MOST_LINES_OF_A_TEST = 700  # a class a section, of one module

# Character classes, so that the patterns do not find themselves.
FORBIDDEN = {
    "a package registry": r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(?:org|com)|[y]arnpkg\.com|crates[.]io"
    r"|deb[.]debian\.org|proxy\.golang[.]org|conda[.](?:io|anaconda)",
    "an address of a package file": r"https?://\S+\.(?:wh[l]|tar\.g[z]|tg[z]|de[b]|crat[e]|eg[g])\b",
    "an option that names a package registry": r"--(?:extra-)?index[-]url|--find[-]links|--trusted[-]host",
    "a path of somebody's machine": r"(?<![\w.~}])/(?:roo[t]|hom[e]|wor[k]|User[s])/",
}


def written() -> Iterator[Path]:
    """Yield every file that somebody wrote, hidden folders of the project's own included."""
    folders = [ROOT]
    while folders:
        for entry in sorted(folders.pop().iterdir()):
            hidden = entry.name.startswith(".") and entry.name not in {".ci", ".gitignore", ".npmrc"}
            if hidden or entry.name in MADE or entry.name.endswith(".egg-info"):
                continue
            if entry.is_dir():
                folders.append(entry)
            else:
                yield entry


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file with its content."""
    for file in written():
        data = file.read_bytes()
        if b"\0" not in data:
            yield file.relative_to(ROOT), data.decode("utf-8")


def test_the_top_level_holds_what_the_house_has_and_nothing_else() -> None:
    visible = [entry for entry in ROOT.iterdir() if not entry.name.startswith(".") and entry.name not in MADE]
    visible = [entry for entry in visible if not entry.name.endswith(".egg-info")]
    assert {entry.name for entry in visible if entry.is_dir()} == FOLDERS
    assert {entry.name for entry in visible if entry.is_file()} == FILES


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what], re.IGNORECASE)
    found = [
        f"{file}:{number}: {line.strip()[:100]}"
        for file, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a package registry", "see py" + "pi.org/project/x"),
        ("a package registry", "https://registry.npm" + "js.org"),
        ("an address of a package file", "https://host/x-1.0.tar" + ".gz"),
        ("an option that names a package registry", "pip install --index" + "-url x"),
        ("a path of somebody's machine", "see /home" + "/somebody/x"),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line, re.IGNORECASE)


def test_every_python_file_is_one_room() -> None:
    def most(file: Path) -> int:
        return MOST_LINES_OF_A_TEST if file.parts[0] == "tests" else MOST_LINES

    sizes = {file: text.count("\n") for file, text in texts() if file.suffix == ".py"}
    assert {str(file): lines for file, lines in sizes.items() if lines >= most(file)} == {}


def test_every_test_file_has_a_name_of_its_own() -> None:
    names = [file.name for file in written() if file.suffix == ".py" and (ROOT / "tests") in file.parents]
    twice = {name for name, count in Counter(names).items() if count > 1}
    assert twice <= {"conftest.py"}


def test_tests_are_no_package() -> None:
    assert [str(file) for file in (ROOT / "tests").rglob("__init__.py") if "node_modules" not in file.parts] == []


def test_constraints_hold_names_versions_and_hashes_only() -> None:
    line = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]* \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?")
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [text for text in lines if not line.fullmatch(text)] == []
    assert len([text for text in lines if "==" in text]) > len(FOLDERS)
