"""What contract or law allows batteries, in the mixed-integer model; judged at the site's meter per slot. Source: docs/decisions/0005."""

from collections.abc import Sequence

import numpy as np

from luna.timeline import FloatArray, IndexArray
from services.planner.model.solver import Indices, ModelBuilder, Term
from services.planner.placing.wish_columns import WishColumns, most_placed_kwh
from services.planner.posing.problem import Problem


def add_contract(builder: ModelBuilder, problem: Problem, batteries: Indices, *, sun: tuple[Indices, Indices], placed: WishColumns) -> None:
    """Batteries that may not charge from the grid share the PV surplus, those that may not discharge to it what the house lacks.

    Args:
        builder: of the model.
        problem: to plan.
        batteries: columns, ``(batteries, 3, slots)``.
        sun: columns of PV that is held back, and of what each inverter passes on beside its battery.
        placed: vehicles and appliances; what they use is the house's.
    """
    held_back, direct = sun
    from_sun = [index for index, battery in enumerate(problem.site.batteries) if not battery.charge_from_grid]
    into_house = [index for index, battery in enumerate(problem.site.batteries) if not battery.discharge_to_grid]
    if not from_sun and not into_house:
        return
    net = problem.outlook.load_kwh - problem.ac_pv_kwh
    taken: list[Term] = [(held_back, 1.0), *((batteries[index, 0], 1.0) for index in from_sun), *((direct[index], -1.0) for index in from_sun if direct.size)]
    given: list[Term] = [(held_back, -1.0), *((batteries[index, 1], 1.0) for index in into_house)]
    turned = np.flatnonzero((net < 0) & (most_placed_kwh(problem) > 0))
    still = np.setdiff1d(np.arange(net.size), turned)
    if from_sun:
        _add_most(builder, still, np.maximum(-net, 0.0), taken)
    if into_house:
        _add_most(builder, still[net[still] >= 0], net, [*given, *placed.terms(problem)])
    if turned.size:
        _add_turns(builder, problem, turned, (taken if from_sun else [], given if into_house else []), uses=placed.terms(problem))


def _add_turns(builder: ModelBuilder, problem: Problem, slots: IndexArray, parts: tuple[list[Term], list[Term]], *, uses: list[Term]) -> None:
    """Add what holds where something placed may turn a surplus into a deficit: a binary per slot says that surplus is left."""
    taken, given = parts
    surplus = (problem.ac_pv_kwh - problem.outlook.load_kwh)[slots]
    most = most_placed_kwh(problem)[slots]
    left = builder.add_columns(slots.size, cost=0.0, lower=(most <= surplus).astype(float), upper=1.0, integer=True)
    used = [(columns, -np.asarray(factor)) for columns, factor in uses]
    if taken:
        takes = _most(builder, taken, slots)
        _add_most(builder, slots, surplus + most + takes, [*taken, *used], beside=(left, most + takes))
        _add_most(builder, slots, np.zeros(slots.size), taken, beside=(left, -takes))
    if given:
        gives = _most(builder, given, slots)
        _add_most(builder, slots, gives, given[1:], beside=(left, gives))
        _add_most(builder, slots, -surplus, [*given, *uses], beside=(left, -surplus))


def _add_most(builder: ModelBuilder, slots: IndexArray, most: FloatArray, terms: Sequence[Term], *, beside: Term | None = None) -> None:
    """Bound a sum of columns per slot: ``most`` has a value for each of ``slots``, or for all."""
    bound = most if most.size == slots.size else most[slots]
    parts = [(columns[slots], np.broadcast_to(np.asarray(factor), columns.shape)[slots]) for columns, factor in terms if columns.size]
    builder.add_rows(np.full(slots.size, -np.inf), bound, [*parts, *([beside] if beside else [])])


def _most(builder: ModelBuilder, terms: Sequence[Term], slots: IndexArray) -> FloatArray:
    """Return what terms come to at most, shape of ``slots``."""
    upper = np.concatenate(builder.upper)
    return np.asarray(sum((upper[columns[slots]] for columns, factor in terms if np.all(np.asarray(factor) > 0)), np.zeros(slots.size)))
