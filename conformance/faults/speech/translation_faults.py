"""Servers that get the translations of results wrong, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Conversing, Members, Mutator, Result, lacking
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

Changed = Iterable[Result | UspMessage | Outbound]


@fault("result.targets-all", "one-too-many")
class OneTooMany(Conversing):
    """Translates hypotheses into a language that nobody asked for, too, in conversations."""

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
class OtherRegion(Conversing):
    """Adds a region to the languages of translations, in conversations."""

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
class EmptyTranslations(Conversing):
    """Sends an empty translation of success, where there is one that is not to be spoken, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Empty it in finals."""
        if not result.speaks or len(result.entries) != 1 or self.context.get("synthesis"):
            return (result,)
        names = ("Text", "DisplayText")
        return (result.translated({**one, **{n: "" for n in names if n in one}} for one in result.entries),)


@fault("result.simple-without-nbest", "always")
class AlwaysDetailed(Conversing):
    """Sends NBest to everybody, in conversations."""

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
class LowerCaseStatus(Conversing):
    """Writes the TranslationStatus of hypotheses in lower case, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Spell it so."""
        if result.final or result.plain:
            return (result,)
        return (replace(result, translation={**result.translation, "TranslationStatus": "success"}),)


@fault("result.dialect-paths", "of-the-other")
class OtherShape(Conversing):
    """Sends hypotheses in the shape of the other dialect, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Rewrite them."""
        if result.final or result.plain:
            return (result,)
        name = result.message.request_id
        if result.message.path == "translation.response":
            return (text("translation.hypothesis", name, {**result.speech, "Translation": result.translation}),)
        return (text("translation.response", name, {"SpeechHypothesis": result.speech, **result.translation}),)
