"""What every answer to an upgrade request has to be (requirements translator.handshake.*)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import View
from protocol.validate import validator
from protocol.wire import Party, header

_GUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)


def request_id(view: View) -> Findings:
    """translator.handshake.request-id: a 101 carries X-RequestId; and what is ours to ask of every response."""
    if view.answered is None or view.response is None or not view.for_speech:
        return
    at, value = view.answered[0], header(view.response.headers, "X-RequestId")
    if view.opened:
        name = "translator.handshake.request-id"
        yield kept(name, at) if value else broken(name, at, "a header X-RequestId with a value", _shown(value))
    name = "translator.handshake.request-id-on-errors"
    if value and _GUID.fullmatch(value):
        yield kept(name, at)
    elif value or not view.opened:
        yield broken(name, at, "a header X-RequestId with a GUID", _shown(value))


def nothing_unasked(view: View) -> Findings:
    """translator.handshake.no-subprotocol, no-extension: a 101 selects nothing that was not offered."""
    if not view.opened or view.request is None or view.response is None or view.answered is None:
        return
    pairs = (
        ("translator.handshake.no-subprotocol", "Sec-WebSocket-Protocol"),
        ("translator.handshake.no-extension", "Sec-WebSocket-Extensions"),
    )
    for name, field in pairs:
        offered = (header(view.request.headers, field) or "").split(",")
        chosen = header(view.response.headers, field)
        if chosen is None or _word(chosen) in filter(None, map(_word, offered)):
            yield kept(name, view.answered[0])
        else:
            yield broken(name, view.answered[0], f"no {field} that was not offered", chosen)


def refusal(view: View) -> Findings:
    """translator.handshake.error-description, error-body: a refusal says what is wrong."""
    if view.answered is None or view.response is None or not view.for_speech or view.response.status < 400:
        return
    at, response = view.answered[0], view.response
    if response.status == 400:
        name = "translator.handshake.error-description"
        if response.body.strip():
            yield kept(name, at)
        else:
            yield broken(name, at, "a body that describes what is wrong", "an empty body")
    name = "translator.handshake.error-body"
    try:
        errors = validator("translator/error").errors(json.loads(response.body))
    except (ValueError, RecursionError):
        yield broken(name, at, "a JSON object with the member error", _shown(response.body.decode(errors="replace")))
        return
    if errors:
        yield broken(name, at, f"{errors[0].expected} at {errors[0].at}", errors[0].observed)
    else:
        yield kept(name, at)


def _word(offer: str) -> str:
    return offer.partition(";")[0].strip().lower()


def _shown(value: str | None) -> str:
    return "nothing" if value is None else repr(value[:80])


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, request_id, "translator.handshake.request-id", "translator.handshake.request-id-on-errors"),
    rule(Party.SERVER, nothing_unasked, "translator.handshake.no-subprotocol", "translator.handshake.no-extension"),
    rule(Party.SERVER, refusal, "translator.handshake.error-description", "translator.handshake.error-body"),
)
