"""Add prices that hold for what devices draw to the mixed-integer model."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.device_charges import AllowanceDay, DeviceCharge
from luna.energy.timeline import FloatArray
from services.planner.devices.kind import Demand
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.milp.load_columns import LoadColumns
from services.planner.problem.problem import Problem


def add_device_charges(builder: ModelBuilder, problem: Problem, load_columns: LoadColumns) -> None:
    """Add what the use of flexible loads costs beside the house's price."""
    for charge in problem.tariff.device_charges:
        terms: list[Term] = []
        demands: list[Demand] = []
        for demand, columns in zip(problem.demands, load_columns.loads, strict=True):
            if demand.section == charge.price.devices:
                demands.append(demand)
                terms.append((columns.use, -np.asarray(columns.kwh)))
        if demands:
            with builder.section(charge.price.name):
                _add_charge(builder, charge, problem, demands=demands, uses=terms)


def _add_charge(
    builder: ModelBuilder,
    charge: DeviceCharge,
    problem: Problem,
    *,
    demands: Sequence[Demand],
    uses: Sequence[Term],
) -> None:
    timeline = problem.outlook.timeline
    zone = ZoneInfo(problem.site.timezone)
    hours = timeline.hours
    most_kwh = sum((demand.most_use_kwh(hours) for demand in demands), np.zeros_like(hours))
    drawn = builder.add_columns(
        timeline.count, cost=charge.first_price(timeline, zone), upper=most_kwh
    )
    nothing = np.zeros(timeline.count)
    # drawn[t] == sum of use[t]
    builder.add_rows(nothing, nothing, [(drawn, 1.0), *uses], name="drawn")
    for day in charge.list_days(timeline, zone):
        if not day.slots.size or not charge.price.rise:
            continue
        if charge.counts_hours:
            _add_hours(builder, charge, day, drawn=drawn, most_kwh=most_kwh, hours=hours)
        else:
            beyond = builder.add_columns(1, cost=charge.price.rise, upper=np.inf)
            # sum of drawn over the day's window - beyond <= energy left of the allowance
            builder.add_sum(
                -np.inf, day.left, [(drawn[day.slots], 1.0), (beyond, -1.0)], name="allowance"
            )


def _add_hours(
    builder: ModelBuilder,
    charge: DeviceCharge,
    day: AllowanceDay,
    *,
    drawn: Indices,
    most_kwh: FloatArray,
    hours: FloatArray,
) -> None:
    """Add the price rise on what is drawn after the day's first hours of drawing.

    ``is_over`` only rises over the day, so that the hours within are the first ones, whatever they
    draw. It follows from the binaries: raised too early it only costs more.
    """
    slots = day.slots[most_kwh[day.slots] > 0]
    if hours[slots].sum() <= day.left:
        return
    most = most_kwh[slots]
    within = builder.add_columns(slots.size, cost=0.0, upper=1.0, integer=1)
    is_over = builder.add_columns(slots.size, cost=0.0, upper=1.0)
    beyond = builder.add_columns(slots.size, cost=charge.price.rise, upper=most)
    unbound = np.full(slots.size, -np.inf)
    nothing = np.zeros(slots.size)
    # drawn[t] - most[t] * within[t] - beyond[t] <= 0
    builder.add_rows(
        unbound, nothing, [(drawn[slots], 1.0), (within, -most), (beyond, -1.0)], name="within"
    )
    # beyond[t] - most[t] * is_over[t] <= 0
    builder.add_rows(unbound, nothing, [(beyond, 1.0), (is_over, -most)], name="beyond")
    # within[t] + is_over[t] <= 1
    builder.add_rows(unbound, nothing + 1.0, [(within, 1.0), (is_over, 1.0)], name="either")
    # is_over[t - 1] - is_over[t] <= 0
    builder.add_rows(
        unbound[1:], nothing[1:], [(is_over[:-1], 1.0), (is_over[1:], -1.0)], name="order"
    )
    # sum of hours[t] * within[t] <= hours left of the allowance
    builder.add_sum(-np.inf, day.left, [(within, hours[slots])], name="allowance")
