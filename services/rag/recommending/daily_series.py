"""A site's recorded quarter-hours as whole local days, and figures a year from figures a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from luna.energy.economics.charges import slot_surcharge
from luna.energy.economics.device_charges import NO_CHARGES, TariffCharges
from luna.energy.timeline import FloatArray, IndexArray, InstantArray, Timeline, local_offsets

# Nothing is claimed of a year from fewer days.
LEAST_DAYS = 28
DAYS_PER_YEAR = 365.25
_BLOCK_DAYS = 7
_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class ChargedDays:
    """A tariff's charges over all days, of which some are completely recorded.

    Attributes:
        charges: as counted when the timeline begins.
        timeline: of all days.
        zone: whose clock counts.
        energy_kwh: recorded energy by series on the timeline; NaN: unknown.
        complete: the slots of completely recorded days.
    """

    charges: TariffCharges
    timeline: Timeline
    zone: ZoneInfo
    energy_kwh: Mapping[str, FloatArray]
    complete: NDArray[np.bool_]

    def house_cost(self, import_kwh: FloatArray) -> FloatArray:
        """Return what each complete slot costs beside its price if these were bought."""
        bought_kwh = self._spread("import_kwh", import_kwh)
        cost = slot_surcharge(self.charges.house, bought_kwh, self.timeline, zone=self.zone)
        return cost[self.complete]

    def device_cost(self, series: str, use_kwh: FloatArray) -> FloatArray:
        """Return what devices cost beside the house in each complete slot if they drew these."""
        cost = np.zeros(self.timeline.count)
        for charge in self.charges.devices:
            if charge.price.series == series:
                drawn_kwh = self._spread(series, use_kwh)
                cost += charge.slot_cost(drawn_kwh, self.timeline, zone=self.zone)
        return cost[self.complete]

    def _spread(self, series: str, energy_kwh: FloatArray) -> FloatArray:
        """Return the energy of all slots, of which the complete ones have these values."""
        spread = np.nan_to_num(self.energy_kwh[series])
        spread[self.complete] = np.nan_to_num(energy_kwh)
        return spread


@dataclass(frozen=True, slots=True)
class RecordedDays:
    """The quarter-hours of completely recorded days, arrays of shape ``(slots,)``; NaN: unknown.

    Attributes:
        starts: slot starts in UTC.
        day: the number of the local day of each slot: 0, 1, 2, … of those that are recorded.
        hour: of the local clock, with fraction.
        series: by name, such as ``load_kwh``, without those that were never recorded.
        import_price: of the first kWh under the site's tariff, currency/kWh.
        export_price: currency/kWh.
        first: the first recorded day.
        last: the last.
        charged: what the tariff charges beside these prices.
    """

    starts: InstantArray
    day: IndexArray
    hour: FloatArray
    series: dict[str, FloatArray]
    import_price: FloatArray
    export_price: FloatArray
    first: date | None
    last: date | None
    charged: ChargedDays

    @property
    def count(self) -> int:
        """Number of recorded days."""
        return int(self.day.max()) + 1 if self.day.size else 0

    def per_day(self, values: FloatArray) -> FloatArray:
        """Return the sum of each day, shape ``(days,)``; unknown slots count as nothing."""
        sums = np.bincount(self.day, weights=np.nan_to_num(values), minlength=self.count)
        return np.asarray(sums, dtype=np.float64)

    def knows(self, *names: str) -> bool:
        """Return whether all of these series are recorded in nine of ten slots and more."""
        for name in names:
            if name not in self.series or np.isfinite(self.series[name]).mean() < 0.9:
                return False
        return True

    @property
    def marginal_price(self) -> FloatArray:
        """The cost of one kWh more in each slot.

        It is the import price where energy is bought, else the earning from feed-in where it is
        sold, else zero.
        """
        bought = np.nan_to_num(self.series["import_kwh"]) > 0
        sold = np.nan_to_num(self.series["export_kwh"]) > 0
        earning = np.maximum(self.export_price, 0.0)
        return np.where(bought, self.import_price, np.where(sold, earning, 0.0))

    def spend(self, import_kwh: FloatArray) -> FloatArray:
        """Return what each slot costs if these were bought, with blocks and allowances."""
        return import_kwh * self.import_price + self.charged.house_cost(import_kwh)

    @property
    def paid(self) -> FloatArray:
        """The payments of each day without earnings, currency, shape ``(days,)``.

        They are for bought energy, and for feed-in at negative prices.
        """
        cost = self.spend(self.series["import_kwh"])
        for name, use_kwh in self.series.items():
            cost += self.charged.device_cost(name, use_kwh)
        bought = np.maximum(cost, 0.0)
        exported = np.nan_to_num(self.series.get("export_kwh", np.zeros(self.day.size)))
        fed_in = np.maximum(-exported * self.export_price, 0.0)
        return self.per_day(bought) + self.per_day(fed_in)


@dataclass(frozen=True, slots=True)
class YearlyFigure:
    """Currency a year with the 95 % interval of a bootstrap over blocks of a week."""

    value: float
    low: float
    high: float

    def at_most(self, bound: float) -> "YearlyFigure":
        """Return the figure and its interval cut at a bound."""
        return YearlyFigure(min(self.value, bound), min(self.low, bound), min(self.high, bound))


def cut_days(
    timeline: Timeline,
    zone: ZoneInfo,
    series: dict[str, FloatArray],
    prices: tuple[FloatArray, FloatArray],
    *,
    charges: TariffCharges = NO_CHARGES,
) -> RecordedDays:
    """Return the local days of which load, import and prices are known in every slot.

    Args:
        timeline: quarter-hours from a local midnight to another.
        zone: whose days count.
        series: by name, shape ``(slots,)``.
        prices: of import and export, of the first kWh.
        charges: beside them, as counted when the timeline begins.
    """
    local = timeline.starts + local_offsets(timeline.starts, zone)
    dates, numbers = np.unique(local.astype("datetime64[D]"), return_inverse=True)
    complete = (
        np.isfinite(series["load_kwh"])
        & np.isfinite(series["import_kwh"])
        & np.isfinite(prices[0])
        & np.isfinite(prices[1])
    )
    whole = np.bincount(numbers, weights=~complete, minlength=dates.size) == 0
    inside = whole[numbers]
    _, day = np.unique(numbers[inside], return_inverse=True)
    since_midnight = local - local.astype("datetime64[D]")
    hour = since_midnight.astype("timedelta64[s]").astype(float) / 3600
    days = dates[whole].tolist()
    recorded = {name: values for name, values in series.items() if np.isfinite(values).any()}
    return RecordedDays(
        starts=timeline.starts[inside],
        day=day,
        hour=hour[inside],
        series={name: values[inside] for name, values in recorded.items()},
        import_price=prices[0][inside],
        export_price=prices[1][inside],
        first=days[0] if days else None,
        last=days[-1] if days else None,
        charged=ChargedDays(charges, timeline, zone, series, inside),
    )


def project_year(per_day: FloatArray, rng: np.random.Generator) -> YearlyFigure:
    """Return the yearly projection of daily values.

    Source: moving-block bootstrap, Künsch 1989, in blocks of a week.
    """
    blocks = max(per_day.size - _BLOCK_DAYS + 1, 1)
    blocks_per_sample = -(-per_day.size // _BLOCK_DAYS)
    starts = rng.integers(0, blocks, (_RESAMPLES, blocks_per_sample))
    places = np.minimum(starts[..., None] + np.arange(_BLOCK_DAYS), per_day.size - 1)
    drawn = per_day[places].reshape(_RESAMPLES, -1)[:, : per_day.size]
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975)) * DAYS_PER_YEAR
    value = float(per_day.mean()) * DAYS_PER_YEAR
    return YearlyFigure(value, min(float(low), value), max(float(high), value))
