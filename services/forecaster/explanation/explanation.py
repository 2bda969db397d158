"""Explain how a forecast differs from the usual.

The exact share of each reason, and the facts that words about it must agree with.

The usual is the mean of the same slot on the last seven days. What the trees say of a slot is
compared with what they said of it on those days, looking as far ahead: a cold autumn explains
nothing where the last days were as cold.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from luna.energy.timeline import FloatArray
from services.forecaster.inputs.frame import DAY_SLOTS, Frame, Pairs
from services.forecaster.inputs.load_features import view_load
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.series import LOAD, ForecastSeries, OriginViews
from services.forecaster.inputs.view import (
    HOUR,
    WEEK,
    Days,
    FeatureMatrix,
    Windows,
    deviate_from_week,
    fill_gaps,
)
from services.forecaster.model.like_days import recall_load, recall_pv
from services.forecaster.model.recent_error_correction import SIGNALS, step_of
from services.forecaster.model.series_model import (
    FEWEST_DAYS,
    PROFILE,
    WEATHER,
    SeriesModel,
    list_members,
    predict_trees,
)
from services.forecaster.model.trees import Trees

# sky: sun and clouds ahead · hours: the last few · days: the level of the last few · habit: what
# the weeks say of this time of day beyond the last seven days · limit: no energy is below zero,
# none above what the arrays can yield · later: what was measured or learned only after the issue ·
# model: what spoke and cannot be read any more · rest: what has no name of its own
Group = Literal[
    "calendar",
    "vacation",
    "temperature",
    "wind",
    "sky",
    "hours",
    "days",
    "habit",
    "limit",
    "later",
    "model",
    "rest",
]
GROUPS: tuple[Group, ...] = (
    "calendar",
    "vacation",
    "temperature",
    "wind",
    "sky",
    "hours",
    "days",
    "habit",
    "limit",
    "later",
    "model",
    "rest",
)

# The first pattern found in a feature's name decides.
PATTERNS: tuple[tuple[Group, str], ...] = (
    ("vacation", r"vacation|away"),
    ("calendar", r"^weekday$|day_of_week|weekend|holiday"),
    ("temperature", r"temperature|heating|cooling"),
    ("wind", r"wind"),
    ("sky", r"ghi|dhi|dni|cloud|irradiance|weather|estimate|clear_index|beam_index|diffuse_share"),
    ("days", r"^last_96_slots$"),
    (
        "hours",
        (
            r"^last_\d+_slots$|hour_deviation|corrected|persistent|clearness|brightness_now|"
            r"brightness_unusual|recent_clear_sky"
        ),
    ),
    (
        "days",
        r"day_deviation|lifted|lift|latest|calm_second|week_kwh|brightness_day|brightness_week",
    ),
    (
        "habit",
        (
            r"mean|median|^p\d\d_|^(week|month)_q\d+|calm_|clear_sky|best_kwh|slot_of_day|"
            r"season|^lead$"
        ),
    ),
)

# Member of the blend → the member it starts from, and the reason of the difference; every chain
# ends at the mean of the last seven days.
MEAN = "mean"
STEPS: dict[str, tuple[str, Group]] = {
    "median": (MEAN, "habit"),
    "fortnight_median": (MEAN, "habit"),
    "fortnight_mean": (MEAN, "habit"),
    "month_median": (MEAN, "habit"),
    "pool_3": (MEAN, "habit"),
    "pool_7": (MEAN, "habit"),
    "pool_20": (MEAN, "habit"),
    "pool_28": (MEAN, "habit"),
    "clear_sky": (MEAN, "habit"),
    "month_clear_sky": (MEAN, "habit"),
    "weekday": (MEAN, "calendar"),
    "latest": (MEAN, "days"),
    "mean_corrected": (MEAN, "hours"),
    "median_corrected": ("median", "hours"),
    "mean_lifted": ("mean_corrected", "days"),
    "median_lifted": ("median_corrected", "days"),
    "persistent": ("clear_sky", "hours"),
    "weather": (MEAN, "sky"),
}


def group_of(feature: str) -> Group:
    """Return the reason a feature belongs to; ``rest`` where nothing is known of it."""
    return next((group for group, pattern in PATTERNS if re.search(pattern, feature)), "rest")


HEAD = "expected"
TREES = "trees"
HOURS = 4 * HOUR
SLOTS_PER_HOUR = 4
VIEWS = {"load": view_load, "pv": view_pv}  # without the pools, which no tree looks at
Shares = dict[Group, FloatArray]


@dataclass(frozen=True, slots=True)
class ForecastExplanation:
    """A series explained; arrays of shape ``(rows,)``, kWh per slot.

    Invariants: ``usual_kwh`` plus all ``shares_kwh`` is ``expected_kwh``.
    """

    expected_kwh: FloatArray
    usual_kwh: FloatArray
    shares_kwh: Shares


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about the same slot, or the same hours, of the last seven days.

    By row, NaN where unknown.

    ``warmer_c`` and ``sunnier`` (W/m²; where only clouds are known, percent of the sky free of
    them) are of the weather expected in the slot, ``hours_kwh`` and ``day_kwh`` of the last four
    hours and the last day, per slot, ``away`` of the share of time in which vacation mode is on.
    ``holiday`` is one on a public holiday, else zero.
    """

    warmer_c: FloatArray
    sunnier: FloatArray
    hours_kwh: FloatArray
    day_kwh: FloatArray
    away: FloatArray
    holiday: FloatArray

    def of(self, group: Group, row: int) -> float | None:
        """Return the fact behind a reason, powers in kW; None where nobody knows it."""
        facts = {
            "temperature": self.warmer_c,
            "sky": self.sunnier,
            "hours": self.hours_kwh * SLOTS_PER_HOUR,
            "days": self.day_kwh * SLOTS_PER_HOUR,
            "vacation": self.away,
            "calendar": self.holiday,
        }
        return (
            None if group not in facts or np.isnan(facts[group][row]) else float(facts[group][row])
        )


