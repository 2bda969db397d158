"""Comparison of a rebuilt day with the stored one: scaled by a factor, with directions swapped or
half gone it suggests a wrong unit or sensor. Pure.
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
# Below a kilowatt-hour a share says little.
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
    """A suspicious change of a day's series: energies over the slots known before and after,
    kWh.
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
    names = [
        name
        for name in ENERGIES
        if name in before and name in after and np.isfinite(before[name]).mean() >= LEAST_COVERAGE
    ]
    both = {name: np.isfinite(before[name]) & np.isfinite(after[name]) for name in names}
    was, now = (
        {name: np.where(both[name], series[name], 0.0) for name in names}
        for series in (before, after)
    )
    swapped: set[str] = set()
    for pair in (pair for pair in PAIRS if set(pair) <= set(names)):
        same, turned = (
            sum(
                float(np.abs(was[name] - now[other]).sum())
                for name, other in zip(pair, others, strict=True)
            )
            for others in (pair, pair[::-1])
        )
        total = sum(float(was[name].sum()) for name in pair)
        if total > LEAST_KWH and turned <= SAME_SHAPE * total and same > LOST_SHARE * total:
            swapped |= {*pair}
    for name in names:
        old = was[name]
        new = now[name]
        before_kwh = float(old.sum())
        after_kwh = float(new.sum())
        is_gone = before_kwh > LEAST_KWH and after_kwh < (1 - LOST_SHARE) * before_kwh
        is_comparable = after_kwh > LEAST_KWH and np.count_nonzero(old > 0) >= LEAST_MOVING_SLOTS
        factor = float(new @ old / (old @ old)) if is_comparable else 0.0
        is_scaled = (
            factor >= LEAST_FACTOR
            and float(np.abs(new - factor * old).sum()) <= SAME_SHAPE * after_kwh
        )
        fault: Fault | None = (
            "swapped" if name in swapped else "gone" if is_gone else "factor" if is_scaled else None
        )
        if fault:
            yield RebuiltSeries(day, name, before_kwh, after_kwh, fault)
