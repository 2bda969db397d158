"""What day-ahead prices may become beyond what is published: a regression on the days before, in
the spread that its own errors had.

Everything is folded into local days of 96 quarter-hours. A day ahead is forecast from the last day
that is wholly known: that day and the one before, the week's mean, the same weekday, and whether
either is a weekend. Errors are taken in proportion to how unsteady each time of day has been. A
third of the quantiles is those of the last fortnight. How much better that is than naive ones
stands in docs/decisions/0018.

Source: Lago et al. (2021), the LEAR model, with a ridge in the place of the lasso; Nowotarski and
Weron (2018) on quantiles from past errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.outlook import SHARES
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.forecaster.inputs.frame import DAY_SLOTS, IntArray, number_slot, offset_slots
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import UNDECIDED

WEEK = 7
FORTNIGHT = 14
FIT_DAYS = 120
NEEDED_DAYS = 21  # with fewer to fit, the last fortnight's prices are the quantiles
LEAST_DAYS = 3  # with fewer known, nothing is said
MEMORY = timedelta(days=FIT_DAYS + 2 * FORTNIGHT)  # what prices may be looked back on
RIDGE = 0.1
RECENT_SHARE = 0.35  # of the last fortnight's quantiles
NEAR_QUARTERS = (-4, 0, 4)  # errors at these distances count for a slot too
STEADINESS_FLOOR = 0.1  # of the mean unsteadiness: a time of day is never surer than that
LEAST_QUARTERS = 80  # of a day; the rest is filled in
SATURDAY = 5
SUNDAY = 6
FEW_PRICES = "few_prices"
NO_PRICES = "no_prices"
NOTHING_FITTED = (np.empty(0, np.int64), np.empty((0, DAY_SLOTS)), np.full(DAY_SLOTS, np.nan))


@dataclass(frozen=True, slots=True)
class PriceDays:
    """Prices by local day and quarter-hour, shape ``(days, 96)``, currency per kWh.

    Days not wholly known are NaN. ``first`` counts days since 1970.
    """

    first: int
    price: FloatArray

    @classmethod
    def fold(cls, timeline: Timeline, price: FloatArray, zone: ZoneInfo) -> Self:
        """Return the whole days of a series.

        The hour that a change of the clock leaves out is filled in, the one it repeats counts once.
        """
        day, quarter = _local_places(timeline, zone)
        folded = np.full((int(day[-1] - day[0]) + 1, DAY_SLOTS), np.nan)
        folded[day - day[0], quarter] = price
        quarters = np.arange(DAY_SLOTS)
        for row in np.flatnonzero(np.isnan(folded).any(axis=1)):
            gaps = np.isnan(folded[row])
            whole = (~gaps).sum() >= LEAST_QUARTERS
            folded[row] = (
                np.interp(quarters, quarters[~gaps], folded[row, ~gaps]) if whole else np.nan
            )
        return cls(int(day[0]), folded)

    def last_before(self, row: int) -> int | None:
        """Return the last known day before ``row``; None where none is."""
        complete = np.flatnonzero(~np.isnan(self.price[:row, 0]))
        return int(complete[-1]) if complete.size else None


@dataclass(frozen=True, slots=True)
class DayAhead:
    """A day some days after the last known one: quantiles by quarter-hour, shape ``(96, shares)``,
    and past errors by the day they were made of.

    ``errors`` holds the share of errors below each past day's, by row of the days; NaN where none
    is known. ``reason``: what the day could not rest on.
    """

    quantiles: FloatArray
    errors: FloatArray
    reason: str | None = None


@dataclass(frozen=True)
class MarketAhead:
    """The prices of a market over a horizon: as published, and as distributions beyond that.

    Args:
        published: currency per kWh, shape ``(slots,)``, NaN where nothing is published.
        row: of each slot's local day, and ``quarter`` of that day, shape ``(slots,)``.
        ahead: what is said of the days that are not wholly known, by row.
        reasons: codes of what the distributions could not rest on.
    """

    published: FloatArray
    row: IntArray
    quarter: IntArray
    ahead: Mapping[int, DayAhead]
    reasons: tuple[str, ...]

    @cached_property
    def quantiles(self) -> FloatArray:
        """Quantiles of every slot, shape ``(slots, shares)``.

        Published prices are certain, what nothing can be said of is NaN.
        """
        quantiles = np.repeat(self.published[:, None], len(SHARES), axis=1)
        for row, day in self.ahead.items():
            slots = (self.row == row) & np.isnan(self.published)
            quantiles[slots] = day.quantiles[self.quarter[slots]]
        return quantiles

    @cached_property
    def expected(self) -> FloatArray:
        """The mean price of every slot, shape ``(slots,)``."""
        return np.where(np.isnan(self.published), self._marginals.mean(), self.published)

    def recall(self, days_back: IntArray) -> FloatArray:
        """Return the shares that the same slots' errors had so many days ago, shape
        ``(days, slots)``; undecided where unknown.
        """
        shares = np.full((days_back.size, self.row.size), UNDECIDED)
        for row, day in self.ahead.items():
            slots = np.flatnonzero(self.row == row)
            past = row - days_back
            available = np.flatnonzero((past >= 0) & (past < day.errors.shape[0]))
            shares[available[:, None], slots] = day.errors[
                past[available][:, None], self.quarter[slots]
            ]
        return np.where(np.isnan(shares), UNDECIDED, shares)

    def draw(self, share: FloatArray) -> FloatArray:
        """Return courses of the price at the given shares, shape ``(paths, slots)``, zero where
        nothing can be said.
        """
        return np.nan_to_num(self._marginals.draw(share))

    def arrange(self, share: FloatArray, probability: FloatArray) -> FloatArray:
        """Return courses of the price in the order of ``share``.

        See ``Marginals.arrange``. Published prices are exact.
        """
        arranged = self._marginals.arrange(share, probability)
        return np.where(np.isnan(self.published), arranged, self.published)

    @cached_property
    def _marginals(self) -> Marginals:
        return Marginals.of_price(self.quantiles)


def look_beyond(
    price: FloatArray, past: Timeline, *, timeline: Timeline, zone: ZoneInfo
) -> MarketAhead:
    """Return a market's prices on ``timeline``.

    Args:
        price: prices as published when the look is taken, NaN where none was, shape of ``past``.
        past: quarter-hours from ``MEMORY`` before the horizon to its end.
    """
    first = (timeline.start - past.start) // SLOT
    published = price[first : first + timeline.count]
    days = PriceDays.fold(past, price, zone)
    day, quarter = _local_places(timeline, zone)
    row = day - days.first
    ahead = {
        int(each): _forecast_day(days, int(each)) for each in np.unique(row[np.isnan(published)])
    }
    reasons = {each.reason: None for each in ahead.values() if each.reason}
    return MarketAhead(published, row, quarter, ahead, tuple(reasons))


def _local_places(timeline: Timeline, zone: ZoneInfo) -> tuple[IntArray, IntArray]:
    """Return the local day (since 1970) and the quarter-hour of that day of each slot."""
    numbers = number_slot(timeline.start) + np.arange(timeline.count, dtype=np.int64)
    local = numbers + offset_slots(numbers, zone)
    return local // DAY_SLOTS, local % DAY_SLOTS


def _forecast_day(days: PriceDays, row: int) -> DayAhead:
    """Return what is said of the day ``row`` from the last known day before it.

    A day with few gaps is certain.
    """
    last = days.last_before(row)
    recent = days.price[:0] if last is None else days.price[max(last - FORTNIGHT + 1, 0) : last + 1]
    recent = recent[~np.isnan(recent[:, 0])]
    nothing = np.full(days.price.shape, np.nan)
    if not np.isnan(days.price[row, 0]):
        return DayAhead(np.repeat(days.price[row][:, None], len(SHARES), axis=1), nothing)
    if last is None or recent.shape[0] < LEAST_DAYS:
        return DayAhead(np.full((DAY_SLOTS, len(SHARES)), np.nan), nothing, NO_PRICES)
    of_fortnight = _quantiles(recent)
    rows, errors, expected = _fit(days, last, row)
    if not rows.size:
        return DayAhead(of_fortnight, nothing, FEW_PRICES)
    pooled = np.concatenate(
        [
            errors[:, np.clip(np.arange(DAY_SLOTS) + step, 0, DAY_SLOTS - 1)]
            for step in NEAR_QUARTERS
        ]
    )
    of_model = expected[:, None] + _quantiles(pooled) * _unsteadiness(days, np.array([last])).T
    nothing[rows] = (np.argsort(np.argsort(errors, axis=0), axis=0) + 0.5) / rows.size
    return DayAhead((1 - RECENT_SHARE) * of_model + RECENT_SHARE * of_fortnight, nothing)


def _quantiles(values: FloatArray) -> FloatArray:
    """Return the quantiles of each quarter-hour, shape ``(96, shares)``."""
    quantiles: FloatArray = np.quantile(values, list(SHARES.values()), axis=0).T
    return quantiles


def _fit(days: PriceDays, last: int, row: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return past days with their relative errors, shape ``(days, 96)``, and the mean expected of
    the day ``row``; no day where too few are known.
    """
    lead = row - last
    rows = np.arange(max(last - FIT_DAYS + 1, FORTNIGHT + lead), last + 1)
    if rows.size < NEEDED_DAYS:
        return NOTHING_FITTED
    features = _features(days, rows, lead)
    day_features = _features(days, np.array([row]), lead)[0]
    whole = ~np.isnan(features).any(axis=(1, 2)) & ~np.isnan(days.price[rows, 0])
    rows = rows[whole]
    features = features[whole]
    if rows.size < NEEDED_DAYS or np.isnan(day_features).any():
        return NOTHING_FITTED
    columns = features.reshape(-1, features.shape[-1])
    target = (days.price[rows] - features[..., 1]).ravel()
    # Ridge weights; the constant is not shrunk.
    scale = np.maximum(columns.std(axis=0), 1e-6)
    scale[-1] = 1.0
    scaled = columns / scale
    penalty = RIDGE * np.diag(np.append(np.ones(scale.size - 1), 0.0))
    weights = (
        np.linalg.solve(scaled.T @ scaled / target.size + penalty, scaled.T @ target / target.size)
        / scale
    )
    errors = days.price[rows] - features[..., 1] - features @ weights
    return (
        rows,
        errors / _unsteadiness(days, rows - lead),
        day_features[:, 1] + day_features @ weights,
    )


