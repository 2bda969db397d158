"""Split a forecast's difference from the usual into exact shares by reason.

``gather_facts`` returns the facts that words about the reasons must agree with.

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

from luna.energy.timeline import SLOTS_PER_DAY, SLOTS_PER_HOUR, FloatArray
from services.forecaster.inputs.forecast_series import LOAD, ForecastSeries, OriginViews
from services.forecaster.inputs.frame import Frame, Pairs
from services.forecaster.inputs.gaps import fill_gaps
from services.forecaster.inputs.load_features import view_load
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.view import (
    WEEK,
    Days,
    FeatureMatrix,
    Windows,
    deviate_from_week,
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
    for group, pattern in PATTERNS:
        if re.search(pattern, feature):
            return group
    return "rest"


HEAD = "expected"
TREES = "trees"
HOURS = 4 * SLOTS_PER_HOUR
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
    """Differences from the same slot or hours of the last seven days, by row; NaN where unknown.

    Args:
        warmer_c: temperature expected in the slot.
        sunnier: sun expected in the slot, W/m²; percent of cloudless sky where only clouds are
            known.
        hours_kwh: energy of the last four hours, per slot.
        day_kwh: energy of the last day, per slot.
        away: share of time with vacation mode on.
        holiday: one on a public holiday, else zero (no difference).
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
        if group not in facts:
            return None
        fact = float(facts[group][row])
        return None if np.isnan(fact) else fact


