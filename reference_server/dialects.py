"""The dialects that the server speaks: a table from path to adapter. The shell knows none of them by name.

An adapter judges the credentials and the parameters of an upgrade request, and opens sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from protocol.events import FromPipeline, ToPipeline
from protocol.rejection import Rejected, unauthorized
from protocol.request import credential
from protocol.translator.handshake import SPEECH_PATH, Feature, SpeechRequest, VoiceFormat, read_request
from protocol.translator.policy import Policy
from protocol.translator.profanity import spoken
from protocol.translator.session import ServerSession
from protocol.wire import HttpRequest, Inbound, Outbound
from reference_server.auth import Authority
from reference_server.endpointing import Endpointing
from reference_server.engines.base import Engine, Job, Text
from reference_server.pipeline import Plan, Spoken
from reference_server.policy import Settings
from reference_server.voice import mp3, wav

Output = Outbound | ToPipeline


class Session(Protocol):
    """A conversation without I/O, as the shell sees it."""

    @property
    def open(self) -> bool:
        """Whether either side may still send."""

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None once the session is over."""

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the client, or the passing of time; return what to do."""

    def result(self, event: FromPipeline) -> list[Output]:
        """Take a finding of the pipeline; return what to do."""

    def shutdown(self, time: float) -> list[Output]:
        """End the session because the server goes away."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An upgrade request that is accepted: how its session begins, given the time, and what its pipeline does."""

    session: Callable[[float], Session]
    plan: Plan


class Dialect(Protocol):
    """One dialect of the protocol."""

    name: str

    def admit(self, request: HttpRequest) -> Opening:
        """Judge credentials, then parameters. Raises Rejected with the status to answer."""


def dialects(settings: Settings, authority: Authority, engine: Engine) -> Mapping[str, Dialect]:
    """Return the adapters by path, in lower case."""
    return {SPEECH_PATH: Translator(settings.translator, authority, engine)}


class Translator:
    """The dialect `translator`."""

    name = "translator"

    def __init__(self, policy: Policy, authority: Authority, engine: Engine) -> None:
        self._policy = policy
        self._authority = authority
        self._engine = engine

    def admit(self, request: HttpRequest) -> Opening:
        """Judge credentials (401), then parameters (400) (requirement translator.handshake.check-order)."""
        given = credential(request)
        if given is None or not self._authority.accepts(given):
            raise Rejected(unauthorized(given))
        asked = read_request(request, self._engine.catalogue)
        policy = self._policy
        endpointing = Endpointing(
            silence_ms=policy.endpoint_silence_ms,
            longest_ms=policy.max_utterance_ms,
            growth_ms=policy.partial_interval_ms if Feature.PARTIAL in asked.features else None,
        )
        return Opening(
            session=partial(ServerSession, asked, policy),
            plan=Plan(Job(asked.source, (asked.target,)), endpointing, partial(self._spoken, asked)),
        )

    def _spoken(self, asked: SpeechRequest, text: Text) -> tuple[Spoken, ...]:
        """Return the translation as its voice says it: treated for profanity, without markup."""
        if asked.voice is None:
            return ()
        words = spoken(text.translations[0], text.profanities, asked.profanity, asked.marker, self._policy)
        if not words:
            return ()
        encode = mp3 if asked.format is VoiceFormat.MP3 else wav
        return (Spoken(words, self._engine.catalogue.voices[asked.voice], encode),)
