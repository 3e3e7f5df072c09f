"""What every answer to an HTTP request has to be (requirements speech.handshake.*, endpoint.*, auth.secret-hidden)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech.reading import View
from conformance.transcript import CloseFrame
from protocol.request import parse_query
from protocol.speech.handshake import CREDENTIAL_NAMES, PATHS
from protocol.wire import Headers, Party, header

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 4.2.2
_REDIRECTS = (301, 307, 308)
_ABSOLUTE = re.compile(r"wss?://[^/?#]", re.IGNORECASE)
_URL = re.compile(r"(?:ws|http)s?://[^/?#\s]+\S*\Z", re.IGNORECASE)
_SECRET = 6  # a shorter credential is found in many a word


def accepted(view: View) -> Findings:
    """speech.handshake.accept, sub-protocol-*, compression-offer: a 101 is one, and agrees on what was offered."""
    if not view.opened or view.request is None or view.response is None or view.answered is None:
        return
    at, asked, given = view.answered[0], view.request.headers, view.response.headers
    name = "speech.handshake.accept"
    key, proof = header(asked, "Sec-WebSocket-Key"), header(given, "Sec-WebSocket-Accept")
    if key and proof is not None and proof != _accept(key):
        yield broken(name, at, f"Sec-WebSocket-Accept {_accept(key)}", proof)
    else:
        yield kept(name, at)
    offered, chosen = _words(asked, "Sec-WebSocket-Protocol"), _words(given, "Sec-WebSocket-Protocol")
    name = f"speech.handshake.sub-protocol-{'offered' if offered else 'absent'}"
    good = not chosen or (len(chosen) == 1 and chosen[0].lower() in [word.lower() for word in offered])
    yield kept(name, at) if good else broken(name, at, "no sub-protocol that was not offered", ", ".join(chosen))
    offered, chosen = _words(asked, "Sec-WebSocket-Extensions"), _words(given, "Sec-WebSocket-Extensions")
    name = "speech.handshake.compression-offer"
    if not set(chosen) <= set(offered):
        yield broken(name, at, "no extension that was not offered", ", ".join(chosen))
    elif offered:
        yield kept(name, at)


def _accept(key: str) -> str:
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode(), usedforsecurity=False).digest()).decode()


def _words(headers: Headers, name: str) -> list[str]:
    return [word for part in (header(headers, name) or "").split(",") if (word := part.partition(";")[0].strip())]


def redirects(view: View) -> Findings:
    """speech.endpoint.redirect-absolute: a redirect names a whole ws(s) URL, with the query."""
    if view.response is None or view.request is None or view.answered is None or not view.upgrading:
        return
    if view.response.status not in _REDIRECTS:
        return
    name, at = "speech.endpoint.redirect-absolute", view.answered[0]
    location = header(view.response.headers, "Location") or ""
    carried = parse_query(location.partition("?")[2])
    lost = [pair for pair in parse_query(view.request.query) if pair not in carried]
    if not _ABSOLUTE.match(location):
        scheme = f"a Location that begins with {location.partition('?')[0][:60]!r}" if location else "no Location"
        yield broken(name, at, "an absolute ws or wss URL", scheme)
    elif lost:
        yield broken(name, at, "the whole query in Location", f"it lacks {lost[0][0]}")
    else:
        yield kept(name, at)


def refused(view: View) -> Findings:
    """speech.endpoint.other-status: an upgrade that is refused has the status of a refusal, or of a redirect."""
    if not view.upgrading or view.response is None or view.answered is None or view.opened:
        return
    name, at, status = "speech.endpoint.other-status", view.answered[0], view.response.status
    if status in _REDIRECTS:
        return
    yield kept(name, at) if status >= 400 else broken(name, at, "101, a redirect, or 400 and above", str(status))


def plain(view: View) -> Findings:
    """speech.endpoint.redirect-lookup, upgrade-required: what a plain GET on the path may get."""
    request, response = view.request, view.response
    if view.upgrading or request is None or response is None or view.answered is None or request.method != "GET":
        return
    if not request.path.lower().endswith(PATHS[view.dialect]):
        return
    at = view.answered[0]
    if any(name.lower() == "generateredirectresponse" for name, _ in parse_query(request.query)):
        name, target = "speech.endpoint.redirect-lookup", response.body.decode(errors="replace").strip()
        good = response.status != 200 or _URL.match(target) is not None
        observed = f"status {response.status} with {target[:40]!r}"
        yield kept(name, at) if good else broken(name, at, "another status, or a URL as the body", observed)
    else:
        name = "speech.endpoint.upgrade-required"
        good = response.status == 426
        yield kept(name, at) if good else broken(name, at, "status 426", str(response.status))


def secrets(view: View) -> Findings:
    """speech.auth.secret-hidden: no response and no reason of a close repeats a credential.

    A redirect's Location has to, where the query has it.
    """
    name, hidden = "speech.auth.secret-hidden", tuple(_secrets(view))
    places = list(_places(view)) if hidden else []
    for at, where, text in places:
        leaks = any(secret in text for secret in hidden)
        yield broken(name, at, "no credential", f"one in {where}") if leaks else kept(name, at)


def _secrets(view: View) -> Iterator[str]:
    request = view.request
    if request is None:
        return
    for in_header, in_query in CREDENTIAL_NAMES.values():
        given = [header(request.headers, in_header) or ""]
        given += [value for key, value in parse_query(request.query) if key.lower() == in_query]
        yield from (secret for value in given if len(secret := value.rpartition(" ")[2]) >= _SECRET)


def _places(view: View) -> Iterator[tuple[int, str, str]]:
    if view.answered is not None and view.response is not None:
        fields = [value for key, value in view.response.headers if key.lower() != "location"]
        yield view.answered[0], "the response", "\n".join([*fields, view.response.body.decode(errors="replace")])
    for at, entry in enumerate(view.entries):
        if isinstance(entry, CloseFrame) and entry.sender is Party.SERVER:
            yield at, "the reason of the close", entry.reason


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        accepted,
        "speech.handshake.accept",
        "speech.handshake.sub-protocol-absent",
        "speech.handshake.sub-protocol-offered",
        "speech.handshake.compression-offer",
    ),
    rule(Party.SERVER, redirects, "speech.endpoint.redirect-absolute"),
    rule(Party.SERVER, refused, "speech.endpoint.other-status"),
    rule(Party.SERVER, plain, "speech.endpoint.redirect-lookup", "speech.endpoint.upgrade-required"),
    rule(Party.SERVER, secrets, "speech.auth.secret-hidden"),
)
