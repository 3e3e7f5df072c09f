"""Which voices come, where, and in which languages (requirements speech.synthesis.*).

Where they stand among the other messages is also walked with the order table, in `turns`.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech.languages import related
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Result
from conformance.judge.speech.turn import Turn
from conformance.judge.speech.voices import PATHS, voices
from conformance.judge.verdict import Verdict
from protocol.wire import Party


def unasked(view: View) -> Findings:
    """speech.synthesis.only-on-request: without a voice asked for, there is none."""
    name = "speech.synthesis.only-on-request"
    for turn in view.turns:
        if turn.wanted.voices is not None or _updated(turn):
            continue
        stray = next((said for said in turn.server if said.path in PATHS), None)
        if stray is not None:
            yield broken(name, stray.at, "no synthesis: no voice was asked for", stray.path)
        elif turn.end is not None and any(final.speaks for final in turn.finals):
            yield kept(name, turn.end.at)


def asked(view: View) -> Findings:
    """speech.synthesis.on-request: each final with a translation that is to be spoken is followed by a voice."""
    name = "speech.synthesis.on-request"
    for turn in view.turns:
        if turn.end is None or turn.wanted.voices is None or turn.provoked or turn.abandoned:
            continue
        due, came = [final for final in turn.finals if _tags(turn, final)], len(voices(turn))
        for final in due[:came]:
            yield kept(name, final.at)
        if came < len(due):
            yield broken(name, due[came].at, f"{len(due)} voices before turn.end", str(came))


def _tags(turn: Turn, final: Result) -> list[str]:
    """Return the languages in which a final is to be spoken, and can be."""
    if turn.wanted.voices is None or not final.speaks:
        return []
    said = [entry.language for entry in final.entries if entry.text]
    return [tag for tag in turn.wanted.voices.spoken if any(related(tag, language) for language in said)]


def _updated(turn: Turn) -> bool:
    return bool(turn.updates)


def places(view: View) -> Findings:
    """speech.synthesis.after-phrase, before-turn-end: behind a final with words, and before the end of the turn."""
    for turn in view.turns:
        first = turn.finals[0].at if turn.finals else None
        for voice in voices(turn):
            at = voice.messages[0].at
            name = "speech.synthesis.after-phrase"
            good = first is not None and first < at
            yield kept(name, at) if good else broken(name, at, "a final before its voice", voice.messages[0].path)
        if turn.end is None:
            continue
        name = "speech.synthesis.before-turn-end"
        late = [said for said in turn.server if said.path in PATHS and said.at > turn.end.at]
        for said in late:
            yield broken(name, said.at, "no synthesis behind turn.end", said.path)
        if voices(turn) and not late:
            yield kept(name, turn.end.at)


def languages(view: View) -> Findings:
    """speech.synthesis.languages: the targets that were asked for are spoken, and no others.

    That the service speaks each of several is nowhere recorded.
    """
    name = "speech.synthesis.languages"
    for turn in view.turns:
        if turn.wanted.voices is None or _updated(turn):
            continue
        tags, spoken_in = turn.wanted.voices.spoken, []
        for voice in voices(turn):
            language = voice.start.body.get("TranslationLanguage") if voice.start and voice.start.body else None
            if voice.start is None or not isinstance(language, str):
                continue
            good = any(related(language, tag) for tag in tags)
            yield kept(name, voice.start.at) if good else broken(name, voice.start.at, " or ".join(tags), language)
            spoken_in.append(language)
        if turn.end is None or turn.provoked or turn.abandoned or not spoken_in:
            continue
        for tag in tags:
            due = sum(tag in _tags(turn, final) for final in turn.finals)
            came = sum(related(tag, language) for language in spoken_in)
            if came < due:
                yield broken(name, turn.end.at, f"{due} voices in {tag}", str(came), Verdict.NON_STRICT)


def first_target(view: View) -> Findings:
    """speech.synthesis.first-target: one voice for each final."""
    name = "speech.synthesis.first-target"
    for turn in view.turns:
        came, finals = voices(turn), sum(final.speaks for final in turn.finals)
        if came and finals:
            at, observed = came[-1].messages[-1].at, f"{len(came)} voices for {finals} finals"
            good = len(came) <= finals
            yield kept(name, at) if good else broken(name, at, "one voice for each final", observed)


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, unasked, "speech.synthesis.only-on-request"),
    rule(Party.SERVER, asked, "speech.synthesis.on-request"),
    rule(Party.SERVER, places, "speech.synthesis.after-phrase", "speech.synthesis.before-turn-end"),
    rule(Party.SERVER, languages, "speech.synthesis.languages"),
    rule(Party.SERVER, first_target, "speech.synthesis.first-target"),
)
