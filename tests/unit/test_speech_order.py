"""The order tables of the speech dialects: complete, grounded in facts, and right about typical conversations."""

from __future__ import annotations

import pytest

from protocol import requirements
from protocol.errors import PeerViolation
from protocol.order import Conversation, Table, diagram
from protocol.speech import order
from protocol.speech.messages import V1, V2
from protocol.speech.order import CLIENT, SERVER, TABLES
from protocol.wire import Party

WORDS = {
    CLIENT: (
        order.CONFIG,
        order.CONTEXT,
        order.HEADER,
        order.AUDIO,
        order.END,
        order.TELEMETRY,
        order.EVENT,
        order.COMMIT,
        order.OTHER,
        order.CLOSE,
    ),
    SERVER: (
        order.TURN_START,
        order.START_DETECTED,
        order.INTERIM,
        order.FINAL,
        order.VOICE_START,
        order.CHUNK,
        order.STREAM_CHUNK,
        order.VOICE_END,
        order.END_DETECTED,
        order.TURN_END,
        order.CLOSE,
    ),
}
STATES = {
    CLIENT: (order.FRESH, order.CONFIGURED, order.READY, order.STREAMING, order.ENDED, order.CLOSED),
    SERVER: (order.IDLE, order.DUE, order.OPEN, order.HEARING, order.SPEAKING, order.CLOSED),
}
BOTH = [V1, V2]
EVERY_STEP = [
    (dialect, party, state, word) for dialect in BOTH for party in Party for state in STATES[party]
    for word in WORDS[party]
]  # fmt: skip
EVERY_PARTY = [(dialect, party) for dialect in BOTH for party in Party]

Steps = tuple[tuple[Party, str], ...]


def says(party: Party, *words: str) -> Steps:
    return tuple((party, word) for word in words)


CONFIGURED = says(CLIENT, order.CONFIG)
READY = (*CONFIGURED, *says(CLIENT, order.CONTEXT))
STREAMING = (*READY, *says(CLIENT, order.HEADER))
BEGUN = (*STREAMING, *says(SERVER, order.TURN_START))
HEARING = (*BEGUN, *says(SERVER, order.INTERIM))
SPOKEN = (*HEARING, *says(SERVER, order.FINAL))
SPEAKING = {
    V1: (*SPOKEN, *says(SERVER, order.CHUNK)),
    V2: (*SPOKEN, *says(SERVER, order.VOICE_START)),
}
AUDIO = says(CLIENT, order.AUDIO)
OVER = (*SPOKEN, *says(SERVER, order.TURN_END))


def talk(dialect: str, *steps: tuple[Party, str]) -> Conversation:
    conversation = Conversation(TABLES[dialect], None)
    for party, word in steps:
        conversation.step(party, word)
    return conversation


def at_rest(conversation: Conversation) -> bool:
    """Tell whether a conversation stands between two turns."""
    return (conversation.state(CLIENT), conversation.state(SERVER)) == (order.CONFIGURED, order.IDLE)


def refused(dialect: str, *steps: tuple[Party, str]) -> tuple[str, str]:
    """Return the requirement that the last step breaks, without the prefix, and the state behind it."""
    *before, (party, word) = steps
    conversation = talk(dialect, *before)
    with pytest.raises(PeerViolation) as caught:
        conversation.step(party, word)
    conversation.resume(party, word)
    return caught.value.requirement.removeprefix("speech."), conversation.state(party)


def states_and_words(table: Table, party: Party) -> tuple[set[str], set[str]]:
    """Return every state and message that edges and refusals of a party speak of."""
    refusals = [row for row in table.refusals if row.party is party]
    states = {*table.states(party), *(row.state for row in refusals)}
    return states, {*table.messages(party), *(row.message for row in refusals)}


class TestNames:
    """Findings and the diagram say them."""

    def test_of_messages(self) -> None:
        assert ", ".join(WORDS[CLIENT]) == (
            "config, context, header, audio, end, telemetry, event, commit, other, close"
        )
        assert ", ".join(WORDS[SERVER]) == (
            "turn.start, startDetected, interim, final, voice start, chunk, chunk of a stream, voice end, "
            "endDetected, turn.end, close"
        )

    def test_of_states(self) -> None:
        assert ", ".join(STATES[CLIENT]) == "fresh, configured, ready, streaming, ended, closed"
        assert ", ".join(STATES[SERVER]) == "idle, due, open, hearing, speaking, closed"


