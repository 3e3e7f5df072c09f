"""Servers that get results wrong: which come, where they stand in the audio, in which languages they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Members, Mutator, Result, lacking
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

_SECOND = 10_000_000
_TIMES = ("Offset", "Duration")

Changed = Iterable[Result | UspMessage | Outbound]


class Counting(Mutator):
    """Counts the finals with words of each turn."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[str] = Counter()

    def on_result(self, result: Result) -> Changed:
        """Hand such a final on with its number from 0."""
        if not result.speaks:
            return (result,)
        self._counts[result.message.request_id] += 1
        return self.on_final(result, self._counts[result.message.request_id] - 1)

    def on_final(self, result: Result, number: int) -> Changed:
        """Change a final."""
        return (result,)


@fault("result.final-always", "second-dropped")
class DropsOne(Counting):
    """Loses the second final of a dictation."""

    def on_final(self, result: Result, number: int) -> Changed:
        """Drop it."""
        return () if number == 1 and self.mode == "Dictation" else (result,)


@fault("result.ticks", "texts")
class TicksAsTexts(Mutator):
    """Writes offsets and durations of hypotheses as texts."""

    def on_result(self, result: Result) -> Changed:
        """Quote them."""
        if result.final:
            return (result,)
        return (result.saying(**{name: str(result.speech[name]) for name in _TIMES}),)


@fault("result.ticks", "floats")
class TicksAsFloats(Mutator):
    """Writes the durations of hypotheses with a point."""

    def on_result(self, result: Result) -> Changed:
        """Add half a tick."""
        return (result.saying(Duration=result.speech["Duration"] + 0.5),) if not result.final else (result,)


@fault("result.turn-relative", "absolute", implies=("audio.header-each-turn",))
class Absolute(Mutator):
    """Counts offsets from somewhere before the turn in all one-shot turns but the first."""

    def on_result(self, result: Result) -> Changed:
        """Add ten seconds."""
        if self.turn < 1 or not result.speaks or self.continuous:
            return (result,)
        return (result.saying(Offset=result.speech["Offset"] + 10 * _SECOND),)


@fault("result.offsets-grow", "constant")
class ConstantOffset(Counting):
    """Has the second final of a turn begin with the first, where that makes no long one."""

    def __init__(self) -> None:
        super().__init__()
        self._first = 0

    def on_final(self, result: Result, number: int) -> Changed:
        """Stretch it."""
        offset, end = result.speech["Offset"], result.speech["Offset"] + result.speech["Duration"]
        if number == 0:
            self._first = offset
        if number != 1 or end - self._first > 20 * _SECOND:
            return (result,)
        return (result.saying(Offset=self._first, Duration=end - self._first),)


@fault("result.within-audio", "beyond-the-end")
class BeyondTheEnd(Mutator):
    """Says that the final of a one-shot turn is ten seconds longer than the audio."""

    def on_result(self, result: Result) -> Changed:
        """Add them."""
        if not result.speaks or self.mode != "Interactive":
            return (result,)
        return (result.saying(Duration=result.speech["Duration"] + 10 * _SECOND),)


@fault("result.no-partial-after-final", "again")
class PartialAgain(Mutator):
    """Sends the last hypothesis of an utterance again in front of the first one of the next utterance."""

    def __init__(self) -> None:
        super().__init__()
        self._last: Result | None = None
        self._late: Result | None = None

    def on_result(self, result: Result) -> Changed:
        """Remember it up to there."""
        if result.final:
            self._last, self._late = None, self._last
            return (result,)
        late, self._last, self._late = self._late, result, None
        same = late is not None and late.message.request_id == result.message.request_id
        return (late.message, result) if late is not None and same else (result,)


@fault("result.partial-before-final", "none", implies=("audio.real-time",))
class NoPartials(Mutator):
    """Sends no hypotheses of translations."""

    def on_result(self, result: Result) -> Changed:
        """Drop them."""
        return (result,) if result.final or result.plain else ()


@fault("result.targets-all", "one-too-many")
class OneTooMany(Mutator):
    """Translates hypotheses into a language that nobody asked for, too."""

    def on_result(self, result: Result) -> Changed:
        """Add it."""
        if result.final or not result.entries:
            return (result,)
        return (result.translated([*result.entries, {**result.entries[0], "Language": "tlh"}]),)


@fault("result.targets-all", "first-alone")
class FirstTarget(Mutator):
    """Translates hypotheses into the first target alone."""

    def on_result(self, result: Result) -> Changed:
        """Drop the others, unless some are like one another or like the source."""
        languages = {"en", *map(_primary, result.entries)}
        if result.final or len(languages) <= len(result.entries):
            return (result,)
        return (result.translated(result.entries[:1]),)


def _primary(entry: Members) -> str:
    return str(entry["Language"]).partition("-")[0].lower()


