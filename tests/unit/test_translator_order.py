"""The order table of `translator`: complete, grounded in facts, and drawn the same each time."""

from __future__ import annotations

import pytest

from protocol import requirements
from protocol.errors import PeerViolation
from protocol.order import Conversation, diagram
from protocol.translator import order
from protocol.translator.order import CLIENT, SERVER, TABLE
from protocol.wire import Party

WORDS = {
    CLIENT: (order.HEADER, order.AUDIO, order.TEXT, order.CLOSE),
    SERVER: (order.PARTIAL, order.FINAL, order.SPOKEN_FINAL, order.VOICE, order.CLOSE),
}
STATES = {
    CLIENT: (order.START, order.STREAMING, order.CLOSED),
    SERVER: (order.MUTE, order.LISTENING, order.HYPOTHESIS, order.VOICE_DUE, order.CLOSED),
}
EVERY_STEP = [(party, state, word) for party in Party for state in STATES[party] for word in WORDS[party]]


def talk(*steps: tuple[Party, str]) -> Conversation:
    conversation = Conversation(TABLE, None)
    for party, word in steps:
        conversation.step(party, word)
    return conversation


def refused(*steps: tuple[Party, str]) -> PeerViolation:
    *before, (party, word) = steps
    conversation = talk(*before)
    with pytest.raises(PeerViolation) as caught:
        conversation.step(party, word)
    return caught.value


class TestCompleteness:
    @pytest.mark.parametrize("party", Party)
    def test_the_table_speaks_of_these_states_and_no_others(self, party: Party) -> None:
        refusals = {row.state for row in TABLE.refusals if row.party is party}
        assert {*TABLE.states(party), *refusals} == set(STATES[party])

    @pytest.mark.parametrize("party", Party)
    def test_the_table_speaks_of_these_messages_and_no_others(self, party: Party) -> None:
        refusals = {row.message for row in TABLE.refusals if row.party is party}
        assert {*TABLE.messages(party), *refusals} == set(WORDS[party])

    @pytest.mark.parametrize(("party", "state", "word"), EVERY_STEP)
    def test_every_step_is_an_edge_or_a_refusal_and_not_both(self, party: Party, state: str, word: str) -> None:
        edges = [edge for edge in TABLE.edges if (edge.party, edge.state, edge.message) == (party, state, word)]
        refusals = [row for row in TABLE.refusals if (row.party, row.state, row.message) == (party, state, word)]
        assert len(edges) + len(refusals) == 1

    @pytest.mark.parametrize("party", Party)
    def test_every_state_can_be_reached(self, party: Party) -> None:
        carried = {to for edge in TABLE.edges for _, to in edge.carries}
        reached = {edge.next for edge in TABLE.edges if edge.party is party and edge.next != edge.state}
        assert reached | carried | {dict(TABLE.initial)[party]} >= set(STATES[party])

    def test_every_edge_and_refusal_leads_to_a_state_of_its_party(self) -> None:
        for edge in TABLE.edges:
            assert edge.next in STATES[edge.party]
            for known in edge.carries:
                other = SERVER if edge.party is CLIENT else CLIENT
                assert set(known) <= set(STATES[other])
        for row in TABLE.refusals:
            assert row.resume in STATES[row.party]

    @pytest.mark.parametrize("party", Party)
    def test_nothing_is_legal_behind_the_end_and_the_end_always_is(self, party: Party) -> None:
        assert TABLE.legal(party, order.CLOSED) == ()
        for state in STATES[party]:
            assert state == order.CLOSED or order.CLOSE in TABLE.legal(party, state)


class TestEvidence:
    @pytest.mark.parametrize("name", sorted({row.requirement for row in TABLE.refusals}))
    def test_every_requirement_is_in_the_register(self, name: str) -> None:
        assert requirements.get(name).dialects == ("translator",)

    def test_every_refusal_breaks_a_requirement_of_its_own_party_or_of_both(self) -> None:
        for row in TABLE.refusals:
            bound = requirements.get(row.requirement).party
            assert bound is row.party or row.requirement == "translator.session.no-data-after-close"

    @pytest.mark.parametrize("fact", sorted({fact for edge in TABLE.edges for fact in edge.evidence}))
    def test_every_fact_is_on_the_sheet(self, fact: str) -> None:
        assert fact in requirements.facts("translator")

    def test_every_edge_has_some(self) -> None:
        assert all(edge.evidence for edge in TABLE.edges)

    def test_the_table_is_of_a_dialect_that_exists(self) -> None:
        assert requirements.load(TABLE.dialect)