class TestCompleteness:
    @pytest.mark.parametrize(("dialect", "party"), EVERY_PARTY)
    def test_the_table_speaks_of_these_states_and_messages_and_no_others(self, dialect: str, party: Party) -> None:
        assert states_and_words(TABLES[dialect], party) == (set(STATES[party]), set(WORDS[party]))

    @pytest.mark.parametrize(("dialect", "party", "state", "word"), EVERY_STEP)
    def test_every_step_is_an_edge_or_a_refusal_and_not_both(
        self, dialect: str, party: Party, state: str, word: str
    ) -> None:
        table = TABLES[dialect]
        edges = [edge for edge in table.edges if (edge.party, edge.state, edge.message) == (party, state, word)]
        refusals = [row for row in table.refusals if (row.party, row.state, row.message) == (party, state, word)]
        assert len(edges) + len(refusals) == 1

    @pytest.mark.parametrize(("dialect", "party"), EVERY_PARTY)
    def test_every_state_can_be_reached(self, dialect: str, party: Party) -> None:
        table = TABLES[dialect]
        own = {edge.next for edge in table.edges if edge.party is party and edge.next != edge.state}
        carried = {to for edge in table.edges if edge.party is not party for _, to in edge.carries}
        assert own | carried | {dict(table.initial)[party]} == set(STATES[party])

    @pytest.mark.parametrize("dialect", BOTH)
    def test_every_edge_and_refusal_leads_to_a_state_of_its_party(self, dialect: str) -> None:
        for edge in TABLES[dialect].edges:
            assert edge.next in STATES[edge.party]
            other = SERVER if edge.party is CLIENT else CLIENT
            assert {state for pair in edge.carries for state in pair} <= set(STATES[other])
        for row in TABLES[dialect].refusals:
            assert row.resume in STATES[row.party]

    @pytest.mark.parametrize(("dialect", "party"), EVERY_PARTY)
    def test_nothing_is_legal_behind_the_end_and_the_end_always_is(self, dialect: str, party: Party) -> None:
        assert TABLES[dialect].legal(party, order.CLOSED) == ()
        for state in STATES[party]:
            assert state == order.CLOSED or order.CLOSE in TABLES[dialect].legal(party, state)


class TestEvidence:
    @pytest.mark.parametrize("dialect", BOTH)
    def test_every_requirement_holds_in_the_dialect(self, dialect: str) -> None:
        for name in sorted({row.requirement for row in TABLES[dialect].refusals}):
            assert dialect in requirements.get(name).dialects, name

    @pytest.mark.parametrize("dialect", BOTH)
    def test_every_refusal_breaks_a_requirement_of_its_own_party_or_of_both(self, dialect: str) -> None:
        for row in TABLES[dialect].refusals:
            bound = requirements.get(row.requirement).party
            assert bound is row.party or row.requirement == "speech.close.no-data-after"

    @pytest.mark.parametrize("dialect", BOTH)
    def test_every_edge_has_facts_and_every_fact_is_on_a_sheet(self, dialect: str) -> None:
        known = set(requirements.facts(dialect))
        for edge in TABLES[dialect].edges:
            assert edge.evidence
            assert set(edge.evidence) <= known

    @pytest.mark.parametrize("dialect", BOTH)
    def test_the_table_is_of_a_dialect_that_exists(self, dialect: str) -> None:
        assert TABLES[dialect].dialect == dialect
        assert requirements.load(dialect)