@fault("result.targets-order", "reversed")
class Reversed(Mutator):
    """Has the translations of hypotheses in reverse order."""

    def on_result(self, result: Result) -> Changed:
        """Turn them round."""
        asked = self.context.get("translation", {}).get("targetLanguages", ())
        due = not result.final and len(result.entries) == len(asked) > 1
        return (result.translated(result.entries[::-1]),) if due else (result,)


@fault("result.language-echo", "other-region")
class OtherRegion(Mutator):
    """Adds a region to the languages of translations."""

    def on_result(self, result: Result) -> Changed:
        """Put one behind each."""
        entries = [{**entry, "Language": f"{_primary(entry)}-AQ"} for entry in result.entries]
        return (result.translated(entries),) if entries else (result,)


@fault("result.same-language", "dropped")
class NotTheSame(Mutator):
    """Answers no target that equals the source."""

    def on_result(self, result: Result) -> Changed:
        """Drop it from among others."""
        source = str(self.context.get("phraseDetection", {}).get("language", ""))
        kept = [entry for entry in result.entries if _primary(entry) != source.partition("-")[0].lower()]
        return (result.translated(kept),) if kept != result.entries else (result,)


@fault("result.both-tags", "first-alone")
class OneTagEach(Mutator):
    """Answers one target for each language, whatever the regions."""

    def on_result(self, result: Result) -> Changed:
        """Keep the first of each."""
        first = {_primary(entry): entry for entry in reversed(result.entries)}
        kept = [entry for entry in result.entries if first[_primary(entry)] is entry]
        return (result.translated(kept),) if len(kept) < len(result.entries) else (result,)


def _failed(result: Result) -> bool:
    return result.final and result.translation.get("TranslationStatus") == "Error"


@fault("result.bad-target-keeps-text", "lost")
class LosesText(Mutator):
    """Loses the recognised text when a translation fails."""

    def on_result(self, result: Result) -> Changed:
        """Empty it."""
        names = [name for name in ("Text", "DisplayText") if result.speech.get(name)]
        return (result.saying(**dict.fromkeys(names, "")),) if _failed(result) else (result,)


@fault("result.failure-reason", "left-out")
class NoFailureReason(Mutator):
    """Does not say why a translation failed."""

    def on_result(self, result: Result) -> Changed:
        """Drop the reason."""
        if not _failed(result):
            return (result,)
        return (replace(result, translation=lacking(result.translation, "FailureReason")),)


@fault("result.empty-success", "empty")
class EmptyTranslations(Mutator):
    """Sends an empty translation of success, where there is one that is not to be spoken."""

    def on_result(self, result: Result) -> Changed:
        """Empty it in finals."""
        if not result.speaks or len(result.entries) != 1 or self.context.get("synthesis"):
            return (result,)
        names = ("Text", "DisplayText")
        return (result.translated({**one, **{n: "" for n in names if n in one}} for one in result.entries),)


@fault("result.simple-without-nbest", "always")
class AlwaysDetailed(Mutator):
    """Sends NBest to everybody."""

    def on_result(self, result: Result) -> Changed:
        """Add it."""
        if not result.speaks or "NBest" in result.speech:
            return (result,)
        words = result.speech.get("DisplayText") or result.speech.get("Text")
        best = {"Confidence": 0.9, "Lexical": words, "ITN": words, "MaskedITN": words, "Display": words}
        return (result.saying(NBest=[best]),)


@fault("result.detailed", "no-nbest")
class NeverDetailed(Mutator):
    """Sends no NBest with translations that speech.context asks to have it with."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        asked = self.context.get("phraseOutput", {}).get("format")
        return (result.silent_on("NBest"),) if asked and not result.plain else (result,)


@fault("result.no-extra-phrase", "beside")
class PlainBeside(Mutator):
    """Sends a plain hypothesis beside each translated one, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Add it in front."""
        identified = "languageId" in self.context
        if result.final or result.plain or identified or not self.continuous:
            return (result,)
        return text("speech.hypothesis", result.message.request_id, lacking(result.speech, "Channel")), result


@fault("result.translation-status", "lower-case")
class LowerCaseStatus(Mutator):
    """Writes the TranslationStatus of hypotheses in lower case."""

    def on_result(self, result: Result) -> Changed:
        """Spell it so."""
        if result.final or result.plain:
            return (result,)
        return (replace(result, translation={**result.translation, "TranslationStatus": "success"}),)


@fault("result.dialect-paths", "of-the-other")
class OtherShape(Mutator):
    """Sends hypotheses in the shape of the other dialect."""

    def on_result(self, result: Result) -> Changed:
        """Rewrite them."""
        if result.final or result.plain:
            return (result,)
        name = result.message.request_id
        if result.message.path == "translation.response":
            return (text("translation.hypothesis", name, {**result.speech, "Translation": result.translation}),)
        return (text("translation.response", name, {"SpeechHypothesis": result.speech, **result.translation}),)
