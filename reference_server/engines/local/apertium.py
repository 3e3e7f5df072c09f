"""The part `apertium`: translation by rules, between the pairs that are installed on this machine.

Apertium is under the GPL: its programs run as processes of their own, one pipeline for each pair, which stay.
"""

from __future__ import annotations

import os
import re
import selectors
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from protocol.languages import PUBLISHED
from reference_server.engines.local.parts import Kind, Pair, Part, Translates, Unavailable

_MODES = Path("/usr/share/apertium")
_INSTALL = "apt-get install apertium apertium-eng-spa apertium-es-pt"
_ISO = {
    "eng": "en", "spa": "es", "por": "pt", "cat": "ca", "fra": "fr", "ita": "it", "glg": "gl", "isl": "is", "swe": "sv",
    "dan": "da", "nob": "nb", "nld": "nl", "afr": "af", "ukr": "uk", "rus": "ru", "urd": "ur", "hin": "hi", "pol": "pl",
}  # fmt: skip
_PREFERRED = {"pt": "pt_BR", "en": "eng_US"}
"""Which variant of a language is written, where a pair has several: that of our voices."""
_MODE = re.compile(r"([a-z]{2,3})-([a-z]{2,3}(?:_[A-Z]{2})?)")
_SPECIAL = re.compile(r"([\[\]{}^$/\\@<>])")
_ESCAPED = re.compile(r"\\(.)")
_UNKNOWN = re.compile(r"(?<!\w)[*#@](?=\w)")
_END = "[][\n]"
_ANSWER_S = 10.0
_READ = 1 << 16


def part(directory: Path | None) -> Part:
    """Return the part with the pairs that are installed, below `directory` if one is given."""
    base = _MODES if directory is None else directory
    found = modes(base)
    if not found:
        raise Unavailable(f"{base / 'modes'} has no pair of languages; {_INSTALL}")
    pairs = tuple(Pair(source, target, Kind.SMT) for source, target in sorted(found))
    return Part("apertium", Translates(pairs), f"{__name__}:Service", {"directory": base}, rank=40)


def modes(base: Path) -> dict[tuple[str, str], Path]:
    """Return the mode file of each pair, by text ids, that has all files that it names."""
    found: dict[tuple[str, str], Path] = {}
    for path in sorted((base / "modes").glob("*.mode")):
        named = _MODE.fullmatch(path.stem)
        if named is None:
            continue
        source, target = (_text_id(code.partition("_")[0]) for code in named.groups())
        variant = named[2] == _PREFERRED.get(target or "")
        if source and target and ((source, target) not in found or variant) and _whole(path):
            found[source, target] = path
    return found


def _text_id(code: str) -> str | None:
    text_id = _ISO.get(code, code)
    return text_id if text_id in PUBLISHED.text or text_id == "gl" else None


def _whole(path: Path) -> bool:
    files = (word for words in _commands(path) for word in words if word.startswith("/"))
    return all(Path(file).is_file() for file in files)


def _commands(path: Path) -> list[list[str]]:
    """Return the programs of a mode and their arguments, made to answer text by text (`-z`)."""
    commands = []
    for command in path.read_text(encoding="utf-8").strip().split("|"):
        program, *words = shlex.split(command)
        arguments = ["-n" if word == "$1" else word for word in words if word != "$2"]
        commands.append([program, "-z", *arguments])
    return commands


class Service:
    """The pipelines, each started with its first text."""

    def __init__(self, directory: Path = _MODES) -> None:
        self._modes = modes(directory)
        self._pipelines: dict[tuple[str, str], Pipeline] = {}

    def translate(self, text: str, source: str, target: str) -> str:
        """Return the translation; words that are not known stay as they are."""
        way = (source, target)
        if not text.strip():
            return ""
        if way not in self._pipelines:
            self._pipelines[way] = Pipeline.start(_commands(self._modes[way]))
        try:
            return self._pipelines[way].translate(text)
        except (OSError, TimeoutError) as error:
            self._pipelines.pop(way).stop()  # the next text gets another one
            raise RuntimeError(f"the translation from {source} to {target} {error or 'has ended'}") from None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Programs, the output of each being the input of the next. Raises OSError and TimeoutError; stop it then."""

    programs: tuple[subprocess.Popen[bytes], ...]

    @classmethod
    def start(cls, commands: list[list[str]]) -> Pipeline:
        """Start the programs."""
        programs: list[subprocess.Popen[bytes]] = []
        for command in commands:
            source = programs[-1].stdout if programs else subprocess.PIPE
            pipe = subprocess.PIPE
            programs.append(subprocess.Popen(command, stdin=source, stdout=pipe, stderr=subprocess.DEVNULL))  # noqa: S603
            if len(programs) > 1 and programs[-2].stdout is not None:
                programs[-2].stdout.close()  # it is the next one's
        return cls(tuple(programs))

    def translate(self, text: str) -> str:
        """Return the answer to a text."""
        stdin, stdout = self.programs[0].stdin, self.programs[-1].stdout
        if stdin is None or stdout is None:
            raise OSError("has no pipes")
        plain = " ".join(text.replace("\0", " ").split())
        stdin.write(_SPECIAL.sub(r"\\\1", plain).encode() + f"{_END}\0".encode())
        stdin.flush()
        answer = self._answer(stdout.fileno())
        return _UNKNOWN.sub("", _ESCAPED.sub(r"\1", answer.removesuffix(_END))).strip()

    def _answer(self, out: int) -> str:
        answer = b""
        give_up = time.monotonic() + _ANSWER_S
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while not answer.endswith(b"\0"):
                if not selector.select(max(0.0, give_up - time.monotonic())):
                    raise TimeoutError(f"gave no answer within {_ANSWER_S:g} s")
                data = os.read(out, _READ)
                if not data:
                    raise OSError("has ended")
                answer += data
        return answer.rstrip(b"\0").decode("utf-8", "replace")

    def stop(self) -> None:
        """End the programs."""
        for program in self.programs:
            program.kill()
            program.wait()
            for pipe in (program.stdin, program.stdout):
                if pipe is not None:
                    pipe.close()
