"""Features of the load, as known at each origin.

They are habits of the last weeks at the level of the last seven days, and today's differences.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from luna.energy.timeline import SLOTS_PER_DAY, SLOTS_PER_HOUR, FloatArray
from services.forecaster.inputs.frame import Frame, IntArray, Pairs
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.view import (
    EDGES,
    FLOOR_KWH,
    MEMORY,
    WEEK,
    Days,
    FeatureMatrix,
    Part,
    Windows,
    deviate_from_week,
    mark_time,
    name_edges,
    recall_days,
    stack_columns,
)

# Slots before the target at which the temperature of a day is looked at
DAY_HOURS_BACK = np.arange(0, SLOTS_PER_DAY, 12)
HEATING_LIMIT_C = 15.0  # below which houses are heated. Source: VDI 2067
AWAY_SHARE = 0.05  # of a slot: the household was not only at home
# Of the usual load, while nobody is there: the quietest days of two households reached 0.26 and
# 0.37 of their mean
QUIET_SHARE = 0.35
QUIET_SLOTS = 48  # slots of absence that say as much as this prejudice


def describe_day_off(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return whether each target lies on a holiday, or on a bridge day."""
    return {
        "holiday": frame.days_off.holiday[pairs.target].astype(np.float64),
        "holiday_bridge": frame.days_off.bridge[pairs.target].astype(np.float64),
    }


def describe_temperature(frame: Frame, pairs: Pairs) -> dict[str, FloatArray]:
    """Return features of the temperature forecast for each target, °C; NaN where unknown.

    They are the target's own, the mean of the day up to it, the difference of that mean from the
    last week's, and its degrees below the heating limit.
    """
    if not len(frame.weather):
        return dict.fromkeys(
            ("temperature_c", "temperature_day_c", "temperature_change_c", "heating_degrees"),
            np.full(pairs.lead.size, np.nan),
        )
    temperatures = []
    for slots_back in DAY_HOURS_BACK:
        weather = frame.weather_at(Pairs(pairs.origin, pairs.target - slots_back))
        temperatures.append(weather["temperature_c"])
    ahead = np.stack(temperatures)
    has_value = ~np.isnan(ahead)
    day = np.divide(
        np.where(has_value, ahead, 0.0).sum(axis=0),
        has_value.sum(axis=0),
        out=np.full(pairs.lead.size, np.nan),
        where=has_value.any(axis=0),
    )
    week = Windows.of(frame.temperature_c).mean(pairs.origin, WEEK * SLOTS_PER_DAY)
    return {
        "temperature_c": ahead[0],
        "temperature_day_c": day,
        "temperature_change_c": day - week,
        "heating_degrees": np.where(np.isnan(day), np.nan, np.clip(HEATING_LIMIT_C - day, 0, None)),
    }


@dataclass(frozen=True, slots=True)
class Absence:
    """The load while somebody was at home, kWh by slot of the frame, NaN otherwise.

    By row the share of absence at the origin and the share of load left.
    """

    home_kwh: FloatArray
    share: FloatArray
    load_share: FloatArray

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs) -> Self:
        """Return absence as known at each origin, and assume that it lasts.

        The load of an empty house is learned from the absences of the last weeks; without any it is
        ``QUIET_SHARE``.
        """
        away = np.nan_to_num(frame.vacation_share)
        share = np.where(pairs.origin > 0, away[np.maximum(pairs.origin - 1, 0)], 0.0)
        if not away.any():
            return cls(frame.load_kwh, share, np.ones(pairs.lead.size))
        home = np.where(away > AWAY_SHARE, np.nan, frame.load_kwh)
        empty = np.where(away > 1 - AWAY_SHARE, frame.load_kwh, np.nan)

        def average(values: FloatArray) -> FloatArray:
            return Windows.of(values).mean(pairs.origin, MEMORY * SLOTS_PER_DAY)

        usual = fill_gaps(average(home), average(frame.load_kwh), 1.0)
        was_empty = np.where(np.isnan(empty), 0.0, 1.0)
        slots = average(was_empty) * MEMORY * SLOTS_PER_DAY
        quiet = fill_gaps(average(empty), 0.0)
        weighted = quiet * slots + QUIET_SHARE * usual * QUIET_SLOTS
        learned = weighted / (np.nan_to_num(slots) + QUIET_SLOTS)
        quiet_share = np.clip(learned / np.maximum(usual, 1e-9), 0, 1)
        return cls(home, share, 1 - share * (1 - quiet_share))