def explain_member(
    member: str, series: ForecastSeries, frame: Frame, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Explain the forecast of one member of a series' view.

    The difference of ``expected_kwh`` from the member is ``limit``.
    """
    view = series.view(frame, pairs)
    shares = _explain_member(member, view)
    return _complete(shares, view, _Past.of(series, frame, pairs, view), expected_kwh)


def explain_like_days(
    series: ForecastSeries, origin_views: OriginViews, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Explain the forecast from like days for ``pairs`` of one origin.

    The difference of ``expected_kwh`` from like days is ``limit``.
    """
    recall = recall_load if series.name == LOAD.name else recall_pv
    like_days = recall(origin_views)
    row = pairs.lead
    view = series.view(origin_views.frame, pairs)
    shares = _no_shares(view)
    shares["habit"] += like_days.habit_kwh[row] - view.members["centre"][MEAN]
    shares["days"] += (like_days.levelled_kwh - like_days.habit_kwh)[row]
    shares["sky"] += (like_days.quantiles.expected - like_days.levelled_kwh)[row]
    past = _Past.of(series, origin_views.frame, pairs, view)
    return _complete(shares, view, past, expected_kwh)


def explain_profile(
    series: ForecastSeries, frame: Frame, pairs: Pairs, *, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Explain the forecast ``expected_kwh`` of a series without a trained model.

    The part that the profile does not account for is ``limit``.
    """
    view = series.view(frame, pairs)
    shares = _explain_profile(view)
    return _complete(shares, view, _Past.of(series, frame, pairs, view), expected_kwh)


def explain_model(
    model: SeriesModel,
    series: ForecastSeries,
    frame: Frame,
    pairs: Pairs,
    *,
    expected_kwh: FloatArray,
) -> ForecastExplanation:
    """Explain a trained model's forecast ``expected_kwh``, shape ``(rows,)``.

    The part that neither trees, blend nor level account for is ``limit``.

    Source: Lundberg et al. (2020), contributions of features to the output of trees.
    """
    view = series.view(frame, pairs)
    outputs = predict_trees(model.trees, view)
    learned = view.known_days >= FEWEST_DAYS
    weights = model.weights[HEAD][model.stratum_of(view, pairs.lead)] * learned[:, None]
    shares = _no_shares(view)
    # How the last hours moved the mean of these rows, signal by signal.
    signals = SIGNALS[model.level.series](view)
    remaining = model.level.mean[step_of(pairs.lead)]
    levelled = learned & (view.limit_kwh > 0)
    for name, share in zip(signals, remaining.T, strict=True):
        correction_kwh = np.nan_to_num(signals[name]) * share
        shares[group_of(name)] += np.where(levelled, correction_kwh, 0.0)
    for column, name in enumerate(list_members(outputs, view, HEAD)):
        selected = (weights[:, column] > 0) & (view.limit_kwh > 0)
        if not selected.any():
            continue
        selected_view = view.select(selected)
        if name == TREES:
            past_pairs = _pair_week(frame, pairs.select(selected))
            week = [VIEWS[series.name](frame, past) for past in past_pairs]
            contributions = _explain_trees(
                model.trees, selected_view, week, outputs[HEAD][selected]
            )
        else:
            contributions = _explain_member(name, selected_view)
        for group, share in contributions.items():
            shares[group][selected] += weights[selected, column] * share
    for group, share in _explain_profile(view).items():
        shares[group] += np.where(learned, 0.0, share)
    return _complete(shares, view, _Past.of(series, frame, pairs, view), expected_kwh)


def gather_facts(series: ForecastSeries, frame: Frame, pairs: Pairs) -> Facts:
    """Return the facts that words about each row must agree with."""
    measured = Windows.of(series.measured(frame))
    week = [frame.weather_at(Pairs(pairs.origin, past.target)) for past in _pair_week(frame, pairs)]
    ahead = frame.weather_at(pairs)

    def exceed_week(name: str) -> FloatArray:
        week_mean = np.mean([day[name] for day in week], axis=0)
        difference: FloatArray = ahead[name] - week_mean
        return difference

    vacation = np.nan_to_num(frame.vacation_share)  # before its first reading, nobody was away
    usual_vacation = Windows.of(vacation).mean(pairs.origin - SLOTS_PER_DAY, WEEK * SLOTS_PER_DAY)
    return Facts(
        warmer_c=exceed_week("temperature_c"),
        sunnier=fill_gaps(exceed_week("ghi_w_m2"), -100 * exceed_week("cloud_fraction")),
        hours_kwh=deviate_from_week(measured, pairs.origin, HOURS),
        day_kwh=deviate_from_week(measured, pairs.origin, SLOTS_PER_DAY),
        away=vacation[pairs.origin - 1] - usual_vacation,
        holiday=frame.days_off.holiday[pairs.target].astype(np.float64),
    )


def _no_shares(view: FeatureMatrix) -> Shares:
    return {group: np.zeros(view.scale_kwh.size) for group in GROUPS}


@dataclass(frozen=True, slots=True)
class _Past:
    """Each row's usual energy, and whether vacation mode plays a part in it.

    It does if it is on at the origin, or was on at that time on one of the last seven days.
    """

    usual_kwh: FloatArray
    away: NDArray[np.bool_]

    @classmethod
    def of(cls, series: ForecastSeries, frame: Frame, pairs: Pairs, view: FeatureMatrix) -> Self:
        energy_kwh = series.measured(frame)
        daily_kwh = []
        vacation_shares = [frame.vacation_share[pairs.origin - 1]]
        for past in _pair_week(frame, pairs):
            was_measured = past.target < pairs.origin
            daily_kwh.append(np.where(was_measured, energy_kwh[past.target], np.nan))
            vacation_shares.append(frame.vacation_share[past.target])
        mean_kwh = Days.of(np.stack(daily_kwh, axis=1)).mean
        usual_kwh = fill_gaps(np.minimum(mean_kwh, view.limit_kwh), view.members["centre"][MEAN])
        vacation = np.nan_to_num(np.stack(vacation_shares))
        away: NDArray[np.bool_] = np.any(vacation > 0, axis=0)
        return cls(usual_kwh, away)


def _complete(
    shares: Shares, view: FeatureMatrix, past: _Past, expected_kwh: FloatArray
) -> ForecastExplanation:
    """Return the explanation with ``shares``, which must add up to ``expected_kwh``."""
    # The shares start from a mean that leaves vacations out, the usual does not.
    moved = view.members["centre"][MEAN] - past.usual_kwh
    shares["vacation"] = shares["vacation"] + np.where(past.away, moved, 0.0)
    shares["rest"] = shares["rest"] + np.where(past.away, 0.0, moved)
    missing = expected_kwh - past.usual_kwh - np.sum([*shares.values()], axis=0)
    shares = shares | {"limit": shares["limit"] + missing}
    return ForecastExplanation(expected_kwh, past.usual_kwh, shares)


def _explain_member(member: str, view: FeatureMatrix) -> Shares:
    """Split a member's difference from the mean of the last seven days by reason."""
    shares = _no_shares(view)
    members = view.members["centre"] | view.members.get(HEAD, {})
    while member != MEAN:
        start, group = STEPS.get(member, (MEAN, "rest"))
        shares[group] += members[member] - members[start]
        member = start
    return shares


def _explain_profile(view: FeatureMatrix) -> Shares:
    """Split the profile's difference from the mean of the last seven days by reason."""
    members = view.members["centre"] | view.members[HEAD]
    # An untrained forecast weighs these members equally.
    used = [name for name in (PROFILE, WEATHER) if name in members]
    member_shares = [_explain_member(name, view) for name in used]
    mean_shares = {}
    for group in GROUPS:
        mean_shares[group] = np.mean([shares[group] for shares in member_shares], axis=0)
    return mean_shares


def _explain_trees(
    trees: Trees, view: FeatureMatrix, week: Sequence[FeatureMatrix], output_kwh: FloatArray
) -> Shares:
    """Split the difference of the trees' ``output_kwh`` from the last seven days' mean by reason.

    ``week`` holds the rows' features on each of these days.
    """
    feature_groups = np.array([group_of(name) for name in view.names])
    # Shape (features, groups): whether a feature belongs to a group.
    belongs = np.stack([feature_groups == group for group in GROUPS], axis=1)
    features = np.concatenate([view.features, *(past.features for past in week)])
    contributions = trees.contribute(HEAD, features)
    daily = contributions.reshape(1 + len(week), view.scale_kwh.size, -1)
    now = daily[0]
    before = daily[1:].mean(axis=0)
    # The last column is the trees' base value, which belongs to no feature.
    moved = view.scale_kwh[:, None] * ((now - before)[:, :-1] @ belongs)
    shares = dict(zip(GROUPS, moved.T, strict=True))
    before_kwh = view.scale_kwh * before.sum(axis=1)
    now_kwh = view.scale_kwh * now.sum(axis=1)
    shares["habit"] = shares["habit"] + before_kwh - view.members["centre"][MEAN]
    shares["rest"] = shares["rest"] + output_kwh - now_kwh
    return shares


def _pair_week(frame: Frame, pairs: Pairs) -> list[Pairs]:
    """Return the pairs of the last seven days with the same local time and lead."""
    first = pairs.lead // SLOTS_PER_DAY + 1
    local_slot = frame.local_slot[pairs.target]
    week = []
    for back in range(WEEK):
        days_slots = SLOTS_PER_DAY * (first + back)
        # Where the clock changed in between, the same local time lies an hour off.
        clock_shift = local_slot - days_slots - frame.local_slot[pairs.target - days_slots]
        slots = days_slots - clock_shift
        week.append(Pairs(pairs.origin - slots, pairs.target - slots))
    return week
