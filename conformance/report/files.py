"""Report files: whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(unsafe_hash=True)
class ReportError(Exception):
    """A report could not be written: where, and why."""

    path: Path
    reason: str

    def __post_init__(self) -> None:
        Exception.__init__(self, self.path, self.reason)

    def __str__(self) -> str:
        return f"cannot write the report {self.path}: {self.reason}"


def write(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 to `path`, at once: a reader finds the old file or the new one, never a part.

    Lone surrogates become escapes. What is no file (a terminal, a pipe) is written to as it is; of a symbolic link
    the target is replaced.

    Raises:
        ReportError: The path cannot be written; a file that was there is unchanged.
    """
    path = Path(path)
    data = text.encode("utf-8", "backslashreplace")
    with _explained(path):
        if _is_stream(path):
            path.write_bytes(data)
            return
        with _scratch(path) as scratch:
            with scratch.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(os.path.realpath(path))


def ensure_writable(path: Path | str) -> None:
    """Find out whether `write` will succeed, before a long run; leave nothing behind.

    Raises:
        ReportError: It will not.
    """
    path = Path(path)
    with _explained(path):
        if path.is_dir():
            raise IsADirectoryError("is a directory")
        if _is_stream(path):
            return
        with _scratch(path) as scratch:
            scratch.touch(exist_ok=False)


def _is_stream(path: Path) -> bool:
    # Replacing /dev/stdout or a named pipe by a file would not be what anybody meant.
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give the name of a new file in the folder of `path`, and remove it if it is still there."""
    folder = Path(os.path.realpath(path)).parent
    scratch = folder / f".speechwire-{secrets.token_hex(8)}"
    try:
        yield scratch
    finally:
        with suppress(OSError):
            scratch.unlink()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReportError(path, (error.strerror or str(error)).lower()) from error
