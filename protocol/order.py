"""The interpreter of an order table: which message may come when, from which party.

A dialect's whole order is one `Table`: plain data, read by the sessions, the judge, the generator of
conversations and the drawn diagram. The table speaks of both parties and does not know which one reads it.

Each party has a state of its own. An `Edge` says that a party in a state may send a message, and which state that
leads to; `carries` moves the other party's state at the same moment (a client's audio header is what allows the
server to answer). A `Refusal` names the requirement that a message breaks in a state, and the state from which a
reader who has to go on (the judge) goes on. What is neither an edge nor a refusal is a defect of the table: a test
of each dialect demands that every (party, state, message) is one of the two.

Only order lives here. Whatever is said about the content of messages (ids, times, pairing) is written in the
sessions and, separately, in the judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from protocol.errors import LocalViolation, PeerViolation
from protocol.wire import Party


@dataclass(frozen=True, slots=True)
class Edge:
    """`party` in `state` may send `message`; both its facts and captures are named in `evidence`."""

    party: Party
    state: str
    message: str
    next: str
    evidence: tuple[str, ...]
    carries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """`party` in `state` must not send `message`: that breaks `requirement`; a reader goes on in `resume`."""

    party: Party
    state: str
    message: str
    requirement: str
    resume: str


@dataclass(frozen=True)
class Table:
    """The order of one dialect. `initial` is the state of each party, `final` those with nothing after them."""

    dialect: str
    initial: tuple[tuple[Party, str], ...]
    edges: tuple[Edge, ...]
    refusals: tuple[Refusal, ...]

    @cached_property
    def _edge(self) -> dict[tuple[Party, str, str], Edge]:
        return {(edge.party, edge.state, edge.message): edge for edge in self.edges}

    @cached_property
    def _refusal(self) -> dict[tuple[Party, str, str], Refusal]:
        return {(row.party, row.state, row.message): row for row in self.refusals}

    def edge(self, party: Party, state: str, message: str) -> Edge | None:
        """Return the edge that allows this step, or None."""
        return self._edge.get((party, state, message))

    def refusal(self, party: Party, state: str, message: str) -> Refusal:
        """Return the refusal of a step that no edge allows; KeyError if the table does not know the words."""
        return self._refusal[party, state, message]

    def states(self, party: Party) -> tuple[str, ...]:
        """Return the states of a party, in the order of the table."""
        named = [edge.state for edge in self.edges if edge.party is party]
        reached = [edge.next for edge in self.edges if edge.party is party]
        return tuple(dict.fromkeys([dict(self.initial)[party], *named, *reached]))

    def messages(self, party: Party) -> tuple[str, ...]:
        """Return the messages that a party can send, in the order of the table."""
        return tuple(dict.fromkeys(edge.message for edge in self.edges if edge.party is party))

    def legal(self, party: Party, state: str) -> tuple[str, ...]:
        """Return the messages that a party may send in a state, in the order of the table."""
        return tuple(edge.message for edge in self.edges if edge.party is party and edge.state == state)


class Conversation:
    """One walk through a table.

    `we` is the party that runs this walk: its own wrong step raises `LocalViolation`, the other party's raises
    `PeerViolation`. An observer (`we` is None) belongs to neither and gets `PeerViolation` for both. An error
    leaves the walk where it was; an observer then calls `resume` to go on behind the refused step.
    """

    def __init__(self, table: Table, we: Party | None) -> None:
        self.table = table
        self.we = we
        self._states = dict(table.initial)

    def state(self, party: Party) -> str:
        """Return the present state of a party."""
        return self._states[party]

    def may(self, party: Party, message: str) -> bool:
        """Tell whether a party may send a message now."""
        return self.table.edge(party, self._states[party], message) is not None

    def step(self, party: Party, message: str) -> None:
        """Take one step, or raise and stay."""
        state = self._states[party]
        edge = self.table.edge(party, state, message)
        if edge is None:
            refusal = self.table.refusal(party, state, message)
            kind = LocalViolation if party is self.we else PeerViolation
            legal = self.table.legal(party, state)
            raise kind(
                requirement=refusal.requirement,
                at=f"state {state} of the {party.value}",
                expected=" or ".join(legal) if legal else "nothing more",
                observed=message,
            )
        self._states[party] = edge.next
        if edge.carries:
            other = Party.SERVER if party is Party.CLIENT else Party.CLIENT
            self._states[other] = dict(edge.carries).get(self._states[other], self._states[other])

    def resume(self, party: Party, message: str) -> None:
        """Go on behind a step that `step` has refused."""
        self._states[party] = self.table.refusal(party, self._states[party], message).resume


def diagram(table: Table) -> str:
    """Return the table as the text of a Mermaid state diagram, one region a party.

    A step of one party that moves the other is an arrow in the other's region, too.
    """
    lines = ["stateDiagram-v2"]
    for party, start in table.initial:
        arrows = [
            f"    {party.value}_{state} --> {party.value}_{after}: {word}"
            for edge in table.edges
            for state, after, word in _arrows(edge, party)
        ]
        lines += [f"  state {party.value} {{", f"    [*] --> {party.value}_{start}", *dict.fromkeys(arrows), "  }"]
    return "\n".join(lines) + "\n"


def _arrows(edge: Edge, party: Party) -> tuple[tuple[str, str, str], ...]:
    if edge.party is party:
        return ((edge.state, edge.next, edge.message),)
    return tuple((state, after, f"{edge.message} of the {edge.party.value}") for state, after in edge.carries)
