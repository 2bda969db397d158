"""Add tariffs that couple slots to the mixed-integer model.

They are monthly peaks, and prices that depend on energy drawn before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics.charges import (
    AllowanceCharge,
    Blocks,
    EnergyCharge,
    MonthShare,
    Peak,
    month_shares,
)
from luna.energy.timeline import FloatArray, Timeline
from services.planner.linear.model import Indices, ModelBuilder


@dataclass(frozen=True, slots=True)
class MonthPeak:
    """The columns of one local month's peak: the billed level, and each unit's excess above it."""

    share: MonthShare
    peak: Peak
    level: Indices
    above: Indices

    def limit_import(
        self, import_kwh: FloatArray, column: FloatArray, hours: FloatArray
    ) -> FloatArray:
        """Return import limits that keep every interval of the month within its planned mean.

        Slots may import up to their unit's level; those of an interval with a slot above it, or
        that began before the horizon, up to their plan.
        """
        share = self.share
        level_kw = float(column[self.level][0]) + column[self.above][share.unit][share.interval]
        planned = import_kwh[share.slots]
        level = level_kw * hours[share.slots]
        planned_intervals = np.bincount(share.interval, weights=planned > level + 1e-9) > 0
        planned_intervals[0] |= share.running
        return np.where(planned_intervals[share.interval], planned, level)


def add_peaks(
    builder: ModelBuilder,
    bought: Indices,
    timeline: Timeline,
    *,
    peaks: tuple[Peak, ...],
    zone: ZoneInfo,
) -> tuple[MonthPeak, ...]:
    """Add the cost of the highest units of each local month under every component.

    Peaks so far belong to the first month.

    Source: Rockafellar and Uryasev (2000): the sum of the n largest is the least n·θ + Σ max(x − θ,
    0).
    """
    month_peaks: list[MonthPeak] = []
    with builder.section("monthly peak"):
        for peak in peaks:
            shares = month_shares(peak.price, timeline, zone)
            month_peaks += [
                _price_level(builder, share, peak, bought[share.slots]) for share in shares
            ]
    return tuple(month_peaks)


def _price_level(
    builder: ModelBuilder, share: MonthShare, peak: Peak, bought: Indices
) -> MonthPeak:
    price = peak.price
    others, reached = share.before_kw(peak)
    before = np.array(sorted(others, reverse=True)[: price.highest])
    count = share.unit.size
    units = int(share.unit[-1]) + 1
    most_above = np.inf if price.highest > 1 else 0.0
    floored = price.highest > 1 and price.least_kw > 0
    level_price = 0.0 if floored else price.price_per_kw_month
    least_level = 0.0 if floored else price.least_kw
    level = builder.add_columns(1, cost=level_price, lower=least_level, upper=np.inf)
    unit_price = level_price / price.highest
    above = builder.add_columns(units, cost=unit_price, upper=most_above)
    old = builder.add_columns(before.size, cost=unit_price, upper=most_above)
    kw_per_kwh = 60 / price.interval_minutes
    began = np.zeros(count)
    if share.running:
        began[0] = peak.history.interval_kwh * 60 / price.interval_minutes
    # mean power of bought[i] - level - above[unit of i] <= -began[i]
    rows = builder.add_rows(
        np.full(count, -np.inf),
        -began,
        [(np.repeat(level, count), -1.0), (above[share.unit], -1.0)],
        name="intervals",
    )
    builder.add_entries(rows[share.interval], bought, kw_per_kwh)
    if before.size:
        # level + old[n] >= before[n]
        builder.add_rows(
            before,
            np.full(before.size, np.inf),
            [(np.repeat(level, before.size), 1.0), (old, 1.0)],
            name="peaks so far",
        )
    if reached:
        # level + above[0] >= reached
        builder.add_sum(
            reached, np.inf, [(level, 1.0), (above[:1], 1.0)], name="reached in this unit"
        )
    if floored:
        billed = builder.add_columns(
            1, cost=price.price_per_kw_month, lower=price.least_kw, upper=np.inf
        )
        excess = np.concatenate([above, old])
        # billed >= level + sum of excess / highest
        builder.add_sum(
            0.0,
            np.inf,
            [(billed, 1.0), (level, -1.0), (excess, -1.0 / price.highest)],
            name="least billed",
        )
    return MonthPeak(share, peak, level, above)


class AddRows(Protocol):
    """Adds rows for a charge on ``bought`` beyond the price of the first kWh."""

    def __call__(
        self,
        charge: Any,
        builder: ModelBuilder,
        bought: Indices,
        *,
        timeline: Timeline,
        zone: ZoneInfo,
    ) -> None: ...


# By the class of a charge.
_ADD_ROWS: dict[type[EnergyCharge], AddRows] = {}


def rows_of(charge: type[EnergyCharge]) -> Callable[[AddRows], AddRows]:
    """Return the decorator that declares the rows of a kind of charge."""

    def declare(add_rows: AddRows) -> AddRows:
        _ADD_ROWS[charge] = add_rows
        return add_rows

    return declare


def add_charges(
    builder: ModelBuilder,
    bought: Indices,
    timeline: Timeline,
    *,
    charges: tuple[EnergyCharge, ...],
    zone: ZoneInfo,
) -> None:
    """Add the cost of imports beyond the price of the first kWh, if any."""
    with builder.section("energy charge"):
        for charge in charges:
            _ADD_ROWS[type(charge)](charge, builder, bought, timeline=timeline, zone=zone)


@rows_of(Blocks)
def _add_blocks(
    charge: Blocks, builder: ModelBuilder, bought: Indices, *, timeline: Timeline, zone: ZoneInfo
) -> None:
    """Add the price rise on each month's imports beyond the start of every later block."""
    for month in charge.split_months(timeline, zone):
        if not month.holds.any():
            continue
        slots = bought[month.until_end]
        beyond = builder.add_columns(month.left_kwh.size, cost=charge.rise, upper=np.inf)
        for place, energy in enumerate(month.left_kwh.tolist()):
            # sum of bought over the month - beyond <= energy left in the block
            builder.add_sum(
                -np.inf,
                energy,
                [(slots, 1.0), (beyond[place : place + 1], -1.0)],
                name="block",
            )
        if month.before.size:
            before = bought[month.before]
            for left_kwh, rise in zip(month.left_kwh.tolist(), charge.rise.tolist(), strict=True):
                _credit_before(builder, before, left_kwh=left_kwh, rise=rise)


