"""Where the models of installed packages are, found without an import, and whether they are the pinned ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from reference_server.engines.local.parts import Unavailable

_BLOCK = 1 << 20


def folder(package: str, mend: str) -> Path:
    """Return the folder of an import package. Raises Unavailable, with the command that mends it, if there is none."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(f"{package} is not installed; {mend}")
    return Path(spec.submodule_search_locations[0])


def no_directory(directory: Path | None) -> None:
    """Raise Unavailable if a user has given a model directory to a part that takes none."""
    if directory is not None:
        raise Unavailable("it takes no model directory; leave --model out")


def pinned(base: Path, files: Mapping[str, str], mend: str) -> None:
    """Hold each file, a path below `base`, against its SHA-256. Raises Unavailable for the first that departs."""
    for name, expected in files.items():
        try:
            found = _sha256(base / name)
        except OSError as error:
            raise Unavailable(f"the model file {name} cannot be read ({error.strerror}); {mend}") from error
        if found != expected:
            raise Unavailable(f"the model file {name} is not the pinned one (SHA-256 {found[:12]}…); {mend}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
