"""Add flexible loads to the mixed-integer model, and the rows of what may supply them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import (
    DemandColumns,
    LoadPricing,
    SurplusUse,
    SurroundingColumns,
)
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.linear.schedules import ScheduleBlock
from services.planner.milp.slack import dearest_price
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.problem import Problem

# Cost of waiting for the whole horizon, as a share of the highest price: breaks ties in favour of
# earlier slots, reproducibly. Less is below the solver's tolerance.
_WAITING = 1e-4


@dataclass(frozen=True, slots=True)
class LoadColumns:
    """The columns of flexible loads, in the order of the problem's demands.

    ``span`` covers all columns that they added.
    """

    loads: tuple[DemandColumns, ...]
    span: slice

    @property
    def terms(self) -> list[Term]:
        """Their use (negative) and discharge in each slot, as terms of the balance."""
        return [(columns.use, -np.asarray(columns.kwh)) for columns in self.loads] + self.give_terms

    @property
    def give_terms(self) -> list[Term]:
        """Their discharge in each slot."""
        storages = [load.storage for load in self.loads if load.storage]
        return [(storage.give, 1.0) for storage in storages if storage.give.size]

    @property
    def blocks(self) -> tuple[ScheduleBlock, ...]:
        """The on/off loads whose rows tie no other columns."""
        return tuple(columns.block for columns in self.loads if columns.block)


def add_demands(builder: ModelBuilder, problem: Problem) -> LoadColumns:
    """Add the columns and rows of every demand."""
    first = builder.columns
    ahead = look_ahead(problem)
    loads = []
    for demand in problem.demands:
        with builder.section(demand.name):
            loads.append(demand.add(builder, _price_devices(problem, ahead, demand.section)))
    _share_surplus(builder, [load.surplus for load in loads if load.surplus], ahead.surplus_kwh)
    return LoadColumns(tuple(loads), slice(first, builder.columns))


def _price_devices(problem: Problem, ahead: LoadPricing, section: str) -> LoadPricing:
    """Return the prices with those that hold for devices of a section, on average.

    They value energy that a device has left at the horizon or buys after it.
    """
    timeline = problem.outlook.timeline
    zone = ZoneInfo(problem.site.timezone)
    added = 0.0
    for charge in problem.tariff.device_charges:
        if charge.price.devices == section:
            added += float(charge.first_price(timeline, zone).mean())
    if not added:
        return ahead
    mean = ahead.mean_price + added
    return replace(ahead, mean_price=mean, left_price=TERMINAL_SHARE * max(mean, 0.0))


def _share_surplus(
    builder: ModelBuilder, takers: Sequence[SurplusUse], surplus_kwh: FloatArray
) -> None:
    """Limit several loads that use PV surplus alone; a single one is limited by its bounds."""
    most_kwh = np.array([taker.kwh * taker.most * taker.bound for taker in takers])
    most_kwh = most_kwh.reshape(-1, surplus_kwh.size)
    has_several = (most_kwh > 0).sum(axis=0) > 1
    is_too_much = most_kwh.sum(axis=0) > surplus_kwh + 1e-9
    crowded = np.flatnonzero(has_several & is_too_much)
    if not crowded.size:
        return
    # sum of use[t] <= surplus[t]
    rows = builder.add_rows(
        np.full(crowded.size, -np.inf), surplus_kwh[crowded], [], name="shared surplus"
    )
    for taker, most in zip(takers, most_kwh, strict=True):
        takes = most[crowded] > 0
        builder.add_entries(rows[takes], taker.columns[crowded][takes], taker.kwh[crowded][takes])


def look_ahead(problem: Problem) -> LoadPricing:
    """Return the prices and surplus that loads are scheduled by."""
    outlook = problem.outlook
    dearest = dearest_price(problem)
    surplus = problem.surplus_kwh
    mean = float(outlook.import_price.mean())
    tie = _WAITING * dearest * np.arange(outlook.timeline.count) / outlook.timeline.count
    deficit = np.maximum(outlook.load_kwh - problem.ac_pv_kwh, 0.0)
    return LoadPricing(
        outlook.timeline.hours,
        surplus,
        deficit,
        problem.at_tariff_prices.outlook.import_price,
        tie,
        dearest,
        mean,
        TERMINAL_SHARE * max(mean, 0.0),
    )


def most_scheduled_kwh(problem: Problem) -> FloatArray:
    """Return the largest draw of all flexible loads, shape ``(slots,)``."""
    hours = problem.outlook.timeline.hours
    return sum((demand.most_use_kwh(hours) for demand in problem.demands), np.zeros_like(hours))


def add_sources(
    builder: ModelBuilder,
    problem: Problem,
    load_columns: LoadColumns,
    *,
    batteries: Indices,
    grid: tuple[Indices, Indices, Indices],
) -> None:
    """Add the sources of loads that store energy.

    Their discharge serves the house and loads without storage alone, and is never exported.
    """
    net = problem.outlook.load_kwh - problem.ac_pv_kwh
    sold, curtailed, direct = grid
    around = SurroundingColumns(net, sold, curtailed, direct, batteries, load_columns.loads)
    for demand, load in zip(problem.demands, load_columns.loads, strict=True):
        if load.storage:
            with builder.section(f"{demand.name}: sources"):
                load.storage.add_sources(builder, around)
    slots = np.flatnonzero(net > 0)
    if load_columns.give_terms and slots.size:
        plain = [load for load in load_columns.loads if load.storage is None]
        parts = []
        for columns, factor in [
            *load_columns.give_terms,
            *((load.use, -np.asarray(load.kwh)) for load in plain),
        ]:
            factors = np.broadcast_to(np.asarray(factor), columns.shape)
            parts.append((columns[slots], factors[slots]))
        # sum of give[t] - use of loads without storage[t] <= deficit[t]
        builder.add_rows(
            np.full(slots.size, -np.inf), net[slots], parts, name="discharge of loads for the house"
        )


def add_supply_rows(
    builder: ModelBuilder, problem: Problem, load_columns: LoadColumns, sources: Sequence[Indices]
) -> Indices:
    """Add cuts for switched devices beside PV surplus, and return their rows.

    Of the surplus a device uses no more than its binary's share, and ``sources`` supply the rest.
    They describe the convex hull of off and on in a slot and hold for every integer solution.
    Without them a device that is half on could follow a surplus below its least power at no cost.
    """
    surplus_kwh = problem.outlook.pv_kwh - problem.outlook.load_kwh
    hours = problem.outlook.timeline.hours
    first = builder.rows
    for demand, columns in zip(problem.demands, load_columns.loads, strict=True):
        switched = columns.switched
        if switched is None:
            continue
        most_kwh = demand.most_use_kwh(hours)
        # Beyond its largest use, the surplus alone supplies it.
        binding = ((surplus_kwh > 0) & (surplus_kwh < most_kwh))[switched.slots]
        slots = switched.slots[binding]
        on = switched.columns[binding]
        use = columns.use[slots]
        kwh = np.broadcast_to(columns.kwh, surplus_kwh.shape)[slots]
        supplied: list[Term] = [(source[slots], 1.0) for source in sources]
        # Of a load that is on or off the use is its binary.
        if np.array_equal(use, on):
            supplied.append((on, surplus_kwh[slots] - kwh))
        else:
            supplied += [(on, surplus_kwh[slots]), (use, -kwh)]
        # sources[t] + surplus[t] * on[t] >= use[t]
        builder.add_rows(
            np.zeros(slots.size),
            np.full(slots.size, np.inf),
            supplied,
            name=f"{demand.name}: share of surplus",
        )
    return np.arange(first, builder.rows, dtype=np.int32)
