"""What the query of the upgrade says, and has to count where no speech.context says otherwise (speech.query.*)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.replies import judge_accepted
from conformance.cases.speech.asking import CONVERSATION, INTERACTIVE, Ask, another_target, short, spoken, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.knocking import knock
from conformance.cases.speech.profanities import Profanities, heard_profanity
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import hung_up, need_reference, served
from conformance.cases.utterances import recording
from protocol.speech.handshake import Mode
from protocol.speech.messages import V1

_UNKNOWN: Final = "flight=experimental&x-unheard-of=1&stableTranslation=true&storeAudio=false&wordLevelTimestamps"
_SOURCE: Final = "xx-XX"


def _target(context: Context, query: str) -> str:
    """Return the request target of the run's path with exactly this query behind the user's own."""
    path = context.target.path
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _unsaid(context: Context, mode: Mode | None = INTERACTIVE) -> Ask:
    """Return what to ask for so that speech.context names neither languages nor voices."""
    return usual(context, source=None, targets=(), mode=mode)


async def _by_query(context: Context, query: str, *, mode: Mode | None = INTERACTIVE) -> Turn:
    """Say the shortest utterance on a connection with exactly this query; the context names no language.

    `mode` is that of the context.
    """
    session = await open_session(context, _unsaid(context, mode), target=_target(context, query))
    turn = await session.begin()
    await turn.say()
    return await hung_up(turn)


@case("query.targets", "query.to-comma", "query.to-repeated", "query.to-duplicate", needs=("recognition",))
async def targets(context: Context) -> None:
    """Name two targets in the query in every form that clients use, and one of them twice."""
    await need_reference(context)
    first, second = context.target.target, another_target(context)
    source = f"from={quote(context.target.source)}"
    both = [short(first), short(second)]
    for requirement, to in (
        ("query.to-comma", f"to={first}%2C{second}"),
        ("query.to-comma", f"to={first},{second}"),
        ("query.to-repeated", f"to={first}&to={second}"),
        ("query.to-duplicate", f"to={first}&to={second}&to={first}"),
    ):
        turn = await _by_query(context, f"{source}&{to}")
        languages = [short(language) for final in turn.results[:1] for language, _ in final.translations]
        # The order is another requirement's; what is named twice has its first place here.
        kept = languages == both if requirement == "query.to-duplicate" else sorted(languages) == sorted(both)
        observed = f"translations into {', '.join(languages) or 'nothing'}; {turn.state}"
        context.check(requirement, kept, f"translations into {' and '.join(both)} for {to}", observed)


@case("query.forms", "query.bare-from", "query.unknown", "query.none", "query.language-not-refused")
async def forms(context: Context) -> None:
    """Ask with a bare `from`, with parameters that nobody knows, with none, and for an unknown language."""
    good = f"from={quote(context.target.source)}&to={quote(context.target.target)}"
    to = f"to={quote(context.target.target)}"
    found_out = usual(context, source=None, members={"languageId": {"languages": [context.target.source, "de-DE"]}})
    reply = await knock(context, _target(context, f"from&{to}"), ask=found_out)
    judge_accepted(context, "query.bare-from", reply, "a bare from")
    reply = await knock(context, _target(context, f"{good}&{_UNKNOWN}"))
    judge_accepted(context, "query.unknown", reply, f"the query {_UNKNOWN}")
    if context.case.dialect != V1:
        judge_accepted(context, "query.none", await knock(context, _target(context, "")), "no query")
    reply = await knock(
        context,
        _target(context, f"from={_SOURCE}&{to}"),
        ask=usual(context, source=_SOURCE),
        deliberate="speech.client.context-form",
    )
    status = "status 101, whatever follows"
    context.check("query.language-not-refused", reply.status == 101, f"{status}, for from={_SOURCE}", reply.says)


@case("query.voice-switch", "query.voice-switch", needs=("tts", "recognition"))
async def voice_switch(context: Context) -> None:
    """Ask for a voice in the query alone, with both words that clients use to ask for it."""
    await need_reference(context)
    target, voice = next(iter(spoken(context).items()))
    query = f"from={quote(context.target.source)}&to={quote(target)}&voice={quote(voice)}"
    for word in ("texttospeech", "requireVoice"):
        turn = await _by_query(context, f"{query}&features={word}")
        if not turn.results:
            raise Blocked(f"nothing was recognised that could be spoken: {turn.state}")
        came = bool(turn.voice or turn.voice_ends)
        context.check("query.voice-switch", came, f"a voice for voice={voice}&features={word}", turn.state)


@case("query.scenario", "query.scenario")
async def scenario(context: Context) -> None:
    """Name the mode in the query alone, and say two sentences: one shot has one final, a conversation has both."""
    pair = recording(context, "pair")
    query = f"from={quote(context.target.source)}&to={quote(context.target.target)}"
    for mode, finals in ((INTERACTIVE, 1), (CONVERSATION, len(pair.utterances))):
        session = await open_session(
            context, _unsaid(context, None), target=_target(context, f"{query}&scenario={mode.value}")
        )
        turn = await session.begin()
        await turn.say(pair)
        await turn.final()
        if mode is CONVERSATION:
            await turn.final(finals)
        await hung_up(turn)
        if not turn.results:
            raise Blocked(f"nothing was recognised: {turn.state}")
        expected = f"{finals} finals with a text in one turn for scenario={mode.value}"
        context.check("query.scenario", len(turn.results) == finals, expected, turn.state)


@case("query.profanity", "query.profanity", needs=("profanity", "recognition"))
async def profanity(context: Context) -> None:
    """Say a profanity with raw in the query; where it is heard, say it with masked and removed."""
    words = Profanities(context)
    query = f"from={quote(context.target.source)}&to={quote(context.target.target)}&profanity="

    async def say(action: str) -> str:
        session = await open_session(context, _unsaid(context), target=_target(context, query + action))
        return await heard_profanity(session)

    plain = await say("raw")
    if not words.in_(plain):
        return
    for action, kept in (("masked", words.masked), ("Masked", words.masked), ("removed", words.removed)):
        text = await say(action)
        context.check("query.profanity", kept(text), f"no {words.first(plain)!r} for profanity={action}", repr(text))


@case("query.silence-timeouts", "query.silence-timeouts")
async def silence_timeouts(context: Context) -> None:
    """Limit the silence at the start to 2 s, and the silence that ends an utterance to 2.5 s."""
    pair = recording(context, "pair")
    query = f"from={quote(context.target.source)}&to={quote(context.target.target)}"
    await need_reference(context)

    session = await open_session(
        context, _unsaid(context), target=_target(context, f"{query}&initialSilenceTimeoutMs=2000")
    )
    turn = await session.begin()
    await turn.pause(3500)
    given_up = await turn.final()
    await hung_up(turn)
    expected = "a final for 3.5 s of silence, with initialSilenceTimeoutMs=2000"
    context.check("query.silence-timeouts", given_up, expected, turn.state)

    for name in ("endSilenceTimeoutMs", "segmentationSilenceTimeoutMs"):
        limit = _target(context, f"{query}&{name}=2500")
        session = await open_session(context, _unsaid(context, CONVERSATION), target=limit)
        turn = await session.begin()
        await turn.say(pair)
        await hung_up(turn)
        if not served(turn):
            raise Blocked(f"nothing was recognised: {turn.state}")
        expected = f"one final for two sentences 1.6 s apart, with {name}=2500"
        context.check("query.silence-timeouts", len(turn.results) == 1, expected, turn.state)


@case("query.format", "query.format", needs=("detailed",))
async def detailed(context: Context) -> None:
    """Ask for the detailed form in the query alone."""
    await need_reference(context)
    query = f"from={quote(context.target.source)}&to={quote(context.target.target)}&format=detailed"
    turn = await _by_query(context, query)
    if not turn.results:
        raise Blocked(f"nothing was recognised: {turn.state}")
    entries = turn.results[0].speech.get("NBest")
    context.check("query.format", isinstance(entries, list) and bool(entries), "NBest in the final", repr(entries))
