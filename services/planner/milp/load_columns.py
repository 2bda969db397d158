"""Add flexible loads to the mixed-integer model, and the rows for the sources that may supply
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.devices.kind import DemandColumns, LoadPricing, SurroundingColumns
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.linear.schedules import ScheduleBlock
from services.planner.milp.slack import dearest_price
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.problem import Problem

# Cost of waiting for the whole horizon, as a share of the highest price: breaks ties in favour of
# earlier slots, reproducibly. Less is below the solver's tolerance.
_WAITING = 1e-4


@dataclass(frozen=True, slots=True)
class PlacedColumns:
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
        return [
            (each.storage.give, 1.0)
            for each in self.loads
            if each.storage and each.storage.give.size
        ]

    @property
    def blocks(self) -> tuple[ScheduleBlock, ...]:
        """The on/off loads whose rows tie no other columns."""
        return tuple(columns.block for columns in self.loads if columns.block)


def add_demands(builder: ModelBuilder, problem: Problem) -> PlacedColumns:
    """Add the columns and rows of every demand."""
    first = builder.columns
    ahead = look_ahead(problem)
    loads = tuple(demand.add(builder, ahead) for demand in problem.demands)
    takers = [columns.surplus for columns in loads if columns.surplus]
    # Several share the surplus by a row; a single one is limited by its bounds.
    most_kwh = np.array([taker.kwh * taker.most * taker.bound for taker in takers]).reshape(
        -1, ahead.surplus_kwh.size
    )
    crowded = np.flatnonzero(
        ((most_kwh > 0).sum(axis=0) > 1) & (most_kwh.sum(axis=0) > ahead.surplus_kwh + 1e-9)
    )
    if crowded.size:
        rows = builder.add_rows(np.full(crowded.size, -np.inf), ahead.surplus_kwh[crowded], [])
        for taker, most in zip(takers, most_kwh, strict=True):
            takes = most[crowded] > 0
            builder.add_entries(
                rows[takes], taker.columns[crowded][takes], taker.kwh[crowded][takes]
            )
    return PlacedColumns(loads, slice(first, builder.columns))


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


def most_placed_kwh(problem: Problem) -> FloatArray:
    """Return the largest draw of all flexible loads, shape ``(slots,)``."""
    hours = problem.outlook.timeline.hours
    return sum((demand.most_use_kwh(hours) for demand in problem.demands), np.zeros_like(hours))


def add_sources(
    builder: ModelBuilder,
    problem: Problem,
    placed: PlacedColumns,
    *,
    batteries: Indices,
    grid: tuple[Indices, Indices, Indices],
) -> None:
    """Add the sources of loads that store energy.

    Their discharge serves the house and loads without storage alone, and is never exported.
    """
    net = problem.outlook.load_kwh - problem.ac_pv_kwh
    stores = [each.storage for each in placed.loads if each.storage]
    sold, curtailed, direct = grid
    around = SurroundingColumns(net, sold, curtailed, direct, batteries, placed.loads)
    for storage in stores:
        storage.add_sources(builder, around)
    slots = np.flatnonzero(net > 0)
    if placed.give_terms and slots.size:
        terms = [
            *placed.give_terms,
            *((each.use, -np.asarray(each.kwh)) for each in placed.loads if each.storage is None),
        ]
        parts = [
            (each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots])
            for each, factor in terms
        ]
        builder.add_rows(np.full(slots.size, -np.inf), net[slots], parts)


def add_supply_rows(
    builder: ModelBuilder, problem: Problem, placed: PlacedColumns, sources: Sequence[Indices]
) -> Indices:
    """Add cuts, and return their rows: of the PV surplus a switched device uses no more than its
    binary's share, and ``sources`` supply the rest.

    They describe the convex hull of off and on in a slot and hold for every integer solution.
    Without them a device that is half on could follow a surplus below its least power at no cost.
    """
    surplus_kwh = problem.outlook.pv_kwh - problem.outlook.load_kwh
    hours = problem.outlook.timeline.hours
    first = builder.rows
    for demand, columns in zip(problem.demands, placed.loads, strict=True):
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
        builder.add_rows(np.zeros(slots.size), np.full(slots.size, np.inf), supplied)
    return np.arange(first, builder.rows, dtype=np.int32)
