"""Servers that get the members of results wrong, those of plain recognition and of identified languages among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Conversing, Mutator, Result, lacking
from protocol.speech.framing import UspMessage, text
from protocol.wire import Outbound

Changed = Iterable[Result | UspMessage | Outbound]


@fault("hypothesis.form", "no-duration")
class HypothesisWithoutDuration(Conversing):
    """Sends translation.hypothesis without Duration, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        return (result.silent_on("Duration"),) if not (result.final or result.plain) else (result,)


@fault("hypothesis.translation", "other-name")
class HypothesisTextElsewhere(Conversing):
    """Has the translations of a translation.hypothesis in DisplayText, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Rename the member."""
        return (_renamed(result),) if not (result.final or result.plain) else (result,)


@fault("phrase.form", "other-name")
class PhraseTextElsewhere(Conversing):
    """Has the text of a translation.phrase in DisplayText, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Rename the member."""
        if not result.final or "Text" not in result.speech:
            return (result,)
        return (result.silent_on("Text").saying(DisplayText=result.speech["Text"]),)


@fault("phrase.translation", "other-name")
class TranslationElsewhere(Conversing):
    """Has the translations of a translation.phrase in DisplayText, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Rename the member."""
        return (_renamed(result),) if result.speaks and not result.plain else (result,)


def _renamed(result: Result) -> Result:
    return result.translated({**lacking(entry, "Text"), "DisplayText": entry["Text"]} for entry in result.entries)


@fault("response.form", "no-duration")
class ResponseWithoutDuration(Conversing):
    """Sends a SpeechHypothesis without Duration, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        return (result.silent_on("Duration"),) if not (result.final or result.plain) else (result,)


@fault("response.one-shape", "both")
class BothShapes(Conversing):
    """Sends a SpeechHypothesis beside the SpeechPhrase, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Add one."""
        failed = result.translation.get("TranslationStatus") == "Error"
        if not result.speaks or result.plain or failed:
            return (result,)
        speech = {name: result.speech[name] for name in ("Offset", "Duration")}
        also = {"SpeechHypothesis": {**speech, "Text": result.speech["DisplayText"]}}
        return (replace(result, translation={**result.translation, **also}),)


@fault("response.display-text", "other-name")
class DisplayTextElsewhere(Conversing):
    """Has the text of a SpeechPhrase in Text, in conversations."""

    def on_result(self, result: Result) -> Changed:
        """Rename the member."""
        if not result.speaks or result.plain:
            return (result,)
        return (result.silent_on("DisplayText").saying(Text=result.speech["DisplayText"]),)


@fault("response.translations", "left-out")
class SilenceWithoutTranslations(Mutator):
    """Leaves Translations out of a final of Success that has no words."""

    def on_result(self, result: Result) -> Changed:
        """Drop them."""
        if result.plain or result.speaks or result.status != "Success":
            return (result,)
        return (replace(result, translation=lacking(result.translation, "Translations")),)


@fault("language.primary", "left-out")
class LanguageUnsaid(Mutator):
    """Does not say which language was spoken in hypotheses."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        return (result.silent_on("PrimaryLanguage"),) if not result.final else (result,)


@fault("language.confidence", "number")
class ConfidenceAsNumber(Mutator):
    """Says how sure it is of a language in a number."""

    def on_result(self, result: Result) -> Changed:
        """Replace the word."""
        found = result.speech.get("PrimaryLanguage")
        return (result.saying(PrimaryLanguage={**found, "Confidence": 0.9}),) if found else (result,)


def _spoken(result: Result, language: str) -> Result:
    return result.saying(PrimaryLanguage={**result.speech["PrimaryLanguage"], "Language": language})


@fault("language.open-range", "locale")
class LocaleOfOpenRange(Mutator):
    """Answers an open range of languages with a locale."""

    def on_result(self, result: Result) -> Changed:
        """Add a region."""
        language = result.speech.get("PrimaryLanguage", {}).get("Language", "-")
        return (_spoken(result, f"{language}-{language.upper()}"),) if "-" not in language else (result,)


@fault("language.candidates", "other-region")
class OtherCandidate(Mutator):
    """Answers a list of languages with a locale that is not in it."""

    def on_result(self, result: Result) -> Changed:
        """Replace the region."""
        language = result.speech.get("PrimaryLanguage", {}).get("Language", "")
        return (_spoken(result, f"{language.partition('-')[0]}-AQ"),) if "-" in language else (result,)


@fault("language.no-plain-results", "beside")
class PlainBesideIdentified(Mutator):
    """Sends plain hypotheses beside translated ones where a language is to be found out."""

    def on_result(self, result: Result) -> Changed:
        """Add one in front."""
        if result.final or result.plain or not self.context.get("languageId"):
            return (result,)
        return text("speech.hypothesis", result.message.request_id, lacking(result.speech, "Channel")), result


@fault("plain.phrase", "other-shape")
class PlainPhraseElsewhere(Mutator):
    """Sends plain finals without NBest as translation.response."""

    def on_result(self, result: Result) -> Changed:
        """Rewrite them."""
        if not result.plain or not result.final or "NBest" in result.speech:
            return (result,)
        members = {"SpeechPhrase": result.speech, "TranslationStatus": "Success", "Translations": []}
        return (text("translation.response", result.message.request_id, members),)


@fault("plain.hypothesis", "no-duration")
class PlainHypothesisShort(Mutator):
    """Sends plain hypotheses without Duration."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        return (result.silent_on("Duration"),) if result.plain and not result.final else (result,)


@fault("plain.detailed", "no-nbest")
class PlainUndetailed(Mutator):
    """Sends no NBest with plain finals."""

    def on_result(self, result: Result) -> Changed:
        """Drop it."""
        return (result.silent_on("NBest"),) if result.plain else (result,)
