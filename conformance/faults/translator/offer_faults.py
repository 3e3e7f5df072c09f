"""Servers that do not keep what they list: languages, aliases, voices, ways to write a query."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from conformance.faults.mutator import with_query
from conformance.faults.registry import fault
from conformance.faults.translator.handshake_faults import refuse
from conformance.faults.translator.mutator import Mutator
from protocol.languages import PUBLISHED
from protocol.wire import Fragment, HttpRequest


@fault("handshake.accept", "throws-out")
class ThrowsOut(Mutator):
    """Opens a session, and objects to it at the end if there was audio without sound alone."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: list[bool] = []

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Note what comes behind the header."""
        self._messages.append(any(fragment.data))
        return (fragment,)

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Change the code of the answer to the client's close."""
        silent = self.answers_close(opcode) and len(self._messages) > 1 and not any(self._messages[1:])
        return (frame[:2] + struct.pack(">H", 1003) + frame[4:],) if silent else (frame,)


@fault("handshake.source-accepted", "one")
class OneSource(Mutator):
    """Hears one of the languages that it lists."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse the other keys."""
        source = self.parameters.get("from")
        return refuse(request) if self.for_speech and source != "en-US" and source in PUBLISHED.speech else request


@fault("handshake.target-accepted", "few")
class FewTargets(Mutator):
    """Translates into two of the languages that it lists."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse the other keys, where no voice is asked for: that would be another requirement."""
        target = self.parameters.get("to")
        listed = target not in {"pt", "en"} and target in PUBLISHED.text and not self.wants("TextToSpeech")
        return refuse(request) if self.for_speech and listed else request


@fault("handshake.voice-accepted", "no-women")
class NoWomen(Mutator):
    """Speaks with some of the voices that it lists."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse the others."""
        voice = PUBLISHED.voices.get(self.parameters.get("voice", ""))
        fits = voice is not None and voice.language == PUBLISHED.resolve_target(self.parameters.get("to", ""))
        odd = fits and self.parameters["voice"] != "pt-BR-Maria" and self.wants("TextToSpeech")
        return refuse(request) if self.for_speech and odd else request


@fault("handshake.source-alias", "refused")
class KeysOnly(Mutator):
    """Knows the speech languages by their keys alone."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a `from` that is no key."""
        source = self.parameters.get("from", "")
        alias = source not in PUBLISHED.speech and PUBLISHED.resolve_source(source) is not None
        return refuse(request) if self.for_speech and alias else request


@fault("handshake.feature-blanks", "refused")
class NoBlanks(Mutator):
    """Wants the words of features without blanks, each once, and none of them empty."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a list that is written otherwise."""
        words = self.parameters.get("features", "").split(",")
        odd = (
            len(set(words)) < len(words)
            or any(word != word.strip() for word in words)
            or (len(words) > 1 and "" in words)
        )
        return refuse(request) if self.for_speech and odd else request


@fault("voice.text-only-languages", "accepted")
class SilentSpeech(Mutator):
    """Takes TextToSpeech in a language without a voice for no TextToSpeech."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Leave the word out."""
        target = PUBLISHED.resolve_target(self.parameters.get("to", ""))
        if not self.for_speech or not self.wants("TextToSpeech") or target is None or PUBLISHED.voices_for(target):
            return request
        words = [word for word in self.parameters["features"].split(",") if word != "TextToSpeech"]
        return with_query(request, {"features": ",".join(words)})
