"""A transcript as lines for a person: when, who, what."""

from __future__ import annotations

from conformance.transcript import (
    Answered,
    Asked,
    CloseFrame,
    Ended,
    Entry,
    Expired,
    Frame,
    Transcript,
)
from protocol.errors import PeerViolation
from protocol.request import CREDENTIAL_NAMES, parameters, shown
from protocol.speech.framing import UspMessage, read
from protocol.translator.handshake import TOKEN_PATH
from protocol.wire import HttpRequest, Kind, Party, header

_TEXT = 160
_BYTES = 12
_ID = 8
_RUN = 3  # so many audio frames in a row are shown as one line
_SECRET = 4  # a shorter credential would hide half of every line


def lines(transcript: Transcript, most: int = 40) -> tuple[str, ...]:
    """Return the timeline of a connection, the middle left out where it is longer than `most` lines.

    `>` is what the client sent, `<` what the server sent, `!` what the observer says. Credentials are not shown, also
    not where the server repeats or issues them.
    """
    secrets = _secrets(transcript)
    rendered = [_hidden(line, secrets) for line in _render(transcript, secrets)]
    if len(rendered) > most:
        cut = len(rendered) - most
        rendered = [*rendered[: most // 2], f"          … {cut} lines left out …", *rendered[-(most - most // 2) :]]
    return (f"connection {transcript.connection} of {transcript.case}", *rendered)


def _secrets(transcript: Transcript) -> tuple[str, ...]:
    """Return the credentials that a client showed or was given, longest first."""
    found: list[str] = []
    issues = False
    for entry in transcript.entries:
        if isinstance(entry, Asked):
            found += _credentials(entry.request)
            issues = entry.request.path.lower().endswith(TOKEN_PATH.lower())
        elif isinstance(entry, Answered) and issues and entry.response.status == 200:
            found.append(entry.response.body.decode(errors="replace").strip())
    return tuple(sorted({secret for secret in found if len(secret) >= _SECRET}, key=len, reverse=True))


def _credentials(request: HttpRequest) -> list[str]:
    query = parameters(request.query)
    found: list[str] = []
    for in_header, in_query in CREDENTIAL_NAMES.values():
        named = (header(request.headers, in_header) or "", *query.get(in_header.lower(), ()))
        found += [*(value.rpartition(" ")[2] for value in named), *query.get(in_query, ())]
    return found


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "(hidden)")
    return text


def _render(transcript: Transcript, secrets: tuple[str, ...]) -> list[str]:
    start = transcript.entries[0].time if transcript.entries else 0.0
    rendered: list[str] = []
    run: list[Frame] = []
    for entry in transcript.entries:
        if isinstance(entry, Frame) and _folds(entry):
            if run and _stream(run[-1]) != _stream(entry):
                rendered += _audio(run, start)
                run = []
            run.append(entry)
            continue
        rendered += _audio(run, start)
        run = []
        rendered.append(f"{entry.time - start:9.3f} {_entry(entry, secrets)}")
    return rendered + _audio(run, start)


def _folds(frame: Frame) -> bool:
    """Tell whether a frame is ordinary audio: nothing on purpose, and not the empty message that ends a stream."""
    if frame.sender is not Party.CLIENT or frame.kind is not Kind.BINARY or frame.deliberate:
        return False
    headed = _headed(frame)
    return headed is None or bool(headed.body)


def _stream(frame: Frame) -> tuple[str, str] | None:
    headed = _headed(frame)
    return None if headed is None else (headed.path, headed.request_id)


def _headed(frame: Frame) -> UspMessage | None:
    """Return the message with headers of its own that a frame holds, as those of the speech dialects do."""
    if not (frame.first and frame.final):
        return None
    try:
        message = read(frame.kind, frame.data)
    except PeerViolation:
        return None
    return message if message.path else None


def _audio(run: list[Frame], start: float) -> list[str]:
    if len(run) <= _RUN:
        return [f"{frame.time - start:9.3f} {_frame(frame)}" for frame in run]
    headed = _headed(run[0])
    size = sum(len(frame.data) for frame in run)
    begun, ended = run[0].time - start, run[-1].time - start
    first = _hex(run[0].data) if headed is None else f"{_address(headed)} {_hex(headed.body)}"
    return [f"{begun:9.3f} > {len(run)} binary frames, {size} bytes, until {ended:.3f}; first {first}"]


def _entry(entry: Entry, secrets: tuple[str, ...]) -> str:
    match entry:
        case Asked():
            path, _, query = entry.request.target.partition("?")
            return (
                f"> {entry.request.method} {path}{f' query {shown(query)}' if query else ''}{_mark(entry.deliberate)}"
            )
        case Answered():
            identity = header(entry.response.headers, "X-RequestId")
            body = _hidden(entry.response.body.decode(errors="replace"), secrets)[:_TEXT]
            tail = f", X-RequestId {identity}" if identity else ""
            return f"< HTTP {entry.response.status}{tail}{f': {body}' if body else ''}"
        case Frame():
            return _frame(entry)
        case CloseFrame():
            return f"{_arrow(entry.sender)} close {entry.code} {entry.reason!r}{_mark(entry.deliberate)}"
        case Ended():
            detail = f": {entry.detail}" if entry.detail else ""
            return f"! the {entry.by.value} ended the connection ({entry.how.value}){detail}"
        case Expired():
            return f"! waited {entry.budget:.2f} s for {entry.what}, in vain"
        case _:
            return f"! barrier: {entry.what}"


def _frame(frame: Frame) -> str:
    part = (
        ""
        if frame.first and frame.final
        else f" (frame {'first' if frame.first else 'last' if frame.final else 'middle'})"
    )
    headed = _headed(frame)
    address, data = ("", frame.data) if headed is None else (f"{_address(headed)} ", headed.body)
    if frame.kind is Kind.TEXT:
        text = data.decode(errors="replace")
        body = text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
    else:
        body = f"{len(data)} bytes {_hex(data)}"
    return f"{_arrow(frame.sender)} {frame.kind.value}{part} {address}{body}{_mark(frame.deliberate)}"


def _address(message: UspMessage) -> str:
    """Return the path of a message, and so much of its request id as tells turns apart."""
    return f"{message.path} #{message.request_id[:_ID]}" if message.request_id else message.path


def _hex(data: bytes) -> str:
    return data[:_BYTES].hex(" ") + (" …" if len(data) > _BYTES else "")


def _arrow(party: Party) -> str:
    return ">" if party is Party.CLIENT else "<"


def _mark(deliberate: str | None) -> str:
    return f"   [on purpose: {deliberate}]" if deliberate else ""
