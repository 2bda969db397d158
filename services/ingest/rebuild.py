"""Comparison of a rebuilt day with the stored one, to find a wrong unit or sensor. Pure.

Suspicious are a day scaled by a factor, swapped directions, and a day that is half gone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from luna.energy.row_fault import RowFault
from luna.energy.site import measured_series
from luna.energy.timeline import FloatArray

# Late readings and repaired gaps change a day that was known to nine tenths only a little.
LEAST_COVERAGE = 0.9
# Below a kilowatt-hour a share means little.
LEAST_KWH = 1.0
LOST_SHARE = 0.5
# A second array or phase doubles a day. Units and spacings of readings are wrong by 4 (kW as kWh
# per slot), 12 (five minutes), 1,000.
LEAST_FACTOR = 3.0
# Counters round, so ratios of slots are not exact; a genuinely different day is never within a
# fiftieth of the stored shape.
SAME_SHAPE = 0.02
LEAST_MOVING_SLOTS = 8
PAIRS = (("import_kwh", "export_kwh"), ("charge_kwh", "discharge_kwh"))
ENERGIES = measured_series("consumption", "source", "sink", "submetered")

# Quarantine source of rebuilt days that wait for a person's acceptance; the stored day stays until
# then.
REBUILT = "rebuild"

Fault = Literal["factor", "gone", "swapped"]


@dataclass(frozen=True, slots=True)
class RebuiltSeries:
    """A suspicious change of a day's series.

    The energies are those of the slots known before and after.
    """

    day: date
    series: str
    before_kwh: float
    after_kwh: float
    fault: Fault

    @property
    def row_fault(self) -> RowFault:
        """The fault for the quarantine."""
        code = "built_again_swapped" if self.fault == "swapped" else "built_again"
        return RowFault.of(
            code,
            series=self.series,
            before_kwh=round(self.before_kwh, 6),
            after_kwh=round(self.after_kwh, 6),
        )


def compare_day(
    day: date, before: Mapping[str, FloatArray], after: Mapping[str, FloatArray]
) -> Iterator[RebuiltSeries]:
    """Yield a day's suspicious changes; series with too little stored coverage are not compared.

    Args:
        before: stored series of the day's slots, NaN where unknown.
        after: rebuilt series; NaN erases nothing.
    """
    was = {}
    now = {}
    for name in ENERGIES:
        if name not in before or name not in after:
            continue
        known = np.isfinite(before[name])
        if known.mean() >= LEAST_COVERAGE:
            both = known & np.isfinite(after[name])
            was[name] = np.where(both, before[name], 0.0)
            now[name] = np.where(both, after[name], 0.0)
    swapped = _find_swapped(was, now)
    for name, old in was.items():
        new = now[name]
        before_kwh = float(old.sum())
        after_kwh = float(new.sum())
        fault: Fault | None = None
        if name in swapped:
            fault = "swapped"
        elif before_kwh > LEAST_KWH and after_kwh < (1 - LOST_SHARE) * before_kwh:
            fault = "gone"
        elif _is_scaled(old, new):
            fault = "factor"
        if fault:
            yield RebuiltSeries(
                day=day, series=name, before_kwh=before_kwh, after_kwh=after_kwh, fault=fault
            )


def _find_swapped(was: Mapping[str, FloatArray], now: Mapping[str, FloatArray]) -> set[str]:
    """Return the series of pairs of directions that look swapped."""
    swapped: set[str] = set()
    for one, other in PAIRS:
        if one not in was or other not in was:
            continue
        total = float(was[one].sum()) + float(was[other].sum())
        same = _difference_kwh(was[one], now[one]) + _difference_kwh(was[other], now[other])
        turned = _difference_kwh(was[one], now[other]) + _difference_kwh(was[other], now[one])
        if total > LEAST_KWH and turned <= SAME_SHAPE * total and same > LOST_SHARE * total:
            swapped |= {one, other}
    return swapped


def _difference_kwh(one: FloatArray, other: FloatArray) -> float:
    return float(np.abs(one - other).sum())


def _is_scaled(old: FloatArray, new: FloatArray) -> bool:
    """Return whether a series looks like the stored one times a factor."""
    after_kwh = float(new.sum())
    if after_kwh <= LEAST_KWH or np.count_nonzero(old > 0) < LEAST_MOVING_SLOTS:
        return False
    factor = float(new @ old / (old @ old))
    if factor < LEAST_FACTOR:
        return False
    return float(np.abs(new - factor * old).sum()) <= SAME_SHAPE * after_kwh
