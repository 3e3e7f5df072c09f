"""The languages of results: several targets, both forms of a tag, the language of the speech, and one that is none."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, another_target, other_targets, usual, with_region
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import (
    SUCCESS,
    answers,
    judge_beside_turns,
    language,
    languages,
    need_results,
    need_turns,
    open_or_refused,
    said_plainly,
)
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import aborted, need_reference
from conformance.judge.verdict import Verdict, departure
from protocol.wire import HttpResponse, PeerClosed

_NOBODY: Final = "zz"


async def _translated(context: Context, *targets: str) -> tuple[Turn, Heard]:
    """Say a sentence with these targets on a connection of its own; return the turn and its final.

    Raises:
        Blocked: There is no final with a text.
    """
    session = await open_session(context, usual(context, targets=targets))
    turn = await session.begin()
    await turn.say()
    await turn.finished()
    await session.close()
    return turn, need_results(turn)[0]


@case("result.targets", "result.targets-all", "result.targets-order")
async def targets(context: Context) -> None:
    """Ask for one, two and three targets, at last in another order: each result has all, in the order asked for."""
    user, other = context.target.target, another_target(context)
    two = other_targets(context.target)[:2]
    for asked in ((user,), (user, other), (*reversed(two), user)):
        turn, final = await _translated(context, *asked)
        wanted = [language(tag) for tag in asked]
        for result in (*turn.interims, final):
            given = languages(result)
            # An interim may run ahead of one of its translations.
            verdict = None if result is final else Verdict.NON_STRICT
            whole = sorted(given) == sorted(wanted)
            expected = f"a translation into {', '.join(wanted)}"
            context.check("result.targets-all", whole, expected, ", ".join(given) or "none", verdict)
            if whole and len(given) > 1:
                context.check("result.targets-order", given == wanted, f"the order {', '.join(wanted)}", str(given))


@case("result.tags", "result.both-tags", "result.language-echo")
async def tags(context: Context) -> None:
    """Ask for a language with its region and without in one request: both are answered, by name of the language."""
    short = another_target(context)
    _, final = await _translated(context, short)
    if final.translation_status != SUCCESS and not final.translations:
        return
    asked = (short, with_region(short))
    _, final = await _translated(context, *asked)
    given = [tag for tag, _ in final.translations]
    both = len(given) == len(asked) and {language(tag) for tag in given} == {short}
    observed = f"{', '.join(given) or 'none'}; {final.failure_reason or 'no FailureReason'}"
    context.check("result.both-tags", both, f"a translation for {' and for '.join(asked)}", observed)
    if both:
        wanted = list(asked) if context.case.dialect.endswith("v2") else [short, short]
        context.check("result.language-echo", given == wanted, f"Language {' and '.join(wanted)}", " and ".join(given))


@case("result.duplicate-target", "result.targets-all")
async def duplicate_target(context: Context) -> None:
    """Name a target twice in speech.context: it is answered once, as one that is named once."""
    await need_reference(context)
    user, other = context.target.target, another_target(context)
    session = await open_session(context, usual(context, targets=(user, other)))
    turn = await session.begin(usual(context, targets=(user, other, user)), deliberate="speech.client.context-form")
    await turn.say()
    await turn.finished()
    await session.close()
    final = need_results(turn)[0]
    once = sorted(languages(final)) == sorted((language(user), language(other)))
    expected = f"one translation into {user} and one into {other}"
    observed = ", ".join(languages(final)) or final.failure_reason or "none"
    # No client can do this by itself; so nobody is hurt by either answer.
    context.check("result.targets-all", once, expected, observed, Verdict.INFORMATIONAL)


@case("result.same-language", "result.same-language")
async def same_language(context: Context) -> None:
    """Ask for the language of the speech as a target, beside another one: it is answered, with what was recognised."""
    own = language(context.target.source)
    turn, final = await _translated(context, context.target.target, own)
    text = next((text for tag, text in final.translations if language(tag) == own), None)
    if text == "":
        return  # whoever leaves texts empty breaks another requirement
    good = text is not None and said_plainly(text) == said_plainly(final.text)
    expected = f"the text {final.text!r} as the translation into {own}"
    context.check("result.same-language", good, expected, turn.state if text is None else repr(text))


@case(
    "result.bad-target",
    "result.bad-target",
    "result.bad-target-keeps-text",
    "result.failure-reason",
    "turn.several",
    needs=("recognition",),
)
async def bad_target(context: Context) -> None:
    """Ask for a language that nobody speaks, beside a good one, before it, and alone: an error beside the text."""
    await need_reference(context)
    user = context.target.target
    for asked in ((user, _NOBODY), (_NOBODY, user), (_NOBODY,)):
        opened = await open_or_refused(context, usual(context, targets=asked, mode=CONVERSATION))
        expected = f"a final with TranslationStatus Error for the targets {', '.join(asked)}"
        if isinstance(opened, HttpResponse):
            context.broken("result.bad-target", expected, f"status {opened.status}")
            continue
        turn = await opened.begin()
        await turn.say()
        await turn.finished()
        if not turn.over:
            code = isinstance(opened.ended, PeerClosed) and not aborted(turn)
            if not code:
                await need_turns(context, CONVERSATION)
            verdict = departure(context.row("result.bad-target")) if code else Verdict.VIOLATION
            context.broken("result.bad-target", expected, turn.state, verdict)
            continue
        told = [final for final in turn.finals if final.text or final.translation_status == "Error"]
        if not told:
            await need_turns(context, CONVERSATION)
        _judge_failed(context, told, expected, turn)
        following = await opened.begin(usual(context))
        await following.say()
        await following.finished()
        await opened.close()
        good = following.over and bool(answers(following))
        expected = "a result of the next turn, with a good target"
        await judge_beside_turns(context, "turn.several", good, expected, following.state, CONVERSATION)


def _judge_failed(context: Context, finals: list[Heard], expected: str, turn: Turn) -> None:
    for final in finals:
        failed = final.translation_status == "Error"
        observed = f"TranslationStatus {final.translation_status}, {languages(final)}; {turn.state}"
        context.check("result.bad-target", failed, expected, observed)
        if failed:
            reason = bool(final.failure_reason)
            context.check("result.failure-reason", reason, "a FailureReason beside the status Error", "none")
            context.check("result.bad-target-keeps-text", bool(final.text), "the recognised text", "none")
    if not finals:
        context.broken("result.bad-target", expected, turn.state)