def explain_member(
    member: str, series: ForecastSeries, frame: Frame, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Return why one member of a series' view says what it says.

    What ``expected_kwh`` differs from it by is ``limit``.
    """
    view = series.view(frame, pairs)
    return _complete(
        _explain_member(member, view), view, _Past.of(series, frame, pairs, view), expected_kwh
    )


def explain_like_days(
    series: ForecastSeries, origin_views: OriginViews, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Return why like days say what they say of some ``pairs`` of one origin.

    What ``expected_kwh`` differs from them by is ``limit``.
    """
    like_days = (recall_load if series.name == LOAD.name else recall_pv)(origin_views)
    row = pairs.lead
    view = series.view(origin_views.frame, pairs)
    shares = _no_shares(view)
    shares["habit"] += like_days.habit_kwh[row] - view.members["centre"][MEAN]
    shares["days"] += (like_days.levelled_kwh - like_days.habit_kwh)[row]
    shares["sky"] += (like_days.quantiles.expected - like_days.levelled_kwh)[row]
    return _complete(shares, view, _Past.of(series, origin_views.frame, pairs, view), expected_kwh)


def explain_profile(
    series: ForecastSeries, frame: Frame, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Return why a series of which nothing is learned yet is forecast to be ``expected_kwh``.

    What the profile does not account for is ``limit``.
    """
    view = series.view(frame, pairs)
    return _complete(
        _explain_profile(view), view, _Past.of(series, frame, pairs, view), expected_kwh
    )


def explain_model(
    model: SeriesModel,
    series: ForecastSeries,
    frame: Frame,
    pairs: Pairs,
    *,
    expected_kwh: FloatArray,
) -> ForecastExplanation:
    """Return why a learned series is forecast to be ``expected_kwh``, shape ``(rows,)``.

    What neither trees, blend nor level account for is ``limit``.

    Source: Lundberg et al. (2020), contributions of features to the output of trees.
    """
    view = series.view(frame, pairs)
    outputs = predict_trees(model.trees, view)
    learned = view.known_days >= FEWEST_DAYS
    weights = model.weights[HEAD][model.stratum_of(view, pairs.lead)] * learned[:, None]
    # How the last hours moved the mean of these rows, signal by signal.
    shares = _no_shares(view)
    signals = SIGNALS[model.level.series](view)
    levelled = learned & (view.limit_kwh > 0)
    for name, share in zip(signals, model.level.mean[step_of(pairs.lead)].T, strict=True):
        shares[group_of(name)] += np.where(levelled, np.nan_to_num(signals[name]) * share, 0.0)
    for column, name in enumerate(list_members(outputs, view, HEAD)):
        selected = (weights[:, column] > 0) & (view.limit_kwh > 0)
        if not selected.any():
            continue
        if name == TREES:
            week = [
                VIEWS[series.name](frame, past)
                for past in _pair_week(frame, pairs.select(selected))
            ]
            contributions = _explain_trees(
                model.trees, view.select(selected), week, outputs[HEAD][selected]
            )
        else:
            contributions = _explain_member(name, view.select(selected))
        for group, share in contributions.items():
            shares[group][selected] += weights[selected, column] * share
    for group, share in _explain_profile(view).items():
        shares[group] += np.where(learned, 0.0, share)
    return _complete(shares, view, _Past.of(series, frame, pairs, view), expected_kwh)


def gather_facts(series: ForecastSeries, frame: Frame, pairs: Pairs) -> Facts:
    """Return what the words about each row must agree with."""
    measured = Windows.of(series.measured(frame))
    week = [frame.weather_at(Pairs(pairs.origin, past.target)) for past in _pair_week(frame, pairs)]
    ahead = frame.weather_at(pairs)

    def exceed(name: str) -> FloatArray:
        difference: FloatArray = ahead[name] - np.mean([day[name] for day in week], axis=0)
        return difference

    vacation = np.nan_to_num(frame.vacation_share)  # before its first reading, nobody was away
    away = vacation[pairs.origin - 1] - Windows.of(vacation).mean(
        pairs.origin - DAY_SLOTS, WEEK * DAY_SLOTS
    )
    hours, day = (
        deviate_from_week(measured, pairs.origin, length) for length in (HOURS, DAY_SLOTS)
    )
    sunnier = fill_gaps(exceed("ghi_w_m2"), -100 * exceed("cloud_fraction"))
    return Facts(
        exceed("temperature_c"),
        sunnier,
        hours,
        day,
        away,
        frame.days_off.holiday[pairs.target].astype(np.float64),
    )


def _no_shares(view: FeatureMatrix) -> Shares:
    return {group: np.zeros(view.scale_kwh.size) for group in GROUPS}


@dataclass(frozen=True, slots=True)
class _Past:
    """Measurements at each row's time on the last seven days, and the part of vacation.

    Vacation mode plays a part if it is on, or was on one of them.
    """

    usual_kwh: FloatArray
    away: NDArray[np.bool_]

    @classmethod
    def of(cls, series: ForecastSeries, frame: Frame, pairs: Pairs, view: FeatureMatrix) -> Self:
        week = _pair_week(frame, pairs)
        measured = np.stack(
            [
                np.where(past.target < pairs.origin, series.measured(frame)[past.target], np.nan)
                for past in week
            ],
            axis=1,
        )
        away = np.nan_to_num(
            [
                frame.vacation_share[slots]
                for slots in (pairs.origin - 1, *(past.target for past in week))
            ]
        )
        usual = fill_gaps(
            np.minimum(Days.of(measured).mean, view.limit_kwh), view.members["centre"][MEAN]
        )
        return cls(usual, (away > 0).any(axis=0))


def _complete(
    shares: Shares, view: FeatureMatrix, past: _Past, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Return the explanation whose ``shares`` are those of a mean that leaves vacations out."""
    moved = view.members["centre"][MEAN] - past.usual_kwh
    shares["vacation"] = shares["vacation"] + np.where(past.away, moved, 0.0)
    shares["rest"] = shares["rest"] + np.where(past.away, 0.0, moved)
    missing = expected_kwh - past.usual_kwh - np.sum([*shares.values()], axis=0)
    return ForecastExplanation(
        expected_kwh, past.usual_kwh, shares | {"limit": shares["limit"] + missing}
    )


def _explain_member(member: str, view: FeatureMatrix) -> Shares:
    """Return what a member differs from the mean of the last seven days by, reason by reason."""
    shares = _no_shares(view)
    members = view.members["centre"] | view.members.get(HEAD, {})
    while member != MEAN:
        start, group = STEPS.get(member, (MEAN, "rest"))
        shares[group] += members[member] - members[start]
        member = start
    return shares


def _explain_profile(view: FeatureMatrix) -> Shares:
    """Return the profile's difference from the mean of the last seven days.

    The members that speak before anything is learned have equal parts.
    """
    member_shares = [
        _explain_member(name, view)
        for name in (PROFILE, WEATHER)
        if name in view.members["centre"] | view.members[HEAD]
    ]
    return {group: np.mean([shares[group] for shares in member_shares], axis=0) for group in GROUPS}


def _explain_trees(
    trees: Trees, view: FeatureMatrix, week: Sequence[FeatureMatrix], output_kwh: FloatArray
) -> Shares:
    """Return what the trees' ``output_kwh`` differs from the mean of the last seven days by.

    ``week`` holds the rows as seen on each of them.
    """
    sums = np.stack(
        [np.array([group_of(name) == group for name in view.names]) for group in GROUPS], axis=1
    )
    contributions = trees.contribute(
        HEAD, np.concatenate([each.features for each in (view, *week)])
    ).reshape(1 + len(week), view.scale_kwh.size, -1)
    now = contributions[0]
    before = contributions[1:].mean(axis=0)
    moved = view.scale_kwh[:, None] * ((now - before)[:, :-1] @ sums)
    shares = dict(zip(GROUPS, moved.T, strict=True))
    shares["habit"] = (
        shares["habit"] + view.scale_kwh * before.sum(axis=1) - view.members["centre"][MEAN]
    )
    shares["rest"] = shares["rest"] + output_kwh - view.scale_kwh * now.sum(axis=1)
    return shares


def _pair_week(frame: Frame, pairs: Pairs) -> list[Pairs]:
    """Return the pairs of the same local slot on the seven days behind the usual.

    They look as far ahead as the pairs do.
    """
    first = pairs.lead // DAY_SLOTS + 1
    week = []
    for back in range(WEEK):
        slots = DAY_SLOTS * (first + back)
        slots = slots - (
            frame.local_slot[pairs.target]
            - DAY_SLOTS * (first + back)
            - frame.local_slot[pairs.target - slots]
        )
        week.append(Pairs(pairs.origin - slots, pairs.target - slots))
    return week
