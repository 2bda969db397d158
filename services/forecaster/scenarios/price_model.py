"""Day-ahead prices beyond the published ones: a regression on past days, and its past errors.

Prices are folded into local days of 96 quarter-hours. A day ahead is forecast from the last day
that is completely known, the day before it, the week's mean, the same weekday, and whether either
day is on a weekend. Errors are relative to the unsteadiness of each time of day. A third of the
quantiles comes from the last fortnight. docs/decisions/0018 compares them with naive ones.

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
from luna.energy.timeline import SLOT, SLOTS_PER_DAY, FloatArray, Timeline
from services.forecaster.inputs.frame import IntArray, number_slot, offset_slots
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import UNDECIDED

WEEK = 7
FORTNIGHT = 14
FIT_DAYS = 120
NEEDED_DAYS = 21  # with fewer to fit, the last fortnight's prices are the quantiles
LEAST_DAYS = 3  # with fewer known, there are no quantiles
MEMORY = timedelta(days=FIT_DAYS + 2 * FORTNIGHT)  # past prices that are used
RIDGE = 0.1
RECENT_SHARE = 0.35  # of the last fortnight's quantiles
NEAR_QUARTERS = (-4, 0, 4)  # errors at these distances count for a slot too
STEADINESS_FLOOR = 0.1  # least share of the mean unsteadiness
LEAST_QUARTERS = 80  # known ones of a day; the rest is interpolated
SATURDAY = 5
SUNDAY = 6
FEW_PRICES = "few_prices"
NO_PRICES = "no_prices"
NOTHING_FITTED = (
    np.empty(0, np.int64),
    np.empty((0, SLOTS_PER_DAY)),
    np.full(SLOTS_PER_DAY, np.nan),
)


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

        The hour that a change of the clock skips is interpolated, the one it repeats counts once.
        """
        day, quarter = _local_places(timeline, zone)
        folded = np.full((int(day[-1] - day[0]) + 1, SLOTS_PER_DAY), np.nan)
        folded[day - day[0], quarter] = price
        quarters = np.arange(SLOTS_PER_DAY)
        for row in np.flatnonzero(np.isnan(folded).any(axis=1)):
            known = ~np.isnan(folded[row])
            if known.sum() >= LEAST_QUARTERS:
                folded[row] = np.interp(quarters, quarters[known], folded[row, known])
            else:
                folded[row] = np.nan
        return cls(int(day[0]), folded)

    def last_before(self, row: int) -> int | None:
        """Return the last known day before ``row``, or None."""
        complete = np.flatnonzero(~np.isnan(self.price[:row, 0]))
        return int(complete[-1]) if complete.size else None


@dataclass(frozen=True, slots=True)
class DayAhead:
    """Quantiles of a day after the last known one, shape ``(96, shares)``, and past errors.

    ``errors`` holds the share of errors below each past day's, by row of the days; NaN where none
    is known. ``reason``: a missing basis.
    """

    quantiles: FloatArray
    errors: FloatArray
    reason: str | None = None


