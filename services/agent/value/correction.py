"""A correction of the value of stored energy, learned from hindsight and applied by half."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.timeline import SLOTS_PER_HOUR, FloatArray
from services.forecaster.model.trees import import_lightgbm
from services.planner.dp.plan import Plan
from services.planner.problem.knowledge import SitePrices

# Share of the prediction that is applied: hindsight is mostly noise. Source: docs/decisions/0046.
STRENGTH = 0.5
# Largest correction, as a share of the mean price ahead.
_MOST_SHARE = 0.25
# Hours that are corrected: no plan is followed for longer.
_HOURS = 3.0
# Least mean price ahead by which prices are scaled, currency per kWh.
_LEAST_PRICE = 0.01
# V′ is corrected at the end of this hour, after which a new plan is made.
_AHEAD_HOURS = (6, 12, 24)


def _name_hours(hours: int) -> tuple[str, ...]:
    names = ("price_mean", "price_min", "price_max", "load", "pv")
    return tuple(f"{name}_{hours}h" for name in names)


FEATURES = (
    "hour_sin",
    "hour_cos",
    "weekday",
    "published_hours",
    "price_now",
    "price_rank",
    "export_ratio",
    "soc",
    "value",
    "value_low",
    "value_high",
    *_name_hours(6),
    *_name_hours(12),
    *_name_hours(24),
)


def price_scale(plan: Plan) -> float:
    """Return the mean import price ahead, by which all prices are scaled."""
    return max(float(plan.problem.outlook.import_price.mean()), _LEAST_PRICE)


def describe_plan(plan: Plan, prices: SitePrices) -> FloatArray | None:
    """Return a plan's features in the order of ``FEATURES``; None without a value function."""
    problem = plan.problem
    outlook = plan.problem.outlook
    if plan.value is None:
        return None
    timeline = outlook.timeline
    battery = problem.site.batteries[0]
    local = timeline.start.astimezone(ZoneInfo(problem.site.timezone))
    angle = 2.0 * np.pi * (local.hour + local.minute / 60.0) / 24.0
    scale = price_scale(plan)
    price = outlook.import_price
    slot_hours = float(timeline.hours[-1])
    day = price[: round(24.0 / slot_hours)]
    published_for = prices.ahead(timeline.start, timeline).known_until - timeline.start
    published_hours = published_for.total_seconds() / 3600.0
    lowest = problem.limits.batteries.min_kwh[0, 0]
    usable = plan.value.function.capacity_kwh
    planned = plan.flows.stored_kwh[0, SLOTS_PER_HOUR - 1] - lowest
    steps = plan.value.function.after(SLOTS_PER_HOUR - 1)
    values = [read_value(steps, level) / scale for level in (planned, 0.2 * usable, 0.8 * usable)]
    of_now = [
        np.sin(angle),
        np.cos(angle),
        local.weekday(),
        published_hours,
        price[0] / scale,
        (day < price[0]).mean(),
        outlook.export_price[0] / scale,
    ]
    of_ahead: list[float] = []
    for hours in _AHEAD_HOURS:
        part = slice(0, round(hours / slot_hours))
        price_ahead = price[part] / scale
        of_ahead += [float(price_ahead.mean()), float(price_ahead.min()), float(price_ahead.max())]
        of_ahead.append(float(outlook.load_kwh[part].sum()) / battery.capacity_kwh)
        of_ahead.append(float(outlook.pv_kwh[part].sum()) / battery.capacity_kwh)
    soc = problem.stored_kwh[0] / battery.capacity_kwh
    return np.array([*of_now, soc, *values, *of_ahead], dtype=float)


def read_value(steps: tuple[FloatArray, FloatArray], stored_kwh: float) -> float:
    """Return V′ of steps (lengths and values) at an energy above the lowest state of charge.

    On the edge of two steps it is the mean of both.
    """
    length, value = steps
    edges = np.cumsum(length)
    last = value.size - 1
    left = int(np.clip(np.searchsorted(edges, stored_kwh, side="left"), 0, last))
    right = int(np.clip(np.searchsorted(edges, stored_kwh, side="right"), 0, last))
    return float(np.mean([value[left], value[right]]))


@dataclass(frozen=True)
class ValueCorrection:
    """A trained correction as LightGBM's text; ``strength`` is the applied share."""

    text: str
    strength: float = STRENGTH

    @cached_property
    def _booster(self) -> Any:
        return import_lightgbm().Booster(model_str=self.text)

    def predict(self, features: FloatArray) -> FloatArray:
        """Return the predicted errors of V′ in mean prices ahead, ``(rows,)``.

        Features have the shape ``(rows, features)``.
        """
        return np.asarray(self._booster.predict(features, num_threads=1), dtype=float)

    def apply(self, plan: Plan, prices: SitePrices) -> Plan:
        """Return the plan with its value corrected; unchanged without a value function."""
        features = describe_plan(plan, prices)
        if features is None:
            return plan
        predicted = self.predict(features[None, :])[0]
        share = float(np.clip(self.strength * predicted, -_MOST_SHARE, _MOST_SHARE))
        soon = np.cumsum(plan.problem.outlook.timeline.hours) <= _HOURS
        correction = np.where(soon, share * price_scale(plan), 0.0)
        following = replace(plan.problem.following, value_correction=correction)
        return replace(plan, problem=replace(plan.problem, following=following))

    @classmethod
    def fit(cls, features: FloatArray, label: FloatArray, *, seed: int) -> Self:
        """Return the correction learned from rows, the same for the same rows and seed."""
        lightgbm = import_lightgbm()
        settings: Mapping[str, Any] = {
            "objective": "regression",
            "learning_rate": 0.05,
            "num_leaves": 15,
            "min_data_in_leaf": min(200, max(label.size // 20, 1)),
            "feature_fraction": 0.7,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "num_threads": 1,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        names = list(FEATURES)
        data = lightgbm.Dataset(features, label=label, feature_name=names, params=dict(settings))
        booster = lightgbm.train(dict(settings), data, num_boost_round=80)
        return cls(booster.model_to_string())