@pytest.mark.parametrize("dialect", BOTH)
class TestConversations:
    def test_one_shot(self, dialect: str) -> None:
        heard = (*AUDIO, *says(SERVER, order.START_DETECTED, order.INTERIM), *AUDIO, *says(SERVER, order.INTERIM))
        ends = (*says(SERVER, order.FINAL, order.END_DETECTED, order.TURN_END), *says(CLIENT, order.TELEMETRY))
        assert at_rest(talk(dialect, *BEGUN, *heard, *says(CLIENT, order.END), *ends))

    def test_a_one_shot_of_silence(self, dialect: str) -> None:
        assert at_rest(talk(dialect, *BEGUN, *AUDIO, *says(SERVER, order.FINAL, order.TURN_END)))

    def test_continuous_with_several_turns(self, dialect: str) -> None:
        utterance = says(SERVER, order.INTERIM, order.INTERIM, order.FINAL)
        turn = (
            *says(CLIENT, order.CONTEXT, order.HEADER, order.AUDIO),
            *says(SERVER, order.TURN_START, order.START_DETECTED),
            *(*utterance, *AUDIO, *utterance, *says(SERVER, order.FINAL)),
            *says(CLIENT, order.END),
            *says(SERVER, order.END_DETECTED, order.TURN_END),
            *says(CLIENT, order.TELEMETRY),
        )
        conversation = talk(dialect, *CONFIGURED, *turn, *turn, *says(CLIENT, order.CONFIG), *turn)
        assert at_rest(conversation)
        conversation.step(CLIENT, order.CLOSE)
        conversation.step(SERVER, order.CLOSE)

    def test_a_server_that_ends_a_turn_in_the_middle_of_the_audio(self, dialect: str) -> None:
        assert at_rest(talk(dialect, *SPOKEN, *AUDIO, *says(SERVER, order.END_DETECTED, order.TURN_END)))

    @pytest.mark.parametrize("before", [READY, STREAMING, BEGUN, HEARING, (*BEGUN, *says(CLIENT, order.END))])
    def test_an_abandoned_turn_gives_way_to_the_next(self, dialect: str, before: Steps) -> None:
        anew = (*says(CLIENT, order.CONTEXT, order.HEADER), *says(SERVER, order.TURN_START, order.FINAL))
        assert at_rest(talk(dialect, *before, *anew, *says(SERVER, order.TURN_END)))

    def test_a_turn_that_began_before_its_audio_may_be_abandoned_as_well(self, dialect: str) -> None:
        early = (*READY, *says(SERVER, order.TURN_START), *says(CLIENT, order.CONTEXT))
        assert talk(dialect, *early, *says(SERVER, order.TURN_START)).state(SERVER) == order.OPEN

    def test_an_abandoned_voice(self, dialect: str) -> None:
        anew = (*says(CLIENT, order.CONTEXT), *says(SERVER, order.TURN_START))
        assert talk(dialect, *SPEAKING[dialect], *anew).state(SERVER) == order.OPEN

    def test_more_audio_voids_an_end(self, dialect: str) -> None:
        again = says(CLIENT, order.END, order.END, order.AUDIO, order.AUDIO, order.END)
        assert talk(dialect, *BEGUN, *again).state(CLIENT) == order.ENDED

    def test_a_client_may_always_say_what_belongs_to_no_turn(self, dialect: str) -> None:
        anytime = says(CLIENT, order.CONFIG, order.TELEMETRY, order.EVENT, order.OTHER)
        for before in (CONFIGURED, READY, STREAMING, (*BEGUN, *says(CLIENT, order.END))):
            state = talk(dialect, *before).state(CLIENT)
            assert talk(dialect, *before, *anytime).state(CLIENT) == state

    def test_a_commit_ends_no_turn(self, dialect: str) -> None:
        commit = (*AUDIO, *says(CLIENT, order.COMMIT), *says(SERVER, order.FINAL))
        assert talk(dialect, *BEGUN, *commit, *AUDIO).state(SERVER) == order.OPEN

    def test_a_voice_that_failed_has_an_end_alone(self, dialect: str) -> None:
        assert talk(dialect, *SPOKEN, *says(SERVER, order.VOICE_END)).state(SERVER) == order.OPEN

    def test_speech_may_begin_and_end_while_a_voice_speaks(self, dialect: str) -> None:
        detected = says(SERVER, order.END_DETECTED, order.START_DETECTED)
        assert talk(dialect, *SPEAKING[dialect], *detected).state(SERVER) == order.SPEAKING

    def test_both_may_leave_at_any_time(self, dialect: str) -> None:
        for before in ((), CONFIGURED, READY, STREAMING, BEGUN, HEARING, SPEAKING[dialect]):
            conversation = talk(dialect, *before, (CLIENT, order.CLOSE), (SERVER, order.CLOSE))
            assert {conversation.state(party) for party in Party} == {order.CLOSED}


