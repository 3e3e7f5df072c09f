"""The form of every hypothesis and phrase (requirements speech.hypothesis.*, phrase.*, response.*, plain.*, result.*).

What a message has to hold is in the schemas, which name the requirement of each constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import PLAIN, Result, read_result
from conformance.judge.verdict import Verdict
from protocol.speech.messages import V1
from protocol.speech.parsing import READERS
from protocol.validate import validator
from protocol.wire import Party

_LANGUAGE = "speech.language."
_STATUS = "speech.result.translation-status"


def dialect_paths(view: View) -> Findings:
    """speech.result.dialect-paths: translations come in the shape of their dialect."""
    name = "speech.result.dialect-paths"
    own = "translation.hypothesis and translation.phrase" if view.dialect == V1 else "translation.response"
    for result in _results(view):
        if result.shape == view.dialect:
            yield kept(name, result.at)
        elif result.shape != PLAIN:
            yield broken(name, result.at, own, result.said.path)


def forms(view: View) -> Findings:
    """Judge each result by the schema of its path, where that is of its dialect; each requirement once a message."""
    for result in _results(view):
        if result.shape not in (view.dialect, PLAIN):
            continue
        errors = validator(f"speech/{READERS[result.said.path][0]}").errors(result.said.body)
        # PrimaryLanguage matters where it was asked for: that is for `languages` to say.
        wrong = {error.requirement: error for error in reversed(errors) if not error.requirement.startswith(_LANGUAGE)}
        for name, error in wrong.items():
            mild = name == _STATUS and result.final and result.status != "Success"  # nobody reads it there
            verdict = Verdict.NON_STRICT if mild else None
            yield broken(name, result.at, f"{error.expected} at {error.at}", error.observed, verdict)
        for name in _shown(result):
            if name not in wrong:
                yield kept(name, result.at)


def _results(view: View) -> Iterator[Result]:
    return (result for said in view.server_said if (result := read_result(said)) is not None)


def _shown(result: Result) -> Iterator[str]:
    """Yield the requirements about form that a good result shows."""
    success = result.status == "Success"
    yield "speech.result.ticks"
    if result.final:
        yield "speech.result.status"
        if not success:
            yield "speech.result.no-text-unless-success"
    if "TranslationStatus" in result.translation:
        yield _STATUS
    if result.shape == PLAIN:
        yield "speech.plain.phrase" if result.final else "speech.plain.hypothesis"
    elif result.shape == V1:
        word = "phrase" if result.final else "hypothesis"
        yield f"speech.{word}.form"
        if success or not result.final:
            yield f"speech.{word}.translation"
    else:
        yield "speech.response.form"
        yield "speech.response.one-shape"
        if success:
            yield "speech.response.display-text"
        if success or not result.final:
            yield "speech.response.translations"


RULES: Sequence[Rule[View]] = (
    rule(Party.SERVER, dialect_paths, "speech.result.dialect-paths"),
    rule(
        Party.SERVER,
        forms,
        "speech.frame.text-json",
        "speech.result.ticks",
        "speech.result.status",
        "speech.result.no-text-unless-success",
        _STATUS,
        "speech.result.failure-reason",
        "speech.result.detailed",
        "speech.commit.acknowledged",
        "speech.hypothesis.form",
        "speech.hypothesis.translation",
        "speech.phrase.form",
        "speech.phrase.translation",
        "speech.response.form",
        "speech.response.one-shape",
        "speech.response.display-text",
        "speech.response.translations",
        "speech.plain.phrase",
        "speech.plain.hypothesis",
        "speech.plain.detailed",
    ),
)
