"""What a conversation asks for, in the query and in JSON bodies: valid, and what the official SDKs send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.cases.context import Context, NotOffered
from conformance.cases.registry import Case
from conformance.cases.speech.asking import (
    CONVERSATION,
    Ask,
    another_target,
    config_body,
    context_body,
    merged,
    other_targets,
    short,
    speech_target,
    spoken,
    usual,
    with_region,
)
from conformance.cases.target import Target
from conformance.peers.budget import Budget
from protocol.validate import validator
from protocol.wire import Party

PATH = "/stt/speech/universal/v2"


async def nothing(_: Any) -> None:
    """Do nothing: these contexts are used by hand."""


@pytest.fixture
def context_of(target_of: Callable[..., Target]) -> Callable[..., Context]:
    def make(**fields: Any) -> Context:
        case = Case("a.case", "speech-v2", Party.SERVER, (), (), 1, "fast", "A case.", nothing)
        return Context(case, target_of(**{"path": PATH, **fields}), Budget(), 7)

    return make


class TestBodies:
    @pytest.mark.parametrize(
        "ask",
        [
            Ask("en-US", ("it",)),
            Ask("en-US", ("it", "de"), CONVERSATION, {"it": "it-IT-ElsaNeural"}),
            Ask(None, (), None, members={"languageId": {"languages": ["en-US"], "mode": "DetectAtAudioStart"}}),
        ],
    )
    def test_are_valid(self, ask: Ask) -> None:
        assert validator("speech/speech-config").errors(config_body(ask)) == ()
        assert validator("speech/speech-context").errors(context_body(ask)) == ()

    def test_say_what_is_wanted(self) -> None:
        body = context_body(Ask("en-US", ("it",), CONVERSATION, {"it": "V"}))
        assert body["phraseDetection"]["mode"] == "Conversation"
        assert body["translation"]["targetLanguages"] == ["it"]
        assert body["synthesis"] == {"defaultVoices": {"it": "V"}, "synthesizedLanguages": ["it"]}

    def test_leave_out_what_is_not(self) -> None:
        assert context_body(Ask(None, (), None)) == {"phraseDetection": {"enrichment": {}}, "phraseOutput": {}}
        assert "recognition" not in config_body(Ask(None, (), None))

    def test_are_changed_by_members_and_then_as_a_whole(self) -> None:
        ask = Ask(None, (), None, members={"phraseOutput": {"format": "Detailed"}}, shape=lambda body: {"body": body})
        assert context_body(ask)["body"]["phraseOutput"] == {"format": "Detailed"}

    def test_merge_member_by_member(self) -> None:
        assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "d": {"e": 5}}) == {
            "a": {"b": 1, "c": 4},
            "d": {"e": 5},
        }


class TestTarget:
    def test_says_in_the_query_what_is_wanted(self, context_of: Callable[..., Context]) -> None:
        context = context_of(path=f"{PATH}?cid=1")
        query = "cid=1&from=en-US&to=it&scenario=interactive"
        assert speech_target(context) == f"{PATH}?{query}"
        ask = usual(context, targets=("it", "de"), voices={"it": "V"}, mode=None)
        assert speech_target(context, ask, extra=(("x", "1"),)) == (
            f"{PATH}?cid=1&from=en-US&to=it%2Cde&voice=V&features=requireVoice&x=1"
        )


class TestChoices:
    def test_of_a_voice_are_the_users_or_well_known(self, context_of: Callable[..., Context]) -> None:
        assert spoken(context_of()) == {"it": "it-IT-ElsaNeural"}
        assert spoken(context_of(voice="V"), "it", "fr-CA") == {"it": "V", "fr-CA": "fr-FR-DeniseNeural"}
        with pytest.raises(NotOffered, match="name one with --voice"):
            spoken(context_of(), "tlh")

    @pytest.mark.parametrize(("fields", "other"), [({}, "de"), ({"target": "de-AT"}, "fr"), ({"source": "de"}, "fr")])
    def test_of_another_target_differ_from_both(
        self, context_of: Callable[..., Context], fields: dict[str, str], other: str
    ) -> None:
        assert another_target(context_of(**fields)) == other

    def test_of_other_targets_are_what_the_server_has(self, context_of: Callable[..., Context]) -> None:
        context = context_of(others=("en", "it", "es", "fr-CA"))
        assert other_targets(context.target) == ("es", "fr-CA")
        with pytest.raises(NotOffered, match=r"^it is the only language found that the server translates into$"):
            another_target(context_of(others=("it-IT",)))

    @pytest.mark.parametrize(
        ("tag", "region"), [("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("zh-Hans", "zh-CN"), ("tlh", "tlh-TLH")]
    )
    def test_of_a_region_are_where_most_speakers_are(self, tag: str, region: str) -> None:
        assert with_region(tag) == region

    def test_compare_by_the_first_subtag(self) -> None:
        assert (short("PT-br"), short("zh")) == ("pt", "zh")
