"""speech.config: which forms are taken, and that audio does not come before it (speech.config.*)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import config_body, merged, usual
from conformance.cases.speech.dialogue import JSON, connect
from conformance.cases.speech.mistakes import outcome
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import Way, all_accepted, hung_up, need_reference, served
from protocol.wire import Kind

_PATH: Final = "speech.config"
_UNKNOWN: Final = {"x-unheard-of": [1], "context": {"system": {"x-unheard-of": {}}, "x-unheard-of": None}}

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _as_texts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    numbers = {"samplerate": "16000", "bitspersample": "16", "channelcount": "1"}
    return merged(body, {"context": {"audio": {"source": numbers}}})


def _without_device(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**body, "context": {name: part for name, part in body["context"].items() if name != "device"}}


def _system_alone(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"context": {"system": body["context"]["system"]}}


def _open(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return merged(body, _UNKNOWN)


async def _configured(context: Context, *changes: Change, identity: bool = True, times: int = 1) -> Turn:
    """Configure a connection with this body, so many times, and hold a turn; then do so once more if `times` is 2."""
    body: Mapping[str, Any] = config_body(usual(context))
    for change in changes:
        body = change(body)
    session = await connect(context)
    text = json.dumps(body).encode()
    for number in range(times):
        for _ in range(times):
            name = session.first if identity else None
            await session.send(Kind.TEXT, _PATH, name, text, content_type=JSON)
        turn = await session.begin()
        await turn.say()
        await turn.finished()
        if not served(turn) or number == times - 1:
            break
    return await hung_up(turn)


_WAYS: Final = (
    Way("speech.config sent again", ("config.repeated",), partial(_configured, times=2)),
    Way("speech.config without X-RequestId", ("config.without-request-id",), partial(_configured, identity=False)),
    Way("numbers as texts", ("config.numbers-as-text",), lambda context: _configured(context, _as_texts)),
    Way("no device", ("config.device-absent",), lambda context: _configured(context, _without_device)),
    Way("system alone", ("config.device-absent",), lambda context: _configured(context, _system_alone)),
    Way("unknown members", ("config.open",), lambda context: _configured(context, _open)),
)


@case(
    "config.forms",
    "config.repeated",
    "config.without-request-id",
    "config.numbers-as-text",
    "config.device-absent",
    "config.open",
)
async def forms(context: Context) -> None:
    """Configure as real clients do: without an id, with numbers as texts, without device, with more, and again."""

    async def together(context: Context) -> Turn:
        first = await _configured(context, _as_texts, _without_device, _open, identity=False, times=2)
        return await _configured(context, _system_alone) if served(first) else first

    await all_accepted(context, together, _WAYS)


@case("config.before-audio", "config.before-audio")
async def before_audio(context: Context) -> None:
    """Send audio on a connection that was never configured."""
    await need_reference(context)
    session = await connect(context)
    turn = await session.begin(context=False, header=False)
    await turn.header(deliberate="speech.client.config-first")
    ended = await outcome(turn)
    refused = ended is not None and ended.code == 1002
    context.check("config.before-audio", refused, "close 1002 for audio before speech.config", turn.state)
