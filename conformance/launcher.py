"""Entry point of the command: see that the packages named as ours are ours, then hand over.

`protocol`, `schemas` and the like are common words. A folder of that name on PYTHONPATH, or another distribution in
the same environment, would be imported in place of ours and fail somewhere inside with a traceback; this says it in
one sentence instead. The wheel holds this file as the top-level module `speechwire_launcher`, a name that
nobody else has; nothing of ours may be imported before `main` has looked.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("conformance", "protocol", "reference_server", "schemas")
EXIT_USAGE = 2


def main() -> None:
    """Run the command line; exit with 2 and one sentence where it would run somebody else's code."""
    complaint = shadowed()
    if complaint is not None:
        sys.stderr.write(f"speechwire: {complaint}\n")
        raise SystemExit(EXIT_USAGE)
    from conformance.commands.main import main as command  # noqa: PLC0415 - only now is it certain to be ours

    command()


def shadowed() -> str | None:
    """Return one sentence about the first package that is not ours, or None when all of them are.

    Ours are the packages that lie side by side with the `conformance` that holds the command, and that no other
    distribution has overwritten. A checkout that is on PYTHONPATH as a whole is ours too.
    """
    places = {name: _place(name) for name in PACKAGES}
    home = (places["conformance"] or Path(__file__)).parent.parent
    whole = (home / "conformance" / "commands" / "main.py").is_file()
    for name, place in places.items():
        if place is None:
            return f"the package {name!r} is missing; {_advice('install speechwire again')}."
        if not whole or place != home / name / "__init__.py":
            return f"the package {name!r} at {place} is not speechwire's own; {_advice('take it off PYTHONPATH')}."
    for name, recorded in _recorded(home):
        if recorded != _digest(home / name / "__init__.py"):
            return (
                f"another distribution has overwritten the package {name!r} in {home}; "
                f"{_advice('uninstall that one and install speechwire again')}."
            )
    return None


def _advice(otherwise: str) -> str:
    return f"install speechwire in an environment of its own (pipx, or a fresh venv), or {otherwise}"


def _place(name: str) -> Path | None:
    """Return the file that `import name` would run; None if there is none."""
    spec = find_spec(name)
    return Path(spec.origin) if spec and spec.origin else None


def _recorded(home: Path) -> list[tuple[str, str]]:
    """Return (package, digest of its `__init__.py`) as the installer noted them; nothing for a checkout."""
    found = []
    for record in home.glob("speechwire-*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8").splitlines():
            name, _, rest = line.partition("/__init__.py,")
            if name in PACKAGES:
                found.append((name, rest.partition(",")[0]))
    return found


def _digest(file: Path) -> str:
    """Return the digest of a file in the form that RECORD files have."""
    # Here, so that a checkout, which has no RECORD, does not pay for them.
    from base64 import urlsafe_b64encode  # noqa: PLC0415
    from hashlib import sha256  # noqa: PLC0415

    return "sha256=" + urlsafe_b64encode(sha256(file.read_bytes()).digest()).decode().rstrip("=")
