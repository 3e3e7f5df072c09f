"""speech.context: which forms are taken, and that what it says counts (speech.context.*)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import (
    CONVERSATION,
    INTERACTIVE,
    Ask,
    another_target,
    short,
    speech_target,
    usual,
)
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.mistakes import outcome
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import (
    Way,
    accepted,
    all_accepted,
    hung_up,
    need_reference,
    one_turn,
    reference,
    served,
)
from conformance.cases.utterances import recording
from conformance.judge.verdict import departure
from protocol.speech.handshake import Mode

_UNKNOWN: Final = {"x-unheard-of": {"a": [1]}, "phraseDetection": {"x-unheard-of": None}, "dgi": {"groups": []}}
_STREAMS: Final = {"audio": {"streams": {"1": None}}}
_NO_ACTIONS: Final = {"translation": {"onSuccess": {"action": "None"}, "onPassthrough": {"action": "None"}}}


def _resumed(offset: object) -> dict[str, Any]:
    continuation = {"previousServiceTag": "0" * 32, "audio": {"streams": {"1": {"offset": offset}}}}
    return {"continuation": continuation}


def _without_actions(body: dict[str, Any]) -> dict[str, Any]:
    translation = {name: part for name, part in body["translation"].items() if name not in _NO_ACTIONS["translation"]}
    return {**body, "translation": translation}


async def _saying(members: Mapping[str, Any], context: Context) -> Turn:
    return await one_turn(context, usual(context, members=members))


async def _bare(context: Context) -> Turn:
    return await one_turn(context, usual(context, shape=_without_actions))


_WAYS: Final = (
    Way("a context with unknown members", ("context.open",), partial(_saying, _UNKNOWN)),
    Way("audio.streams with a null in it", ("context.streams-null",), partial(_saying, _STREAMS)),
    Way("a continuation with an offset as text", ("context.continuation",), partial(_saying, _resumed("123450000"))),
    Way("a continuation with an offset as number", ("context.continuation",), partial(_saying, _resumed(123450000))),
    Way("no synthesis, with actions None", ("context.no-voice",), partial(_saying, _NO_ACTIONS)),
    Way("no synthesis, without actions", ("context.no-voice",), _bare),
)


@case("context.forms", "context.open", "context.streams-null", "context.continuation", "context.no-voice")
async def forms(context: Context) -> None:
    """Say more than a server has to know, continue a turn that it does not know, and ask for no voice."""

    async def together(context: Context) -> Turn:
        first = await _saying({**_UNKNOWN, **_STREAMS, **_resumed("123450000"), **_NO_ACTIONS}, context)
        if not served(first):
            return first
        return await one_turn(context, usual(context, members=_resumed(123450000), shape=_without_actions))

    await all_accepted(context, together, _WAYS)


async def _pair(context: Context, mode: Mode, word: str) -> Turn:
    """Say two sentences in a mode that speech.context alone names, and in this spelling."""
    ask = usual(context, mode=None, members={"phraseDetection": {"mode": word}})
    pair = recording(context, "pair")
    session = await open_session(context, ask)
    turn = await session.begin()
    await turn.say(pair)
    await turn.final(len(pair.utterances) if mode is CONVERSATION else 1)
    return await hung_up(turn)


@case("context.mode-case", "context.mode-case", needs=("recognition",))
async def mode_case(context: Context) -> None:
    """Spell the mode in capitals and in small letters: one shot has one final, a conversation has both."""
    for mode, words in ((INTERACTIVE, ("INTERACTIVE",)), (CONVERSATION, ("CONVERSATION", "conversation"))):
        due = len(recording(context, "pair").utterances) if mode is CONVERSATION else 1
        for word in words:
            turn = await _pair(context, mode, word)
            if len(turn.results) != due:
                other = await _pair(context, mode, word.capitalize())
                if len(other.results) != due:
                    raise Blocked(f"the mode {word.capitalize()} does not give {due} finals: {other.state}")
            expected = f"{due} finals with a text in the turn for the mode {word}"
            context.check("context.mode-case", len(turn.results) == due, expected, turn.state)


def _languages(turn: Turn) -> list[str]:
    return [short(language) for final in turn.results[:1] for language, _ in final.translations]


@case("context.beats-query", "context.beats-query", "context.keys-case", needs=("recognition",))
async def beats_query(context: Context) -> None:
    """Name another target in speech.context than in the query; then in keys in capitals and in small letters."""
    await need_reference(context)
    wanted, target = another_target(context), speech_target(context)
    for requirement, what, shape in (
        ("context.beats-query", "targetLanguages", _as_it_is),
        ("context.keys-case", "targetlanguages", partial(_keys, str.lower)),
        ("context.keys-case", "TARGETLANGUAGES", partial(_keys, str.upper)),
    ):
        ask = usual(context, targets=(wanted,), shape=shape)
        turn = await one_turn(context, ask, target=target)
        observed = f"translations into {', '.join(_languages(turn)) or 'nothing'}; {turn.state}"
        expected = f"a translation into {wanted} for {what} beside to={context.target.target} in the query"
        kept = _languages(turn) == [short(wanted)]
        context.check(requirement, kept, expected, observed)
        if not kept and requirement == "context.beats-query":
            return  # how its keys are spelled cannot be seen where they do not count at all


def _as_it_is(body: dict[str, Any]) -> dict[str, Any]:
    return body


def _keys(spelled: Any, body: Any) -> Any:
    """Return a body with all member names spelled in another way; not those of voices, which are languages."""
    if not isinstance(body, dict):
        return body
    return {spelled(name): _keys(spelled, value) for name, value in body.items()}


@case("context.each-turn", "context.each-turn", needs=("recognition",))
async def each_turn(context: Context) -> None:
    """Ask for two targets in the first turn, and for one of them in the second."""
    user, other = context.target.target, another_target(context)
    session = await open_session(context, usual(context, targets=(user, other)))
    languages: list[list[str]] = []
    for targets in ((user, other), (user,)):
        turn = await session.begin(usual(context, targets=targets))
        await turn.say()
        await turn.finished()
        if not served(turn):
            raise Blocked(f"a turn gives no result: {turn.state}")
        languages.append(_languages(turn))
    if len(languages[0]) != 2:
        raise Blocked(f"two targets give translations into {', '.join(languages[0]) or 'nothing'}")
    observed = f"translations into {', '.join(languages[1]) or 'nothing'}"
    kept = languages[1] == [short(user)]
    context.check("context.each-turn", kept, f"a translation into {user} alone in the second turn", observed)


@case("context.reused-id", "context.reused-id")
async def reused_id(context: Context) -> None:
    """Begin a second turn with the id of the first, which is over."""
    session = await open_session(context)
    turn = await session.begin()
    await turn.say()
    await turn.finished()
    if not served(turn):
        raise Blocked(f"a good turn gives no result: {turn.state}")
    again = await session.begin(identity=turn.id, deliberate="speech.client.request-id-fresh")
    ended = await outcome(again)
    refused = ended is not None and ended.code == 1002
    context.check("context.reused-id", refused, "close 1002 for the id of a finished turn", again.state)


@case("context.interims", "context.interims-unasked", needs=("partial", "recognition"))
async def interims(context: Context) -> None:
    """Say nothing of interim results, as one client does, and hear some nevertheless."""

    def unasked(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "translation": {**body["translation"], "output": {"includePassThroughResults": True}}}

    clear = context.target.corpus["clear-1"]

    async def hold(ask: Ask) -> Turn:
        session = await open_session(context, ask)
        turn = await session.begin()
        await turn.say(clear)
        return await hung_up(turn)

    turn = await hold(usual(context, shape=unasked))
    if not turn.interims and not (await hold(usual(context))).interims:
        raise Blocked(f"no hypothesis comes even when they are asked for: {turn.state}")
    expected = "hypotheses in a turn whose context does not name interimResults"
    context.check("context.interims-unasked", bool(turn.interims), expected, turn.state)


@case("context.silence-timeout", "context.silence-timeout")
async def silence_timeout(context: Context) -> None:
    """Limit the silence at the start to 2 s and send more; then lift the limit, and speak after 7 s."""
    await need_reference(context)
    session = await open_session(context)
    turn = await session.begin(usual(context, members={"phraseDetection": {"initialSilenceTimeout": 2000}}))
    await turn.pause(3500)
    given_up = await turn.final()
    await turn.finished()
    expected = "a final for 3.5 s of silence, with initialSilenceTimeout 2000"
    context.check("context.silence-timeout", given_up, expected, turn.state)
    turn = await session.begin(usual(context, members={"phraseDetection": {"initialSilenceTimeout": 0}}))
    await turn.pause(7000)
    await turn.say()
    await hung_up(turn)
    expected = "a result for speech after 7 s of silence, with initialSilenceTimeout 0"
    context.check("context.silence-timeout", served(turn), expected, turn.state)


@case("context.segmentation", "context.segmentation", needs=("recognition",))
async def segmentation(context: Context) -> None:
    """Say two sentences 1.6 s apart, with utterances that end after 2.4 s of silence, and after 0.4 s."""
    pair = recording(context, "pair")
    for strategy, silence_ms, finals in (("Custom", 2400, 1), ("Semantic", 2400, 1), ("Custom", 400, 2)):
        settings = {"mode": strategy, "segmentationSilenceTimeoutMs": silence_ms}
        members = {"phraseDetection": {"conversation": {"segmentation": settings}}}
        session = await open_session(context, usual(context, mode=CONVERSATION, members=members))
        turn = await session.begin()
        await turn.say(pair)
        await hung_up(turn)
        if not served(turn):
            raise Blocked(f"nothing was recognised: {turn.state}")
        expected = f"{finals} finals with a text for segmentation {strategy} after {silence_ms} ms"
        context.check("context.segmentation", len(turn.results) == finals, expected, turn.state)


@case("context.optional", "context.optional")
async def optional(context: Context) -> None:
    """Hold a turn by the query alone, without speech.context, and one with it."""

    async def alone(context: Context) -> Turn:
        session = await open_session(context)
        turn = await session.begin(context=False)
        await turn.say()
        return await hung_up(turn)

    row = context.row("context.optional")
    without = Way("a turn without speech.context", ("context.optional",), alone)
    await accepted(context, without, departure(row, tolerated=True))
    await accepted(context, Way("a turn with speech.context", ("context.optional",), reference, alone))


@case("context.required", "context.required")
async def required(context: Context) -> None:
    """Send audio on a connection to which no speech.context has come."""
    await need_reference(context)
    session = await open_session(context)
    turn = await session.begin(context=False, header=False)
    await turn.header(deliberate="speech.client.context-first")
    ended = await outcome(turn)
    refused = ended is not None and ended.code == 1002
    context.check("context.required", refused, "close 1002 for audio without speech.context", turn.state)