# Known of the last weeks, below which the standard load profile speaks for the times of day that
# were never measured
LEAST_SLOTS = SLOTS_PER_DAY
SMOOTH_REACH = 2  # slots on either side: habits do not keep to the quarter-hour
# Least squares on five households: half of the last hour's deviation is still there an hour later
# and gone after four; how much busier than usual the last day was stays, in proportion, for both
# days ahead (a third of it in the mean, two thirds where the house is heated with electricity).
HOUR_SHARE = 0.6
HOUR_FADE_SLOTS = 6.0
DAY_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class _Habits:
    """Statistics of the recalled days; ``calm`` ones are of smoothed days."""

    recalled: FloatArray
    smooth: FloatArray
    week: Days
    month: Days
    calm_week: Days
    calm_fortnight: Days
    calm_month: Days
    weekday: Days

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs, home_kwh: FloatArray, windows: Windows) -> Self:
        recalled = recall_days(home_kwh, pairs, MEMORY, local_slot=frame.local_slot)
        smooth = recall_days(
            windows.centre(SMOOTH_REACH),
            pairs,
            MEMORY,
            local_slot=frame.local_slot,
            reach=SMOOTH_REACH,
        )
        # Which of the recalled days share the target's weekday, shape `(rows, 4)`; the last is
        # repeated where memory ends. A holiday is a Sunday.
        weekday = (frame.local_slot[pairs.target] // SLOTS_PER_DAY + 3) % WEEK
        since_sunday = np.where(frame.days_off.holiday[pairs.target], (weekday + 1) % WEEK, 0)
        first = (since_sunday - (pairs.lead // SLOTS_PER_DAY + 1)) % WEEK
        columns: IntArray = np.minimum(first[:, None] + WEEK * np.arange(4), MEMORY - 1)
        same_weekday = smooth[np.arange(pairs.lead.size)[:, None], columns]
        return cls(
            recalled=recalled,
            smooth=smooth,
            week=Days.of(recalled[:, :WEEK]),
            month=Days.of(recalled),
            calm_week=Days.of(smooth[:, :WEEK]),
            calm_fortnight=Days.of(smooth[:, : 2 * WEEK]),
            calm_month=Days.of(smooth),
            weekday=Days.of(same_weekday),
        )


@dataclass(frozen=True, slots=True)
class _Level:
    """The level of the load, by row.

    Args:
        week_kwh: mean of the last week per slot.
        usual_kwh: the load at a time of day that was never measured.
        lift: ratio of the week's mean to the month's.
        hour_kwh: deviation of the last hour.
        day_kwh: deviation of the last day.
    """

    week_kwh: FloatArray
    usual_kwh: FloatArray
    lift: FloatArray
    hour_kwh: FloatArray
    day_kwh: FloatArray

    @classmethod
    def of(cls, frame: Frame, pairs: Pairs, windows: Windows) -> Self:
        origin = pairs.origin
        month = fill_gaps(
            windows.mean(origin, MEMORY * SLOTS_PER_DAY), frame.standard_load.mean_kwh
        )
        week = fill_gaps(windows.mean(origin, WEEK * SLOTS_PER_DAY), month)
        lift = np.clip(week / np.maximum(month, FLOOR_KWH), 0.25, 4)
        usual = _scale_standard_load(frame, pairs, windows, week)
        return cls(
            week_kwh=week,
            usual_kwh=usual,
            lift=lift,
            hour_kwh=deviate_from_week(windows, origin, SLOTS_PER_HOUR),
            day_kwh=deviate_from_week(windows, origin, SLOTS_PER_DAY),
        )


def _scale_standard_load(
    frame: Frame, pairs: Pairs, windows: Windows, week_kwh: FloatArray
) -> FloatArray:
    """Return by row the scaled standard profile where less than a day is known, else the mean.

    The measurements scale the profile; a day of the profile counts as a prior. The profile is
    computed only for sites that need it.
    """
    measured_slots = windows.count(pairs.origin, MEMORY * SLOTS_PER_DAY)
    few = measured_slots < LEAST_SLOTS
    if not few.any():
        return week_kwh
    # Past slots use the measured temperature, targets the forecast one.
    slots = frame.first + np.arange(frame.load_kwh.size, dtype=np.int64)
    standard = frame.standard_load.look_up(slots, frame.temperature_c)
    ahead = frame.standard_load.look_up(
        frame.first + pairs.target, frame.weather_at(pairs)["temperature_c"]
    )
    month = MEMORY * SLOTS_PER_DAY
    standard_windows = Windows.of(np.where(np.diff(windows.counts) > 0, standard, np.nan))
    same = np.nan_to_num(standard_windows.mean(pairs.origin, month)) * measured_slots
    prior = frame.standard_load.mean_kwh * SLOTS_PER_DAY
    measured = np.nan_to_num(windows.mean(pairs.origin, month)) * measured_slots
    scaled: FloatArray = np.where(few, ahead * (measured + prior) / (same + prior), week_kwh)
    return scaled


def view_load(frame: Frame, pairs: Pairs) -> FeatureMatrix:
    """Return the features and members of the load, as known at each origin."""
    absence = Absence.of(frame, pairs)
    windows = Windows.of(absence.home_kwh)
    habits = _Habits.of(frame, pairs, absence.home_kwh, windows)
    level = _Level.of(frame, pairs, windows)
    scale = np.maximum(level.week_kwh, FLOOR_KWH)
    unmeasured: dict[Part, FloatArray] = {
        "p10": 0.3 * level.usual_kwh,
        "p90": 3 * level.usual_kwh,
    }
    edges = {}
    for head, share in EDGES:
        edges[head] = {
            "month": fill_gaps(level.lift * habits.month.quantile(share), unmeasured[head]),
            "week": fill_gaps(habits.week.quantile(share), unmeasured[head]),
        }
    centre = _list_centres(habits, level, pairs.lead)
    # The order of the features is that of the trained trees.
    energies = {**centre, **name_edges(edges)}
    for share in (0.0, 0.25, 0.75, 1.0):
        energies[f"week_q{100 * share:.0f}"] = habits.week.quantile(share)
    for share in (0.25, 0.75):
        energies[f"month_q{100 * share:.0f}"] = level.lift * habits.month.quantile(share)
    for length in (1, 2, SLOTS_PER_HOUR, 3 * SLOTS_PER_HOUR, SLOTS_PER_DAY):
        energies[f"last_{length}_slots"] = windows.mean(pairs.origin, length)
    energies["calm_month"] = level.lift * habits.calm_month.mean
    energies["calm_week"] = habits.calm_week.mean
    energies["calm_latest"] = habits.smooth[:, 0]
    energies["calm_second"] = habits.smooth[:, 1]
    deviations = {"hour_deviation": level.hour_kwh, "day_deviation": level.day_kwh}
    shares = {name: energy / scale for name, energy in (energies | deviations).items()}
    signs = {
        **describe_day_off(frame, pairs),
        **describe_temperature(frame, pairs),
        "vacation": absence.share,
    }
    columns = {
        **shares,
        "week_kwh": level.week_kwh,
        "lift": level.lift,
        **signs,
        **mark_time(frame, pairs),
    }
    # An absence leaves a share of everything that is usual, the trees' scale included: the forecast
    # falls at once, and no habit is learned from an empty house.
    at_home: dict[Part, dict[str, FloatArray]] = {"centre": centre, **edges}
    members = {}
    for part, named in at_home.items():
        members[part] = {name: member * absence.load_share for name, member in named.items()}
    return FeatureMatrix(
        features=stack_columns(columns),
        scale_kwh=scale * absence.load_share,
        members=members,
        known_days=habits.month.count,
        limit_kwh=np.full(scale.size, np.inf),
        names=tuple(columns),
    )


def _list_centres(habits: _Habits, level: _Level, lead: IntArray) -> dict[str, FloatArray]:
    mean = fill_gaps(habits.week.mean, habits.calm_week.mean, habits.month.mean, level.usual_kwh)
    median = fill_gaps(
        habits.week.quantile(0.5),
        habits.calm_week.quantile(0.5),
        habits.month.quantile(0.5),
        level.usual_kwh,
    )
    fading = HOUR_SHARE * np.nan_to_num(level.hour_kwh) * np.exp(-lead / HOUR_FADE_SLOTS)
    week_kwh = np.maximum(level.week_kwh, FLOOR_KWH)
    busy = np.clip(1 + DAY_SHARE * np.nan_to_num(level.day_kwh) / week_kwh, 0.4, 2.5)
    return {
        "mean": mean,
        "median": median,
        "latest": fill_gaps(habits.recalled[:, 0], mean),
        "fortnight_median": fill_gaps(habits.calm_fortnight.quantile(0.5), median),
        "fortnight_mean": fill_gaps(habits.calm_fortnight.mean, mean),
        "month_median": fill_gaps(habits.month.quantile(0.5) * level.lift, median),
        "weekday": fill_gaps(habits.weekday.mean * level.lift, mean),
        "mean_corrected": np.maximum(mean + fading, 0),
        "median_corrected": np.maximum(median + fading, 0),
        "mean_lifted": np.maximum(mean * busy + fading, 0),
        "median_lifted": np.maximum(median * busy + fading, 0),
    }
