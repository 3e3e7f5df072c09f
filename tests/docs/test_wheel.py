"""What a user installs: the wheel holds the packages with all their data, the launcher, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("conformance", "protocol", "reference_server", "schemas")
RENAMED = {"conformance/launcher.py": "speechwire_launcher.py", "conformance/pytest_plugin.py": "pytest_speechwire.py"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """The wheel, installed."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def shadowed(site: Path) -> str:
    """Return what the installed launcher says of the installed packages."""
    run = subprocess.run(
        [sys.executable, "-P", "-c", "import speechwire_launcher as launcher; print(launcher.shadowed())"],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_any_python_that_is_supported_can_install_it(wheel: Path) -> None:
    assert wheel.name == f"speechwire-{PROJECT['version']}-py3-none-any.whl"


def test_holds_every_file_of_the_packages_and_the_launcher(wheel: Path) -> None:
    ours = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    renamed = {
        "conformance/launcher.py": "speechwire_launcher.py",
        "conformance/pytest_plugin.py": "pytest_speechwire.py",
    }
    assert names == (ours - renamed.keys()) | set(renamed.values())


def test_says_what_it_is(site: Path) -> None:
    (about,) = site.glob("*.dist-info")
    metadata = HeaderParser().parsestr((about / "METADATA").read_text())
    assert metadata["Name"] == "speechwire"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert (about / "licenses" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    entries = ConfigParser()
    entries.read(about / "entry_points.txt")
    assert dict(entries["console_scripts"]) == {"speechwire": "speechwire_launcher:main"}
    assert set(entries["speechwire.engines"]) == {"scripted", "local"}
    assert "whisper" in entries["speechwire.parts"]


def test_typed_for_whoever_imports_it(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(ZipFile(wheel).namelist())


def test_the_installed_launcher_takes_the_installed_packages_for_its_own(site: Path) -> None:
    assert shadowed(site) == "None"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_installed_launcher_sees_what_another_distribution_overwrites(site: Path, package: str) -> None:
    (site / package / "__init__.py").write_text("VERSION = 1\n")
    assert f"another distribution has overwritten the package '{package}'" in shadowed(site)
