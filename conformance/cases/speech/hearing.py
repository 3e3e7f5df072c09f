"""What a case makes of the answers to a turn, whoever recognised it: no text is compared with one that we expect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.speech.asking import INTERACTIVE, Ask, speech_target, usual
from conformance.cases.speech.dialogue import Session, open_session, upgrade
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import SILENCE_MS, STREAM, Turn
from conformance.cases.speech.ways import REFUSALS, served
from conformance.cases.utterances import briefest, harmless, samples, utterance
from conformance.corpus import Recording
from protocol.audio import TICKS_PER_SECOND
from protocol.speech.handshake import Mode
from protocol.wire import HttpResponse, Kind

LOOSE_S: Final = 0.5
"""How well two endpointers agree about where an utterance begins or ends."""

SUCCESS: Final = "Success"
ACKNOWLEDGEMENT: Final = "EndOfDictation"
"""The status of a final that acknowledges audio and says nothing; no application sees it."""


def silence(milliseconds: int) -> bytes:
    """Return samples of silence."""
    return bytes(STREAM.ms_to_bytes(milliseconds))


def sentence(context: Context) -> bytes:
    """Return the shortest utterance of the run, a little before it, and the silence that ends it."""
    return utterance(*briefest(context.target.corpus)) + silence(SILENCE_MS)


def spoken_for(context: Context, milliseconds: int) -> bytes:
    """Return speech of this length without a pause: all utterances of the run, again and again.

    Recognisers with a language model take one that comes again at once for a loop of their own.
    """
    once = b"".join(utterance(*one, lead_ms=0) for one in harmless(context.target.corpus))
    size = STREAM.ms_to_bytes(milliseconds)
    return (once * (size // len(once) + 1))[:size]


# What answers speech.


def answers(turn: Turn) -> list[Heard]:
    """Return the finals that answer what was said; of a peer without recognition all that are no errors."""
    if "recognition" not in turn.line.context.target.without:
        return turn.results
    return [final for final in turn.finals if final.status not in REFUSALS and final.status != ACKNOWLEDGEMENT]


async def hear(turn: Turn, count: int = 1, budget: float | None = None) -> bool:
    """Wait until `count` answers in all have come; False when they do not in time, or the turn ends first."""
    what = f"result {count} of the turn"
    return await turn.line.until(lambda: len(answers(turn)), count, what, budget=budget, vain=lambda: turn.over)


def need_results(turn: Turn, count: int = 1) -> list[Heard]:
    """Return the finals in which something was recognised.

    Raises:
        NotOffered: There are fewer, and the peer was declared to be without recognition.
        Blocked: There are fewer.
    """
    if len(turn.results) < count:
        reason = f"{len(turn.results)} of {count} results with a text came: {turn.state}"
        raise NotOffered(reason) if "recognition" in turn.line.context.target.without else Blocked(reason)
    return turn.results


# Controls.


async def need_turns(context: Context, mode: Mode = INTERACTIVE, *, telemetry: bool = True) -> None:
    """Hold two turns on one connection, as the control of whatever comes before, between or within such turns.

    Raises:
        Blocked: The second one is not served, although nothing else is sent.
    """
    session = await open_session(context, usual(context, mode=mode))
    session.telemetry = telemetry
    for _ in range(2):
        turn = await session.begin()
        await turn.say()
        await turn.finished()
    await session.close()
    if not served(turn):
        raise Blocked(f"the second of two turns gives no result, whatever is sent: {turn.state}")


async def judge_beside_turns(
    context: Context, requirement: str, kept: bool, expected: str, observed: str, mode: Mode = INTERACTIVE
) -> None:
    """Judge a requirement on what happens beside turns; errors as for `need_turns` where it seems to be broken."""
    if not kept:
        await need_turns(context, mode)
    context.check(requirement, kept, expected, observed)


# Where it stands in the audio.


def starts_at(final: Heard) -> float:
    """Return where a final begins, in seconds of its turn.

    Raises:
        Blocked: It does not say so in a way that can be read (the rules of the wire report that).
    """
    if final.offset is None:
        raise Blocked("a final has no Offset that can be read")
    return final.offset / TICKS_PER_SECOND


def lasts(final: Heard) -> float:
    """Return how long a final is, in seconds; errors as for `starts_at`."""
    if final.duration is None:
        raise Blocked("a final has no Duration that can be read")
    return final.duration / TICKS_PER_SECOND


def near(value: float, wanted: float, tolerance: float = LOOSE_S) -> bool:
    """Tell whether two times in seconds agree as well as two endpointers do."""
    return abs(value - wanted) <= tolerance


def unheard(finals: Iterable[Heard], moments: Iterable[float]) -> list[float]:
    """Return those moments, in seconds of the turn, that lie in no final."""
    spans = [(starts_at(final) - LOOSE_S, starts_at(final) + lasts(final) + LOOSE_S) for final in finals]
    return [moment for moment in moments if not any(start <= moment <= end for start, end in spans)]


def middles(recording: Recording, after_s: float = 0.0) -> list[float]:
    """Return the middle of each utterance, in seconds, of a recording that begins `after_s` into the turn."""
    return [after_s + (bounds.start_ms + bounds.end_ms) / 2000 for bounds in recording.utterances]


def length(recording: Recording) -> float:
    """Return how long it takes to say a recording and the silence behind it (`Turn.say`), in seconds."""
    return (len(samples(recording, STREAM.rate)) + STREAM.ms_to_bytes(SILENCE_MS)) / STREAM.bytes_per_second


def behind_end(turn: Turn) -> list[Heard]:
    """Return the messages of a turn that came after its turn.end."""
    ends = [index for index, message in enumerate(turn.heard) if message.path == "turn.end"]
    return turn.heard[ends[0] + 1 :] if ends else []


# Languages.


def language(tag: str) -> str:
    """Return the language of a tag, without script and region, in lower case."""
    return tag.lower().partition("-")[0]


def languages(final: Heard) -> list[str]:
    """Return the languages into which a final is translated, in order."""
    return [language(tag) for tag, _ in final.translations]


def said_plainly(text: str) -> str:
    """Return a text's letters and digits in lower case: what is left of it whatever marks it was given."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


# What is rarely sent.


async def open_or_refused(context: Context, ask: Ask, *, deliberate: str | None = None) -> Session | HttpResponse:
    """Make a connection and configure it, or return the response that refuses it."""
    opened = await upgrade(context, speech_target(context, ask), deliberate=deliberate)
    if isinstance(opened, HttpResponse):
        return opened
    session = Session(context, opened, ask)
    await session.config()
    return session


async def update_languages(
    session: Session, identity: str, targets: Iterable[str], voices: dict[str, str] | None = None
) -> None:
    """Send the event that changes the target languages, and the voices where there are any."""
    members: dict[str, object] = {"id": "translation", "name": "updateLanguage", "to": list(targets)}
    if voices:
        members["synthesis"] = {"defaultVoices": voices}
    await session.json("event", identity, members)


async def commit(session: Session, identity: str, token: int) -> None:
    """Send an audio.commit as one client does: headers, no empty line, no body."""
    stamp = session.stamp(session.link.now())
    fields = (
        ("X-Timestamp", stamp),
        ("Path", "audio.commit"),
        ("X-RequestId", identity),
        ("X-Client-Commit-Token", str(token)),
    )
    await session.raw(Kind.TEXT, "".join(f"{name}:{value}\r\n" for name, value in fields).encode())