@dataclass(frozen=True)
class MarketAhead:
    """The prices of a market over a horizon: as published, and beyond that as distributions.

    Args:
        published: currency per kWh, shape ``(slots,)``, NaN where nothing is published.
        row: of each slot's local day, and ``quarter`` of that day, shape ``(slots,)``.
        ahead: the forecast of each day that is not completely known, by row.
        reasons: codes of a missing basis of the distributions.
    """

    published: FloatArray
    row: IntArray
    quarter: IntArray
    ahead: Mapping[int, DayAhead]
    reasons: tuple[str, ...]

    @cached_property
    def quantiles(self) -> FloatArray:
        """Quantiles of every slot, shape ``(slots, shares)``.

        Published prices are certain, prices without a forecast are NaN.
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
        """Return the shares of the same slots' errors so many days ago, shape ``(days, slots)``.

        Undecided where unknown.
        """
        shares = np.full((days_back.size, self.row.size), UNDECIDED)
        for row, day in self.ahead.items():
            slots = np.flatnonzero(self.row == row)
            past = row - days_back
            available = np.flatnonzero((past >= 0) & (past < day.errors.shape[0]))
            errors = day.errors[past[available][:, None], self.quarter[slots]]
            shares[available[:, None], slots] = errors
        return np.where(np.isnan(shares), UNDECIDED, shares)

    def draw(self, share: FloatArray) -> FloatArray:
        """Return paths of the price at the given shares, shape ``(paths, slots)``.

        Zero where there is no forecast.
        """
        return np.nan_to_num(self._marginals.draw(share))

    def arrange(self, share: FloatArray, probability: FloatArray) -> FloatArray:
        """Return paths of the price in the order of ``share``.

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
        price: prices as published at the time of the forecast, NaN where none was, shape of
            ``past``.
        past: quarter-hours from ``MEMORY`` before the horizon to its end.
    """
    first = (timeline.start - past.start) // SLOT
    published = price[first : first + timeline.count]
    days = PriceDays.fold(past, price, zone)
    day, quarter = _local_places(timeline, zone)
    row = day - days.first
    ahead = {}
    reasons: dict[str, None] = {}
    for unknown_row in np.unique(row[np.isnan(published)]).tolist():
        forecast = _forecast_day(days, unknown_row)
        ahead[unknown_row] = forecast
        if forecast.reason:
            reasons[forecast.reason] = None
    return MarketAhead(
        published=published, row=row, quarter=quarter, ahead=ahead, reasons=tuple(reasons)
    )


def _local_places(timeline: Timeline, zone: ZoneInfo) -> tuple[IntArray, IntArray]:
    """Return the local day (since 1970) and the quarter-hour of that day of each slot."""
    numbers = number_slot(timeline.start) + np.arange(timeline.count, dtype=np.int64)
    local = numbers + offset_slots(numbers, zone)
    return local // SLOTS_PER_DAY, local % SLOTS_PER_DAY


def _forecast_day(days: PriceDays, row: int) -> DayAhead:
    """Return the forecast of the day ``row`` from the last known day before it.

    A day with few gaps is certain.
    """
    nothing = np.full(days.price.shape, np.nan)
    if not np.isnan(days.price[row, 0]):
        return DayAhead(np.repeat(days.price[row][:, None], len(SHARES), axis=1), nothing)
    last = days.last_before(row)
    recent = days.price[:0]
    if last is not None:
        recent = days.price[max(last - FORTNIGHT + 1, 0) : last + 1]
        recent = recent[~np.isnan(recent[:, 0])]
    if last is None or recent.shape[0] < LEAST_DAYS:
        return DayAhead(np.full((SLOTS_PER_DAY, len(SHARES)), np.nan), nothing, NO_PRICES)
    of_fortnight = _quantiles(recent)
    rows, errors, expected = _fit(days, last, row)
    if not rows.size:
        return DayAhead(of_fortnight, nothing, FEW_PRICES)
    shifted = []
    for step in NEAR_QUARTERS:
        neighbour = np.clip(np.arange(SLOTS_PER_DAY) + step, 0, SLOTS_PER_DAY - 1)
        shifted.append(errors[:, neighbour])
    spread = _quantiles(np.concatenate(shifted)) * _unsteadiness(days, np.array([last])).T
    of_model = expected[:, None] + spread
    past_errors = nothing
    rank = np.argsort(np.argsort(errors, axis=0), axis=0)
    past_errors[rows] = (rank + 0.5) / rows.size
    quantiles = (1 - RECENT_SHARE) * of_model + RECENT_SHARE * of_fortnight
    return DayAhead(quantiles, past_errors)


def _quantiles(values: FloatArray) -> FloatArray:
    """Return the quantiles of each quarter-hour, shape ``(96, shares)``."""
    quantiles: FloatArray = np.quantile(values, list(SHARES.values()), axis=0).T
    return quantiles


def _fit(days: PriceDays, last: int, row: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return past days, their relative errors, and the mean expected of the day ``row``.

    The errors have the shape ``(days, 96)``; there are no days if too few are known.
    """
    lead = row - last
    rows = np.arange(max(last - FIT_DAYS + 1, FORTNIGHT + lead), last + 1)
    if rows.size < NEEDED_DAYS:
        return NOTHING_FITTED
    features = _features(days, rows, lead)
    day_features = _features(days, np.array([row]), lead)[0]
    has_features = ~np.isnan(features).any(axis=(1, 2))
    has_price = ~np.isnan(days.price[rows, 0])
    rows = rows[has_features & has_price]
    features = features[has_features & has_price]
    if rows.size < NEEDED_DAYS or np.isnan(day_features).any():
        return NOTHING_FITTED
    # Fitted is the deviation from the week's mean.
    deviation = days.price[rows] - features[..., 1]
    weights = _fit_ridge(features.reshape(-1, features.shape[-1]), deviation.ravel())
    errors = deviation - features @ weights
    relative_errors = errors / _unsteadiness(days, rows - lead)
    return rows, relative_errors, day_features[:, 1] + day_features @ weights