class TestVoices:
    def test_of_v1_is_parts_and_an_end(self) -> None:
        voice = says(SERVER, order.CHUNK, order.CHUNK, order.VOICE_END)
        assert at_rest(talk(V1, *SPOKEN, *voice, *says(SERVER, order.FINAL), *voice, *says(SERVER, order.TURN_END)))

    def test_of_v2_is_one_stream_after_another(self) -> None:
        voice = says(SERVER, order.VOICE_START, order.STREAM_CHUNK, order.STREAM_CHUNK, order.VOICE_END)
        assert at_rest(talk(V2, *SPOKEN, *voice, *voice, *says(SERVER, order.TURN_END)))

    def test_of_v2_may_be_like_that_of_v1(self) -> None:
        voice = says(SERVER, order.CHUNK, order.CHUNK, order.VOICE_END)
        assert at_rest(talk(V2, *SPOKEN, *voice, *says(SERVER, order.TURN_END)))


class TestOneDialectOnly:
    def test_v1_needs_no_context(self) -> None:
        turn = (*says(CLIENT, order.HEADER, order.AUDIO), *says(SERVER, order.TURN_START, order.FINAL, order.TURN_END))
        assert at_rest(talk(V1, *CONFIGURED, *turn, *turn))

    def test_v2_needs_one(self) -> None:
        assert refused(V2, *CONFIGURED, (CLIENT, order.HEADER)) == ("client.context-first", order.STREAMING)
        assert refused(V2, *OVER, (CLIENT, order.HEADER))[0] == "client.context-first"

    def test_v1_has_no_streams(self) -> None:
        assert refused(V1, *SPOKEN, (SERVER, order.STREAM_CHUNK)) == ("synthesis.v1-paths", order.SPEAKING)
        assert refused(V1, *SPEAKING[V1], (SERVER, order.STREAM_CHUNK))[0] == "synthesis.v1-paths"

    def test_v1_has_no_start_of_a_voice(self) -> None:
        assert refused(V1, *SPOKEN, (SERVER, order.VOICE_START)) == ("synthesis.v1-paths", order.SPEAKING)
        assert refused(V1, *SPEAKING[V1], (SERVER, order.VOICE_START))[0] == "synthesis.v1-paths"

    def test_v2_has_one_and_one_at_a_time(self) -> None:
        assert refused(V2, *SPOKEN, (SERVER, order.STREAM_CHUNK)) == ("synthesis.start", order.SPEAKING)
        again = (*SPEAKING[V2], (SERVER, order.VOICE_START))
        assert refused(V2, *again) == ("synthesis.one-stream-at-a-time", order.SPEAKING)


@pytest.mark.parametrize("dialect", BOTH)
class TestClientRefused:
    @pytest.mark.parametrize("word", [word for word in WORDS[CLIENT] if word not in (order.CONFIG, order.CLOSE)])
    def test_before_speech_config(self, dialect: str, word: str) -> None:
        resumed = {order.CONTEXT: order.READY, order.HEADER: order.STREAMING, order.AUDIO: order.STREAMING}
        assert refused(dialect, (CLIENT, word)) == ("client.config-first", resumed.get(word, order.FRESH))

    @pytest.mark.parametrize(
        ("before", "word", "requirement", "state"),
        [
            (CONFIGURED, order.AUDIO, "audio-header", order.STREAMING),
            (CONFIGURED, order.END, "audio-header", order.CONFIGURED),
            (CONFIGURED, order.COMMIT, "commit-after-audio", order.CONFIGURED),
            (READY, order.AUDIO, "audio-header", order.STREAMING),
            (READY, order.END, "audio-header", order.ENDED),
            (READY, order.COMMIT, "commit-after-audio", order.READY),
            (STREAMING, order.HEADER, "audio-header", order.STREAMING),
            ((*STREAMING, (CLIENT, order.END)), order.HEADER, "nothing-after-end", order.STREAMING),
            ((*STREAMING, (CLIENT, order.END)), order.COMMIT, "nothing-after-end", order.ENDED),
            (OVER, order.AUDIO, "audio-header", order.STREAMING),
        ],
    )
    def test_out_of_place(self, dialect: str, before: Steps, word: str, requirement: str, state: str) -> None:
        assert refused(dialect, *before, (CLIENT, word)) == (f"client.{requirement}", state)