def _features(days: PriceDays, rows: IntArray, lead: int) -> FloatArray:
    """Return what is known ``lead`` days before each row, shape ``(rows, 96, features)``: the
    second feature is the week's mean, the last a constant.
    """
    last = rows - lead
    week = np.stack([days.price[last - back] for back in range(WEEK)]).mean(axis=0)
    same_weekday = days.price[rows - WEEK * (1 + (lead - 1) // WEEK)]
    # 1970 began on a Thursday
    weekday, last_weekday = ((days.first + each + 3) % WEEK for each in (rows, last))
    flags = [each == kind for each in (weekday, last_weekday) for kind in (SATURDAY, SUNDAY)]
    of_day = [days.price[last].mean(axis=1), week.mean(axis=1), *flags, np.ones(rows.size)]
    spread = [
        np.repeat(np.asarray(each, dtype=np.float64)[:, None], DAY_SLOTS, axis=1) for each in of_day
    ]
    return np.stack([days.price[last], week, same_weekday, days.price[last - 1], *spread], axis=-1)


def _unsteadiness(days: PriceDays, last: IntArray) -> FloatArray:
    """Return the root of how much the price at each time of day varied in the fortnight to
    ``last``, shape ``(days, 96)``.
    """
    has_price = ~np.isnan(days.price)
    moments = np.stack([has_price, np.nan_to_num(days.price), np.nan_to_num(days.price) ** 2])
    totals = np.concatenate([np.zeros((3, 1, DAY_SLOTS)), np.cumsum(moments, axis=1)], axis=1)
    count, total, squares = totals[:, last + 1] - totals[:, np.maximum(last + 1 - FORTNIGHT, 0)]
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    floor = np.maximum(STEADINESS_FLOOR * spread.mean(axis=1, keepdims=True), 1e-6)
    unsteady: FloatArray = np.sqrt(np.maximum(spread, floor))
    return unsteady
