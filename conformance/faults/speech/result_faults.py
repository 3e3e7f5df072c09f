"""Servers that get results wrong: which come, where they stand in the audio, in which languages they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Members, Mutator, Result, lacking
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

_SECOND = 10_000_000
_TIMES = ("Offset", "Duration")

Changed = Iterable[Result | UspMessage | Outbound]


@fault("result.final-always", "dropped-in-conversation")
class NoFinals(Mutator):
    """Sends no finals with words in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Drop them."""
        return () if result.speaks and self.continuous else (result,)


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
    """Counts offsets from somewhere before the connection in all turns but the first."""

    def on_result(self, result: Result) -> Changed:
        """Add a minute."""
        if self.turn < 1 or not result.final:
            return (result,)
        return (result.saying(Offset=result.speech["Offset"] + 60 * _SECOND),)


@fault("result.offsets-grow", "constant")
class ConstantOffset(Mutator):
    """Has all finals of a turn begin with the first."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, int] = {}

    def on_result(self, result: Result) -> Changed:
        """Stretch the later ones."""
        if not result.speaks:
            return (result,)
        offset, duration = result.speech["Offset"], result.speech["Duration"]
        first = self._first.setdefault(result.message.request_id, offset)
        return (result.saying(Offset=first, Duration=offset + duration - first),)


@fault("result.within-audio", "beyond-the-end")
class BeyondTheEnd(Mutator):
    """Says that the final of a one-shot turn is ten seconds longer than the audio."""

    def on_result(self, result: Result) -> Changed:
        """Add them."""
        if not result.speaks or self.continuous:
            return (result,)
        return (result.saying(Duration=result.speech["Duration"] + 10 * _SECOND),)


class Remembering(Mutator):
    """Knows the last hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Result | None = None

    def on_result(self, result: Result) -> Changed:
        """Remember it."""
        if not result.final:
            self.last = result
        return self.on_finals(result) if result.final else (result,)

    def on_finals(self, result: Result) -> Changed:
        """Change a final."""
        return (result,)


@fault("result.no-partial-after-final", "again")
class PartialAgain(Remembering):
    """Sends the last hypothesis of an utterance again behind its final, in conversations."""

    def on_finals(self, result: Result) -> Changed:
        """Add it, with the final's offset as it was."""
        if not (result.speaks and self.continuous and self.last):
            return (result,)
        return result, self.last.message


@fault("result.partial-before-final", "none", implies=("context.interims-unasked", "audio.real-time"))
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
        """Drop the others, but for those that are like it."""
        first = result.entries[:1]
        if result.final or len({_primary(entry) for entry in result.entries}) < len(result.entries):
            return (result,)
        return (result.translated(first),)


def _primary(entry: Members) -> str:
    return str(entry["Language"]).partition("-")[0].lower()


@fault("result.targets-order", "reversed")
class Reversed(Mutator):
    """Has the translations of hypotheses in reverse order."""

    def on_result(self, result: Result) -> Changed:
        """Turn them round."""
        return (result.translated(result.entries[::-1]),) if not result.final and result.entries else (result,)


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
    """Sends empty translations of success."""

    def on_result(self, result: Result) -> Changed:
        """Empty them in finals."""
        if not result.speaks or not result.entries:
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
class PhraseBeside(Mutator):
    """Sends a plain speech.phrase beside each translated final."""

    def on_result(self, result: Result) -> Changed:
        """Add it in front."""
        if not result.speaks or result.plain or self.context.get("languageId"):
            return (result,)
        plain = {name: result.speech[name] for name in ("RecognitionStatus", *_TIMES)}
        words = result.speech.get("DisplayText") or result.speech.get("Text")
        return text("speech.phrase", result.message.request_id, {**plain, "DisplayText": words}), result


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