@pytest.mark.parametrize("dialect", BOTH)
class TestServerRefused:
    @pytest.mark.parametrize("word", [order.INTERIM, order.FINAL, order.CHUNK, order.TURN_END, order.END_DETECTED])
    def test_behind_the_end_of_a_turn(self, dialect: str, word: str) -> None:
        assert refused(dialect, *OVER, (SERVER, word)) == ("turn.nothing-after-end", order.IDLE)

    @pytest.mark.parametrize("before", [(), CONFIGURED, OVER])
    def test_to_start_what_the_client_has_not_asked_for(self, dialect: str, before: Steps) -> None:
        assert refused(dialect, *before, (SERVER, order.TURN_START)) == ("frame.request-id-known", order.OPEN)

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            (order.START_DETECTED, order.OPEN),
            (order.INTERIM, order.HEARING),
            (order.FINAL, order.OPEN),
            (order.VOICE_START, order.SPEAKING),
            (order.CHUNK, order.SPEAKING),
            (order.STREAM_CHUNK, order.SPEAKING),
            (order.VOICE_END, order.OPEN),
            (order.END_DETECTED, order.OPEN),
            (order.TURN_END, order.IDLE),
        ],
    )
    def test_before_turn_start(self, dialect: str, word: str, state: str) -> None:
        assert refused(dialect, *STREAMING, (SERVER, word)) == ("turn.start-first", state)

    @pytest.mark.parametrize("before", [BEGUN, HEARING])
    def test_to_start_a_turn_twice(self, dialect: str, before: Steps) -> None:
        assert refused(dialect, *before, (SERVER, order.TURN_START)) == ("turn.start-once", order.OPEN)
        speaking = (*SPEAKING[dialect], (SERVER, order.TURN_START))
        assert refused(dialect, *speaking) == ("turn.start-once", order.OPEN)

    @pytest.mark.parametrize("word", [order.VOICE_START, order.CHUNK, order.STREAM_CHUNK])
    def test_to_speak_what_is_no_final(self, dialect: str, word: str) -> None:
        assert refused(dialect, *HEARING, (SERVER, word)) == ("synthesis.after-phrase", order.SPEAKING)

    def test_to_end_a_voice_of_what_is_no_final(self, dialect: str) -> None:
        assert refused(dialect, *HEARING, (SERVER, order.VOICE_END)) == ("synthesis.after-phrase", order.HEARING)

    def test_to_end_a_turn_without_the_final_that_is_due(self, dialect: str) -> None:
        assert refused(dialect, *HEARING, (SERVER, order.TURN_END)) == ("result.final-always", order.IDLE)

    @pytest.mark.parametrize("word", [order.INTERIM, order.FINAL])
    def test_to_go_on_before_the_voice_is_complete(self, dialect: str, word: str) -> None:
        refusal = refused(dialect, *SPEAKING[dialect], (SERVER, word))
        assert refusal == ("synthesis.before-next-phrase", order.SPEAKING)

    def test_to_end_a_turn_before_the_voice_is_complete(self, dialect: str) -> None:
        assert refused(dialect, *SPEAKING[dialect], (SERVER, order.TURN_END)) == ("synthesis.end", order.IDLE)


@pytest.mark.parametrize(("dialect", "party"), EVERY_PARTY)
def test_nothing_follows_a_close(dialect: str, party: Party) -> None:
    for word in WORDS[party]:
        steps = (*HEARING, (party, order.CLOSE), (party, word))
        assert refused(dialect, *steps) == ("close.no-data-after", order.CLOSED)


@pytest.mark.parametrize("dialect", BOTH)
def test_the_table_can_be_drawn(dialect: str) -> None:
    lines = diagram(TABLES[dialect]).splitlines()
    assert "    client_configured --> client_ready: context" in lines
    assert "    server_idle --> server_due: context of the client" in lines
    assert ("    client_configured --> client_streaming: header" in lines) is (dialect == V1)
