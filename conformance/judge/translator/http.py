"""What every answer of `/languages` has to be (requirements translator.languages.*)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import View
from protocol.translator.handshake import LANGUAGES_PATH
from protocol.validate import validator
from protocol.wire import Party, header

_SCOPES = {
    "speech": "translator.languages.speech-shape",
    "text": "translator.languages.text-shape",
    "tts": "translator.languages.tts-shape",
}


def languages(view: View) -> Findings:
    """Judge the header and the shape of a `/languages` response, and the references inside it."""
    request, response = view.request, view.response
    if request is None or response is None or view.answered is None or response.status != 200:
        return
    if not request.path.lower().endswith(LANGUAGES_PATH) or request.method != "GET":
        return
    at = view.answered[0]
    name = "translator.languages.request-id"
    given = header(response.headers, "X-RequestId")
    yield kept(name, at) if given else broken(name, at, "a header X-RequestId with a value", "nothing")
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        shown = response.body[:60].decode(errors="replace")
        yield broken("translator.languages.scope-subset", at, "a JSON object", repr(shown))
        return
    errors = validator("translator/languages").errors(document)
    for error in errors:
        yield broken(error.requirement, at, f"{error.expected} at {error.at}", error.observed)
    wrong = {error.requirement for error in errors}
    for scope, requirement in _SCOPES.items():
        if document.get(scope) and requirement not in wrong:
            yield kept(requirement, at)
    if not errors:
        yield from _references(document, at)


def _references(document: dict[str, Any], at: int) -> Findings:
    """translator.languages.cross-reference, voice-id."""
    text = document.get("text")
    name = "translator.languages.cross-reference"
    for scope in ("speech", "tts"):
        entries = document.get(scope, {})
        if text is None or not entries:
            continue
        stray = [
            f"{scope}.{key}: {entry['language']}" for key, entry in entries.items() if entry["language"] not in text
        ]
        yield broken(name, at, "language to be a key of text", stray[0]) if stray else kept(name, at)
    name = "translator.languages.voice-id"
    voices = document.get("tts", {})
    odd = [key for key, voice in voices.items() if key != f"{voice['locale']}-{voice['displayName']}"]
    if odd:
        voice = voices[odd[0]]
        yield broken(name, at, f"the key {voice['locale']}-{voice['displayName']}", odd[0])
    elif voices:
        yield kept(name, at)


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        languages,
        "translator.languages.request-id",
        "translator.languages.scope-subset",
        "translator.languages.speech-shape",
        "translator.languages.text-shape",
        "translator.languages.tts-shape",
        "translator.languages.cross-reference",
        "translator.languages.voice-id",
    ),
)
