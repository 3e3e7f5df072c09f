"""The program of the README translates with the official SDK, as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import schemas

if TYPE_CHECKING:
    from tests.conftest import Serving

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_it_prints_the_translation(server: Serving, tmp_path: Path) -> None:
    programs = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (program,) = (text for text in programs if "azure.cognitiveservices" in text)
    shutil.copy(schemas.corpus_dir() / "clear-1.wav", tmp_path / "speech.wav")
    program = program.replace("ws://127.0.0.1:8080", server.url)
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.stdout, ran.returncode) == ("O trem para o aeroporto sai às nove e meia.\n", 0), ran.stderr
