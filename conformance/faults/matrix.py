"""The kill matrix as Markdown: which check finds which fault, requirement by requirement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conformance.faults.prove import Proof
from conformance.faults.registry import Fault
from protocol.requirements import Requirement

_NAMED = 3


def render(dialect: str, rows: Mapping[str, Requirement], faults: Sequence[Fault], proofs: Sequence[Proof]) -> str:
    """Return the matrix of a dialect: what each fault does, which cases find it, what else departs with it.

    Args:
        dialect: The dialect.
        rows: The register of it.
        faults: The faults, and `proofs` what came of each of them, in the same order.
    """
    return "\n".join(_lines(dialect, rows, list(zip(faults, proofs, strict=True)))) + "\n"


def _lines(dialect: str, rows: Mapping[str, Requirement], proofs: Sequence[tuple[Fault, Proof]]) -> Iterator[str]:
    party = proofs[0][0].party
    testable = [row for row in rows.values() if row.party is party and not row.excluded]
    proven = {proof.requirement for _, proof in proofs if proof.killed}
    survivors = sum(not proof.killed for _, proof in proofs)
    yield f"# Kill matrix of {dialect}"
    yield ""
    yield f"Written by `speechwire selfproof --dialect {dialect} --markdown FILE`: the suite against the reference"
    yield "server with each of these faults, in memory and virtual time. A fault breaks one requirement; a check on"
    yield "that has to find it, and no check on another one may depart but those of the last column."
    yield ""
    yield f"{sum(row.id in proven for row in testable)} of {len(testable)} testable requirements of the {party.value}"
    yield f"have a fault that is found; {len(proofs)} faults, {survivors} survivors."
    yield ""
    yield "| requirement | fault | what it does | found by | departs as well |"
    yield "|---|---|---|---|---|"
    for row in testable:
        for fault, proof in proofs:
            if fault.requirement == row.id:
                yield f"| {' | '.join(_cells(fault, proof))} |"


def _cells(fault: Fault, proof: Proof) -> Iterator[str]:
    folder, _, name = fault.requirement.partition(".")
    yield f"`{name}`"
    yield f"`{fault.id.rpartition('/')[2]}`"
    yield fault.summary.replace("|", "\\|")
    yield _some(tuple(dict.fromkeys(proof.by))) or "**nothing**"
    yield ", ".join(f"`{other.removeprefix(f'{folder}.')}`" for other in proof.also)


def _some(cases: Sequence[str]) -> str:
    more = len(cases) - _NAMED
    return ", ".join(cases[:_NAMED]) + (f" and {more} more" if more > 0 else "")
