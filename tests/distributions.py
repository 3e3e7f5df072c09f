"""Distributions of somebody else's, installed into a folder without anybody's help."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def install(
    site: Path, name: str, entries: Mapping[str, Mapping[str, str]], modules: Mapping[str, str] | None = None
) -> Path:
    """Install modules, by file name, with entry points by group and name, into a folder. Return the folder."""
    about = site / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    sections = (
        f"[{group}]\n" + "".join(f"{entry} = {value}\n" for entry, value in members.items())
        for group, members in entries.items()
    )
    (about / "entry_points.txt").write_text("\n".join(sections), "utf-8")
    for file, text in (modules or {}).items():
        (site / file).write_text(text, "utf-8")
    return site


PARTS = '''
from protocol.languages import Speech, Voice
from reference_server.engines.local.parts import Hears, Kind, Pair, Part, Speaks, Translates, Unavailable


def ear(directory):
    """Hears English and German."""
    return Part("ear", Hears((Speech("en-US", "en"), Speech("de-DE", "de"))), "toys:Toy", {"directory": directory})


def fast(directory):
    """Translates from English and German by a network."""
    pairs = (Pair("en", "pt", Kind.NMT), Pair("de", "en", Kind.NMT))
    return Part("fast", Translates(pairs), "toys:Toy", {"directory": directory})


def rules(directory):
    """Translates from English by rules."""
    return Part("rules", Translates((Pair("en", "es", Kind.SMT),)), "toys:Toy", {"directory": directory})


def mouth(directory):
    """Speaks Portuguese."""
    voice = Voice("pt-BR-Toy", "pt-BR", "Toy", "male", "pt")
    return Part("mouth", Speaks((voice,)), "toys:Toy", {"directory": directory})


def slow(directory):
    """Hears French, when its model is loaded at last."""
    return Part("slow", Hears((Speech("fr-FR", "fr"),)), "toys:Slow")


def absent(directory):
    """Is not installed."""
    raise Unavailable("absent is not installed; pip install absent")


class Toy:
    """Does anything, badly. In a folder of the user's it looks for its model."""

    def __init__(self, directory):
        if directory is not None and not (directory / "model.bin").exists():
            raise Unavailable(f"the model file {directory / 'model.bin'} cannot be read; put it there")

    def decode(self, pcm, rate, locale, final):
        return "hello world"

    def translate(self, text, source, target):
        return f"{text} in {target}"

    def speak(self, text, voice_id):
        return bytes(16_000)


class Slow:
    """Is never loaded."""

    def __init__(self):
        import os, pathlib, time
        pathlib.Path(os.environ["TOYS_NOTE"]).write_text(str(os.getpid()), "utf-8")
        time.sleep(600)
'''
"""A module `toys` with parts that need nothing."""

TOYS = {"speechwire.parts": {name: f"toys:{name}" for name in ("ear", "fast", "rules", "mouth", "slow", "absent")}}
"""Its entry points."""


def toys(site: Path) -> Path:
    """Install the module `toys`. Return the folder."""
    return install(site, "toys", TOYS, {"toys.py": PARTS})


def on_path(site: Path) -> dict[str, str]:
    """Return the environment in which every Python finds what is installed in a folder."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))}
