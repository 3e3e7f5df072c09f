"""The part `hibari`: a small neural voice for English."""

from __future__ import annotations

from pathlib import Path

from protocol.languages import Voice
from reference_server.engines.local import models
from reference_server.engines.local.loudness import voice
from reference_server.engines.local.parts import Part, Speaks

_INSTALL = "pip install 'speechwire[voices]'"
_AGAIN = "pip install --force-reinstall hibari-tts==0.2.1"
_VOICE = Voice("en-US-Hibari", "en-US", "Hibari", "female", "en")
_LONGEST = 2400  # characters: about two minutes
_PINNED: dict[str, str] = {
    "hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    "lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
    "lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
    "normalize.json": "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
    "oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
    "oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
    "tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
    "vocab.json": "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
    "voices.json": "f8b7657ecd0e0e362d3403e99538c0e5bfe20d6a903dfcd04c772b2c73abb204",
}


def part(directory: Path | None) -> Part:
    """Return the part. It takes no model of the user's."""
    models.no_directory(directory)
    models.folder("hibari", _INSTALL)
    return Part("hibari", Speaks((_VOICE,)), f"{__name__}:Service", rank=60)


class Service:
    """The voice that lies in the package; others would be fetched. Raises Unavailable."""

    def __init__(self) -> None:
        models.pinned(models.folder("hibari", _INSTALL) / "assets", _PINNED, _AGAIN)
        import hibari  # noqa: PLC0415 - in a process of its own alone

        self._hibari = hibari.Hibari()

    def speak(self, text: str, voice_id: str) -> bytes:
        """Return the text as it is spoken, the same each time."""
        return voice(self._hibari(text[:_LONGEST], seed=0), self._hibari.sample_rate)
