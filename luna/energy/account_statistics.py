"""Statistics of an account's series: days in order, hours of the day, and causes of a cost."""

from dataclasses import dataclass
from datetime import date
from math import fsum
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.account import AccountSlots, settle_account
from luna.energy.timeline import FloatArray, Timeline, local_offsets

SLOTS_PER_DAY = 96


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
    return np.divide(sums, counts, out=np.full(24, np.nan), where=counts > 0)


def _local_starts(
    timeline: Timeline, zone: ZoneInfo
) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    return timeline.starts.astype("datetime64[s]") + local_offsets(timeline.starts, zone)


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


@dataclass(frozen=True, slots=True)
class CostCauses:
    """Parts of the difference between a cost and the usual one, in currency.

    Invariants: they add up to the difference.
    """

    bought: float
    import_price: float
    sold: float
    export_price: float


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


def explain_cost(one: Trade, usual: Trade) -> CostCauses:
    """Return how amounts and prices make one cost differ from the usual one of as many days."""
    usual_price = _unit_price(usual.import_cost, usual.import_kwh)
    usual_earning = _unit_price(usual.export_earning, usual.export_kwh)
    return CostCauses(
        bought=(one.import_kwh - usual.import_kwh) * usual_price,
        import_price=one.import_cost - one.import_kwh * usual_price,
        sold=-(one.export_kwh - usual.export_kwh) * usual_earning,
        export_price=-(one.export_earning - one.export_kwh * usual_earning),
    )


def _unit_price(money: float, energy_kwh: float) -> float:
    return money / energy_kwh if energy_kwh > 0 else 0.0
