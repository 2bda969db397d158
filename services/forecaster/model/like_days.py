"""Similar-day forecast of load and PV from weighted days of the last eight weeks.

It drives plans until a trained model has proven better.

A target pools the same time of day of every day, and nearby slots with less weight unless the days
agree that they differ. The weight of a day

- falls with its age, and is lower if one of the two is a working day and the other a day off, zero
  where such days surely differ;
- is low if the house was empty then and is occupied at the origin, or vice versa; such values are
  scaled by the ratio of the two states.

A load above that of every other day around its time is reduced to the next highest. PV is pooled as
a share of clear sky, and follows the weather forecast as far as it has done so lately. ``expected``
is the weighted mean, quantiles are the days' own, p50 lies between median and trimean, nearer to
the median the more skewed the days are; the load is partly scaled to the level of the last two
days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import ndtri

from luna.energy.outlook import LEVELS, SHARES, Quantiles
from luna.energy.timeline import SLOTS_PER_DAY, FloatArray
from services.forecaster.inputs.forecast_series import LOAD, PV, OriginViews
from services.forecaster.inputs.frame import SATURDAY, BoolArray, IntArray
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.load_features import LEAST_SLOTS, QUIET_SHARE, QUIET_SLOTS
from services.forecaster.inputs.view import EDGES, FLOOR_KWH, WEEK, FeatureMatrix

DAYS = 56  # history: after a month away, days at home are still included
NEWEST_FIRST = np.arange(DAYS)
# Chosen on the first eight months of four series and judged on the rest:
# docs/decisions/0017-forecast-versions.md.
FADE = 0.5 ** (NEWEST_FIRST / 7.0)  # weight of a day by age: halves every week
PV_FADE = FADE * np.where(NEWEST_FIRST == 0, 3.0, 1.0)  # weather often persists from yesterday
REACH = 4  # slots on either side: habits do not keep to the quarter-hour
# Weight of a working day for a day off, and vice versa, at hours at which they are alike
OTHER_KIND = 0.25
# Squared standard errors that a difference must exceed to be believed: the least of 1, 2, 4 and 6
# that raised the pinball loss of none of three series, over seven months before those for judging.
CHANCE = 4.0
LEAST_COMPARED_DAYS = 1.5  # effective number of days below which their variance is unknown
OTHER_STATE = 0.02  # weight of a day with the house empty for one at home, and vice versa
# Load is scaled by the bounded ratio of the newest days to the usual, to this power
LEVEL_DAYS = 2
LEVEL_SHARE = 0.5
LEVEL_MOST = 4.0
MEDIAN = 1 + int(np.flatnonzero(LEVELS == 0.5)[0])  # its row below the mean's
# As robust as a median, less rough where days are few. Source: Tukey 1977
TRIMEAN = np.select([LEVELS == 0.5, np.isin(LEVELS, [0.25, 0.75])], [0.5, 0.25])
# Standard deviation of the logarithm of households' load over the standard profile. Over the first
# eight months of three series 0.7 to 0.9 had the least pinball loss, 12 % less than a band from 0.3
# to 3 times the profile.
HOUSEHOLD_SPREAD = 0.7
AWAY = 0.5  # share of a slot above which the house counts as empty
LEAST_QUIET_SHARE = 0.02  # of the usual load in an empty house
SKY_FLOOR = 0.1  # least divisor, as a share of the brightest clear-sky slot
WEATHER_FADE = 0.5 ** (NEWEST_FIRST / 28.0)
# Explained share of PV's variance below which the weather is ignored: less is chance
LEAST_FOLLOWED = 0.25
# The prior that PV follows half of the weather's deviations, and its weight in days of measurements
DOUBT_DAYS = 3.0
DOUBT = 0.5
PART_ORIGINS = 16  # origins per batch: more do not fit a processor's cache


@dataclass(frozen=True, slots=True)
class LikeDays:
    """A similar-day forecast, kWh by row.

    ``habit_kwh`` is the mean of the days alone, ``levelled_kwh`` the same scaled to the level of
    the last days.
    """

    quantiles: Quantiles
    habit_kwh: FloatArray
    levelled_kwh: FloatArray


def recall_load(origin_views: OriginViews) -> LikeDays:
    """Return the similar-day forecast of load for every row."""
    frame = origin_views.frame
    # 1970 began on a Thursday
    weekday = (frame.local_slot // SLOTS_PER_DAY + 3) % WEEK
    off = (weekday >= SATURDAY) | frame.days_off.holiday
    away = np.nan_to_num(frame.vacation_share) > AWAY
    habits = []
    levels = []
    for origin, target in _split_origins(origin_views):
        recalled = RecalledDays.of(frame.load_kwh, origin, frame.local_slot)
        past = recalled.in_state(away, away[np.maximum(origin - 1, 0)]).damp()
        kinds = _pool_kinds(past, off[past.where])
        slot = (frame.local_slot[target] - frame.local_slot[origin][:, None]) % SLOTS_PER_DAY
        kind = off[target].astype(np.int64)
        habit = kinds[kind, :, np.arange(origin.size)[:, None], slot]
        habits.append(habit.reshape(target.size, -1).T)
        working, free = kinds[:, 0, :, :, None]
        usual = np.where(off[past.where], free, working)
        levels.append(np.repeat(past.measure_level(usual), origin_views.slots))
    view = origin_views.described[LOAD.name]
    guess = _spread_households(view.members["centre"]["mean"])
    habit = _settle(np.concatenate(habits, axis=1), guess, origin_views.slots)
    return _forecast(habit, view, level=np.concatenate(levels))


def _spread_households(profile: FloatArray) -> FloatArray:
    """Return log-normal quantiles of households around a profile, shape ``(1 + levels, rows)``."""
    rows = [profile]
    for share in LEVELS:
        exponent = HOUSEHOLD_SPREAD * ndtri(share) - HOUSEHOLD_SPREAD**2 / 2
        rows.append(profile * np.exp(exponent))
    return np.stack(rows)


def recall_pv(origin_views: OriginViews) -> LikeDays:
    """Return the similar-day forecast of PV for every row.

    Days are compared by shares of clear sky, and shifted by the weather as far as PV followed it.
    """
    frame = origin_views.frame
    view = origin_views.described[PV.name]
    sky = np.maximum(frame.clear_sky_kwh, SKY_FLOOR * frame.brightest_kwh)
    by_sun = np.arange(sky.size, dtype=np.int64)
    habits = []
    followed = []
    for origin, target in _split_origins(origin_views):
        past = RecalledDays.of(frame.pv_kwh / sky, origin, by_sun)
        promised = RecalledDays.of(frame.promised_kwh / sky, origin, by_sun)
        light = frame.clear_sky_kwh[past.where] + 1e-3 * frame.brightest_kwh
        slot = (target - origin[:, None]) % SLOTS_PER_DAY
        row = np.arange(origin.size)[:, None]
        pooled = past.pool(PV_FADE * light)[:, row, slot] * sky[target]
        habits.append(pooled.reshape(1 + LEVELS.size, -1))
        slope, share, usual = past.follow(promised, light)
        slope_rows, share_rows = np.repeat([slope, share], origin_views.slots, axis=1)
        usual_rows = (usual[row, slot] * sky[target]).ravel()
        followed.append(np.stack([slope_rows, share_rows, usual_rows]))
    slope, share, usual = np.concatenate(followed, axis=1)
    surprise = view.column("weather_estimate") * view.scale_kwh - usual
    followed_share = np.where(np.isnan(surprise), 0.0, share)
    habit = _settle(np.concatenate(habits, axis=1), _guess_pv(view), origin_views.slots)
    return _forecast(
        habit, view, moved_kwh=slope * np.nan_to_num(surprise), followed=followed_share
    )


def _guess_pv(view: FeatureMatrix) -> FloatArray:
    """Return mean and quantiles by sky and weather, for rows without any measured day."""
    centre = view.members["centre"]["weather"]
    low, high = (view.members[edge]["week"] for edge, _ in EDGES)
    rows = [centre]
    for level in LEVELS:
        downward = (low - centre) * max(1 - 2 * level, 0)
        upward = (high - centre) * max(2 * level - 1, 0)
        rows.append(centre + downward + upward)
    return np.stack(rows)


def _pool_kinds(past: "RecalledDays", off: BoolArray) -> FloatArray:
    """Return mean and quantiles for working days and for days off.

    Shape ``(2, 1 + levels, origins, 96)``.
    """
    pooled = []
    for kind in (False, True):
        own = FADE * (off == kind)
        other = FADE * (off != kind)
        alike = OTHER_KIND * (1 - past.measure_contrast(own, other))
        weight = own + alike[:, :, None] * other
        pooled.append(past.pool(weight, reach=REACH, least_slots=LEAST_SLOTS))
    return np.stack(pooled)


def _split_origins(origin_views: OriginViews) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield batches of origins with their targets, shape ``(origins, slots)``."""
    origin = origin_views.pairs.origin.reshape(-1, origin_views.slots)
    target = origin_views.pairs.target.reshape(-1, origin_views.slots)
    for first in range(0, len(origin), PART_ORIGINS):
        part = slice(first, first + PART_ORIGINS)
        yield origin[part, 0], target[part]


