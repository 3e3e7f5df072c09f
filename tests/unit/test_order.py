"""The interpreter of order tables, on a table small enough to see through: a door and the bell beside it."""

from __future__ import annotations

import pytest

from protocol.errors import LocalViolation, PeerViolation
from protocol.order import Conversation, Edge, Refusal, Table, diagram
from protocol.wire import Party

CLIENT, SERVER = Party.CLIENT, Party.SERVER
BELL = "translator.client.header-first"
DOOR = "translator.session.no-server-message-before-audio"
OVER = "translator.session.no-data-after-close"

TABLE = Table(
    dialect="door",
    initial=((CLIENT, "outside"), (SERVER, "asleep")),
    edges=(
        Edge(CLIENT, "outside", "ring", "waiting", ("A1",), carries=(("asleep", "awake"),)),
        Edge(CLIENT, "waiting", "ring", "waiting", ("A2",), carries=(("asleep", "awake"),)),
        Edge(CLIENT, "waiting", "enter", "inside", ("A3",)),
        Edge(SERVER, "awake", "open", "gone", ("B1", "B2")),
        Edge(SERVER, "awake", "shout", "awake", ("B3",)),
    ),
    refusals=(
        Refusal(CLIENT, "outside", "enter", BELL, "inside"),
        Refusal(CLIENT, "inside", "ring", OVER, "inside"),
        Refusal(CLIENT, "inside", "enter", OVER, "inside"),
        Refusal(SERVER, "asleep", "open", DOOR, "gone"),
        Refusal(SERVER, "asleep", "shout", DOOR, "asleep"),
        Refusal(SERVER, "gone", "open", OVER, "gone"),
        Refusal(SERVER, "gone", "shout", OVER, "gone"),
    ),
)


class TestTable:
    def test_an_edge_is_found_by_party_state_and_message(self) -> None:
        edge = TABLE.edge(CLIENT, "waiting", "enter")
        assert edge is not None
        assert (edge.next, edge.evidence) == ("inside", ("A3",))
        assert TABLE.edge(SERVER, "waiting", "enter") is None

    def test_a_refusal_says_which_requirement_and_where_to_go_on(self) -> None:
        refusal = TABLE.refusal(CLIENT, "outside", "enter")
        assert (refusal.requirement, refusal.resume) == (BELL, "inside")

    def test_an_unknown_word_is_no_refusal(self) -> None:
        with pytest.raises(KeyError):
            TABLE.refusal(CLIENT, "outside", "knock")

    def test_states_and_messages_come_in_the_order_of_the_table(self) -> None:
        assert TABLE.states(CLIENT) == ("outside", "waiting", "inside")
        assert TABLE.states(SERVER) == ("asleep", "awake", "gone")
        assert TABLE.messages(CLIENT) == ("ring", "enter")
        assert TABLE.messages(SERVER) == ("open", "shout")

    def test_legal_messages_are_those_with_an_edge(self) -> None:
        assert TABLE.legal(CLIENT, "waiting") == ("ring", "enter")
        assert TABLE.legal(CLIENT, "inside") == ()


class TestWalk:
    def test_begins_where_the_table_says(self) -> None:
        walk = Conversation(TABLE, None)
        assert (walk.state(CLIENT), walk.state(SERVER)) == ("outside", "asleep")

    def test_a_step_moves_its_party_and_carries_the_other(self) -> None:
        walk = Conversation(TABLE, None)
        walk.step(CLIENT, "ring")
        assert (walk.state(CLIENT), walk.state(SERVER)) == ("waiting", "awake")

    def test_who_is_in_another_state_is_not_carried(self) -> None:
        walk = Conversation(TABLE, None)
        walk.step(CLIENT, "ring")
        walk.step(SERVER, "open")
        walk.step(CLIENT, "ring")
        assert walk.state(SERVER) == "gone"

    def test_the_servers_steps_leave_the_client_alone(self) -> None:
        walk = Conversation(TABLE, None)
        walk.step(CLIENT, "ring")
        walk.step(SERVER, "shout")
        assert (walk.state(CLIENT), walk.state(SERVER)) == ("waiting", "awake")

    def test_may_asks_without_stepping(self) -> None:
        walk = Conversation(TABLE, None)
        assert walk.may(CLIENT, "ring")
        assert not walk.may(CLIENT, "enter")
        assert walk.state(CLIENT) == "outside"

    def test_two_walks_do_not_share_their_states(self) -> None:
        first, second = Conversation(TABLE, None), Conversation(TABLE, None)
        first.step(CLIENT, "ring")
        assert second.state(CLIENT) == "outside"


