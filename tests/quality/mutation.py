"""Mutants: a module of the protocol with one small mistake in it.

The mistakes are mutmut's, and a few of the same kind that it does not make. Left out is what says nothing about the
tests: mistakes that nobody can observe, and the one that breaks whatever runs it, a name bound to `None`.
"""

from __future__ import annotations

import ast
import difflib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation.mutators import mutation_operators

Operator = Callable[[Any], Iterable[cst.CSTNode]]


def operator_condition(node: cst.If | cst.CompIf) -> Iterator[cst.CSTNode]:
    """Let a condition always hold, or never."""
    yield node.with_changes(test=cst.Name("True"))
    yield node.with_changes(test=cst.Name("False"))


def operator_call_removal(node: cst.Expr) -> Iterator[cst.CSTNode]:
    """Forget to call what is called for its effect."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def operator_return(node: cst.Return) -> Iterator[cst.CSTNode]:
    """Forget to return what was found."""
    if node.value and not m.matches(node.value, m.Name("None")):
        yield node.with_changes(value=cst.Name("None"))


OPERATORS: Sequence[tuple[type, Operator]] = (
    *(pair for pair in mutation_operators if pair[1].__name__ != "operator_assignment"),
    (cst.If, operator_condition),
    (cst.CompIf, operator_condition),
    (cst.Expr, operator_call_removal),
    (cst.Return, operator_return),
)

UNOBSERVED = m.OneOf(
    m.Annotation(),
    m.Decorator(),  # frozen, slots, cache: promises to the reader and to mypy, or speed
    m.Call(m.Name("field")),  # the same of one field of a dataclass
    m.Arg(keyword=m.Name("strict")),  # that two sequences have one length is asserted, not decided
    m.Lambda(body=m.SimpleString('""')),  # re.sub takes None for an empty text, too
    m.Import(),
    m.ImportFrom(),
    m.Expr(m.SimpleString()),  # a docstring
    m.Call(m.Name("TypeVar")),
    m.Call(m.Name("cast")),
    m.If(m.Name("TYPE_CHECKING")),
    m.Assign([m.AssignTarget(m.Name("__all__"))]),
)
TYPE = m.Name(m.MatchRegex("_?[A-Z].*[a-z].*"))
UNION = m.BinaryOperation(operator=m.BitOr(), right=TYPE)


@dataclass(frozen=True)
class Mutant:
    """One module with one mistake. `module` is its path from the root, `operator` the kind of the mistake."""

    module: str
    operator: str
    original: cst.CSTNode
    mistaken: cst.CSTNode
    tree: cst.Module

    @property
    def code(self) -> str:
        """The whole module, mistake included."""
        changed = self.tree.deep_replace(self.original, self.mistaken)
        assert isinstance(changed, cst.Module)
        return changed.code

    @property
    def diff(self) -> str:
        """The mistake, for a reader: what it was and what it is now, with file and line."""
        before, after = (code.splitlines() for code in (self.tree.code, self.code))
        return "\n".join(difflib.unified_diff(before, after, self.module, self.operator, n=1, lineterm=""))


class Finder(cst.CSTVisitor):
    """Collects the mutants of one module in the order of its text."""

    def __init__(self, module: str, tree: cst.Module) -> None:
        super().__init__()
        self.found: list[Mutant] = []
        self._module = module
        self._tree = tree

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Make every mistake at one place, and go on to the places in it."""
        if m.matches(node, UNOBSERVED):
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.found += (
                    Mutant(self._module, operator.__name__, node, mistaken, self._tree)
                    for mistaken in operator(node)
                    if not (m.matches(node, UNION) or is_prose(node))
                )
        return True


def is_prose(node: cst.CSTNode) -> bool:
    """Tell whether a text is a sentence for people; the words that programs read have no space in them."""
    return isinstance(node, cst.SimpleString) and " " in node.value


def mutants(root: Path, package: str) -> Iterator[Mutant]:
    """Yield every mutant of a package."""
    for path in sorted((root / package).rglob("*.py")):
        tree = cst.parse_module(path.read_text("utf-8"))
        finder = Finder(path.relative_to(root).as_posix(), tree)
        tree.visit(finder)
        yield from finder.found


def draw(found: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw mutants, of each kind of mistake as many.

    Each draws its own lot, from what it is and not from where it stands: a change of one module does not exchange the
    mutants of all others.
    """
    lots: dict[str, list[tuple[float, int, Mutant]]] = defaultdict(list)
    twins: Counter[str] = Counter()
    for number, mutant in enumerate(found):
        original, mistaken = (mutant.tree.code_for_node(node) for node in (mutant.original, mutant.mistaken))
        name = f"{mutant.module}\n{mutant.operator}\n{original}\n{mistaken}"
        twins[name] += 1
        lot = random.Random(f"{seed}\n{twins[name]}\n{name}").random()
        lots[mutant.operator].append((lot, number, mutant))
    rounds = zip_longest(*(sorted(of_kind) for of_kind in lots.values()))
    order = (mutant for one_each in rounds for _, _, mutant in sorted(filter(None, one_each)))
    return list(islice(filter(is_program, order), count))


def is_program(mutant: Mutant) -> bool:
    """Tell whether a mutant can be read by Python, and as anything else than the original."""
    try:
        return meaning(mutant.code) != meaning(mutant.tree.code)
    except SyntaxError:
        return False


def meaning(code: str) -> str:
    """Return what of a module can make a difference: not its layout, and no last case that does nothing."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Match) and ast.unparse(node.cases[-1]) == "case _:\n    pass":
            node.cases.pop()
    return ast.dump(tree)
