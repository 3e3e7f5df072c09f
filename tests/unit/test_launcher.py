"""The entry point: what it says when one of our packages is somebody else's."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import launcher

SOURCE = Path(launcher.__file__)

COMMAND = """
import sys

def main():
    print("started with", sys.argv[1:])
"""


def lay(folder: Path) -> Path:
    """Lay out our packages in miniature: empty but for a command."""
    for name in (*launcher.PACKAGES, "conformance/commands"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").touch()
    (folder / "conformance" / "commands" / "main.py").write_text(COMMAND)
    return folder


def record(site: Path) -> None:
    """Write the RECORD that an installer leaves for the packages of `site`."""
    nothing = base64.urlsafe_b64encode(hashlib.sha256(b"").digest()).decode().rstrip("=")
    lines = [f"{name}/__init__.py,sha256={nothing},0\n" for name in launcher.PACKAGES]
    (site / "speechwire-1.dist-info").mkdir()
    (site / "speechwire-1.dist-info" / "RECORD").write_text("".join([*lines, "speechwire_launcher.py,,\n"]))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that stands for site-packages: our packages, and the launcher as the wheel has it."""
    folder = lay(tmp_path / "site")
    (folder / "speechwire_launcher.py").write_bytes(SOURCE.read_bytes())
    return folder


def start(*path: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with these folders in front of everything else, as the console script would."""
    # -P and -S: neither the current folder nor the real installation must answer for the miniature.
    return subprocess.run(
        [sys.executable, "-P", "-S", "-c", "from speechwire_launcher import main; main()", "--version"],
        env={"PYTHONPATH": os.pathsep.join(map(str, path))},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of a refusal."""
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("speechwire: ")
    assert result.stderr.endswith(".\n")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_starts_the_command_with_its_arguments(site: Path) -> None:
    result = start(site)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "started with ['--version']\n"


def test_folders_of_the_same_names_in_the_current_folder_do_no_harm(site: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "my-service"
    for name in launcher.PACKAGES:
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    assert start(site, cwd=elsewhere).returncode == 0


@pytest.mark.parametrize("name", launcher.PACKAGES)
def test_a_package_of_the_same_name_earlier_on_the_path(site: Path, tmp_path: Path, name: str) -> None:
    foreign = tmp_path / "foreign"
    (foreign / name).mkdir(parents=True)
    (foreign / name / "__init__.py").touch()
    said = complaint(start(foreign, site))
    assert f"'{name}' at {foreign / name / '__init__.py'} is not speechwire's own" in said
    assert "PYTHONPATH" in said
    assert "environment of its own" in said


@pytest.mark.parametrize("name", launcher.PACKAGES)
def test_a_module_of_the_same_name_earlier_on_the_path(site: Path, tmp_path: Path, name: str) -> None:
    module = tmp_path / f"{name}.py"
    module.touch()
    assert f"'{name}' at {module} is not" in complaint(start(tmp_path, site))


@pytest.mark.parametrize("name", launcher.PACKAGES)
def test_a_package_that_another_distribution_has_overwritten(site: Path, name: str) -> None:
    record(site)
    assert start(site).returncode == 0
    (site / name / "__init__.py").write_text("raise SystemExit('the wrong package')")
    said = complaint(start(site))
    assert f"another distribution has overwritten the package '{name}' in {site}" in said


@pytest.mark.parametrize("name", launcher.PACKAGES)
def test_a_package_that_is_missing(site: Path, name: str) -> None:
    (site / name).rename(site / "gone")
    assert f"the package '{name}' is missing" in complaint(start(site))


def test_a_package_whose_code_is_missing(site: Path) -> None:
    (site / "schemas" / "__init__.py").unlink()
    assert "the package 'schemas' is missing" in complaint(start(site))


def test_a_checkout_in_front_of_an_installation_is_ours(site: Path, tmp_path: Path) -> None:
    assert start(lay(tmp_path / "checkout"), site).returncode == 0


def test_in_this_environment_nothing_is_in_the_way() -> None:
    assert launcher.shadowed() is None


def test_refuses_in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(launcher, "shadowed", lambda: "the package 'protocol' is missing.")
    with pytest.raises(SystemExit, match="2"):
        launcher.main()
    assert capsys.readouterr() == ("", "speechwire: the package 'protocol' is missing.\n")


def test_looks_before_it_imports_anything_of_ours() -> None:
    program = (
        "import json, sys; before = set(sys.modules); import conformance.launcher as launcher; "
        "launcher.shadowed(); print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)
    ours = [name for name in loaded if name.partition(".")[0] in launcher.PACKAGES]
    assert ours == ["conformance", "conformance.launcher"]
    assert not {"asyncio", "click", "hypothesis", "numpy", "rich", "importlib.metadata"} & set(loaded)
