"""What is placed beside batteries in the mixed-integer model, and which sources may supply it."""

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

# What waiting for the whole horizon costs, as a share of the dearest price: of equal slots the earlier is taken, the same ones each time. Less, and
# the solver does not tell them apart.
_WAITING = 1e-4


@dataclass(frozen=True, slots=True)
class PlacedColumns:
    """Where what is placed stands in a model, in the order of the problem's demands; ``span`` are all columns that it brought."""

    loads: tuple[DemandColumns, ...]
    span: slice

    @property
    def terms(self) -> list[Term]:
        """What they add to the use of each slot, less what they give, as terms of the balance."""
        return [(columns.use, -np.asarray(columns.kwh)) for columns in self.loads] + self.give_terms

    @property
    def give_terms(self) -> list[Term]:
        """What is given back in each slot."""
        return [(each.storage.give, 1.0) for each in self.loads if each.storage and each.storage.give.size]

    @property
    def blocks(self) -> tuple[ScheduleBlock, ...]:
        """Each load that is on or off with the rows that tie nothing else."""
        return tuple(columns.block for columns in self.loads if columns.block)


def add_demands(builder: ModelBuilder, problem: Problem) -> PlacedColumns:
    """Add the columns and rows of every demand."""
    first, ahead = builder.columns, look_ahead(problem)
    loads = tuple(demand.add(builder, ahead) for demand in problem.demands)
    takers = [columns.surplus for columns in loads if columns.surplus]
    # They keep within the surplus where there are several; what one may take alone is in its bounds.
    most_kwh = np.array([taker.kwh * taker.most * taker.bound for taker in takers]).reshape(-1, ahead.surplus_kwh.size)
    crowded = np.flatnonzero(((most_kwh > 0).sum(axis=0) > 1) & (most_kwh.sum(axis=0) > ahead.surplus_kwh + 1e-9))
    if crowded.size:
        rows = builder.add_rows(np.full(crowded.size, -np.inf), ahead.surplus_kwh[crowded], [])
        for taker, most in zip(takers, most_kwh, strict=True):
            takes = most[crowded] > 0
            builder.add_entries(rows[takes], taker.columns[crowded][takes], taker.kwh[crowded][takes])
    return PlacedColumns(loads, slice(first, builder.columns))


def look_ahead(problem: Problem) -> LoadPricing:
    """Return the pricing that loads are scheduled by."""
    outlook, dearest = problem.outlook, dearest_price(problem)
    surplus, mean = problem.surplus_kwh, float(outlook.import_price.mean())
    tie = _WAITING * dearest * np.arange(outlook.timeline.count) / outlook.timeline.count
    deficit = np.maximum(outlook.load_kwh - problem.ac_pv_kwh, 0.0)
    return LoadPricing(
        outlook.timeline.hours, surplus, deficit, problem.at_tariff_prices.outlook.import_price, tie, dearest, mean, TERMINAL_SHARE * max(mean, 0.0)
    )


def most_placed_kwh(problem: Problem) -> FloatArray:
    """Return the largest draw of all flexible loads, shape ``(slots,)``."""
    hours = problem.outlook.timeline.hours
    return sum((demand.most_use_kwh(hours) for demand in problem.demands), np.zeros_like(hours))


def add_sources(builder: ModelBuilder, problem: Problem, placed: PlacedColumns, *, batteries: Indices, grid: tuple[Indices, Indices, Indices]) -> None:
    """Add what may feed what stores energy, and that what it gives back serves the house and what runs in it: it is not sold, and stores nothing else."""
    net, stores = problem.outlook.load_kwh - problem.ac_pv_kwh, [each.storage for each in placed.loads if each.storage]
    sold, curtailed, direct = grid
    around = SurroundingColumns(net, sold, curtailed, direct, batteries, placed.loads)
    for storage in stores:
        storage.add_sources(builder, around)
    slots = np.flatnonzero(net > 0)
    if placed.give_terms and slots.size:
        terms = [*placed.give_terms, *((each.use, -np.asarray(each.kwh)) for each in placed.loads if each.storage is None)]
        parts = [(each[slots], np.broadcast_to(np.asarray(factor), each.shape)[slots]) for each, factor in terms]
        builder.add_rows(np.full(slots.size, -np.inf), net[slots], parts)


def add_supply_rows(builder: ModelBuilder, problem: Problem, placed: PlacedColumns, sources: Sequence[Indices]) -> None:
    """Where a load that is on or off takes more than the surplus, the rest comes from ``sources`` in proportion to its being on.

    Every whole answer obeys anyway: it is the convex hull of off and on in a slot. It leaves 0.1 % between linear and whole instead of 0.3 %.
    """
    deficit_kwh = problem.outlook.load_kwh - problem.outlook.pv_kwh
    for columns in placed.loads:
        if columns.block:
            rest = deficit_kwh + columns.kwh
            slots = np.flatnonzero((deficit_kwh < 0) & (rest > 0))
            builder.add_rows(np.zeros(slots.size), np.full(slots.size, np.inf), [(columns.use[slots], -rest[slots]), *((each[slots], 1.0) for each in sources)])