class TestClient:
    def test_a_header_then_audio_for_as_long_as_it_likes(self) -> None:
        conversation = talk((CLIENT, order.HEADER), (CLIENT, order.AUDIO), (CLIENT, order.AUDIO), (CLIENT, order.CLOSE))
        assert conversation.state(CLIENT) == order.CLOSED

    def test_may_leave_without_a_word(self) -> None:
        assert talk((CLIENT, order.CLOSE)).state(CLIENT) == order.CLOSED

    @pytest.mark.parametrize("before", [(), ((CLIENT, order.HEADER),)])
    def test_has_nothing_to_say_in_text(self, before: tuple[tuple[Party, str], ...]) -> None:
        assert refused(*before, (CLIENT, order.TEXT)).requirement == "translator.client.binary-only"

    def test_begins_with_its_header_and_sends_one(self) -> None:
        assert refused((CLIENT, order.AUDIO)).requirement == "translator.client.header-first"
        assert refused((CLIENT, order.HEADER), (CLIENT, order.HEADER)).requirement == "translator.client.header-first"


class TestServer:
    HEARD = ((CLIENT, order.HEADER),)

    def test_is_mute_until_the_header_is_there(self) -> None:
        error = refused((SERVER, order.FINAL))
        assert error.requirement == "translator.session.no-server-message-before-audio"
        assert error.expected == "close"

    def test_gives_partials_and_a_final_utterance_by_utterance(self) -> None:
        steps = [(SERVER, word) for word in (order.PARTIAL, order.PARTIAL, order.FINAL, order.FINAL, order.PARTIAL)]
        assert talk(*self.HEARD, *steps).state(SERVER) == order.HYPOTHESIS

    def test_gives_the_voice_of_a_spoken_final_before_anything_else(self) -> None:
        spoken = (*self.HEARD, (SERVER, order.PARTIAL), (SERVER, order.SPOKEN_FINAL))
        assert talk(*spoken, (SERVER, order.VOICE)).state(SERVER) == order.LISTENING
        for word in (order.PARTIAL, order.FINAL, order.SPOKEN_FINAL):
            assert refused(*spoken, (SERVER, word)).requirement == "translator.voice.before-next-text"

    def test_gives_one_voice_a_final_and_none_to_a_partial(self) -> None:
        spoken = (*self.HEARD, (SERVER, order.SPOKEN_FINAL), (SERVER, order.VOICE))
        assert refused(*spoken, (SERVER, order.VOICE)).requirement == "translator.voice.one-message"
        partial = (*self.HEARD, (SERVER, order.PARTIAL))
        assert refused(*partial, (SERVER, order.VOICE)).requirement == "translator.voice.never-for-partial"

    @pytest.mark.parametrize("last", [(), (order.PARTIAL,), (order.SPOKEN_FINAL,)])
    def test_may_close_at_any_time_and_then_says_nothing(self, last: tuple[str, ...]) -> None:
        steps = (*self.HEARD, *((SERVER, word) for word in last), (SERVER, order.CLOSE))
        for word in WORDS[SERVER]:
            assert refused(*steps, (SERVER, word)).requirement == "translator.session.no-data-after-close"


class TestDiagram:
    def test_is_this_one(self) -> None:
        assert diagram(TABLE) == (
            "stateDiagram-v2\n"
            "  state client {\n"
            "    [*] --> client_start\n"
            "    client_start --> client_streaming: header\n"
            "    client_start --> client_closed: close\n"
            "    client_streaming --> client_streaming: audio\n"
            "    client_streaming --> client_closed: close\n"
            "  }\n"
            "  state server {\n"
            "    [*] --> server_mute\n"
            "    server_mute --> server_listening: header of the client\n"
            "    server_mute --> server_closed: close\n"
            "    server_listening --> server_hypothesis: partial\n"
            "    server_listening --> server_listening: final\n"
            "    server_listening --> server_voice_due: spoken final\n"
            "    server_listening --> server_closed: close\n"
            "    server_hypothesis --> server_hypothesis: partial\n"
            "    server_hypothesis --> server_listening: final\n"
            "    server_hypothesis --> server_voice_due: spoken final\n"
            "    server_hypothesis --> server_closed: close\n"
            "    server_voice_due --> server_listening: voice\n"
            "    server_voice_due --> server_closed: close\n"
            "  }\n"
        )
