"""Add PV and batteries behind inverters to the model, and follow their flows.

Such a battery takes PV on the inverter's own side, which does not pass the AC side.
"""

from dataclasses import replace

import numpy as np

from luna.energy.physics.inverters import Conversion
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.milp.directions import PlannedFlows
from services.planner.problem.problem import Problem

_NOTHING_KWH = 1e-9
_SAME_KWH = 1e-6
# Halvings of the share of PV that is held back: beyond the precision of a number.
_HALVINGS = 60


def suits_value(problem: Problem) -> bool:
    """Return whether the value of stored energy describes a battery completely.

    That is true of every site without inverters. Behind an inverter it is while nothing pays for
    burning energy, and the battery never has to end emptier than it may: it does not matter then
    whose PV is held back. Nor may the battery charge faster than its inverter beside PV of others.
    """
    inverters = problem.limits.inverters
    if inverters is None:
        return True
    outlook = problem.outlook
    batteries = problem.limits.batteries
    has_negative_price = bool((outlook.import_price < 0).any() or (outlook.export_price < 0).any())
    is_worth_storing = bool(
        (problem.terminal.value >= 0).all()
        and (problem.terminal.most_kwh >= batteries.max_kwh[:, 0]).all()
    )
    alone = bool(
        (inverters.pv_share > 1 - 1e-12).all()
        or (batteries.charge_limit_kw <= inverters.limit_kw).all()
    )
    return is_worth_storing and alone and not has_negative_price and problem.site.curtailable


def add_inverters(
    builder: ModelBuilder, problem: Problem, batteries: Indices, curtailed: Indices
) -> Indices:
    """Add the PV that each battery takes on its own side, ``(batteries, slots)``.

    Without inverters there is none. With them their limits are added too.

    PV is held back in equal shares. A battery takes PV on its own side before anything else.
    """
    sun = problem.conversion
    if sun is None:
        return np.empty((0, problem.outlook.timeline.count), dtype=np.int32)
    direct_each = []
    share = np.divide(1.0, sun.ac_kwh, out=np.zeros_like(sun.ac_kwh), where=sun.ac_kwh > 0)
    for (charge, discharge, _), own, beyond, limit in zip(
        batteries, sun.own_kwh, sun.direct_kwh, sun.limit_kwh, strict=True
    ):
        direct = builder.add_columns(charge.size, cost=0.0, upper=beyond)
        none = np.full(charge.size, -np.inf)
        # direct[t] <= charge[t]
        builder.add_rows(
            none, np.zeros(charge.size), [(direct, 1.0), (charge, -1.0)], name="direct PV charges"
        )
        # direct[t] <= beyond[t] * (1 - curtailed[t] / pv[t])
        builder.add_rows(
            none, beyond, [(direct, 1.0), (curtailed, beyond * share)], name="PV beyond inverter"
        )
        if np.isfinite(limit).all():
            # discharge[t] + own[t] * (1 - curtailed[t] / pv[t]) <= limit[t]
            builder.add_rows(
                none,
                limit - own,
                [(discharge, 1.0), (curtailed, -own * share)],
                name="inverter gives",
            )
            # charge[t] - direct[t] - own[t] * (1 - curtailed[t] / pv[t]) <= limit[t]
            builder.add_rows(
                none,
                limit + own,
                [(charge, 1.0), (direct, -1.0), (curtailed, own * share)],
                name="inverter takes",
            )
        _add_order(builder, problem, (charge, direct, curtailed), (beyond, beyond * share))
        direct_each.append(direct)
    return np.array(direct_each, dtype=np.int32).reshape(-1, problem.outlook.timeline.count)


def _add_order(
    builder: ModelBuilder,
    problem: Problem,
    columns: tuple[Indices, Indices, Indices],
    beyond: tuple[FloatArray, FloatArray],
) -> None:
    """Let a battery take from elsewhere only what its own PV does not give.

    That is a binary in slots where holding back more PV does not come to the same.
    """
    outlook = problem.outlook
    batteries = problem.site.batteries
    if problem.site.curtailable:
        matters = (outlook.import_price <= 0) | (outlook.export_price < 0)
        waits = not all(battery.charge_from_grid for battery in batteries)
    else:
        matters = np.ones_like(outlook.pv_kwh, dtype=bool)
        waits = True
    where = np.flatnonzero((beyond[0] > 0) & matters & waits)
    if not where.size:
        return
    charge, direct, curtailed = (column[where] for column in columns)
    most = outlook.timeline.hours[where] * max(battery.charge_limit_kw for battery in batteries)
    elsewhere = builder.add_columns(where.size, cost=0.0, upper=1.0, integer=True)
    # charge[t] - direct[t] <= most[t] * elsewhere[t]
    builder.add_rows(
        np.full(where.size, -np.inf),
        np.zeros(where.size),
        [(charge, 1.0), (direct, -1.0), (elsewhere, -most)],
        name="charge from elsewhere",
    )
    # direct[t] >= beyond[t] * (elsewhere[t] - curtailed[t] / pv[t])
    terms: list[Term] = [
        (direct, 1.0),
        (curtailed, beyond[1][where]),
        (elsewhere, -beyond[0][where]),
    ]
    builder.add_rows(
        np.zeros(where.size), np.full(where.size, np.inf), terms, name="own PV charges first"
    )


def take_direct_first(flows: PlannedFlows, sun: Conversion) -> PlannedFlows:
    """Return flows in which every battery takes PV on its own side first.

    Exchange with the grid and charging stay as they are; more PV is held back instead.
    """
    used = sun.ac_kwh - flows.curtailed_kwh + flows.direct_kwh.sum(axis=0)

    def take(share: FloatArray) -> FloatArray:
        return np.asarray(np.minimum(flows.charge_kwh, sun.direct_kwh * share))

    most = np.divide(
        sun.ac_kwh - flows.curtailed_kwh, sun.ac_kwh, out=np.ones_like(used), where=sun.ac_kwh > 0
    )
    if (take(most).sum(axis=0) - flows.direct_kwh.sum(axis=0) <= _NOTHING_KWH).all():
        return flows
    low = np.zeros_like(most)
    high = most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = sun.ac_kwh * middle + take(middle).sum(axis=0) >= used
        low = np.where(enough, low, middle)
        high = np.where(enough, middle, high)
    return replace(flows, curtailed_kwh=sun.ac_kwh * (1.0 - high), direct_kwh=take(high))


def fills_inverter(
    problem: Problem, charge_kwh: FloatArray, discharge_kwh: FloatArray
) -> BoolArray:
    """Return the slots in which PV and the first battery fill their inverter, ``(slots,)``."""
    sun = problem.conversion
    if sun is None:
        return np.zeros(charge_kwh.size, dtype=bool)
    beyond = sun.direct_kwh[0] > _NOTHING_KWH
    most = sun.intake_kwh[0] + sun.direct_kwh[0]
    gives = discharge_kwh > _NOTHING_KWH
    takes = charge_kwh > _NOTHING_KWH
    gives_all = gives & (discharge_kwh >= sun.room_kwh[0] - _SAME_KWH)
    takes_all = takes & (charge_kwh >= most - _SAME_KWH)
    return np.asarray(beyond | gives_all | takes_all)
