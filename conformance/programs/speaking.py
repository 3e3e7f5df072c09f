"""Which speaker a dialect has."""

from __future__ import annotations

from conformance.cases.target import Target
from conformance.programs.sending import Speaker
from conformance.programs.sounds import Sounds
from conformance.programs.speech import SpeechSpeaker
from conformance.programs.translator import TranslatorSpeaker
from protocol import requirements


def speaker(dialect: str, target: Target, sounds: Sounds) -> Speaker:
    """Return who speaks a dialect with a server; KeyError for an unknown one."""
    if requirements.folder(dialect) == "speech":
        return SpeechSpeaker(target, sounds)
    return TranslatorSpeaker(target, sounds)