class TestRefusedStep:
    def test_of_ours_is_a_local_violation(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            Conversation(TABLE, CLIENT).step(CLIENT, "enter")
        assert caught.value == LocalViolation(BELL, "state outside of the client", "ring", "enter")

    def test_of_the_other_party_is_a_peer_violation(self) -> None:
        with pytest.raises(PeerViolation) as caught:
            Conversation(TABLE, SERVER).step(CLIENT, "enter")
        assert caught.value == PeerViolation(BELL, "state outside of the client", "ring", "enter")

    @pytest.mark.parametrize(("party", "word"), [(CLIENT, "enter"), (SERVER, "open")])
    def test_of_anybody_is_a_peer_violation_to_an_observer(self, party: Party, word: str) -> None:
        with pytest.raises(PeerViolation):
            Conversation(TABLE, None).step(party, word)

    def test_names_all_that_would_have_been_legal(self) -> None:
        walk = Conversation(TABLE, None)
        with pytest.raises(PeerViolation) as caught:
            walk.step(SERVER, "shout")
        assert caught.value.expected == "nothing more"
        walk.step(CLIENT, "ring")
        walk.step(SERVER, "open")
        with pytest.raises(PeerViolation, match=r"state gone of the server: expected nothing more, got shout"):
            walk.step(SERVER, "shout")

    def test_joins_alternatives(self) -> None:
        table = Table(
            TABLE.dialect,
            ((CLIENT, "waiting"), (SERVER, "awake")),
            TABLE.edges,
            (Refusal(CLIENT, "waiting", "sing", BELL, "waiting"),),
        )
        with pytest.raises(PeerViolation, match="expected ring or enter, got sing"):
            Conversation(table, None).step(CLIENT, "sing")

    def test_changes_no_state(self) -> None:
        walk = Conversation(TABLE, None)
        with pytest.raises(PeerViolation):
            walk.step(CLIENT, "enter")
        assert (walk.state(CLIENT), walk.state(SERVER)) == ("outside", "asleep")

    def test_an_observer_goes_on_behind_it(self) -> None:
        walk = Conversation(TABLE, None)
        walk.resume(CLIENT, "enter")
        walk.resume(SERVER, "shout")
        assert (walk.state(CLIENT), walk.state(SERVER)) == ("inside", "asleep")

    def test_a_word_that_is_not_in_the_table_is_a_defect_of_the_table(self) -> None:
        with pytest.raises(KeyError):
            Conversation(TABLE, CLIENT).step(CLIENT, "knock")


class TestDiagram:
    def test_has_a_region_a_party_and_an_arrow_an_edge(self) -> None:
        assert diagram(TABLE) == (
            "stateDiagram-v2\n"
            "  state client {\n"
            "    [*] --> client_outside\n"
            "    client_outside --> client_waiting: ring\n"
            "    client_waiting --> client_waiting: ring\n"
            "    client_waiting --> client_inside: enter\n"
            "  }\n"
            "  state server {\n"
            "    [*] --> server_asleep\n"
            "    server_asleep --> server_awake: ring of the client\n"
            "    server_awake --> server_gone: open\n"
            "    server_awake --> server_awake: shout\n"
            "  }\n"
        )