def _credit_before(builder: ModelBuilder, before: Indices, *, left_kwh: float, rise: float) -> None:
    """Take off the price rise on what lies beyond a block before the component is in force.

    A binary says whether anything does: the more is drawn before, the more of the month's energy
    is free of the rise, which no linear cost can say.
    """
    most_kwh = float(builder.upper_of(before).sum()) - left_kwh
    if most_kwh <= 0 or rise == 0:
        return
    free = builder.add_columns(1, cost=-rise, upper=most_kwh)
    # With nothing left in the block before, all of it lies beyond.
    is_open = left_kwh > 0
    is_beyond = builder.add_columns(
        1, cost=0.0, lower=float(not is_open), upper=1.0, integer=int(is_open)
    )
    # free <= most * is_beyond
    builder.add_sum(-np.inf, 0.0, [(free, 1.0), (is_beyond, -most_kwh)], name="block before")
    # free <= sum of bought before - energy left in the block * is_beyond
    builder.add_sum(
        -np.inf,
        0.0,
        [(free, 1.0), (before, -1.0), (is_beyond, left_kwh)],
        name="beyond before",
    )


@rows_of(AllowanceCharge)
def _add_allowance(
    charge: AllowanceCharge,
    builder: ModelBuilder,
    bought: Indices,
    *,
    timeline: Timeline,
    zone: ZoneInfo,
) -> None:
    """Add the price rise on each day's imports beyond what is left of its allowance."""
    for slots, left_kwh in charge.list_days(timeline, zone):
        if slots.size:
            beyond = builder.add_columns(1, cost=charge.component.rise, upper=np.inf)
            # sum of bought over the day's window - beyond <= energy left of the allowance
            builder.add_sum(
                -np.inf, left_kwh, [(bought[slots], 1.0), (beyond, -1.0)], name="allowance"
            )