def _settle(habit: FloatArray, guess: FloatArray, slots: int) -> FloatArray:
    """Return similar days' mean and quantiles with p50 between median and trimean.

    Shape ``(1 + levels, rows)``; ``guess`` where nothing was measured.

    The more skewed the interquartile range over an origin's ``slots``, the nearer p50 is to the
    median: if nearly every day is clear, the few others stretch the lower quarter alone, and the
    trimean lies below most days. Source: Bowley 1901 for the skewness.
    """
    low = _sum_by_origin(habit[MEDIAN - 1], slots)
    median = _sum_by_origin(habit[MEDIAN], slots)
    high = _sum_by_origin(habit[MEDIAN + 1], slots)
    skew = np.divide(
        np.abs(low + high - 2 * median), high - low, out=np.zeros(median.size), where=high > low
    )
    settled = habit.copy()
    settled[MEDIAN] += (1 - np.repeat(skew, slots)) * (TRIMEAN @ habit[1:] - habit[MEDIAN])
    return np.where(np.isnan(settled), guess, settled)


def _sum_by_origin(values: FloatArray, slots: int) -> FloatArray:
    return np.asarray(np.nan_to_num(values).reshape(-1, slots).sum(axis=1))


def _forecast(
    habit: FloatArray,
    view: FeatureMatrix,
    *,
    level: FloatArray | float = 1.0,
    moved_kwh: FloatArray | float = 0.0,
    followed: FloatArray | float = 0.0,
) -> LikeDays:
    """Return the forecast from mean and quantiles of similar days as ``_settle`` returns them.

    Args:
        level: factor of the last days' level.
        moved_kwh: shift by the weather forecast.
        followed: share of the variance that the weather explains; the rest is narrower and less
            skewed.
    """
    levelled = habit * level
    mean = levelled[0]
    recalled = levelled[1:]
    middle = (1 - followed) * levelled[MEDIAN] + followed * mean
    narrowing = np.sqrt(1 - followed)
    below = narrowing * np.minimum(recalled - middle, 0)
    above = narrowing * np.maximum(recalled - middle, 0)
    is_lower = (LEVELS < 0.5)[:, None]
    is_upper = (LEVELS > 0.5)[:, None]
    deviation = np.where(is_lower, below, np.where(is_upper, above, 0.0))
    quantiles = middle + moved_kwh + deviation
    bounded = np.clip(np.stack([mean + moved_kwh, *quantiles]), 0, view.limit_kwh)
    expected, *named = bounded
    return LikeDays(Quantiles(expected, **dict(zip(SHARES, named, strict=True))), habit[0], mean)


