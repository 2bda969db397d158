"""Limit batteries barred from trading to the surplus or deficit of the house."""

from collections.abc import Sequence

import numpy as np

from luna.energy.timeline import FloatArray, IndexArray
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.milp.load_columns import LoadColumns, most_scheduled_kwh
from services.planner.problem.problem import Problem


def add_contract(
    builder: ModelBuilder,
    problem: Problem,
    batteries: Indices,
    *,
    pv: tuple[Indices, Indices],
    load_columns: LoadColumns,
) -> None:
    """Limit batteries to the PV surplus where they may not charge from the grid.

    Those that may not feed in are limited to the deficit of the house.

    Args:
        builder: of the model.
        problem: to plan.
        batteries: columns, ``(batteries, 3, slots)``.
        pv: columns of curtailed PV, and of PV that each hybrid inverter passes to its battery
            directly.
        load_columns: columns of flexible loads, whose use is part of the deficit.
    """
    curtailed, direct = pv
    pv_only = []
    house_only = []
    for index, battery in enumerate(problem.site.batteries):
        if not battery.charge_from_grid:
            pv_only.append(index)
        if not battery.discharge_to_grid:
            house_only.append(index)
    if not pv_only and not house_only:
        return
    net = problem.outlook.load_kwh - problem.ac_pv_kwh
    charging: list[Term] = [(curtailed, 1.0)]
    charging += [(batteries[index, 0], 1.0) for index in pv_only]
    if direct.size:
        charging += [(direct[index], -1.0) for index in pv_only]
    supplying: list[Term] = [(curtailed, -1.0)]
    supplying += [(batteries[index, 1], 1.0) for index in house_only]
    # Slots in which flexible loads may turn the surplus into a deficit; in all others its sign is
    # known beforehand.
    uncertain = np.flatnonzero((net < 0) & (most_scheduled_kwh(problem) > 0))
    certain = np.setdiff1d(np.arange(net.size), uncertain)
    if pv_only:
        # curtailed[t] + charge[t] - direct[t] <= surplus[t]
        with builder.section("charge from surplus alone"):
            _add_upper_bound(builder, certain, np.maximum(-net, 0.0), charging)
    if house_only:
        # discharge[t] - curtailed[t] - use[t] <= deficit[t]
        lacking = certain[net[certain] >= 0]
        with builder.section("discharge for the house alone"):
            _add_upper_bound(builder, lacking, net, [*supplying, *load_columns.terms])
    if uncertain.size:
        parts = (charging if pv_only else [], supplying if house_only else [])
        with builder.section("surplus or deficit"):
            _add_surplus_binaries(builder, problem, uncertain, parts, uses=load_columns.terms)


def _add_surplus_binaries(
    builder: ModelBuilder,
    problem: Problem,
    slots: IndexArray,
    parts: tuple[list[Term], list[Term]],
    *,
    uses: list[Term],
) -> None:
    """Add the contract's rows where flexible loads may turn a surplus into a deficit.

    A binary per slot is 1 where surplus is left (big-M).
    """
    charging, supplying = parts
    surplus = (problem.ac_pv_kwh - problem.outlook.load_kwh)[slots]
    most = most_scheduled_kwh(problem)[slots]
    has_surplus = builder.add_columns(
        slots.size, cost=0.0, lower=(most <= surplus).astype(float), upper=1.0, integer=True
    )
    used = [(columns, -np.asarray(factor)) for columns, factor in uses]
    if charging:
        most_charge = _upper_bound(builder, charging, slots)
        # Where has_surplus[t] is 1: charging[t] + use[t] <= surplus[t]
        _add_upper_bound(
            builder,
            slots,
            surplus + most + most_charge,
            [*charging, *used],
            binary=(has_surplus, most + most_charge),
        )
        # charging[t] <= most_charge[t] * has_surplus[t]
        _add_upper_bound(
            builder, slots, np.zeros(slots.size), charging, binary=(has_surplus, -most_charge)
        )
    if supplying:
        most_discharge = _upper_bound(builder, supplying, slots)
        # discharge[t] <= most_discharge[t] * (1 - has_surplus[t])
        _add_upper_bound(
            builder, slots, most_discharge, supplying[1:], binary=(has_surplus, most_discharge)
        )
        # Where has_surplus[t] is 0: discharge[t] - curtailed[t] - use[t] <= -surplus[t]
        _add_upper_bound(
            builder, slots, -surplus, [*supplying, *uses], binary=(has_surplus, -surplus)
        )


def _add_upper_bound(
    builder: ModelBuilder,
    slots: IndexArray,
    most: FloatArray,
    terms: Sequence[Term],
    *,
    binary: Term | None = None,
) -> None:
    """Bound the sum of ``terms`` in ``slots``.

    ``most`` has a value for each of them, or for every slot of the horizon.
    """
    bound = most if most.size == slots.size else most[slots]
    parts: list[Term] = []
    for columns, factor in terms:
        if columns.size:
            factors = np.broadcast_to(np.asarray(factor), columns.shape)
            parts.append((columns[slots], factors[slots]))
    if binary is not None:
        parts.append(binary)
    builder.add_rows(np.full(slots.size, -np.inf), bound, parts)


def _upper_bound(builder: ModelBuilder, terms: Sequence[Term], slots: IndexArray) -> FloatArray:
    """Return the largest sum of the positive ``terms`` by their bounds, shape of ``slots``."""
    upper = np.concatenate(builder.upper)
    total = np.zeros(slots.size)
    for columns, factor in terms:
        if np.all(np.asarray(factor) > 0):
            total = total + upper[columns[slots]]
    return total
