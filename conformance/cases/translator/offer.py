"""What the server under test says that it offers: its own `/languages`, never our list.

Reading is lenient: what has a wrong shape is left out here and judged elsewhere. Where there is no `/languages`, what
the user said is all that is known.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.replies import ask, resource
from conformance.cases.target import Target
from protocol.translator.handshake import LANGUAGES_PATH
from protocol.wire import HttpResponse

SAMPLE = 6
"""So many entries of a list are tried; a run is not to take longer because a server offers much."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The languages and voices of the target, by the ids of the wire; all empty where it does not tell.

    Attributes:
        target: What the user said.
        speech: Language (a key of text) by key of the speech scope.
        text: Keys of the text scope.
        voices: Locale and language by key of the tts scope.
        trouble: Why a `/languages` that is there could not be read; None also where there is none.
    """

    target: Target
    speech: Mapping[str, str] = field(default_factory=dict)
    text: tuple[str, ...] = ()
    voices: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    trouble: str | None = None

    @property
    def source_language(self) -> str:
        """The text key of what is spoken in the recordings, or the first subtag of the user's `from`."""
        wanted = self.target.source.lower()
        found = (language for key, language in self.speech.items() if key.lower() == wanted)
        return next(found, wanted.partition("-")[0])

    @property
    def target_language(self) -> str:
        """The text key that the user's `to` means, or that value itself."""
        keys = {key.lower(): key for key in self.text}
        wanted = self.target.target.lower()
        return keys.get(wanted) or keys.get(wanted.partition("-")[0]) or self.target.target

    @property
    def speaks(self) -> bool:
        """Whether text-to-speech can be asked for: nothing is known against a voice for the user's `to`."""
        if "tts" in self.target.without:
            return False
        return not self.text or self.voice(speaking=True) is not None

    def voice(self, *, speaking: bool) -> str | None:
        """Return the first voice that speaks the user's `to`, or the first that does not."""
        wanted = self.target_language
        return next((key for key, (_, language) in self.voices.items() if (language == wanted) is speaking), None)

    def locales(self) -> Mapping[str, str]:
        """Return the text key that each locale such as `it-IT` means: those whose first subtag is a text key."""
        known = [*self.speech, *(locale for locale, _ in self.voices.values())]
        return {
            locale: language
            for locale in known
            if (language := locale.partition("-")[0]) != locale and language in self.text and locale not in self.text
        }


async def offered(context: Context) -> Offer:
    """Ask the target for what it offers. Whatever goes wrong with that is no matter of this case."""
    target = context.target
    if "languages" in target.without:
        return Offer(target)
    try:
        reply = resource("languages", await ask(context, languages_target(context, every_scope(context))))
    except NotOffered:
        return Offer(target)
    except Blocked as blocked:
        return Offer(target, trouble=str(blocked))
    document = read_document(reply.response)
    if document is None:
        return Offer(target, trouble=f"/languages gives no JSON object: {reply.says}")
    speech, text, voices = (entries(document, scope) for scope in ("speech", "text", "tts"))
    return Offer(
        target,
        {key: entry["language"] for key, entry in speech.items() if _has(entry, "language")},
        tuple(text),
        {
            key: (entry["locale"], entry["language"])
            for key, entry in voices.items()
            if _has(entry, "locale", "language")
        },
    )


def sample(choices: Iterable[str], without: Iterable[str], source: random.Random) -> list[str]:
    """Return at most `SAMPLE` of the choices, in an order that depends on the seed, without those already tried."""
    tried = {value.lower() for value in without}
    rest = [choice for choice in choices if choice.lower() not in tried]
    return source.sample(rest, min(SAMPLE, len(rest)))


def every_scope(context: Context) -> str:
    """Return the value of `scope` that asks for everything that the target is said to have."""
    return "speech,text" if "tts" in context.target.without else "speech,text,tts"


def languages_target(context: Context, scope: str | None = None, version: str | None = "1.0") -> str:
    """Return the request target of `/languages` beside the speech endpoint."""
    pairs = (("api-version", version), ("scope", scope))
    query = "&".join(f"{name}={value}" for name, value in pairs if value is not None)
    path = context.target.beside(LANGUAGES_PATH)
    return f"{path}?{query}" if query else path


def read_document(response: HttpResponse | None) -> dict[str, Any] | None:
    """Return the JSON object of a response with status 200, or None."""
    if response is None or response.status != 200:
        return None
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def entries(document: Mapping[str, Any], scope: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a scope that are objects."""
    found = document.get(scope)
    return {key: entry for key, entry in found.items() if isinstance(entry, dict)} if isinstance(found, dict) else {}


def _has(entry: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(entry.get(name), str) for name in names)