@dataclass(frozen=True, slots=True)
class RecalledDays:
    """The days before some origins, newest first.

    Arrays of shape ``(origins, 96, days)``, with slots from the origin's time of day on.

    Args:
        value: measurement, NaN where unknown.
        trust: weight: 1, less in the other state of the house, 0 where unknown.
        where: index of the slot in the frame.
    """

    value: FloatArray
    trust: FloatArray
    where: IntArray

    @classmethod
    def of(cls, values: FloatArray, origin: IntArray, clock: IntArray) -> Self:
        """Return the days before each origin.

        ``clock`` numbers the frame's slots in the time of the daily cycle: local time, or UTC.
        """
        back = np.arange(SLOTS_PER_DAY)[:, None] - SLOTS_PER_DAY * (1 + NEWEST_FIRST)
        where = origin[:, None, None] + back
        # Moved by the change of the clock in between.
        where = where + clock[origin][:, None, None] + back - clock[np.clip(where, 0, None)]
        is_past = (where >= 0) & (where < origin[:, None, None])
        where = np.clip(where, 0, values.size - 1)
        value = np.where(is_past, values[where], np.nan)
        return cls(value, (~np.isnan(value)).astype(np.float64), where)

    def in_state(self, away: BoolArray, away_at_origin: BoolArray) -> "RecalledDays":
        """Return the days scaled to the state of the house at the origin, occupied or ``away``.

        That state is assumed to last. The ratio of the two states is estimated from these days,
        with ``QUIET_SHARE`` as the prior.
        """
        was_away = away[self.where]
        is_away_now = away_at_origin[:, None, None]
        has_value = self.trust > 0
        if not was_away.any() and not is_away_now.any():
            return self
        count = (was_away & has_value).sum(axis=(1, 2))
        quiet = _mean(self.value, (has_value & was_away).astype(np.float64), axis=(1, 2))
        usual = _mean(self.value, (has_value & ~was_away).astype(np.float64), axis=(1, 2))
        usual = np.maximum(fill_gaps(usual, quiet / QUIET_SHARE, 1.0), FLOOR_KWH)
        quiet_share = (np.nan_to_num(quiet) * count + QUIET_SHARE * usual * QUIET_SLOTS) / (
            (count + QUIET_SLOTS) * usual
        )
        factor = np.clip(quiet_share, LEAST_QUIET_SHARE, 1)[:, None, None]
        same = was_away == is_away_now
        other = np.where(is_away_now, self.value * factor, self.value / factor)
        scaled = np.where(same, self.value, other)
        return replace(self, value=scaled, trust=self.trust * np.where(same, 1.0, OTHER_STATE))

    def damp(self) -> "RecalledDays":
        """Return the days, each capped at the highest value of the others within ``REACH`` slots.

        An outlier of one day is no habit.
        """
        filled = np.nan_to_num(self.value)
        nearby = [np.roll(filled, shift, axis=1) for shift in range(-REACH, REACH + 1)]
        most = np.max(nearby, axis=0)
        second = np.partition(most, -2, axis=2)[:, :, -2:-1]
        is_highest = most.argmax(axis=2)[:, :, None] == NEWEST_FIRST
        has_others = (self.trust > 0).sum(axis=2, keepdims=True) > 2
        capped = np.minimum(self.value, second)
        return replace(self, value=np.where(is_highest & has_others, capped, self.value))

    def pool(self, weight: FloatArray, *, reach: int = 0, least_slots: int = 1) -> FloatArray:
        """Return mean and quantiles by time of day, shape ``(1 + levels, origins, 96)``.

        ``weight`` is each slot's weight by age and kind of day.

        Slots within ``reach`` count the less the more surely the days' own slot differs from them.
        A time of day without measurements takes those of all others; NaN where fewer than
        ``least_slots`` were measured at all.
        """
        counted = self.trust * weight
        near = range(-reach, reach + 1)
        nearness = np.array([1 - abs(shift) / (reach + 1.5) for shift in near])
        blur = 1 - self.measure_sharpness(weight, nearness)[:, :, None]
        value = np.concatenate([np.roll(self.value, -shift, axis=1) for shift in near], axis=2)
        weights = []
        for shift, share in zip(near, nearness, strict=True):
            weights.append(np.roll(counted, -shift, axis=1) * (share * blur if shift else 1.0))
        pooled = _describe(value, np.concatenate(weights, axis=2))
        if not np.isnan(pooled[0]).any():
            return pooled
        # All times of day together.
        origins = len(self.value)
        others = _describe(self.value.reshape(origins, 1, -1), counted.reshape(origins, 1, -1))
        enough = (self.trust > 0).sum(axis=(1, 2)) >= least_slots
        return fill_gaps(pooled, np.where(enough[:, None], others, np.nan))

    def measure_contrast(self, weight: FloatArray, other_weight: FloatArray) -> FloatArray:
        """Return by time of day how surely days of two weights differ, from 0 to 1."""
        mean, error = self._estimate_mean(weight)
        other_mean, other_error = self._estimate_mean(other_weight)
        return _share_beyond_chance(mean - other_mean, error + other_error)

    def measure_sharpness(self, weight: FloatArray, nearness: FloatArray) -> FloatArray:
        """Return by time of day how surely it differs from nearby slots, from 0 to 1."""
        mean, error = self._estimate_mean(weight)
        reach = nearness.size // 2
        shifted = [np.roll(mean, -shift, axis=1) for shift in range(-reach, reach + 1)]
        around = np.stack(shifted, axis=2) @ nearness / nearness.sum()
        return _share_beyond_chance(mean - around, error)

    def _estimate_mean(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and squared standard error by time of day, infinite for one day."""
        counted = self.trust * weight
        mean = _mean(self.value, counted, axis=2)
        variance = _mean((self.value - mean[:, :, None]) ** 2, counted, axis=2)
        # Effective number of days of unequal weight. Source: Kish 1965.
        squares = (counted**2).sum(axis=2)
        days = np.divide(
            counted.sum(axis=2) ** 2, squares, out=np.zeros(squares.shape), where=squares > 0
        )
        unknown = np.full(squares.shape, np.inf)
        error = np.divide(variance, days - 1, out=unknown, where=days >= LEAST_COMPARED_DAYS)
        return mean, error

    def measure_level(self, usual: FloatArray) -> FloatArray:
        """Return by origin the level of the newest days: a power of their ratio to ``usual``."""
        newest = self.trust * (NEWEST_FIRST < LEVEL_DAYS)
        measured_kwh = (np.nan_to_num(self.value) * newest).sum(axis=(1, 2))
        usual_kwh = (np.nan_to_num(usual) * newest).sum(axis=(1, 2))
        ratio = np.divide(
            measured_kwh, usual_kwh, out=np.ones(measured_kwh.size), where=usual_kwh > 0
        )
        # Gaps, and days in the other state of the house, lower the exponent.
        coverage = newest.sum(axis=(1, 2)) / (SLOTS_PER_DAY * LEVEL_DAYS)
        level: FloatArray = np.clip(ratio, 1 / LEVEL_MOST, LEVEL_MOST) ** (LEVEL_SHARE * coverage)
        return level

    def follow(
        self, promised: "RecalledDays", light: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return by origin how far PV followed the ``promised`` one.

        Least squares over slots with both, shrunk to the prior ``DOUBT`` for few days.

        Returns:
            The slope of PV's deviations on the promised ones, the explained share of their
            variance, and by time of day the mean of the promised PV.
        """
        both = self.trust * promised.trust
        weight = both * WEATHER_FADE * light**2
        measured = _deviate(self.value, weight, both)
        expected = _deviate(promised.value, weight, both)
        covariance = (measured * expected * weight).sum(axis=(1, 2))
        variance_expected = (expected * expected * weight).sum(axis=(1, 2))
        variance_measured = (measured * measured * weight).sum(axis=(1, 2))
        days = (both * WEATHER_FADE).sum(axis=2).max(axis=1)
        slope = _divide(covariance, variance_expected)
        share = _divide(covariance**2, variance_expected * variance_measured)
        slope = _shrink(slope, days)
        share = _shrink(np.where(covariance > 0, share, 0.0), days)
        follows = share > LEAST_FOLLOWED
        return (
            np.where(follows, slope, 0.0),
            np.where(follows, share, 0.0),
            _mean(promised.value, both * PV_FADE, axis=2),
        )


def _deviate(values: FloatArray, weight: FloatArray, both: FloatArray) -> FloatArray:
    """Return the deviations from the mean by time of day, zero where not both are known."""
    mean = _mean(values, weight, axis=2)[:, :, None]
    return np.asarray(np.nan_to_num(values - mean) * (both > 0))


def _divide(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return quotients, zero where the divisor is not positive."""
    return np.asarray(np.divide(above, below, out=np.zeros(above.size), where=below > 0))


def _shrink(share: FloatArray, days: FloatArray) -> FloatArray:
    """Return shares drawn to the prior ``DOUBT``, the more the fewer days there are."""
    return (np.clip(share, 0, 1) * days + DOUBT * DOUBT_DAYS) / (days + DOUBT_DAYS)


def _share_beyond_chance(difference: FloatArray, error: FloatArray) -> FloatArray:
    """Return the share of squared differences beyond chance, summed over nearby times of day.

    Args:
        difference: of two means by time of day, shape ``(origins, 96)``.
        error: its squared standard error, infinite where it is unknown.

    Source: the positive part of James and Stein 1961, with ``CHANCE`` for the error of few days.
    """
    shifts = range(-REACH, REACH + 1)
    squares = np.nan_to_num(difference) ** 2
    squared = np.sum([np.roll(squares, shift, axis=1) for shift in shifts], axis=0)
    chance = CHANCE * np.sum([np.roll(error, shift, axis=1) for shift in shifts], axis=0)
    by_chance = np.divide(chance, squared, out=np.ones(squared.shape), where=squared > 0)
    share: FloatArray = np.clip(1 - by_chance, 0, 1)
    return share


def _mean(values: FloatArray, weight: FloatArray, *, axis: int | tuple[int, ...]) -> FloatArray:
    """Return the weighted mean, NaN without weight."""
    total = weight.sum(axis=axis)
    mean: FloatArray = np.divide(
        (np.nan_to_num(values) * weight).sum(axis=axis),
        total,
        out=np.full(np.shape(total), np.nan),
        where=total > 0,
    )
    return mean


def _describe(value: FloatArray, weight: FloatArray) -> FloatArray:
    """Return weighted mean and quantiles over the last axis, on a new first axis.

    NaN without weight.
    """
    order = np.argsort(value, axis=2)
    ordered = np.nan_to_num(np.take_along_axis(value, order, axis=2))
    counted = np.take_along_axis(weight, order, axis=2)
    below = np.cumsum(counted, axis=2)
    total = below[:, :, -1:]
    last = value.shape[2] - 1
    rows = [_mean(ordered, counted, axis=2)]
    for level in LEVELS:
        # Rounding of the sums must not skip the value at the level.
        place = (below < level * total * (1 - 1e-9)).sum(axis=2, keepdims=True)
        quantile = np.take_along_axis(ordered, np.minimum(place, last), axis=2)
        rows.append(quantile[:, :, 0])
    described: FloatArray = np.where(below[:, :, -1] > 0, np.stack(rows), np.nan)
    return described
