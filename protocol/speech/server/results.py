"""From what the pipeline found to what the client is told: texts, languages, statuses. Without state.

Positions come in bytes, times go out in ticks of 100 ns from the turn's first sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from protocol import profanity
from protocol.audio import PcmFormat
from protocol.events import Hypothesis, Phrase, Span
from protocol.languages import Catalogue
from protocol.speech.context import Wanted
from protocol.speech.handshake import Profanity
from protocol.speech.languages import echo, is_open, speech_key, text_key
from protocol.speech.messages import ERROR, SUCCESS, V1, V2, Alternative, Final, Interim, Translation

TICKS_PER_MS = 10_000

_PUNCTUATION = re.compile(r"[^\w\s'\u2019-]|(?<!\w)['\u2019-]|['\u2019-](?!\w)")


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a turn: the tag as it was asked for, and the text key that serves it, None for a bad one."""

    tag: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Where results are told: the dialect, and the server's catalogue.

    `streams`: whether voices come as streams, one for each language, as in v2.
    """

    dialect: str
    catalogue: Catalogue
    streams: bool


def targets_of(tags: tuple[str, ...], catalogue: Catalogue, spoken: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets that the tags mean, in their order; bad are also those that no spoken language goes into.

    `spoken` are speech keys: that of the source, or of all that it may turn out to be.
    """
    languages = [catalogue.speech[key].language for key in spoken if key in catalogue.speech]
    reached = {text_id for language in languages for text_id in catalogue.targets(language)}
    keys = [text_key(catalogue, tag) for tag in tags]
    return tuple(Target(tag, key if key in reached else None) for tag, key in zip(tags, keys, strict=True))


def keys_of(targets: tuple[Target, ...]) -> tuple[str, ...]:
    """Return the text keys to translate into, each once."""
    return tuple(dict.fromkeys(target.key for target in targets if target.key is not None))


def ticks(pcm: PcmFormat, position: int) -> int:
    """Return a position as ticks."""
    return pcm.bytes_to_ticks(position)


def whole_ms(pcm: PcmFormat, position: int) -> int:
    """Return a position as ticks, rounded up to a whole ms: one client counts in these (fact B, section 4)."""
    return -(-pcm.bytes_to_ticks(position) // TICKS_PER_MS) * TICKS_PER_MS


def raw(text: str) -> str:
    """Return a text as it stands before anybody has tidied it: lower case, no punctuation (fact P-27)."""
    return " ".join(_PUNCTUATION.sub(" ", text).lower().split())


def treated(text: str, words: frozenset[str], treatment: Profanity) -> str:
    """Return a text with its profanities treated (speech.result.profanity)."""
    change = _TREATMENTS[treatment]
    return text if change is None else profanity.treat(text, words, change)


_TREATMENTS: Mapping[Profanity, Callable[[str], str] | None] = {
    Profanity.RAW: None,
    Profanity.REMOVED: lambda _: "",
    Profanity.MASKED: lambda word: "*" * len(word),
    Profanity.TAGGED: lambda word: f"<profanity>{word}</profanity>",
}


def language_of(found: str | None, wanted: Wanted, dialect: str, catalogue: Catalogue) -> str | None:
    """Return the tag of the language that is spoken, or None where nobody wants to know.

    Of candidates it is the one that was found; of all languages its bare code (fact P-22). Results of v1 name it only
    where it had to be found out.
    """
    if not wanted.candidates:
        return wanted.source if dialect == V2 else None
    if is_open(wanted.candidates):
        return None if found is None else catalogue.speech[found].language
    return next((tag for tag in wanted.candidates if speech_key(catalogue, tag) == found), wanted.candidates[0])


def interim(event: Hypothesis, wanted: Wanted, targets: tuple[Target, ...], pcm: PcmFormat, heard: Heard) -> Interim:
    """Return the hypothesis as it is told; its status is always Success (fact V-08)."""
    texts = dict(zip(event.targets, event.translations, strict=True))
    return Interim(
        text=treated(raw(event.recognition), event.profanities, wanted.profanity),
        offset=ticks(pcm, event.span.start),
        duration=ticks(pcm, event.span.size),
        translations=_translations(texts, targets, event.profanities, wanted, heard.dialect),
        language=language_of(event.language, wanted, heard.dialect, heard.catalogue),
        translated=wanted.translated,
    )


def final(
    event: Phrase, wanted: Wanted, targets: tuple[Target, ...], pcm: PcmFormat, heard: Heard, until: int | None
) -> Final:
    """Return the final of an utterance; `until` in ticks is where it ends instead, if that is given."""
    offset = ticks(pcm, event.span.start)
    duration = ticks(pcm, event.span.size) if until is None else until - offset
    language = language_of(event.language, wanted, heard.dialect, heard.catalogue)
    status = event.status or (SUCCESS if event.recognition else "NoMatch")
    if status != SUCCESS:
        spoken = language if heard.dialect == V2 else None
        return Final(status, offset, duration, language=spoken, commit=event.commit, translated=wanted.translated)
    text = treated(event.recognition, event.profanities, wanted.profanity)
    texts = dict(zip(event.targets, event.translations, strict=True))
    reason = _failure(targets, event.failures)
    kept = tuple(target for target in targets if target.key not in event.failures)
    return Final(
        status=SUCCESS,
        offset=offset,
        duration=duration,
        text=text,
        translations=() if reason else _translations(texts, kept, event.profanities, wanted, heard.dialect),
        translation_status=(ERROR if reason else SUCCESS) if wanted.translated else None,
        failure_reason=reason,
        language=language,
        alternatives=_alternatives(event, wanted) if wanted.detailed else (),
        commit=event.commit,
        translated=wanted.translated,
    )


def _failure(targets: tuple[Target, ...], failures: Mapping[str, str]) -> str | None:
    """Return why there are no translations: one target is bad (fact P-13), or every single one failed (decision)."""
    bad = [target.tag for target in targets if target.key is None]
    if bad:
        return f"Translation call failed: the target language '{bad[0]}' is not valid."
    why = [failures[target.key] for target in targets if target.key is not None and target.key in failures]
    return f"Translation call failed: {why[0]}" if why and len(why) == len(targets) else None


def _translations(
    texts: dict[str, str], targets: tuple[Target, ...], words: frozenset[str], wanted: Wanted, dialect: str
) -> tuple[Translation, ...]:
    return tuple(
        Translation(echo(dialect, target.tag, target.key), treated(texts[target.key], words, wanted.profanity))
        for target in targets
        if target.key is not None and target.key in texts
    )


def _alternatives(event: Phrase, wanted: Wanted) -> tuple[Alternative, ...]:
    """Return the detailed output: one way to read it, since the engines give no other."""
    plain = raw(event.recognition)
    masked, display = (treated(text, event.profanities, wanted.profanity) for text in (plain, event.recognition))
    return (Alternative(0.9, plain, plain, masked, display),)


def silence(span: Span, until: int, wanted: Wanted, pcm: PcmFormat, heard: Heard, *, one_shot: bool) -> Final:
    """Return the final of a silence up to `until` in ticks (facts P-01 to P-05)."""
    offset = ticks(pcm, span.start)
    if one_shot:
        status = "InitialSilenceTimeout"
    elif heard.dialect == V1 or not wanted.translated:
        status = "NoMatch"
    else:
        language = wanted.source
        return Final(SUCCESS, offset, until - offset, "", (), SUCCESS, language=language)
    return Final(status, offset, until - offset, translated=wanted.translated)
