"""The JSON in a file that somebody else has written: one value, or an error that says where and what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MOST_VALUES: Final = 500_000
"""So many values are read at once: more small ones would take more memory than the longest text of long ones."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(unsafe_hash=True)
class CaptureError(Exception):
    """A file is not the recorded traffic that it should be: where, what is allowed there, and what is there.

    No credential is in it, whatever is wrong.
    """

    path: Path
    at: str
    expected: str
    observed: str

    def __post_init__(self) -> None:
        Exception.__init__(self, self.path, self.at, self.expected, self.observed)

    def __str__(self) -> str:
        return f"{self.path}, {self.at}: expected {self.expected}, got {self.observed}"


def parse(path: Path, number: int, data: bytes, most: int) -> Any:
    """Return the JSON value in `data`, which begins on line `number` of a file and has at most `most` bytes.

    Every text in it can be written as UTF-8, and every number is one that JSON knows.

    Raises:
        CaptureError: It is no JSON in UTF-8, or too much of it.
    """
    start = f"line {number}"
    if len(data) > most:
        raise CaptureError(path, start, f"at most {most >> 20} MiB of JSON in one piece", "more")
    if too_many(data):
        raise CaptureError(path, start, f"at most {MOST_VALUES} values", "more")
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        lines = data.count(b"\n", 0, error.start)
        observed = f"the byte 0x{error.object[error.start]:02x}"
        raise CaptureError(path, f"line {number + lines}", "text in UTF-8", observed) from None
    except UnicodeEncodeError:
        raise CaptureError(path, start, "characters", "one half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        at = f"line {number + error.lineno - 1}, column {error.colno}"
        raise CaptureError(path, at, "JSON", f"what is none ({error.msg.lower().removesuffix(' at')})") from None
    except (ValueError, RecursionError):
        observed = "a number that it does not know, or values in values out of all measure"
        raise CaptureError(path, start, "JSON", observed) from None
    return value


def too_many(data: bytes) -> bool:
    """Tell whether a JSON text may have more than `MOST_VALUES` values."""
    return sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity, which Python takes for JSON
