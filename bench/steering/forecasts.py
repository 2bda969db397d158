"""Forecasts of own days that differ from the meters: the kind of day is known, no cloud is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.steering.profiles import (
    QUARTER_S,
    QUARTERS,
    SECONDS,
    HomeDay,
    Profile,
    clear_sky,
    draw_days,
)

HOURS_PER_QUARTER = 0.25
# Days of other seeds, which give the house's usual use.
_OTHER_SEED = 90_000
_OTHER_DAYS = 20
# Error of a day's sun, and of its use, as a share; weather services miss a day by about as much.
_SUN_ERROR = 0.2
_USE_ERROR = 0.15
# What the last quarter-hour differs by fades within this many.
_FADES_QUARTERS = 4.0


def mean_of_quarters(power_kw: Profile) -> Profile:
    """Return the means of quarter-hours."""
    return np.asarray(power_kw.reshape(-1, QUARTER_S).mean(axis=1))


@dataclass(frozen=True, slots=True)
class DayAheadForecast:
    """Use and sun of several days, kW by quarter-hour, as expected before they begin."""

    house_kw: Profile
    pv_kw: Profile

    @classmethod
    def draw(cls, days: Sequence[HomeDay], seed: int, *, peak_kw: float) -> Self:
        """Return a forecast: the usual use, and each day's mean share of a clear sky, with errors.

        Neither knows when a cloud comes or a kettle boils.
        """
        rng = np.random.default_rng([seed, _OTHER_SEED])
        others = draw_days(_OTHER_SEED + seed, _OTHER_DAYS, peak_kw=peak_kw)
        usual_kw = np.mean([mean_of_quarters(day.house_kw) for day in others], axis=0)
        clear_kw = mean_of_quarters(clear_sky(peak_kw))
        house_kw = []
        pv_kw = []
        for day in days:
            share = day.pv_kw.sum() / (clear_kw.sum() * QUARTER_S)
            house_kw.append(usual_kw * rng.lognormal(0.0, _USE_ERROR))
            pv_kw.append(clear_kw * min(share * rng.lognormal(0.0, _SUN_ERROR), 1.0))
        return cls(np.concatenate(house_kw), np.concatenate(pv_kw))

    def look_ahead(
        self, quarter: int, count: int, *, measured_house_kw: float, measured_pv_kw: float
    ) -> tuple[Profile, Profile]:
        """Return energies of the next quarter-hours, kWh: use and sun.

        Args:
            quarter: the first, which begins now.
            count: how many; days beyond the last are as that one.
            measured_house_kw: mean of the quarter-hour before, NaN where there is none.
            measured_pv_kw: likewise.
        """
        fading = np.exp(-np.arange(count) / _FADES_QUARTERS)
        house_kw = _carry_on(self.house_kw, quarter, count)
        pv_kw = _carry_on(self.pv_kw, quarter, count)
        before = quarter - 1
        if before >= 0 and not np.isnan(measured_house_kw):
            house_kw = house_kw + fading * (measured_house_kw - self.house_kw[before])
            if self.pv_kw[before] > 0.0:
                # Morning and evening have less sun than the quarter-hour that was measured.
                ratio = min(measured_pv_kw / self.pv_kw[before], 3.0)
                pv_kw = pv_kw * (1.0 + fading * (ratio - 1.0))
        return (
            np.maximum(house_kw, 0.0) * HOURS_PER_QUARTER,
            np.maximum(pv_kw, 0.0) * HOURS_PER_QUARTER,
        )


def _carry_on(series: Profile, first: int, count: int) -> Profile:
    """Return values from a place on; the last day comes again and again."""
    places = np.arange(first, first + count)
    beyond = places >= series.size
    places[beyond] = series.size - QUARTERS + (places[beyond] - series.size) % QUARTERS
    return np.asarray(series[places])


def join_days(days: Sequence[HomeDay]) -> HomeDay:
    """Return several days as a single profile, one after the other."""
    return HomeDay(
        np.concatenate([day.house_kw for day in days]),
        np.concatenate([day.pv_kw for day in days]),
        days[0].sky,
    )


def count_days(day: HomeDay) -> int:
    """Return how many days a profile has."""
    return day.pv_kw.size // SECONDS
