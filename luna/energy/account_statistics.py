"""Statistics of an account's series: days in order, hours of the day, and causes of a cost."""

from dataclasses import dataclass
from datetime import date
from math import fsum
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.account import AccountSlots, settle_account
from luna.energy.timeline import SLOTS_PER_DAY, FloatArray, InstantArray, Timeline, local_offsets


def rank_days(
    values: FloatArray, timeline: Timeline, zone: ZoneInfo, *, least_known: float = 0.0
) -> list[tuple[date, float]]:
    """Return local days with their sums, the highest first and ties in order of time.

    Days of which no more than ``least_known`` is known are left out.
    """
    local = _local_starts(timeline, zone).astype("datetime64[D]")
    days, places = np.unique(local, return_inverse=True)
    known = np.isfinite(values)
    sums = np.bincount(places, np.nan_to_num(values), days.size)
    shares = np.bincount(places, known, days.size) / SLOTS_PER_DAY
    ranked = []
    for place in np.argsort(-sums, kind="stable"):
        if shares[place] > least_known:
            ranked.append((days[place].item(), float(sums[place])))
    return ranked


def mean_by_hour(values: FloatArray, timeline: Timeline, zone: ZoneInfo) -> FloatArray:
    """Return the mean of the known slots in each local hour of the day, shape ``(24,)``.

    NaN where none is known.
    """
    local = _local_starts(timeline, zone)
    hours = (local.astype("datetime64[h]") - local.astype("datetime64[D]")).astype(int)
    known = np.isfinite(values)
    counts = np.bincount(hours[known], minlength=24).astype(float)
    sums = np.bincount(hours[known], values[known], minlength=24)
    means = np.full(24, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _local_starts(timeline: Timeline, zone: ZoneInfo) -> InstantArray:
    local: InstantArray = timeline.starts.astype("datetime64[s]").copy()
    local += local_offsets(timeline.starts, zone)
    return local


@dataclass(frozen=True, slots=True)
class Trade:
    """Bought and sold energy of the slots with a known cost, and its money.

    Attributes:
        days: the counted slots, in days.
    """

    days: float
    import_kwh: float
    export_kwh: float
    import_cost: float
    export_earning: float

    @property
    def cost(self) -> float:
        return self.import_cost - self.export_earning

    def scaled(self, days: float) -> "Trade":
        """Return the same for another number of days."""
        factor = days / self.days
        return Trade(
            days,
            self.import_kwh * factor,
            self.export_kwh * factor,
            self.import_cost * factor,
            self.export_earning * factor,
        )


CauseName = Literal["bought", "import_price", "sold", "export_price"]


@dataclass(frozen=True, slots=True)
class CostCause:
    """One part of the difference between a cost and the usual one.

    Attributes:
        cost: in currency, positive where it makes the cost higher.
        change: of the amount or the price, positive where there was more.
    """

    name: CauseName
    cost: float
    change: float


def settle_trade(slots: AccountSlots) -> Trade | None:
    """Return what was bought and sold; None where no slot's cost is known."""
    priced = np.isfinite(slots.cost)
    if not priced.any():
        return None
    account = settle_account(slots, with_demand=False)
    return Trade(
        int(priced.sum()) / SLOTS_PER_DAY,
        fsum(np.nan_to_num(slots.energy_kwh["import"][priced]).tolist()),
        fsum(np.nan_to_num(slots.energy_kwh["export"][priced]).tolist()),
        account.import_cost,
        -account.export_cost,
    )


def explain_cost(trade: Trade, usual: Trade) -> list[CostCause]:
    """Return the amounts and prices that make a cost differ from the usual one of as many days.

    Where one of the two has no price, amounts alone count.

    Invariants: the causes add up to the difference.
    """
    price, usual_price = _unit_prices(
        trade.import_cost, trade.import_kwh, usual.import_cost, usual.import_kwh
    )
    earning, usual_earning = _unit_prices(
        trade.export_earning, trade.export_kwh, usual.export_earning, usual.export_kwh
    )
    more_bought = trade.import_kwh - usual.import_kwh
    more_sold = trade.export_kwh - usual.export_kwh
    dearer = price - usual_price
    better_paid = earning - usual_earning
    return [
        CostCause("bought", more_bought * usual_price, more_bought),
        CostCause("import_price", dearer * trade.import_kwh, dearer),
        CostCause("sold", -more_sold * usual_earning, more_sold),
        CostCause("export_price", -better_paid * trade.export_kwh, better_paid),
    ]


def _unit_prices(
    money: float, energy_kwh: float, usual_money: float, usual_kwh: float
) -> tuple[float, float]:
    """Return both prices of a kWh; that of no energy is the other one."""
    if energy_kwh <= 0 and usual_kwh <= 0:
        return 0.0, 0.0
    price = money / energy_kwh if energy_kwh > 0 else usual_money / usual_kwh
    usual_price = usual_money / usual_kwh if usual_kwh > 0 else price
    return price, usual_price