def _fit_ridge(columns: FloatArray, target: FloatArray) -> FloatArray:
    """Return ridge weights; the last column, a constant, is not shrunk."""
    scale = np.maximum(columns.std(axis=0), 1e-6)
    scale[-1] = 1.0
    scaled = columns / scale
    penalty = RIDGE * np.diag(np.append(np.ones(scale.size - 1), 0.0))
    covariance = scaled.T @ scaled / target.size + penalty
    weights: FloatArray = np.linalg.solve(covariance, scaled.T @ target / target.size) / scale
    return weights


def _features(days: PriceDays, rows: IntArray, lead: int) -> FloatArray:
    """Return the features known ``lead`` days before each row, shape ``(rows, 96, features)``.

    The second is the week's mean, the last a constant.
    """
    last = rows - lead
    week = np.stack([days.price[last - back] for back in range(WEEK)]).mean(axis=0)
    same_weekday = days.price[rows - WEEK * (1 + (lead - 1) // WEEK)]
    # 1970 began on a Thursday
    weekday = (days.first + rows + 3) % WEEK
    last_weekday = (days.first + last + 3) % WEEK
    of_day = [
        days.price[last].mean(axis=1),
        week.mean(axis=1),
        weekday == SATURDAY,
        weekday == SUNDAY,
        last_weekday == SATURDAY,
        last_weekday == SUNDAY,
        np.ones(rows.size),
    ]
    features = [days.price[last], week, same_weekday, days.price[last - 1]]
    for values in of_day:
        column = np.asarray(values, dtype=np.float64)[:, None]
        features.append(np.repeat(column, SLOTS_PER_DAY, axis=1))
    return np.stack(features, axis=-1)


def _unsteadiness(days: PriceDays, last: IntArray) -> FloatArray:
    """Return the root of the price's spread by time of day in the fortnight to ``last``.

    Shape ``(days, 96)``.
    """
    has_price = ~np.isnan(days.price)
    moments = np.stack([has_price, np.nan_to_num(days.price), np.nan_to_num(days.price) ** 2])
    totals = np.concatenate([np.zeros((3, 1, SLOTS_PER_DAY)), np.cumsum(moments, axis=1)], axis=1)
    begin = np.maximum(last + 1 - FORTNIGHT, 0)
    count, total, squares = totals[:, last + 1] - totals[:, begin]
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    floor = np.maximum(STEADINESS_FLOOR * spread.mean(axis=1, keepdims=True), 1e-6)
    unsteady: FloatArray = np.sqrt(np.maximum(spread, floor))
    return unsteady
