"""What z3 is asked, and what it is told about real numbers.

A product or quotient of two unknowns is a function of which z3 knows no more than ``Reals`` says,
all of it true of real numbers. What follows from that is true of the products themselves, and every
question stays one of linear arithmetic, which z3 decides. What does not follow may be false or only
beyond these facts: a counterexample has to be tried in the code.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeVar

import numpy as np
import z3

Outcome = TypeVar("Outcome")

TIMES = z3.Function("times", z3.RealSort(), z3.RealSort(), z3.RealSort())
OVER = z3.Function("over", z3.RealSort(), z3.RealSort(), z3.RealSort())

# How much work a question may take, in z3's own unit, the same on every machine: a proof far more
# than the hardest takes, a glance at whether a way is open little.
PROOF, _GLANCE = 200_000_000, 400_000
# The older arithmetic, and all terms at once: three times as fast here as what z3 takes by itself.
_MANNER = {"arith.solver": 2, "relevancy": 0}
_ALWAYS, _ZERO, _ONE = z3.BoolVal(True), z3.RealVal(0), z3.RealVal(1)  # noqa: FBT003


@dataclass(frozen=True)
class Answer:
    """What z3 found: whether nothing fulfils the conditions, and if not, what does, or None where
    it did not finish.
    """

    is_impossible: bool
    example: z3.ModelRef | None = None


@dataclass(frozen=True)
class _Multiple:
    """A number and its product with a factor, where ``exists``."""

    number: z3.ArithRef
    product: z3.ArithRef
    exists: z3.BoolRef

    @property
    def place(self) -> tuple[int, int]:
        return self.number.get_id(), self.product.get_id()


class Reals:
    """Questions about real numbers, with what is known of the products and quotients in them.

    By a factor f > 0 the order of any two numbers is that of their products, 0 and 1 among them; by
    f = 0 every product is 0. A quotient by f > 0 is the number whose product with f is the
    dividend.
    """

    def __init__(self) -> None:
        self._met: dict[int, z3.ExprRef] = {}
        self._parts: dict[int, list[int]] = {}
        self._products: set[int] = set()
        self._orders: dict[tuple[int, tuple[int, int], tuple[int, int]], z3.BoolRef] = {}

    def ask(self, conditions: Sequence[z3.BoolRef], work: int = PROOF) -> Answer:
        """Return whether real numbers fulfil all conditions; a proof that does not end is none."""
        solver = z3.SimpleSolver()
        for name, value in (_MANNER | {"rlimit": work}).items():
            solver.set(name, value)
        solver.add(*conditions, *self._list_facts(conditions))
        found = solver.check()
        return Answer(found == z3.unsat, solver.model() if found == z3.sat else None)

    def _list_facts(self, conditions: Sequence[z3.BoolRef]) -> Iterator[z3.BoolRef]:
        multiples: dict[int, list[_Multiple]] = {}

        def note(
            factor: z3.ArithRef,
            number: z3.ArithRef,
            product: z3.ArithRef,
            exists: z3.BoolRef = _ALWAYS,
        ) -> Iterator[z3.BoolRef]:
            others = multiples.setdefault(
                factor.get_id(),
                [_Multiple(_ZERO, _ZERO, _ALWAYS), _Multiple(_ONE, factor, _ALWAYS)],
            )
            multiple = _Multiple(number, product, exists)
            yield from (self._keep_order(factor, multiple, other) for other in others)
            others.append(multiple)

        for part in self._list_products(conditions):
            one, other = part.children()
            if part.decl().eq(TIMES):
                yield z3.Implies(z3.Or(one == 0, other == 0), part == 0)
                yield from note(one, other, part)
                yield from note(other, one, part)
                for factor, number in ((one, other), (other, one)):
                    for quotient, chosen in _list_quotients(factor):
                        yield from note(quotient, number, part, exists=chosen)
            else:
                yield from note(other, part, one)
                yield from note(part, other, one, exists=other > 0)

    def _keep_order(self, factor: z3.ArithRef, one: _Multiple, other: _Multiple) -> z3.BoolRef:
        key = (factor.get_id(), one.place, other.place)
        if key not in self._orders:
            below = (one.number < other.number) == (one.product < other.product)
            self._orders[key] = z3.Implies(
                z3.And(factor > 0, one.exists, other.exists),
                z3.And(below, (other.number < one.number) == (other.product < one.product)),
            )
        return self._orders[key]

    def _list_products(self, conditions: Sequence[z3.BoolRef]) -> list[z3.ArithRef]:
        """Return the products and quotients within the conditions.

        What was met before is not read again.
        """
        for part in list_parts(conditions, self._met):
            self._parts[part.get_id()] = [each.get_id() for each in part.children()]
            self._products |= (
                {part.get_id()} if part.decl().eq(TIMES) or part.decl().eq(OVER) else set()
            )
        seen: set[int] = set()
        waiting = [condition.get_id() for condition in conditions]
        while waiting:
            place = waiting.pop()
            if place not in seen:
                seen.add(place)
                waiting += self._parts[place]
        return [self._met[place] for place in sorted(seen & self._products)]


def _list_quotients(
    term: z3.ArithRef, chosen: z3.BoolRef = _ALWAYS
) -> Iterator[tuple[z3.ArithRef, z3.BoolRef]]:
    """Yield the quotients that a choice is made of, with what decides for each."""
    if z3.is_app_of(term, z3.Z3_OP_ITE):
        condition, one, other = term.children()
        for branch, holds in ((one, condition), (other, z3.Not(condition))):
            yield from (
                ((branch, z3.And(chosen, holds)),)
                if branch.decl().eq(OVER)
                else _list_quotients(branch, z3.And(chosen, holds))
            )


def list_parts(terms: Iterable[z3.ExprRef], met: dict[int, z3.ExprRef]) -> list[z3.ExprRef]:
    """Return all that the terms are made of, each part once and before what it is part of, but for
    what was ``met``, and note it there.
    """
    before = len(met)
    waiting = [(term, False) for term in terms]
    while waiting:
        term, listed = waiting.pop()
        if listed:
            met[term.get_id()] = term
        elif term.get_id() not in met:
            waiting += [(term, True), *((part, False) for part in term.children())]
    return list(met.values())[before:]


# ---- both ways of an if --------------------------------------------------------------------------


@dataclass
class _Run:
    """One run of what is followed: how its first conditions are decided, and what holds as far as
    it has come.
    """

    reals: Reals
    given: list[bool]
    holding: list[z3.BoolRef]
    decided: list[bool] = field(default_factory=list)

    def decide(self, condition: z3.BoolRef) -> bool:
        step = len(self.decided)
        holds = (
            self.given[step]
            if step < len(self.given)
            else not self.reals.ask([*self.holding, condition], _GLANCE).is_impossible
        )
        self.decided.append(holds)
        self.holding.append(condition if holds else z3.Not(condition))
        return holds


_run: ContextVar[_Run] = ContextVar("run")


def decide(condition: z3.BoolRef) -> bool:
    """Return what the run that is under way takes a condition to be."""
    return _run.get().decide(condition)


def follow_all_ways(
    run: Callable[[], Outcome], assumed: Sequence[z3.BoolRef], reals: Reals
) -> Iterator[tuple[list[z3.BoolRef], Outcome]]:
    """Yield what ``run`` returns on each way through its conditions that may be open, with all that
    holds on that way.
    """
    waiting: list[list[bool]] = [[]]
    while waiting:
        way = _Run(reals, waiting.pop(), list(assumed))
        _run.set(way)
        outcome = run()
        yield way.holding, outcome
        waiting += [
            [*way.decided[:step], False]
            for step in range(len(way.given), len(way.decided))
            if way.decided[step]
        ]


# ---- back to numbers -----------------------------------------------------------------------------

_NUMBERS: dict[int, Callable[..., Any]] = {
    z3.Z3_OP_ADD: lambda *parts: reduce(operator.add, parts),
    z3.Z3_OP_MUL: lambda *parts: reduce(operator.mul, parts),
    z3.Z3_OP_DIV: operator.truediv,
    z3.Z3_OP_UMINUS: operator.neg,
    z3.Z3_OP_LE: operator.le,
    z3.Z3_OP_LT: operator.lt,
    z3.Z3_OP_GE: operator.ge,
    z3.Z3_OP_GT: operator.gt,
    z3.Z3_OP_EQ: operator.eq,
    z3.Z3_OP_DISTINCT: operator.ne,
    z3.Z3_OP_ITE: np.where,
    z3.Z3_OP_NOT: np.logical_not,
    z3.Z3_OP_AND: lambda *parts: reduce(np.logical_and, parts, True),  # noqa: FBT003
    z3.Z3_OP_OR: lambda *parts: reduce(np.logical_or, parts, False),  # noqa: FBT003
    z3.Z3_OP_TRUE: lambda: True,
    z3.Z3_OP_FALSE: lambda: False,
}


class Program:
    """Terms as a list of steps over NumPy's arrays."""

    def __init__(self, terms: Sequence[z3.ExprRef]) -> None:
        parts = list_parts(terms, {})
        place = {part.get_id(): index for index, part in enumerate(parts)}
        self._steps = [
            (_read_step(part), [place[each.get_id()] for each in part.children()]) for part in parts
        ]
        self._results = [place[term.get_id()] for term in terms]

    def run(self, unknowns: Mapping[str, Any]) -> list[Any]:
        """Return what the terms come to where the unknowns are these numbers, or arrays of them, by
        name.
        """
        values: list[Any] = []
        for step, arguments in self._steps:
            values.append(step(unknowns, *(values[index] for index in arguments)))
        return [values[index] for index in self._results]


def _read_step(term: z3.ExprRef) -> Callable[..., Any]:
    """Return what gives a term's value from all unknowns and the values of its parts."""
    name, kind = term.decl().name(), term.decl().kind()
    if z3.is_rational_value(term):
        number = term.numerator_as_long() / term.denominator_as_long()
        return lambda _: number
    if kind == z3.Z3_OP_UNINTERPRETED and not term.children():
        return lambda unknowns: unknowns[name]
    operation = (
        {TIMES.name(): operator.mul, OVER.name(): operator.truediv}[name]
        if kind == z3.Z3_OP_UNINTERPRETED
        else _NUMBERS[kind]
    )
    return lambda _, *parts: operation(*parts)
