"""`GET /languages`: scopes, names in the reader's language, and who may ask. Shapes are judged on every response."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import case
from conformance.cases.replies import Reply, ask, judge_refused, resource
from conformance.cases.translator.cross_origin import ORIGIN, admits, lists, preflight
from conformance.cases.translator.offer import entries, every_scope, languages_target, read_document
from conformance.judge.verdict import Verdict
from protocol.translator.handshake import LANGUAGES_PATH
from protocol.wire import Headers

_SCOPES: Final = {"speech", "text", "tts"}
_NEEDS = ("languages",)
_NO_LANGUAGE = "xx"

_OWN_NAMES: Final = {
    "cs": "čeština", "da": "dansk", "de": "deutsch", "el": "ελληνικά", "fi": "suomi", "fr": "français",
    "hu": "magyar", "it": "italiano", "ja": "日本語", "ko": "한국어", "nl": "nederlands", "pl": "polski",
    "pt": "português", "ro": "română", "ru": "русский", "sv": "svenska", "tr": "türkçe", "uk": "українська",
}  # fmt: skip
_ENGLISH_NAMES: Final = {
    "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "ja": "japanese", "ko": "korean", "nl": "dutch",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
    "uk": "ukrainian",
}  # fmt: skip
"""How languages are called, in themselves and in English: one word that every form of the name has in it."""


async def _get(context: Context, target: str, headers: Headers = ()) -> Reply:
    """Ask for `/languages`; errors as for `resource`."""
    return resource("languages", await ask(context, target, headers))


async def _document(context: Context, scope: str) -> dict[str, Any]:
    """Return the document that a good request gives; without it the case is blocked."""
    reply = await _get(context, languages_target(context, scope))
    document = read_document(reply.response)
    if document is None:
        raise Blocked(f"scope={scope} gives no JSON object: {reply.says}")
    return document


@case(
    "languages.scopes",
    "languages.no-auth",
    "languages.scope-subset",
    "languages.scope-order",
    "languages.default-scope",
    needs=_NEEDS,
)
async def scopes(context: Context) -> None:
    """Ask without a credential for all scopes, for them in reverse order, for one, and for none."""
    every = every_scope(context)
    reply = await _get(context, languages_target(context, every))
    verdict = Verdict.VIOLATION if reply.hangs else None
    expected = "status 200 for GET /languages without a credential"
    context.check("languages.no-auth", reply.status == 200, expected, reply.says, verdict)
    whole = read_document(reply.response)
    if whole is None:
        raise Blocked(f"scope={every} gives no JSON object: {reply.says}")
    _judge_scopes(context, "languages.scope-subset", whole, set(every.split(",")))

    reverse = ",".join(reversed(every.split(",")))
    reply = await _get(context, languages_target(context, reverse))
    same = read_document(reply.response) == whole
    expected = f"for scope={reverse} the content that scope={every} has"
    context.check("languages.scope-order", same, expected, f"other content, {reply.says}")

    for requirement, scope, wanted in (("scope-subset", "speech", "speech"), ("default-scope", None, "text")):
        reply = await _get(context, languages_target(context, scope))
        document = read_document(reply.response)
        if document is None:
            context.broken(f"languages.{requirement}", f"the scope {wanted}", f"no JSON object, {reply.says}")
        else:
            _judge_scopes(context, f"languages.{requirement}", document, {wanted})


def _judge_scopes(context: Context, requirement: str, document: Mapping[str, Any], wanted: set[str]) -> None:
    found = _SCOPES & document.keys()
    expected = f"of the scopes exactly {', '.join(sorted(wanted))}"
    context.check(requirement, found == wanted, expected, ", ".join(sorted(found)) or "none")


@case(
    "languages.names",
    "languages.accept-language-fallback",
    "languages.accept-language",
    "languages.accept-language-weights",
    needs=_NEEDS,
)
async def names(context: Context) -> None:
    """Ask for names in English, in a language that there is not, and in one or two that the server lists."""
    english, says = await _names(context, None)
    if not english:
        raise Blocked(f"the text scope has no names: {says}")
    strange = [f"{key}: {name}" for key, name in english.items() if not _called(name, _ENGLISH_NAMES.get(key, ""))]
    shown = f"{len(strange)} other names, {', '.join(strange[:3])}"
    context.check("languages.accept-language-fallback", not strange, "English names without Accept-Language", shown)
    await _same_names(context, "languages.accept-language-fallback", _NO_LANGUAGE, english, "English")

    known = [key for key in english if key in _OWN_NAMES]
    if not known:
        for name in ("languages.accept-language", "languages.accept-language-weights"):
            context.not_applicable(name, "the server lists no language whose own name is known to the suite")
        return
    for tag in context.random.sample(known, min(2, len(known))):
        read, says = await _names(context, tag)
        own = read.get(tag, "")
        expected = f"with Accept-Language: {tag} names in that language, which calls itself {_OWN_NAMES[tag]}"
        observed = f"it is called {own or 'nothing'}, {says}"
        context.check("languages.accept-language", _called(own, _OWN_NAMES[tag]), expected, observed)

    for value in (f"en;q=0.2, {tag};q=0.8", f"{tag}-AQ"):  # no locale has names of its own for the Antarctic
        await _same_names(context, "languages.accept-language-weights", value, read, tag)


async def _same_names(context: Context, requirement: str, value: str, wanted: dict[str, str], language: str) -> None:
    found, says = await _names(context, value)
    expected = f"for Accept-Language: {value} the names in {language}"
    context.check(requirement, found == wanted, expected, f"{'other' if found else 'no'} names, {says}")


async def _names(context: Context, accept_language: str | None) -> tuple[dict[str, str], str]:
    """Return the names of the text scope, none where it could not be read, and what was answered."""
    headers = () if accept_language is None else (("Accept-Language", accept_language),)
    reply = await _get(context, languages_target(context, "text"), headers)
    found = {key: entry.get("name") for key, entry in entries(read_document(reply.response) or {}, "text").items()}
    return {key: name for key, name in found.items() if isinstance(name, str)}, reply.says


def _called(name: str, word: str) -> bool:
    return unicodedata.normalize("NFC", word) in unicodedata.normalize("NFC", name).casefold()


@case("languages.voice-languages", "languages.language-name", needs=("languages", "tts"))
async def voice_languages(context: Context) -> None:
    """Compare the language names of voices with those of the text scope."""
    document = await _document(context, "text,tts")
    text, voices = entries(document, "text"), entries(document, "tts")
    pairs = {
        key: (voice.get("languageName"), text[voice["language"]].get("name"))
        for key, voice in voices.items()
        if voice.get("language") in text
    }
    if not pairs:
        raise NotOffered("the server lists no voices of its languages")
    odd = [f"{key}: {own}, not {other}" for key, (own, other) in pairs.items() if own != other]
    context.check("languages.language-name", not odd, "languageName as in the text scope", "; ".join(odd[:3]))


@case("languages.forms", "languages.path-case", "languages.content-type-header", needs=_NEEDS)
async def forms(context: Context) -> None:
    """Ask for /Languages, and send a Content-Type with the GET."""
    plain = await _document(context, "speech")
    target = languages_target(context, "speech")
    path, _, query = target.partition("?")
    other = f"{path.removesuffix(LANGUAGES_PATH)}/Languages?{query}"
    for requirement, where, headers, what in (
        ("languages.path-case", other, (), "the path /Languages"),
        ("languages.content-type-header", target, (("Content-Type", "application/json"),), "a GET with a Content-Type"),
    ):
        reply = await ask(context, where, headers)
        same = read_document(reply.response) == plain
        verdict = Verdict.VIOLATION if reply.hangs else None
        context.check(requirement, same, f"the same answer for {what}", f"another one, {reply.says}", verdict)


@case("languages.bad-values", "languages.bad-scope", "languages.bad-version", needs=_NEEDS)
async def bad_values(context: Context) -> None:
    """Ask for a scope and a version that do not exist, and leave the version out."""
    plain = await _document(context, "speech")
    for name, target, what in (
        ("bad-scope", languages_target(context, "speech,smell"), "the scope smell"),
        ("bad-version", languages_target(context, "speech", "2.0"), "api-version=2.0"),
    ):
        reply = await ask(context, target, deliberate=f"translator.languages.{name}")
        judge_refused(context, f"languages.{name}", reply, what)
    reply = await ask(context, languages_target(context, "speech", None), deliberate="translator.languages.bad-version")
    same = read_document(reply.response) == plain
    context.check(
        "languages.bad-version", same, "1.0 for a request without api-version", f"another answer, {reply.says}"
    )


@case("languages.cross-origin", "languages.cors", "languages.cors-preflight", needs=_NEEDS)
async def cross_origin(context: Context) -> None:
    """Ask as a page of another origin does, and make its preflight."""
    target = languages_target(context, "speech")
    reply = await _get(context, target, (("Origin", ORIGIN),))
    if reply.status != 200:
        raise Blocked(f"GET /languages gives {reply.says}")
    admits(context, "languages.cors", reply, "the response")
    reply = await preflight(context, target, "GET", "X-ClientTraceId")
    admits(context, "languages.cors-preflight", reply, "the preflight")
    kept = lists(reply, "Methods", "GET") and lists(reply, "Headers", "X-ClientTraceId")
    expected = "the method GET and the header X-ClientTraceId to be allowed"
    context.check("languages.cors-preflight", kept, expected, f"they are not, {reply.says}")
