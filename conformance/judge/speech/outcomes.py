"""What results say together: interims and finals, errors, details, silences (speech.result.*, speech.status.*)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import PLAIN, Result, Said, ticks
from conformance.judge.speech.turn import Turn
from protocol.audio import TICKS_PER_SECOND
from protocol.speech.context import member, part
from protocol.speech.handshake import Mode
from protocol.speech.messages import V1, V2
from protocol.wire import Party

LONG_SILENCE = 8 * TICKS_PER_SECOND
"""A final of silence that is at least so long is the one that ends a turn; shorter ones are noise, or acknowledge."""

_SILENCE = (10.5, 15.4)  # seconds (fact P-02)
_LONGEST_SPEECH_S = 35
_LOOSE = 100_000  # ten milliseconds
_JUST_MS = 100  # servers wait for at least so much silence before they end an utterance by themselves
_TOKEN = "X-Client-Commit-Token"  # noqa: S105 - the name of a header, not a secret


def utterances(turn: Turn) -> Iterator[tuple[list[Result], Result]]:
    """Yield the interims of each utterance of a turn, and its final."""
    interims: list[Result] = []
    for result in turn.results:
        if not turn.answers_with(result):
            continue  # beside the translation: reported as that
        if not result.final:
            interims.append(result)
        elif result.counts:
            yield interims, result
            interims = []


def partials(view: View) -> Findings:
    """speech.result.partial-before-final, no-partial-after-final: interims come before their final, not behind it."""
    for turn in view.turns:
        for interims, final in utterances(turn):
            length = _length(final)
            if turn.wanted.interims and final.speaks and length is not None and length > TICKS_PER_SECOND:
                name, seen = "speech.result.partial-before-final", f"none before a final of {length // 10_000} ms"
                yield kept(name, final.at) if interims else broken(name, final.at, "an interim", seen)
        name = "speech.result.no-partial-after-final"
        done: set[int | None] = set()
        for result in turn.results:
            if result.counts:
                done.add(result.offset)
            elif not result.final and result.offset is not None and done:
                late = result.offset in done
                expected = "no interim of an utterance whose final has come"
                yield broken(name, result.at, expected, f"Offset {result.offset}") if late else kept(name, result.at)


def contents(view: View) -> Findings:
    """speech.result.empty-success, bad-target-keeps-text, failure-reason: what finals of Success hold."""
    for turn in view.turns:
        for interims, final in utterances(turn):
            failed = final.translation.get("TranslationStatus") == "Error"
            if failed:
                name = "speech.result.failure-reason"
                if final.translation.get("FailureReason"):
                    yield kept(name, final.at)
                name = "speech.result.bad-target-keeps-text"
                if final.status == "Success":
                    yield kept(name, final.at) if final.text else broken(name, final.at, "the text", "none")
                continue
            name = "speech.result.empty-success"
            empty = next((entry.language for entry in final.entries if not entry.text), None)
            if final.speaks and empty is not None and not final.translation.get("FailureReason"):
                yield broken(name, final.at, "a translation that is not empty", f"an empty one into {empty}")
            elif final.speaks:
                yield kept(name, final.at)
            elif final.status == "Success" and any(interim.text for interim in interims):
                yield broken(name, final.at, "the text of what was said", "an empty one")


def details(view: View) -> Findings:
    """speech.result.detailed, plain.detailed, simple-without-nbest: NBest comes where it was asked for."""
    for turn in view.turns:
        name = "speech.result.detailed" if turn.wanted.translated else "speech.plain.detailed"
        for _, final in utterances(turn):
            if not final.speaks:
                continue
            given = "NBest" in final.speech
            if turn.wanted.detailed:
                yield kept(name, final.at) if given else broken(name, final.at, "NBest beside Offset", "none")
            else:
                simple, expected = "speech.result.simple-without-nbest", "no NBest: it was not asked for"
                yield broken(simple, final.at, expected, "one") if given else kept(simple, final.at)


def extra_phrases(view: View) -> Findings:
    """speech.result.no-extra-phrase, language.no-plain-results, plain.phrase, plain.hypothesis: what was asked for.

    With languageId the service also sends plain results unless phraseOutput forbids them (fact S-04).
    """
    for turn in view.turns:
        output = part(turn.context.body or {}, "phraseOutput") if turn.context is not None else {}
        identified = bool(turn.wanted.candidates)
        for result in turn.results:
            asked = member(part(output, "phraseResults" if result.final else "interimResults"), "resultType")
            forbidden = isinstance(asked, str) and asked.lower() == "none"
            name = "speech.language.no-plain-results" if identified else "speech.result.no-extra-phrase"
            if not turn.wanted.translated:
                if result.shape == V2:
                    path = spoken.PLAIN_PHRASE if result.final else spoken.PLAIN_HYPOTHESIS
                    yield broken(path.replace("speech.", "speech.plain."), result.at, path, result.said.path)
            elif result.shape != PLAIN:
                yield kept(name, result.at)
            elif forbidden or (asked is None and not identified):
                yield broken(name, result.at, "the translation alone", result.said.path)


def silences(view: View) -> Findings:
    """speech.status.silence-phrase, silence-phrase-form, silence-offset, detected.end-silence: a long silence."""
    for turn in view.turns:
        if turn.wanted.mode not in (Mode.CONVERSATION, Mode.DICTATION) or turn.provoked:
            continue
        done: Result | None = None
        for final in turn.finals:
            length = _length(final)
            if final.silent and length is not None and length > LONG_SILENCE:
                yield from _silence(turn, final, length, view.dialect)
                if final.offset is not None:
                    begun = 0 if done is None else done.end
                    near = begun is None or abs(final.offset - begun) <= _LOOSE
                    name = "speech.status.silence-offset"
                    yield kept(name, final.at) if near else broken(name, final.at, f"Offset {begun}", f"{final.offset}")
            done = final


def _silence(turn: Turn, final: Result, length: int, dialect: str) -> Findings:
    name, seconds = "speech.status.silence-phrase", length / TICKS_PER_SECOND
    behind = [result for result in turn.results if result.at > final.at]
    if not _SILENCE[0] < seconds <= _SILENCE[1]:
        yield broken(name, final.at, f"{_SILENCE[0]} to {_SILENCE[1]} s of silence in one final", f"{seconds:.1f} s")
    elif behind:
        yield broken(name, behind[0].at, "turn.end behind the final of a silence", behind[0].said.path)
    elif turn.end is not None:
        yield kept(name, final.at)
    name = "speech.status.silence-phrase-form"
    if dialect == V1:
        good, expected = final.status == "NoMatch" and "Text" not in final.speech, "NoMatch without a text"
    else:
        good = final.status == "Success" and final.translation.get("Translations", []) == []
        expected = "Success with empty DisplayText and empty Translations"
    if turn.wanted.translated:
        yield kept(name, final.at) if good else broken(name, final.at, expected, f"{final.status} of other content")
    ends = [said for said in turn.answers if said.path == spoken.END_DETECTED]
    name = "speech.detected.end-silence"
    if turn.end is not None and not behind:
        good = len(ends) == 1
        yield kept(name, turn.end.at) if good else broken(name, turn.end.at, "one speech.endDetected", f"{len(ends)}")


def long_speech(view: View) -> Findings:
    """speech.status.long-speech: speech without a pause is cut."""
    name = "speech.status.long-speech"
    for turn in view.turns:
        for _, final in utterances(turn):
            length = _length(final)
            if not final.speaks or length is None:
                continue
            seconds = length / TICKS_PER_SECOND
            if seconds > _LONGEST_SPEECH_S:
                yield broken(name, final.at, "a final of about 30 s at the most", f"{seconds:.1f} s")
            elif seconds > _LONGEST_SPEECH_S - 15:
                yield kept(name, final.at)


def commits(view: View) -> Findings:
    """speech.commit.acknowledged: a final gives the token of the audio.commit back that has forced it."""
    name = "speech.commit.acknowledged"
    for turn in view.turns:
        given = {_acknowledged(final): final for final in turn.finals}
        for said in turn.client:
            token = said.message.get(_TOKEN) if said.path == spoken.COMMIT and said.message is not None else None
            if token is None or said.seen.deliberate:
                continue
            if token in given:
                yield kept(name, given[token].at)
            elif turn.end is not None and said.at < _first_stop(turn) and not turn.provoked:
                forced = next((final for final in turn.finals if _was_open(turn, final, said)), None)
                if forced is not None:
                    yield broken(name, forced.at, f"a final with {_TOKEN} {token}", "none")


def _first_stop(turn: Turn) -> float:
    """Return where the stream may first have been taken to be over; -1 if nowhere.

    That audio came behind an empty message does not say that it came in time.
    """
    return min((said.at for said in turn.audio if not said.payload), default=-1)


def _was_open(turn: Turn, final: Result, commit: Said) -> bool:
    """Tell whether an utterance was being said, or had only just been, when a commit came.

    One behind which there was more silence has its end by itself: no commit has forced it.
    """
    heard = turn.heard(commit.at)
    if heard is None or final.offset is None or final.end is None or not final.speaks:
        return False
    return final.offset < heard <= final.end + _JUST_MS * TICKS_PER_SECOND // 1000 and _acknowledged(final) is None


def _acknowledged(final: Result) -> object:
    metadata = final.speech.get("clientAudioMetadata")
    return metadata.get(_TOKEN) if isinstance(metadata, dict) else None


def _length(final: Result) -> int | None:
    return ticks(final.speech.get("Duration"))


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, partials, "speech.result.partial-before-final", "speech.result.no-partial-after-final"),
    rule(
        Party.SERVER,
        contents,
        "speech.result.empty-success",
        "speech.result.bad-target-keeps-text",
        "speech.result.failure-reason",
    ),
    rule(
        Party.SERVER,
        details,
        "speech.result.detailed",
        "speech.plain.detailed",
        "speech.result.simple-without-nbest",
    ),
    rule(
        Party.SERVER,
        extra_phrases,
        "speech.result.no-extra-phrase",
        "speech.language.no-plain-results",
        "speech.plain.phrase",
        "speech.plain.hypothesis",
    ),
    rule(
        Party.SERVER,
        silences,
        "speech.status.silence-phrase",
        "speech.status.silence-phrase-form",
        "speech.status.silence-offset",
        "speech.detected.end-silence",
    ),
    rule(Party.SERVER, long_speech, "speech.status.long-speech"),
    rule(Party.SERVER, commits, "speech.commit.acknowledged"),
)
